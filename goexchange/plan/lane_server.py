"""The lane of Server Maintenance: a member into maintenance mode, the operator's commands that take
the server down, and everything back to what it was. A server that is no member runs them as it is.

Shape: what is taken away has its own way back, which runs whatever came in between.
"""

from __future__ import annotations

from typing import Any

from goexchange.facts.copies_of import is_lagged
from goexchange.model.actual import ActualServer, Service
from goexchange.model.copies import HEALTHY
from goexchange.model.desired import ActiveCopies, DownProcess
from goexchange.model.plan import Action, Lane, Poll, Probe, Reason, RunsWhen
from goexchange.model.server import (
    ACTIVE,
    BLOCKED,
    HUB_TRANSPORT,
    SERVER_ID,
    SERVER_NAME,
    TRANSPORT_SERVICES,
    WHOLE_SERVER,
)
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.builder import HOUR, LaneBuilder
from goexchange.plan.calls import controller, equals, host_job, host_script, one_of
from goexchange.plan.context import ServerSite
from goexchange.plan.copy_back import seeds_of, well_poll
from goexchange.plan.host_records import (
    SERVER,
    add_close_record,
    add_database_record,
    add_open_record,
    add_remove_sentinel,
    add_sentinel,
    keeper_at,
)
from goexchange.plan.member_mode import ActiveMove
from goexchange.plan.server_text import content_of, text_of
from goexchange.plan.server_work import ServerWork
from goexchange.powershell import cmdlets, cmdlets_server

NEEDED_SERVICES = frozenset(
    {
        "ClusSvc",
        "MSExchangeADTopology",
        "MSExchangeIS",
        "MSExchangeRepl",
        "MSExchangeTransport",
        "W3SVC",
        "WinRM",
    }
)
"""What has to run before anything is asked of a server that was restarted."""
AWAY_GUARDS = ("no-open-run", "elevated", "no-backup-running", "no-declared-work", "window")
MEMBER_GUARDS = ("members-well", "mode-as-planned", *AWAY_GUARDS)
CATCHES_UP_S = 120  # without history: what was written meanwhile is copied and replayed
MOVE_S = 30


def server_lane(work: ServerWork, site: ServerSite, *, needs: tuple[str, ...]) -> Lane:
    """Return the lane of one server."""
    lane = LaneBuilder(
        work.address, work.server_name, database=SERVER_NAME, database_guid=SERVER_ID
    )
    keeper = keeper_at(site, SERVER_ID, name=SERVER_NAME)
    add_open_record(lane, keeper, says=(content_of(work, site.at), text_of(work, site.root)))
    longest = max((each.back_within_s for each in work.spec.processes_down), default=0)
    add_sentinel(lane, keeper, holding="the server down", what=SERVER, patience_s=longest)
    _add_last_look(lane, work, site)
    undone = _add_into(lane, work, site)
    downs = [_add_down(lane, work, site, each) for each in work.spec.processes_down]
    _add_out_of(lane, work, site, undone=undone)
    if work.alone:
        _add_databases(lane, work, site, undo_of=downs[0])
    _add_services(lane, work, site, undo_of=undone.get(WHOLE_SERVER, downs[0]))
    add_remove_sentinel(lane, keeper, watches="while the server is down")
    _add_copies(lane, work, site, undone=undone)
    read_back = "record of the server on the host, read back as facts"
    add_database_record(lane, keeper, summary=read_back)
    add_close_record(lane, keeper)
    return lane.lane(needs=needs)


def _add_last_look(lane: LaneBuilder, work: ServerWork, site: ServerSite) -> None:
    """Its arguments are what guards and looks of the lane go by."""
    mode = work.mode
    lane.add(
        Action.LAST_LOOK,
        controller(
            "observe",
            {
                "server": work.server_name,
                "databases": [] if mode is None else list(mode.guids),
                "low_space_threshold_bytes": site.inventory.low_space_threshold_bytes,
                "gain_min_bytes": 0,
                "places": {} if mode is None else {name: list(on) for name, on in mode.places},
                "alone": [each.name for each in work.alone],
                "moves": {} if mode is None else {each.database: each.to for each in mode.moves},
                **({} if work.server is None else seeds_of(work.server)),
            },
        ),
        summary="the group, conflicts and window, seen again"
        if mode is not None
        else "conflicts and window, seen again",
        guards=MEMBER_GUARDS if mode is not None else AWAY_GUARDS,
        estimate_s=5,
    )


