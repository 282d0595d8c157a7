"""How long a lane is planned to wait for other people's backups and declared work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.model import actual, configuration, desired
from goexchange.model.history import Measurement, Timing, Work
from goexchange.model.plan import Action, PlanBody, RunsWhen, Step
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.schedule.lane_times import lead_s
from tests.unit.plan.builders import (
    NOW,
    database,
    host,
    inventory,
    server,
    spec,
    state,
)

OPENS = datetime(2026, 11, 28, 21, tzinfo=UTC)  # the builders' window: Saturday 22:00 in Berlin
LIMIT_S = 7200
REFUSE, WAIT, SUSPEND = (
    desired.ConflictPolicy.REFUSE,
    desired.ConflictPolicy.WAIT,
    desired.ConflictPolicy.SUSPEND,
)
NOTHING, STATED = (0, 0), (1800, LIMIT_S)


def waiting(
    running: desired.ConflictPolicy = WAIT, scheduled: desired.ConflictPolicy = WAIT, **differs: Any
) -> desired.DesiredState:
    conflicts = evolve(
        spec().conflicts, running=running, scheduled=scheduled, wait_max_s=LIMIT_S, **differs
    )
    return spec(conflicts=conflicts)


def draft(*servers: actual.ActualServer, want: desired.DesiredState | None = None) -> PlanBody:
    return make_draft([want or spec()], inventory(), state(*servers), now=NOW)


def steps(body: PlanBody) -> tuple[Step, ...]:
    return tuple(step for lane in body.lanes for step in lane.steps)


def waits(body: PlanBody) -> list[Step]:
    return [each for each in steps(body) if each.action is Action.AWAIT_BACKUPS]


def planned(seen: actual.ActualServer, want: desired.DesiredState | None = None) -> tuple[int, int]:
    first = waits(draft(seen, want=want or waiting()))[0]
    assert first.estimate_s is not None and first.estimate_p90_s is not None
    assert ("expected: " in first.summary) == (first.estimate_p90_s > 0)
    return first.estimate_s, first.estimate_p90_s


def with_task(next_run: datetime | None, **differs: Any) -> actual.ActualServer:
    values = {"name": "Nightly", "state": "Ready", "actions": ("backup.exe",), **differs}
    task = actual.ScheduledTask(next_run_utc=next_run, **values)
    return server(host=host(tasks=(task,)))


def test_a_wait_with_nothing_in_the_way_takes_no_time() -> None:
    before, after = waits(draft(want=waiting()))
    assert (before.estimate_s, before.estimate_p90_s, before.time_limit_s) == (0, 0, LIMIT_S)
    assert after.runs_when is RunsWhen.REBUILT_IN_SERVICE
    assert not waits(draft())


@pytest.mark.parametrize(
    ("next_run", "expected"),
    [
        (OPENS + timedelta(minutes=10), STATED),
        (OPENS + timedelta(hours=1) - timedelta(days=2), STATED),  # taken to come every day
        (OPENS - timedelta(hours=1), NOTHING),  # at 20:00 again: not in the time of the work
        (OPENS + timedelta(days=3), NOTHING),
        (None, NOTHING),
    ],
    ids=["due in it", "due before at an hour of it", "at another hour", "days later", "never"],
)
def test_a_scheduled_task_of_somebody_else_is_waited_for(
    next_run: datetime | None, expected: tuple[int, int]
) -> None:
    assert planned(with_task(next_run)) == expected


@pytest.mark.parametrize(
    "differs",
    [{"state": "Disabled"}, {"name": "goexchange sentinel"}, {"actions": ("goexchange-job",)}],
)
def test_tasks_that_cannot_start_or_are_ours_are_not_waited_for(differs: dict[str, Any]) -> None:
    assert planned(with_task(OPENS + timedelta(minutes=10), **differs)) == NOTHING


def test_the_wait_moves_the_outage_by_its_p90() -> None:
    """The window's arithmetic begins the outage after the wait."""
    free, busy = draft(want=waiting()), draft(with_task(OPENS), want=waiting())
    assert lead_s(busy.lanes[0]) - lead_s(free.lanes[0]) == LIMIT_S


@pytest.mark.parametrize(
    ("seen", "is_running"),
    [
        (
            {
                "processes": (
                    actual.RunningProcess(name="WBADMIN.exe", process_id=7, started_at_utc=None),
                )
            },
            True,
        ),
        ({"processes": Unknown(reason="not read")}, False),
        ({"backup_events": Unknown(reason="not read")}, False),
        ({"tasks": Unknown(reason="not read")}, False),
    ],
)
def test_what_runs_now_is_waited_for_and_unknown_is_left_to_the_guards(
    seen: dict[str, Any], is_running: bool
) -> None:
    assert planned(server(host=host(**seen))) == (STATED if is_running else NOTHING)


