"""What people are told of a run, from plan and journal alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.model.desired import NotificationEvent
from goexchange.model.notice import Event
from goexchange.model.plan import Plan, PlannedNotice
from goexchange.model.run import Record, RecordKind
from goexchange.report.events import EventReader, outage_events, run_events
from goexchange.report.message_variables import VARIABLES
from goexchange.report.messages import render_message

Nights = Mapping[str, Callable[[Plan], tuple[Record, ...]]]
SPEC = "weekly-preventative"
EVERYTHING = tuple(
    PlannedNotice(
        event=event.value,
        audience="operators",
        recipients=("ops@contoso.example",),
        channels=("mail",),
        specification=SPEC,
    )
    for event in NotificationEvent
    if event.value != "scheduled-maintenance-outage"
)


def names(events: Sequence[Event]) -> list[str]:
    return [one.event for one in events]


@pytest.fixture
def told(make_plan: Callable[..., Plan], nights: Nights) -> Callable[..., tuple[Event, ...]]:
    """The events of a night whose specification asks for everything, or for what is given."""

    def of(night: str, notices: tuple[PlannedNotice, ...] = EVERYTHING) -> tuple[Event, ...]:
        plan = make_plan(notices=notices)
        return run_events(plan, nights[night](plan))

    return of


def test_each_night_tells_what_happened_in_its_order(
    told: Callable[..., tuple[Event, ...]],
) -> None:
    assert names(told("clean")) == [
        "maintenance-starting",
        "storage-online",
        "maintenance-finished",
    ]
    assert names(told("way-back")) == [
        "maintenance-starting",
        "way-back-taken",
        "maintenance-finished",
        "maintenance-failed",
    ]
    assert names(told("offline")) == [
        "maintenance-starting",
        "way-back-taken",
        "storage-left-offline",
        "maintenance-finished",
        "maintenance-failed",
    ]
    assert "database-unprotected" in names(told("unprotected"))
    assert names(told("dead")) == ["maintenance-starting"]


def test_what_must_not_stay_unseen_is_told_even_if_nobody_asked(
    told: Callable[..., tuple[Event, ...]],
) -> None:
    events = told("offline", ())
    assert names(events) == ["storage-left-offline", "maintenance-failed"]
    assert all(one.is_urgent and one.channels == () for one in events)
    assert names(told("clean", ())) == ["storage-online"]  # its step is in the journal


def test_the_same_journal_gives_the_same_events_and_each_its_own_id(
    told: Callable[..., tuple[Event, ...]],
) -> None:
    first, again = told("offline"), told("offline")
    assert first == again
    assert len({one.id for one in first}) == len(first)


def test_record_by_record_gives_what_the_whole_gives(
    make_plan: Callable[..., Plan], nights: Nights
) -> None:
    plan = make_plan(notices=EVERYTHING)
    records = nights["way-back"](plan)
    reader = EventReader(plan)
    assert tuple(e for one in records for e in reader.take(one)) == run_events(plan, records)


def test_a_database_that_is_left_offline_comes_with_its_commands(
    make_plan: Callable[..., Plan], nights: Nights
) -> None:
    plan = make_plan(notices=EVERYTHING)
    seen: list[int] = []

    def commands(lane: Any, records: Sequence[Record]) -> tuple[str, ...]:
        seen.append(len(records))
        return (f"mend {lane.id}",)

    records = nights["offline"](plan)
    events = {one.event: one for one in run_events(plan, records, commands)}
    left = events["storage-left-offline"]
    assert left.variables["commands"] == ["mend EX01/DB05"]
    assert left.variables["why"] == "neither the rebuilt nor the original file mounts"
    assert seen == [len(records) - 1]
    failed = events["maintenance-failed"].variables
    assert "Mount-Database -Identity 'DB05'" in failed["commands"]
    assert failed["databases"][0]["state"] == "left offline" and failed["exit_code"] == "22"


def test_a_question_names_the_step_and_the_answers(
    make_plan: Callable[..., Plan], nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    plan = make_plan(notices=())
    step = plan.body.lanes[0].steps[19].id
    data = {"step": step, "evidence": "cannot tell", "choices": ["done", "not-done"]}

    def asked(record: Record) -> Record:
        if record.kind is RecordKind.NOTICE:
            return evolve(record, kind=RecordKind.QUESTION, data=data)
        return record

    (event,) = run_events(plan, rechained(nights["clean"](plan), asked))
    assert event.event == "waiting-for-answer"
    message = render_message(event, {}, recipients=())
    assert f"--assume done|not-done {step}" in message.text


def test_a_window_at_risk_is_told_once_and_only_while_it_matters(
    make_plan: Callable[..., Plan], nights: Nights
) -> None:
    plan = make_plan(notices=EVERYTHING)
    window = plan.body.window
    assert window is not None
    early = evolve(window, closes_at_utc=window.opens_at_utc + timedelta(hours=2))
    tight = make_plan(notices=EVERYTHING, window=early)
    events = run_events(tight, nights["clean"](tight))
    assert names(events).count("window-at-risk") == 1
    assert "after the window closes" in events[1].variables["why"]
    late = evolve(window, closes_at_utc=window.opens_at_utc + timedelta(hours=2, minutes=45))
    fits = make_plan(notices=EVERYTHING, window=late)
    assert "window-at-risk" not in names(run_events(fits, nights["clean"](fits)))


def test_a_lane_is_told_to_those_whom_its_own_specification_names(
    make_plan: Callable[..., Plan], nights: Nights
) -> None:
    other = evolve(EVERYTHING[0], event="storage-left-offline", specification="another")
    plan = make_plan(notices=(other,))
    events = run_events(plan, nights["offline"](plan))
    assert [one.recipients for one in events if one.event == "storage-left-offline"] == [()]


def announcing(*before_s: int, **changes: Any) -> PlannedNotice:
    return PlannedNotice(
        event="scheduled-maintenance-outage",
        audience="users",
        recipients=("berlin@contoso.example",),
        channels=("mail",),
        before_s=before_s,
        variables={"hotline": "+49 30 1234"},
        specification=SPEC,
        **changes,
    )


def test_an_outage_is_announced_at_every_lead_time(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(notices=(announcing(7200, 259200),))
    window = plan.body.window
    assert window is not None
    first, second = outage_events(plan)
    assert window.opens_at_utc - first.due_at_utc == timedelta(days=3)
    assert window.opens_at_utc - second.due_at_utc == timedelta(hours=2)
    assert first.group == second.group and first.expires_at_utc == window.closes_at_utc
    message = render_message(second, {}, recipients=second.recipients)
    assert message.subject == "Mail maintenance Sat 28 Nov 22:00 Europe/Berlin"
    assert "EX01/DB05" in message.text and "up to 3 h 10 m" in message.text
    assert "Questions: +49 30 1234" in message.text


def test_two_plans_for_one_window_announce_it_once(make_plan: Callable[..., Plan]) -> None:
    one = make_plan(notices=(announcing(7200),))
    other = evolve(make_plan(notices=(announcing(7200),), commit="other"), sha256="1" * 64)
    assert [e.id for e in outage_events(one)] == [e.id for e in outage_events(other)]


def test_no_outage_is_announced_when_none_is_planned(make_plan: Callable[..., Plan]) -> None:
    plan = make_plan(notices=(announcing(7200),))
    calm = tuple(evolve(one, outage_s=None) for one in plan.body.decisions)
    assert outage_events(make_plan(notices=(announcing(7200),), decisions=calm)) == ()
    assert outage_events(make_plan(notices=(announcing(7200),), window=None)) == ()


def test_every_event_has_exactly_the_documented_variables(
    told: Callable[..., tuple[Event, ...]], make_plan: Callable[..., Plan]
) -> None:
    events = [*told("offline"), *outage_events(make_plan(notices=(announcing(60),)))]
    assert events
    for event in events:
        assert set(event.variables) == set(VARIABLES)
        for name, (_, example) in VARIABLES.items():
            assert type(event.variables[name]) is type(example), name
