"""The journal file of a run: appended and flushed, never rewritten but for a torn end.

One process at a time appends: the file is locked for as long as it is open. Each append is one
write, then a flush of the
file to the disk; the folder is flushed when the file is created.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from goexchange.errors import Damaged, Locked
from goexchange.journal.chain import Draft, Reading, line_of, read_lines, seal
from goexchange.model.run import Record

try:
    import fcntl
except ImportError:  # Windows has no fcntl; msvcrt locks there
    fcntl = None  # type: ignore[assignment]

LOCK_TRIES = 5
LOCK_AGAIN_S = 0.05


def read_journal(path: Path) -> Reading:
    """Read a journal without locking it: records, torn end, damage. A file that is not there is an
    empty journal.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    return read_lines(content)


class JournalFile:
    """An open journal that this process alone may append to.

    Shape: `records` are all that stand in it; `torn_bytes` is what opening cut from its end, to be
    said and journalled.
    """

    def __init__(self, path: Path) -> None:
        """Open or create; a torn end is cut.

        Raises: Locked when another process has it open; Damaged when a whole line does not fit its
        chain (the file
        is left as it is).
        """
        self.path = path
        is_new = not path.exists()
        self._file: IO[bytes] = path.open("ab+")
        try:
            _lock(self._file, path)
            reading = self._read()
            if reading.torn_bytes:
                self._cut(reading.torn_bytes)
        except BaseException:
            self._file.close()
            raise
        if is_new:
            flush_folder(path.parent)
        self.records: list[Record] = list(reading.records)
        self.torn_bytes = reading.torn_bytes
        self._is_broken = False

    def append(self, drafts: Sequence[Draft], at: datetime) -> tuple[Record, ...]:
        """Give the drafts their places, write and flush them.

        Raises: OSError when they are not safely on the disk; nothing more can be appended then, and
        only reading the
        file again tells how much of them arrived.
        """
        if self._is_broken:
            raise Damaged(f"an earlier append to {self.path} failed: resume reads it again")
        sealed = seal(drafts, after=self.records[-1] if self.records else None, at=at)
        self._is_broken = True  # until the flush has returned
        self._file.write(b"".join(line_of(record) for record in sealed))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._is_broken = False
        self.records += sealed
        return sealed

    def close(self) -> None:
        """Close and unlock."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> Reading:
        self._file.seek(0)
        reading = read_lines(self._file.read())
        if reading.damage is not None:
            raise Damaged(
                f"the journal {self.path} is damaged at line {reading.damage.line}:"
                f" {reading.damage.reason}."
                f" The {len(reading.records)} records before it are whole; nothing was changed."
            )
        return reading

    def _cut(self, torn_bytes: int) -> None:
        size = self._file.seek(0, os.SEEK_END)
        self._file.truncate(size - torn_bytes)
        self._file.flush()
        os.fsync(self._file.fileno())


def take_over(path: Path) -> JournalFile:
    """Open a journal that a process still has open which may not act any more: its leases are over.

    Shape: the journal goes on in a new file under the old name; what the old process may still
    append goes to the old file, which has no name any more.
    Raises: Locked where the system does not let an open file be replaced; OSError.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(path.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except PermissionError as error:
        raise Locked(
            f"a process has {path} open, and this system does not let it be replaced: end it"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    flush_folder(path.parent)
    return JournalFile(path)


def flush_folder(folder: Path) -> None:
    """Flush a folder's own entries to the disk, so that a new file in it outlasts a power cut."""
    if os.name == "nt":
        return  # Windows flushes the entry with the file
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process has this journal open for appending, as far as this machine sees its lock.

    Effects: none that lasts; who opens the journal in that instant tries again.
    """
    try:
        with path.open("rb") as file:
            return not _try_lock(file, is_shared=True)
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes], path: Path) -> None:
    for _ in range(LOCK_TRIES):
        if _try_lock(file, is_shared=False):
            return
        time.sleep(LOCK_AGAIN_S)  # somebody may only have looked whether it is locked
    raise Locked(f"another process of this run has its journal open: {path}")


def _try_lock(file: IO[bytes], *, is_shared: bool) -> bool:
    try:
        if fcntl is not None:
            kind = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
            fcntl.flock(file.fileno(), kind | fcntl.LOCK_NB)
            return True
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        if is_shared:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    except OSError:
        return False
    return True
