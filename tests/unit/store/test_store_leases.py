"""Leases in a real SQLite file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from goexchange.errors import LeaseLost, Locked
from goexchange.store.leases import Lease, SqliteLeases

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=61)


def take(
    leases: SqliteLeases, holder: str, *servers: str, now: datetime = NOW
) -> tuple[Lease, ...]:
    return leases.acquire(servers, holder=holder, run=f"run-{holder}", lease_s=60, now=now)


@pytest.fixture
def leases(tmp_path: Path) -> SqliteLeases:
    return SqliteLeases(tmp_path / "leases.sqlite")


def test_all_are_taken_or_none(leases: SqliteLeases) -> None:
    take(leases, "a", "EX02")
    with pytest.raises(
        Locked, match=r"EX02 is held by a \(run run-a\) since .* until 2026-11-22T20:01:00Z"
    ):
        take(leases, "b", "EX03", "EX01", "EX02")
    held = {lease.server for lease in leases.read() if lease.is_held(NOW)}
    assert held == {"EX02"}


def test_numbers_never_go_back(leases: SqliteLeases) -> None:
    numbers: list[int] = []
    now = NOW
    for holder in ("a", "b", "a", "c"):
        held = take(leases, holder, "EX01", now=now)
        numbers.append(held[0].number)
        if holder == "b":
            leases.release(held)
        now += timedelta(seconds=61)
    assert numbers == [1, 2, 3, 4]


def test_an_expired_lease_is_taken_over_and_the_old_holder_learns_it(leases: SqliteLeases) -> None:
    old = take(leases, "a", "EX01")
    new = take(leases, "b", "EX01", now=LATER)
    with pytest.raises(LeaseLost, match="held by b"):
        leases.renew(old, lease_s=60, now=LATER)
    leases.release(old)
    assert leases.read() == new


def test_a_holder_that_slept_keeps_what_nobody_took(leases: SqliteLeases) -> None:
    held = take(leases, "a", "EX01", "EX02")
    renewed = leases.renew(held, lease_s=60, now=LATER)
    assert [lease.number for lease in renewed] == [lease.number for lease in held]
    assert all(lease.is_held(LATER + timedelta(seconds=59)) for lease in renewed)
    with pytest.raises(Locked):
        take(leases, "b", "EX02", now=LATER)


def test_a_resume_takes_over_what_its_dead_process_left_and_nothing_else(
    leases: SqliteLeases,
) -> None:
    take(leases, "a", "EX01")

    def again(holder: str, run: str, *, is_run_locked: bool) -> int:
        taken = leases.acquire(
            ("EX01",), holder=holder, run=run, lease_s=60, now=NOW, is_run_locked=is_run_locked
        )
        return taken[0].number

    assert again("a2", "run-a", is_run_locked=True) == 2
    with pytest.raises(Locked):
        again("a3", "run-a", is_run_locked=False)
    with pytest.raises(Locked):
        again("b", "run-b", is_run_locked=True)


def test_a_new_store_starts_above_what_the_hosts_have_seen(leases: SqliteLeases) -> None:
    held = leases.acquire(("EX01", "EX02"), holder="a", run="r", lease_s=60, now=NOW)
    raised = leases.acquire(
        ("EX01", "EX02"), holder="a", run="r", lease_s=60, now=NOW, at_least={"EX01": 41}
    )
    assert [(one.server, one.number) for one in raised] == [("EX01", 41), ("EX02", 2)]
    with pytest.raises(LeaseLost):
        leases.renew(held, lease_s=60, now=NOW)
    with pytest.raises(Locked):  # no number takes a lease from somebody who holds it
        leases.acquire(("EX01",), holder="b", run="s", lease_s=60, now=NOW, at_least={"EX01": 99})
    leases.release(raised)
    again = leases.acquire(
        ("EX01",), holder="b", run="s", lease_s=60, now=NOW, at_least={"EX01": 7}
    )
    assert again[0].number == 42


def test_of_many_at_once_one_wins(leases: SqliteLeases) -> None:
    def attempt(number: int) -> bool:
        try:
            take(leases, f"holder-{number}", "EX01", "EX02")
        except Locked:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
