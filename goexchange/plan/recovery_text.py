"""RECOVERY.txt: what a person with nothing but a console does, in plain Exchange commands."""

from __future__ import annotations

from goexchange.facts.generations import has_flush_maps
from goexchange.model.flush_map import flush_map_beside
from goexchange.plan import recovery_words
from goexchange.plan.context import LaneContext
from goexchange.plan.copy_back import activation_commands, held_copy
from goexchange.plan.pair import second_of


def recovery_text(context: LaneContext) -> str:
    """Return the text for the lane of one database, for the end of every phase it may have stopped
    in.
    """
    database, paths = context.database, context.paths
    lines = [
        f"Maintenance of mailbox database {database.name} on {context.server.name} stopped.",
        f"This text says how to bring it back with {recovery_words.tool(context)} alone.",
        "",
        "1. Is it down?",
        *recovery_words.look(context),
        "",
        "2. Which files are there? End any eseutil.exe that works on them first (it only writes",
        f"   below {paths.work_folder}); the scheduled tasks of this tool are in {context.root}.",
        *_files(context),
        "",
        "3. Mount it. Never use -Force or -AcceptDataLoss.",
        *recovery_words.mount(context),
        "",
        "4. Put the setting back to what it was, and look again.",
        *recovery_words.setting(context),
        *_services(context),
        *_copies(context),
        "",
        "Delete nothing: no file, no log, no set.",
    ]
    if paths.set_folder is not None:
        lines += _where_the_copy_is(context, paths.set_folder)
        lines += [
            f"nothing may lie at {paths.original} (set it aside as in 2c), and go to 3 after",
            *_copy(paths.set_database, paths.original),
            *(
                line
                for source, destination in zip(
                    second_of(context, paths.set_database),
                    second_of(context, paths.original),
                    strict=True,
                )
                for line in _copy(source, destination)
            ),
            "      Get-FileHash of both, which must be the same."
            if recovery_words.has_cmdlets(context)
            else "      and compare them with `fc /b` or `eseutil /k`.",
        ]
    return "\r\n".join(lines) + "\r\n"


def _where_the_copy_is(context: LaneContext, folder: str) -> list[str]:
    if context.treatment.repairs:
        return [
            f"Evidence of the damaged file is in {folder} (if complete, it has a",
            "manifest). It is no sound way back. It is needed when the original is missing: then",
        ]
    return [
        f"A copy of the original from before the rebuild is in {folder} (if complete,",
        "it has a manifest). It is needed only when the original is missing or damaged: then",
    ]


def _services(context: LaneContext) -> list[str]:
    names = context.spec.services_stopped
    if not names:
        return []
    return [
        "",
        f"5. Services that were stopped: {', '.join(names)}, and what depends on them. What ran is",
        f"   written down in {context.root}\\services; start what is Running there:",
        *(f"   Start-Service -Name '{name}'" for name in reversed(names)),
    ]


def _copies(context: LaneContext) -> list[str]:
    """The other copies were suspended: what lets them go on, and what makes them anew."""
    if context.replicas is None:
        return []
    held = [held_copy(each) for each in context.replicas.copies]
    names = [f"'{_in_quotes(each.identity)}'" for each in held]
    only = [" -ReplicationOnly" if each.is_activation_suspended else "" for each in held]
    activation = [line for each in held for line in activation_commands(each)]
    seeds = "-DeleteExistingFiles -BeginSeed"
    return [
        "",
        "6. Its other copies were suspended: they hold the database as it was before. If the",
        "   rebuilt file was never mounted, and no logs were moved, let them go on:",
        *(
            f"   Resume-MailboxDatabaseCopy -Identity {each}{how}"
            for each, how in zip(names, only, strict=True)
        ),
        "   Else seed them anew, one at a time, each Healthy before the next:",
        *(f"   Update-MailboxDatabaseCopy -Identity {each} {seeds}" for each in names),
        *(["   Somebody had suspended the activation; suspend it again:"] if activation else []),
        *(f"   {each}" for each in activation),
        f"   Get-MailboxDatabaseCopyStatus -Identity {context.database.guid}",
    ]


def _files(context: LaneContext) -> list[str]:
    paths = context.paths
    lines = [
        f"   a. {paths.original} exists and {paths.kept} does not:",
        "      nothing was swapped. Go to 3.",
        f"   b. {paths.kept} exists and {paths.original} does not:",
        "      the swap stopped in the middle. Go to 3 after",
        *_move(context, paths.kept, paths.original),
        "   c. both exist: the rebuilt file is in place, the original is kept beside it.",
        "      Try 3. If it fails, and only if the rebuilt file was never mounted, go to 3 after",
        *_move(context, paths.original, paths.set_aside),
        *_move(context, paths.kept, paths.original),
        *_logs_aside(context),
        "      If the rebuilt file WAS mounted, it holds new mail: put no older file in its place.",
    ]
    if has_flush_maps(context.server.generation):
        lines.append(
            "   A flush map (.jfm) belongs to its file: one of another file keeps it from mounting"
            " (-1918)."
        )
    return lines


def _logs_aside(context: LaneContext) -> list[str]:
    """Logs of a tried mount belong to the rebuilt file; nobody deletes them."""
    database, aside = context.database, context.paths.logs_aside
    if not isinstance(database.log_prefix, str):
        return []
    folder, names = _in_quotes(database.log_folder), f"{database.log_prefix}*"
    listing = f"Get-ChildItem -Path '{folder}' -File -Filter '{names}'"
    return [
        "      If a mount of the rebuilt file was tried, its logs go aside too, but only when no",
        "      other database writes logs of this name there:",
        f"      {recovery_words.who_logs(context)}",
        f"      New-Item -ItemType Directory -Force -Path '{_in_quotes(aside)}'",
        f"      {listing} | Move-Item -Destination '{_in_quotes(aside)}'",
    ]


def _move(context: LaneContext, source: str, destination: str) -> list[str]:
    """A file is renamed with what belongs to it: its flush map, from Exchange 2016 on, or its
    streaming file, on Exchange 2003.
    """
    lines = [_move_item(source, destination)]
    seconds = zip(second_of(context, source), second_of(context, destination), strict=True)
    lines += [_move_item(*each) for each in seconds]
    if has_flush_maps(context.server.generation):
        lines.append(
            _move_item(flush_map_beside(source), flush_map_beside(destination))
            + "   (if it is there)"
        )
    return lines


def _copy(source: str, destination: str) -> list[str]:
    names = f"-LiteralPath '{_in_quotes(source)}' -Destination '{_in_quotes(destination)}'"
    return [f"      Copy-Item {names}"]


def _move_item(source: str, destination: str) -> str:
    names = f"-LiteralPath '{_in_quotes(source)}' -Destination '{_in_quotes(destination)}'"
    return f"      Move-Item {names}"


def _in_quotes(path: str) -> str:
    return path.replace("'", "''")
