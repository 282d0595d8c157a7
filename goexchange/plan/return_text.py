"""RECOVERY.txt of a lane that returns an earlier file: what a person with a console does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goexchange.model.flush_map import flush_map_beside
from goexchange.model.streaming_file import streaming_beside

if TYPE_CHECKING:
    from goexchange.plan.lane_return import Returning

Move = tuple[str, str]


def return_text(r: Returning, moves: tuple[Move, Move]) -> str:
    """The text, for the end of every phase it may have stopped in."""
    database = r.database
    present, earlier = moves
    lines = [
        f"Putting {r.what} in place of mailbox database {database.name} stopped.",
        f"This text says how to bring the database back with {_tool(r)} alone.",
        "",
        "1. Is it down?",
        *_look(r),
        "",
        "2. Which files are there?",
        f"   a. {present[1]} does not exist: nothing was moved. Go to 3.",
        f"   b. It exists, and {earlier[0]} too: go to 3 after",
        *_move(r, present[1], present[0]),
        f"   c. It exists, and {earlier[0]} does not: the earlier file is in place. Try 3 to keep",
        "      it. To have the later file back, as long as the earlier one was never mounted:",
        *_move(r, earlier[1], earlier[0]),
        *_move(r, present[1], present[0]),
        f"      and the logs from {r.logs_aside} back into {database.log_folder}, into which no",
        "      other log may be left of a mount that failed (move those to a folder of their own).",
        "",
        "3. Mount it. Never use -Force or -AcceptDataLoss.",
        f"   {_place(r)}: *Mount Store*"
        if r.is_pair
        else f"   Mount-Database -Identity {database.guid}",
        "",
        "4. Put the setting back to what it was, and look again.",
        *_setting(r),
        "",
        "Delete nothing: no file, no log, no set.",
    ]
    return "\r\n".join(lines) + "\r\n"


def _tool(r: Returning) -> str:
    return "Exchange System Manager" if r.is_pair else "the Exchange Management Shell"


def _look(r: Returning) -> list[str]:
    if r.is_pair:
        return [
            f"   {_place(r)}: a menu with *Dismount Store*",
            "   says that it is mounted: go to 4.",
        ]
    return [
        f"   Get-MailboxDatabase -Identity {r.guid} -Status | Format-List Name, Mounted",
        "   Mounted True: go to 4.",
    ]


def _setting(r: Returning) -> list[str]:
    """What mount at startup was."""
    if r.is_pair:
        return [
            f"   {_place(r)}: Properties, Database:",
            "   *Do not mount this store at start-up* must be off.",
        ]
    was = r.mount_at_startup
    value = "$true" if was else "$false"
    return [
        f"   Set-MailboxDatabase -Identity {r.guid} -MountAtStartup {value}"
        if was is not None
        else "   (Mount at startup was not known before; the tool left it alone.)",
        f"   Get-MailboxDatabase -Identity {r.guid} -Status | Format-List Name, Mounted",
    ]


def _place(r: Returning) -> str:
    return f"Servers, {r.server.name}, {r.database.storage_group}, {r.database.name}"


def _move(r: Returning, source: str, destination: str) -> list[str]:
    """A file is renamed with what belongs to it: its streaming file on Exchange 2003, which lies
    there before anything can be mounted, or its flush map.
    """
    if r.is_pair:
        both = ((streaming_beside(source), streaming_beside(destination)), (source, destination))
        return [
            f"      Move-Item -LiteralPath '{_quoted(one)}' -Destination '{_quoted(other)}'"
            for one, other in both
        ]
    pairs = ((source, destination), (flush_map_beside(source), flush_map_beside(destination)))
    return [
        f"      Move-Item -LiteralPath '{_quoted(one)}' -Destination '{_quoted(other)}'"
        + ("   (if it is there)" if number else "")
        for number, (one, other) in enumerate(pairs)
    ]


def _quoted(path: str) -> str:
    return path.replace("'", "''")
