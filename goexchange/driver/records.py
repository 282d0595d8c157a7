"""What a lane writes down on the host: the manifest of its set, and the record of its database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from ntpath import basename, dirname
from typing import Any

from attrs import frozen

from goexchange.backup.exports import ExportedFile, exported_set_files
from goexchange.backup.manifest import database_facts, manifest_bytes, restores
from goexchange.backup.selection import ListedFile, Reason, SelectedFile, Selection, select_files
from goexchange.codec import to_plain
from goexchange.driver.headers import header_of, reading_of
from goexchange.driver.lanes import facts_of, happened
from goexchange.driver.looking import kept_looks, looks_of
from goexchange.driver.measurements import timings
from goexchange.driver.pairs import with_streaming
from goexchange.journal.replay import RunState
from goexchange.model.actual import DatabaseRecord, Look, LookKind
from goexchange.model.backup_set import (
    BackupSet,
    FileRole,
    FileVerdict,
    LogFacts,
    Restores,
    SetFile,
    SetMethod,
)
from goexchange.model.history import Timing
from goexchange.model.plan import Action, JobCall, Lane, Plan, ScriptCall, Step
from goexchange.model.run import StepRecord
from goexchange.schedule.history import KEPT_MAX


@frozen(kw_only=True)
class _Contents:
    """What one set of a lane holds, where it lies, and what it brings back."""

    folder: str
    taken_at_utc: datetime
    files: tuple[SetFile, ...]
    restores: Restores
    method: SetMethod = SetMethod.OFFLINE_COPY


@frozen(kw_only=True)
class Sealing:
    """The actions that copy, check and seal what a lane keeps of the present file, and what that
    is: a set, or evidence.
    """

    copy: Action
    check: Action
    hashed: Action
    seal: Action
    method: SetMethod


SET = Sealing(
    copy=Action.COPY_SET,
    check=Action.VERIFY_SET_ON_HOST,
    hashed=Action.HASH_SET,
    seal=Action.SEAL_SET,
    method=SetMethod.OFFLINE_COPY,
)
EVIDENCE = Sealing(
    copy=Action.COPY_EVIDENCE,
    check=Action.CHECK_EVIDENCE,
    hashed=Action.HASH_EVIDENCE,
    seal=Action.SEAL_EVIDENCE,
    method=SetMethod.EVIDENCE,
)


def seal_folder(step: Step) -> str:
    """The folder of the set that a step seals, by script or by job."""
    if isinstance(step.call, JobCall):
        return str(step.call.request["folder"])
    assert isinstance(step.call, ScriptCall)
    return str(step.call.arguments["folder"])


def sealing_of(lane: Lane) -> Sealing:
    """Evidence in a lane that repairs, a set in every other one."""
    is_evidence = any(step.action is EVIDENCE.seal for step in lane.steps)
    return EVIDENCE if is_evidence else SET


def manifest_of(plan: Plan, lane: Lane, state: RunState) -> bytes:
    """The manifest of the lane's set or evidence, made of headers, copy and read-back.

    Raises: KeyError or ValueError when an outcome it rests on is missing.
    """
    kind = sealing_of(lane)
    is_evidence = kind is EVIDENCE
    header_step, header = _outcome(lane, state, Action.READ_HEADER)
    _, copied = _outcome(lane, state, kind.copy)
    seal_step = _step(lane, kind.seal)
    folder = seal_folder(seal_step)
    selection = with_streaming(
        selection_of(header_step, _result(header), is_evidence=is_evidence), lane, state
    )
    copies = {basename(one["path"]).lower(): one for one in _result(copied)["files"]}
    verdict = _verdict_of(_last(lane, state, kind.check))
    holds = _Contents(
        folder=folder,
        taken_at_utc=copied.ended_at_utc or plan.created_at_utc,
        files=(
            *(
                _set_file(one, copies[basename(one.path).lower()], header, verdict)
                for one in selection.files
            ),
            *_exported(lane, state, folder=folder),
        ),
        restores=restores(
            header_of(_result(header)),
            missing_generations=selection.missing_generations,
            method=kind.method,
        ),
        method=kind.method,
    )
    return _manifest(plan, lane, state, holds)


def _verdict_of(check: StepRecord | None) -> FileVerdict:
    """What the page checksums of the copy say of it; nothing where they did not end."""
    if check is None:
        return FileVerdict.NOT_CHECKED
    return FileVerdict.DAMAGED if _result(check).get("damage") else FileVerdict.SOUND


def manifest_of_rebuilt(plan: Plan, lane: Lane, state: RunState) -> bytes:
    """The manifest of the set that holds the rebuilt file alone: shut down cleanly, it needs no
    log.

    Raises: KeyError or ValueError when an outcome it rests on is missing.
    """
    original = _step(lane, Action.READ_HEADER).call
    _, header = _outcome(lane, state, Action.READ_TEMPORARY_HEADER)
    _, copied = _outcome(lane, state, Action.COPY_REBUILT)
    seal_step = _step(lane, Action.SEAL_REBUILT)
    assert isinstance(original, ScriptCall)
    [copy] = _result(copied)["files"]
    is_checked = _happened(lane, state, Action.VERIFY_REBUILT_ON_HOST)
    holds = _Contents(
        folder=seal_folder(seal_step),
        taken_at_utc=copied.ended_at_utc or plan.created_at_utc,
        files=(
            SetFile(
                role=FileRole.DATABASE,
                path=basename(copy["path"]),
                source_path=str(original.arguments["path"]),
                size_bytes=copy["size_bytes"],
                sha256=copy["sha256"],
                reason=Reason.DATABASE.value,
                verdict=FileVerdict.SOUND if is_checked else FileVerdict.NOT_CHECKED,
                database=database_facts(reading_of(_result(header))),
            ),
        ),
        restores=restores(header_of(_result(header)), missing_generations=()),
    )
    return _manifest(plan, lane, state, holds)


def _manifest(plan: Plan, lane: Lane, state: RunState, holds: _Contents) -> bytes:
    body = BackupSet(
        set_id=f"{lane.server}/{lane.database}/{basename(holds.folder)}",
        server=lane.server,
        database=lane.database or "",
        database_guid=lane.database_guid or "",
        taken_at_utc=holds.taken_at_utc,
        run=state.run or "",
        plan=plan.sha256,
        method=holds.method,
        files=holds.files,
        restores=holds.restores,
    )
    return manifest_bytes(body)


MANIFESTS = {
    Action.SEAL_SET: manifest_of,
    Action.SEAL_REBUILT: manifest_of_rebuilt,
    Action.SEAL_EVIDENCE: manifest_of,
}


def _exported(lane: Lane, state: RunState, *, folder: str) -> tuple[SetFile, ...]:
    """What was exported into the set's folder while the database was still mounted."""
    record = _last(lane, state, Action.EXPORT_CONFIGURATION)
    if record is None:
        return ()
    call = _step(lane, Action.EXPORT_CONFIGURATION).call
    assert isinstance(call, JobCall)
    files = [
        ExportedFile(path=one["path"], size_bytes=one["size_bytes"], sha256=one["sha256"])
        for one in _result(record)["files"]
    ]
    reader = _step(lane, Action.READ_HEADER).call
    assert isinstance(reader, ScriptCall)
    installed = dirname(dirname(str(reader.arguments["eseutil"]))).lower() + "\\"
    declared = tuple(
        each for each in call.request["paths"] if not each.lower().startswith(installed)
    )
    return exported_set_files(files, set_folder=folder, declared_paths=declared)


