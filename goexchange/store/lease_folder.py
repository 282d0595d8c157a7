"""Leases in a folder, also one on a share: for controllers on different machines.

A folder for each server holds one small file per change, numbered. A change is made by creating the
next number, which succeeds for one only: the link either exists or not, whatever was cached where.
The file with the highest number counts. Nothing is ever written twice, so no file is ever torn.

Clocks of different machines differ: who is further off the share's own clock than a limit does not
get a lease, and a take-over waits that limit out on both sides.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

from goexchange.codec import parse_time, time_text
from goexchange.errors import LeasesUnreachable, Locked, NotNow
from goexchange.store.journal_file import flush_folder
from goexchange.store.leases import (
    Claim,
    Lease,
    given_back,
    never_taken,
    renewed,
    revoked,
    taken,
)

SKEW_MAX = timedelta(seconds=30)
TRIES = 50
KEPT = 20  # changes that stay; a view of the folder is never that old
_SUFFIX = ".json"

Change = Callable[[Lease], Lease | None]


class FolderLeases:
    """Leases in a folder. `share_clock` tells the time of the machine that keeps the folder."""

    def __init__(self, folder: Path, *, share_clock: Callable[[Path], datetime] | None = None):
        self._folder = folder
        self._share_clock = share_clock or _share_clock

    def acquire(
        self,
        servers: Sequence[str],
        *,
        holder: str,
        run: str,
        lease_s: int,
        now: datetime,
        cmdlet_limit_s: int = 0,
        is_run_locked: bool = False,
        at_least: Mapping[str, int] | None = None,
    ) -> tuple[Lease, ...]:
        """Take all of them with new fencing numbers, or none: when one is denied, those that were
        taken before it are given back.

        Raises: NotNow when this machine's clock is too far off the share's.
        """
        claim = Claim(
            holder=holder,
            run=run,
            lease_s=lease_s,
            now=now,
            cmdlet_limit_s=cmdlet_limit_s,
            is_run_locked=is_run_locked,
            allowance=2 * SKEW_MAX,
        )
        lowest = at_least or {}
        found: list[Lease] = []
        with self._reachable():
            self._require_time(now)
            try:
                for server in sorted(set(servers)):
                    number = lowest.get(server, 0)
                    found.append(self._take(server, claim, number))
            except Locked:
                self.release(found)
                raise
        return tuple(found)

    def renew(self, held: Sequence[Lease], *, lease_s: int, now: datetime) -> tuple[Lease, ...]:
        """Make all of them last longer, one after the other."""
        found: list[Lease] = []
        with self._reachable():
            for lease in sorted(held, key=lambda one: one.server):
                longer = self._change(lease.server, _renewal(lease, lease_s=lease_s, now=now))
                assert longer is not None
                found.append(longer)
        return tuple(found)

    def release(self, held: Sequence[Lease]) -> None:
        """Give them back."""
        with self._reachable():
            for lease in held:
                self._change(lease.server, _return(lease))

    def revoke(self, server: str, *, now: datetime) -> Lease:
        """Take a lease from whoever has it."""
        before: list[Lease] = []

        def change(seen: Lease) -> Lease:
            before[:] = [seen]
            return revoked(seen, now=now)

        with self._reachable():
            self._change(server, change)
        return before[0]

    def read(self) -> tuple[Lease, ...]:
        """Every lease that was ever taken, by server."""
        with self._reachable():
            try:
                names = sorted(each.name for each in self._folder.iterdir() if each.is_dir())
            except FileNotFoundError:
                return ()
            return tuple(self._latest(unquote(name))[1] for name in names)

    def _take(self, server: str, claim: Claim, at_least: int) -> Lease:
        lease = self._change(server, lambda seen: taken(seen, claim, at_least=at_least))
        assert lease is not None
        return lease

    def _change(self, server: str, change: Callable[[Lease], Lease | None]) -> Lease | None:
        """Make a change on top of the newest one; None when there is nothing to change."""
        for _ in range(TRIES):
            number, seen = self._latest(server)
            wanted = change(seen)
            if wanted is None:
                return None
            if self._create(server, number + 1, wanted):
                return wanted
        raise LeasesUnreachable(f"{self._of(server)}: {TRIES} changes by others came in between")

    def _create(self, server: str, number: int, lease: Lease) -> bool:
        """Create the change with this number, flushed; False when somebody else has made it."""
        folder = self._of(server)
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{secrets.token_hex(8)}.part"
        target = folder / f"{number:012d}{_SUFFIX}"
        try:
            with part.open("xb") as file:
                file.write(_bytes(lease))
                file.flush()
                os.fsync(file.fileno())
            _publish(part, target)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        flush_folder(folder)
        numbers = _numbers(folder)
        if max(numbers) - number > KEPT // 2:  # the view of the folder was an old one
            target.unlink(missing_ok=True)
            return False
        for old in numbers:
            if old <= number - KEPT:
                (folder / f"{old:012d}{_SUFFIX}").unlink(missing_ok=True)
        return True

    def _latest(self, server: str) -> tuple[int, Lease]:
        folder = self._of(server)
        for _ in range(TRIES):
            numbers = _numbers(folder)
            if not numbers:
                return 0, never_taken(server)
            try:
                content = (folder / f"{max(numbers):012d}{_SUFFIX}").read_bytes()
            except FileNotFoundError:
                continue  # so old that it was removed meanwhile
            return max(numbers), _lease(content, server, folder)
        raise LeasesUnreachable(f"{folder}: its newest file cannot be read")

    def _require_time(self, now: datetime) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        off = now - self._share_clock(self._folder)
        if abs(off) > SKEW_MAX:
            raise NotNow(
                f"the clock of this machine is {off.total_seconds():+.0f} s off the clock of the"
                f" lease folder {self._folder}; {SKEW_MAX.seconds} s are allowed. Set the clock;"
                " nothing was changed"
            )

    def _of(self, server: str) -> Path:
        return self._folder / quote(server, safe="")

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LeasesUnreachable(f"the lease folder {self._folder}: {error}") from error


def _renewal(lease: Lease, *, lease_s: int, now: datetime) -> Change:
    return lambda seen: renewed(seen, lease, lease_s=lease_s, now=now)


def _return(lease: Lease) -> Change:
    return lambda seen: given_back(seen, lease)


def _publish(part: Path, target: Path) -> None:
    """Give a whole file its name, unless the name is taken. Raises: FileExistsError."""
    if os.name == "nt":
        part.rename(target)  # never replaces there
    else:
        os.link(part, target)


def _share_clock(folder: Path) -> datetime:
    """The time of the machine that keeps the folder: that of a file made there now."""
    probe = folder / f".{secrets.token_hex(8)}.clock"
    try:
        probe.write_bytes(b"")
        return datetime.fromtimestamp(probe.stat().st_mtime, UTC)
    finally:
        probe.unlink(missing_ok=True)


def _numbers(folder: Path) -> list[int]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    stems = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
    return [int(stem) for stem in stems if stem.isdecimal()]


def _bytes(lease: Lease) -> bytes:
    plain = {
        "server": lease.server,
        "number": lease.number,
        "holder": lease.holder,
        "run": lease.run,
        "acquired_at_utc": _time(lease.acquired_at_utc),
        "expires_at_utc": _time(lease.expires_at_utc),
        "cmdlet_limit_s": lease.cmdlet_limit_s,
    }
    return json.dumps(plain, sort_keys=True).encode() + b"\n"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def _lease(content: bytes, server: str, folder: Path) -> Lease:
    try:
        plain = json.loads(content)
        acquired, expires = plain["acquired_at_utc"], plain["expires_at_utc"]
        return Lease(
            server=server,
            number=int(plain["number"]),
            holder=plain["holder"],
            run=plain["run"],
            acquired_at_utc=None if acquired is None else parse_time(acquired),
            expires_at_utc=None if expires is None else parse_time(expires),
            cmdlet_limit_s=int(plain["cmdlet_limit_s"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LeasesUnreachable(
            f"{folder}: its newest file is not a lease ({error}); who holds it is unknown"
        ) from error