def test_a_backup_that_began_and_did_not_end_is_waited_for() -> None:
    begun = actual.HostEvent(
        log="Application",
        provider="ESE",
        event_id=2005,
        at_utc=NOW - timedelta(minutes=5),
        text="",
    )
    assert planned(server(host=host(backup_events=(begun,)))) == STATED
    seen = host()
    assert isinstance(seen.windows_backup, actual.WindowsBackup)
    busy = evolve(seen.windows_backup, is_running=True)
    assert planned(server(host=host(windows_backup=busy))) == STATED
    due = evolve(seen.windows_backup, next_scheduled_utc=OPENS + timedelta(minutes=1))
    assert planned(server(host=host(windows_backup=due))) == STATED
    assert planned(server(databases=(database(is_backup_running=True),))) == STATED


@pytest.mark.parametrize(
    ("running", "scheduled", "expected"),
    [(REFUSE, WAIT, NOTHING), (WAIT, REFUSE, STATED)],
)
def test_what_a_policy_refuses_is_not_waited_for(
    running: desired.ConflictPolicy,
    scheduled: desired.ConflictPolicy,
    expected: tuple[int, int],
) -> None:
    busy = server(databases=(database(is_backup_running=True),))
    assert planned(busy, waiting(running, scheduled)) == expected
    due = with_task(OPENS + timedelta(minutes=10))
    assert planned(due, waiting(running, scheduled)) == (STATED if expected == NOTHING else NOTHING)


@pytest.mark.parametrize(
    ("policy", "kind", "expected"),
    [
        (WAIT, "other", STATED),
        (SUSPEND, "other", NOTHING),  # the command suspends it
        (SUSPEND, "reboot", STATED),  # nothing suspends a reboot
        (REFUSE, "other", NOTHING),
    ],
)
def test_declared_work_is_waited_for_unless_it_is_suspended(
    policy: desired.ConflictPolicy, kind: str, expected: tuple[int, int]
) -> None:
    window = inventory().windows[0]
    at = configuration.TimeOfDay(hour=22, minute=30)
    until = configuration.TimeOfDay(hour=23, minute=30)
    work = configuration.OtherWork(
        kind=configuration.OtherWorkKind(kind),
        servers=("EX01", "EX09"),
        when=evolve(window, name="theirs", opens=at, closes=until),
    )
    stock = evolve(inventory("EX01"), other_work=(work,))
    want = waiting(WAIT, policy, suspend=("hold.exe",), resume=("go.exe",))
    first = waits(make_draft([want], stock, state(), now=NOW))[0]
    assert (first.estimate_s, first.estimate_p90_s) == expected
    late = evolve(work, when=evolve(work.when, days=(configuration.Weekday.WEDNESDAY,)))
    stock = evolve(stock, other_work=(late,))
    first = waits(make_draft([want], stock, state(), now=NOW))[0]
    assert (first.estimate_s, first.estimate_p90_s) == NOTHING


def test_earlier_waits_are_the_estimate_and_never_longer_than_the_limit() -> None:
    def waited(run: int, seconds: float) -> Measurement:
        return Measurement(
            server="EX01",
            database="DB05",
            database_guid="g",
            folder="D:\\DB05",
            timing=Timing(work=Work.WAIT, size_bytes=0, seconds=seconds, run=f"r{run}", at_utc=NOW),
        )

    seen = state(with_task(OPENS + timedelta(minutes=10)))
    for lengths, expected in (
        ((600.0, 600.0, 600.0), (600, 600)),
        ((9000.0, 9000.0, 9000.0), (LIMIT_S, LIMIT_S)),
        ((600.0, 600.0), STATED),
    ):
        history = tuple(waited(run, seconds) for run, seconds in enumerate(lengths))
        body = make_draft([waiting()], inventory(), seen, now=NOW, history=history)
        first = waits(body)[0]
        assert (first.estimate_s, first.estimate_p90_s) == expected


def test_a_later_lane_is_judged_by_its_own_time() -> None:
    """What is due when the first lane has ended is waited for by the second one alone."""
    two = (database("DB05"), database("DB06"))
    free = draft(server(databases=two), want=waiting())
    first_s = sum(each.estimate_p90_s or 0 for each in free.lanes[0].steps)
    due = OPENS + timedelta(seconds=LIMIT_S + first_s + LIMIT_S)
    task = actual.ScheduledTask(name="N", state="Ready", actions=(), next_run_utc=due)
    body = draft(server(databases=two, host=host(tasks=(task,))), want=waiting())
    by_lane = {
        each.id.rpartition("/")[0]: each.estimate_p90_s
        for each in waits(body)
        if each.runs_when is RunsWhen.ALL_WELL
    }
    assert list(by_lane.values())[-1] == LIMIT_S


def test_a_host_whose_backups_are_not_read_is_waited_for_by_its_tasks_alone() -> None:
    """A backup by shadow copies needs no Windows Server Backup."""
    want = waiting()
    online = want.backup_after.online
    assert online is not None
    shadow = evolve(online, method=desired.OnlineBackupMethod.DISKSHADOW)
    want = evolve(want, backup_after=evolve(want.backup_after, online=shadow))
    unread: dict[str, Any] = {"windows_backup": Unknown(reason="not read")}
    assert planned(server(host=host(**unread)), want) == NOTHING
    task = actual.ScheduledTask(
        name="Nightly", state="Ready", actions=("backup.exe",), next_run_utc=OPENS
    )
    assert planned(server(host=host(tasks=(task,), **unread)), want) == STATED
