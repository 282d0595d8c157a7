"""A run as a machine without I/O: `next` says what is to be done, `accept` takes what came of it.

Everything it knows survives in the journal: a fresh machine made from the records goes on where the
last one stopped.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import datetime

from goexchange.codec import to_plain
from goexchange.driver.again import NEVER_HELD, owed
from goexchange.driver.asked import databases_on
from goexchange.driver.assuming import take_answer
from goexchange.driver.calls import changed_scripts, scope_servers
from goexchange.driver.conversation import Conversation, LeaseDenied, LeaseGone, Talk
from goexchange.driver.doubt import Undecided
from goexchange.driver.effects import Append, Effect, Finish, ReleaseLeases, WaitUntil
from goexchange.driver.ending import failures, is_still_to_do, result_of, state_of
from goexchange.driver.events import (
    LEGAL_EVENTS,
    Event,
    IllegalEvent,
    Observed,
    Request,
    Requested,
)
from goexchange.driver.fencing import claim_hosts, raise_numbers
from goexchange.driver.guards import Guards, PackagedGuards
from goexchange.driver.identity import RunIdentity
from goexchange.driver.keeping import keep_everywhere
from goexchange.driver.lanes import facts_of, is_release, next_step
from goexchange.driver.order import next_server
from goexchange.driver.pausing import wait_while_held
from goexchange.driver.steps import perform
from goexchange.driver.tracks import RUN, NextTrack, Together, Track, Tracks
from goexchange.errors import ExitCode
from goexchange.journal.chain import Draft
from goexchange.journal.replay import RunState
from goexchange.model.plan import Lane, LanePhase, Plan, RunsWhen, Step, VerdictKind
from goexchange.model.run import LaneState, Record, RecordKind, RunResult

_OPEN = (LaneState.WAITING, LaneState.RUNNING)


class Machine:
    """One run. Several effects may be outstanding, one of each track: the run's own, and the
    servers' that are at work beside each other.
    """

    def __init__(
        self,
        *,
        plan: Plan,
        run: RunIdentity,
        records: Sequence[Record] = (),
        guards: Guards | None = None,
    ) -> None:
        self._talk = Conversation(
            plan=plan, identity=run, records=records, guards=guards or PackagedGuards()
        )
        self._tracks = Tracks(_run(self._talk), enter=self._talk.enter)
        self._has_begun = False
        self._next: str = RUN

    @property
    def state(self) -> RunState:
        """What the journal says up to now."""
        return self._talk.state

    @property
    def is_finished(self) -> bool:
        """Whether nothing follows."""
        return isinstance(self._tracks.outstanding.get(RUN), Finish)

    def standing(self, *also: ExitCode) -> RunResult:
        """How the run stands now, for a process that is told to end: a database that is down is
        never hidden.
        """
        return result_of(self._talk.plan, self._talk.state, also=also)

    def outstanding(self, now: datetime) -> Mapping[str, Effect]:
        """The outstanding effects by track: what may be performed now, in any order.

        Shape: a record or a lease stands alone: it is performed before anything else goes on.
        """
        if not self._has_begun:
            self._has_begun = True
            self._talk.now = now
            self._tracks.begin()
        return dict(self._tracks.outstanding)

    def next(self, now: datetime) -> Effect:
        """The effect to perform when only one is performed at a time; asked for again it is the
        same.
        """
        self.outstanding(now)
        self._next, effect = self._tracks.first()
        return effect

    def accept(self, event: Event, now: datetime, *, track: str | None = None) -> None:
        """Take an event: the answer of a track's effect, by default of the one `next` returned.

        Raises: IllegalEvent when it cannot be the answer of the outstanding effect; nothing has
        changed then.
        """
        if isinstance(event, Requested):
            self._request(event, now)
            return
        of = self._next if track is None else track
        effect = self._tracks.outstanding.get(of) if self._has_begun else None
        if effect is None or not isinstance(event, LEGAL_EVENTS[type(effect)]):
            raise IllegalEvent(f"{type(event).__name__} does not answer {type(effect).__name__}")
        if isinstance(effect, Append) and tuple(
            (record.kind, record.data) for record in getattr(event, "records", ())
        ) != tuple((draft.kind, dict(draft.data)) for draft in effect.drafts):
            raise IllegalEvent("other records were appended than those that were asked for")
        self._talk.now = max(now, self._talk.now)  # a clock that went back moves no deadline
        self._tracks.answer(of, event)

    def _request(self, event: Requested, now: datetime) -> None:
        """Take it, and end every wait: who waited looks again."""
        self._talk.hear(event)
        waiting = [
            name for name, effect in self.outstanding(now).items() if isinstance(effect, WaitUntil)
        ]
        self._talk.now = max(now, self._talk.now)
        for name in waiting:
            self._tracks.wake(name)


def _run(talk: Conversation) -> Track:
    """The whole run; it ends with Finish, whatever happens."""
    yield Finish(result=(yield from _result(talk)))


def _result(talk: Conversation) -> Generator[Effect | Together, Event, RunResult]:
    """What the run comes to. One that has ended is gone on with only where something is in doubt or
    owed.
    """
    is_over = talk.state.ended is not None and not talk.state.in_doubt
    if is_over and not owed(talk.plan, talk.state, {}).lanes:
        return result_of(talk.plan, talk.state)
    try:
        yield from talk.acquire()
    except LeaseDenied as denied:
        return _refused(talk, denied.exit_code, str(denied))
    try:
        refusal = yield from (_begin(talk) if talk.state.run is None else _go_on(talk))
        if refusal is None:
            yield Together(next_track=_servers(talk))
            refusal = result_of(talk.plan, talk.state)
            yield from talk.append(
                Draft(RecordKind.RUN_ENDED, to_plain(refusal)), *talk.lease_drafts("released")
            )
            yield from keep_everywhere(talk)  # the journal's head lies outside the store
        yield ReleaseLeases(servers=tuple(sorted(talk.numbers)))
        return refusal
    except LeaseDenied as denied:  # a host is another store's; none of our steps was sent since
        yield ReleaseLeases(servers=tuple(sorted(talk.numbers)))
        return _refused(talk, denied.exit_code, str(denied))
    except LeaseGone as gone:
        # Nothing more is sent, and nothing more is written: the journal may have another writer
        # already.
        standing = result_of(talk.plan, talk.state, also=(ExitCode.STOPPED,))
        return RunResult(
            exit_code=standing.exit_code,
            verdict=f"lease lost: {gone}",
            databases=standing.databases,
        )


def _begin(talk: Conversation) -> Talk[RunResult | None]:
    """Observe every server, decide the guards of the start, write the header of the run. Nothing is
    changed before.
    """
    for server in sorted({step.server for lane in talk.plan.body.lanes for step in lane.steps}):
        seen = yield from talk.observe(server, databases_on(talk.plan, server))
        if not isinstance(seen, Observed):
            return _refused(
                talk, ExitCode.UNREACHABLE, f"{server} could not be observed: {seen.message}"
            )
    yield from raise_numbers(talk)
    changed = changed_scripts(talk.plan)
    if changed:
        why = f"the packaged text of {', '.join(changed)} is not the one of the plan: plan again"
        return _refused(talk, ExitCode.STALE, why)
    verdicts = talk.guards.at_start(talk.plan, talk.observed(), talk.now, talk.identity.approval)
    against = [one for one in verdicts if one.kind in (VerdictKind.BLOCK, VerdictKind.UNKNOWN)]
    if against:
        why = "; ".join(f"{one.address} {one.guard}: {one.evidence}" for one in against)
        return _refused(talk, _start_code(one.guard for one in against), why)
    identity = talk.identity
    header = {
        "run": identity.run,
        "plan": talk.plan.id,
        "plan_sha256": talk.plan.sha256,
        "controller": identity.controller,
        "started_by": identity.started_by,
        "tool": identity.tool,
        "approval": to_plain(identity.approval) if identity.approval is not None else None,
    }
    yield from talk.append(
        *talk.lease_drafts("acquired"),
        Draft(RecordKind.RUN_STARTED, header),
        *talk.facts_drafts(),
        *(Draft(RecordKind.GUARD, {"verdict": to_plain(verdict)}) for verdict in verdicts),
    )
    yield from claim_hosts(talk)
    return None


def _go_on(talk: Conversation) -> Talk[RunResult | None]:
    """Go on with a run that an earlier process left: look again, say so and what is opened again,
    claim the hosts.
    """
    for server in scope_servers(talk.plan):
        yield from talk.observe(
            server, databases_on(talk.plan, server)
        )  # a host that is silent stays unknown to the guards
    yield from raise_numbers(talk)
    identity = talk.identity
    again = owed(talk.plan, talk.state, talk.actual)
    yield from talk.append(
        *talk.lease_drafts("acquired"),
        Draft(
            RecordKind.RUN_RESUMED,
            {
                "controller": identity.controller,
                "started_by": identity.started_by,
                "torn_bytes": identity.torn_bytes,
                "steps_in_doubt": list(talk.state.in_doubt),
                "rebuilt_from": identity.rebuilt_from,
                "lanes_again": list(again.lanes),
                "steps_again": list(again.steps),
            },
        ),
        *talk.facts_drafts(),
    )
    yield from claim_hosts(talk)
    return (yield from take_answer(talk))


def _servers(talk: Conversation) -> NextTrack:
    """The servers' tracks, in the order of the plan; those with a database that is down first.
    What stands before or after all of them goes on alone, on the track of its server.
    """
    waiting = _by_server(talk, LanePhase.SERVER)
    first, last = _by_server(talk, LanePhase.BEFORE_ALL), _by_server(talk, LanePhase.AFTER_ALL)

    def next_track(active: frozenset[str]) -> tuple[str, Track] | None:
        alone = first or (last if not waiting else {})
        if alone and not active:
            name = next(iter(alone))
            return name, _lanes(talk, alone.pop(name))
        if not waiting or _is_open(talk, LanePhase.BEFORE_ALL):
            return None
        urgent = [
            name
            for name, lanes in waiting.items()
            if any(facts_of(lane, talk.state).is_away for lane in lanes)
        ]
        order = talk.plan.body.order
        found = next_server(order, waiting=tuple(waiting), active=active, urgent=urgent)
        return None if found is None else (found, _lanes(talk, waiting.pop(found)))

    return next_track


def _is_open(talk: Conversation, phase: LanePhase) -> bool:
    mine = [lane for lane in talk.plan.body.lanes if lane.phase is phase]
    return any(talk.state.lane(lane.id).state in _OPEN for lane in mine)


def _by_server(talk: Conversation, phase: LanePhase) -> dict[str, list[Lane]]:
    found: dict[str, list[Lane]] = {}
    for lane in talk.plan.body.lanes:
        if lane.phase is phase:
            found.setdefault(lane.server, []).append(lane)
    return found


def _lanes(talk: Conversation, lanes: Sequence[Lane]) -> Track:
    """Walk the lanes of one server, one after the other."""
    for lane in lanes:
        record = talk.state.lane(lane.id)
        if record.state not in _OPEN:
            continue
        while record.state is LaneState.WAITING and (yield from wait_while_held(talk, None)):
            pass
        why_not = _why_not(talk, lane) if record.state is LaneState.WAITING else None
        if why_not is None:
            yield from _lane(talk, lane)
        else:
            yield from _skip(talk, lane, why_not)


def _lane(talk: Conversation, lane: Lane) -> Talk[None]:
    """Walk the lane until nothing of it is left to do."""
    if talk.state.lane(lane.id).state is LaneState.WAITING:
        yield from talk.append(Draft(RecordKind.LANE_STARTED, {"lane": lane.id}))
    try:
        while (step := next_step(lane, talk.state)) is not None:
            yield from perform(talk, lane, step)
    except Undecided:
        yield from talk.append(_lane_ended(talk, lane))
        return
    yield from talk.append(*_left_over(talk, lane, NEVER_HELD), _lane_ended(talk, lane))


def _skip(talk: Conversation, lane: Lane, why: str) -> Talk[None]:
    """Leave a lane out, but for what undoes a step of an earlier lane: that runs always."""
    undoing = [step for step in lane.steps if step.runs_when is RunsWhen.UNDO_OF]
    if any(talk.state.step(step.undo_of or "").attempts for step in undoing):
        others = [step for step in lane.steps if step not in undoing]
        yield from talk.append(
            Draft(RecordKind.LANE_STARTED, {"lane": lane.id}),
            *_left_over(talk, lane, why, among=others),
        )
        yield from _lane(talk, lane)
        return
    yield from talk.append(
        *_left_over(talk, lane, why),
        Draft(
            RecordKind.LANE_ENDED, {"lane": lane.id, "state": LaneState.SKIPPED.value, "why": why}
        ),
    )


def _why_not(talk: Conversation, lane: Lane) -> str | None:
    """Why a lane that has not begun does not begin."""
    if is_release(lane):
        return None  # what brings mail back waits for nobody
    if talk.has_asked(Request.ABORT):
        return "abort: an operator asked for the way back"
    if talk.has_asked(Request.STOP):
        return "stop: an operator asked to start no other database"
    if talk.has_asked(Request.HOLD):
        return "stop: the store is on hold, no other database is started"
    undecided = [
        one.id
        for one in talk.plan.body.lanes
        if talk.state.lane(one.id).state is LaneState.UNDECIDED
    ]
    if undecided:
        return f"stop: {undecided[0]} is not decided"
    count = failures(talk.plan, talk.state)
    if count > talk.plan.body.rules.failures_max:
        return f"budget: {count} failed, {talk.plan.body.rules.failures_max} may"
    unmet = [name for name in lane.needs if talk.state.lane(name).state is not LaneState.DONE]
    return f"needs: {', '.join(unmet)} did not succeed" if unmet else None


def _left_over(
    talk: Conversation, lane: Lane, why: str, *, among: Iterable[Step] | None = None
) -> tuple[Draft, ...]:
    return tuple(
        Draft(
            RecordKind.SKIPPED,
            {
                "step": step.id,
                "lane": lane.id,
                "why": why,
                "cause": "lane-ended",
                "turns_back": False,
            },
        )
        for step in (lane.steps if among is None else among)
        if is_still_to_do(step, talk.state)
    )


def _lane_ended(talk: Conversation, lane: Lane) -> Draft:
    reached, why = state_of(lane, talk.state)
    return Draft(RecordKind.LANE_ENDED, {"lane": lane.id, "state": reached.value, "why": why})


def _refused(talk: Conversation, code: ExitCode, why: str) -> RunResult:
    databases = result_of(talk.plan, talk.state).databases
    return RunResult(exit_code=int(code), verdict=why, databases=databases)


def _start_code(guards: Iterable[str]) -> ExitCode:
    """What the operator does next: plan again, get an approval, or wait."""
    names = set(guards)
    if "premises" in names:
        return ExitCode.STALE
    return ExitCode.UNAPPROVED if names <= {"approval", "consent"} else ExitCode.NOT_NOW
