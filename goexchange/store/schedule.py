"""What the passes of a scheduler did: one line each, appended and flushed, and one pass at a time.

Lines are never changed. A last line that was torn says nothing: what it would have said happens
again, and is harmless twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path

from attrs import frozen

from goexchange.codec import canonical_json, from_plain, to_plain
from goexchange.errors import Damaged, InvalidDocument, Locked
from goexchange.store.journal_file import JournalFile, flush_folder

LOG_NAME = "schedule.jsonl"
LOCK_NAME = "schedule.lock"


class PassEvent(Enum):
    """What a line says."""

    KNOWN = "known"  # a specification's schedule was seen for the first time
    SERVED = "served"  # a due time was served: by a run, or because nothing was to be done
    MISSED = "missed"  # a due time was missed, said once
    PLANNED = "planned"  # a plan was made and waits for its approval
    UNPROTECTED = "unprotected"  # people were reminded of a database without a proved backup


@frozen(kw_only=True)
class PassRecord:
    """One line; `subject` is a specification, or the address of a database."""

    at_utc: datetime
    event: PassEvent
    subject: str
    due_at_utc: datetime | None = None
    run: str | None = None
    text: str = ""


class ScheduleLog:
    """The lines of a store."""

    def __init__(self, store: Path) -> None:
        self._path = store / LOG_NAME

    def read(self) -> tuple[PassRecord, ...]:
        """Every line, oldest first; none without a file.

        Raises: Damaged naming the line that cannot be read.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        whole, _, _torn = content.rpartition(b"\n")
        found = []
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                found.append(from_plain(PassRecord, json.loads(line)))
            except (ValueError, InvalidDocument) as error:
                raise Damaged(
                    f"{self._path}, line {number}, is not as this version writes it: {error}."
                    " Move the file away to begin anew: no due time counts as missed then"
                ) from error
        return tuple(found)

    def append(self, record: PassRecord) -> None:
        """Write one line, flushed; a torn end is cut first."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._path.exists()
        with self._path.open("ab+") as file:
            file.seek(0)
            end = file.read().rpartition(b"\n")
            file.truncate(len(end[0]) + len(end[1]))
            file.seek(0, os.SEEK_END)
            file.write(canonical_json(to_plain(record)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            flush_folder(self._path.parent)


@contextmanager
def one_pass(store: Path) -> Iterator[None]:
    """This process alone makes a pass over the store.

    Raises: Locked when another one is at work.
    """
    store.mkdir(parents=True, exist_ok=True)
    try:
        lock = JournalFile(store / LOCK_NAME)
    except Locked as error:
        raise Locked(
            f"another pass is at work on the store {store}; it does what is due. Nothing was"
            " changed by this one"
        ) from error
    with lock:
        yield
