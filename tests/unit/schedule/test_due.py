from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.model.configuration import TimeOfDay, Weekday, Window
from goexchange.model.desired import MissedPolicy
from goexchange.model.plan import WindowPlan
from goexchange.schedule.due import (
    Before,
    DueNow,
    Standing,
    due_after,
    due_at_or_before,
    due_now,
    due_rule,
    is_for_start,
)
from tests.unit.plan.builders import schedule
from tests.unit.schedule.test_windows import NIGHT, WEEKEND, utc

KNOWN = utc(2026, 11, 1)
SATURDAY = utc(2026, 11, 28, 21)  # 22:00 in Berlin
DAILY = Window(
    name="nightly",
    zone="Europe/Berlin",
    days=tuple(Weekday),
    opens=TimeOfDay(hour=22, minute=0),
    closes=TimeOfDay(hour=6, minute=0),
    place=NIGHT.place,
)


WEEK_BEFORE = SATURDAY - timedelta(weeks=1)


def at(now: datetime, *, served: datetime = WEEK_BEFORE, **differs: Any) -> DueNow:
    window = differs.pop("window", NIGHT)
    planned = schedule(**{"due": "SAT 22:00", **differs})
    before = Before(known_since_utc=KNOWN, served_at_utc=served)
    return due_now(planned, window, before, now=now)


def test_a_weekly_time_keeps_its_wall_clock_over_a_clock_change() -> None:
    rule = due_rule("SAT 22:00", zone="Europe/Berlin", every_s=None, starting=None)
    before = due_at_or_before(rule, utc(2026, 10, 25))
    assert before == utc(2026, 10, 24, 20)
    assert due_after(rule, before) == utc(2026, 10, 31, 21)
    assert due_at_or_before(rule, before) == before


def test_every_four_weeks_is_counted_from_the_stated_day() -> None:
    rule = due_rule("SAT 22:00", zone="UTC", every_s=4 * 604800, starting=date(2026, 11, 25))
    assert due_after(rule, utc(2026, 1, 1)) == utc(2026, 11, 28, 22)
    assert due_after(rule, utc(2026, 11, 28, 22)) == utc(2026, 12, 26, 22)
    assert due_at_or_before(rule, utc(2026, 11, 28, 21)) is None


def test_every_second_day() -> None:
    rule = due_rule("06:30", zone="UTC", every_s=2 * 86400, starting=date(2026, 11, 25))
    assert due_after(rule, utc(2026, 11, 25, 7)) == utc(2026, 11, 27, 6, 30)


@pytest.mark.parametrize(("due", "every_s"), [("SAT 22:00", 86400), ("22:00", 3600)])
def test_a_rhythm_that_leads_to_no_due_time_is_refused(due: str, every_s: int) -> None:
    with pytest.raises(ValueError, match="not whole"):
        due_rule(due, zone="UTC", every_s=every_s, starting=None)


def test_without_a_due_time_nothing_is_due() -> None:
    assert at(SATURDAY, due=None).standing is Standing.NO_DUE_TIME


def test_it_waits_is_due_and_is_served() -> None:
    assert at(SATURDAY - timedelta(minutes=1)).standing is Standing.WAITING
    due = at(SATURDAY)
    assert (due.standing, due.due_at_utc) == (Standing.DUE, SATURDAY)
    assert due.until_utc == SATURDAY + timedelta(hours=1)
    served = at(SATURDAY + timedelta(minutes=5), served=SATURDAY + timedelta(minutes=1))
    assert (served.standing, served.due_at_utc) == (
        Standing.WAITING,
        SATURDAY + timedelta(weeks=1),
    )


def test_a_due_time_before_the_window_waits_for_it() -> None:
    noon = at(utc(2026, 11, 28, 12), due="SAT 12:00")
    assert (noon.standing, noon.begins_at_utc) == (Standing.WAITING, SATURDAY)
    assert at(SATURDAY, due="SAT 12:00").is_due


def test_a_due_time_from_before_the_schedule_was_known_is_not_missed() -> None:
    new = Before(known_since_utc=SATURDAY + timedelta(hours=2))
    found = due_now(schedule(due="SAT 22:00"), NIGHT, new, now=SATURDAY + timedelta(hours=3))
    assert (found.standing, found.missed_at_utc) == (Standing.WAITING, None)


def test_a_run_before_the_due_time_does_not_serve_it() -> None:
    assert at(SATURDAY, served=SATURDAY - timedelta(hours=1)).is_due


