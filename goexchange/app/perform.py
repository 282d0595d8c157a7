"""Carries out the driver's effects over transport and store; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field

from goexchange.app.observing import observe_server
from goexchange.app.secrets import NO_SECRET, secret_of
from goexchange.app.tasks import Tasks
from goexchange.driver import effects, events
from goexchange.driver.machine import Machine
from goexchange.driver.tracks import IMMEDIATE
from goexchange.errors import (
    AnswerLost,
    AuthenticationRefused,
    ExitCode,
    GoexchangeError,
    HostRefused,
    LeaseLost,
    LeasesUnreachable,
    Locked,
    UnexpectedOutput,
    Unreachable,
)
from goexchange.model.configuration import Inventory
from goexchange.model.plan import ExchangeCall
from goexchange.model.run import Record, RecordKind, RunResult
from goexchange.store.journal_file import JournalFile
from goexchange.store.leases import Lease, Leases

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.transport.session import HostSession

WAIT_SLICE_S = 0.25  # how late a signal may be noticed
VERIFY_SLICE_S = 1.0  # how late the machine may look after its lease while a set is verified


class Verifier(Protocol):
    """Our own verifier, in a process of its own."""

    def result(self, arguments: Mapping[str, Any], *, wait_s: float) -> Mapping[str, Any] | None:
        """Start it for these arguments, or look at it; None while it reads."""

    def end(self) -> None:
        """End it when it still runs."""


class Watch(Protocol):
    """Who is shown the run."""

    def show(self, record: Record) -> None:
        """A record is safely on the disk."""

    def tick(self) -> None:
        """Time goes by."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Now, in UTC."""


