"""The verifier machine's part: read each set that has no verdict yet, and leave one beside it.

Effects: writes one file into the folder of a set, whole or not at all; a run elsewhere waits for
it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from attrs import field, frozen

from goexchange import __version__
from goexchange.app.backups import manifests_below
from goexchange.app.verifying import verify_path
from goexchange.backup.manifest import parse_manifest
from goexchange.backup.verdict import (
    VERDICT_BYTES_MAX,
    parse_verdict,
    verdict_bytes,
    verdict_of,
)
from goexchange.errors import GoexchangeError, InvalidDocument
from goexchange.model.backup_set import MANIFEST_NAME, VERDICT_NAME, SetVerdict
from goexchange.store.journal_file import flush_folder
from goexchange.store.scanning import MANIFEST_BYTES_MAX

_PART_NAME = f"{VERDICT_NAME}.part"


@frozen(kw_only=True)
class Attested:
    """One set of a pass.

    Unknown: no `verdict` where none could be made or left, or another pass is at it; `why` says so.
    """

    folder: str
    verdict: SetVerdict | None = None
    is_new: bool = False
    is_elsewhere: bool = False
    why: str | None = field(default=None)

    @property
    def is_good(self) -> bool:
        """The set is sound, or its verdict is in other hands."""
        return self.is_elsewhere or (self.verdict is not None and self.verdict.is_good)


def attest(
    folders: Sequence[str], *, by: str | None = None, progress: Callable[[int, int], None]
) -> Iterator[Attested]:
    """One pass over every set below the folders: those with a verdict of their own are left alone.

    Shape: `by` is what the machine calls itself, its host name where nothing is given.
    Raises: UsageError for a folder that is not there.
    """
    name = by or socket.gethostname()
    for manifest in manifests_below(folders):
        try:
            yield _attested(manifest.parent, name, progress)
        except (GoexchangeError, OSError) as error:
            yield Attested(folder=str(manifest.parent), why=str(error))


def _attested(folder: Path, by: str, progress: Callable[[int, int], None]) -> Attested:
    wanted = _digest_of(folder)
    present = _present(folder, wanted)
    if present is not None:
        return Attested(folder=str(folder), verdict=present)
    with _alone(folder / MANIFEST_NAME) as is_alone:
        if not is_alone:
            return Attested(folder=str(folder), is_elsewhere=True, why="another pass is at it")
        verification = verify_path(str(folder), progress=progress)
        verdict = verdict_of(
            verification.judgement,
            is_good=verification.is_good,
            at=datetime.now(UTC),
            by=by,
            version=__version__,
        )
        _leave(folder, verdict)
    return Attested(folder=str(folder), verdict=verdict, is_new=True)


def _digest_of(folder: Path) -> str:
    """Raises: InvalidDocument when the manifest states no digest that holds; OSError."""
    with (folder / MANIFEST_NAME).open("rb") as file:
        return parse_manifest(file.read(MANIFEST_BYTES_MAX)).sha256


def _present(folder: Path, wanted: str) -> SetVerdict | None:
    """The verdict that lies there, when it is whole and about this very set."""
    try:
        with (folder / VERDICT_NAME).open("rb") as file:
            verdict = parse_verdict(file.read(VERDICT_BYTES_MAX))
    except (OSError, InvalidDocument):
        return None  # none, or none that can be believed: it is made anew
    return verdict if verdict.set_sha256 == wanted else None


@contextmanager
def _alone(manifest: Path) -> Iterator[bool]:
    """Whether this pass alone is at the set; it is, where files cannot be locked."""
    try:
        import fcntl
    except ImportError:  # Windows: two passes would do the same work twice, and no harm
        yield True
        return
    with manifest.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass  # a file system without locks
        yield True


def _leave(folder: Path, verdict: SetVerdict) -> None:
    """Write it beside the manifest: a reader sees the whole of it, or what was there before."""
    part = folder / _PART_NAME
    with part.open("wb") as file:
        file.write(verdict_bytes(verdict))
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / VERDICT_NAME)
    flush_folder(folder)