def selection_of(
    header_step: Step, result: Mapping[str, Any], *, is_evidence: bool = False
) -> Selection:
    """The files of the set, by what a header step was asked and what it found."""
    assert isinstance(header_step.call, ScriptCall)
    arguments = header_step.call.arguments
    logs = tuple(
        ListedFile(path=one["path"], size_bytes=one["size_bytes"]) for one in result["log_files"]
    )
    return select_files(
        header_of(result),
        ListedFile(path=arguments["path"], size_bytes=result["size_bytes"]),
        log_folder=logs,
        log_prefix=arguments["log_prefix"] or "",
        is_evidence=is_evidence,
    )


def database_record(plan: Plan, lane: Lane, state: RunState) -> Any:
    """The record that later runs read back as facts; what this run did not do stays as an earlier
    one left it.
    """
    before = _earlier_record(plan, lane)
    facts = facts_of(lane, state)
    header = _last(lane, state, Action.READ_HEADER)
    is_rebuilt = facts.is_new_file_mounted and not facts.is_put_back
    rebuilt = _last(lane, state, Action.READ_TEMPORARY_HEADER) if is_rebuilt else None
    looks = looks_of(lane, state, is_rebuilt=rebuilt is not None)
    seal, mount = _last(lane, state, Action.SEAL_SET), _last(lane, state, Action.MOUNT)
    if not _is_proved_set(lane, state):
        seal = None
    proof = None if facts.is_put_back else _last(lane, state, Action.PROVE_BACKUP)
    returned = _last(lane, state, Action.READ_RETURNED_HEADER) if is_rebuilt else None
    newest = returned or rebuilt or header
    rebuilt_before = None if returned else before  # an earlier file was not rebuilt by us
    gain = (
        _result(header)["size_bytes"] - _result(rebuilt)["size_bytes"]
        if header and rebuilt
        else None
    )
    written = DatabaseRecord(
        database_guid=lane.database_guid or "",
        database=lane.database or "",
        run=state.run or "",
        signature=_result(newest)["signature"] if newest else _was(before, "signature"),
        verified_at_utc=_verified_at(looks) or _was(before, "verified_at_utc"),
        rebuilt_at_utc=mount.ended_at_utc
        if rebuilt and mount
        else _was(rebuilt_before, "rebuilt_at_utc"),
        rebuild_gain_bytes=gain if rebuilt else _was(rebuilt_before, "rebuild_gain_bytes"),
        rebuild_goal_met=_goal_met(plan, lane, gain)
        if rebuilt
        else _was(rebuilt_before, "rebuild_goal_met"),
        set_folder=_seal_folder(lane) if seal else _was(before, "set_folder"),
        set_digest=_result(seal)["set_sha256"] if seal else _was(before, "set_digest"),
        set_taken_at_utc=seal.ended_at_utc if seal else _was(before, "set_taken_at_utc"),
        protected_at_utc=proof.ended_at_utc
        if proof
        else (None if facts.is_new_file_mounted else _was(before, "protected_at_utc")),
        timings=kept_timings(() if before is None else before.timings, timings(plan, lane, state)),
        repaired_at_utc=mount.ended_at_utc
        if rebuilt and mount and _last(lane, state, Action.REPAIR)
        else (None if returned else _was(before, "repaired_at_utc")),
        looks=kept_looks(
            () if before is None else before.looks,
            looks,
            is_new_file=rebuilt is not None or returned is not None,
        ),
    )
    return to_plain(written)


