from __future__ import annotations

from datetime import UTC, datetime

import pytest

from goexchange.errors import Place
from goexchange.model.configuration import TimeOfDay, Weekday, Window
from goexchange.schedule.windows import occurrence_after, occurrence_at

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


def test_a_window_that_the_clock_jumps_over_is_no_occurrence() -> None:
    jumped = Window(
        name="jumped",
        zone="Europe/Berlin",
        days=(Weekday.SUNDAY,),
        opens=TimeOfDay(hour=2, minute=30),
        closes=TimeOfDay(hour=3, minute=15),
        place=NIGHT.place,
    )
    assert occurrence_at(jumped, utc(2026, 3, 28, 12)).opens_at_utc == utc(2026, 4, 5, 0, 30)
