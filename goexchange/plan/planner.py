"""The planner: specifications, inventory and observed facts in, draft plan out. Pure, with a total
order.

The same inputs give a byte-identical body, whatever their order: servers by name, databases by
name, specifications by name, documents by kind and path. The only *now* is the moment that is
handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve

import goexchange
from goexchange.errors import Diagnostic, InvalidDocument
from goexchange.model.actual import ActualServer, ActualState
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState, OverrunPolicy, Script
from goexchange.model.history import Measurement
from goexchange.model.plan import (
    ConsentNeed,
    Lane,
    Need,
    PlanBody,
    PlanInput,
    PlannedWork,
    Premise,
    RunRules,
    WindowPlan,
)
from goexchange.plan.bodies import run_rules
from goexchange.plan.candidates import Scope, candidates, unmatched
from goexchange.plan.channels import sealed_over_http
from goexchange.plan.check import check_body
from goexchange.plan.clusters import on_cluster, told_of_clusters
from goexchange.plan.consents import not_asked
from goexchange.plan.context import NO_PILOTS, LaneContext, Pilots, ServerSite
from goexchange.plan.context import Pace as Pace  # part of the planner's door
from goexchange.plan.expected_waits import with_waits
from goexchange.plan.lane_copy import copy_lane
from goexchange.plan.lane_mta import mta_lane
from goexchange.plan.lane_other import is_offline, mount_lane, online_lane
from goexchange.plan.lane_rebuild import offline_lane
from goexchange.plan.lane_server import server_lane
from goexchange.plan.mta import MtaWork, decision_of_mta, mta_works
from goexchange.plan.ordering import ordered
from goexchange.plan.premises import premises_of_lane, premises_of_server
from goexchange.plan.preparation import Prepared, Setting, decision_of, prepare
from goexchange.plan.processes import around_run, server_lanes
from goexchange.plan.public_folders import as_public_folder
from goexchange.plan.refusals import unsupported_diagnostics
from goexchange.plan.run_order import in_order, run_order
from goexchange.plan.sealing import FORMAT
from goexchange.plan.server_work import ServerWork, decision_of_server, server_works
from goexchange.plan.summary import (
    backup_lines,
    estimate_source,
    planned_notices,
    report_formats,
)
from goexchange.schedule.other_work import work_of_inventory, work_of_specification
from goexchange.schedule.outage import latest_swap
from goexchange.schedule.windows import occurrence_at
from goexchange.spec.scripts import OLD
from goexchange.spec.selection import select_servers

VALID_FOR = timedelta(hours=24)
RUN_AT_MOST = timedelta(hours=48)  # how far declared work of others is looked ahead
DEFAULT_PACE = Pace()
Busy = MtaWork | ServerWork  # work on a server that is on none of its databases
_OF_SERVERS = (Script.MTA_ERROR_CORRECTION, Script.SERVER_MAINTENANCE)


def make_draft(
    specifications: Sequence[DesiredState],
    inventory: Inventory,
    actual: ActualState,
    *,
    now: datetime,
    inputs: Sequence[PlanInput] = (),
    commit: str | None = None,
    scope: Sequence[str] = (),
    pace: Pace = DEFAULT_PACE,
    history: Sequence[Measurement] = (),
    pilots: Pilots = NO_PILOTS,
    repairs: Sequence[str] = (),
) -> PlanBody:
    """Return the draft: everything of a plan but the verdicts of the guards.

    Shape: `history` is what earlier runs of the store measured; what the hosts remember comes with
    `actual`. `pilots` are those on record, and whether this plan is one's own. `repairs` are the
    addresses that a person wants repaired, with possible loss.
    Raises: InvalidDocument when specifications use different windows, or name a database that
    exists nowhere.
    """
    specs = sorted(specifications, key=lambda each: (each.name, each.document_digest))
    narrowed = Scope(addresses=tuple(sorted(scope)))
    seen = ordered(actual)
    stores = [each for each in specs if each.script.script not in _OF_SERVERS]
    found = candidates(stores, inventory, actual=seen, scope=narrowed)
    agents = mta_works(specs, inventory, seen.servers, scope=narrowed, at=now)
    whole = server_works(specs, inventory, seen.servers, scope=narrowed, at=now)
    every: tuple[Busy, ...] = (*agents, *whole)
    busy = [each for each in every if each.has_lane]
    in_scope = frozenset(each.address for each in found)
    setting = Setting(
        inventory=inventory,
        at=now,
        pace=pace,
        in_scope=in_scope,
        stored=tuple(history),
        pilots=pilots,
        servers=seen.servers,
        repairs=frozenset(repairs),
    )
    prepared = [prepare(each, setting) for each in found]
    working = [each for each in prepared if each.context is not None]
    servers = sorted({*_names(working), *(each.server_name for each in busy)})
    order = run_order(specs, servers, seen.servers)
    canaries = [name for name in servers if name in {each.strategy.canary for each in specs}]
    site = ServerSite(inventory=inventory, pace=pace, at=now)
    lanes = around_run(
        in_order(_lanes(servers, working, busy, site), order, canaries),
        _maintaining(working, busy),
    )
    body = PlanBody(
        format=FORMAT,
        tool=f"goexchange {goexchange.__version__}",
        evaluated_at_utc=now,
        valid_until_utc=now + VALID_FOR,
        inputs=tuple(sorted(inputs, key=lambda each: (each.kind, each.path, each.sha256))),
        commit=commit,
        specifications=tuple(each.name for each in specs),
        is_partial=bool(narrowed.addresses),
        scope=narrowed.addresses,
        window=None,
        rules=_rules(specs, inventory, pace),
        order=order,
        decisions=(
            *(decision_of(each) for each in prepared),
            *(decision_of_mta(each) for each in agents),
            *(decision_of_server(each) for each in whole),
        ),
        premises=(*_premises(working), *(one for each in busy for one in each.premises)),
        lanes=lanes,
        guards=(),
        consents=_consents(working, busy),
        notices=planned_notices(specs if lanes else ()),
        report_formats=report_formats(specs),
        estimate=estimate_source(
            working, has_commands=any(isinstance(each, ServerWork) for each in busy)
        ),
        backups=backup_lines(working),
        facts=seen,
        diagnostics=(
            *_diagnostics(specs, stores, prepared),
            *_of_servers(_at_work(lanes, seen), inventory, _consents(working, busy)),
        ),
    )
    body = _with_window(body, specs, inventory, working)
    body = evolve(body, other_work=_other_work(body, specs, inventory))
    body = with_waits(body, [each.context for each in working if each.context is not None])
    check_body(body)
    return body


def _of_servers(
    servers: Sequence[ActualServer], inventory: Inventory, consents: Sequence[ConsentNeed]
) -> tuple[Diagnostic, ...]:
    """What the plan says of servers of old generations beside its decisions."""
    return (
        *sealed_over_http(inventory, servers, OLD),
        *not_asked(servers, consents),
        *told_of_clusters(servers),
    )


def _at_work(lanes: Sequence[Lane], seen: ActualState) -> list[ActualServer]:
    names = {lane.server for lane in lanes}
    return [each for each in seen.servers if each.name in names]


def _names(working: Sequence[Prepared]) -> set[str]:
    return {each.candidate.server_name for each in working}


def _maintaining(working: Sequence[Prepared], busy: Sequence[Busy]) -> tuple[DesiredState, ...]:
    """The specifications whose databases get more than a mount, in order: theirs are the custom
    processes that run.
    """
    mine = [each for each in working if each.context and each.context.needed.need is not Need.MOUNT]
    specs = [*(each.candidate.specifications[0] for each in mine), *(each.spec for each in busy)]
    used = {each.name: each for each in specs}
    return tuple(used[name] for name in sorted(used))


def _lanes(
    servers: Sequence[str], working: Sequence[Prepared], busy: Sequence[Busy], site: ServerSite
) -> tuple[Lane, ...]:
    lanes: list[Lane] = []
    for server in servers:
        mine = [each for each in working if each.candidate.server_name == server]
        agents = [each for each in busy if each.server_name == server]
        first, last = server_lanes(server, _maintaining(mine, agents))
        needs = (first.id,) if first is not None else ()
        if first is not None:
            lanes.append(first)
        lanes += [_lane(each, needs) for each in mine]
        lanes += [_lane_of_server(each, site, needs) for each in agents]
        if last is not None:
            lanes.append(last)
    return tuple(lanes)


def _lane_of_server(work: Busy, site: ServerSite, needs: tuple[str, ...]) -> Lane:
    if isinstance(work, MtaWork):
        return mta_lane(work, site, needs=needs)
    return server_lane(work, site, needs=needs)


def _lane(prepared: Prepared, needs: tuple[str, ...]) -> Lane:
    context = prepared.context
    assert context is not None
    lane = as_public_folder(_mailbox_lane(context, needs), context.database)
    return on_cluster(lane, context.server)


def _mailbox_lane(context: LaneContext, needs: tuple[str, ...]) -> Lane:
    if context.needed.need is Need.MOUNT:
        return mount_lane(context)
    if context.treatment.is_on_copy:
        return copy_lane(context, needs=needs)
    if is_offline(context):
        return offline_lane(context, needs=needs)
    return online_lane(context, needs=needs)


def _premises(working: Sequence[Prepared]) -> tuple[Premise, ...]:
    found: list[Premise] = []
    seen: set[str] = set()
    for each in working:
        context = each.context
        assert context is not None
        if context.server.name not in seen:
            seen.add(context.server.name)
            found += premises_of_server(context.server)
        found += premises_of_lane(context)
    return tuple(found)


def _consents(working: Sequence[Prepared], busy: Sequence[Busy]) -> tuple[ConsentNeed, ...]:
    """Each consent once per address, in order: the same finding about a server comes from each of
    its lanes.
    """
    every = {need: None for each in working for need in each.consents}
    every |= {need: None for each in busy for need in each.consents}
    return tuple(sorted(every, key=lambda need: (need.address, need.consent.value)))


def _rules(specs: Sequence[DesiredState], inventory: Inventory, pace: Pace) -> RunRules:
    """The strictest of the specifications' rules: they hold for the run as a whole."""
    limits = [each.schedule.run_time_max_s for each in specs if each.schedule.run_time_max_s]
    is_back = any(each.schedule.overrun is OverrunPolicy.BACK_TO_ORIGINAL for each in specs)
    overrun = OverrunPolicy.BACK_TO_ORIGINAL if is_back or not specs else OverrunPolicy.FINISH
    return run_rules(
        inventory,
        pace,
        overrun=overrun.value,
        failures_max=min((each.strategy.failures_max for each in specs), default=0),
        run_time_max_s=min(limits, default=None),
    )