def _verified_at(looks: Iterable[Look]) -> datetime | None:
    """When errors were last looked for and none found by any of the lane's looks."""
    at_errors = [one for one in looks if one.kind is not LookKind.SPACE]
    if any(one.errors for one in at_errors):
        return None
    return max((one.at_utc for one in at_errors), default=None)


def _is_proved_set(lane: Lane, state: RunState) -> bool:
    """Whether everything that proves the lane's set ended well; one that is not proved is none."""
    proofs = (Action.VERIFY_SET_ON_HOST, Action.HASH_SET, Action.SEAL_SET, Action.VERIFY_SET)
    return all(happened(state.step(step.id)) for step in lane.steps if step.action in proofs)


def _goal_met(plan: Plan, lane: Lane, gain: int | None) -> bool | None:
    """Whether the rebuild gained at least half of the white space it was planned for."""
    for decision in plan.body.decisions:
        if decision.server == lane.server and decision.database == lane.database:
            if gain is None or decision.white_space_bytes is None:
                return None
            return gain >= 0.5 * decision.white_space_bytes
    return None


def _set_file(
    chosen: SelectedFile, copy: Mapping[str, Any], header: StepRecord, verdict: FileVerdict
) -> SetFile:
    is_database = chosen.role is FileRole.DATABASE
    is_checked = is_database or chosen.role is FileRole.STREAMING  # eseutil checks both at once
    return SetFile(
        role=chosen.role,
        path=basename(copy["path"]),
        source_path=chosen.path,
        size_bytes=copy["size_bytes"],
        sha256=copy["sha256"],
        reason=chosen.reason.value,
        verdict=verdict if is_checked else FileVerdict.NOT_CHECKED,
        database=database_facts(reading_of(_result(header))) if is_database else None,
        log=LogFacts(generation=chosen.generation) if chosen.role is FileRole.LOG else None,
    )


def kept_timings(before: Iterable[Timing], now: Iterable[Timing]) -> tuple[Timing, ...]:
    """What the record keeps: of each kind of work the last ones, oldest first."""
    every = [*before, *now]
    return tuple(
        each
        for at, each in enumerate(every)
        if sum(later.work is each.work for later in every[at + 1 :]) < KEPT_MAX
    )


def _earlier_record(plan: Plan, lane: Lane) -> DatabaseRecord | None:
    for server in plan.body.facts.servers:
        if (
            server.name == lane.server
            and hasattr(server.host, "records")
            and isinstance(server.host.records, tuple)
        ):
            for record in server.host.records:
                if record.database_guid == lane.database_guid:
                    return record
    return None


def _was(before: DatabaseRecord | None, name: str) -> Any:
    return None if before is None else getattr(before, name)


def _seal_folder(lane: Lane) -> str:
    return seal_folder(_step(lane, Action.SEAL_SET))


def _step(lane: Lane, action: Action) -> Step:
    return next(step for step in lane.steps if step.action is action)


def _outcome(lane: Lane, state: RunState, action: Action) -> tuple[Step, StepRecord]:
    record = _last(lane, state, action)
    if record is None:
        raise ValueError(f"{action.value} has not taken effect")
    return _step(lane, action), record


def _last(lane: Lane, state: RunState, action: Action) -> StepRecord | None:
    found = [state.step(step.id) for step in lane.steps if step.action is action]
    done = [record for record in found if happened(record) and record.result is not None]
    return done[-1] if done else None


def _happened(lane: Lane, state: RunState, action: Action) -> bool:
    return _last(lane, state, action) is not None


def _result(record: StepRecord) -> Mapping[str, Any]:
    assert record.result is not None
    return record.result
