"""What goes wrong in a night, chosen by a seed: every kind of fault, and where it is to happen.

A fault waits for its *occasion*: a phase of one step. It counts only when it really fired, with the
step and phase at which it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from goexchange.model.plan import Action, ControllerCall, Direction, Plan, Step
from goexchange.world.chance import number

FAULTS_MAX = 4


class FaultKind(Enum):
    """Everything that the simulation can do to a night."""

    KILL = "kill"
    LOST_REQUEST = "lost-request"
    LOST_ANSWER = "lost-answer"
    LATE_REQUEST = "late-request"
    DUPLICATE = "duplicate"
    HANG = "hang"
    SLOW = "slow"
    HOST_REBOOT = "host-reboot"
    WINRM_RESTART = "winrm-restart"
    CLOCK_JUMP = "clock-jump"
    DAYLIGHT_SAVING = "daylight-saving"
    DISK_FULL_DATABASE = "disk-full-database"
    DISK_FULL_SET = "disk-full-set"
    STORE_READ_ONLY = "store-read-only"
    TORN_JOURNAL = "torn-journal"
    TORN_COPY = "torn-copy"
    FLIPPED_BIT = "flipped-bit"
    ESEUTIL_ERROR = "eseutil-error"
    MOUNT_FAILS = "mount-fails"
    BACKUP_FAILS = "backup-fails"
    ORIGINAL_DESTROYED = "original-destroyed"
    REBUILT_DAMAGED = "rebuilt-damaged"
    STORE_CRASH = "store-crash"
    FOREIGN_BACKUP = "foreign-backup"
    FOREIGN_MOVE = "foreign-move"
    SECOND_CONTROLLER = "second-controller"
    OPERATOR_DISMOUNT = "operator-dismount"
    OPERATOR_MOUNT = "operator-mount"
    OPERATOR_MOVE = "operator-move"
    COPY_FAILS = "copy-fails"
    SEED_FAILS = "seed-fails"
    ACTIVE_MOVES = "active-moves"
    OPERATOR_RESUMES = "operator-resumes"
    MOVE_REFUSED = "move-refused"
    COMPONENT_STUCK = "component-stuck"
    QUEUES_STUCK = "queues-stuck"
    SERVICE_STOPS = "service-stops"
    MEMBER_GOES = "member-goes"
    NODE_MOVES = "node-moves"
    REQUEST_ABORT = "request-abort"
    REQUEST_STOP = "request-stop"


class Phase(Enum):
    """Where in the life of a step."""

    BEFORE_INTENT = "before intent"
    AFTER_INTENT = "between intent and send"
    BEFORE_EFFECT = "between send and effect"
    AFTER_EFFECT = "between effect and answer"
    BEFORE_OUTCOME = "between answer and outcome"
    AFTER_OUTCOME = "after outcome"
    FROM_THE_START = "from the start"


class Place(Enum):
    """Which of the controller's acts about a step."""

    INTENT = "intent"
    SEND = "send"
    OUTCOME = "outcome"


@frozen(kw_only=True)
class Fault:
    """One thing that goes wrong.

    Shape: `step` is the id of a step of the plan; `place` and `is_after` say at which act of the
    controller, and whether before or after it; `nth` counts these acts, so that a poll can be hit;
    `delay_s` postpones what happens to the world; `number` is what the kind makes of it (an error,
    a length, a choice).
    """

    kind: FaultKind
    step: str
    place: Place
    is_after: bool = False
    nth: int = 1
    delay_s: float = 0.0
    number: int = 0

    @property
    def phase(self) -> Phase:
        """The phase in words."""
        return _PHASES[self.place, self.is_after]

    def text(self) -> str:
        """One line for people."""
        again = f", the {self.nth}. of them" if self.nth > 1 else ""
        later = f", {self.delay_s:g} s later" if self.delay_s else ""
        return f"{self.kind.value} at {self.step}, {self.phase.value}{again}{later}"


