"""Reading a file once: pieces in bounded memory, hashed in order and examined over the cores.

Effects: reads files; starts threads, which end with the call. numpy and hashlib let go of the
interpreter: each worker reads a piece and examines it, the calling thread hashes them in order.
Nothing is mapped into memory: a page that a disk cannot read, or a file that shrinks, would then
end the process instead of being named.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from io import FileIO
from mmap import mmap
from threading import Lock, local
from typing import TypeVar

from attrs import frozen

from goexchange.ese.header import PAGE_SIZES
from goexchange.ese.page_run import PageLayout, PagePart, PageSum
from goexchange.ese.space import Reader

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""

Span = tuple[int, int]
"""Offset and length of a piece of a file."""

T = TypeVar("T")

CHUNK_BYTES = 4 * 1024 * 1024
SAMPLE_BYTES = 1024 * 1024
WORKERS_MAX = 8
AHEAD = 4  # pieces under way for each worker where no content has to be kept


@frozen(kw_only=True)
class ScanOptions:
    """How files are to be scanned.

    Shape: `page_size` serves only a database without a readable header; with a `sample` between 0
    and 1 only that part of each big file is read, and no digest is taken.
    """

    page_size: int | None = None
    digest: bool = True
    workers: int | None = None
    sample: float | None = None
    progress: Progress | None = None

    def is_sampling(self, size: int) -> bool:
        """Whether a file of this size is read in part only."""
        return self.sample is not None and size > SAMPLE_BYTES


@frozen(kw_only=True)
class Outcome:
    """What a pass over a file gave. Unknown: no digest of a sample, or after an error."""

    sha256: str | None = None
    read_error: str | None = None


def pass_over(
    file: FileIO, size: int, options: ScanOptions, total: PageSum | None = None
) -> Outcome:
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
        source = _Source(file, total.layout if total else None)
        depth = workers + 2 if hasher is not None else workers * AHEAD
        for piece in _pieces(source, spans, pool, _buffers(spans, depth, hasher is not None)):
            error = piece.error
            if hasher is not None:
                # In this thread: a digest has to take its pieces in order, while others read on.
                hasher.update(piece.content)
            if piece.part is not None and total is not None:
                with source.turn:
                    total.add(piece.part)
            if options.progress is not None:
                options.progress(piece.done, everything)
    sha256 = hasher.hexdigest() if hasher is not None and error is None else None
    return Outcome(sha256=sha256, read_error=error)


def reader_of(file: FileIO) -> Reader:
    """Reads at any place of the file; shorter where it ends."""
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


def _spans(size: int, options: ScanOptions) -> list[Span]:
    """The pieces to read: all of them, or every so manieth, the first and the last always."""
    step = SAMPLE_BYTES if options.is_sampling(size) else CHUNK_BYTES
    every = [(start, min(step, size - start)) for start in range(0, size, step)]
    if options.sample is None or not options.is_sampling(size):
        return every
    share = options.sample
    chosen = {index for index in range(len(every)) if int((index + 1) * share) > int(index * share)}
    return [every[index] for index in sorted(chosen | {0, len(every) - 1})]


@frozen
class _Piece:
    """A piece of the file that was read, and what its pages gave.

    Shape: `done` counts bytes in all; `content` is empty where it was not to be kept.
    """

    content: memoryview
    part: PagePart | None
    done: int
    error: str | None


def _pieces(
    source: _Source,
    spans: list[Span],
    pool: ThreadPoolExecutor | None,
    free: list[_Buffer | None],
) -> Iterator[_Piece]:
    """Pieces in their order, read and examined ahead; one is good until the next is asked for.

    Shape: as many are under way as there are places in `free`: buffers to keep the content in, or
    None. Memory: these buffers, or one per worker. The first that cannot be read to its end is the
    last.
    """
    busy: deque[tuple[_Buffer | None, Span, Future[_Taken]]] = deque()
    waiting, done = deque(spans), 0
    while waiting or busy:
        while waiting and free:
            span, buffer = waiting.popleft(), free.pop()
            busy.append((buffer, span, _start(pool, source.take, span, buffer)))
        buffer, span, future = busy.popleft()
        taken = future.result()
        done += taken.filled
        content = memoryview(b"" if buffer is None else buffer)[: taken.filled]
        yield _Piece(content, taken.part, done, taken.error)
        if taken.filled < span[1]:
            for _, _, future in busy:
                future.result()
            return
        free.append(buffer)


def _buffers(spans: list[Span], depth: int, is_kept: bool) -> list[_Buffer | None]:
    """Places for so many pieces at once. Only a digest needs the content after it was examined."""
    longest = max((length for _, length in spans), default=0)
    return [_buffer(longest) if is_kept else None for _ in range(min(depth, len(spans)))]


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
        self._place = Lock()
        self._own = local()
        self.turn: AbstractContextManager[object] = nullcontext()
        if layout is not None and layout.sieve is not None:
            # After the sieve many short looks are left. Threads that take turns at them do not
            # wake each other at every one: measured, a third of the time at 4 KiB pages.
            self.turn = Lock()

    def take(self, span: Span, buffer: _Buffer | None) -> _Taken:
        """Read a piece as far as it goes, and examine its pages.

        Shape: without a buffer the thread uses one of its own, over and over: it stays in the
        processor's cache.
        """
        offset, length = span
        view, filled, error = memoryview(buffer or self._own_buffer(length)), 0, None
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
            sifted = self._layout.sift(view[:filled], offset)
            with self.turn:
                part = self._layout.examine(sifted)
        return _Taken(filled, part, error)

    def _own_buffer(self, length: int) -> _Buffer:
        own: _Buffer | None = getattr(self._own, "buffer", None)
        if own is None or len(own) < length:
            own = self._own.buffer = _buffer(length)
        return own

    def _read_at(self, offset: int, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [view], offset)
        with self._place:  # where there is no reading at a place the file has one place for all
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
