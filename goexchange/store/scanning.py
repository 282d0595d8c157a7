"""Scanning files and folders: each file once, checked as what it is.

Effects: reads files; starts threads, which end with the call. Beside a database its flush map is
read, too, when there is one.
"""

from __future__ import annotations

import os
import stat
from io import FileIO
from pathlib import Path

from attrs import evolve

from goexchange.errors import UsageError
from goexchange.ese.checkpoint import CHECKPOINT_BYTES, read_checkpoint
from goexchange.ese.flush_map import MAP_PAGE_BYTES, PAGES_PER_MAP_PAGE, read_flush_map
from goexchange.ese.header import HEADER_SLOTS, PAGE_SIZES
from goexchange.ese.kinds import kind_of
from goexchange.ese.logs import LOG_HEADER_BYTES, check_log_body, read_log_header
from goexchange.ese.scan import FileKind, FileScan, LogScan, PathScan
from goexchange.ese.space import Reader
from goexchange.model.backup_set import MANIFEST_NAME
from goexchange.store.database_files import FoundFile, scan_database
from goexchange.store.one_pass import Outcome, Progress, ScanOptions, pass_over, reader_of

MANIFEST_BYTES_MAX = 64 * 1024 * 1024

_START_BYTES = HEADER_SLOTS * PAGE_SIZES[-1]
_MAP_PAGES_MAX = 4096  # 130 million database pages: more than any map notes


def scan_path(
    path: str | Path,
    *,
    workers: int | None = None,
    sample: float | None = None,
    progress: Progress | None = None,
) -> PathScan:
    """Scan a file, or every file below a folder in order of their paths.

    Shape: with a `sample` between 0 and 1 only that part of each big file is read, in pieces spread
    over it, and its digest is not taken.
    Raises: UsageError when there is nothing at the path. A file that cannot be read is in the
    result, with its error.
    """
    root = Path(path)
    if not os.path.exists(root):  # Path.exists raises where a parent may not be searched
        raise UsageError(f"there is nothing at {root}")
    options = ScanOptions(workers=workers, sample=sample, progress=progress)
    if not os.path.isdir(root):
        return PathScan(path=_shown(str(root)), files=(_scan(root, _shown(root.name), options),))
    found, scans = _files_below(root)
    total = sum(_size_of(each) for each in found)
    done = 0
    for each in found:
        step = None if progress is None else _shifted(progress, done, total)
        scan = _scan(
            each, _shown(each.relative_to(root).as_posix()), evolve(options, progress=step)
        )
        scans.append(scan)
        done += scan.size_bytes
    return PathScan(path=_shown(str(root)), files=tuple(scans), manifest=_manifest_of(root))


def scan_file(
    path: str | Path,
    *,
    page_size: int | None = None,
    digest: bool = True,
    workers: int | None = None,
    progress: Progress | None = None,
) -> FileScan:
    """Scan one file in one pass; what is checked depends on what it is.

    Shape: `page_size` serves only a database without a readable header. Memory: workers + 2 chunks
    of 4 MiB, and a third of one per worker.
    Raises: UsageError for a page size that the format does not have.
    """
    if page_size not in (None, *PAGE_SIZES):
        raise UsageError(f"no page size of this format: {page_size}")
    options = ScanOptions(page_size=page_size, digest=digest, workers=workers, progress=progress)
    return _scan(Path(path), Path(path).name, options)


def _files_below(root: Path) -> tuple[list[Path], list[FileScan]]:
    """Every file below a folder, and a scan with an error for each folder that cannot be listed."""
    unlisted: list[FileScan] = []

    def keep(error: OSError) -> None:
        path = _shown(Path(error.filename).relative_to(root).as_posix())
        reason = f"folder: {error.strerror}"
        unlisted.append(FileScan(path=path, size_bytes=0, kind=FileKind.OTHER, read_error=reason))

    walked = os.walk(root, onerror=keep)
    found = [Path(folder) / name for folder, _, names in walked for name in names]
    return sorted(found), unlisted


def _size_of(path: Path) -> int:
    """Size for the progress only; a file that cannot be looked at fails when it is read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _shown(path: str) -> str:
    """A path as text that can be printed everywhere: names on a disk may hold any bytes."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _shifted(progress: Progress, done: int, total: int) -> Progress:
    return lambda here, _: progress(done + here, total)


def _manifest_of(root: Path) -> bytes | None:
    manifest = root / MANIFEST_NAME
    try:
        if not manifest.is_file():
            return None
        with manifest.open("rb") as file:
            return file.read(MANIFEST_BYTES_MAX)
    except OSError:
        # An unreadable manifest is seen again as a file with a read error; a missing one makes a
        # loose folder.
        return None


def _scan(path: Path, name: str, options: ScanOptions) -> FileScan:
    size = 0
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return _unread(path, name, "not an ordinary file")
        with FileIO(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = reader_of(file)(0, _START_BYTES)
            kind = kind_of(path.name, start)
            found = FoundFile(path, name, size, start)
            if kind is FileKind.DATABASE:
                return scan_database(file, found, options)
            return _scan_other(file, found, kind, options)
    except OSError as error:
        return evolve(_unread(path, name, error.strerror or str(error)), size_bytes=size)


def _unread(path: Path, name: str, reason: str) -> FileScan:
    kind = kind_of(path.name, b"")
    return FileScan(path=name, size_bytes=0, kind=kind, read_error=reason)


def _log_scan(read: Reader, start: bytes) -> LogScan:
    reading = read_log_header(start[:LOG_HEADER_BYTES])
    body = None if reading.header is None else check_log_body(read, reading.header)
    return LogScan(reading=reading, body=body)


def _scan_other(file: FileIO, found: FoundFile, kind: FileKind, options: ScanOptions) -> FileScan:
    """A file that is not a database: its digest, and what its kind has to say."""
    read = reader_of(file)
    is_sampled = options.is_sampling(found.size)
    outcome = Outcome() if is_sampled else pass_over(file, found.size, options)
    scan = FileScan(
        path=found.name,
        size_bytes=found.size,
        kind=kind,
        sha256=outcome.sha256,
        is_sampled=is_sampled,
        read_error=outcome.read_error,
    )
    if kind is FileKind.LOG:
        return evolve(scan, log=_log_scan(read, found.start))
    if kind is FileKind.CHECKPOINT:
        return evolve(scan, checkpoint=read_checkpoint(found.start[:CHECKPOINT_BYTES]))
    if kind is FileKind.FLUSH_MAP:
        pages = min(found.size // MAP_PAGE_BYTES, _MAP_PAGES_MAX) * PAGES_PER_MAP_PAGE
        return evolve(scan, flush_map=read_flush_map(read, pages)[0])
    return scan
