"""The plan that brings back into service what a dead run left: made from the host's record and from
looking alone. Every step of it leads back, so no rule that protects a schedule refuses it (I18).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve, frozen

from goexchange.codec import to_plain
from goexchange.model.actual import LOOKS_AT_A_FILE, ActualDatabase, ActualState, DatabaseRecord
from goexchange.model.configuration import Inventory
from goexchange.model.left import HeldCopy, RecoveryRecord, held_copies_of
from goexchange.model.plan import (
    Action,
    Direction,
    Lane,
    Need,
    OnDoubt,
    PlanBody,
    Poll,
    Reason,
    RunOrder,
    RunsWhen,
)
from goexchange.model.remembered import Remembered, SeenFiles, Standing
from goexchange.plan.asked_for import decision_to_release
from goexchange.plan.bodies import body_without_specification, run_rules
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, host_script, one_of, property_probe
from goexchange.plan.context import Pace
from goexchange.plan.copy_back import (
    RESUMES_MAX,
    add_activation_back,
    resumed_probe,
    seeded_probe,
    well_poll,
)
from goexchange.plan.host_records import record_released, sentinel_removed
from goexchange.plan.public_folders import as_public_folder
from goexchange.plan.release_hosts import JobsLeft, jobs_left_lane
from goexchange.plan.release_server import ServerLeft, server_left_lane
from goexchange.powershell import cmdlets

POLL_S = 5.0
_WAY_BACK: Mapping[str, Any] = {
    "reason": Reason.WAY_BACK,
    "direction": Direction.BACK,
    "runs_when": RunsWhen.ALL_WELL,
}
CLOSED_TEXT = "Closed by goexchange release: the database was seen mounted.\r\n"


@frozen(kw_only=True)
class Left:
    """One database that a dead run left, with everything that is known of it.

    Shape: `jobs` are those on its own server, `elsewhere` server and job of the others; `absent`
    are servers that the run worked on for this database and that could not be looked at.
    """

    server: str
    database: ActualDatabase
    recovery: RecoveryRecord
    remembered: Remembered | None
    files: SeenFiles
    standing: Standing
    evidence: str
    jobs: tuple[str, ...]
    record: DatabaseRecord | None
    elsewhere: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def copies(self) -> tuple[HeldCopy, ...]:
        """The copies that may go back: where a job of the run may still have a copy's file open,
        it would only fail.
        """
        held = held_copies_of(self.recovery.content)
        away = {each.lower() for each in self.absent}
        return tuple(each for each in held if each.server.lower() not in away)

    @property
    def has_other_stream(self) -> bool:
        """Whether no copy can go on: another file is in service, or its logs began anew."""
        known = self.remembered
        is_tried = known is not None and (known.is_stream_new or known.tried_logs is not None)
        return self.standing is Standing.NEW or is_tried

    @property
    def is_whole(self) -> bool:
        """Whether everything of it can be put back now."""
        return self.copies == held_copies_of(self.recovery.content)

    @property
    def address(self) -> str:
        """`EX01/DB01`."""
        return f"{self.server}/{self.database.name}"

    @property
    def is_unproved(self) -> bool:
        """Whether it is in service with a new file that no backup is proved of."""
        known = self.remembered is not None and self.remembered.is_proved
        return self.standing is Standing.NEW and not known


def release_body(
    left: Sequence[Left | ServerLeft | JobsLeft],
    inventory: Inventory,
    actual: ActualState,
    *,
    at: datetime,
    pace: Pace,
) -> PlanBody:
    """The plan's body: a lane for a server that was left, then one for each database whose standing
    is decided, in order of address; no server waits for another one, but for those that seed. A
    database with copies comes after the others of its server: seeds take hours.
    """
    servers = [each for each in left if isinstance(each, ServerLeft)]
    jobs = [each for each in left if isinstance(each, JobsLeft)]
    ordered = sorted(
        (each for each in left if isinstance(each, Left)),
        key=lambda each: (
            each.server,
            bool(each.copies),
            each.database.name,
            each.recovery.run,
        ),
    )
    places = {each.server for each in left}
    seeders = sorted({each.server for each in ordered if each.copies and each.has_other_stream})
    return body_without_specification(
        actual,
        # no failure of one database keeps another one down
        run_rules(inventory, pace, overrun="finish", failures_max=len(left)),
        at=at,
        order=RunOrder(
            servers_at_once=max(1, len(places)),
            one_at_a_time=(tuple(seeders),) if len(seeders) > 1 else (),
        ),
        lanes=[
            *(jobs_left_lane(each, inventory) for each in jobs),
            *(server_left_lane(each, inventory) for each in servers),
            *(_lane(each, inventory) for each in ordered),
        ],
        estimate="a release needs no estimate",
        scope=(
            *(each.address for each in servers),
            *(each.address for each in ordered),
        ),
        decisions=(
            *(
                decision_to_release(each.address, need=Need.MAINTAIN, evidence=each.evidence)
                for each in servers
            ),
            *(
                decision_to_release(each.address, need=Need.MOUNT, evidence=each.evidence)
                for each in ordered
            ),
        ),
    )


def _lane(left: Left, inventory: Inventory) -> Lane:
    database, root = left.database, inventory.host_root
    lane = LaneBuilder(
        left.address,
        left.server,
        database=database.name,
        database_guid=database.guid,
    )
    for job in left.jobs:
        _add(
            lane,
            Action.CANCEL_JOBS,
            host_script("cancel-job", {"root": root, "job": job}),
            summary=f"end the job {job} of run {left.recovery.run}",
            may_fail=True,
        )
    for server, job in left.elsewhere:
        _add(
            lane,
            Action.CANCEL_JOBS,
            host_script("cancel-job", {"root": root, "job": job}),
            summary=f"end the job {job} of run {left.recovery.run} on {server}",
            server=server,
            may_fail=True,
        )
    _add_file_and_mount(lane, left, root)
    _add(
        lane,
        Action.CONFIRM_MOUNTED,
        cmdlets.get_database(database.guid),
        summary=f"seen mounted again after {inventory.mount_confirm_after_s} s",
        postcondition=equals("objects.0.Mounted", True),
        delay_s=inventory.mount_confirm_after_s,
    )
    _add_as_it_was(lane, left)
    _add_copies_back(lane, left)
    _add_records(lane, left, root)
    return as_public_folder(lane.lane(), left.database)


def _add_file_and_mount(lane: LaneBuilder, left: Left, root: str) -> None:
    guid, files = left.database.guid, left.files
    if left.standing is Standing.BACK:
        wanted = files.kept.sha256
        _add(
            lane,
            Action.SWAP_BACK,
            host_script(
                "swap-back",
                {
                    "root": root,
                    "original": files.original.path,
                    "temporary": files.temporary.path,
                    "kept": files.kept.path,
                    "original_sha256": wanted,
                    "set_aside": files.set_aside.path,
                    "in_place_sha256": files.original.sha256,
                },
            ),
            summary=f"original renamed back: {left.evidence}",
        )
    is_new = left.standing is Standing.NEW
    logs = None if left.remembered is None or is_new else left.remembered.tried_logs
    if logs is not None and left.database.is_mounted is False:
        _add(
            lane,
            Action.MOVE_LOGS_ASIDE,
            host_script("move-logs", {**logs.arguments, "root": root}),
            summary="logs and checkpoint of the tried mount moved to"
            f" {logs.arguments['to_folder']}, when no other database uses them",
        )
    _add(
        lane,
        Action.MOUNT if is_new else Action.MOUNT_ORIGINAL,
        cmdlets.mount(guid),
        summary=f"mount {'the rebuilt file' if is_new else 'the original'}, never forced",
        on_doubt=OnDoubt.PROBE,
        probe=property_probe(cmdlets.get_database(guid), "Mounted", wanted=True),
        is_point_of_no_return=left.is_unproved,
    )


def _add_as_it_was(lane: LaneBuilder, left: Left) -> None:
    """What the run changed for itself, back to what it was; programs that undo another one."""
    guid, was = left.database.guid, left.recovery.content["is_mount_at_startup"]
    if was is True and left.database.is_mount_at_startup is not True:
        _add(
            lane,
            Action.RESTORE_MOUNT_AT_STARTUP,
            cmdlets.set_mount_at_startup(guid, True),
            summary="mount at startup: as it was, true",
            probe=property_probe(cmdlets.get_database(guid), "MountAtStartup", wanted=True),
        )
    for each in left.remembered.undoing if left.remembered is not None else ():
        _add(
            lane,
            Action.CUSTOM_PROCESS,
            each.call,
            summary=each.summary,
            runs_when=RunsWhen.ALWAYS,
            time_limit_s=each.time_limit_s,
            postcondition=one_of("exit_code", *each.allowed_exit_codes),
            may_fail=True,
        )


def _add_copies_back(lane: LaneBuilder, left: Left) -> None:
    """Passive copies that the run may have suspended replicate again; asked of each copy first, so
    that one that does is left alone. Where another file is in service, or its logs began anew, no
    copy can go on: the plan of the run had consent to seed them, one at a time.
    """
    copies = left.copies
    is_new = left.has_other_stream
    for copy in copies if is_new else ():
        _add(
            lane,
            Action.SEED_COPY,
            cmdlets.seed_copy(copy.identity),
            summary=f"copy {copy.identity}: seeded anew from the active one, and healthy before"
            " the next",
            probe=seeded_probe(copy.identity),
            poll=_well(copy),
        )
        add_activation_back(lane, copy, **_WAY_BACK)
    for copy in () if is_new else copies:
        _add(
            lane,
            Action.RESUME_COPY,
            cmdlets.resume_copy(
                copy.identity, replication_only=copy.is_activation_suspended
            ),
            summary=f"copy {copy.identity}: replicating, as it was",
            probe=resumed_probe(copy.identity),
            attempts_max=RESUMES_MAX,
        )
        add_activation_back(lane, copy, **_WAY_BACK)
    for copy in () if is_new else copies:
        _add(
            lane,
            Action.AWAIT_COPY,
            cmdlets.get_copy(copy.identity),
            summary=f"until the copy {copy.identity} is healthy and its queues are short",
            poll=_well(copy),
        )


def _well(copy: HeldCopy) -> Poll:
    return well_poll(copy.identity, interval_s=POLL_S, is_lagged=copy.is_lagged)


def _add_records(lane: LaneBuilder, left: Left, root: str) -> None:
    guid = left.database.guid
    _add(
        lane,
        Action.REMOVE_SENTINEL,
        sentinel_removed(root, guid=guid, database=left.database.name),
        summary="remove the scheduled task that watches over the outage",
    )
    if left.standing is Standing.NEW:
        _add(
            lane,
            Action.WRITE_DATABASE_RECORD,
            host_script(
                "write-database-record",
                {"root": root, "database_guid": guid, "record": _record(left)},
            ),
            summary="record of the database: the rebuilt file is in service",
            may_fail=True,
        )
    if not left.is_whole:
        return  # whoever looks finds the record open, until the rest is put back
    _add(
        lane,
        Action.CLOSE_RECOVERY_RECORD,
        record_released(root, left.recovery, guid=guid, text=CLOSED_TEXT),
        summary=f"close the recovery record of run {left.recovery.run}",
    )


def _record(left: Left) -> Any:
    """The host's record of the database, true of the file that is in service now."""
    signature = None if left.remembered is None else left.remembered.rebuilt_signature
    known = left.record
    if known is None:
        nothing: Mapping[str, Any] = {
            "verified_at_utc": None,
            "rebuilt_at_utc": None,
            "rebuild_gain_bytes": None,
            "rebuild_goal_met": None,
            "set_folder": left.recovery.content["set_folder"],
            "set_digest": None,
            "set_taken_at_utc": None,
            "protected_at_utc": None,
        }
        known = DatabaseRecord(
            database_guid=left.database.guid,
            database=left.database.name,
            run=left.recovery.run,
            signature=signature,
            **nothing,
        )
    is_proved = left.remembered is not None and left.remembered.is_proved
    kept = known.protected_at_utc if is_proved else None
    is_other_file = signature is not None and signature != known.signature
    looks = [one for one in known.looks if not is_other_file or one.kind not in LOOKS_AT_A_FILE]
    changed = evolve(
        known,
        run=left.recovery.run,
        signature=signature,
        protected_at_utc=kept,
        looks=tuple(looks),
    )
    return to_plain(changed)


def _add(lane: LaneBuilder, action: Action, call: Any, *, summary: str, **differs: Any) -> None:
    """A step that leads back, whatever its action does elsewhere."""
    usual = {"runs_when": RunsWhen.ALL_WELL}
    if action is Action.CONFIRM_MOUNTED:
        usual = {"runs_when": RunsWhen.IN_SERVICE_AGAIN}
    lane.add(
        action,
        call,
        summary=summary,
        reason=Reason.WAY_BACK,
        direction=Direction.BACK,
        **{**usual, **differs},
    )
