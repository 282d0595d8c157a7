"""When a lane gives its purpose up: an operator's abort, or the overrun deadline. Never a step that
brings mail back.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from goexchange.driver.conversation import Conversation
from goexchange.driver.events import Request
from goexchange.driver.lanes import facts_of
from goexchange.model.actual import ActualHost
from goexchange.model.plan import Action, Direction, Lane, RunsWhen, Step
from goexchange.model.unknown import Unknown
from goexchange.schedule.lane_times import swap_and_way_back_s

_LEADS_AWAY = (
    Action.DISMOUNT,
    Action.SUSPEND_COPY,
    Action.STOP_MTA,
    Action.TAKE_SERVER_DOWN,
)
OVERRUN_BACK = "back-to-original"


def turn_back_reason(talk: Conversation, lane: Lane, step: Step) -> str | None:
    """Why the lane turns back now instead of doing the step; None when it goes on.

    Once the files are swapped only mounting remains, and once the database is in service there is
    no way back.
    """
    if step.runs_when is not RunsWhen.ALL_WELL or step.direction is Direction.BACK:
        return None
    facts = facts_of(lane, talk.state)
    if facts.is_swapped or facts.is_in_service:
        return None
    if talk.has_asked(Request.ABORT):
        return "abort: an operator asked for the way back"
    if was_released(talk, lane):
        return "released: another run has closed the recovery record on the host"
    deadline = overrun_deadline(talk)
    if (
        deadline is None
        or talk.now < deadline
        or not any(one.action in _LEADS_AWAY for one in lane.steps)
    ):
        return None
    return f"overrun: the time for the swap was over at {deadline:%Y-%m-%d %H:%M:%S} UTC"


def was_released(talk: Conversation, lane: Lane) -> bool:
    """Whether the lane's recovery record is no longer open on its host: somebody has brought the
    database back into service meanwhile, and this run has nothing to fall back on there.

    Unknown: a host that was not seen since the record was opened has released nothing.
    """
    facts = facts_of(lane, talk.state)
    seen = talk.actual.get(lane.server)
    host = seen.host if seen is not None and isinstance(seen.host, ActualHost) else None
    if not facts.is_record_open or host is None or isinstance(host.open_recoveries, Unknown):
        return False
    opened = [
        talk.state.step(step.id).ended_at_utc
        for step in lane.steps
        if step.action is Action.OPEN_RECOVERY_RECORD
    ]
    if any(moment is None or host.observed_at_utc <= moment for moment in opened):
        return False
    guid = (lane.database_guid or "").lower()
    return not any(
        each.run == talk.identity.run and (each.database_guid or "").lower() == guid
        for each in host.open_recoveries
    )


def overrun_deadline(talk: Conversation) -> datetime | None:
    """The moment from which nothing may lead away from service any more, the time for mounting or
    the way back kept free; None without a limit or with `finish`.
    """
    rules, window = talk.plan.body.rules, talk.plan.body.window
    limits: list[datetime] = []
    if window is not None:
        limits.append(window.latest_swap_utc or window.closes_at_utc)
    if rules.run_time_max_s is not None and talk.state.started_at_utc is not None:
        ends = talk.state.started_at_utc + timedelta(seconds=rules.run_time_max_s)
        reserved = max((swap_and_way_back_s(lane) for lane in talk.plan.body.lanes), default=0)
        limits.append(ends - timedelta(seconds=reserved))
    return min(limits) if limits and rules.overrun == OVERRUN_BACK else None
