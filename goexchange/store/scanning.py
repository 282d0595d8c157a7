"""Reading big files once: page checks and SHA-256 in one pass, over the cores, in bounded memory.

Effects: reads files; starts threads, which end with the call. numpy and hashlib let go of the
interpreter: each worker reads a piece and examines it, the calling thread hashes them in order.
Beside a database its flush map is read, too, when there is one.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from io import FileIO
from mmap import mmap
from pathlib import Path
from threading import Lock
from typing import TypeVar

from attrs import evolve, frozen

from goexchange.errors import UsageError
from goexchange.ese.checkpoint import CHECKPOINT_BYTES, read_checkpoint
from goexchange.ese.flush_map import (
    MAP_PAGE_BYTES,
    PAGES_PER_MAP_PAGE,
    FlushTypes,
    read_flush_map,
)
from goexchange.ese.header import (
    HEADER_SLOTS,
    PAGE_SIZES,
    DatabaseHeader,
    HeaderReading,
    read_database_header,
)
from goexchange.ese.logs import (
    LOG_HEADER_BYTES,
    LogFileKind,
    LogName,
    check_log_body,
    parse_log_name,
    read_log_header,
)
from goexchange.ese.page_run import NOTHING, PageLayout, PagePart, PageSum
from goexchange.ese.scan import DatabaseScan, FileKind, FileScan, LogScan, MapUse, PathScan
from goexchange.ese.space import Reader, owned_pages
from goexchange.ese.structures import MAGIC
from goexchange.ese.trailer import TrailerReading, read_trailer
from goexchange.model.backup_set import MANIFEST_NAME

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""

Span = tuple[int, int]
"""Offset and length of a piece of a file."""

T = TypeVar("T")

CHUNK_BYTES = 4 * 1024 * 1024
SAMPLE_BYTES = 1024 * 1024
WORKERS_MAX = 8
MANIFEST_BYTES_MAX = 64 * 1024 * 1024

_START_BYTES = HEADER_SLOTS * PAGE_SIZES[-1]
_MAP_PAGES_MAX = 4096  # 130 million database pages: more than any map notes
_MAP_SUFFIXES = (".jfm", ".JFM")
_DATABASE_SUFFIXES = (".edb", ".mdb", ".dit")
_LOG_KINDS = {
    LogFileKind.ARCHIVED: FileKind.LOG,
    LogFileKind.CURRENT: FileKind.LOG,
    LogFileKind.TEMPORARY: FileKind.TEMPORARY_LOG,
    LogFileKind.RESERVE: FileKind.RESERVE_LOG,
}


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
    options = _Options(workers=workers, sample=sample, progress=progress)
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
    options = _Options(page_size=page_size, digest=digest, workers=workers, progress=progress)
    return _scan(Path(path), Path(path).name, options)


@frozen(kw_only=True)
class _Options:
    page_size: int | None = None
    digest: bool = True
    workers: int | None = None
    sample: float | None = None
    progress: Progress | None = None

    def is_sampling(self, size: int) -> bool:
        """Whether a file of this size is read in part only."""
        return self.sample is not None and size > SAMPLE_BYTES


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


def _scan(path: Path, name: str, options: _Options) -> FileScan:
    size = 0
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return _unread(path, name, "not an ordinary file")
        with FileIO(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = _reader(file)(0, _START_BYTES)
            kind = _kind_of(path.name, start)
            found = _Found(path, name, size, start)
            if kind is FileKind.DATABASE:
                return _scan_database(file, found, options)
            return _scan_other(file, found, kind, options)
    except OSError as error:
        return evolve(_unread(path, name, error.strerror or str(error)), size_bytes=size)


def _unread(path: Path, name: str, reason: str) -> FileScan:
    kind = _kind_of(path.name, b"")
    return FileScan(path=name, size_bytes=0, kind=kind, read_error=reason)


@frozen
class _Found:
    path: Path
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


def _scan_other(file: FileIO, found: _Found, kind: FileKind, options: _Options) -> FileScan:
    """A file that is not a database: its digest, and what its kind has to say."""
    read = _reader(file)
    is_sampled = options.is_sampling(found.size)
    outcome = _Outcome() if is_sampled else _pass_over(file, found.size, options)
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


def _scan_database(file: FileIO, found: _Found, options: _Options) -> FileScan:
    reading = read_database_header(found.start)
    page_size = reading.page_size or options.page_size
    is_sampled = options.is_sampling(found.size)
    layout, total, use, trailer = None, None, MapUse.ABSENT, None
    if page_size is not None:
        trailer = _trailer(_reader(file), found.size, page_size, reading.header)
        layout, use = _layout(file, found, page_size, reading.header)
        if trailer is not None and trailer.is_there:
            layout = evolve(layout, pages=layout.pages - 1)
        total = PageSum(layout)
    outcome = _pass_over(file, found.size, options, total)
    return FileScan(
        path=found.name,
        size_bytes=found.size,
        kind=FileKind.DATABASE,
        sha256=outcome.sha256,
        is_sampled=is_sampled,
        database=evolve(
            _database_scan(reading, found.size, layout, total), flush_map=use, trailer=trailer
        ),
        read_error=outcome.read_error,
    )


def _layout(
    file: FileIO, found: _Found, page_size: int, header: DatabaseHeader | None
) -> tuple[PageLayout, MapUse]:
    pages = max(0, found.size // page_size - HEADER_SLOTS)
    types, use = _flush_types(found.path, pages, header)
    owned = owned_pages(_reader(file), page_size)
    layout = PageLayout(page_size=page_size, pages=pages, owned=owned, flush_types=types)
    return layout, use


def _flush_types(
    path: Path, pages: int, header: DatabaseHeader | None
) -> tuple[FlushTypes | None, MapUse]:
    """The map beside a database, when it can be believed about it."""
    beside = [path.with_suffix(suffix) for suffix in _MAP_SUFFIXES]
    here = next((each for each in beside if each.is_file()), None)
    if here is None or header is None:
        return None, MapUse.ABSENT
    try:
        with FileIO(here, "rb") as file:
            reading, types = read_flush_map(_reader(file), pages)
    except OSError:
        # It is one of the files of the folder, too, and its error is told there.
        return None, MapUse.UNREADABLE
    if reading.header is None:
        return None, MapUse.UNREADABLE
    if not reading.header.belongs_to(header):
        return None, MapUse.FOREIGN
    if not (reading.header.is_clean and header.is_clean):
        return None, MapUse.NOT_CLEAN
    return types, MapUse.USED


def _trailer(
    read: Reader, size: int, page_size: int, header: DatabaseHeader | None
) -> TrailerReading | None:
    if header is None or size // page_size <= HEADER_SLOTS:
        return None
    return read_trailer(read((size // page_size - 1) * page_size, page_size), header)


def _database_scan(
    reading: HeaderReading, size: int, layout: PageLayout | None, total: PageSum | None
) -> DatabaseScan:
    if layout is None or total is None:
        return DatabaseScan(
            reading=reading,
            file_pages=0,
            owned_pages=None,
            trailing_bytes=0,
            pages=NOTHING,
            beyond=NOTHING,
        )
    return DatabaseScan(
        reading=reading,
        file_pages=layout.pages,
        owned_pages=layout.owned,
        trailing_bytes=size % layout.page_size,
        pages=total.inside,
        beyond=total.beyond,
        zeroed=total.zeroed,
        stale=total.stale,
    )


@frozen(kw_only=True)
class _Outcome:
    sha256: str | None = None
    read_error: str | None = None


def _spans(size: int, options: _Options) -> list[Span]:
    """The pieces to read: all of them, or every so manieth, the first and the last always."""
    step = SAMPLE_BYTES if options.is_sampling(size) else CHUNK_BYTES
    every = [(start, min(step, size - start)) for start in range(0, size, step)]
    if options.sample is None or not options.is_sampling(size):
        return every
    share = options.sample
    chosen = {index for index in range(len(every)) if int((index + 1) * share) > int(index * share)}
    return [every[index] for index in sorted(chosen | {0, len(every) - 1})]


def _pass_over(
    file: FileIO, size: int, options: _Options, total: PageSum | None = None
) -> _Outcome:
    """Read the file once, piece by piece, handing each to the hash and to the page check."""
    spans = _spans(size, options)
    wants_digest = options.digest and not options.is_sampling(size)
    hasher = hashlib.sha256() if wants_digest else None
    workers = options.workers or min(WORKERS_MAX, os.cpu_count() or 1)
    everything = sum(length for _, length in spans)
    error = None
    with ExitStack() as stack:
        pool = None
        if len(spans) > 1:
            pool = stack.enter_context(ThreadPoolExecutor(workers))
        for piece in _pieces(
            _Source(file, total.layout if total else None), spans, pool, workers + 2
        ):
            error = piece.error
            if hasher is not None:
                # In this thread: a digest has to take its pieces in order, while others read on.
                hasher.update(piece.content)
            if piece.part is not None and total is not None:
                total.add(piece.part)
            if options.progress is not None:
                options.progress(piece.done, everything)
    sha256 = hasher.hexdigest() if hasher is not None and error is None else None
    return _Outcome(sha256=sha256, read_error=error)


@frozen
class _Piece:
    """A piece of the file that was read, and what its pages gave. `done` counts bytes in all."""

    content: memoryview
    part: PagePart | None
    done: int
    error: str | None


def _pieces(
    source: _Source, spans: list[Span], pool: ThreadPoolExecutor | None, depth: int
) -> Iterator[_Piece]:
    """Pieces in their order, read and examined ahead; one is good until the next is asked for.

    Memory: `depth` pieces. The first that cannot be read to its end is the last.
    """
    longest = max((length for _, length in spans), default=0)
    free = [_buffer(longest) for _ in range(min(depth, len(spans)))]
    busy: deque[tuple[_Buffer, Span, Future[_Taken]]] = deque()
    waiting, done = deque(spans), 0
    while waiting or busy:
        while waiting and free:
            span, buffer = waiting.popleft(), free.pop()
            busy.append((buffer, span, _start(pool, source.take, span, buffer)))
        buffer, span, future = busy.popleft()
        taken = future.result()
        done += taken.filled
        yield _Piece(memoryview(buffer)[: taken.filled], taken.part, done, taken.error)
        if taken.filled < span[1]:
            for _, _, future in busy:
                future.result()
            return
        free.append(buffer)


_Buffer = bytearray | mmap


def _buffer(size: int) -> _Buffer:
    """Memory that starts at a page, for a big piece.

    Source: measured: reading from the page cache into a bytearray, which does not, takes four times
    as long.
    """
    return mmap(-1, size) if size >= PAGE_SIZES[-1] else bytearray(size)


@frozen
class _Taken:
    filled: int
    part: PagePart | None
    error: str | None


class _Source:
    """The file, for many threads: each reads a piece and examines it while it is in its cache."""

    def __init__(self, file: FileIO, layout: PageLayout | None) -> None:
        self._file = file
        self._layout = layout
        self._lock = Lock()

    def take(self, span: Span, buffer: _Buffer) -> _Taken:
        """Read a piece into the buffer, as far as it goes, and examine its pages."""
        offset, length = span
        view, filled, error = memoryview(buffer), 0, None
        try:
            while filled < length:
                count = self._read_at(offset + filled, view[filled:length])
                if not count:
                    error = "the file became shorter while it was read"
                    break
                filled += count
        except OSError as problem:
            error = problem.strerror or str(problem)
        part = None
        if self._layout is not None:
            part = self._layout.examine(view[:filled], offset)
        return _Taken(filled, part, error)

    def _read_at(self, offset: int, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [view], offset)
        with self._lock:  # where there is no reading at a place the file has one place for all
            self._file.seek(offset)
            return self._file.readinto(view) or 0


def _start(
    pool: ThreadPoolExecutor | None, work: Callable[..., T], *arguments: object
) -> Future[T]:
    """Start the work, or do it here and now where there is no pool."""
    if pool is not None:
        return pool.submit(work, *arguments)
    done: Future[T] = Future()
    done.set_result(work(*arguments))
    return done
