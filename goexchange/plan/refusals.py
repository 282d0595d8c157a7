"""What the planner refuses by name before any lane is made, each with the place that asked for
it.
"""

from __future__ import annotations

from attrs import evolve

from goexchange.errors import Diagnostic
from goexchange.model.actual import ActualHost, ActualServer, Generation
from goexchange.model.desired import DesiredState, OnlineBackupMethod, Script
from goexchange.model.plan import Reason
from goexchange.model.unknown import Unknown, known
from goexchange.plan import words
from goexchange.plan.candidates import Candidate
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.moving import move_mailboxes
from goexchange.plan.needs import BY_CONSENT
from goexchange.spec.scripts import OLD, cell_of
from goexchange.spec.supported import unsupported_parts


def refusal_of(candidate: Candidate) -> Needed | None:
    """What makes any decision about the candidate impossible, if something does."""
    spec = candidate.specifications[0]
    if candidate.server is not None and isinstance(candidate.server.generation, Generation):
        refused = refuse_version(spec, candidate.server.generation)
        if refused is not None and isinstance(candidate.database, Unknown):
            return refused
    if isinstance(candidate.database, Unknown) or candidate.server is None:
        reason = candidate.database if isinstance(candidate.database, Unknown) else Unknown("?")
        return fact_unknown("which databases it holds", reason, origin=spec.targets.place)
    if len(candidate.specifications) > 1:
        names = words.listed(each.name for each in candidate.specifications)
        return not_possible(
            Reason.BLOCKED_BY_GUARD,
            f"more than one specification means it: {names}",
            origin=candidate.specifications[1].targets.place,
            instead="narrow the targets so that each database has one specification",
        )
    generation = candidate.server.generation
    if isinstance(generation, Unknown):
        return fact_unknown(
            "the Exchange version of its server", generation, origin=spec.script.place
        )
    return refuse_version(spec, generation) or _refuse_before_requests(candidate.server, spec)


def refuse_version(spec: DesiredState, generation: Generation) -> Needed | None:
    """What the table of scripts and versions refuses."""
    cell = cell_of(spec.script.script, generation)
    if cell.is_executed:
        return None
    return not_possible(
        Reason.SCRIPT_NOT_FOR_VERSION,
        f"{spec.script.script.value} does not apply to Exchange {generation.value}: {cell.why}",
        origin=spec.script.place,
        instead=cell.instead,
    )


_NEEDS_REQUESTS = (
    Script.PREVENTATIVE_MAINTENANCE,
    Script.STORE_ERROR_CORRECTION,
    Script.ONLINE_ERROR_CORRECTION,
    Script.ONLINE_ERROR_DIAGNOSTIC,
)


def _refuse_before_requests(server: ActualServer, spec: DesiredState) -> Needed | None:
    """Exchange 2010 before its first service pack takes no repair requests; isinteg had gone."""
    is_2010 = server.generation is Generation.EXCHANGE_2010
    if not is_2010 or spec.script.script not in _NEEDS_REQUESTS:
        return None
    if isinstance(server.build, Unknown):
        return fact_unknown("the build of its server", server.build, origin=spec.script.place)
    if not server.build.startswith("14.0."):
        return None
    return not_possible(
        Reason.SCRIPT_NOT_FOR_VERSION,
        f"{spec.script.script.value} does not apply to build {server.build}: the store takes no"
        " repair requests before Exchange 2010 SP1",
        origin=spec.script.place,
        instead="install a service pack, or use offline-defrag and the offline diagnostics",
    )


def refuse_unsupported(spec: DesiredState) -> Needed | None:
    """A decision for a database that needs work under a specification with parts that do not run
    yet.
    """
    parts = unsupported_parts(spec)
    if not parts:
        return None
    return not_possible(
        Reason.NOT_YET_EXECUTED,
        f"this version does not execute {words.listed(each.name.strip() for each in parts)}",
        origin=parts[0].place,
        instead="delete that part from the specification",
    )


def unsupported_diagnostics(spec: DesiredState) -> tuple[Diagnostic, ...]:
    """One error for each part that does not run yet."""
    return tuple(
        Diagnostic(
            id="not-yet-executed",
            summary="a part of the specification is not executed by this version",
            detail=f"{spec.name} asks for {part.name.strip()}, which this version does not execute."
            " It is refused and not ignored: delete it, or wait for a version that has it.",
            address=spec.name,
            place=part.place,
        )
        for part in unsupported_parts(spec)
    )


