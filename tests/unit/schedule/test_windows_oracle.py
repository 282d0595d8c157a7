"""Windows against a reading of the clock minute by minute, around changes of the clocks."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.errors import Place
from goexchange.model.configuration import TimeOfDay, Weekday, Window
from goexchange.schedule.windows import never_closes, occurrence_at, occurrences_between
from tests.unit.schedule.window_oracle import (
    LAST_YEAR,
    Rule,
    changes,
    inner,
    joined_openings,
    open_in,
    openings,
    span_around,
)

# Changes of half an hour, of two hours, at midnight, at odd minutes of the day, and four a year.
ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Los_Angeles",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Pyongyang",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Chatham",
)
WEEKDAYS = tuple(Weekday)
# Most clocks change between midnight and four: half of the ends lie there.
MINUTES = st.one_of(st.integers(0, 4 * 60), st.integers(0, 24 * 60 - 1))
RULES = st.builds(
    Rule,
    MINUTES,
    MINUTES,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.one_of(st.just(frozenset({1, 2, 3, 4, 5})), st.frozensets(st.integers(1, 5), min_size=1)),
)


def window(zone: str, rule: Rule) -> Window:
    return Window(
        name="w",
        zone=zone,
        days=tuple(WEEKDAYS[day] for day in sorted(rule.days)),
        opens=TimeOfDay(hour=rule.opens // 60, minute=rule.opens % 60),
        closes=TimeOfDay(hour=rule.closes // 60, minute=rule.closes % 60),
        place=Place(file="inventory.yaml", line=1, column=1),
        weeks=tuple(sorted(rule.weeks)),
    )


def test_the_oracle_has_clock_changes_to_look_at() -> None:
    counted = {zone: len(changes(zone)) for zone in ("Europe/Berlin", "Africa/Casablanca", "UTC")}
    assert counted["Europe/Berlin"] == 2 * (LAST_YEAR - 2019)
    assert counted["Africa/Casablanca"] > 30
    assert counted["UTC"] == 0


@settings(max_examples=40, deadline=None)
@given(data=st.data(), zone=st.sampled_from(ZONES), rule=RULES)
def test_windows_around_a_clock_change_are_those_of_the_clock(
    data: st.DataObject, zone: str, rule: Rule
) -> None:
    known = changes(zone)
    change = data.draw(st.sampled_from(known)) if known else None
    if change is None:  # no change of clocks in these years
        return
    span = span_around(zone, change)
    found = [
        (each.opens_at_utc, each.closes_at_utc)
        for each in occurrences_between(window(zone, rule), span.begins, span.ends)
    ]
    assert open_in(span, found) == joined_openings(span, rule)


# Whole days, and openings that only a change of the clocks brings together.
TOUCHING = st.builds(
    lambda opens, gap, days: Rule(
        opens, (opens - gap) % (24 * 60), days, frozenset({1, 2, 3, 4, 5})
    ),
    MINUTES,
    st.sampled_from((0, 0, 1, 30, 60, 120)),
    st.frozensets(st.integers(0, 6), min_size=2),
)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), zone=st.sampled_from(ZONES), rule=TOUCHING)
def test_openings_that_touch_are_one_and_every_minute_of_it_says_so(
    data: st.DataObject, zone: str, rule: Rule
) -> None:
    known = changes(zone)
    if not known:
        return
    span = span_around(zone, data.draw(st.sampled_from(known)))
    wanted = joined_openings(span, rule)
    begins, ends = inner(span)
    last = (ends - begins) // timedelta(minutes=1) - 1
    minute = begins + timedelta(minutes=data.draw(st.integers(0, last)))
    found = occurrence_at(window(zone, rule), minute)
    inside = [each for each in wanted if each[0] <= minute < each[1]]
    assert found.contains(minute) is bool(inside)
    if inside:
        assert open_in(span, [(found.opens_at_utc, found.closes_at_utc)])[0][1] == inside[0][1]
        if not never_closes(window(zone, rule)):
            assert open_in(span, [(found.opens_at_utc, found.closes_at_utc)]) == inside


@settings(max_examples=40, deadline=None)
@given(data=st.data(), zone=st.sampled_from(("Europe/Berlin", "America/Havana")), rule=RULES)
def test_a_minute_is_inside_when_the_clock_says_so(
    data: st.DataObject, zone: str, rule: Rule
) -> None:
    span = span_around(zone, data.draw(st.sampled_from(changes(zone))))
    # A day from either end every opening that could contain it is inside the span.
    minute = span.begins + timedelta(minutes=data.draw(st.integers(1560, 4200)))
    wanted = any(opens <= minute < closes for opens, closes in openings(span, rule))
    assert occurrence_at(window(zone, rule), minute).contains(minute) is wanted
