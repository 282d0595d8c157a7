"""When maintenance is due: the due times of a schedule, what is due now, and what was missed.

Due times are counted from a stated day, never from the last run: the same documents give the same
times, whatever happened before.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from attrs import frozen

from goexchange.model.configuration import TimeOfDay, Weekday, Window
from goexchange.model.desired import MissedPolicy, Schedule
from goexchange.model.plan import WindowPlan
from goexchange.schedule.wall_clock import moment_of
from goexchange.schedule.windows import WEEKDAYS, occurrence_after, occurrence_at

FIRST_MONDAY = date(1970, 1, 5)
ZONE_WITHOUT_WINDOW = "UTC"
DAY_S = 86400
WEEK_S = 7 * DAY_S


@frozen(kw_only=True)
class DueRule:
    """Due times: every `every_days` days, the first of them `first`, at a time of a zone."""

    first: date
    every_days: int
    at: TimeOfDay
    zone: str


class Standing(Enum):
    """How a schedule stands at a moment."""

    NO_DUE_TIME = "no due time"
    WAITING = "waiting"
    DUE = "due"
    LATE = "late"  # the due time was missed, and the policy lets it start now
    MISSED = "missed"  # the due time was missed, and it is not started now


@frozen(kw_only=True)
class DueNow:
    """A schedule at a moment.

    Shape: `due_at_utc` is the due time that `standing` speaks of, the coming one when it waits;
    `begins_at_utc` and `until_utc` are when it may start, at the earliest and before which moment;
    `missed_at_utc` is when it should have started and did not.
    """

    standing: Standing
    due_at_utc: datetime | None = None
    begins_at_utc: datetime | None = None
    until_utc: datetime | None = None
    missed_at_utc: datetime | None = None

    @property
    def is_due(self) -> bool:
        """Whether it may start now."""
        return self.standing in (Standing.DUE, Standing.LATE)


@frozen(kw_only=True)
class Before:
    """What happened before: since when the schedule is known, and the last start that served it.

    Unknown: None means never; a due time before `known_since_utc` was not missed.
    """

    known_since_utc: datetime | None = None
    served_at_utc: datetime | None = None


NOTHING_BEFORE = Before()


def due_rule(due: str, *, zone: str, every_s: int | None, starting: date | None) -> DueRule:
    """The due times of `SAT 22:00` or `22:00`.

    Shape: `every_s` is whole weeks with a weekday and whole days without one; None is every one.
    They are counted from `starting`, and from the Monday 1970-01-05 without it.
    Raises: ValueError when `every_s` is not whole weeks or days.
    """
    weekday, _, time = due.rpartition(" ")
    unit_s = WEEK_S if weekday else DAY_S
    if (every_s or unit_s) % unit_s:
        raise ValueError(f"not whole {'weeks' if weekday else 'days'}: {every_s} s")
    first = starting or FIRST_MONDAY
    if weekday:
        wanted = WEEKDAYS.index(Weekday(weekday))
        first += timedelta(days=(wanted - first.weekday()) % 7)
    hour, minute = time.split(":")
    return DueRule(
        first=first,
        every_days=(every_s or unit_s) // DAY_S,
        at=TimeOfDay(hour=int(hour), minute=int(minute)),
        zone=zone,
    )


def rule_of(schedule: Schedule, window: Window | None) -> DueRule | None:
    """The due times of a specification's schedule, None without any; in the window's zone."""
    if schedule.due is None:
        return None
    zone = ZONE_WITHOUT_WINDOW if window is None else window.zone
    return due_rule(schedule.due, zone=zone, every_s=schedule.every_s, starting=schedule.starting)


def due_at_or_before(rule: DueRule, moment: datetime) -> datetime | None:
    """The latest due time that is not after the moment; None before the first one."""
    number = _number(rule, moment) + 1
    while number >= 0:
        found = _due(rule, number)
        if found <= moment:
            return found
        number -= 1
    return None


def due_after(rule: DueRule, moment: datetime) -> datetime:
    """The first due time after the moment."""
    number = max(_number(rule, moment) - 1, 0)
    while (found := _due(rule, number)) <= moment:
        number += 1
    return found


def due_now(schedule: Schedule, window: Window | None, before: Before, *, now: datetime) -> DueNow:
    """How a schedule stands: what is due now, what was missed, what comes next."""
    rule = rule_of(schedule, window)
    if rule is None:
        return DueNow(standing=Standing.NO_DUE_TIME)
    last = due_at_or_before(rule, now)
    if last is None or _is_settled(last, before):
        return _coming(rule, window, schedule, now)
    begins, until = _first_chance(last, window, schedule)
    if now < begins:
        return DueNow(
            standing=Standing.WAITING, due_at_utc=last, begins_at_utc=begins, until_utc=until
        )
    if until is None or now < until:
        return DueNow(standing=Standing.DUE, due_at_utc=last, begins_at_utc=begins, until_utc=until)
    following = _coming(rule, window, schedule, now)
    return _missed(last, begins, following, window=window, schedule=schedule, now=now)


def _is_settled(due: datetime, before: Before) -> bool:
    """Whether nothing is owed for a due time: it was served, or the schedule was not known yet."""
    if before.known_since_utc is None or due < before.known_since_utc:
        return True
    return before.served_at_utc is not None and before.served_at_utc >= due


def _coming(rule: DueRule, window: Window | None, schedule: Schedule, now: datetime) -> DueNow:
    due = due_after(rule, now)
    begins, until = _first_chance(due, window, schedule)
    return DueNow(standing=Standing.WAITING, due_at_utc=due, begins_at_utc=begins, until_utc=until)


def _first_chance(
    due: datetime, window: Window | None, schedule: Schedule
) -> tuple[datetime, datetime | None]:
    """When a due time may be served on time: from when, and before when."""
    grace = timedelta(seconds=schedule.missed_after_s)
    if window is None:
        return due, due + grace
    opening = occurrence_at(window, due)
    begins = max(due, opening.opens_at_utc)
    return begins, min(begins + grace, opening.closes_at_utc)


def _missed(
    due: datetime,
    missed_at: datetime,
    following: DueNow,
    *,
    window: Window | None,
    schedule: Schedule,
    now: datetime,
) -> DueNow:
    chance = _second_chance(missed_at, window, schedule, now)
    assert following.begins_at_utc is not None
    if chance is None or chance[0] >= following.begins_at_utc:  # the next due time takes over
        return DueNow(
            standing=Standing.MISSED,
            due_at_utc=following.due_at_utc,
            begins_at_utc=following.begins_at_utc,
            until_utc=following.until_utc,
            missed_at_utc=missed_at,
        )
    begins, until = chance
    is_now = begins <= now and (until is None or now < until)
    return DueNow(
        standing=Standing.LATE if is_now else Standing.MISSED,
        due_at_utc=due,
        begins_at_utc=begins,
        until_utc=until,
        missed_at_utc=missed_at,
    )


def _second_chance(
    missed_at: datetime, window: Window | None, schedule: Schedule, now: datetime
) -> tuple[datetime, datetime | None] | None:
    """When the policy lets what was missed start; None when not before the next due time."""
    if schedule.missed is MissedPolicy.NEXT_DUE:
        return None
    if window is None:  # there is no window to wait for
        return missed_at, None
    opening = occurrence_at(window, now)
    if schedule.missed is MissedPolicy.RUN_NOW:
        return opening.opens_at_utc, opening.closes_at_utc
    grace = timedelta(seconds=schedule.missed_after_s)
    is_used = opening.opens_at_utc <= missed_at or now >= opening.opens_at_utc + grace
    if is_used:
        opening = occurrence_after(window, now)
    return opening.opens_at_utc, min(opening.opens_at_utc + grace, opening.closes_at_utc)


def is_for_start(planned: WindowPlan | None, window: Window | None, begins: datetime) -> bool:
    """Whether the opening of a plan is the one in which a start lies. The day in which a plan was
    made does not matter for a window that never closes.
    """
    if planned is None or window is None:
        return planned is None and window is None
    opening = occurrence_at(window, begins)
    if opening.is_endless:
        return planned.opens_at_utc <= begins < planned.closes_at_utc
    return planned.opens_at_utc == opening.opens_at_utc


def _number(rule: DueRule, moment: datetime) -> int:
    """The number of a due time near the moment; zones are at most a day away from UTC."""
    return (moment.astimezone(UTC).date() - rule.first).days // rule.every_days


def _due(rule: DueRule, number: int) -> datetime:
    day = rule.first + timedelta(days=number * rule.every_days)
    return moment_of(day, rule.at, ZoneInfo(rule.zone))
