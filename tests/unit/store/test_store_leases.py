"""Leases: one suite for every back end, on a real disk."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define

from goexchange.errors import LeaseLost, LeasesUnreachable, Locked, NotNow
from goexchange.store.lease_folder import KEPT, SKEW_MAX, FolderLeases
from goexchange.store.lease_sqlite import SqliteLeases
from goexchange.store.leases import Lease, Leases

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
LEASE_S, LIMIT_S = 60, 40
ENDS = NOW + timedelta(seconds=LEASE_S)
FREE = ENDS + timedelta(seconds=LIMIT_S)  # and the clocks' allowance, where there is one
HERE = socket.gethostname()


@define
class Place:
    """Where leases are kept, and what its own clock says; `open` is another controller's view."""

    path: Path
    kind: str
    now: datetime = NOW
    allowance: timedelta = timedelta(0)

    def open(self) -> Leases:
        if self.kind == "sqlite":
            return SqliteLeases(self.path)
        return FolderLeases(self.path, share_clock=lambda _: self.now)

    @property
    def free(self) -> datetime:
        """From when on somebody else may take what was taken at NOW."""
        return FREE + self.allowance

    def take(self, holder: str, *servers: str, at: datetime = NOW) -> tuple[Lease, ...]:
        """As a controller whose clock is right."""
        self.now = at
        return taken(self.open(), holder, *servers, now=at)


def taken(leases: Leases, holder: str, *servers: str, now: datetime) -> tuple[Lease, ...]:
    return leases.acquire(
        servers,
        holder=holder,
        run=f"run-{holder}",
        lease_s=LEASE_S,
        now=now,
        cmdlet_limit_s=LIMIT_S,
    )


