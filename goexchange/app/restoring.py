"""The verb `restore`: a verified set to a folder of this machine, every file read back.

Effects: reads the set, writes new files below the target; nothing that exists is overwritten.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from attrs import frozen

from goexchange.app.backups import instead_of_restore
from goexchange.app.verifying import WORDS, Verification, verify_path
from goexchange.backup.findings import Finding, Verdict, Weight
from goexchange.backup.manifest import parse_manifest
from goexchange.errors import Damaged, NotNow, UsageError
from goexchange.model.backup_set import MANIFEST_NAME, BackupSet, FileRole, SetFile, SetMethod
from goexchange.store.journal_file import flush_folder
from goexchange.store.scanning import MANIFEST_BYTES_MAX

Progress = Callable[[int, int], None]

CHUNK_BYTES = 4 * 1024 * 1024
PART_SUFFIX = ".part"
RESTORED = (FileRole.DATABASE, FileRole.STREAMING, FileRole.LOG)


@frozen(kw_only=True)
class Restored:
    """What was restored, and what our verifier says of the files that are there now.

    Shape: `left_out` are files of the set that do not belong beside a restored database: an old
    checkpoint would make recovery start at the wrong place.
    """

    folder: str
    files: tuple[SetFile, ...]
    left_out: tuple[SetFile, ...]
    verification: Verification


def restore_to_path(folder: str, target: str, *, progress: Progress | None = None) -> Restored:
    """Verify a set, copy its database and logs to a new or empty folder, verify what is there.

    Raises: UsageError for a set or target that cannot be used; Damaged when the set, or what was
    written, is not sound; NotNow when the target's volume has no room.
    """
    body = _set_of(Path(folder))
    if body.method is SetMethod.EVIDENCE:
        raise UsageError(f"{folder} was taken as evidence before a repair: it is no way back")
    files = tuple(each for each in body.files if each.role in RESTORED)
    root = Path(target)
    _check_target(root, sum(each.size_bytes for each in files))
    before = verify_path(folder, progress=progress)
    if not _is_sound(before, body):
        raise Damaged(f"{folder} is {WORDS[before.judgement.verdict]}; `verify` says why")
    if before.judgement.is_damaged:
        raise Damaged(f"{folder} has damage; `verify` names it. Nothing was written")
    total, done = sum(each.size_bytes for each in files), 0
    for each in files:
        step = None if progress is None else _shifted(progress, done, total)
        _copy(Path(folder) / each.path, root / each.path, each, step)
        done += each.size_bytes
    after = verify_path(str(root), progress=progress)
    if not (after.is_good or _is_sound(after, body)):
        raise Damaged(f"what was written to {root} is {WORDS[after.judgement.verdict]}")
    left_out = tuple(each for each in body.files if each.role not in RESTORED)
    return Restored(folder=str(root), files=files, left_out=left_out, verification=after)


def _is_sound(found: Verification, body: BackupSet) -> bool:
    """Whether nothing stays open but what no verifier of ours can ever tell: whether the content of
    a streaming file is what its checksums say. Its digest has been compared.
    """
    judgement = found.judgement
    is_pair = any(each.role is FileRole.STREAMING for each in body.files)
    open_ones = {each.finding for each in judgement.findings if each.weight is Weight.UNKNOWN}
    if is_pair and open_ones == {Finding.STREAMING_NOT_CHECKED}:
        return not judgement.is_damaged
    return judgement.verdict in (Verdict.RESTORABLE, Verdict.RESTORABLE_WITH_REPLAY)


def _set_of(folder: Path) -> BackupSet:
    manifest = folder / MANIFEST_NAME
    try:
        with manifest.open("rb") as file:
            return parse_manifest(file.read(MANIFEST_BYTES_MAX)).body
    except OSError as error:
        why = f"{folder} is not a backup set: {error.strerror}: {manifest}"
        raise UsageError(f"{why}{instead_of_restore(folder)}") from error


def _check_target(target: Path, needed: int) -> None:
    """Refuse a target that holds anything or has no room, before the set is read for hours."""
    there = next(each for each in (target, *target.absolute().parents) if os.path.exists(each))
    try:
        if there == target and any(target.iterdir()):
            raise UsageError(f"{target} is not empty: a restore overwrites nothing")
        free = shutil.disk_usage(there).free
    except NotADirectoryError as error:
        raise UsageError(f"{target} is not a folder") from error
    except OSError as error:
        raise UsageError(f"{target} cannot be used: {error.strerror}") from error
    if not there.is_dir():
        raise UsageError(f"{there} is not a folder")
    if free < needed:
        raise NotNow(f"{target} has {free:,} bytes free, and {needed:,} are needed")


def _copy(source: Path, target: Path, listed: SetFile, progress: Progress | None) -> None:
    """Copy under a name that nobody takes for the file; the right name comes when it is whole."""
    part = target.with_name(target.name + PART_SUFFIX)
    hasher, done = hashlib.sha256(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileIO(source, "rb") as reading, part.open("xb") as writing:
            while chunk := reading.read(CHUNK_BYTES):
                hasher.update(chunk)
                writing.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, listed.size_bytes)
            writing.flush()
            os.fsync(writing.fileno())
    except OSError as error:
        raise Damaged(f"{listed.path} could not be copied: {error.strerror}") from error
    if hasher.hexdigest() != listed.sha256:
        raise Damaged(f"{listed.path} changed while it was copied: its digest is another one")
    part.rename(target)
    flush_folder(target.parent)


def _shifted(progress: Progress, done: int, total: int) -> Progress:
    return lambda here, _: progress(done + here, total)
