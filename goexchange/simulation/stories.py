"""A night told to its end: faults, controllers that die, fresh ones that go on, perhaps a second
one with a store of its own; then what is left is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from attrs import define, field, frozen

from goexchange.driver import effects
from goexchange.driver.guards import Guards
from goexchange.driver.invariants import Violation
from goexchange.errors import ExitCode
from goexchange.model.plan import Action, Plan
from goexchange.model.run import RecordKind, RunResult
from goexchange.simulation.aftermath import at_rest
from goexchange.simulation.faults import Fault, FaultKind, Phase
from goexchange.simulation.night import Night, NightBroken, night_of
from goexchange.simulation.performer import Performer
from goexchange.simulation.trouble import ControllerDied, Fired, TroubledPerformer, servers_of
from goexchange.world.world import World

EVENTS_MAX = 15_000
CONTROLLERS_MAX = 12
RIVAL_RUN = "20261128T213500-9999"
RIVAL_USER = "gxadmin2"
RESUME_AFTER = timedelta(minutes=2)
SETTLE = timedelta(hours=3)
NOTHING_BEGAN = frozenset({
    ExitCode.LOCKED, ExitCode.STALE, ExitCode.UNAPPROVED, ExitCode.NOT_NOW, ExitCode.UNREACHABLE,
})  # fmt: skip
_EXCUSES = {
    FaultKind.ORIGINAL_DESTROYED: ("I2", "I3"),
    FaultKind.OPERATOR_MOVE: ("I3", "I17"),
    FaultKind.ACTIVE_MOVES: ("I3",),  # original and set are where the active copy was
}


@frozen(kw_only=True)
class Story:
    """How a night went.

    Shape: `violations` are the broken invariants (none in a good night), `text` says more about
    them; `result` is None when the night broke; `timeline` is made only when asked for.
    """

    result: RunResult | None
    violations: tuple[Violation, ...]
    text: str
    fired: tuple[Fired, ...]
    events: int
    controllers: int
    seconds: float
    ends: tuple[int, ...]
    outages: dict[str, float] = field(factory=dict)
    timeline: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.violations and self.result is not None

    def broken(self) -> str:
        """The invariants in one word each, or what else went wrong."""
        names = sorted({one.invariant for one in self.violations})
        return ", ".join(names) if names else "" if self.is_good else "no end"


def troubled(plan: Plan, world: World, calm: Performer, faults: tuple[Fault, ...]) -> Night:
    """The night of a plan in that world, with these faults laid out."""
    performer = TroubledPerformer(
        world=world,
        clock=calm.clock,
        root=calm.root,
        servers=servers_of(plan),
        waiting=list(faults),
    )
    performer.arm()
    return night_of(plan, performer)


def tell(night: Night, *, guards: Guards | None = None, is_told: bool = False) -> Story:
    """Play the night to its end, as long as that takes, and look at what is left."""
    night.guards = guards
    teller = _Teller(night=night, is_told=is_told)
    began = night.performer.clock.now()
    result: RunResult | None = None
    violations: tuple[Violation, ...] = ()
    text = ""
    try:
        result = teller.run()
    except NightBroken as broken:
        violations, text = broken.violations, str(broken)
        if not violations:
            violations = (Violation(invariant="END", step="", why=text),)
    performer = teller.performer
    teller.note_world()
    return Story(
        result=result,
        violations=violations,
        text=text,
        fired=(*performer.fired, *teller.fired_in_world()),
        events=teller.events,
        controllers=night.controllers + (teller.rival.controllers if teller.rival else 0),
        seconds=(performer.clock.now() - began).total_seconds(),
        ends=tuple(teller.ends),
        timeline=tuple(line for _, _, line in sorted(teller.lines)),
    )


@define(kw_only=True)
class _Teller:
    """Who plays: the night, and its rival when there is one."""

    night: Night
    is_told: bool
    rival: Night | None = None
    rival_result: RunResult | None = None
    ends: list[int] = field(factory=list)
    lines: list[tuple[str, int, str]] = field(factory=list)
    events: int = 0
    told_fired: int = 0

    @property
    def performer(self) -> TroubledPerformer:
        assert isinstance(self.night.performer, TroubledPerformer)
        return self.night.performer

    def run(self) -> RunResult:
        """Play until the run has ended or a person is needed."""
        while True:
            result = self._play_controller()
            if result is None:  # it died
                self.say("controller", "it is gone; a fresh one resumes after two minutes")
                self._rest(RESUME_AFTER)
                continue
            self.ends.append(result.exit_code)
            self.say("run", f"ends with exit code {result.exit_code}: {result.verdict}")
            if self._is_over(result):
                return self._end(result)
            self.night.kill()
            self._rest(RESUME_AFTER * 5)

    def _is_over(self, result: RunResult) -> bool:
        if self.night.controllers >= CONTROLLERS_MAX:
            return True
        records = self.performer.records
        if not any(one.kind is RecordKind.RUN_STARTED for one in records):
            return result.exit_code in NOTHING_BEGAN or result.exit_code == ExitCode.OK
        if self.night.checks.watch.state.ended is None:
            return False  # the lease was lost, or the host is another's
        return result.exit_code != ExitCode.UNKNOWN or len(self.ends) > 3

    def _play_controller(self) -> RunResult | None:
        """One controller to its end; None when it died."""
        while True:
            self._demand_end()
            for request in self.performer.take_requests():
                self.say("operator", f"asks: {request.request.value}")
                self.night.next()
                self.night.take(request)
            effect = self.night.next()
            if isinstance(effect, effects.Finish):
                self._note_faults()
                return effect.result
            try:
                event = self.performer.perform(effect)
            except ControllerDied as died:
                self._note_faults()
                self.say("controller", f"dies: {died}")
                self.night.kill()
                self.night.torn_bytes, self.performer.torn = self.performer.torn, 0
                self.night.check()
                return None
            finally:
                self.events += 1
            self._note_faults()
            self.night.take(event)
            self._play_rival()

    def _demand_end(self) -> None:
        if self.events > EVENTS_MAX or self.night.controllers > CONTROLLERS_MAX * 3:
            why = f"{self.events} events, {self.night.controllers} controllers, and no end"
            raise NightBroken((), why)

    def _note_faults(self) -> None:
        """Say what fired, and excuse what cannot be kept any more."""
        for fired in self.performer.fired[self.told_fired :]:
            self.say("fault", f"{fired.kind.value} ({fired.phase.value}) at {fired.step}")
            self.night.checks.excused.update(_EXCUSES.get(fired.kind, ()))
            if fired.kind is FaultKind.REBUILT_DAMAGED and self._has_been_checked():
                self.night.checks.excused.add("I2")  # what goes bad after the last look is not seen
            if fired.kind is FaultKind.CLOCK_JUMP:
                self.night.checks.excused.update(("I10", "I11"))
        self.told_fired = len(self.performer.fired)

    def _has_been_checked(self) -> bool:
        """Whether the check of a rebuilt file has begun."""
        state = self.night.checks.watch.state
        return any(
            state.step(step.id).attempts
            for lane in self.night.plan.body.lanes
            for step in lane.steps
            if step.action is Action.DETECT_ERRORS_TEMPORARY
        )

    def _play_rival(self) -> None:
        """A second controller: the same plan, its own store; it moves when its time has come."""
        if self.rival is None:
            if not self.performer.wants_rival:
                return
            performer = Performer(
                world=self.performer.world,
                clock=self.performer.clock,
                root=self.performer.root,
                user=RIVAL_USER,
            )
            self.rival = night_of(self.night.plan, performer, run=RIVAL_RUN)
            self.rival.checks.first.update(self.night.checks.first)
            self.rival.checks.seen_effects = len(self.performer.world.effects)
            self.say("rival", "a second controller with a store of its own begins the same plan")
        if self.rival_result is not None:
            return
        for _ in range(2):
            effect = self.rival.next()
            if isinstance(effect, effects.Finish):
                self.rival_result = effect.result
                words = f"ends with {effect.result.exit_code}: {effect.result.verdict}"
                self.say("rival", words)
                return
            now = self.performer.clock.now()
            if isinstance(effect, effects.WaitUntil) and effect.moment > now:
                return
            self.rival.take(self.rival.performer.perform(effect))
            self.events += 1

    def _rest(self, how_long: timedelta) -> None:
        """Time goes by without the controller; the rival goes on."""
        until = self.performer.clock.now() + how_long
        while self.rival is not None and self.rival_result is None:
            self._play_rival()
            if self.rival_result is not None or self.performer.clock.now() >= until:
                break
            effect = self.rival.next()
            if isinstance(effect, effects.WaitUntil):
                self.performer.let_pass(min(until, effect.moment))
            self._demand_end()
        self.performer.let_pass(until)

    def _end(self, result: RunResult) -> RunResult:
        """Let everything settle, and look once more."""
        while self.rival is not None and self.rival_result is None:
            self._rest(timedelta(minutes=10))
            self._demand_end()
        self.performer.let_pass(self.performer.clock.now() + SETTLE)
        self.night.check()
        world = self.performer.world
        broken = (
            *self.night.checks.at_end(world, result),
            *at_rest(self.night, result, rival=self.rival),
        )
        broken = tuple(one for one in broken if one.invariant not in self.night.checks.excused)
        if self.rival is not None and self.rival_result is not None:
            broken += self.rival.checks.at_end(world, self.rival_result)
        if broken:
            text = "; ".join(f"{one.invariant} {one.step}: {one.why}" for one in broken)
            raise NightBroken(broken, text)
        return result

    def fired_in_world(self) -> tuple[Fired, ...]:
        """Faults that the world kept until their occasion came."""
        return tuple(
            Fired(
                kind=FaultKind(name),
                step="",
                phase=Phase.FROM_THE_START,
                at=self.performer.clock.now(),
            )
            for name in self.performer.world.faults.fired
        )

    def say(self, who: str, what: str) -> None:
        """A line of the timeline."""
        if self.is_told:
            moment = f"{self.performer.clock.now():%H:%M:%S.%f}"[:-3]
            self.lines.append((moment, len(self.lines), f"{moment}  {who:10}  {what}"))

    def note_world(self) -> None:
        """What the world and the journals say, as lines of the timeline."""
        if not self.is_told:
            return
        for effect in self.performer.world.effects:
            who = effect.by or "world"
            moment = f"{effect.at:%H:%M:%S.%f}"[:-3]
            what = f"{effect.kind} {effect.database or ''} {effect.detail}".strip()
            self.lines.append((moment, len(self.lines), f"{moment}  {who:10}  {what}"))
        for record in self.performer.records:
            told = _TOLD.get(record.kind)
            if told is not None:
                moment = f"{record.at_utc - self.performer.skew:%H:%M:%S.%f}"[:-3]
                line = f"{moment}  {'journal':10}  {told(record.data)}"
                self.lines.append((moment, len(self.lines), line))


def _outcome(data: dict[str, object]) -> str:
    result = data["result"]
    why = f" ({result['why']})" if isinstance(result, dict) and "why" in result else ""
    return f"{data['outcome']} {data['step']}{why}"


_TOLD: dict[RecordKind, Callable[..., str]] = {
    RecordKind.INTENT: lambda data: f"intent {data['step']} attempt {data['attempt']}",
    RecordKind.OUTCOME: _outcome,
    RecordKind.SKIPPED: lambda data: f"skipped {data['step']}: {data['why']}",
    RecordKind.LOOKED: lambda data: f"looked at {data['step']}: {data['meaning']}",
    RecordKind.QUESTION: lambda data: f"question about {data['step']}: {data['evidence']}",
    RecordKind.RUN_RESUMED: lambda data: f"resumed, in doubt: {data['steps_in_doubt']}",
    RecordKind.LANE_ENDED: lambda data: f"lane {data['lane']} ends {data['state']}: {data['why']}",
}


def counts_of(fired: tuple[Fired, ...]) -> Counter[str]:
    """How often each kind fired."""
    return Counter(one.kind.value for one in fired)
