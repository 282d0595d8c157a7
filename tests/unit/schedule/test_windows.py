from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from goexchange.errors import Place
from goexchange.model.configuration import TimeOfDay, Weekday, Window
from goexchange.schedule.windows import (
    never_closes,
    occurrence_after,
    occurrence_at,
    occurrences,
)

NIGHT = Window(
    name="berlin-night",
    zone="Europe/Berlin",
    days=(Weekday.SATURDAY,),
    opens=TimeOfDay(hour=22, minute=0),
    closes=TimeOfDay(hour=6, minute=0),
    place=Place(file="inventory.yaml", line=1, column=1),
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_the_next_occurrence_is_found_over_midnight() -> None:
    found = occurrence_at(NIGHT, utc(2026, 11, 25, 12))
    assert (found.opens_at_utc, found.closes_at_utc) == (
        utc(2026, 11, 28, 21),
        utc(2026, 11, 29, 5),
    )
    assert found.length_s == 8 * 3600


def test_after_midnight_the_occurrence_of_the_evening_before_is_the_open_one() -> None:
    found = occurrence_at(NIGHT, utc(2026, 11, 29, 3))
    assert found.contains(utc(2026, 11, 29, 3))
    assert found.left_s(utc(2026, 11, 29, 3)) == 2 * 3600


def test_the_closing_moment_is_outside() -> None:
    assert occurrence_at(NIGHT, utc(2026, 11, 29, 5)).opens_at_utc == utc(2026, 12, 5, 21)
    assert occurrence_after(NIGHT, utc(2026, 11, 28, 21)).opens_at_utc == utc(2026, 12, 5, 21)


@pytest.mark.parametrize(
    ("moment", "hours"),
    [(utc(2026, 3, 28, 12), 7), (utc(2026, 10, 24, 12), 9)],
    ids=["spring: an hour is missing", "autumn: an hour comes twice"],
)
def test_a_clock_change_inside_the_window_counts_as_elapsed_time(
    moment: datetime, hours: int
) -> None:
    assert occurrence_at(NIGHT, moment).length_s == hours * 3600


def test_a_window_of_one_day_closes_on_that_day() -> None:
    noon = Window(
        name="noon",
        zone="UTC",
        days=tuple(Weekday),
        opens=TimeOfDay(hour=12, minute=0),
        closes=TimeOfDay(hour=13, minute=30),
        place=NIGHT.place,
    )
    assert occurrence_at(noon, utc(2026, 11, 22, 13)).closes_at_utc == utc(2026, 11, 22, 13, 30)
    assert occurrence_at(noon, utc(2026, 11, 22, 14)).opens_at_utc == utc(2026, 11, 23, 12)


def sunday(opens: TimeOfDay, closes: TimeOfDay) -> Window:
    return Window(
        name="sunday",
        zone="Europe/Berlin",
        days=(Weekday.SUNDAY,),
        opens=opens,
        closes=closes,
        place=NIGHT.place,
    )


def test_a_window_that_the_clock_jumps_over_is_no_occurrence() -> None:
    jumped = sunday(TimeOfDay(hour=2, minute=30), TimeOfDay(hour=2, minute=45))
    assert occurrence_at(jumped, utc(2026, 3, 28, 12)).opens_at_utc == utc(2026, 4, 5, 0, 30)


def test_an_end_that_the_clock_jumps_over_is_reached_at_the_jump() -> None:
    opens = sunday(TimeOfDay(hour=2, minute=30), TimeOfDay(hour=3, minute=15))
    closes = sunday(TimeOfDay(hour=0, minute=0), TimeOfDay(hour=2, minute=30))
    jump = utc(2026, 3, 29, 1)
    assert occurrence_at(opens, utc(2026, 3, 28, 12)).opens_at_utc == jump
    assert occurrence_at(closes, utc(2026, 3, 28, 12)).closes_at_utc == jump


def test_a_window_of_the_second_tuesday() -> None:
    patch = evolve(NIGHT, days=(Weekday.TUESDAY,), weeks=(2,))
    found = occurrences(patch, utc(2026, 11, 22), 2)
    assert [each.opens_at_utc for each in found] == [utc(2026, 12, 8, 21), utc(2027, 1, 12, 21)]


def test_a_fifth_weekday_is_found_months_away() -> None:
    fifth = evolve(NIGHT, days=(Weekday.MONDAY,), weeks=(5,))
    assert occurrence_at(fifth, utc(2027, 1, 1)).opens_at_utc == utc(2027, 3, 29, 20)


WEEKEND = evolve(
    NIGHT,
    days=(Weekday.SATURDAY, Weekday.SUNDAY),
    opens=TimeOfDay(hour=0, minute=0),
    closes=TimeOfDay(hour=0, minute=0),
)


def test_whole_days_that_touch_are_one_opening() -> None:
    """A weekend has two days: at midnight between them nothing closes."""
    saturday, sunday_night = utc(2026, 11, 27, 23), utc(2026, 11, 29, 23)
    for moment in (utc(2026, 11, 25), utc(2026, 11, 28, 22), utc(2026, 11, 29, 22, 59)):
        found = occurrence_at(WEEKEND, moment)
        assert (found.opens_at_utc, found.closes_at_utc) == (saturday, sunday_night)
        assert found.days == 2
    assert occurrence_at(WEEKEND, sunday_night).opens_at_utc == utc(2026, 12, 4, 23)
    assert occurrence_after(WEEKEND, utc(2026, 11, 28)).opens_at_utc == utc(2026, 12, 4, 23)
    assert [each.days for each in occurrences(WEEKEND, utc(2026, 11, 28), 3)] == [2, 2, 2]


def test_nights_with_a_gap_stay_apart() -> None:
    nights = evolve(WEEKEND, opens=TimeOfDay(hour=0, minute=1))
    found = occurrences(nights, utc(2026, 11, 25), 2)
    assert [each.days for each in found] == [1, 1]
    assert found[0].closes_at_utc < found[1].opens_at_utc


def test_a_window_that_never_closes_is_told_for_another_week() -> None:
    always = evolve(WEEKEND, days=tuple(Weekday))
    assert never_closes(always) and not never_closes(WEEKEND)
    assert not never_closes(evolve(always, weeks=(1, 2, 3, 4)))
    found = occurrence_at(always, utc(2026, 11, 25, 12))
    assert found.opens_at_utc == utc(2026, 11, 24, 23)  # its own day, whoever asks when
    assert found.closes_at_utc == utc(2026, 12, 2, 23)
    assert occurrence_after(always, utc(2026, 11, 25, 12)).opens_at_utc == utc(2026, 11, 25, 23)
    listed = occurrences(always, utc(2026, 11, 25, 12), 2)
    assert listed[0].closes_at_utc == listed[1].opens_at_utc  # listed once each


def test_three_weeks_of_whole_days_are_one_opening() -> None:
    weeks = evolve(WEEKEND, days=tuple(Weekday), weeks=(1, 2, 3))
    found = occurrence_at(weeks, utc(2026, 12, 15))
    assert (found.opens_at_utc, found.days) == (utc(2026, 11, 30, 23), 21)
    assert found.closes_at_utc == utc(2026, 12, 21, 23)


def test_a_change_of_the_clocks_brings_two_nights_together() -> None:
    """From 03:00 to 02:30: in the night of the change both are reached at the jump."""
    nearly = evolve(
        NIGHT,
        days=tuple(Weekday),
        opens=TimeOfDay(hour=3, minute=0),
        closes=TimeOfDay(hour=2, minute=30),
    )
    found = occurrence_at(nearly, utc(2026, 3, 29, 0))
    assert found.days == 2
    assert found.closes_at_utc == utc(2026, 3, 30, 0, 30)


def test_a_window_that_opens_on_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match="opens on no day"):
        occurrence_at(evolve(NIGHT, days=()), utc(2026, 1, 1))