@define(kw_only=True)
class Performer:
    """One run of a machine against the world outside.

    `interruption` gives the exit code of a signal that asked this process to end, or None; `watch`
    is shown every record once it is flushed; `requests` gives what operators have asked since the
    last look; `verifier` makes one for each track that needs one.
    """

    machine: Machine
    run_id: str
    sessions: Callable[[str], HostSession]
    journal: JournalFile
    leases: Leases
    holder: str
    inventory: Inventory
    clock: Clock
    verifier: Callable[[], Verifier]
    interruption: Callable[[], ExitCode | None]
    requests: Callable[[], Sequence[events.Requested]]
    watch: Watch
    held: tuple[Lease, ...] = ()
    is_open: bool = False  # the journal says that this process runs it: requests are for us
    _tasks: Tasks[events.Event] = field(factory=Tasks, init=False)
    _verifiers: dict[str, Verifier] = field(factory=dict, init=False)

    def run(self) -> RunResult:
        """Perform effects until the machine is finished, or a signal asks to end between two of
        them.

        Effects: after a signal nothing more is sent; what runs on the hosts runs on, and `resume`
        finds it.
        """
        try:
            return self._loop()
        finally:
            for verifier in self._verifiers.values():
                verifier.end()

    def _loop(self) -> RunResult:
        """Records and leases at once; calls of several hosts beside each other; waits until the
        next of them ends or the first moment comes.
        """
        while True:
            now = self.clock.now()
            outstanding = self.machine.outstanding(now)
            for track, effect in outstanding.items():
                if isinstance(effect, effects.Finish):
                    return effect.result
                code = self.interruption()
                if code is not None and not isinstance(effect, effects.Append):
                    return self.machine.standing(code)
                if isinstance(effect, IMMEDIATE):
                    self._accept(track, self._at_once(effect))
                elif not isinstance(effect, effects.WaitUntil):
                    self._start(track, effect)
            is_alone = any(isinstance(effect, IMMEDIATE) for effect in outstanding.values())
            if not is_alone and not self._hear():
                self._wait(outstanding)

    def _hear(self) -> bool:
        """Give the machine what operators have asked; False when nobody has."""
        asked = self.requests() if self.is_open else ()
        for request in asked:
            self.machine.accept(request, self.clock.now())
        return bool(asked)

    def _wait(self, outstanding: Mapping[str, effects.Effect]) -> None:
        """Take the answer of the call that ends first, or wake who waits; in slices, so that a
        signal is noticed.
        """
        moments = {
            track: effect.moment
            for track, effect in outstanding.items()
            if isinstance(effect, effects.WaitUntil)
        }
        now = self.clock.now()
        for track, moment in moments.items():
            if moment <= now:
                self._accept(track, events.Woke())
                return
        left = min(((moment - now).total_seconds() for moment in moments.values()), default=None)
        slice_s = WAIT_SLICE_S if left is None else min(left, WAIT_SLICE_S)
        self.watch.tick()
        ended = self._tasks.next(slice_s)
        if ended is not None:
            self._accept(*ended)

    def _accept(self, track: str, event: events.Event) -> None:
        self.machine.accept(event, self.clock.now(), track=track)

    def _start(self, track: str, effect: effects.Effect) -> None:
        """Begin a call that takes its time, if it has not begun."""
        if self._tasks.is_running(track):
            return
        match effect:
            case effects.Send():
                self._tasks.start(track, lambda: _asked(lambda: self._send(effect)))
            case effects.Observe():
                self._tasks.start(
                    track, lambda: _asked(lambda: events.Observed(server=self._observe(effect)))
                )
            case effects.VerifySet():
                self._tasks.start(track, lambda: self._verify(track, effect))
            case _:
                raise GoexchangeError(f"an effect without a performer: {type(effect).__name__}")

    def _at_once(self, effect: effects.Effect) -> events.Event:
        match effect:
            case effects.Append():
                return self._append(effect)
            case effects.AcquireLeases() | effects.RenewLeases():
                return self._lease(effect)
            case _:
                self.leases.release(self.held)
                return events.Released()

    def _append(self, effect: effects.Append) -> events.Event:
        records = self.journal.append(effect.drafts, self.clock.now())
        for record in records:
            self.is_open |= record.kind in (RecordKind.RUN_STARTED, RecordKind.RUN_RESUMED)
            self.watch.show(record)
        return events.Appended(records=records)

    def _send(self, effect: effects.Send) -> events.Event:
        session, call = self.sessions(effect.server), effect.call
        if isinstance(call, ExchangeCall):
            answer = session.exchange([call], time_limit_s=effect.time_limit_s)
            return events.Answered(result=answer)
        try:
            secret = secret_of(call, self.inventory)
        except AuthenticationRefused as error:  # ours to read, and nothing was sent: not in doubt
            return events.Refused(code=NO_SECRET, message=str(error))
        answer = session.script(
            call.script, call.arguments, time_limit_s=effect.time_limit_s, secret=secret
        )
        return events.Answered(result=answer)

    def _observe(self, effect: effects.Observe) -> Any:
        session = self.sessions(effect.server)
        return observe_server(session, effect.server, self.inventory, databases=effect.databases)

    def _verify(self, track: str, effect: effects.VerifySet) -> events.Event:
        """Look at the child for a while; Woke tells the machine that it still reads."""
        verifier = self._verifiers.get(track)
        if verifier is None:
            verifier = self._verifiers[track] = self.verifier()
        try:
            result = verifier.result(effect.arguments, wait_s=VERIFY_SLICE_S)
        except GoexchangeError as error:
            return events.Refused(code=error.id, message=str(error))
        return events.Woke() if result is None else events.Verified(result=result)

    def _lease(self, effect: effects.AcquireLeases | effects.RenewLeases) -> events.Event:
        now = self.clock.now()
        try:
            if isinstance(effect, effects.RenewLeases):
                self.held = self.leases.renew(self.held, lease_s=effect.lease_s, now=now)
            else:
                self.held = self.leases.acquire(
                    effect.servers,
                    holder=self.holder,
                    run=self.run_id,
                    lease_s=effect.lease_s,
                    cmdlet_limit_s=effect.cmdlet_limit_s,
                    now=now,
                    at_least=effect.at_least,
                    is_run_locked=True,  # this process alone has the run's journal open
                )
        except (Locked, LeaseLost) as error:
            return events.LeasesDenied(message=str(error))
        except LeasesUnreachable as error:
            return events.LeasesUnreachable(message=str(error))
        return events.LeasesHeld(
            numbers={lease.server: lease.number for lease in self.held},
            expires_at=min(
                (lease.expires_at_utc for lease in self.held if lease.expires_at_utc),
                default=now + timedelta(seconds=effect.lease_s),  # a plan that does nothing
            ),
        )


def _asked(ask: Callable[[], events.Event]) -> events.Event:
    """Errors at the edge become events. A host that is away now may still have done what it was
    sent before.
    """
    try:
        return ask()
    except HostRefused as error:
        return events.Refused(code=error.code, message=str(error))
    except (AnswerLost, Unreachable, AuthenticationRefused, UnexpectedOutput) as error:
        return events.Lost(message=str(error))