def refuse_without_backups(needed: Needed, spec: DesiredState) -> Needed | None:
    """No rebuild without a set before and an online backup after; no backup where none is
    declared.
    """
    before, after = spec.backup_before.offline, spec.backup_after.online
    if needed.treatment.copies and before is None:
        what = "a rebuild needs a backup set before" if needed.treatment.rebuilds else (
            "the script takes a backup set"
        )
        if needed.treatment.repairs:
            what = "a repair needs a place for the evidence of the damaged file"
        return _undeclared(needed, what, "backup.before.offline", spec)
    if needed.treatment.rebuilds and after is None:
        return _undeclared(
            needed,
            "a rebuild needs an online full backup at once after it",
            "backup.after.online",
            spec,
        )
    if needed.is_backed_up_too and after is None:
        return _undeclared(needed, "it needs an online full backup", "backup.after.online", spec)
    return _refuse_unprovable(spec)


def _refuse_unprovable(spec: DesiredState) -> Needed | None:
    """A backup before the work that nothing can ever prove would end every run before its work."""
    declared = spec.backup_before.online
    agent = declared.agent if declared is not None else None
    if declared is None or agent is None or agent.copies is not None:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        "the online backup before it can never be proved: its agent declares no command that"
        " prints which copies can be fetched",
        origin=declared.place,
        instead="declare `agent.copies`, or take the backup before out of the specification",
    )


def refuse_for_tools(needed: Needed, server: ActualServer, spec: DesiredState) -> Needed | None:
    """What the host must have for the lane; unknown is not enough."""
    host = server.host
    if isinstance(host, Unknown):
        return fact_unknown("the state of its host", host, origin=spec.script.place)
    declared = (
        spec.backup_before.online,
        spec.backup_after.online if needed.is_backed_up_too else None,
    )
    is_used = any(
        each is not None and each.method is OnlineBackupMethod.WINDOWS_SERVER_BACKUP
        for each in declared
    )
    return _refuse_for_backup_tool(host, spec) if is_used else None


def refuse_old_copies(candidate: Candidate, needed: Needed) -> Needed | None:
    """No outage of a database with copies on an old generation, whatever consent is given: its
    copies would have to be seeded anew, and no seed outlives a session there.

    Source: the vendor's reference of Update-MailboxDatabaseCopy, -BeginSeed: from Exchange 2013 on.
    """
    server, database = candidate.server, candidate.database
    if server is None or isinstance(database, Unknown) or not needed.treatment.is_offline:
        return None
    if isinstance(server.generation, Unknown) or server.generation not in OLD:
        return None
    if database.is_replicated is False:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"it has other copies, and on Exchange {server.generation.value} a seed ends with the"
        " session that asked for it: nobody could vouch that they are made anew from the rebuilt"
        " file",
        origin=candidate.specifications[0].script.place,
        instead=move_mailboxes(database),
    )


def without_seeds(candidate: Candidate, needed: Needed) -> Needed:
    """The same decision; where it refuses a rebuild because of the copies, it does not name the
    consent that would allow it on later versions.
    """
    server, database = candidate.server, candidate.database
    is_old = server is not None and server.generation in OLD
    if isinstance(database, Unknown) or not is_old or BY_CONSENT not in (needed.instead or ""):
        return needed
    return evolve(needed, instead=move_mailboxes(database))


def refuse_open_run(candidate: Candidate, host: ActualHost) -> Needed | None:
    """A database that an earlier run still holds is that run's business; where that cannot be told,
    the guard blocks.
    """
    recoveries = host.open_recoveries
    if isinstance(recoveries, Unknown):
        return None
    guid = known(candidate.database).guid
    mine = [each for each in recoveries if each.database_guid in (None, guid)]
    if not mine:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"run {mine[0].run} has not ended on it (phase {mine[0].phase})",
        origin=candidate.specifications[0].script.place,
        instead=f"goexchange resume {mine[0].run}: it looks again, and closes the recovery record"
        " when the database is in service",
    )


def _refuse_for_backup_tool(host: ActualHost, spec: DesiredState) -> Needed | None:
    place = spec.backup_after.place
    if isinstance(host.windows_backup, Unknown):
        return fact_unknown(
            "whether Windows Server Backup is there", host.windows_backup, origin=place
        )
    if host.windows_backup.is_installed:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"Windows Server Backup is not installed on {host.name}, and the specification"
        " backs up with it",
        origin=place,
        instead="Install-WindowsFeature Windows-Server-Backup",
    )


def _undeclared(needed: Needed, why: str, key: str, spec: DesiredState) -> Needed:
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"{needed.explanation}; {why}, and the specification declares none",
        origin=spec.script.place,
        instead=f"declare `{key}` with its target",
    )