def _add_into(lane: LaneBuilder, work: ServerWork, site: ServerSite) -> dict[str, str]:
    """Maintenance mode in, a step for each thing; the steps by what they took."""
    mode = work.mode
    if mode is None:
        return {}
    undone: dict[str, str] = {}
    wanted = dict(mode.components)
    for component, state in mode.components:
        if component != WHOLE_SERVER:
            undone[component] = _set_component(lane, work, component, state)
    if mode.drains and mode.target is not None:
        _add_transport(lane, work, site, undo_of=None)
        _add_redirect(lane, work, mode.target, site)
    undone["node"] = lane.add(
        Action.PAUSE_NODE,
        _node(work, site, "paused"),
        summary="cluster node: as it is -> paused, recorded on the host before",
        guards=("members-well",),
        postcondition=equals("is_as_wanted", True),
        undo="as it was, by the host's record",
        estimate_s=5,
    )
    if mode.policy is not None:
        undone["policy"] = lane.add(
            Action.BLOCK_ACTIVATION,
            cmdlets_server.set_activation(work.server_name, BLOCKED),
            summary=f"activation policy: {mode.policy} -> {BLOCKED}: nothing is activated here",
            probe=policy_probe(work.server_name, BLOCKED, mode.policy),
            undo=f"back to {mode.policy}",
            estimate_s=5,
        )
    for move in mode.moves:
        undone[move.database] = _add_move(lane, work, move)
    if WHOLE_SERVER in wanted:
        undone[WHOLE_SERVER] = _set_component(lane, work, WHOLE_SERVER, wanted[WHOLE_SERVER])
    return undone


def _set_component(lane: LaneBuilder, work: ServerWork, component: str, state: str) -> str:
    is_whole = component == WHOLE_SERVER
    return lane.add(
        Action.SET_COMPONENT,
        cmdlets_server.set_component(work.server_name, component, state),
        summary=f"{component}: active -> {state.lower()}, for the requester Maintenance",
        guards=("members-well", "nothing-active") if is_whole else ("members-well",),
        probe=component_probe(work.server_name, component),
        undo="active again for this requester; what another one has set stays",
        estimate_s=5,
    )


def component_probe(server: str, component: str) -> Probe:
    """Whether Maintenance says of a component what the step sets."""
    return Probe(
        call=cmdlets_server.get_component(server, component),
        done=equals("component.is_as_wanted", True),
        not_done=equals("component.is_as_wanted", False),
    )


def policy_probe(server: str, wanted: str, other: str) -> Probe:
    """Which of two activation policies a server has."""
    path = "objects.0.DatabaseCopyAutoActivationPolicy"
    return Probe(
        call=cmdlets_server.get_mailbox_server(server),
        done=equals(path, wanted),
        not_done=equals(path, other),
    )


def _node(work: ServerWork, site: ServerSite, wanted: str) -> Any:
    return host_script(
        "cluster-node", {"root": site.root, "node": work.server_name, "wanted": wanted}
    )


def _add_transport(
    lane: LaneBuilder, work: ServerWork, site: ServerSite, *, undo_of: str | None
) -> None:
    """The transport reads its state when it starts: stopped, and as it was by the host's record."""
    names = [
        each.name for each in _running(work) if each.name.lower() in _lower(TRANSPORT_SERVICES)
    ]
    if not names:
        return
    back: dict[str, Any] = {}
    if undo_of is not None:
        back = {"runs_when": RunsWhen.UNDO_OF, "undo_of": undo_of}
    stopped = lane.add(
        Action.STOP_SERVICES,
        host_job("stop-services", {"root": site.root, "record": SERVER_ID, "services": names}),
        summary=f"{', '.join(names)}: stopped, to start with the new state",
        undo="each as it was, by the host's record",
        estimate_s=20,
        **back,
    )
    lane.add(
        Action.RESTORE_SERVICES,
        host_job("restore-services", {"root": site.root, "record": SERVER_ID}),
        summary=f"{', '.join(names)}: as they were, by the host's record",
        undo_of=stopped,
        attempts_max=3,
        estimate_s=30,
    )


