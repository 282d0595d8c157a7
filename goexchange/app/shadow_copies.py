"""Copies that runs of this store have made by diskshadow: found by the names of their jobs, and
removed when retention lets them go.

A copy has no manifest. What it held is in the journal of its run: how many files, how many bytes,
of which databases, and whether the backup was proved. A folder that is not so any more is kept.

Effects: `remove_copy` deletes the files of one copy, after writing down in the store that it will.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from goexchange.app.backups import Removal, emptied, note_removal, proofs, proved_at, read_back
from goexchange.backup.retention import (
    Decision,
    RetentionPolicy,
    ShelvedSet,
    Standing,
    decide,
)
from goexchange.codec import parse_time
from goexchange.driver.calls import job_id
from goexchange.driver.lanes import happened
from goexchange.errors import NotNow
from goexchange.journal.replay import RunState
from goexchange.model.plan import PROOF_OF, JobCall, Lane, Plan, Step
from goexchange.model.unknown import Unknown
from goexchange.store.runs import RunFolder, Runs


@frozen(kw_only=True)
class RecordedCopy:
    """What the journal of a run says of a copy that one of its jobs has made.

    Shape: `databases` are GUID and name; `taken_at_utc` counts the backup's own time stamp too, so
    that its own proof is none *since*.
    """

    job: str
    server: str
    files: int
    total_bytes: int
    taken_at_utc: datetime
    is_proved: bool
    databases: tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class CopyDecision:
    """What happens to one copy, and why."""

    folder: str
    copy: RecordedCopy
    is_kept: bool
    reason: str


def decided_copies(
    folders: Sequence[str], policy: RetentionPolicy, store: str
) -> tuple[CopyDecision, ...]:
    """What the policy makes of every copy below the folders that a run of the store has made."""
    found = dict(_below(folders, recorded_copies(store)))
    shelved = [
        one for folder, copy in found.items() for one in _shelved(folder, copy)
    ]
    of_folder: dict[str, list[Decision]] = {}
    for each in decide(shelved, policy, proofs(store)):
        of_folder.setdefault(each.set.folder, []).append(each)
    return tuple(
        _together(folder, found[folder], of_folder.get(folder, ())) for folder in sorted(found)
    )


def recorded_copies(store: str) -> Mapping[str, RecordedCopy]:
    """Every copy that a run of the store has made, by the job, which names its folder.

    Unknown: a run whose plan or journal cannot be read has made none.
    """
    return {each.job: each for run in Runs(Path(store)).list() for each in _copies_of(run)}


def remove_copy(decision: CopyDecision, store: str) -> Removal:
    """Delete the files of one copy.

    Raises: NotNow when it may not go, or is not as it was recorded; OSError.
    """
    folder, copy = Path(decision.folder), decision.copy
    if decision.is_kept:
        raise NotNow(f"{folder} is kept: {decision.reason}")
    why = _difference(folder, copy)
    if why is not None:
        raise NotNow(f"{folder} is no longer the copy that was decided about: {why}")
    first = _shelved(decision.folder, copy)[0]
    note_removal(Path(store), Decision(set=first, is_kept=False, reason=decision.reason))
    for path in sorted(_files_in(folder)):
        path.unlink()
    left = tuple(sorted(emptied(folder)))
    return Removal(folder=str(folder), freed_bytes=copy.total_bytes, left=left)


def _copies_of(run: RunFolder) -> Iterator[RecordedCopy]:
    read = read_back(run)
    if read is None:
        return
    plan, state = read
    for lane in plan.body.lanes:
        for step in lane.steps:
            if step.action in PROOF_OF and isinstance(step.call, JobCall):
                copy = _copy_of(plan, lane, step, state, run=run.id)
                if step.call.kind == "diskshadow" and copy is not None:
                    yield copy


def _copy_of(
    plan: Plan, lane: Lane, step: Step, state: RunState, *, run: str
) -> RecordedCopy | None:
    record = state.step(step.id)
    result: Mapping[str, Any] = record.result or {}
    if not happened(record) or not isinstance(result.get("copy_at_utc"), str):
        return None
    proof = [
        proved_at(state.step(each.id).result)
        for each in lane.steps
        if each.action is PROOF_OF[step.action]
    ]
    proved = [each for each in proof if each is not None]
    return RecordedCopy(
        job=job_id(run, step, record.attempts),
        server=step.server,
        files=int(result["files"]),
        total_bytes=int(result["bytes"]),
        taken_at_utc=max([parse_time(str(result["copy_at_utc"])), *proved]),
        is_proved=bool(proved),
        databases=tuple(_databases_of(plan, step)),
    )


def _databases_of(plan: Plan, step: Step) -> Iterator[tuple[str, str]]:
    """GUID and name of every database that the job was to copy; one that the plan's facts do not
    tell is named by its file, and has no proof that could let it go.
    """
    assert isinstance(step.call, JobCall)
    known = {}
    for server in plan.body.facts.servers:
        databases = () if isinstance(server.databases, Unknown) else server.databases
        known.update({each.edb_path.lower(): each for each in databases})
    for each in step.call.request["databases"]:
        path = str(each["path"])
        one = known.get(path.lower())
        yield ("", path) if one is None else (one.guid.lower(), one.name)


def _below(
    folders: Sequence[str], recorded: Mapping[str, RecordedCopy]
) -> Iterator[tuple[str, RecordedCopy]]:
    seen: set[Path] = set()
    for given in folders:
        for parent, below, _ in sorted(os.walk(given)):
            for name in below:
                path = Path(parent, name)
                if name in recorded and path.resolve() not in seen and not path.is_symlink():
                    seen.add(path.resolve())
                    yield str(path), recorded[name]


def _shelved(folder: str, copy: RecordedCopy) -> list[ShelvedSet]:
    """The copy once for each of its databases, as retention takes it."""
    damage = _difference(Path(folder), copy)
    good = Standing.PROVED if copy.is_proved else Standing.NOT_CHECKED
    return [
        ShelvedSet(
            folder=folder,
            set_id=copy.job,
            set_sha256="",
            server=copy.server,
            database=name,
            database_guid=guid,
            taken_at_utc=copy.taken_at_utc,
            total_bytes=copy.total_bytes,
            standing=good if damage is None else Standing.DAMAGED,
            damage=damage,
        )
        for guid, name in copy.databases
    ]


def _together(folder: str, copy: RecordedCopy, of: Sequence[Decision]) -> CopyDecision:
    """It goes only when it may for each of its databases, and its backup was proved."""
    kept = [each for each in of if each.is_kept]
    if not copy.is_proved:
        reason = "the backup that it is of was never proved: look at it first"
    elif kept or not of:
        reason = "; ".join(dict.fromkeys(f"{each.set.database}: {each.reason}" for each in kept))
    else:
        reason = of[0].reason
    is_kept = not copy.is_proved or bool(kept) or not of
    return CopyDecision(folder=folder, copy=copy, is_kept=is_kept, reason=reason)


def _difference(folder: Path, copy: RecordedCopy) -> str | None:
    """What is not as the journal says, or None."""
    files = list(_files_in(folder))
    links = [each for each in (*files, *folder.rglob("*")) if each.is_symlink()]
    if links:
        return f"{links[0]} is a link"
    total = sum(each.stat().st_size for each in files)
    if (len(files), total) != (copy.files, copy.total_bytes):
        return (
            f"{len(files)} files of {total} bytes instead of {copy.files} of {copy.total_bytes}"
        )
    return None


def _files_in(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)
