"""The verb `backups`: the sets below some folders, what is known of each, and removing old ones.

Effects: reads sets and the store's journals; `remove_set` deletes files of one set, after writing
down in the store that it will.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import field, frozen

from goexchange.app.planning import read_plan, who
from goexchange.backup.manifest import SealedSet, parse_manifest
from goexchange.backup.retention import (
    Decision,
    RetentionPolicy,
    ShelvedSet,
    decide,
    standing_of,
)
from goexchange.codec import canonical_json, parse_time
from goexchange.errors import GoexchangeError, InvalidDocument, NotNow, UsageError
from goexchange.journal.replay import RunState, replay
from goexchange.model.backup_set import MANIFEST_NAME, VERDICT_NAME
from goexchange.model.plan import Action, Plan
from goexchange.store.journal_file import flush_folder, read_journal
from goexchange.store.runs import RunFolder, Runs
from goexchange.store.scanning import MANIFEST_BYTES_MAX

REMOVALS_FILE = "removed-sets.jsonl"


@frozen(kw_only=True)
class Shelf:
    """Every set below some folders, and the manifests that cannot be used, with the reason."""

    sets: tuple[ShelvedSet, ...]
    unusable: tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class Removal:
    """What became of one removal. Shape: `left` are files of the folder that are not the set's."""

    folder: str
    freed_bytes: int
    left: tuple[str, ...] = field(default=())


def look_at(folders: Sequence[str]) -> Shelf:
    """Find every set below the folders; their files are looked at, not read.

    Raises: UsageError for a folder that is not there.
    """
    sets, unusable = [], []
    for manifest in manifests_below(folders):
        try:
            sets.append(_shelved(manifest.parent))
        except GoexchangeError as error:
            unusable.append((str(manifest.parent), str(error)))
    return Shelf(sets=tuple(sets), unusable=tuple(unusable))


@frozen(kw_only=True)
class Loose:
    """Database files that lie in a folder without a manifest: copies of online backups, or
    somebody's own.
    """

    folder: str
    files: tuple[str, ...]
    total_bytes: int


def loose_below(folders: Sequence[str]) -> tuple[Loose, ...]:
    """Every folder with database files and no manifest; what lies below a set is the set's."""
    found: dict[str, Loose] = {}
    for given in folders:
        for parent, below, names in os.walk(given):
            if MANIFEST_NAME in names:
                below.clear()
                continue
            files = sorted(name for name in names if name.lower().endswith(".edb"))
            if files:
                sizes = (Path(parent, name).stat().st_size for name in files)
                one = Loose(folder=parent, files=tuple(files), total_bytes=sum(sizes))
                found[str(Path(parent).resolve())] = one
    return tuple(sorted(found.values(), key=lambda one: one.folder))


def instead_of_restore(folder: Path) -> str:
    """What a person does with database files that are no set; empty where there are none."""
    found = next(iter(loose_below((str(folder),))), None)
    if found is None:
        return ""
    return (
        f". {found.files[0]} lies there: a copy by diskshadow, or somebody's own, was taken of a"
        " mounted database, and is restored by hand: `goexchange verify` reads it where it is; copy"
        " it with its logs to a new folder, run `eseutil /r Exx /lFOLDER /sFOLDER /dFOLDER` there"
        " (Exx is how its logs begin), see a clean shutdown in `eseutil /mh`, and mount it as a"
        " recovery database (New-MailboxDatabase -Recovery)"
    )


def proofs(store: str) -> dict[str, datetime]:
    """The last proved online backup of each database, by its GUID in lower case, as the store's
    runs know it.

    Unknown: a run whose plan or journal cannot be read proves nothing.
    """
    found: dict[str, datetime] = {}
    for run in Runs(Path(store)).list():
        for guid, moment in _proofs_of(run):
            if guid not in found or found[guid] < moment:
                found[guid] = moment
    return found


def decisions(shelf: Shelf, policy: RetentionPolicy, store: str) -> tuple[Decision, ...]:
    """What the policy makes of every set on the shelf."""
    return decide(shelf.sets, policy, proofs(store))