def _add_redirect(
    lane: LaneBuilder, work: ServerWork, target: ActualServer, site: ServerSite
) -> None:
    lane.add(
        Action.REDIRECT_MESSAGES,
        cmdlets_server.redirect_messages(work.server_name, target.fqdn),
        summary=f"messages that wait are handed over to {target.name}",
        estimate_s=10,
    )
    lane.add(
        Action.AWAIT_QUEUES,
        cmdlets_server.get_queues(work.server_name),
        summary="until its queues are empty, but for shadow and poison messages",
        poll=Poll(
            call=cmdlets_server.get_queues(work.server_name),
            until=equals("queues.are_empty", True),
            failed=None,
            interval_s=site.pace.poll_interval_s,
        ),
        estimate_s=60,
    )


def _add_move(lane: LaneBuilder, work: ServerWork, move: ActiveMove) -> str:
    comment = f"goexchange: {work.spec.name}"
    return lane.add(
        Action.MOVE_ACTIVE,
        cmdlets_server.move_active(move.guid, move.to, comment),
        summary=f"active copy of {move.database}: {work.server_name} -> {move.to}, without loss",
        guards=("members-well",),
        probe=_active_probe(move.database, move.to),
        undo=f"moved back to {work.server_name} at the end"
        if work.spec.script.active_copies is ActiveCopies.RETURN
        else f"none: it stays on {move.to}, as the specification says",
        estimate_s=MOVE_S,
    )


def _active_probe(database: str, server: str) -> Probe:
    """Only an active copy can be mounted."""
    return Probe(
        call=cmdlets.get_copy(f"{database}\\{server}"),
        done=equals("objects.0.Status", "Mounted"),
        not_done=one_of("objects.0.Status", HEALTHY, "Initializing", "Resynchronizing"),
    )


def _add_down(
    lane: LaneBuilder, work: ServerWork, site: ServerSite, process: DownProcess
) -> str:
    """One command, and the server itself again after it; where it restarts the server, being cut
    off by that is its success.
    """
    codes: tuple[int | None, ...] = process.success_exit_codes
    follows = "" if process.follow is None else f", and the {process.follow} it starts"
    restarts = ", restarts the server" if process.restarts else ""
    guards = ("members-well", "nothing-active", "window") if work.mode is not None else AWAY_GUARDS
    down = lane.add(
        Action.TAKE_SERVER_DOWN,
        host_job("command", {"command": list(process.run), "follow": process.follow}),
        summary=f"{process.name}: {' '.join(process.run)}{follows}{restarts}, until done,"
        f" <= {words.span(process.timeout_s)}",
        reason=Reason.ASKED_FOR,
        guards=guards,
        time_limit_s=process.timeout_s,
        estimate_s=process.timeout_s,
        estimate_p90_s=process.timeout_s,
        postcondition=one_of("exit_code", *((None, *codes) if process.restarts else codes)),
        undo="none; the server is waited for",
        origin=process.place,
    )
    names = sorted(each.name for each in _running(work) if each.name in NEEDED_SERVICES)
    call = host_script("server-state", {"services": names})
    lane.add(
        Action.AWAIT_SERVER,
        call,
        summary=f"after {process.name}: until {work.server_name} answers and its services run,"
        f" <= {words.span(process.back_within_s)}",
        poll=Poll(
            call=call,
            until=equals("server.is_back", True),
            failed=None,
            interval_s=site.pace.poll_interval_s,
        ),
        undo_of=down,
        time_limit_s=process.back_within_s,
        estimate_s=process.back_within_s // 2,
        estimate_p90_s=process.back_within_s,
    )
    return down


