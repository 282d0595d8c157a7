"""What operators ask of running runs: a small file each in the run's folder, from any machine that
sees the store.

A request appears whole or not at all. The run's own process takes it up and journals it under its
name; the file stays, and a name that stands in the journal is not taken up again.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from attrs import define, field, frozen

from goexchange.codec import parse_time, time_text
from goexchange.store.journal_file import flush_folder

FOLDER = "requests"
SUFFIX = ".json"
LOOK_EVERY_S = 0.25


@frozen(kw_only=True)
class StoredRequest:
    """One request: a word of the journal, who asked, and when by the clock of their machine."""

    id: str
    request: str
    by: str
    at_utc: datetime


def write_request(run: Path, request: str, *, by: str, now: datetime) -> StoredRequest:
    """Put a request into the folder of a run, flushed."""
    name = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(2)}-{request}"
    asked = StoredRequest(id=name, request=request, by=by, at_utc=now)
    folder = run / FOLDER
    folder.mkdir(exist_ok=True)
    plain = {"request": request, "by": by, "at_utc": time_text(now)}
    write_whole(folder / (name + SUFFIX), json.dumps(plain, sort_keys=True).encode() + b"\n")
    return asked


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that others read at any time: they see the old one or the new one, flushed."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    flush_folder(path.parent)


def read_requests(run: Path) -> tuple[StoredRequest, ...]:
    """Every request of a run, oldest first; what is no request is left out."""
    try:
        names = sorted(
            name
            for name in os.listdir(run / FOLDER)
            if name.endswith(SUFFIX) and not name.startswith(".")
        )
    except FileNotFoundError:
        return ()
    found = (_read(run / FOLDER / name) for name in names)
    return tuple(each for each in found if each is not None)


def withdraw(run: Path, asked: StoredRequest) -> None:
    """Take a request back that no process has taken up."""
    (run / FOLDER / (asked.id + SUFFIX)).unlink(missing_ok=True)


def remove_requests(run: Path) -> None:
    """Remove every request of a run, and their folder."""
    folder = run / FOLDER
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@define
class Inbox:
    """The requests of one run that its process has not seen yet.

    Shape: `taken` are names that stand in the journal already; `hold` gives the hold of the whole
    store as a request, None while there is none.
    """

    run: Path
    taken: Collection[str]
    hold: Callable[[], StoredRequest | None] = lambda: None
    _seen: set[str] = field(init=False)
    _looked: float = field(init=False, default=float("-inf"))

    def __attrs_post_init__(self) -> None:
        self._seen = set(self.taken)

    def new(self) -> tuple[StoredRequest, ...]:
        """What was asked since the last look; nothing while it is not yet time for another look,
        and nothing while the store cannot be read: the run goes on then.
        """
        if time.monotonic() - self._looked < LOOK_EVERY_S:
            return ()
        self._looked = time.monotonic()
        try:
            found = [*read_requests(self.run)]
            held = self.hold()
        except OSError:
            return ()
        found += [] if held is None else [held]
        new = tuple(each for each in found if each.id not in self._seen)
        self._seen |= {each.id for each in new}
        return new


def _read(path: Path) -> StoredRequest | None:
    """The request of a file; None when it was withdrawn meanwhile, or is not one of ours."""
    try:
        plain = json.loads(path.read_bytes())
        return StoredRequest(
            id=path.name.removesuffix(SUFFIX),
            request=str(plain["request"]),
            by=str(plain["by"]),
            at_utc=parse_time(plain["at_utc"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