def _with_window(
    body: PlanBody,
    specs: Sequence[DesiredState],
    inventory: Inventory,
    working: Sequence[Prepared],
) -> PlanBody:
    names = {each.schedule.window for each in specs}
    if len(names) > 1:
        raise InvalidDocument(
            "The specifications use different windows, and a plan is for one: plan them apart.",
            diagnostics=tuple(_window_diagnostic(each) for each in specs),
        )
    found = [each for each in inventory.windows if each.name in names]
    if not found:
        return body
    occurrence = occurrence_at(found[0], body.evaluated_at_utc)
    outages = [
        each.context.estimate.outage
        for each in working
        if each.context is not None and each.context.estimate is not None
    ]
    closes = occurrence.closes_at_utc
    window = WindowPlan(
        name=occurrence.window,
        zone=occurrence.zone,
        opens_at_utc=occurrence.opens_at_utc,
        closes_at_utc=closes,
        latest_swap_utc=min((latest_swap(closes, each) for each in outages), default=None),
    )
    return evolve(body, window=window, valid_until_utc=closes)


def _other_work(
    body: PlanBody, specs: Sequence[DesiredState], inventory: Inventory
) -> tuple[PlannedWork, ...]:
    """What is declared for the servers of the lanes, for as long as a run may take that begins
    while the plan is valid.
    """
    servers = {lane.server for lane in body.lanes}
    begins = body.evaluated_at_utc
    ends = (body.valid_until_utc or begins) + RUN_AT_MOST
    found = list(work_of_inventory(inventory, servers, begins=begins, ends=ends))
    zone = None if body.window is None else body.window.zone
    for spec in specs:
        mine = servers & set(select_servers(spec.targets, inventory))
        declared = spec.conflicts.declared
        found += work_of_specification(declared, mine, zone=zone, begins=begins, ends=ends)
    return tuple(sorted(found, key=lambda each: (each.begins_at_utc, each.server, each.name)))


def _window_diagnostic(spec: DesiredState) -> Diagnostic:
    return Diagnostic(
        id="windows-differ",
        summary="specifications of one plan use different windows",
        detail=f"{spec.name} uses {spec.schedule.window or 'no window'}.",
        address=spec.name,
        place=spec.schedule.window_place,
    )


def _diagnostics(
    specs: Sequence[DesiredState],
    stores: Sequence[DesiredState],
    prepared: Sequence[Prepared],
) -> tuple[Diagnostic, ...]:
    """`stores` are the specifications that are about databases: each has to mean one."""
    unexecuted = tuple(one for each in specs for one in unsupported_diagnostics(each))
    missing = unmatched(stores, [each.candidate for each in prepared])
    return (*unexecuted, *missing)