def _add_out_of(
    lane: LaneBuilder, work: ServerWork, site: ServerSite, *, undone: dict[str, str]
) -> None:
    """Maintenance mode out, in the opposite order."""
    mode = work.mode
    if mode is None:
        return
    for component, _ in reversed(mode.components):
        if component == HUB_TRANSPORT:
            continue
        _restore_component(lane, work, component, undo_of=undone[component])
    lane.add(
        Action.RESUME_NODE,
        _node(work, site, "as-it-was"),
        summary="cluster node: as it was, by the host's record",
        postcondition=equals("is_as_wanted", True),
        undo_of=undone["node"],
        attempts_max=3,
        estimate_s=5,
    )
    if mode.policy is not None:
        lane.add(
            Action.RESTORE_ACTIVATION,
            cmdlets_server.set_activation(work.server_name, mode.policy),
            summary=f"activation policy: {BLOCKED} -> {mode.policy}, as it was",
            probe=policy_probe(work.server_name, mode.policy, BLOCKED),
            undo_of=undone["policy"],
            attempts_max=3,
            estimate_s=5,
        )
    if HUB_TRANSPORT in undone:
        _restore_component(lane, work, HUB_TRANSPORT, undo_of=undone[HUB_TRANSPORT])
        _add_transport(lane, work, site, undo_of=undone[HUB_TRANSPORT])


def _restore_component(
    lane: LaneBuilder, work: ServerWork, component: str, *, undo_of: str
) -> None:
    lane.add(
        Action.RESTORE_COMPONENT,
        cmdlets_server.set_component(work.server_name, component, ACTIVE),
        summary=f"{component}: active again for the requester Maintenance",
        probe=component_probe(work.server_name, component),
        undo_of=undo_of,
        attempts_max=3,
        estimate_s=5,
    )


def _add_databases(
    lane: LaneBuilder, work: ServerWork, site: ServerSite, *, undo_of: str
) -> None:
    names = [each.name for each in work.alone]
    longest = max(each.back_within_s for each in work.spec.processes_down)
    call = cmdlets.get_databases(work.server_name)
    lane.add(
        Action.AWAIT_DATABASES,
        call,
        summary=f"until {words.listed(names)} {'is' if len(names) == 1 else 'are'} mounted again",
        poll=Poll(
            call=call,
            until=equals("databases.are_mounted", True),
            failed=None,
            interval_s=site.pace.poll_interval_s,
        ),
        undo_of=undo_of,
        time_limit_s=max(longest, HOUR // 2),
        estimate_s=60,
    )


def _add_services(lane: LaneBuilder, work: ServerWork, site: ServerSite, *, undo_of: str) -> None:
    """What ran before runs again: some are stopped with the components, and stay so."""
    names = sorted(
        each.name for each in _running(work) if each.name.lower().startswith("msexchange")
    )
    lane.add(
        Action.START_SERVICES,
        host_script("start-services", {"root": site.root, "services": names}),
        summary=f"{words.counted(len(names), 'service')} of Exchange that ran before run again",
        undo_of=undo_of,
        attempts_max=3,
        estimate_s=10,
    )


def _add_copies(
    lane: LaneBuilder, work: ServerWork, site: ServerSite, *, undone: dict[str, str]
) -> None:
    """Its copies well again before another member goes, active ones where they were."""
    mode = work.mode
    if mode is None:
        return
    for copy in mode.awaited:
        lane.add(
            Action.AWAIT_COPY,
            cmdlets.get_copy(copy.identity),
            summary=f"until the copy of {copy.database} here is healthy and its queues are short",
            poll=well_poll(
                copy.identity,
                interval_s=site.pace.poll_interval_s,
                is_lagged=is_lagged(copy) is True,
            ),
            undo_of=undone.get(copy.database, undone["node"]),
            estimate_s=CATCHES_UP_S,
        )
    if work.spec.script.active_copies is not ActiveCopies.RETURN:
        return
    for move in mode.moves:
        lane.add(
            Action.RETURN_ACTIVE,
            cmdlets_server.move_active(
                move.guid, work.server_name, f"goexchange: {work.spec.name}"
            ),
            summary=f"active copy of {move.database}: {move.to} -> {work.server_name}, where it"
            " was",
            probe=_active_probe(move.database, work.server_name),
            undo_of=undone[move.database],
            estimate_s=MOVE_S,
        )


def _running(work: ServerWork) -> tuple[Service, ...]:
    assert work.host is not None
    services = work.host.services
    assert not isinstance(services, Unknown)  # made sure of before
    return tuple(each for each in services if each.state == "Running")


def _lower(names: tuple[str, ...]) -> set[str]:
    return {each.lower() for each in names}
