"""The outage fits the window, its way back included; at the swap there is still time to mount or
to go back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from goexchange.guard.guard import AT_ALL_TIMES, Answer, Guard, Moment, Question, blocks, passes
from goexchange.guard.timing import run_begins, start_of
from goexchange.model.desired import OverrunPolicy
from goexchange.model.plan import Action, WindowPlan
from goexchange.schedule.lane_times import lead_s, outage_of
from goexchange.schedule.outage import fits, latest_swap


def _window(question: Question) -> Answer:
    window = question.body.window
    too_long = _over_run_time(question)
    if too_long is not None:
        return too_long
    if window is None:
        return passes("the specification names no window")
    is_swap = question.step is not None and question.step.action is Action.SWAP
    if is_swap and question.body.rules.overrun == OverrunPolicy.FINISH.value:
        return passes(
            "overrun: finish: what has begun is finished, whatever the time",
            now_utc=_text(question.now),
        )
    if question.moment is not Moment.PLAN and not _is_open(window, question.now):
        return _closed(window, question.now)
    outage = outage_of(question.body, question.lane)
    if outage is None:
        return passes("no outage", closes_at_utc=_text(window.closes_at_utc))
    if is_swap:
        return _swap(window, question.now, latest_swap(window.closes_at_utc, outage))
    start = start_of(question)
    if question.moment is not Moment.STEP:
        start += timedelta(seconds=lead_s(question.lane))
    if fits(start, window.closes_at_utc, outage):
        return passes(
            f"{_minutes(outage.with_way_back_p90_s)} with the way back by p90, from {_text(start)}"
            f" to {window.name}'s end at {_text(window.closes_at_utc)}",
            starts_at_utc=_text(start),
            needs_s=outage.with_way_back_p90_s,
        )
    length = int((window.closes_at_utc - window.opens_at_utc).total_seconds())
    can_ever_fit = outage.with_way_back_p90_s + lead_s(question.lane) <= length
    return blocks(
        f"it needs {_minutes(outage.with_way_back_p90_s)} with the way back by p90 and"
        " would begin at"
        f" {_text(start)}; {window.name} ends at {_text(window.closes_at_utc)}",
        "apply earlier in the window, or plan fewer databases"
        if can_ever_fit
        else "a longer window: this outage is longer than the whole window",
        is_time_only=can_ever_fit,
        starts_at_utc=_text(start),
        needs_s=outage.with_way_back_p90_s,
    )


def _over_run_time(question: Question) -> Answer | None:
    """Blocks when the run could not end in the time that the specification gives it."""
    limit_s = question.body.rules.run_time_max_s
    outage = outage_of(question.body, question.lane)
    if limit_s is None or outage is None or question.moment is Moment.STEP:
        return None
    before = (start_of(question) - run_begins(question)).total_seconds() + lead_s(question.lane)
    needed_s = int(before) + outage.with_way_back_p90_s
    if needed_s <= limit_s:
        return None
    return blocks(
        f"its outage would end {_minutes(needed_s)} after the start with the way back by p90;"
        f" `schedule.run_time_max` is {_minutes(limit_s)}",
        "a longer run time, or fewer databases",
        needs_s=needed_s,
        run_time_max_s=limit_s,
    )


def _is_open(window: WindowPlan, now: datetime) -> bool:
    return window.opens_at_utc <= now < window.closes_at_utc


def _closed(window: WindowPlan, now: datetime) -> Answer:
    is_over = now >= window.closes_at_utc
    return blocks(
        f"{window.name} is open from {_text(window.opens_at_utc)} to {_text(window.closes_at_utc)}"
        f", and it is {_text(now)}",
        "plan again for the next window" if is_over else "apply when the window is open",
        is_time_only=True,
        now_utc=_text(now),
    )


def _swap(window: WindowPlan, now: datetime, latest: datetime) -> Answer:
    if now <= latest:
        return passes(f"{_text(now)}, the latest swap is {_text(latest)}", now_utc=_text(now))
    return blocks(
        f"{_text(now)} is after the latest swap at {_text(latest)}: mounting, or the way"
        " back, would not"
        f" fit {window.name}",
        "none tonight: the original is mounted again",
        is_time_only=True,
        now_utc=_text(now),
    )


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _minutes(seconds: int) -> str:
    return f"{-(-seconds // 60)} min"


WINDOW = Guard(
    id="window",
    rule="the outage, its way back included, fits the window by its p90",
    moments=AT_ALL_TIMES,
    reads=(),
    judge=_window,
)
