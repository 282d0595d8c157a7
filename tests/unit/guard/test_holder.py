"""Who is dead: silent for longer than its lease, by the host's own clock; unknown is not dead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.holder import is_dead, sign_of_life, words
from goexchange.model.left import KeptRun, LeftOnHost, RecoveryRecord, SentinelLeft
from goexchange.model.unknown import Unknown

NOW = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
RUN = "20261128T213000-0001"


def left(**parts: Any) -> LeftOnHost:
    nothing: dict[str, Any] = dict.fromkeys(
        ("recoveries", "runs", "sentinels", "jobs", "looked_at", "listed"), ()
    )
    return LeftOnHost(
        server="EX01",
        clock_utc=NOW,
        boot_id="b",
        fence=3,
        fence_holder="admin01:7",
        **{**nothing, **parts},
    )


def kept(ago_s: float, run: str = RUN) -> KeptRun:
    alive = NOW - timedelta(seconds=ago_s)
    return KeptRun(run=run, holder="admin01:7", alive_at_utc=alive, sizes={})


def sentinel(ago_s: float) -> SentinelLeft:
    return SentinelLeft(
        database_guid="g",
        run=RUN,
        fed_at_utc=NOW - timedelta(seconds=ago_s),
        is_task_present=True,
    )


def recovery(ago_s: float) -> RecoveryRecord:
    return RecoveryRecord(
        run=RUN,
        database_guid="g",
        is_open=True,
        opened_at_utc=NOW - timedelta(hours=2),
        written_at_utc=NOW - timedelta(seconds=ago_s),
        phase="open",
        content={},
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"runs": (kept(301), kept(1, run="another"))},
        {"runs": (kept(400),), "sentinels": (sentinel(301),)},
        {"recoveries": (recovery(301),)},
        {},
    ],
)
def test_dead_after_a_whole_lease_of_silence(parts: dict[str, Any]) -> None:
    assert is_dead(sign_of_life(left(**parts), RUN), lease_s=300)


@pytest.mark.parametrize(
    "parts",
    [
        {"runs": (kept(300),)},
        {"runs": (kept(4000),), "sentinels": (sentinel(10),)},
        {"runs": (kept(4000),), "recoveries": (recovery(10),)},
    ],
)
def test_any_sign_within_the_lease_is_life(parts: dict[str, Any]) -> None:
    sign = sign_of_life(left(**parts), RUN)
    assert not is_dead(sign, lease_s=300)
    assert "EX01" in words(sign, lease_s=300) and "300 s" in words(sign, lease_s=300)


@pytest.mark.parametrize("part", ["runs", "sentinels", "recoveries"])
def test_unknown_is_not_dead(part: str) -> None:
    seen = evolve(left(runs=(kept(9000),)), **{part: Unknown("access denied")})
    sign = sign_of_life(seen, RUN)
    assert not is_dead(sign, lease_s=300)
    assert "access denied" in words(sign, lease_s=300)


def test_a_clock_that_went_back_is_not_death() -> None:
    assert not is_dead(sign_of_life(left(runs=(kept(-50),)), RUN), lease_s=300)
