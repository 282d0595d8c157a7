"""A performer to whom things happen: the faults of a night, at their occasions, in virtual time.

Nothing that decides is replaced: the machine sees lost answers, refusals, late clocks and a store
that breaks, as `app` would tell it of them; the world changes as if somebody else had acted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import define, field, frozen

from goexchange.driver import effects, events
from goexchange.driver.events import Request, Requested
from goexchange.journal.chain import line_of, read_lines, seal
from goexchange.model.plan import Plan, ScriptCall
from goexchange.model.run import RecordKind
from goexchange.simulation.disturbances import disturb
from goexchange.simulation.faults import AT_THE_START, Fault, FaultKind, Phase, Place
from goexchange.simulation.performer import Performer
from goexchange.world.refusals import HostDown, ScriptFailed

LOST = "the connection broke"
WINRM_AWAY_S = 30
LATE_SHARE = 0.75  # how much of its time limit a late request takes to arrive
SLOW_SHARE = 0.8
CLOCK_JUMPS_S = (-7200, -600, -90, 45, 300, 1800, 3600, 14400)
_REQUESTS = {
    FaultKind.REQUEST_ABORT: Request.ABORT,
    FaultKind.REQUEST_STOP: Request.STOP,
}


class ControllerDied(Exception):
    """The process of the controller is gone, killed or because its store broke."""


@frozen(kw_only=True)
class Fired:
    """A fault that really happened, and when."""

    kind: FaultKind
    step: str
    phase: Phase
    at: datetime


def servers_of(plan: Plan) -> dict[str, str]:
    """The server of each step, by its id: a lane of the whole run is not named after one."""
    return {step.id: step.server for lane in plan.body.lanes for step in lane.steps}


@define(kw_only=True)
class TroubledPerformer(Performer):
    """Performs, and lets the faults happen that wait for what is being performed.

    Shape: `servers` by step; `waiting` have not had their occasion; `due` happen at a moment;
    `away` says until when a host's Windows channel is closed; `torn` counts the bytes that the next
    controller finds at the end of the journal.
    """

    servers: Mapping[str, str]
    waiting: list[Fault] = field(factory=list)
    due: list[tuple[datetime, int, Fault | effects.Send]] = field(factory=list)
    fired: list[Fired] = field(factory=list)
    requests: list[Requested] = field(factory=list)
    away: dict[str, datetime] = field(factory=dict)
    seen: dict[tuple[str, Place], int] = field(factory=dict)
    broken_appends: int = 0
    torn: int = 0
    wants_rival: bool = False

    def arm(self) -> None:
        """Lay out the faults that wait in the world itself."""
        for fault in [one for one in self.waiting if one.kind in AT_THE_START]:
            self.waiting.remove(fault)
            if fault.step in self.servers:  # a night that was made smaller has fewer steps
                disturb(self.world, fault, server=self.servers[fault.step], root=self.root)

    def now(self) -> datetime:
        """The controller's own clock."""
        return self.clock.now() + self.skew

    def perform(self, effect: effects.Effect) -> events.Event:
        """Do what the effect says, unless something goes wrong.

        Raises: ControllerDied.
        """
        occasion = occasion_of(effect)
        hits = self._hits(occasion)
        for fault in hits:
            if not fault.is_after:
                self._happen(fault)
        if isinstance(effect, effects.WaitUntil):
            self.let_pass(effect.moment - self.skew)
            event: events.Event = events.Woke()
        else:
            self._let_dues_happen(self.clock.now())
            event = self._performed(effect, hits)
            self._let_dues_happen(self.clock.now())
        for fault in hits:
            if fault.is_after:
                self._happen(fault)
        return event

    def let_pass(self, until: datetime) -> None:
        """Let time pass, and happen what is due on the way."""
        self._let_dues_happen(until)
        self.clock.move_to(until)
        self.world.advance()

    def take_requests(self) -> tuple[Requested, ...]:
        """What operators have asked for since the last time."""
        asked, self.requests = tuple(self.requests), []
        return asked

    def counted(self, fault: Fault, *, phase: Phase | None = None) -> None:
        """The fault has really happened."""
        self.fired.append(
            Fired(
                kind=fault.kind,
                step=fault.step,
                phase=phase or fault.phase,
                at=self.clock.now(),
            )
        )

    def _hits(self, occasion: tuple[tuple[str, Place], ...]) -> list[Fault]:
        for key in occasion:
            self.seen[key] = self.seen.get(key, 0) + 1
        hits = [
            fault
            for fault in self.waiting
            if (fault.step, fault.place) in occasion
            and self.seen[fault.step, fault.place] >= fault.nth
        ]
        for fault in hits:
            self.waiting.remove(fault)
        return hits

    def _happen(self, fault: Fault) -> None:
        """Let a fault happen now, or put it off by its delay; those of the call itself are left to
        the call.
        """
        if fault.kind in _OF_THE_CALL or fault.kind in _OF_THE_STORE:
            return
        if fault.kind is FaultKind.KILL:
            self.counted(fault)
            raise ControllerDied(fault.text())
        if fault.delay_s:
            moment = self.clock.now() + timedelta(seconds=fault.delay_s)
            self.due.append((moment, len(self.due), fault))
            self.due.sort(key=lambda each: each[:2])
            return
        self._strike(fault)

    def _strike(self, fault: Fault) -> None:
        server = self.servers[fault.step]
        if fault.kind in _REQUESTS:
            self.requests.append(Requested(request=_REQUESTS[fault.kind], by="operator"))
        elif fault.kind is FaultKind.CLOCK_JUMP:
            self.skew += timedelta(seconds=CLOCK_JUMPS_S[fault.number % len(CLOCK_JUMPS_S)])
        elif fault.kind is FaultKind.WINRM_RESTART:
            seconds = WINRM_AWAY_S * (1 + fault.number % 10)
            self.away[server] = self.clock.now() + timedelta(seconds=seconds)
        elif fault.kind is FaultKind.SECOND_CONTROLLER:
            self.wants_rival = True
        elif not disturb(self.world, fault, server=server, root=self.root):
            return  # there was nothing that it could happen to
        self.counted(fault)

    def _let_dues_happen(self, until: datetime) -> None:
        while self.due and self.due[0][0] <= until:
            moment, _, what = self.due.pop(0)
            self.clock.move_to(moment)
            self.world.advance()
            if isinstance(what, Fault):
                self._strike(what)
            else:
                self._arrive(what)

    def _arrive(self, send: effects.Send) -> None:
        """A request that was given up for lost takes effect after all."""
        try:
            self._call(send)
        except (ScriptFailed, HostDown):
            return

    def _performed(self, effect: effects.Effect, hits: list[Fault]) -> events.Event:
        if isinstance(effect, effects.Append):
            return self._append_or_break(effect, hits)
        if isinstance(effect, effects.Send):
            fault = next((one for one in hits if one.kind in _OF_THE_CALL), None)
            if fault is not None:
                return self._send_badly(effect, fault)
            if self._is_away(effect.server) and isinstance(effect.call, ScriptCall):
                self.let_pass(self.clock.now() + timedelta(seconds=1))
                return events.Lost(message="the connection was refused")
        if isinstance(effect, effects.Observe) and self._is_away(effect.server):
            self.let_pass(self.clock.now() + timedelta(seconds=1))
            return events.Lost(message="the connection was refused")
        return super().perform(effect)

    def _send_badly(self, send: effects.Send, fault: Fault) -> events.Event:
        """The six things that go wrong with a call."""
        limit = timedelta(seconds=send.time_limit_s)
        begun = self.clock.now()
        self.counted(fault)
        if fault.kind is FaultKind.LOST_REQUEST:
            return events.Lost(message=LOST)
        if fault.kind is FaultKind.LATE_REQUEST:
            self.due.append((begun + limit * LATE_SHARE, len(self.due), send))
            self.due.sort(key=lambda each: each[:2])
            return events.Lost(message=LOST)
        if fault.kind is FaultKind.HANG and fault.number % 2:
            self.let_pass(begun + limit)
            return events.Lost(message="no answer within the time limit")
        answer = super().perform(send)
        if fault.kind is FaultKind.LOST_ANSWER:
            return events.Lost(message=LOST)
        if fault.kind is FaultKind.DUPLICATE:
            if isinstance(send.call, ScriptCall):  # a pipeline of PowerShell remoting has an id
                self._arrive(send)
            return answer
        if fault.kind is FaultKind.HANG:
            self.let_pass(begun + limit)
            return events.Lost(message="no answer within the time limit")
        self.let_pass(begun + limit * SLOW_SHARE)
        return answer

    def _append_or_break(self, effect: effects.Append, hits: list[Fault]) -> events.Event:
        if self.broken_appends > 0:
            self.broken_appends -= 1
            raise ControllerDied("the store is still read-only")
        for fault in hits:
            if fault.kind is FaultKind.STORE_READ_ONLY:
                self.counted(fault)
                self.broken_appends = fault.number % 3
                raise ControllerDied("the store became read-only")
            if fault.kind is FaultKind.TORN_JOURNAL:
                self.counted(fault)
                self._tear(effect, fault.number)
                raise ControllerDied("power went while the journal was written")
        return super().perform(effect)

    def _tear(self, effect: effects.Append, cut: int) -> None:
        """What was not synced is torn anywhere, or gone: the rest is read back as a store reads
        it.
        """
        last = self.records[-1] if self.records else None
        lines = b"".join(map(line_of, seal(effect.drafts, after=last, at=self.now())))
        kept = b"".join(map(line_of, self.records))
        reading = read_lines(kept + lines[: cut % len(lines)])
        assert reading.damage is None, reading.damage
        assert reading.records[: len(self.records)] == tuple(self.records)
        self.records = list(reading.records)
        self.torn = reading.torn_bytes

    def _is_away(self, server: str) -> bool:
        return server in self.away and self.clock.now() < self.away[server]


