"""What people are told of a run, from its plan and journal alone.

Notice steps of the plan raise their events themselves; everything else follows from records that
are there anyway: a run that started, a lane that was left offline, a question. So the same journal
gives the same events with the same ids, and an outbox that was lost is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from goexchange.codec import digest
from goexchange.errors import ExitCode
from goexchange.model.desired import NotificationEvent as Name
from goexchange.model.notice import Event
from goexchange.model.plan import Action, Lane, Plan, PlannedNotice, RunsWhen, Step
from goexchange.model.run import LaneState, Record, RecordKind
from goexchange.report import plan_words
from goexchange.report.message_variables import message_variables
from goexchange.report.reading import bounded, flag_at, int_at, rows_at, text_at
from goexchange.report.units import duration_text, minute_text, zone_of

URGENT = (
    Name.MAINTENANCE_FAILED,
    Name.STORAGE_LEFT_OFFLINE,
    Name.DATABASE_UNPROTECTED,
    Name.WAITING_FOR_ANSWER,
)
OPERATORS = "operators"
_SILENT = frozenset({RecordKind.FACTS, RecordKind.LEASE, RecordKind.PROGRESS, RecordKind.GUARD})
_OF_STATE = {
    LaneState.LEFT_OFFLINE.value: Name.STORAGE_LEFT_OFFLINE,
    LaneState.UNPROTECTED.value: Name.DATABASE_UNPROTECTED,
}

Commands = Callable[[Lane, Sequence[Record]], tuple[str, ...]]


def no_commands(_lane: Lane, _records: Sequence[Record]) -> tuple[str, ...]:
    """For readers that only want to know which events there are."""
    return ()


@frozen
class _Raised:
    """What a record tells, of which lane, in which words."""

    name: Name
    lane: Lane | None
    words: Mapping[str, Any]


class EventReader:
    """Takes the records of one run in order and gives the events that each raises.

    `commands` says what a person types for a lane, by the records so far.
    """

    def __init__(self, plan: Plan, commands: Commands = no_commands) -> None:
        self._plan = plan
        self._commands = commands
        self._records: list[Record] = []
        self._run: str | None = None
        self._ended: set[str] = set()
        self._why: dict[str, str] = {}
        self._lane_of = {step.id: lane for lane in plan.body.lanes for step in lane.steps}
        self._steps = {step.id: step for lane in plan.body.lanes for step in lane.steps}
        self._lanes = {lane.id: lane for lane in plan.body.lanes}
        self._once: set[tuple[Name, str]] = set()

    def take(self, record: Record) -> tuple[Event, ...]:
        """The events of the next record."""
        self._records.append(record)
        if record.kind in _SILENT:
            return ()
        record = bounded(record)
        self._note(record)
        found = [
            self._event(record, raised, planned, at)
            for raised in self._raised(record)
            for at, planned in enumerate(self._wanted(record, raised))
        ]
        return tuple(found)

    def _note(self, record: Record) -> None:
        data, kind = record.data, record.kind
        step = text_at(data, "step") or ""
        lane = self._lane_of[step].id if step in self._lane_of else ""
        if kind is RecordKind.RUN_STARTED:
            self._run = text_at(data, "run")
        elif kind is RecordKind.INTENT:
            self._ended.discard(step)
        elif kind is RecordKind.OUTCOME:
            self._ended.add(step)
            why = text_at(data, "result.why")
            if why and lane and lane not in self._why:
                name = plan_words.action_words(self._steps[step].action)
                self._why[lane] = f"{name}: {why}"
        elif kind is RecordKind.SKIPPED and flag_at(data, "turns_back"):
            self._why[lane] = text_at(data, "why") or ""

    def _raised(self, record: Record) -> Iterator[_Raised]:
        data, kind = record.data, record.kind
        step = text_at(data, "step") or ""
        lane = self._lane_of.get(step)
        if kind is RecordKind.RUN_STARTED:
            yield _Raised(Name.MAINTENANCE_STARTING, None, {"databases": self._databases()})
        elif kind is RecordKind.NOTICE:
            known = [one for one in Name if one.value == text_at(data, "event")]
            yield from (_Raised(name, lane, {}) for name in known)
        elif kind is RecordKind.QUESTION:
            choices = [str(one) for one in rows_at(data, "choices")]
            words = {"step": step, "why": text_at(data, "evidence") or "", "choices": choices}
            yield _Raised(Name.WAITING_FOR_ANSWER, lane, words)
        elif kind is RecordKind.LANE_ENDED:
            yield from self._lane_ended(record)
        elif kind is RecordKind.RUN_ENDED:
            yield from self._run_ended(record)
        if lane is not None and kind in (RecordKind.INTENT, RecordKind.OUTCOME):
            yield from self._on_the_way(record, lane, self._steps[step])

    def _lane_ended(self, record: Record) -> Iterator[_Raised]:
        lane = self._lanes.get(text_at(record.data, "lane") or "")
        name = _OF_STATE.get(text_at(record.data, "state") or "")
        if lane is not None and name is not None:
            why = plan_words.short_why(lane.id, text_at(record.data, "why"))
            commands = list(self._commands(lane, self._records))
            yield _Raised(name, lane, {"why": why, "commands": commands})

    def _run_ended(self, record: Record) -> Iterator[_Raised]:
        code = int_at(record.data, "exit_code")
        words = {
            "verdict": text_at(record.data, "verdict") or "",
            "exit_code": "" if code is None else str(code),
            "databases": self._databases(record),
            "commands": [
                str(command)
                for row in rows_at(record.data, "databases")
                for command in rows_at(row, "commands")
            ],
        }
        yield _Raised(Name.MAINTENANCE_FINISHED, None, words)
        if code != ExitCode.OK:
            yield _Raised(Name.MAINTENANCE_FAILED, None, words)

    def _on_the_way(self, record: Record, lane: Lane, step: Step) -> Iterator[_Raised]:
        is_way_back = plan_words.is_way_back(step) and step.action is not Action.CANCEL_JOBS
        if (
            record.kind is RecordKind.INTENT
            and is_way_back
            and self._first(Name.WAY_BACK_TAKEN, lane)
        ):
            why = self._why.get(lane.id)
            yield _Raised(Name.WAY_BACK_TAKEN, lane, {"why": plan_words.short_why(lane.id, why)})
        if record.kind is not RecordKind.OUTCOME:
            return
        late = _late_by(self._plan, lane, self._ended, record.at_utc)
        if late is not None and self._first(Name.WINDOW_AT_RISK, lane):
            words = f"by the estimates it ends {duration_text(late)} after the window closes"
            yield _Raised(Name.WINDOW_AT_RISK, lane, {"why": words})

    def _first(self, name: Name, lane: Lane) -> bool:
        """Whether this is the first time; told once per database and run."""
        is_new = (name, lane.id) not in self._once
        self._once.add((name, lane.id))
        return is_new

    def _wanted(self, record: Record, raised: _Raised) -> Sequence[PlannedNotice]:
        """Who is told: those whom the specification of the lane names, or all without a lane."""
        name, lane = raised.name, raised.lane
        asked = [
            one
            for one in self._plan.body.notices
            if one.event == name.value
            and (lane is None or one.specification in ("", self._specification(lane)))
        ]
        if record.kind is RecordKind.NOTICE:
            return [_as_raised(record, asked)]
        if not asked and name in URGENT:
            return [PlannedNotice(event=name.value, audience=OPERATORS, recipients=())]
        return asked

    def _specification(self, lane: Lane) -> str:
        wanted = (lane.server, lane.database)
        decided = (
            one.specification
            for one in self._plan.body.decisions
            if (one.server, one.database) == wanted
        )
        return next(decided, "")

    def _databases(self, ended: Record | None = None) -> list[dict[str, str]]:
        told = {
            text_at(row, "lane"): row
            for row in (rows_at(ended.data, "databases") if ended is not None else ())
        }
        found = []
        for lane in self._plan.body.lanes:
            if lane.database is not None:
                row = told.get(lane.id)
                why = plan_words.short_why(lane.id, text_at(row, "why"))
                state = (text_at(row, "state") or "").replace("-", " ")
                found.append({"address": lane.id, "state": state, "why": why})
        return found

    def _event(self, record: Record, raised: _Raised, planned: PlannedNotice, at: int) -> Event:
        lane = raised.lane
        here = {"server": "", "database": ""}
        if lane is not None:
            here = {"server": lane.server, "database": lane.database or ""}
        words = {"run": self._run or "", **here, **raised.words}
        place = f"{record.sequence}-{record.sha256[:8]}"
        return Event(
            id=f"{self._run or 'run'}.{place}.{planned.event}.{at}",
            event=planned.event,
            audience=planned.audience,
            recipients=planned.recipients,
            channels=planned.channels,
            template=planned.template,
            variables=message_variables(self._plan, planned, record.at_utc, words),
            at_utc=record.at_utc,
            due_at_utc=record.at_utc,
            run=self._run,
            is_urgent=raised.name in URGENT,
        )


def run_events(
    plan: Plan, records: Sequence[Record], commands: Commands = no_commands
) -> tuple[Event, ...]:
    """Every event that a journal raises, in its order."""
    reader = EventReader(plan, commands)
    return tuple(event for record in records for event in reader.take(record))


def outage_events(plan: Plan) -> tuple[Event, ...]:
    """The announcements of the outage, each with its lead time; none without a window or an outage.

    Shape: two plans for the same window give the same ids: nobody is told twice.
    """
    window = plan.body.window
    outages = [one for one in plan.body.decisions if one.outage_s]
    if window is None or not outages:
        return ()
    zone = zone_of(window.zone)
    events = []
    for planned in plan.body.notices:
        if planned.event != Name.SCHEDULED_MAINTENANCE_OUTAGE.value:
            continue
        named = [one for one in outages if planned.specification in ("", one.specification)]
        if not named:
            continue
        longest = max(one.outage_p90_s or one.outage_s or 0 for one in named)
        group = _group(planned, window.opens_at_utc)
        for lead in planned.before_s or (0,):
            words = {
                "lead": duration_text(lead),
                "outage_begins": f"{minute_text(window.opens_at_utc, zone)} {window.zone}",
                "outage_length": duration_text(longest),
                "databases": [
                    {"address": one.address, "state": "", "why": one.explanation} for one in named
                ],
            }
            due = window.opens_at_utc - timedelta(seconds=lead)
            events.append(
                Event(
                    id=f"{group}.{lead}",
                    event=planned.event,
                    audience=planned.audience,
                    recipients=planned.recipients,
                    channels=planned.channels,
                    template=planned.template,
                    variables=message_variables(plan, planned, due, words),
                    at_utc=due,
                    due_at_utc=due,
                    expires_at_utc=window.closes_at_utc,
                    group=group,
                )
            )
    return tuple(sorted(events, key=lambda one: one.due_at_utc))


def _group(planned: PlannedNotice, opens_at: datetime) -> str:
    plain = [planned.specification, planned.audience, *planned.recipients, *planned.channels]
    return f"outage.{opens_at:%Y%m%dT%H%M%SZ}.{digest([*plain, planned.template or ''])[:12]}"


def _as_raised(record: Record, asked: Sequence[PlannedNotice]) -> PlannedNotice:
    """The notice of the plan that the record raises; what the record itself says otherwise."""
    data = record.data
    raised = PlannedNotice(
        event=text_at(data, "event") or "",
        audience=text_at(data, "audience") or OPERATORS,
        recipients=tuple(map(str, rows_at(data, "recipients"))),
        channels=tuple(map(str, rows_at(data, "channels"))),
    )
    for one in asked:
        same = (one.audience, one.recipients) == (raised.audience, raised.recipients)
        if same and raised.channels in ((), one.channels):
            return one
    return raised


def _late_by(plan: Plan, lane: Lane, ended: Collection[str], now: datetime) -> float | None:
    """By how many seconds the lane will be late for the window, by the estimates; None when it is
    not, and once its mount was tried.
    """
    window = plan.body.window
    mounts = [step for step in lane.steps if step.action is Action.MOUNT]
    if window is None or not mounts or mounts[0].id in ended:
        return None
    left = sum(
        step.estimate_s or 0
        for step in lane.steps
        if step.number <= mounts[0].number
        and step.runs_when is RunsWhen.ALL_WELL
        and step.id not in ended
    )
    late = (now + timedelta(seconds=left) - window.closes_at_utc).total_seconds()
    return late if late > 0 else None