def remove_set(decision: Decision, store: str) -> Removal:
    """Delete the files of one set that may go; the manifest first, so that no half of it is a set.

    Raises: NotNow when it may not go, or is not what was decided about; OSError.
    """
    one = decision.set
    if decision.is_kept:
        raise NotNow(f"{one.folder} is kept: {decision.reason}")
    folder = Path(one.folder)
    sealed = _read_set(folder)
    if sealed.sha256 != one.set_sha256:
        raise NotNow(f"{folder} is no longer the set that was decided about")
    note_removal(Path(store), decision)
    (folder / MANIFEST_NAME).unlink()
    flush_folder(folder)
    (folder / VERDICT_NAME).unlink(missing_ok=True)
    for each in sealed.body.files:
        path = folder / each.path
        if path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
    left = tuple(sorted(emptied(folder)))
    return Removal(folder=one.folder, freed_bytes=one.total_bytes, left=left)


def manifests_below(folders: Sequence[str]) -> Iterator[Path]:
    """The manifest of every set below the folders, each once.

    Raises: UsageError for a folder that is not there.
    """
    seen: set[Path] = set()
    for given in folders:
        root = Path(given)
        if not root.is_dir():
            raise UsageError(f"there is no folder {given}")
        for parent, _, names in sorted(os.walk(root)):
            path = Path(parent) / MANIFEST_NAME
            if MANIFEST_NAME in names and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _read_set(folder: Path) -> SealedSet:
    """Raises: InvalidDocument when the manifest cannot be read or used."""
    try:
        with (folder / MANIFEST_NAME).open("rb") as file:
            return parse_manifest(file.read(MANIFEST_BYTES_MAX))
    except OSError as error:
        raise InvalidDocument(f"the manifest cannot be read: {error.strerror}") from error


def _shelved(folder: Path) -> ShelvedSet:
    sealed = _read_set(folder)
    body, damage = sealed.body, None
    for each in body.files:
        try:
            size = (folder / each.path).stat().st_size
        except OSError:
            damage = f"{each.path} is not there"
            break
        if size != each.size_bytes:
            damage = f"{each.path} has {size} bytes instead of {each.size_bytes}"
            break
    return ShelvedSet(
        folder=str(folder),
        set_id=body.set_id,
        set_sha256=sealed.sha256,
        server=body.server,
        database=body.database,
        database_guid=body.database_guid,
        taken_at_utc=body.taken_at_utc,
        total_bytes=sum(each.size_bytes for each in body.files),
        standing=standing_of(body, damage),
        damage=damage,
    )


def read_back(run: RunFolder) -> tuple[Plan, RunState] | None:
    """Plan and journal of a run; None where either cannot be read."""
    try:
        plan = read_plan(str(run.plan_path))
        return plan, replay(read_journal(run.journal_path).records)
    except (GoexchangeError, OSError):
        return None


def _proofs_of(run: RunFolder) -> Iterator[tuple[str, datetime]]:
    read = read_back(run)
    if read is None:
        return
    plan, state = read
    for lane in plan.body.lanes:
        for step in lane.steps:
            if step.action is Action.PROVE_BACKUP and lane.database_guid is not None:
                record = state.step(step.id)
                moment = proved_at(record.result)
                if moment is not None:
                    yield lane.database_guid.lower(), moment


def proved_at(result: object) -> datetime | None:
    """The moment of the backup itself: what was written later is not in it."""
    if not isinstance(result, Mapping) or result.get("proved") is not True:
        return None
    try:
        return parse_time(str(result.get("last_full_backup_utc")))
    except ValueError:
        return None


def note_removal(store: Path, decision: Decision) -> None:
    """Write down, flushed, that something is about to be removed, and why."""
    one = decision.set
    line = {
        "at_utc": datetime.now(UTC).isoformat(),
        "by": who(),
        "folder": one.folder,
        "set_id": one.set_id,
        "set_sha256": one.set_sha256,
        "reason": decision.reason,
    }
    store.mkdir(parents=True, exist_ok=True)
    with (store / REMOVALS_FILE).open("ab") as file:
        file.write(canonical_json(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def emptied(folder: Path) -> Iterator[str]:
    """Remove the folders that are empty now; what else is in them stays, and is named."""
    for parent, _, names in os.walk(folder, topdown=False):
        yield from (str(Path(parent, name).relative_to(folder)) for name in names)
        if not os.listdir(parent):
            Path(parent).rmdir()
