"""Put the steps of a lane together: numbers, ids, and what is the same for every step of an
action.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from goexchange.model.plan import (
    Action,
    Call,
    Direction,
    Lane,
    OnDoubt,
    Reason,
    RunsWhen,
    Step,
)
from goexchange.schedule.history import Estimate

MINUTE = 60
HOUR = 60 * MINUTE


@frozen
class Traits:
    """What steps of one action have in common; a single step may differ."""

    on_doubt: OnDoubt
    time_limit_s: int
    direction: Direction = Direction.NEUTRAL
    runs_when: RunsWhen = RunsWhen.ALL_WELL


_REPEAT, _PROBE, _ATTACH = OnDoubt.REPEAT, OnDoubt.PROBE, OnDoubt.ATTACH
_AWAY, _BACK = Direction.AWAY, Direction.BACK
_IN_SERVICE, _REBUILT = RunsWhen.IN_SERVICE_AGAIN, RunsWhen.REBUILT_IN_SERVICE

TRAITS: Mapping[Action, Traits] = {
    Action.CUSTOM_PROCESS: Traits(_ATTACH, HOUR),
    Action.STOP_SERVICES: Traits(_ATTACH, 30 * MINUTE),
    Action.RESTORE_SERVICES: Traits(_ATTACH, 30 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.OPEN_RECOVERY_RECORD: Traits(_REPEAT, 5 * MINUTE),
    Action.PLACE_SENTINEL: Traits(_REPEAT, 5 * MINUTE),
    Action.EXPORT_CONFIGURATION: Traits(_ATTACH, 2 * HOUR),
    Action.LAST_LOOK: Traits(_REPEAT, 10 * MINUTE),
    Action.NOTIFY: Traits(_REPEAT, MINUTE),
    Action.SET_MOUNT_AT_STARTUP: Traits(_PROBE, 5 * MINUTE, _AWAY),
    Action.DISMOUNT: Traits(_PROBE, 30 * MINUTE, _AWAY),
    Action.READ_HEADER: Traits(_REPEAT, 10 * MINUTE),
    Action.DETECT_ERRORS: Traits(_ATTACH, 12 * HOUR),
    Action.MEASURE_SPACE: Traits(_ATTACH, 12 * HOUR),
    Action.TRY_TARGET: Traits(_ATTACH, 10 * MINUTE),
    Action.COPY_SET: Traits(_ATTACH, 24 * HOUR),
    Action.REBUILD: Traits(_ATTACH, 24 * HOUR),
    Action.READ_TEMPORARY_HEADER: Traits(_REPEAT, 10 * MINUTE),
    Action.READ_STREAMING_HEADER: Traits(_REPEAT, 10 * MINUTE),
    Action.READ_TEMPORARY_STREAMING: Traits(_REPEAT, 10 * MINUTE),
    Action.DETECT_ERRORS_TEMPORARY: Traits(_ATTACH, 12 * HOUR),
    Action.VERIFY_SET_ON_HOST: Traits(_ATTACH, 12 * HOUR),
    Action.HASH_SET: Traits(_ATTACH, 12 * HOUR),
    Action.SEAL_SET: Traits(_REPEAT, 5 * MINUTE),
    Action.VERIFY_SET: Traits(_REPEAT, 12 * HOUR),
    Action.COPY_REBUILT: Traits(_ATTACH, 24 * HOUR),
    Action.VERIFY_REBUILT_ON_HOST: Traits(_ATTACH, 12 * HOUR),
    Action.HASH_REBUILT: Traits(_ATTACH, 12 * HOUR),
    Action.SEAL_REBUILT: Traits(_REPEAT, 5 * MINUTE),
    Action.VERIFY_REBUILT: Traits(_REPEAT, 12 * HOUR),
    Action.FIND_DAMAGE: Traits(_ATTACH, 12 * HOUR),
    Action.COPY_EVIDENCE: Traits(_ATTACH, 24 * HOUR),
    Action.REREAD_SOURCE: Traits(_ATTACH, 12 * HOUR),
    Action.CHECK_EVIDENCE: Traits(_ATTACH, 12 * HOUR),
    Action.HASH_EVIDENCE: Traits(_ATTACH, 12 * HOUR),
    Action.SEAL_EVIDENCE: Traits(_REPEAT, 5 * MINUTE),
    Action.COPY_FOR_REPAIR: Traits(_ATTACH, 24 * HOUR),
    Action.HASH_FOR_REPAIR: Traits(_ATTACH, 12 * HOUR),
    Action.REPAIR: Traits(_ATTACH, 24 * HOUR),
    Action.READ_REPAIRED_HEADER: Traits(_REPEAT, 10 * MINUTE),
    Action.DELETE_WORKING_COPY: Traits(_REPEAT, 10 * MINUTE),
    Action.SWAP: Traits(_PROBE, 10 * MINUTE, _AWAY),
    Action.MOUNT: Traits(_PROBE, 30 * MINUTE, _BACK),
    Action.CONFIRM_MOUNTED: Traits(_REPEAT, 10 * MINUTE, _BACK, _IN_SERVICE),
    Action.CANCEL_JOBS: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.AWAY_BEFORE_SWAP),
    Action.DELETE_TEMPORARY: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.AWAY_BEFORE_SWAP),
    Action.SWAP_BACK: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.AWAY_AFTER_SWAP),
    Action.SET_ASIDE: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.ORIGINAL_LOST),
    Action.COPY_BACK: Traits(_ATTACH, 24 * HOUR, _BACK, RunsWhen.ORIGINAL_LOST),
    Action.HASH_BACK: Traits(_ATTACH, 12 * HOUR, _BACK, RunsWhen.ORIGINAL_LOST),
    Action.MOVE_LOGS_ASIDE: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.MOUNT_TRIED),
    Action.MOUNT_ORIGINAL: Traits(_PROBE, 30 * MINUTE, _BACK, RunsWhen.AWAY_BEFORE_SWAP),
    Action.COPY_FROM_SET: Traits(_ATTACH, 24 * HOUR),
    Action.HASH_FROM_SET: Traits(_ATTACH, 12 * HOUR),
    Action.REPLAY_LOGS: Traits(_ATTACH, 12 * HOUR),
    Action.READ_RETURNED_HEADER: Traits(_REPEAT, 10 * MINUTE),
    Action.READ_RETURNED_STREAMING: Traits(_REPEAT, 10 * MINUTE),
    Action.READ_CORRECTED_STREAMING: Traits(_REPEAT, 10 * MINUTE),
    Action.READ_NEW_STREAMING: Traits(_REPEAT, 10 * MINUTE),
    Action.TAKE_ASIDE: Traits(_REPEAT, 10 * MINUTE, _AWAY),
    Action.RETURN_FILE: Traits(_REPEAT, 10 * MINUTE, _AWAY),
    Action.TAKE_LOGS_ASIDE: Traits(_REPEAT, 10 * MINUTE, _AWAY),
    Action.PUT_AWAY: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.AWAY_AFTER_SWAP),
    Action.RETURN_PRESENT: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.AWAY_AFTER_SWAP),
    Action.RETURN_LOGS: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.AWAY_AFTER_SWAP),
    Action.NEW_RECOVERY_DATABASE: Traits(_PROBE, 10 * MINUTE),
    Action.MOUNT_RECOVERY: Traits(_PROBE, 30 * MINUTE),
    Action.LOOK_AT_RECOVERY: Traits(_REPEAT, 10 * MINUTE),
    Action.RESTORE_MOUNT_AT_STARTUP: Traits(_PROBE, 5 * MINUTE, _BACK, RunsWhen.SETTINGS_CHANGED),
    Action.REMOVE_SENTINEL: Traits(_REPEAT, 5 * MINUTE, _BACK, _IN_SERVICE),
    Action.SUSPEND_BACKUPS: Traits(_ATTACH, HOUR),
    Action.AWAIT_BACKUPS: Traits(_REPEAT, HOUR),
    Action.RESUME_BACKUPS: Traits(_ATTACH, HOUR, runs_when=RunsWhen.UNDO_OF),
    Action.ONLINE_BACKUP_BEFORE: Traits(_ATTACH, 24 * HOUR),
    Action.PROVE_BACKUP_BEFORE: Traits(_REPEAT, HOUR),
    Action.ONLINE_BACKUP: Traits(_ATTACH, 24 * HOUR, runs_when=_REBUILT),
    Action.PROVE_BACKUP: Traits(_REPEAT, HOUR, runs_when=_REBUILT),
    Action.REPAIR_REQUEST: Traits(_PROBE, 12 * HOUR),
    Action.AWAIT_REPAIR_REQUESTS: Traits(_REPEAT, 12 * HOUR),
    Action.STORE_INTEGRITY: Traits(_ATTACH, 24 * HOUR),
    Action.READ_CORRECTED_HEADER: Traits(_REPEAT, 10 * MINUTE),
    Action.READ_NEW_HEADER: Traits(_REPEAT, 10 * MINUTE),
    Action.WRITE_DATABASE_RECORD: Traits(_REPEAT, 5 * MINUTE, runs_when=_IN_SERVICE),
    Action.SUSPEND_COPY: Traits(_PROBE, 10 * MINUTE, _AWAY),
    Action.RESUME_COPY: Traits(_PROBE, 10 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.AWAIT_COPY: Traits(_REPEAT, 4 * HOUR, _BACK, RunsWhen.UNDO_OF),
    Action.SEED_COPY: Traits(_PROBE, 48 * HOUR, _BACK, RunsWhen.COPIES_DIFFER),
    Action.SUSPEND_ACTIVATION: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.STOP_MTA: Traits(_ATTACH, 30 * MINUTE, _AWAY),
    Action.COPY_MTA: Traits(_ATTACH, 4 * HOUR),
    Action.HASH_MTA: Traits(_ATTACH, 4 * HOUR),
    Action.CHECK_MTA: Traits(_ATTACH, 12 * HOUR),
    Action.START_MTA: Traits(_ATTACH, 30 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.CONFIRM_MTA: Traits(_REPEAT, 10 * MINUTE, _BACK, _IN_SERVICE),
    Action.SET_COMPONENT: Traits(_PROBE, 10 * MINUTE, _AWAY),
    Action.REDIRECT_MESSAGES: Traits(_REPEAT, 10 * MINUTE),
    Action.AWAIT_QUEUES: Traits(_REPEAT, 15 * MINUTE),
    Action.BLOCK_ACTIVATION: Traits(_PROBE, 10 * MINUTE, _AWAY),
    Action.PAUSE_NODE: Traits(_REPEAT, 10 * MINUTE, _AWAY),
    Action.MOVE_ACTIVE: Traits(_PROBE, 20 * MINUTE, _AWAY),
    Action.TAKE_SERVER_DOWN: Traits(_ATTACH, 2 * HOUR, _AWAY),
    Action.AWAIT_SERVER: Traits(_REPEAT, HOUR, _BACK, RunsWhen.UNDO_OF),
    Action.RESTORE_COMPONENT: Traits(_PROBE, 10 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.RESUME_NODE: Traits(_REPEAT, 10 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.RESTORE_ACTIVATION: Traits(_PROBE, 10 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.START_SERVICES: Traits(_REPEAT, 15 * MINUTE, _BACK, RunsWhen.UNDO_OF),
    Action.AWAIT_DATABASES: Traits(_REPEAT, HOUR, _BACK, RunsWhen.UNDO_OF),
    Action.RETURN_ACTIVE: Traits(_PROBE, 20 * MINUTE, runs_when=RunsWhen.UNDO_OF),
    Action.REMOVE_LEFTOVER: Traits(_REPEAT, 10 * MINUTE),
    Action.FORCE_WAY_BACK: Traits(_REPEAT, 10 * MINUTE),
    Action.MAKE_SCRATCH_FOLDER: Traits(_REPEAT, 5 * MINUTE),
    Action.NEW_SCRATCH_GROUP: Traits(_PROBE, 10 * MINUTE),
    Action.NEW_SCRATCH_DATABASE: Traits(_PROBE, 10 * MINUTE),
    Action.MOUNT_SCRATCH: Traits(_PROBE, 30 * MINUTE),
    Action.LOOK_AT_SCRATCH: Traits(_REPEAT, 10 * MINUTE),
    Action.COUNT_MAILBOXES: Traits(_REPEAT, 10 * MINUTE),
    Action.DISMOUNT_SCRATCH: Traits(_PROBE, 30 * MINUTE),
    Action.REMOVE_SCRATCH_DATABASE: Traits(_PROBE, 10 * MINUTE),
    Action.REMOVE_SCRATCH_GROUP: Traits(_PROBE, 10 * MINUTE),
    Action.REMOVE_SCRATCH_FOLDER: Traits(_REPEAT, 30 * MINUTE),
    Action.CLOSE_RECOVERY_RECORD: Traits(
        _REPEAT, 5 * MINUTE, runs_when=RunsWhen.RECORD_OPEN_AND_IN_SERVICE
    ),
}


def timed(estimate: Estimate | None) -> dict[str, Any]:
    """The members of a step that say how long it takes; none where nothing is known."""
    if estimate is None:
        return {}
    duration = estimate.duration
    return {"estimate_s": duration.p50_s, "estimate_p90_s": duration.p90_s}


class LaneBuilder:
    """Collects the steps of one lane in order; `lane` hands them out."""

    def __init__(
        self, lane_id: str, server: str, *, database: str | None, database_guid: str | None
    ) -> None:
        self._lane_id = lane_id
        self._server = server
        self._database = database
        self._database_guid = database_guid
        self._steps: list[Step] = []

    def add(self, action: Action, call: Call, *, summary: str, **differs: Any) -> str:
        """Append a step and return its id; `differs` are members of `Step` that are not as the
        action's traits say.
        """
        traits = TRAITS[action]
        number = len(self._steps) + 1
        common = {
            "reason": Reason.PART_OF_SCRIPT,
            "direction": traits.direction,
            "runs_when": traits.runs_when,
            "on_doubt": traits.on_doubt,
            "time_limit_s": traits.time_limit_s,
            "server": self._server,
        }
        step = Step(
            id=f"{self._lane_id}/{number:02}-{action.value}",
            number=number,
            database=self._database,
            action=action,
            summary=summary,
            call=call,
            **{**common, **differs},
        )
        self._steps.append(step)
        return step.id

    @property
    def last(self) -> str:
        """The id of the step that was added last."""
        return self._steps[-1].id

    def lane(self, *, needs: tuple[str, ...] = ()) -> Lane:
        """The lane as built so far."""
        return Lane(
            id=self._lane_id,
            server=self._server,
            database=self._database,
            database_guid=self._database_guid,
            steps=tuple(self._steps),
            needs=needs,
        )