@pytest.fixture(params=["sqlite", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(tmp_path / "leases.sqlite", "sqlite")
    return Place(tmp_path / "leases", "folder", allowance=2 * SKEW_MAX)


def test_all_are_taken_or_none(place: Place) -> None:
    place.take("a", "EX02")
    until = f"{place.free:%Y-%m-%dT%H:%M:%SZ}"
    with pytest.raises(
        Locked,
        match=r"EX02 is held by a \(run run-a\) since .* until 2026-11-22T20:01:00Z;"
        rf" nobody else can take it before {until}",
    ):
        place.take("b", "EX03", "EX01", "EX02")
    held = {lease.server for lease in place.open().read() if lease.is_held(NOW)}
    assert held == {"EX02"}
    place.take("c", "EX01", "EX03")


def test_a_group_is_a_lease_like_a_server(place: Place) -> None:
    place.take("a", "EX01", "dag:DAG 1/ä")
    with pytest.raises(Locked, match="DAG 1/ä is held by a"):
        place.take("b", "EX02", "dag:DAG 1/ä")
    assert {lease.server for lease in place.open().read()} >= {"EX01", "dag:DAG 1/ä"}


def test_numbers_never_go_back(place: Place) -> None:
    numbers: list[int] = []
    now = NOW
    for holder in ("a", "b", "a", "c"):
        held = place.take(holder, "EX01", at=now)
        numbers.append(held[0].number)
        if holder == "b":
            place.open().release(held)
        now += place.free - NOW
    before = place.open().revoke("EX01", now=now)
    assert before.holder == "c"
    after = place.take("d", "EX01", at=now + (place.free - NOW))
    assert [*numbers, after[0].number] == [1, 2, 3, 4, 6]


def test_it_is_taken_over_after_expiry_and_the_cmdlet_limit_and_not_before(place: Place) -> None:
    old = place.take("a", "EX01")
    for moment in (ENDS, place.free - timedelta(seconds=1)):
        with pytest.raises(Locked):
            place.take("b", "EX01", at=moment)
    new = place.take("b", "EX01", at=place.free)
    for view in (place.open(), place.open()):
        with pytest.raises(LeaseLost, match="held by b"):
            view.renew(old, lease_s=LEASE_S, now=place.free)
        view.release(old)
    assert place.open().read() == new


def test_a_holder_that_slept_keeps_what_nobody_took(place: Place) -> None:
    held = place.take("a", "EX01", "EX02")
    late = NOW + timedelta(hours=1)
    renewed = place.open().renew(held, lease_s=LEASE_S, now=late)
    assert [lease.number for lease in renewed] == [lease.number for lease in held]
    assert all(lease.is_held(late + timedelta(seconds=LEASE_S - 1)) for lease in renewed)
    with pytest.raises(Locked):
        place.take("b", "EX02", at=late)


def test_a_pause_longer_than_the_lease_leaves_one_writer(place: Place) -> None:
    """The first sleeps; the second takes over; whichever of them asks first, one goes on."""
    first = place.take("a", "EX01")
    second = place.take("b", "EX01", at=place.free + timedelta(hours=5))
    with pytest.raises(LeaseLost):
        place.open().renew(first, lease_s=LEASE_S, now=place.now)
    assert place.open().renew(second, lease_s=LEASE_S, now=place.now)[0].number == 2
    with pytest.raises(Locked):
        place.take("a2", "EX01", at=place.now)


def test_a_clock_that_goes_back_shortens_no_lease(place: Place) -> None:
    held = place.take("a", "EX01")
    back = place.open().renew(held, lease_s=LEASE_S, now=NOW - timedelta(hours=2))
    assert back[0].expires_at_utc == ENDS
    with pytest.raises(Locked):
        place.take("b", "EX01", at=ENDS)


@pytest.mark.parametrize("ahead_s", [0, 20, LIMIT_S - 1])
def test_a_taker_whose_clock_is_ahead_takes_nothing_that_is_held(
    place: Place, ahead_s: int
) -> None:
    """The holder renews at the last moment; the taker's clock is ahead by less than the limit."""
    place.take("a", "EX01")
    place.now = ENDS - timedelta(seconds=1)
    with pytest.raises((Locked, NotNow)):
        taken(place.open(), "b", "EX01", now=place.now + timedelta(seconds=ahead_s))


def test_of_two_clocks_at_the_ends_of_what_is_allowed_none_takes_early(tmp_path: Path) -> None:
    place = Place(tmp_path / "leases", "folder", allowance=2 * SKEW_MAX)
    taken(place.open(), "a", "EX01", now=NOW - SKEW_MAX)  # behind the share's clock
    truly_free = FREE - NOW  # by the holder's own clock, which goes on as it is
    place.now = NOW + truly_free - timedelta(seconds=1)
    with pytest.raises(Locked):
        taken(place.open(), "b", "EX01", now=place.now + SKEW_MAX)
    place.now = NOW + truly_free
    assert taken(place.open(), "b", "EX01", now=place.now + SKEW_MAX)[0].number == 2


@pytest.mark.parametrize("off_s", [-31, 31, 86_400])
def test_a_clock_too_far_off_the_share_gets_no_lease(tmp_path: Path, off_s: int) -> None:
    place = Place(tmp_path / "leases", "folder")
    with pytest.raises(NotNow, match="off the clock of the lease folder"):
        taken(place.open(), "a", "EX01", now=NOW + timedelta(seconds=off_s))
    assert place.open().read() == ()


def test_a_share_tells_its_own_time(tmp_path: Path) -> None:
    leases = FolderLeases(tmp_path / "leases")
    assert taken(leases, "a", "EX01", now=datetime.now(UTC))[0].number == 1
    with pytest.raises(NotNow):
        taken(leases, "a", "EX01", now=datetime.now(UTC) + timedelta(minutes=5))


def test_a_resume_takes_over_what_its_dead_process_left_here_and_nothing_else(
    place: Place,
) -> None:
    def again(holder: str, run: str, server: str, *, is_run_locked: bool) -> int:
        leases = place.open().acquire(
            (server,), holder=holder, run=run, lease_s=60, now=NOW, is_run_locked=is_run_locked
        )
        return leases[0].number

    again(f"{HERE}:1:r", "r", "EX01", is_run_locked=True)
    again("elsewhere:1:r", "r", "EX02", is_run_locked=True)
    assert again(f"{HERE}:2:r", "r", "EX01", is_run_locked=True) == 2
    for holder, run, server, is_locked in (
        (f"{HERE}:3:r", "r", "EX01", False),
        (f"{HERE}:3:s", "s", "EX01", True),
        (f"{HERE}:3:r", "r", "EX02", True),  # whether that one is dead, its lock does not tell
    ):
        with pytest.raises(Locked):
            again(holder, run, server, is_run_locked=is_locked)


def test_a_new_store_starts_above_what_the_hosts_have_seen(place: Place) -> None:
    def acquire(holder: str, *servers: str, **at_least: int) -> tuple[Lease, ...]:
        return place.open().acquire(
            servers, holder=holder, run="r", lease_s=60, now=NOW, at_least=at_least
        )

    held = acquire("a", "EX01", "EX02")
    raised = acquire("a", "EX01", "EX02", EX01=41)
    assert [(one.server, one.number) for one in raised] == [("EX01", 41), ("EX02", 2)]
    with pytest.raises(LeaseLost):
        place.open().renew(held, lease_s=60, now=NOW)
    with pytest.raises(Locked):  # no number takes a lease from somebody who holds it
        acquire("b", "EX01", EX01=99)
    place.open().release(raised)
    assert acquire("b", "EX01", EX01=7)[0].number == 42


def test_a_lease_that_was_revoked_is_lost_to_its_holder_and_waits_out_the_limit(
    place: Place,
) -> None:
    held = place.take("a", "EX01")
    place.open().revoke("EX01", now=NOW)
    with pytest.raises(LeaseLost):
        place.open().renew(held, lease_s=LEASE_S, now=NOW)
    place.open().release(held)
    early = NOW + timedelta(seconds=LIMIT_S - 1)
    with pytest.raises(Locked):
        place.take("b", "EX01", at=early)
    free = NOW + timedelta(seconds=LIMIT_S) + place.allowance
    assert place.take("b", "EX01", at=free)[0].number == 3


def test_renewals_beyond_what_is_kept_change_nothing(place: Place) -> None:
    held = place.take("a", "EX01")
    for minute in range(KEPT * 2):
        held = place.open().renew(held, lease_s=LEASE_S, now=NOW + timedelta(minutes=minute))
    assert place.open().read() == held
    if place.kind == "folder":
        assert len(list((place.path / "EX01").iterdir())) == KEPT


def test_of_many_threads_one_wins(place: Place) -> None:
    def attempt(number: int) -> bool:
        try:
            taken(place.open(), f"holder-{number}", "EX01", "EX02", now=NOW)
        except Locked:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) <= 1
    winners = {lease.holder for lease in place.open().read() if lease.holder}
    assert len(winners) <= 1


_RACER = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from goexchange.errors import Locked
from goexchange.store.lease_folder import FolderLeases
from goexchange.store.lease_sqlite import SqliteLeases

kind, place, folder, rounds, *servers = sys.argv[1:]
leases = (SqliteLeases if kind == "sqlite" else FolderLeases)(Path(place))
work, done, me = Path(folder), 0, str(os.getpid())
deadline = time.monotonic() + 60
while done < int(rounds) and time.monotonic() < deadline:
    try:
        held = leases.acquire(servers, holder=me, run=me, lease_s=30, now=datetime.now(UTC))
    except Locked:
        time.sleep(0.002)
        continue
    for lease in held:
        mark = work / f"{lease.server}.working"
        mark.touch(exist_ok=False)  # raises when another one works on it
        (work / f"{lease.server}.{lease.number}").touch(exist_ok=False)  # a number for one only
    leases.renew(held, lease_s=30, now=datetime.now(UTC))
    for lease in held:
        (work / f"{lease.server}.working").unlink()
    leases.release(held)
    done += 1
sys.exit(0 if done == int(rounds) else 3)
"""


@pytest.mark.parametrize("kind", ["sqlite", "folder"])
def test_racing_processes_never_work_on_one_server_at_once(tmp_path: Path, kind: str) -> None:
    rounds, wanted = 12, (("EX01", "EX02"), ("EX02", "EX01"), ("EX02", "EX03"))
    work = tmp_path / "work"
    work.mkdir()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, kind, str(tmp_path / kind), str(work), str(rounds)]
            + list(servers),
            stderr=subprocess.PIPE,
        )
        for servers in wanted
    ]
    ends = [(racer.communicate(timeout=90)[1], racer.returncode) for racer in racers]
    assert [code for _, code in ends] == [0, 0, 0], ends
    numbers = [each.name for each in work.iterdir()]
    assert len(numbers) == 2 * rounds * len(wanted), "each round had two numbers of its own"


@pytest.mark.parametrize(
    ("name", "nth", "number"),
    [("fsync", 1, 1), ("link", 1, 1), ("fsync", 2, 2), ("listdir", 1, 1), ("listdir", 2, 2)],
)
def test_a_process_that_dies_between_any_two_writes_leaves_a_whole_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, nth: int, number: int
) -> None:
    place = Place(tmp_path / "leases", "folder", allowance=2 * SKEW_MAX)
    place.take("a", "EX01")
    calls, real = 0, getattr(os, name)

    def dies(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise KeyboardInterrupt(name)
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, name, dies)
        with pytest.raises(KeyboardInterrupt):
            place.take("b", "EX01", at=place.free)
    seen = place.open().read()
    assert [lease.number for lease in seen] == [number]
    later = place.free + (place.free - NOW)
    assert place.take("c", "EX01", at=later)[0].number == number + 1


@contextmanager
def away(place: Place) -> Iterator[None]:
    """What keeps the leases cannot be reached."""
    aside = place.path.with_name("aside")
    place.path.rename(aside)
    place.path.parent.joinpath(place.path.name).write_text("not what was here", "utf-8")
    try:
        yield
    finally:
        place.path.unlink()
        aside.rename(place.path)


def test_what_cannot_be_reached_is_unknown_and_nothing_starts(place: Place) -> None:
    held = place.take("a", "EX01")
    asks: tuple[Callable[[], object], ...] = (
        lambda: place.open().read(),
        lambda: place.take("b", "EX02"),
        lambda: place.open().renew(held, lease_s=LEASE_S, now=NOW),
        lambda: place.open().release(held),
        lambda: place.open().revoke("EX01", now=NOW),
    )
    with away(place):
        for ask in asks:
            with pytest.raises(LeasesUnreachable):
                ask()
    renewed = place.open().renew(held, lease_s=LEASE_S, now=ENDS)
    assert renewed[0].number == held[0].number, "back again, and still ours"


def test_a_lease_that_is_none_is_unknown_not_free(tmp_path: Path) -> None:
    place = Place(tmp_path / "leases", "folder")
    place.take("a", "EX01")
    (tmp_path / "leases" / "EX01" / "000000000009.json").write_bytes(b'{"server": "EX0')
    with pytest.raises(LeasesUnreachable, match="who holds it is unknown"):
        place.take("b", "EX01", at=NOW + timedelta(days=1))


def test_an_old_view_of_the_folder_makes_no_lease(tmp_path: Path) -> None:
    """A directory that a client has cached for an hour: what it would create is long past."""
    place = Place(tmp_path / "leases", "folder")
    held = place.take("a", "EX01")
    for minute in range(KEPT * 2):
        held = place.open().renew(held, lease_s=LEASE_S, now=NOW + timedelta(minutes=minute))
    from goexchange.store import lease_folder

    stale, real = [2], lease_folder._numbers
    (tmp_path / "leases" / "EX01" / "000000000002.json").write_bytes(
        json.dumps(
            {
                "number": 1,
                "holder": None,
                "run": None,
                "acquired_at_utc": None,
                "expires_at_utc": None,
                "cmdlet_limit_s": 0,
            }
        ).encode()
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            lease_folder, "_numbers", lambda folder: [stale.pop()] if stale else real(folder)
        )
        with pytest.raises(Locked, match="held by a"):
            place.take("b", "EX01", at=NOW)
    assert place.open().read() == held


def test_leases_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "leases.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE lease (server TEXT PRIMARY KEY, number INTEGER NOT NULL, holder TEXT,"
            " run TEXT, acquired_at TEXT, expires_at TEXT)"
        )
        database.execute(
            "INSERT INTO lease VALUES ('EX01', 7, 'a', 'run-a', ?, ?)",
            ("2026-11-22T20:00:00Z", "2026-11-22T20:01:00Z"),
        )
    database.close()
    leases = SqliteLeases(path)
    with pytest.raises(Locked):
        taken(leases, "b", "EX01", now=NOW)
    assert leases.read()[0].cmdlet_limit_s == 0
    assert taken(leases, "b", "EX01", now=ENDS)[0].number == 8


def test_reading_makes_nothing(place: Place) -> None:
    assert place.open().read() == ()
    assert not place.path.exists()
