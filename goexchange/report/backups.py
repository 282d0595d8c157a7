"""The backup chapter: offline sets, online backups with their proof, what no longer fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from goexchange.model.plan import PROOF_OF, Action, JobCall, Plan
from goexchange.model.report import (
    BackupSetReport,
    Interval,
    LaneReport,
    OnlineBackupReport,
    Rate,
    StepLog,
    StepState,
    Superseded,
)
from goexchange.report.databases import mounted_new_file
from goexchange.report.plan_words import action_words
from goexchange.report.reading import flag_at, int_at, moment_at, number_at, rows_at, text_at
from goexchange.report.steps import TOOK_EFFECT, first_done
from goexchange.report.units import count_text, seconds_between


@frozen(kw_only=True)
class _Kind:
    """One of the sets of a lane: the actions that make and prove it; None for what it has not."""

    header: Action | None
    copy: Action
    on_host: Action | None
    hashed: Action
    seal: Action | None
    verify: Action | None
    is_evidence: bool = False


_SETS = (
    _Kind(
        header=Action.READ_HEADER,
        copy=Action.COPY_SET,
        on_host=Action.VERIFY_SET_ON_HOST,
        hashed=Action.HASH_SET,
        seal=Action.SEAL_SET,
        verify=Action.VERIFY_SET,
    ),
    _Kind(
        header=Action.READ_TEMPORARY_HEADER,
        copy=Action.COPY_REBUILT,
        on_host=Action.VERIFY_REBUILT_ON_HOST,
        hashed=Action.HASH_REBUILT,
        seal=Action.SEAL_REBUILT,
        verify=Action.VERIFY_REBUILT,
    ),
    _Kind(
        header=Action.READ_HEADER,
        copy=Action.COPY_EVIDENCE,
        on_host=Action.CHECK_EVIDENCE,
        hashed=Action.HASH_EVIDENCE,
        seal=Action.SEAL_EVIDENCE,
        verify=None,
        is_evidence=True,
    ),
    _Kind(  # a folder of the transfer agent: read back, and no set of a database
        header=None,
        copy=Action.COPY_MTA,
        on_host=None,
        hashed=Action.HASH_MTA,
        seal=None,
        verify=None,
        is_evidence=True,
    ),
)
_UNTOUCHED = frozenset({StepState.NOT_REACHED, StepState.SKIPPED})


def backup_sets(lanes: Sequence[LaneReport]) -> tuple[BackupSetReport, ...]:
    """The set of every lane that began to copy one."""
    found = ((lane, kind, _step(lane, kind.copy)) for lane in lanes for kind in _SETS)
    return tuple(_set(lane, copy, kind) for lane, kind, copy in found if copy is not None)


def online_backups(plan: Plan, lanes: Sequence[LaneReport]) -> tuple[OnlineBackupReport, ...]:
    """Every online backup that was begun or was due, with its proof."""
    methods = {
        step.id: f"{step.call.kind}: {step.summary}"
        if isinstance(step.call, JobCall)
        else step.summary
        for lane in plan.body.lanes
        for step in lane.steps
        if step.action in PROOF_OF
    }
    return tuple(
        _online(lane, step, methods[step.id])
        for lane in lanes
        for step in lane.steps
        if step.id in methods and (step.state not in _UNTOUCHED or mounted_new_file(lane))
    )


def superseded_backups(lanes: Sequence[LaneReport]) -> tuple[Superseded, ...]:
    """Which older online backups no longer fit: those of a file before its rebuild was mounted."""
    mounted = ((lane, mounted_new_file(lane)) for lane in lanes)
    return tuple(
        Superseded(
            address=lane.lane,
            before_utc=mount.ended_at_utc,
            is_repaired=first_done(lane, Action.REPAIR) is not None,
        )
        for lane, mount in mounted
        if mount is not None
    )


def rates(lanes: Sequence[LaneReport]) -> tuple[Rate, ...]:
    """Bytes per time of the steps that read or write whole files, where the journal holds both."""
    return tuple(rate for lane in lanes for rate in _rates(lane))


def _rates(lane: LaneReport) -> Iterator[Rate]:
    header = first_done(lane, Action.READ_HEADER)
    size = int_at(header.result, "size_bytes") if header else None
    whole_file = {
        Action.DETECT_ERRORS.value,
        Action.REBUILD.value,
        Action.VERIFY_SET_ON_HOST.value,
        Action.HASH_SET.value,
        Action.VERIFY_SET.value,
        Action.COPY_SET.value,
    }
    for step in lane.steps:
        if step.action not in whole_file or step.state is not StepState.DONE:
            continue
        moved = int_at(step.result, "bytes") or size
        seconds = number_at(step.result, "seconds") or _seconds(step)
        if moved and seconds:
            mode = text_at(step.result, "mode")
            work = action_words(Action(step.action)) + (f" ({mode})" if mode else "")
            yield Rate(address=lane.lane, work=work, moved_bytes=moved, seconds=float(seconds))


def _set(lane: LaneReport, copy: StepLog, kind: _Kind) -> BackupSetReport:
    header = None if kind.header is None else first_done(lane, kind.header)
    sealed = None if kind.seal is None else first_done(lane, kind.seal)
    files = rows_at(copy.result, "files")
    paths = [path for path in (text_at(one, "path") for one in files) if path]
    databases = [one for one in files if (text_at(one, "path") or "").lower().endswith(".edb")]
    sizes = [int_at(one, "size_bytes") for one in files]
    known = [size for size in sizes if size is not None]
    total = int_at(copy.result, "bytes")
    if total is None and files and len(known) == len(sizes):
        total = sum(known)
    again = Action.REREAD_SOURCE if kind.is_evidence else None
    actions = [one for one in (again, kind.on_host, kind.hashed, kind.verify) if one is not None]
    found = [_step(lane, one) for one in actions]
    checks = [one for one in found if one is not None and one.state not in _UNTOUCHED]
    needed = [_step(lane, one) for one in (kind.on_host, kind.hashed) if one is not None]
    return BackupSetReport(
        address=lane.lane,
        folder=paths[0].rpartition("\\")[0] or None if paths else None,
        files=len(files) if files else None,
        total_bytes=total,
        copied=_ran(copy),
        manifest=text_at(sealed.result, "path") if sealed else None,
        manifest_sha256=text_at(sealed.result, "manifest_sha256") if sealed else None,
        set_sha256=text_at(sealed.result, "set_sha256") if sealed else None,
        database_sha256=text_at(databases[0], "sha256") if databases else None,
        signature=text_at(header.result, "signature") if header else None,
        verified=tuple(map(_check_text, checks)),
        is_sealed=sealed is not None,
        is_verified=(
            (sealed is not None or kind.seal is None)
            and all(one.state in TOOK_EFFECT for one in checks)
            and all(one is not None and one.state in TOOK_EFFECT for one in needed)
        ),
        is_evidence=kind.is_evidence,
    )


def _check_text(step: StepLog) -> str:
    names = {
        Action.VERIFY_SET_ON_HOST.value: "page checksums of the copy, by eseutil on the host",
        Action.HASH_SET.value: "digests of the copy read past the cache, against the source's",
        Action.VERIFY_SET.value: "every page and digest, by goexchange's own reading",
    }
    names[Action.REREAD_SOURCE.value] = "the source read a second time, against the first"
    names[Action.CHECK_EVIDENCE.value] = "the bad pages of the file, and no others, by eseutil"
    names[Action.HASH_EVIDENCE.value] = names[Action.HASH_SET.value]
    names[Action.VERIFY_REBUILT_ON_HOST.value] = names[Action.VERIFY_SET_ON_HOST.value]
    names[Action.HASH_REBUILT.value] = names[Action.HASH_SET.value]
    names[Action.HASH_MTA.value] = names[Action.HASH_SET.value]
    names[Action.VERIFY_REBUILT.value] = names[Action.VERIFY_SET.value]
    pages = int_at(step.result, "pages_seen") or int_at(step.result, "pages")
    bad = int_at(step.result, "bad_checksums")
    details = [count_text(pages, "page")] if pages else []
    details += [f"{bad:,} bad"] if bad is not None else []
    counted = f" ({', '.join(details)})" if details else ""
    return f"{names[step.action]}: {step.state.value.replace('-', ' ')}{counted}"


def _online(lane: LaneReport, step: StepLog, method: str) -> OnlineBackupReport:
    proof = _step(lane, PROOF_OF[Action(step.action)])
    result = proof.result if proof else None
    return OnlineBackupReport(
        address=lane.lane,
        method=method,
        ran=_ran(step),
        state=step.state,
        last_full_backup_utc=moment_at(result, "last_full_backup_utc"),
        job_succeeded=flag_at(result, "job_succeeded"),
        is_newer=flag_at(result, "is_newer"),
        event_completed=flag_at(result, "event_completed"),
        retrievable=flag_at(result, "retrievable"),
        proved=flag_at(result, "proved"),
        logs=text_at(result, "logs"),
        also_covered=_names_at(result, "also_covered"),
    )


def _names_at(result: Mapping[str, Any] | None, name: str) -> tuple[str, ...]:
    found = (result or {}).get(name)
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def _step(lane: LaneReport, action: Action) -> StepLog | None:
    found = [one for one in lane.steps if one.action == action.value]
    touched = [one for one in found if one.state not in _UNTOUCHED]
    return touched[-1] if touched else None


def _ran(step: StepLog) -> Interval | None:
    if step.started_at_utc is None:
        return None
    return Interval(start_utc=step.started_at_utc, end_utc=step.ended_at_utc)


def _seconds(step: StepLog) -> float | None:
    return seconds_between(step.started_at_utc, step.ended_at_utc)
