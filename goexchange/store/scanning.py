"""Reading big files once: page checks and SHA-256 in one pass, over the cores, in bounded memory.

Effects: reads files; starts threads, which end with the call. numpy and hashlib let go of the
interpreter, so one thread reads, one hashes and the others verify.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from goexchange.errors import UsageError
from goexchange.ese.checkpoint import CHECKPOINT_BYTES, read_checkpoint
from goexchange.ese.header import HEADER_SLOTS, PAGE_SIZES, HeaderReading, read_database_header
from goexchange.ese.logs import (
    LOG_HEADER_BYTES,
    LogFileKind,
    LogName,
    check_log_body,
    parse_log_name,
    read_log_header,
)
from goexchange.ese.pages import PageVerdicts, verify_pages
from goexchange.ese.scan import DatabaseScan, FileKind, FileScan, LogScan, PathScan
from goexchange.ese.space import Reader, owned_pages
from goexchange.ese.structures import MAGIC
from goexchange.model.backup_set import MANIFEST_NAME

if TYPE_CHECKING:
    from hashlib import _Hash

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""

Verdicts = tuple[PageVerdicts, PageVerdicts]
"""On the pages that the database owns, and on those beyond."""

T = TypeVar("T")

CHUNK_BYTES = 4 * 1024 * 1024
MANIFEST_BYTES_MAX = 64 * 1024 * 1024

_START_BYTES = HEADER_SLOTS * PAGE_SIZES[-1]
_DATABASE_SUFFIXES = (".edb", ".mdb", ".dit")
_LOG_KINDS = {
    LogFileKind.ARCHIVED: FileKind.LOG,
    LogFileKind.CURRENT: FileKind.LOG,
    LogFileKind.TEMPORARY: FileKind.TEMPORARY_LOG,
    LogFileKind.RESERVE: FileKind.RESERVE_LOG,
}


def scan_path(
    path: str | Path, *, workers: int | None = None, progress: Progress | None = None
) -> PathScan:
    """Scan a file, or every file below a folder in order of their paths.

    Raises: UsageError when there is nothing at the path. A file that cannot be read is in the
    result, with its error.
    """
    root = Path(path)
    if not root.exists():
        raise UsageError(f"there is nothing at {root}")
    if root.is_file():
        return PathScan(path=str(root), files=(_named(root, root.name, workers, progress),))
    found, scans = _files_below(root)
    total = sum(_size_of(each) for each in found)
    done = 0
    for each in found:
        step = None if progress is None else _shifted(progress, done, total)
        scan = _named(each, each.relative_to(root).as_posix(), workers, step)
        scans.append(scan)
        done += scan.size_bytes
    return PathScan(path=str(root), files=tuple(scans), manifest=_manifest_of(root))


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
    return _scan(Path(path), Path(path).name, _Options(page_size, digest, workers, progress))


@frozen
class _Options:
    page_size: int | None = None
    digest: bool = True
    workers: int | None = None
    progress: Progress | None = None


def _files_below(root: Path) -> tuple[list[Path], list[FileScan]]:
    """Every file below a folder, and a scan with an error for each folder that cannot be listed."""
    unlisted: list[FileScan] = []

    def keep(error: OSError) -> None:
        path = Path(error.filename).relative_to(root).as_posix()
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


def _named(path: Path, name: str, workers: int | None, progress: Progress | None) -> FileScan:
    return _scan(path, name, _Options(workers=workers, progress=progress))


def _shifted(progress: Progress, done: int, total: int) -> Progress:
    return lambda here, _: progress(done + here, total)


def _manifest_of(root: Path) -> bytes | None:
    manifest = root / MANIFEST_NAME
    try:
        with manifest.open("rb") as file:
            return file.read(MANIFEST_BYTES_MAX)
    except OSError:
        # An unreadable manifest is seen again as a file with a read error; a missing one makes a
        # loose folder.
        return None


def _scan(path: Path, name: str, options: _Options) -> FileScan:
    size = 0
    try:
        with FileIO(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            read = _reader(file)
            start = read(0, _START_BYTES)
            kind = _kind_of(path.name, start)
            if kind is FileKind.DATABASE:
                return _scan_database(file, _Found(name, size, start), options)
            sha256 = _pass_over(file, size, options, None).sha256
            return FileScan(
                path=name,
                size_bytes=size,
                kind=kind,
                sha256=sha256,
                log=_log_scan(read, start) if kind is FileKind.LOG else None,
                checkpoint=(
                    read_checkpoint(start[:CHECKPOINT_BYTES])
                    if kind is FileKind.CHECKPOINT
                    else None
                ),
            )
    except OSError as error:
        kind = _kind_of(path.name, b"")
        reason = error.strerror or str(error)
        return FileScan(path=name, size_bytes=size, kind=kind, read_error=reason)


@frozen
class _Found:
    name: str
    size: int
    start: bytes


def _reader(file: FileIO) -> Reader:
    def read(offset: int, length: int) -> bytes:
        file.seek(offset)
        parts = []
        while length > 0:
            part = file.read(length)
            if not part:
                break
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    return read


def _kind_of(name: str, start: bytes) -> FileKind:
    """By content where that is clear (the magic of databases is in no other file), else by name."""
    if name == MANIFEST_NAME:
        return FileKind.MANIFEST
    lowered = name.lower()
    log = parse_log_name(name)
    if log is not None and not _is_plain_text(log, start):
        return _LOG_KINDS[log.kind]
    if lowered.endswith((".chk", ".jcp")):
        return FileKind.CHECKPOINT
    if lowered.endswith(".jfm"):
        return FileKind.FLUSH_MAP
    if lowered.endswith(".stm"):
        # Streaming files (Exchange 2000, 2003) begin as databases do, with pages of another kind.
        return FileKind.OTHER
    has_magic = any(
        int.from_bytes(start[offset + 4 : offset + 8], "little") == MAGIC
        for offset in (0, *PAGE_SIZES)
    )
    if has_magic or lowered.endswith(_DATABASE_SUFFIXES):
        return FileKind.DATABASE
    return FileKind.OTHER


def _is_plain_text(log: LogName, start: bytes) -> bool:
    """A file like `iis.log`: the name of a current log and nothing of its content."""
    return log.kind is LogFileKind.CURRENT and bool(start) and 0 not in start


def _log_scan(read: Reader, start: bytes) -> LogScan:
    reading = read_log_header(start[:LOG_HEADER_BYTES])
    body = None if reading.header is None else check_log_body(read, reading.header)
    return LogScan(reading=reading, body=body)


def _scan_database(file: FileIO, found: _Found, options: _Options) -> FileScan:
    reading = read_database_header(found.start)
    page_size = reading.page_size or options.page_size
    nothing = PageVerdicts()
    if page_size is None:
        outcome = _pass_over(file, found.size, options, None)
        pages = _Pages(0, 0, None)
    else:
        pages = _pages_of(_reader(file), found.size, page_size)
        outcome = _pass_over(file, found.size, options, pages)
    return FileScan(
        path=found.name,
        size_bytes=found.size,
        kind=FileKind.DATABASE,
        sha256=outcome.sha256,
        database=_database_scan(reading, found.size, pages, outcome.verdicts or (nothing, nothing)),
        read_error=outcome.read_error,
    )


@frozen
class _Pages:
    """Where the pages of a file lie: their size, how many are whole, how many are owned."""

    page_size: int
    count: int
    owned: int | None

    def verdicts(self, chunk: memoryview, offset: int) -> Verdicts:
        """Verdicts on the pages of a chunk of the file, those owned and those beyond."""
        first = max(0, HEADER_SLOTS - offset // self.page_size)
        whole = chunk[first * self.page_size : len(chunk) // self.page_size * self.page_size]
        number = offset // self.page_size + first - HEADER_SLOTS + 1
        count = len(whole) // self.page_size
        owned = count if self.owned is None else min(count, max(0, self.owned - number + 1))
        split = owned * self.page_size
        inside = verify_pages(whole[:split], number, self.page_size) if owned else PageVerdicts()
        if owned == count:
            return inside, PageVerdicts()
        return inside, verify_pages(whole[split:], number + owned, self.page_size)


def _pages_of(read: Reader, size: int, page_size: int) -> _Pages:
    count = max(0, size // page_size - HEADER_SLOTS)
    return _Pages(page_size, count, owned_pages(read, page_size))


def _database_scan(
    reading: HeaderReading, size: int, pages: _Pages, verdicts: Verdicts
) -> DatabaseScan:
    return DatabaseScan(
        reading=reading,
        file_pages=pages.count,
        owned_pages=pages.owned,
        trailing_bytes=size % pages.page_size if pages.page_size else 0,
        pages=verdicts[0],
        beyond=verdicts[1],
    )


@frozen
class _Outcome:
    sha256: str | None
    verdicts: Verdicts | None
    read_error: str | None


def _pass_over(file: FileIO, size: int, options: _Options, pages: _Pages | None) -> _Outcome:
    """Read the file once, chunk by chunk, handing each chunk to the hash and to the page check."""
    hasher = hashlib.sha256() if options.digest else None
    workers = options.workers or os.cpu_count() or 1
    if size <= CHUNK_BYTES:
        workers = 0
    joined = (PageVerdicts(), PageVerdicts())
    error = None
    with ExitStack() as stack:
        line = _Line(hasher, pages, workers, stack)
        for done, verdicts in line.run(file, size):
            if verdicts is not None:
                joined = (joined[0].joined(verdicts[0]), joined[1].joined(verdicts[1]))
            if options.progress is not None:
                options.progress(done, size)
        error = line.read_error
    sha256 = hasher.hexdigest() if hasher is not None and error is None else None
    return _Outcome(sha256, joined if pages is not None else None, error)


class _Line:
    """A production line: buffers are filled in order, worked on at once, given back in order."""

    def __init__(
        self, hasher: _Hash | None, pages: _Pages | None, workers: int, stack: ExitStack
    ) -> None:
        self._hasher = hasher
        self._pages = pages
        self._depth = workers + 2 if workers else 1
        # A digest has to take its chunks in order, so it has one thread of its own.
        self._hashing = stack.enter_context(ThreadPoolExecutor(1)) if workers else None
        self._verifying = stack.enter_context(ThreadPoolExecutor(workers)) if workers else None
        self.read_error: str | None = None

    def run(self, file: FileIO, size: int) -> Iterator[tuple[int, Verdicts | None]]:
        """Bytes done and verdicts, chunk after chunk, in order."""
        free = [bytearray(min(CHUNK_BYTES, max(size, 1))) for _ in range(self._depth)]
        busy: deque[tuple[bytearray, int, list[Future[None]], Future[Verdicts] | None]] = deque()
        offset = 0
        file.seek(0)
        while offset < size or busy:
            if offset < size and free:
                buffer = free.pop()
                wanted = min(len(buffer), size - offset)
                filled = self._fill(file, buffer, wanted)
                if filled < wanted:
                    size = offset + filled
                view = memoryview(buffer)[:filled]
                offset += filled
                busy.append((buffer, offset, *self._hand_out(view, offset - filled)))
                continue
            buffer, done, hashed, verified = busy.popleft()
            for future in hashed:
                future.result()
            verdicts = verified.result() if verified is not None else None
            free.append(buffer)
            yield done, verdicts

    def _fill(self, file: FileIO, buffer: bytearray, wanted: int) -> int:
        filled = 0
        try:
            while filled < wanted:
                count = file.readinto(memoryview(buffer)[filled:wanted])
                if not count:
                    self.read_error = "the file became shorter while it was read"
                    break
                filled += count
        except OSError as error:
            self.read_error = error.strerror or str(error)
        return filled

    def _hand_out(
        self, view: memoryview, offset: int
    ) -> tuple[list[Future[None]], Future[Verdicts] | None]:
        hashed = []
        if self._hasher is not None:
            hashed.append(_start(self._hashing, self._hasher.update, view))
        if self._pages is None:
            return hashed, None
        return hashed, _start(self._verifying, self._pages.verdicts, view, offset)


def _start(
    pool: ThreadPoolExecutor | None, work: Callable[..., T], *arguments: object
) -> Future[T]:
    """Start the work, or do it here and now where there is no pool."""
    if pool is not None:
        return pool.submit(work, *arguments)
    done: Future[T] = Future()
    done.set_result(work(*arguments))
    return done
