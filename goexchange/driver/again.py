"""What a resume owes: of lanes that ended badly, the steps that are looked at and tried once more.

Nothing that leads away from service, nothing that takes a file's place, and no operator's program
is ever among them. What is opened again is named in the journal, so that a replay needs no plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from goexchange.driver.judgement import Subject
from goexchange.driver.lane_of_server import PUTS_BACK, TAKES
from goexchange.driver.lanes import facts_of, happened, has_failed, is_proved
from goexchange.driver.proof import backup_proof
from goexchange.journal.replay import RunState
from goexchange.model.actual import ActualServer
from goexchange.model.plan import Action, Lane, Plan, RunsWhen, Step
from goexchange.model.run import LaneState

NEVER_HELD = "its condition never held"
_BRINGS_BACK = frozenset(
    {
        Action.CANCEL_JOBS,
        Action.SWAP_BACK,
        Action.SET_ASIDE,
        Action.COPY_BACK,
        Action.HASH_BACK,
        Action.MOVE_LOGS_ASIDE,
        Action.PUT_AWAY,
        Action.RETURN_PRESENT,
        Action.RETURN_LOGS,
        Action.MOUNT_ORIGINAL,
        Action.CONFIRM_MOUNTED,
        Action.DELETE_TEMPORARY,
        Action.RESUME_COPY,
        Action.AWAIT_COPY,
        Action.SEED_COPY,
        Action.SUSPEND_ACTIVATION,
        Action.START_MTA,
        Action.CONFIRM_MTA,
        *PUTS_BACK,
        Action.START_SERVICES,
    }
)
_COPY_BACK = frozenset(
    {
        Action.CANCEL_JOBS,
        Action.RESUME_COPY,
        Action.AWAIT_COPY,
        Action.SEED_COPY,
        Action.SUSPEND_ACTIVATION,
    }
)
_TIDIES = frozenset(
    {
        Action.RESTORE_MOUNT_AT_STARTUP,
        Action.REMOVE_SENTINEL,
        Action.WRITE_DATABASE_RECORD,
        Action.CLOSE_RECOVERY_RECORD,
    }
)
_MOUNTS = frozenset({Action.MOUNT, Action.MOUNT_ORIGINAL})
_REMOVES = frozenset({Action.SWAP_BACK, Action.SET_ASIDE, Action.PUT_AWAY})
_NEVER = frozenset(
    {
        Action.SWAP,
        Action.DISMOUNT,
        Action.SET_MOUNT_AT_STARTUP,
        Action.REBUILD,
        Action.REPAIR,
        Action.TAKE_ASIDE,
        Action.RETURN_FILE,
        Action.TAKE_LOGS_ASIDE,
        Action.NEW_RECOVERY_DATABASE,
        Action.NEW_SCRATCH_GROUP,
        Action.NEW_SCRATCH_DATABASE,
        Action.DISMOUNT_SCRATCH,
        Action.REMOVE_SCRATCH_DATABASE,
        Action.REMOVE_SCRATCH_GROUP,
        Action.SUSPEND_COPY,
        Action.STOP_MTA,
        Action.CHECK_MTA,
        *TAKES,
        Action.MOVE_ACTIVE,
        Action.REDIRECT_MESSAGES,
    }
)


@frozen(kw_only=True)
class Owed:
    """Lanes that are gone on with, and the steps of them that are opened again."""

    lanes: tuple[str, ...]
    steps: tuple[str, ...]


def owed(plan: Plan, state: RunState, actual: Mapping[str, ActualServer]) -> Owed:
    """What a resume opens again; `actual` is what this process has observed."""
    lanes: list[str] = []
    steps: list[str] = []
    for lane in plan.body.lanes:
        if state.lane(lane.id).state in (LaneState.WAITING, LaneState.SKIPPED):
            continue
        seen = actual.get(lane.server)
        wanted = set(_of_lane(plan, lane, state, seen))
        if not wanted and not facts_of(lane, state).is_away:
            continue
        wanted |= {step.id for step in lane.steps if _never_came(step, state)}
        if wanted:
            lanes.append(lane.id)
            steps += [step.id for step in lane.steps if step.id in wanted]
    return Owed(lanes=tuple(lanes), steps=tuple(steps))


def may_be_opened(step: Step, state: RunState) -> bool:
    """Whether a step may be opened again at all (I5): never sent, or no harm when done twice."""
    if step.action in _NEVER:
        return False
    if not state.step(step.id).attempts:
        return True
    is_proof = step.action in (Action.ONLINE_BACKUP, Action.PROVE_BACKUP)
    return is_proof or step.action in _BRINGS_BACK | _TIDIES | _MOUNTS


def _of_lane(plan: Plan, lane: Lane, state: RunState, seen: ActualServer | None) -> Iterator[str]:
    facts = facts_of(lane, state)
    is_out_of_place = any(  # the rebuilt file: there is nothing of it to mount any more
        step.action in _REMOVES and happened(state.step(step.id)) for step in lane.steps
    )
    is_unprotected = facts.is_new_file_mounted and not is_proved(lane, state)
    is_over = state.lane(lane.id).state is not LaneState.RUNNING
    for step in lane.steps:
        record = state.step(step.id)
        if record.is_in_doubt:
            continue
        is_bad = has_failed(step, record)
        is_mount = step.action in _MOUNTS and (
            is_bad or happened(record)
        )  # also one that came down
        is_moot = step.action is Action.MOUNT and is_out_of_place
        is_owed = is_bad and step.action in _TIDIES
        if facts.is_copy_behind:
            is_owed |= is_bad and step.action in _COPY_BACK
        if facts.is_away:
            is_owed |= (is_bad and step.action in _BRINGS_BACK) or (is_mount and not is_moot)
        elif is_over and is_unprotected:
            is_owed |= _protects(plan, lane, step, state, seen=seen)
        if is_owed:
            yield step.id


def _protects(
    plan: Plan, lane: Lane, step: Step, state: RunState, *, seen: ActualServer | None
) -> bool:
    """The proof, the record that tells of it, and the backup when there is nothing to prove."""
    if step.action in (Action.PROVE_BACKUP, Action.WRITE_DATABASE_RECORD):
        return True
    if step.action is not Action.ONLINE_BACKUP:
        return False
    if not happened(state.step(step.id)):
        return True
    proofs = [each for each in lane.steps if each.action is Action.PROVE_BACKUP]
    if seen is None or not proofs:
        return False
    subject = Subject(plan=plan, lane=lane, step=proofs[0], state=state)
    return backup_proof(subject, seen)["proved"] is not True


def _never_came(step: Step, state: RunState) -> bool:
    """Left over at the end of its lane, because its condition had not come yet."""
    is_left_over = state.step(step.id).skipped_because == NEVER_HELD
    return is_left_over and step.runs_when is not RunsWhen.ALL_WELL
