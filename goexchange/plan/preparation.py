"""From a candidate to its decision and, when there is work, to everything its lane is made from."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen

from goexchange.facts.places import file_facts_of
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState, OnlineBackup, OnlineBackupMethod, Script
from goexchange.model.history import Measurement
from goexchange.model.plan import ConsentNeed, Decision, Need, Reason
from goexchange.model.unknown import Unknown, known
from goexchange.plan.accounts import refuse_account
from goexchange.plan.agents import refuse_agents
from goexchange.plan.candidates import Candidate
from goexchange.plan.clusters import refuse_on_cluster
from goexchange.plan.consents import consents_of, refuse_forbidden
from goexchange.plan.context import NO_PILOTS, LaneContext, Pace, Pilots
from goexchange.plan.coverage import (
    Coverage,
    coverage_of,
    coverage_of_agent,
    fresh_target,
    own_folder,
)
from goexchange.plan.estimates import (
    LaneEstimate,
    Times,
    estimate_lane,
    times_of,
    with_rebuilt_set,
)
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.integrity_estimates import with_integrity
from goexchange.plan.needs import decide
from goexchange.plan.ntbackup import choose_group, refuse_ntbackup
from goexchange.plan.passive import Passive, choose_passive
from goexchange.plan.paths import lane_paths, reached_at, stamp_text, verifier_of
from goexchange.plan.phase_integrity import defragmented_passes, primary_passes
from goexchange.plan.pilot_needs import decide_untold, is_untold
from goexchange.plan.public_folders import refuse_public_folders
from goexchange.plan.refusals import (
    refusal_of,
    refuse_for_tools,
    refuse_old_copies,
    refuse_open_run,
    refuse_unsupported,
    refuse_without_backups,
    without_seeds,
)
from goexchange.plan.refusals_2003 import refuse_on_2003
from goexchange.plan.refusals_2007 import refuse_copies_on_2007, refuse_on_2007
from goexchange.plan.repair_estimates import with_repair
from goexchange.plan.repairing import decide_repair
from goexchange.plan.replicas import Replicas, choose_replicas
from goexchange.plan.services import refuse_missing_services
from goexchange.plan.shadow import refuse_shadow


@frozen(kw_only=True)
class Prepared:
    """A candidate decided; `context` is there when it gets a lane."""

    candidate: Candidate
    needed: Needed
    context: LaneContext | None = None
    consents: tuple[ConsentNeed, ...] = ()


@frozen(kw_only=True)
class Setting:
    """What is the same for every candidate; `in_scope` are the addresses that the plan is about,
    `servers` all that were observed, `repairs` the addresses that a person wants repaired.
    """

    inventory: Inventory
    at: datetime
    pace: Pace
    in_scope: frozenset[str]
    stored: tuple[Measurement, ...] = ()
    pilots: Pilots = NO_PILOTS
    servers: tuple[ActualServer, ...] = ()
    repairs: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Work:
    """A database that needs something, before anything of its host has been made sure of."""

    server: ActualServer
    database: ActualDatabase
    spec: DesiredState
    needed: Needed


def prepare(candidate: Candidate, setting: Setting) -> Prepared:
    """Decide about one candidate."""
    refused = refusal_of(candidate)
    if refused is not None:
        return Prepared(candidate=candidate, needed=refused)
    server, database = candidate.server, known(candidate.database)
    assert server is not None  # refused by name where it is not seen
    spec = candidate.specifications[0]
    needed = _needed(candidate, database, setting)
    if setting.pilots.is_own and is_untold(database):
        database = evolve(database, white_space_bytes=0)  # its new file may be as large
    needed = refuse_copies_on_2007(server, database, needed, spec) or needed
    needed = without_seeds(candidate, needed)
    if needed.need in (Need.NOTHING, Need.NOT_POSSIBLE):
        return Prepared(candidate=candidate, needed=needed)
    refused = (
        refuse_unsupported(spec)
        or refuse_without_backups(needed, spec)
        or refuse_for_tools(needed, server, spec)
        or refuse_old_copies(candidate, needed)
        or refuse_ntbackup(server, needed, spec)
        or refuse_on_cluster(server, needed, spec, setting.inventory)
        or refuse_on_2003(server, database, needed, spec)
        or refuse_on_2007(server, database, needed, spec)
        or refuse_public_folders(server, database, needed, spec)
        or refuse_missing_services(known(server.host), spec, needed)
        or refuse_agents(spec, needed, servers=setting.servers, database=database.name)
        or refuse_open_run(candidate, known(server.host))
    )
    if refused is not None:
        return Prepared(candidate=candidate, needed=refused)
    work = Work(server=server, database=database, spec=spec, needed=needed)
    context = _context(work, setting)
    if isinstance(context, Needed):
        return Prepared(candidate=candidate, needed=context)
    consents = consents_of(context, in_scope=setting.in_scope)
    closed = refuse_forbidden(consents, spec)
    if closed is not None:
        return Prepared(candidate=candidate, needed=closed)
    return Prepared(candidate=candidate, needed=needed, context=context, consents=consents)


def _needed(candidate: Candidate, database: ActualDatabase, setting: Setting) -> Needed:
    server, spec = candidate.server, candidate.specifications[0]
    assert server is not None
    if candidate.address in setting.repairs:
        return decide_repair(database, server, spec=spec)
    if setting.pilots.is_own and is_untold(database):
        found = decide_untold(database, spec=spec)
        if found is not None:
            return found
    return decide(database, server, spec=spec, at=setting.at)


def decision_of(prepared: Prepared) -> Decision:
    """The decision as the plan holds it."""
    candidate, needed, context = prepared.candidate, prepared.needed, prepared.context
    database = candidate.database
    seen = None if isinstance(database, Unknown) else database
    outage = None
    if context is not None and context.estimate is not None:
        outage = context.estimate.outage
    return Decision(
        address=candidate.address,
        server=candidate.server_name,
        database="*" if seen is None else seen.name,
        need=needed.need,
        reasons=needed.reasons,
        explanation=needed.explanation,
        instead=needed.instead,
        size_bytes=None if seen is None else _number(seen.size_bytes),
        white_space_bytes=None if seen is None else _number(seen.white_space_bytes),
        file_since_utc=_file_since(candidate.server, seen),
        outage_s=None if outage is None else outage.down.p50_s,
        outage_p90_s=None if outage is None else outage.down.p90_s,
        specification=candidate.specifications[0].name,
        origin=needed.origin,
    )


def _context(work: Work, setting: Setting) -> LaneContext | Needed:
    server, database, spec = work.server, work.database, work.spec
    host = known(server.host)
    coverage, coverage_before = _coverage_after(work, setting), _coverage_before(work, setting)
    if isinstance(coverage, Needed):
        return coverage
    if isinstance(coverage_before, Needed):
        return coverage_before
    passive = _passive(work, setting)
    if isinstance(passive, Needed):
        return passive
    replicas = _replicas(work, setting)
    if isinstance(replicas, Needed):
        return replicas
    refused = refuse_account(spec, known(server.generation), host, inventory=setting.inventory)
    if refused is not None:
        return refused
    before = spec.backup_before.offline
    after = spec.backup_after.offline if work.needed.treatment.rebuilds else None
    paths = lane_paths(
        database,
        at=setting.at,
        set_target=before.target.path if before else None,
        rebuilt_target=after.target.path if after else None,
        is_evidence=work.needed.treatment.repairs,
    )
    times = times_of(database, server, inventory=setting.inventory, stored=setting.stored)
    history = times
    if before is not None:
        times = evolve(times, copy_rate_max=before.rate_max_bytes_per_s)
    is_evidence = work.needed.treatment.repairs  # which our own verifier would not pass
    is_alone = is_evidence or database.streaming_path is not None  # our verifier reads neither
    is_set_read = not is_alone and _is_read(paths.set_folder, setting)
    estimate = _estimate(work, host, times=times, is_set_read=is_set_read)
    if isinstance(estimate, Needed):
        return estimate
    if estimate is not None and work.needed.treatment.repairs:
        estimate = with_repair(estimate, database, host, times=times)
    if after is not None and estimate is not None:
        held = evolve(history, copy_rate_max=after.rate_max_bytes_per_s)
        is_read = _is_read(paths.rebuilt_set_folder, setting)
        estimate = with_rebuilt_set(estimate, database, times=held, is_read=is_read)
    context = LaneContext(
        server=server,
        host=host,
        database=database,
        spec=spec,
        inventory=setting.inventory,
        needed=work.needed,
        at=setting.at,
        pace=setting.pace,
        paths=paths,
        times=times,
        estimate=estimate,
        coverage=coverage,
        coverage_before=coverage_before,
        passive=passive,
        replicas=replicas,
        eseutil="" if isinstance(host.eseutil_path, Unknown) else host.eseutil_path,
        pilots=setting.pilots,
    )
    allowed = (primary_passes(context), defragmented_passes(context))
    if estimate is None or not any(allowed):
        return context
    longer = with_integrity(estimate, database, times=history, passes=allowed)
    return evolve(context, estimate=longer)


def _is_read(set_folder: str | None, setting: Setting) -> bool:
    """Whether our own verifier reads a set, from here or from a machine of the inventory."""
    reads = (reached_at(set_folder, setting.inventory), verifier_of(set_folder, setting.inventory))
    return any(each is not None for each in reads)


def _passive(work: Work, setting: Setting) -> Passive | None | Needed:
    if not work.needed.treatment.is_on_copy:
        return None
    return choose_passive(work.database, work.server, setting.servers, spec=work.spec)


def _replicas(work: Work, setting: Setting) -> Replicas | None | Needed:
    if not work.needed.treatment.holds_copies:
        return None
    return choose_replicas(work.database, work.server, setting.servers, spec=work.spec)


def _coverage_before(work: Work, setting: Setting) -> Coverage | None | Needed:
    """What the backup before the work covers; work that is nothing but a backup has none before,
    unless it is there to rehearse them.
    """
    declared = work.spec.backup_before.online
    is_rehearsed = work.spec.script.script is Script.EXCHANGE_BACKUP
    if declared is None or (work.needed.need is Need.ONLINE_BACKUP and not is_rehearsed):
        return None
    if work.needed.need is Need.MOUNT:
        return None
    stamp = stamp_text(setting.at) + "-before"
    return _coverage(work, declared, stamp=stamp, host_root=setting.inventory.host_root)


def _coverage_after(work: Work, setting: Setting) -> Coverage | None | Needed:
    declared = work.spec.backup_after.online
    if not work.needed.is_backed_up_too or declared is None:
        return None
    stamp = stamp_text(setting.at)
    return _coverage(work, declared, stamp=stamp, host_root=setting.inventory.host_root)


def _coverage(
    work: Work, declared: OnlineBackup, *, stamp: str, host_root: str
) -> Coverage | Needed:
    if declared.method is OnlineBackupMethod.AGENT:
        return known(coverage_of_agent(work.server))  # its databases are: this is one of them
    assert declared.target is not None  # the reader of specifications asks for it
    if declared.method is OnlineBackupMethod.NTBACKUP:
        target = own_folder(declared.target.path, work.server.name, stamp=stamp)
        return choose_group(work.database, work.server, declared, target=target)
    is_shadow = declared.method is OnlineBackupMethod.DISKSHADOW
    fresh = own_folder if is_shadow else fresh_target
    target = fresh(declared.target.path, work.server.name, stamp=stamp)
    coverage = coverage_of(work.database, work.server, target=target)
    if isinstance(coverage, Unknown):
        return fact_unknown("what an online backup of it covers", coverage, origin=declared.place)
    if is_shadow:
        host, place = known(work.server.host), declared.target
        return refuse_shadow(host, coverage, target=place, host_root=host_root) or coverage
    if coverage.target_is_inside:
        return not_possible(
            Reason.BLOCKED_BY_GUARD,
            f"the online backup's target {declared.target.path} is one of the volumes it backs up",
            origin=declared.target.place,
            instead="name another volume, or a share",
        )
    return coverage


def _estimate(
    work: Work, host: ActualHost, *, times: Times, is_set_read: bool
) -> LaneEstimate | None | Needed:
    treatment = work.needed.treatment
    if not treatment.is_offline:
        return None
    for fact, value in _facts_of_outage(work.database, host).items():
        if isinstance(value, Unknown):
            return fact_unknown(fact, value, origin=work.spec.script.place)
    return estimate_lane(
        work.database, host, times=times, treatment=treatment, is_set_read=is_set_read
    )


def _facts_of_outage(database: ActualDatabase, host: ActualHost) -> dict[str, object]:
    return {
        "its size": database.size_bytes,
        "its white space": database.white_space_bytes,
        "whether it is mounted at startup": database.is_mount_at_startup,
        "where eseutil is": host.eseutil_path,
        "the volumes of its host": host.volumes,
    }


def _number(value: int | Unknown) -> int | None:
    return None if isinstance(value, Unknown) else value


def _file_since(server: ActualServer | None, database: ActualDatabase | None) -> datetime | None:
    if server is None or database is None:
        return None
    facts = file_facts_of(server.host, database.edb_path)
    return None if isinstance(facts, Unknown) else facts.created_at_utc
