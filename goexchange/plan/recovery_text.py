"""RECOVERY.txt: what a person with nothing but a console does, in plain Exchange commands."""

from __future__ import annotations

from goexchange.plan.context import LaneContext


def recovery_text(context: LaneContext) -> str:
    """Return the text for the lane of one database, for the end of every phase it may have stopped
    in.
    """
    database, paths = context.database, context.paths
    at_startup = "$true" if database.is_mount_at_startup is True else "$false"
    mount = f"Mount-Database -Identity {database.guid}"
    original_is_back = f"""\
   a. {paths.original} exists and {paths.kept} does not:
      nothing was swapped. Go to 3.
   b. {paths.kept} exists and {paths.original} does not:
      the swap stopped in the middle. Rename {paths.kept} to {paths.original}. Go to 3.
   c. both exist: the rebuilt file is in place, the original is kept beside it.
      Try 3. If the mount fails, and only if the rebuilt file was never mounted:
      rename {paths.original} to {paths.set_aside},
      rename {paths.kept} to {paths.original}, and go to 3.
      If the rebuilt file WAS mounted, it holds new mail: put no older file in its place."""
    lines = [
        f"Maintenance of mailbox database {database.name} on {context.server.name} stopped.",
        "This text says how to bring it back with the Exchange Management Shell alone.",
        "",
        "1. Is it down?",
        f"   Get-MailboxDatabase -Identity {database.guid} -Status | Format-List Name, Mounted",
        "   Mounted True: go to 4.",
        "",
        "2. Which files are there? End any eseutil.exe that works on them first (it only writes",
        f"   below {paths.work_folder}); the scheduled tasks of this tool are in {context.root}.",
        original_is_back,
        "",
        "3. Mount it. Never use -Force or -AcceptDataLoss.",
        f"   {mount}",
        "",
        "4. Put the setting back to what it was, and look again.",
        f"   Set-MailboxDatabase -Identity {database.guid} -MountAtStartup {at_startup}",
        f"   Get-MailboxDatabase -Identity {database.guid} -Status | Format-List Name, Mounted",
        "",
        "Delete nothing: no file, no log, no set.",
    ]
    if paths.set_folder is not None:
        lines.append(
            f"A copy of the original from before the rebuild is in {paths.set_folder} (if complete,"
        )
        lines.append(
            "it has a manifest). It is needed only when the original is missing or damaged."
        )
    return "\r\n".join("\n".join(lines).split("\n")) + "\r\n"