@pytest.mark.parametrize(
    ("missed", "standing", "begins"),
    [
        (MissedPolicy.RUN_NOW, Standing.LATE, SATURDAY),
        (MissedPolicy.NEXT_WINDOW, Standing.MISSED, SATURDAY + timedelta(weeks=1)),
        (MissedPolicy.NEXT_DUE, Standing.MISSED, SATURDAY + timedelta(weeks=4)),
    ],
)
def test_late_in_the_same_window_each_policy_says_what_it_says(
    missed: MissedPolicy, standing: Standing, begins: datetime
) -> None:
    found = at(
        SATURDAY + timedelta(hours=3),
        missed=missed,
        every_s=4 * 604800,
        starting=date(2026, 11, 28),
    )
    assert (found.standing, found.begins_at_utc) == (standing, begins)
    assert found.missed_at_utc == SATURDAY


def test_the_next_window_is_used_and_then_the_one_after_it() -> None:
    sunday = SATURDAY + timedelta(days=1)
    late = at(sunday + timedelta(minutes=5), window=DAILY)
    assert (late.standing, late.missed_at_utc) == (Standing.LATE, SATURDAY)
    too_late = at(sunday + timedelta(hours=2), window=DAILY)
    assert (too_late.standing, too_late.begins_at_utc) == (
        Standing.MISSED,
        sunday + timedelta(days=1),
    )


def test_a_missed_time_gives_way_to_the_next_due_time() -> None:
    found = at(SATURDAY + timedelta(days=6), missed=MissedPolicy.NEXT_WINDOW)
    assert found.begins_at_utc == SATURDAY + timedelta(weeks=1)
    assert found.due_at_utc == SATURDAY + timedelta(weeks=1)
    assert found.missed_at_utc == SATURDAY


def test_a_longer_grace_makes_it_on_time() -> None:
    assert at(SATURDAY + timedelta(hours=3), missed_after_s=4 * 3600).standing is Standing.DUE
    # but not longer than the window
    closed = at(utc(2026, 11, 29, 5), missed_after_s=24 * 3600)
    assert closed.standing is Standing.MISSED


@pytest.mark.parametrize(
    ("missed", "standing"),
    [(MissedPolicy.NEXT_WINDOW, Standing.LATE), (MissedPolicy.NEXT_DUE, Standing.MISSED)],
)
def test_without_a_window_there_is_none_to_wait_for(
    missed: MissedPolicy, standing: Standing
) -> None:
    found = at(utc(2026, 11, 29), window=None, missed=missed)
    assert found.standing is standing
    assert found.missed_at_utc == datetime(2026, 11, 28, 22, tzinfo=UTC)


def test_a_due_time_on_the_second_of_two_days_that_touch_is_served_there() -> None:
    found = at(utc(2026, 11, 29, 12), window=WEEKEND, due="SUN 12:00", missed_after_s=7200)
    assert (found.standing, found.begins_at_utc) == (Standing.DUE, utc(2026, 11, 29, 11))
    late = at(utc(2026, 11, 29, 14), window=WEEKEND, due="SAT 22:00")
    assert late.standing is Standing.MISSED  # the opening that it missed is still the same one
    assert late.begins_at_utc == utc(2026, 12, 4, 23)


def planned(opens: datetime, closes: datetime) -> WindowPlan:
    return WindowPlan(
        name="w", zone="UTC", opens_at_utc=opens, closes_at_utc=closes, latest_swap_utc=None
    )


def test_a_plan_is_for_the_opening_that_its_start_lies_in() -> None:
    weekend = planned(utc(2026, 11, 27, 23), utc(2026, 11, 29, 23))
    assert is_for_start(weekend, WEEKEND, utc(2026, 11, 29, 12))
    assert not is_for_start(weekend, WEEKEND, utc(2026, 12, 5, 12))
    assert not is_for_start(None, WEEKEND, utc(2026, 11, 29, 12))
    assert not is_for_start(weekend, None, utc(2026, 11, 29, 12))
    assert is_for_start(None, None, utc(2026, 11, 29, 12))


def test_a_plan_for_a_window_that_never_closes_is_for_every_start_up_to_its_end() -> None:
    always = evolve(WEEKEND, days=tuple(Weekday))
    made = planned(utc(2026, 11, 23, 23), utc(2026, 12, 1, 23))
    assert is_for_start(made, always, utc(2026, 11, 28, 21))
    assert not is_for_start(made, always, utc(2026, 12, 1, 23))
    assert not is_for_start(made, always, utc(2026, 11, 23, 22))
