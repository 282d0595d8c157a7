"""The sweep of windows: every zone with clock changes, every change from 2020 to 2037, many
windows, against the reading of the clock minute by minute.

`python -m tests.reliability.windows [--zones N]` prints what was compared; it ends with 1 when
anything differs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from zoneinfo import available_timezones

from goexchange.schedule.windows import occurrences_between
from tests.unit.schedule.test_windows_oracle import window
from tests.unit.schedule.window_oracle import (
    Rule,
    changes,
    joined_openings,
    kind_of,
    open_in,
    span_around,
)

ALL_DAYS = frozenset(range(7))
ALL_WEEKS = frozenset(range(1, 6))
SHOWN_MAX = 10
# Nights, days, windows that begin or end inside what is skipped or comes twice, and whole days.
MINUTES = (
    (22 * 60, 6 * 60),
    (23 * 60 + 59, 1),
    (0, 0),
    (0, 30),
    (0, 5 * 60),
    (30, 60),
    (45, 90),
    (90, 135),
    (60, 120),
    (120, 180),
    (135, 150),
    (150, 210),
    (150, 140),
    (165, 120),
    (180, 90),
    (12 * 60, 13 * 60),
    (20 * 60, 23 * 60 + 30),
)


def rules() -> tuple[Rule, ...]:
    """The windows of the sweep: daily ones, and two by weekday and week."""
    daily = tuple(Rule(opens, closes, ALL_DAYS, ALL_WEEKS) for opens, closes in MINUTES)
    return (
        *daily,
        Rule(22 * 60, 6 * 60, frozenset({5}), ALL_WEEKS),
        Rule(150, 240, frozenset({6}), frozenset({1, 5})),
        Rule(0, 0, frozenset({5, 6}), ALL_WEEKS),
        Rule(180, 150, ALL_DAYS, ALL_WEEKS),
    )


def zones() -> tuple[str, ...]:
    """One zone of each set of clock changes."""
    by_kind: dict[tuple[object, ...], str] = {}
    for zone in sorted(available_timezones() - {"Factory", "localtime"}):
        if changes(zone):
            by_kind.setdefault(kind_of(zone), zone)
    return tuple(by_kind.values())


def differences(zone: str) -> Iterator[str]:
    """What differs in a zone, in words; nothing when all is well."""
    for change in changes(zone):
        span = span_around(zone, change)
        for rule in rules():
            wanted = joined_openings(span, rule)
            found = [
                (each.opens_at_utc, each.closes_at_utc)
                for each in occurrences_between(window(zone, rule), span.begins, span.ends)
            ]
            inside = open_in(span, found)
            if inside != wanted:
                yield f"{zone} {change:%Y-%m-%d %H:%M} {rule}: {inside}, the clock says {wanted}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the counts, and say what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.windows")
    parser.add_argument("--zones", type=int, default=None, help="only the first N zones")
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    chosen = zones()[: given.zones]
    found = [each for zone in chosen for each in differences(zone)]
    counted = sum(len(changes(zone)) for zone in chosen)
    for each in found[:SHOWN_MAX]:
        sys.stdout.write(f"differs: {each}\n")
    sys.stdout.write(
        f"windows: {len(chosen)} zones, {counted} clock changes, {counted * len(rules())}"
        f" windows around them, {len(found)} differences,"
        f" {time.monotonic() - begun:.0f} s\n"
    )
    return 1 if found or not counted else 0


if __name__ == "__main__":
    sys.exit(main())