_OF_THE_CALL = frozenset({
    FaultKind.LOST_REQUEST, FaultKind.LOST_ANSWER, FaultKind.LATE_REQUEST, FaultKind.DUPLICATE,
    FaultKind.HANG, FaultKind.SLOW,
})  # fmt: skip
_OF_THE_STORE = frozenset({FaultKind.STORE_READ_ONLY, FaultKind.TORN_JOURNAL})


def occasion_of(effect: effects.Effect) -> tuple[tuple[str, Place], ...]:
    """Which acts about which steps an effect is."""
    if isinstance(effect, effects.Send):
        return ((effect.purpose, Place.SEND),)
    if isinstance(effect, effects.VerifySet):
        return ((effect.step, Place.SEND),)
    if isinstance(effect, effects.Append):
        return tuple(
            (str(draft.data["step"]), _PLACES[draft.kind])
            for draft in effect.drafts
            if draft.kind in _PLACES
        )
    return ()


_PLACES: Mapping[RecordKind, Place] = {
    RecordKind.INTENT: Place.INTENT,
    RecordKind.OUTCOME: Place.OUTCOME,
}


def plain_fired(fired: list[Fired]) -> list[dict[str, Any]]:
    """What happened, as plain values for another process."""
    return [
        {"kind": one.kind.value, "step": one.step, "phase": one.phase.value} for one in fired
    ]