_PHASES = {
    (Place.INTENT, False): Phase.BEFORE_INTENT,
    (Place.INTENT, True): Phase.AFTER_INTENT,
    (Place.SEND, False): Phase.BEFORE_EFFECT,
    (Place.SEND, True): Phase.AFTER_EFFECT,
    (Place.OUTCOME, False): Phase.BEFORE_OUTCOME,
    (Place.OUTCOME, True): Phase.AFTER_OUTCOME,
}
_OF_A_CALL = frozenset({
    FaultKind.LOST_REQUEST, FaultKind.LOST_ANSWER, FaultKind.LATE_REQUEST, FaultKind.DUPLICATE,
    FaultKind.HANG, FaultKind.SLOW,
})  # fmt: skip
_OF_AN_APPEND = frozenset({FaultKind.STORE_READ_ONLY, FaultKind.TORN_JOURNAL})
AT_THE_START = frozenset({
    FaultKind.TORN_COPY, FaultKind.FLIPPED_BIT, FaultKind.ESEUTIL_ERROR, FaultKind.MOUNT_FAILS,
    FaultKind.BACKUP_FAILS, FaultKind.SEED_FAILS, FaultKind.MOVE_REFUSED,
    FaultKind.DAYLIGHT_SAVING,
})  # fmt: skip
OF_A_SECOND_CONTROLLER = frozenset({FaultKind.SECOND_CONTROLLER})
OF_COPIES = frozenset({
    FaultKind.COPY_FAILS, FaultKind.SEED_FAILS, FaultKind.ACTIVE_MOVES, FaultKind.OPERATOR_RESUMES,
})  # fmt: skip
OF_SERVERS = frozenset({
    FaultKind.MOVE_REFUSED, FaultKind.COMPONENT_STUCK, FaultKind.QUEUES_STUCK,
    FaultKind.SERVICE_STOPS, FaultKind.MEMBER_GOES,
})  # fmt: skip
_OF_MEMBERS = OF_SERVERS | {FaultKind.COPY_FAILS, FaultKind.ACTIVE_MOVES}
# A daylight-saving change belongs to the night's date, and clusters are no part of drawn sites.
OF_CLUSTERS = frozenset({FaultKind.NODE_MOVES})
NOT_DRAWN = frozenset({FaultKind.DAYLIGHT_SAVING}) | OF_CLUSTERS
PLANNABLE = tuple(kind for kind in FaultKind if kind not in NOT_DRAWN)


