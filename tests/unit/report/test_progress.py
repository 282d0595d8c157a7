"""Live progress from records and from the state of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from goexchange.journal.replay import replay
from goexchange.model.plan import EstimateSource, Plan
from goexchange.model.run import LaneState, Record, RecordKind
from goexchange.report.progress import (
    heartbeat_lines,
    live_head,
    live_rows,
    pipeline_line,
    steps_by_id,
)

Nights = Mapping[str, Callable[[Plan], tuple[Record, ...]]]


def without_leases(records: tuple[Record, ...]) -> list[Record]:
    return [one for one in records if one.kind is not RecordKind.LEASE]


def test_a_pipeline_gets_a_line_for_every_event(plan: Plan, nights: Nights) -> None:
    steps = steps_by_id(plan)
    lines = [line for one in nights["dead"](plan) for line in [pipeline_line(one, steps)] if line]
    assert lines[0] == "21:00:00Z  run 20261128T210000Z-7f3c9a1e of plan 7f3c9a1e started"
    assert "21:00:48Z  EX01/DB05  7 dismount: begins (mounted -> dismounted)" in lines
    assert "21:02:23Z  EX01/DB05  7 dismount: done after 1 m 35 s" in lines
    assert lines[-1] == "21:58:04Z  EX01/DB05  12 rebuild: 20 GiB of 57 GiB (35%), 24 MiB/s"


def test_leases_make_no_noise(plan: Plan, nights: Nights) -> None:
    lease = nights["clean"](plan)[0]
    assert lease.kind is RecordKind.LEASE and pipeline_line(lease, {}) is None


def test_a_terminal_gets_a_row_with_share_rate_and_limit(plan: Plan, nights: Nights) -> None:
    records = without_leases(nights["dead"](plan))
    now = records[-1].at_utc + timedelta(seconds=30)
    (row,) = live_rows(plan, replay(records), now)
    assert row.title == "EX01 / DB05" and row.state is LaneState.RUNNING
    assert row.phase == "12/32 rebuild" and row.amount == "20 GiB of 57 GiB"
    assert row.done_share is not None and round(row.done_share, 2) == 0.35
    assert (row.rate, row.elapsed, row.limit) == ("24 MiB/s", "13 m 50 s", "<= 8 h")
    (line,) = heartbeat_lines(plan, replay(records), now)
    assert line.endswith("20 GiB of 57 GiB, 35%, 24 MiB/s, since 13 m 50 s, <= 8 h")


def test_between_two_steps_the_last_one_is_done_and_says_since_when(
    plan: Plan, nights: Nights
) -> None:
    records = without_leases(nights["clean"](plan))
    at = next(
        number
        for number, record in enumerate(records)
        if record.kind is RecordKind.OUTCOME and "rebuild" in str(record.data["step"])
    )
    now = records[at].at_utc + timedelta(seconds=3)
    (row,) = live_rows(plan, replay(records[: at + 1]), now)
    assert (row.phase, row.elapsed, row.limit) == ("12/32 rebuild, done", "3 s", "")


def test_the_head_shows_the_window_and_what_is_left(
    plan: Plan, make_plan: Callable[..., Plan], nights: Nights
) -> None:
    records = without_leases(nights["dead"](plan))
    head = live_head(plan, replay(records), records[-1].at_utc)
    assert head.window_left == "7 h 01 m (until 06:00)"
    assert head.time_left.startswith("about 2 h") and "p90" in head.time_left
    new = make_plan(estimate=EstimateSource(earlier_runs=2, text="stated default rates"))
    assert live_head(new, replay(records), records[-1].at_utc).time_left == "no estimate yet"


def test_an_ended_lane_says_how_and_beats_no_more(plan: Plan, nights: Nights) -> None:
    records = without_leases(nights["clean"](plan))
    state = replay(records)
    (row,) = live_rows(plan, state, records[-1].at_utc)
    assert (row.state, row.phase, row.detail, row.limit) == (LaneState.DONE, "done", "rebuilt", "")
    assert heartbeat_lines(plan, state, records[-1].at_utc) == ()
