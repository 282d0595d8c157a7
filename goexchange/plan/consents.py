"""What a person has to consent to before this plan may run (`procedure.md` 6)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import goexchange
from goexchange.errors import Diagnostic, Severity
from goexchange.model.actual import ActualHost, ActualServer, Cluster, Generation
from goexchange.model.desired import DesiredState
from goexchange.model.pilot import Versions, is_proven
from goexchange.model.plan import Consent, ConsentNeed, Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.clusters import standing_of
from goexchange.plan.context import LaneContext
from goexchange.plan.finding import Needed, not_possible
from goexchange.plan.phase_integrity import defragmented_passes, primary_passes
from goexchange.plan.pilot_groups import where_to_pilot
from goexchange.plan.refusals_2007 import sharing_logs
from goexchange.plan.replicas import what_is_lost
from goexchange.spec.scripts import OLD

_UNSEEN = {
    Generation.EXCHANGE_2003: "; whether somebody moves mailboxes there, and whether a backup is"
    " scheduled there as a task, cannot be asked",
    Generation.EXCHANGE_2007: "; whether somebody moves mailboxes there cannot be asked",
}


def consents_of(context: LaneContext, *, in_scope: Collection[str]) -> tuple[ConsentNeed, ...]:
    """Consents that the lane needs; `in_scope` are the addresses that the plan is about."""
    found: list[ConsentNeed] = [*_for_generation(context), *_for_repair(context)]
    if context.estimate is not None and not context.pilots.is_own:
        found += _for_outage(context)
    found += _for_integrity(context)
    found += [*_for_copies(context), *_for_backups(context, in_scope)]
    return tuple(found)


def not_asked(
    servers: Sequence[ActualServer], consents: Sequence[ConsentNeed]
) -> tuple[Diagnostic, ...]:
    """What a version gives nobody to ask, where no consent says it any more: a pilot has seen what
    the tools print, and cannot see what somebody else is about to do.
    """
    wanted = {each.address for each in consents if each.consent is Consent.UNCONFIRMED_GENERATION}
    found = []
    for each in servers:
        if isinstance(each.generation, Unknown) or each.generation not in _UNSEEN:
            continue
        if each.name in wanted:
            continue
        found.append(
            Diagnostic(
                id="cannot-be-asked",
                severity=Severity.WARNING,
                summary="what Exchange and Windows of that age do not tell",
                detail=f"{_UNSEEN[each.generation].lstrip('; ')}: know it yourself before this"
                " plan is applied.",
                address=each.name,
            )
        )
    return tuple(found)


def refuse_forbidden(needed: tuple[ConsentNeed, ...], spec: DesiredState) -> Needed | None:
    """The refusal because of the first consent that the specification forbids to give, if any."""
    choice = spec.script
    closed = next((each for each in needed if each.consent in choice.forbid), None)
    if closed is None:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"{closed.finding}: that needs the consent {closed.consent.value}, which the"
        " specification forbids",
        origin=choice.forbid_place,
        instead=f"take {closed.consent.value} out of `script.forbid`",
    )


def unconfirmed_tools(generation: Generation) -> str:
    """What a person consents to on a version whose facts are not confirmed."""
    return (
        f"what the tools of Exchange {generation.value} print and do there is not confirmed; what"
        " is not understood ends the work"
    )


def _for_generation(context: LaneContext) -> list[ConsentNeed]:
    """Every lane that does more than mount on a version whose facts are not confirmed, online ones
    too: what the store prints there is not confirmed either.
    """
    generation = context.server.generation
    if isinstance(generation, Unknown) or generation not in OLD:
        return []
    if context.needed.need is Need.MOUNT:
        return []
    holds = ""
    if isinstance(context.server.cluster, Cluster):
        holds = (
            f"; {standing_of(context.server)}, and what its cluster makes of a dismounted database"
            " is not confirmed: whether it moves for it is looked at before each step"
        )
    if context.database.is_public_folder:
        holds += (
            f"; {context.database.name} holds public folders, and whether other servers have"
            " replicas of them is not asked: without, nobody opens those folders meanwhile"
        )
    if not holds and is_proven(versions_of(context.host), context.pilots.records):
        sharing = sharing_logs(context.server, context.database)
        if not sharing:
            return []  # seen on this very build, by a pilot on a mailbox database of its own group
        holds = (
            f"; the logs of {context.database.name} are those of {words.listed(sharing)} too, and"
            " the pilot of this build had its logs to itself"
        )
    return [
        ConsentNeed(
            consent=Consent.UNCONFIRMED_GENERATION,
            address=context.server.name,
            finding=f"{unconfirmed_tools(generation)}{_UNSEEN.get(generation, '')}{holds}",
        )
    ]


def _for_copies(context: LaneContext) -> list[ConsentNeed]:
    """A rebuild that takes every other copy of its database with it."""
    if context.replicas is None:
        return []
    return [
        ConsentNeed(
            consent=Consent.REBUILD_REPLICATED_DATABASE,
            address=context.lane_id,
            finding=what_is_lost(context.database, context.replicas, context.times),
        )
    ]


def _for_repair(context: LaneContext) -> list[ConsentNeed]:
    """What a repair discards is gone: the finding is named, and what it was seen by."""
    if not context.treatment.repairs:
        return []
    return [
        ConsentNeed(
            consent=Consent.REPAIR_MAY_LOSE_DATA,
            address=context.lane_id,
            finding=f"{context.needed.explanation}, and no way back brings it again: the copy from"
            " before is evidence of the damaged file. An intact set, or moving the mailboxes,"
            " loses less",
        )
    ]


def _for_integrity(context: LaneContext) -> list[ConsentNeed]:
    """isinteg corrects by removing what it cannot make sense of."""
    finding = ""
    if primary_passes(context):
        finding = (
            "isinteg corrects the dismounted database in place and may remove what does not fit;"
            " the set made before it is the only way back"
        )
    if defragmented_passes(context):
        again = (
            "isinteg corrects the rebuilt file before its first mount; where it leaves errors the"
            " original comes back"
        )
        finding = f"{finding}. {again}" if finding else again
    if not finding:
        return []
    return [
        ConsentNeed(
            consent=Consent.STORE_INTEGRITY_CORRECTION, address=context.lane_id, finding=finding
        )
    ]


def _for_backups(context: LaneContext, in_scope: Collection[str]) -> list[ConsentNeed]:
    """Whatever a backup takes beside what the plan is about; once for each finding."""
    findings: dict[str, None] = {}
    for coverage in (context.coverage_before, context.coverage):
        names = () if coverage is None else coverage.names
        others = [name for name in names if f"{context.server.name}/{name}" not in in_scope]
        if coverage is None or not others:
            continue
        what = (
            f"the online backup of {coverage.what} covers {words.listed(others)}"
            " too and truncates their logs"
            if coverage.is_known
            else f"the backup agent chooses what it takes: it may cover {words.listed(others)} too"
            " and truncate their logs"
        )
        findings[f"{what}; it breaks the chain of another product's backups of them"] = None
    return [
        ConsentNeed(consent=Consent.BACKUP_COVERS_OTHERS, address=context.lane_id, finding=finding)
        for finding in findings
    ]


def versions_of(host: ActualHost) -> Versions:
    """What a pilot of that host would prove."""
    return Versions(
        exchange=_known(host.exsetup_version),
        eseutil=_known(host.eseutil_version),
        powershell=host.powershell_version,
        goexchange=goexchange.__version__,
    )


def _known(value: str | Unknown) -> str | None:
    return None if isinstance(value, Unknown) else value


def _for_outage(context: LaneContext) -> list[ConsentNeed]:
    found = []
    estimate = context.estimate
    if estimate is not None and not estimate.is_measured:
        found.append(
            ConsentNeed(
                consent=Consent.OUTAGE_WITHOUT_HISTORY,
                address=context.lane_id,
                finding=f"the outage is estimated from"
                f" {words.counted(estimate.earlier_runs, 'earlier run')}"
                f" on {context.server.name}; it is planned as twice what the stated default"
                " rates give",
            )
        )
    build = context.host.exsetup_version
    if is_proven(versions_of(context.host), context.pilots.records):
        return found
    named = "its build is unknown" if isinstance(build, Unknown) else f"build {build}"
    found.append(
        ConsentNeed(
            consent=Consent.UNPROVEN_BUILD,
            address=context.server.name,
            finding="no good pilot of this Exchange build and its tools is on record"
            f" ({context.server.name}: {named}): {where_to_pilot(context.server)}",
        )
    )
    return found