def faults_of(
    seed: int, plan: Plan, *, kinds: Sequence[FaultKind] = PLANNABLE
) -> tuple[Fault, ...]:
    """The faults of a seed: none in one night of twenty, else up to four, most often one or two.
    The first is of each kind in turn, so that a few dozen seeds lay out every kind.
    """
    steps = tuple(step for lane in plan.body.lanes for step in lane.steps)
    kinds = [kind for kind in kinds if kind not in _cannot_happen(steps)]
    draw = number(seed, "how many", below=20)
    count = 0 if draw == 0 else 1 if draw < 9 else 2 if draw < 15 else 3 if draw < 18 else 4
    if not steps or not kinds:
        return ()
    faults: list[Fault] = []
    for index in range(min(count, FAULTS_MAX)):
        near = _near(seed, index, steps, faults)
        turn = number(seed // len(kinds), "turn", below=len(kinds)) + seed
        among = kinds if index else (kinds[turn % len(kinds)],)
        if _is_of_members(seed, index, steps):
            among = [kind for kind in kinds if kind in _OF_MEMBERS]
        faults.append(_fault(seed, index, near, among))
    return tuple(faults)


def _cannot_happen(steps: Sequence[Step]) -> frozenset[FaultKind]:
    """What has nothing to happen to: copies that are touched, a server that is taken down."""
    actions = {step.action for step in steps}
    without = frozenset[FaultKind]()
    if Action.TAKE_SERVER_DOWN not in actions:
        without |= OF_SERVERS
    if Action.SUSPEND_COPY not in actions:
        moves = Action.PAUSE_NODE in actions  # only a member's node is paused
        without |= OF_COPIES - (_OF_MEMBERS if moves else frozenset())
    return without


def _is_of_members(seed: int, index: int, steps: Sequence[Step]) -> bool:
    """Every third fault of a night that takes a member down is one of groups: few nights do."""
    is_member = any(step.action is Action.PAUSE_NODE for step in steps)
    return is_member and number(seed, "of members", index, below=3) == 0


def _near(
    seed: int, index: int, steps: Sequence[Step], earlier: Sequence[Fault]
) -> Sequence[Step]:
    """Two things that go wrong meet more often than chance would have it: every second later fault
    is looked for around the one before.
    """
    if not earlier or number(seed, "near", index, below=2):
        return steps
    at = next(at for at, step in enumerate(steps) if step.id == earlier[-1].step)
    return steps[max(0, at - 2) : at + 5]


def fault_of(seed: int, plan: Plan, kind: FaultKind) -> Fault:
    """One fault of a kind, somewhere in the night."""
    steps = tuple(step for lane in plan.body.lanes for step in lane.steps)
    return _fault(seed, 0, steps, (kind,))


def _fault(seed: int, index: int, steps: Sequence[Step], kinds: Sequence[FaultKind]) -> Fault:
    def draw(name: str, below: int) -> int:
        return number(seed, "fault", index, name, below=below)

    kind = kinds[draw("kind", len(kinds))]
    places = _places_of(kind)
    place = places[draw("place", len(places))]
    among = [step for step in steps if place is not Place.SEND or _is_sent(step)] or list(steps)
    if draw("away", 3):  # the ways back are there to be reached by faults, not to be picked
        among = [one for one in among if one.direction is not Direction.BACK] or among
        among = [one for one in among if one.action in _APT.get(kind, ())] or among
    step = among[draw("step", len(among))]
    is_job = step.probe is None and step.time_limit_s > 3600 and place is Place.SEND
    return Fault(
        kind=kind,
        step=step.id,
        place=place,
        is_after=bool(draw("after", 2)) and kind not in _OF_A_CALL | _OF_AN_APPEND,
        nth=1 + (draw("nth", 5) if is_job else 0),
        delay_s=float(_DELAYS[draw("delay", len(_DELAYS))]) if _may_be_delayed(kind) else 0.0,
        number=draw("number", 2**16),
    )


_DOWN = frozenset({
    Action.READ_HEADER, Action.DETECT_ERRORS, Action.COPY_SET, Action.REBUILD,
    Action.READ_TEMPORARY_HEADER, Action.DETECT_ERRORS_TEMPORARY, Action.VERIFY_SET_ON_HOST,
    Action.HASH_SET, Action.SEAL_SET, Action.COPY_REBUILT, Action.SWAP, Action.MOUNT,
    Action.FIND_DAMAGE, Action.COPY_EVIDENCE, Action.REREAD_SOURCE, Action.HASH_EVIDENCE,
    Action.COPY_FOR_REPAIR, Action.REPAIR,
})  # fmt: skip
_REBUILT = frozenset({
    Action.READ_TEMPORARY_HEADER, Action.DETECT_ERRORS_TEMPORARY, Action.VERIFY_SET_ON_HOST,
    Action.HASH_SET, Action.SEAL_SET, Action.COPY_REBUILT, Action.SWAP,
})  # fmt: skip
_INTO = frozenset({
    Action.LAST_LOOK, Action.PLACE_SENTINEL, Action.SET_COMPONENT, Action.REDIRECT_MESSAGES,
    Action.PAUSE_NODE, Action.BLOCK_ACTIVATION, Action.MOVE_ACTIVE,
})  # fmt: skip
_APT = {  # where there is something that it can happen to
    FaultKind.OPERATOR_MOUNT: _DOWN,
    FaultKind.OPERATOR_MOVE: _REBUILT,
    FaultKind.REBUILT_DAMAGED: _REBUILT,
    FaultKind.ORIGINAL_DESTROYED: _DOWN,
    FaultKind.COMPONENT_STUCK: _INTO,
    FaultKind.QUEUES_STUCK: _INTO,
    FaultKind.MEMBER_GOES: _INTO | {Action.TAKE_SERVER_DOWN},
    FaultKind.SERVICE_STOPS: frozenset({Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER}),
}
_DELAYS = (0, 0, 0, 1, 3, 10, 40, 120, 600)


def _may_be_delayed(kind: FaultKind) -> bool:
    return kind not in _OF_A_CALL | _OF_AN_APPEND | AT_THE_START | {FaultKind.KILL}


def _places_of(kind: FaultKind) -> tuple[Place, ...]:
    if kind in _OF_A_CALL:
        return (Place.SEND,)
    if kind in _OF_AN_APPEND:
        return (Place.INTENT, Place.OUTCOME)
    return (Place.INTENT, Place.SEND, Place.OUTCOME)


def _is_sent(step: Step) -> bool:
    return not isinstance(step.call, ControllerCall)
