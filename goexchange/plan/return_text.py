"""RECOVERY.txt of a lane that returns an earlier file: what a person with a console does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goexchange.model.flush_map import flush_map_beside

if TYPE_CHECKING:
    from goexchange.plan.lane_return import Returning

Move = tuple[str, str]


def return_text(r: Returning, moves: tuple[Move, Move]) -> str:
    """The text, for the end of every phase it may have stopped in."""
    database = r.database
    present, earlier = moves
    was = r.mount_at_startup
    setting = None if was is None else ("$true" if was else "$false")
    lines = [
        f"Putting {r.what} in place of mailbox database {database.name} stopped.",
        "This text says how to bring the database back with the Exchange Management Shell alone.",
        "",
        "1. Is it down?",
        f"   Get-MailboxDatabase -Identity {database.guid} -Status | Format-List Name, Mounted",
        "   Mounted True: go to 4.",
        "",
        "2. Which files are there?",
        f"   a. {present[1]} does not exist: nothing was moved. Go to 3.",
        f"   b. It exists, and {earlier[0]} too: go to 3 after",
        *_move(present[1], present[0]),
        f"   c. It exists, and {earlier[0]} does not: the earlier file is in place. Try 3 to keep",
        "      it. To have the later file back, as long as the earlier one was never mounted:",
        *_move(earlier[1], earlier[0]),
        *_move(present[1], present[0]),
        f"      and the logs from {r.logs_aside} back into {database.log_folder}, into which no",
        "      other log may be left of a mount that failed (move those to a folder of their own).",
        "",
        "3. Mount it. Never use -Force or -AcceptDataLoss.",
        f"   Mount-Database -Identity {database.guid}",
        "",
        "4. Put the setting back to what it was, and look again.",
        *(
            [f"   Set-MailboxDatabase -Identity {database.guid} -MountAtStartup {setting}"]
            if setting
            else ["   (Mount at startup was not known before; the tool left it alone.)"]
        ),
        f"   Get-MailboxDatabase -Identity {database.guid} -Status | Format-List Name, Mounted",
        "",
        "Delete nothing: no file, no log, no set.",
    ]
    return "\r\n".join(lines) + "\r\n"


def _move(source: str, destination: str) -> list[str]:
    pairs = ((source, destination), (flush_map_beside(source), flush_map_beside(destination)))
    return [
        f"      Move-Item -LiteralPath '{_quoted(one)}' -Destination '{_quoted(other)}'"
        + ("   (if it is there)" if number else "")
        for number, (one, other) in enumerate(pairs)
    ]


def _quoted(path: str) -> str:
    return path.replace("'", "''")
