"""What every part of the machine says to the world: append, send, observe, wait; under a lease,
with a heartbeat.

All are generators: they yield an effect, get its event, and return what it means. The lease is
renewed before it can
run out, the sentinel is fed while one is placed, and an operator's request is journalled, whichever
part is at work.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from goexchange.codec import time_text, to_plain
from goexchange.driver.calls import (
    changes,
    feed_call,
    generation_of,
    longest_cmdlet_s,
    node_of,
    root_of,
    scope_leases,
)
from goexchange.driver.effects import (
    AcquireLeases,
    Append,
    Effect,
    Observe,
    RenewLeases,
    Send,
    WaitUntil,
)
from goexchange.driver.events import (
    Answered,
    Appended,
    Event,
    LeasesDenied,
    LeasesHeld,
    LeasesUnreachable,
    Lost,
    Observed,
    Refused,
    Request,
    Requested,
)
from goexchange.driver.guards import Guards
from goexchange.driver.identity import RunIdentity
from goexchange.driver.invariants import Watch
from goexchange.driver.keeping import Kept, touch
from goexchange.driver.lanes import happened
from goexchange.errors import ExitCode, GoexchangeError
from goexchange.journal.chain import Draft
from goexchange.journal.replay import RunState
from goexchange.model.actual import ActualServer, ActualState
from goexchange.model.plan import Action, ExchangeCall, Plan, ScriptCall, Step
from goexchange.model.run import Record, RecordKind
from goexchange.powershell.seam import carried, is_carried

T = TypeVar("T")
Talk = Generator[Effect, Event, T]
Reply = Answered | Refused | Lost
LEASE_MARGIN_S = 5
LEASE_RETRY = timedelta(seconds=5)
LEASE_SILENCE = timedelta(minutes=30)  # how long after its end a lease is asked after
LOSSES_MAX = 3
FIRST_LOOK = timedelta(seconds=0.2)


class LeaseGone(GoexchangeError):
    """Our lease is lost or the host saw a higher fencing number: nothing more is sent."""

    id = "lease-gone"


class LeaseDenied(GoexchangeError):
    """Somebody else holds a lease that this run needs; nothing was sent."""

    id = "lease-denied"
    exit_code = ExitCode.LOCKED


class LeasesAway(LeaseDenied):
    """What keeps the leases cannot be asked; nothing was sent."""

    id = "leases-away"
    exit_code = ExitCode.UNREACHABLE


class Conversation:
    """The machine's memory of one process: the folded journal, and what dies with the process."""

    def __init__(
        self, *, plan: Plan, identity: RunIdentity, records: Sequence[Record], guards: Guards
    ) -> None:
        self.plan = plan
        self.identity = identity
        self.watch = Watch(plan, records)
        self.answers: dict[str, str] = {}  # an operator's, by step in doubt; used once
        self.kept = Kept()
        self.kept.take(records)
        self.guards = guards
        self.now: datetime = plan.created_at_utc
        self.actual: dict[str, ActualServer] = {}
        self.numbers: Mapping[str, int] = {}
        self.lease_expires: datetime | None = None
        self.ask_leases_at: datetime | None = None  # again, after nobody could be asked
        self.tended_at: dict[str, datetime] = {}  # by server: sentinel fed, sign of life given
        self.asked: list[Requested] = []
        self.heard = 0  # requests, journalled or not
        self.track = ""  # whose turn it is: the run's own, or a server's
        self.at_work: frozenset[str] = frozenset()  # servers whose tracks go on beside it
        self.is_claimed = False
        self.unclaimed: set[str] = set()  # hosts that were silent when they were to be claimed

    @property
    def state(self) -> RunState:
        """The folded journal."""
        return self.watch.state

    def enter(self, track: str, at_work: frozenset[str]) -> None:
        """A track goes on; `at_work` are the servers that have one of their own."""
        self.track, self.at_work = track, at_work

    def hear(self, request: Requested) -> None:
        """An operator asked for something; the next record that is appended comes after it."""
        self.asked.append(request)
        self.heard += 1

    @property
    def poll_interval(self) -> timedelta:
        """How long is waited between two looks at most."""
        return timedelta(seconds=self.plan.body.rules.poll_interval_s)

    def next_look(self, since: datetime, *, at_most: timedelta | None = None) -> datetime:
        """When to look again at work that was begun at `since`: soon at first, then at leisure."""
        elapsed = max(self.now - since, timedelta(0))
        limit = self.poll_interval if at_most is None else at_most
        return self.now + min(limit, max(FIRST_LOOK, elapsed / 2))

    def observed(self) -> ActualState:
        """Everything this process has observed, newest of each server."""
        servers = tuple(self.actual[name] for name in sorted(self.actual))
        newest = max((server.observed_at_utc for server in servers), default=self.now)
        return ActualState(observed_at_utc=newest, servers=servers)

    def has_asked(self, request: Request) -> bool:
        """Whether an operator has asked for this, journalled or not."""
        return request.value in self.state.requests or any(
            asked.request is request for asked in self.asked
        )

    def append(self, *drafts: Draft) -> Talk[None]:
        """Journal these records, flushed, and any request that waits to be journalled.

        Raises: LeaseGone when a step is about to begin and our lease, which has run out, is not
        ours any more.
        """
        begins = any(draft.kind is RecordKind.INTENT for draft in drafts)
        if begins and self.lease_expires is not None and self.now >= self.lease_expires:
            yield from self._keep_lease(0)
        asked, self.asked = self.asked, []
        requests = [request_draft(one) for one in asked]
        wanted = (*requests, *drafts)
        if not wanted:
            return
        self.watch.require(wanted)
        event = yield Append(drafts=wanted)
        assert isinstance(event, Appended)
        for record in event.records:
            self.watch.take(record)
        self.kept.take(event.records)

    def acquire(self, at_least: Mapping[str, int] | None = None) -> Talk[None]:
        """Acquire every lease of the run, or none; `at_least` are numbers that must be reached.

        Raises: LeaseDenied with who holds one and until when; LeasesAway when nobody can tell.
        """
        event = yield AcquireLeases(
            servers=scope_leases(self.plan),
            lease_s=self.plan.body.rules.lease_s,
            cmdlet_limit_s=longest_cmdlet_s(self.plan),
            at_least=at_least or {},
        )
        if isinstance(event, LeasesDenied):
            raise LeaseDenied(event.message)
        if isinstance(event, LeasesUnreachable):
            raise LeasesAway(event.message)
        self._held(event)

    def lease_drafts(self, state: str) -> tuple[Draft, ...]:
        """Journal records that say how it stands with our leases."""
        expires = time_text(self.lease_expires or self.now)
        return tuple(
            Draft(
                RecordKind.LEASE,
                {
                    "server": server,
                    "number": number,
                    "holder": self.identity.holder,
                    "expires_at_utc": expires,
                    "state": state,
                },
            )
            for server, number in sorted(self.numbers.items())
        )

    def send(
        self, server: str, call: ExchangeCall | ScriptCall, limit_s: float, purpose: str
    ) -> Talk[Reply]:
        """Send one call under a lease that outlasts it. An Exchange answer with error records is a
        refusal.

        Raises: LeaseGone when the lease cannot be kept or the host fences us off.
        """
        sent = self._as_sent(server, call, purpose)
        is_unfenced = isinstance(sent, ExchangeCall) and changes(sent)
        yield from self._keep_lease(limit_s, is_fresh=is_unfenced)
        assert self.lease_expires is not None
        left = (self.lease_expires - self.now).total_seconds() - LEASE_MARGIN_S
        event = yield Send(
            server=server, call=sent, time_limit_s=max(1.0, min(limit_s, left)), purpose=purpose
        )
        assert isinstance(event, (Answered, Refused, Lost))
        if isinstance(event, Refused) and event.code == "fenced" and purpose != "claim":
            raise LeaseGone(f"{server} is held by a newer run: {event.message}")
        if (
            isinstance(event, Answered)
            and isinstance(call, ExchangeCall)
            and event.result["errors"]
        ):
            first = event.result["errors"][0]
            return Refused(code=str(first["id"]), message=str(first["message"]))
        return event

    def _as_sent(
        self, server: str, call: ExchangeCall | ScriptCall, purpose: str
    ) -> ExchangeCall | ScriptCall:
        """A cmdlet for a version without an endpoint goes by host script, which fences it, and
        does on no other node than the planned one what has to be done there.
        """
        generation = generation_of(self.plan, server)
        if not isinstance(call, ExchangeCall) or not is_carried(generation):
            return call
        root, fence = root_of(self.plan, server) or "", self.numbers[server]
        node = node_of(self.plan, purpose)
        return carried(generation, call, root=root, fence=fence, node=node)

    def send_patiently(
        self, server: str, call: ExchangeCall | ScriptCall, limit_s: float, purpose: str
    ) -> Talk[Reply]:
        """Send a call that may be repeated: a lost answer is asked for again, a few times."""
        reply: Reply = Lost(message="not sent")
        for _ in range(LOSSES_MAX):
            reply = yield from self.send(server, call, limit_s, purpose)
            if not isinstance(reply, Lost):
                return reply
            yield from self.wait(self.now + self.poll_interval)
        return reply

    def observe(self, server: str, databases: tuple[str, ...]) -> Talk[Observed | Refused | Lost]:
        """Observe a server; what was seen is journalled, since decisions rest on it."""
        event: Event = Lost(message="not asked")
        for _ in range(LOSSES_MAX):
            yield from self._keep_lease(0)
            event = yield Observe(server=server, databases=databases)
            if not isinstance(event, Lost):
                break
            yield from self.wait(self.now + self.poll_interval)
        assert isinstance(event, (Observed, Refused, Lost))
        if isinstance(event, Observed):
            self.actual[server] = event.server
        return event

    def facts_drafts(self) -> tuple[Draft, ...]:
        """Records of what has been observed last."""
        return tuple(
            Draft(RecordKind.FACTS, {"server": name, "actual": to_plain(server)})
            for name, server in sorted(self.actual.items())
        )

    def facts_drafts_of(self, server: str) -> tuple[Draft, ...]:
        """The same for one server."""
        return tuple(one for one in self.facts_drafts() if one.data["server"] == server)

    def wait(self, until: datetime) -> Talk[bool]:
        """Wait, keeping lease and sentinel alive; return False when an operator's request ended the
        wait early.
        """
        while self.now < until:
            yield from self.keep_up()
            heard = self.heard
            yield WaitUntil(moment=max(self.now, min(until, self._next_duty(until))))
            if self.heard > heard:
                yield from self.append()
                return False
        return True

    def keep_up(self) -> Talk[None]:
        """Renew the lease and feed the sentinels when it is time."""
        yield from self._keep_lease(0)
        for server in self._ours_to_tend():
            if self.is_claimed and self.now >= self._tend_at(server):
                self.tended_at[server] = self.now
                for step in self._placed_sentinels(server):
                    call = feed_call(step, self.numbers[server], self.identity.run)
                    yield from self.send(server, call, 60, "feed")
                if server in self.kept.at:  # the run's sign of life, and what is new
                    yield from touch(self, server)

    @property
    def _heartbeat(self) -> timedelta:
        return timedelta(seconds=self.plan.body.rules.heartbeat_s)

    def _next_duty(self, otherwise: datetime) -> datetime:
        duties = [otherwise, self._renew_at()]
        duties += [
            self._tend_at(server) for server in self._ours_to_tend() if server in self.tended_at
        ]
        return min(duties)

    def _tend_at(self, server: str) -> datetime:
        return self.tended_at[server] + self._heartbeat if server in self.tended_at else self.now

    def _ours_to_tend(self) -> tuple[str, ...]:
        """Hosts that wait for a heartbeat: this track's server, and those that have no track."""
        return tuple(
            server
            for server in sorted(self.numbers)
            if (server == self.track or server not in self.at_work)
            and server not in self.unclaimed
            and (server in self.kept.at or self._placed_sentinels(server))
        )

    def _renew_at(self) -> datetime:
        assert self.lease_expires is not None
        moment = self.lease_expires - timedelta(seconds=self.plan.body.rules.lease_s * 2 / 3)
        return moment if self.ask_leases_at is None else max(moment, self.ask_leases_at)

    def _keep_lease(self, limit_s: float, *, is_fresh: bool = False) -> Talk[None]:
        """Renew when a third of the lease has gone, when it would not outlast a call of that
        length, and always before what no host fences (`is_fresh`).

        Shape: while what keeps the leases cannot be asked, a lease that outlasts the call is good
        enough: nobody else can have it. After that nothing is sent until it can be asked again.
        """
        assert self.lease_expires is not None  # nothing is sent before the leases are held
        wanted = min(limit_s, self.plan.body.rules.lease_s * 2 / 3) + LEASE_MARGIN_S
        while True:
            is_short = self.lease_expires - self.now < timedelta(seconds=wanted)
            if self.now < self._renew_at() and not is_short and not is_fresh:
                return
            event = yield RenewLeases(
                servers=tuple(sorted(self.numbers)), lease_s=self.plan.body.rules.lease_s
            )
            if not isinstance(event, LeasesUnreachable):
                break
            self.ask_leases_at = self.now + LEASE_RETRY
            if not is_short:
                return
            if self.now >= self.lease_expires + LEASE_SILENCE:
                raise LeaseGone(f"it expired, and whether it is ours is not known: {event.message}")
            yield WaitUntil(moment=self.ask_leases_at)
        if isinstance(event, LeasesDenied):
            raise LeaseGone(event.message)
        before = self.numbers
        self._held(event)
        if self.numbers != before:
            raise LeaseGone(
                "the fencing numbers moved under us: somebody held the lease in between"
            )

    def _held(self, event: Event) -> None:
        assert isinstance(event, LeasesHeld)
        self.numbers = dict(event.numbers)
        self.lease_expires = event.expires_at

    def _placed_sentinels(self, server: str) -> tuple[Step, ...]:
        placed: list[Step] = []
        for lane in self.plan.body.lanes:
            if lane.server != server:
                continue
            removed = any(
                happened(self.state.step(step.id))
                for step in lane.steps
                if step.action is Action.REMOVE_SENTINEL
            )
            mine = [
                step
                for step in lane.steps
                if step.action is Action.PLACE_SENTINEL
                and happened(self.state.step(step.id))
                and not removed
            ]
            placed += mine[-1:]  # placed anew, it speaks of something else
        return tuple(placed)


def request_draft(asked: Requested) -> Draft:
    """The record of what an operator asked."""
    named = {"id": asked.id} if asked.id else {}
    return Draft(RecordKind.REQUEST, {"request": asked.request.value, "by": asked.by, **named})


def outcome_draft(step: Step, attempt: int, **members: Any) -> Draft:
    """The record of how an attempt of a step ended."""
    return Draft(RecordKind.OUTCOME, {"step": step.id, "attempt": attempt, **members})
