"""One pass after the other over a store, with an apply that only says what it was given."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from goexchange.app.due import DueItem, DueRequest, due_items, past_of
from goexchange.app.loading import Specification
from goexchange.app.run_due import Done, PassResult, run_due
from goexchange.app.telling import check_events, missed_events
from goexchange.errors import ExitCode, Locked, Unreachable
from goexchange.model import desired
from goexchange.model.plan import Plan
from goexchange.model.resource_check import ResourceCheck, ResourceFinding, Subject, Weight
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import dump, seal
from goexchange.report.messages import render_message
from goexchange.schedule.due import Standing
from goexchange.settings.loading import load_configuration
from goexchange.store.hold import put_on_hold
from goexchange.store.schedule import PassEvent, PassRecord, ScheduleLog, one_pass
from tests.unit.plan.builders import inventory, schedule, spec, state

OPENS = datetime.fromisoformat("2026-11-28T21:00:00+00:00")  # Saturday 22:00 in Berlin
WEEK = timedelta(weeks=1)
KNOWN = OPENS - timedelta(days=10)


class Site:
    """A store, a plans folder, and what apply was given."""

    def __init__(self, folder: Path, *specs: desired.DesiredState) -> None:
        self.store, self.plans = folder / "store", folder / "plans"
        self.specs = specs or (spec(schedule=schedule(due="SAT 22:00")),)
        self.applied: list[str] = []
        self.ends_with = ExitCode.OK
        self.is_refused = False
        settings, _ = load_configuration(None, flags={"store": str(self.store)}, environment={})
        assert settings is not None
        self.settings = settings

    def request(self, now: datetime) -> DueRequest:
        return DueRequest(
            specifications=tuple(
                Specification(desired=each, file=f"{each.name}.yaml", sha256="0" * 64)
                for each in self.specs
            ),
            inventory=inventory(),
            settings=self.settings,
            plans=self.plans,
            now=now,
        )

    def run(self, now: datetime) -> PassResult:
        return run_due(self.request(now), ahead=timedelta(0), apply=self.apply)

    def apply(self, plan: Plan, file: str) -> Any:
        self.applied.append(plan.id)
        return self.ends_with, None if self.is_refused else f"run-{len(self.applied)}", "said"

    def knows(self, at: datetime = KNOWN) -> Site:
        for each in self.specs:
            ScheduleLog(self.store).append(
                PassRecord(at_utc=at, event=PassEvent.KNOWN, subject=each.name)
            )
        return self

    def has_plan(self, now: datetime, *, approved: bool = True, name: str = "weekly") -> Plan:
        wanted = next(each for each in self.specs if each.name == name)
        made = seal(make_draft([wanted], inventory(), state(), now=now), now, "me")
        self.plans.mkdir(exist_ok=True)
        (self.plans / f"{name}.json").write_bytes(dump(made))
        if approved:
            (self.plans / f"{name}.approval.json").write_text("{}", "utf-8")
        return made

    def item(self, now: datetime) -> DueItem:
        request = self.request(now)
        return due_items(request, past_of(request.store))[0]

    def events(self) -> list[PassEvent]:
        return [each.event for each in ScheduleLog(self.store).read()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path).knows()


def done(result: PassResult) -> list[Done]:
    return [each.done for each in result.passed]


def test_the_first_pass_only_notes_that_the_schedule_is_known(tmp_path: Path) -> None:
    fresh = Site(tmp_path)
    result = fresh.run(OPENS + timedelta(minutes=5))
    assert (done(result), result.exit_code) == ([Done.NOTHING_DUE], ExitCode.OK)
    assert fresh.events() == [PassEvent.KNOWN]
    assert fresh.item(OPENS + timedelta(hours=2)).due.missed_at_utc is None


def test_what_is_due_and_approved_is_applied_once(site: Site) -> None:
    plan = site.has_plan(OPENS - timedelta(days=1))
    early = site.run(OPENS - timedelta(minutes=1))
    assert (done(early), site.applied) == ([Done.NOTHING_DUE], [])
    result = site.run(OPENS + timedelta(minutes=1))
    assert (done(result), site.applied) == ([Done.APPLIED], [plan.id])
    assert result.passed[0].run == "run-1"
    again = site.run(OPENS + timedelta(minutes=2))
    assert (done(again), site.applied) == ([Done.NOTHING_DUE], [plan.id])
    assert site.events().count(PassEvent.SERVED) == 1


def test_without_an_approval_nothing_is_applied_and_the_command_is_said(site: Site) -> None:
    site.has_plan(OPENS - timedelta(days=1), approved=False)
    result = site.run(OPENS)
    assert (done(result), result.exit_code) == ([Done.NEEDS_APPROVAL], ExitCode.UNAPPROVED)
    assert "goexchange approve" in result.passed[0].text
    assert site.applied == []


def test_a_plan_for_another_opening_is_not_taken(site: Site) -> None:
    site.has_plan(OPENS - timedelta(days=8))
    assert site.item(OPENS).plan is None


def test_a_hold_starts_nothing_new(site: Site) -> None:
    site.has_plan(OPENS)
    put_on_hold(site.store, by="me", why="patch night", now=OPENS)
    result = site.run(OPENS)
    assert (done(result), result.exit_code) == ([Done.HELD], ExitCode.NOT_NOW)
    assert "patch night" in result.passed[0].text
    assert site.applied == []


def test_a_refused_plan_is_not_served_and_tried_again(site: Site) -> None:
    site.has_plan(OPENS)
    site.is_refused, site.ends_with = True, ExitCode.STALE
    result = site.run(OPENS)
    assert (done(result), result.exit_code) == ([Done.REFUSED], ExitCode.STALE)
    assert PassEvent.SERVED not in site.events()
    assert site.item(OPENS + timedelta(minutes=1)).due.is_due


def test_after_a_database_was_left_offline_the_pass_starts_nothing_else(tmp_path: Path) -> None:
    two = [spec(name, schedule=schedule(due="SAT 22:00")) for name in ("a", "b")]
    site = Site(tmp_path, *two).knows()
    for each in two:
        site.has_plan(OPENS, name=each.name)
    site.ends_with = ExitCode.LEFT_OFFLINE
    result = site.run(OPENS)
    assert done(result) == [Done.APPLIED, Done.NOT_STARTED]
    assert result.exit_code is ExitCode.LEFT_OFFLINE
    assert len(site.applied) == 1


def test_a_missed_due_time_is_said_once_and_shown_until_it_is_over(site: Site) -> None:
    late = OPENS + timedelta(days=1)
    first, second = site.run(late), site.run(late + timedelta(hours=1))
    assert first.passed[0].is_missed_now and not second.passed[0].is_missed_now
    assert second.passed[0].item.due.missed_at_utc == OPENS
    assert site.events().count(PassEvent.MISSED) == 1


def test_a_missed_time_is_served_in_the_next_window(site: Site) -> None:
    site.run(OPENS + timedelta(days=1))
    site.has_plan(OPENS + timedelta(days=6))
    item = site.item(OPENS + WEEK)
    assert (item.due.standing, item.plan is not None) == (Standing.DUE, True)
    assert done(site.run(OPENS + WEEK)) == [Done.APPLIED]


def test_two_passes_at_once_are_one(site: Site) -> None:
    site.has_plan(OPENS)
    with one_pass(site.store), pytest.raises(Locked, match="another pass"):
        site.run(OPENS)
    assert site.applied == []
    assert done(site.run(OPENS)) == [Done.APPLIED]


def test_a_torn_last_line_says_nothing_and_is_cut(site: Site) -> None:
    log = ScheduleLog(site.store)
    path = site.store / "schedule.jsonl"
    before = log.read()
    path.write_bytes(path.read_bytes() + b'{"at_utc": "2026')
    assert log.read() == before
    log.append(PassRecord(at_utc=OPENS, event=PassEvent.SERVED, subject="weekly"))
    assert [each.event for each in log.read()] == [PassEvent.KNOWN, PassEvent.SERVED]


def test_notices_are_counted_back_from_the_start(tmp_path: Path) -> None:
    notice = desired.Notification(
        event=desired.NotificationEvent.SCHEDULED_MAINTENANCE_OUTAGE,
        audience=desired.Audience.USERS,
        to=("berlin@contoso.example",),
        channels=(),
        before_s=(7200, 259200),
        template=None,
        variables=(),
        place=spec().place,
    )
    told = evolve(spec(schedule=schedule(due="SAT 22:00")), notifications=(notice,))
    item = Site(tmp_path, told).knows().item(OPENS - timedelta(days=4))
    assert [each.at_utc for each in item.notices] == [
        OPENS - timedelta(days=3),
        OPENS - timedelta(hours=2),
    ]


def test_a_missed_start_is_told_to_those_whom_the_specification_names(tmp_path: Path) -> None:
    notice = desired.Notification(
        event=desired.NotificationEvent.WINDOW_MISSED,
        audience=desired.Audience.OPERATORS,
        to=("messaging@contoso.example",),
        channels=("pager",),
        before_s=(),
        template=None,
        variables=(),
        place=spec().place,
    )
    told = evolve(spec(schedule=schedule(due="SAT 22:00")), notifications=(notice,))
    events = list(missed_events(told, OPENS, zone="Europe/Berlin", now=OPENS + timedelta(days=1)))
    assert [(each.event, each.channels) for each in events] == [("window-missed", ("pager",))]
    message = render_message(events[0], {}, recipients=events[0].recipients)
    assert "weekly" in message.text and "Sat 28 Nov 22:00 Europe/Berlin" in message.text
    again = list(missed_events(told, OPENS, zone="Europe/Berlin", now=OPENS + timedelta(days=2)))
    assert again[0].id == events[0].id


CHECK_DUE = OPENS - timedelta(days=2)  # Thursday 22:00 in Berlin


def checked_site(folder: Path) -> Site:
    due = desired.ResourceCheckSchedule(due="THU 22:00", every_s=604800, place=spec().place)
    notice = desired.Notification(
        event=desired.NotificationEvent.SCHEDULED_RESOURCE_CHECK,
        audience=desired.Audience.OPERATORS,
        to=("messaging@contoso.example",),
        channels=("mail",),
        before_s=(),
        template=None,
        variables=(),
        place=spec().place,
    )
    wanted = spec(schedule=schedule(due="SAT 22:00", resource_check=due))
    return Site(folder, evolve(wanted, notifications=(notice,)))


class Checks:
    """A resource check that only says what it is given, or that a server is away."""

    def __init__(self) -> None:
        self.made = 0
        self.is_away = False
        self.findings: tuple[ResourceFinding, ...] = ()

    def __call__(self, request: Any) -> tuple[ResourceCheck, ...]:
        if self.is_away:
            raise Unreachable("EX01 does not answer")
        self.made += 1
        name = request.specifications[0].desired.name
        return (
            ResourceCheck(
                specification=name, checked_at_utc=OPENS, servers=("EX01",), findings=self.findings
            ),
        )


def test_a_resource_check_is_made_once_for_each_due_time(tmp_path: Path) -> None:
    site, checks = checked_site(tmp_path).knows(), Checks()

    def run(now: datetime) -> PassResult:
        return run_due(site.request(now), ahead=timedelta(0), apply=site.apply, check=checks)

    assert run(CHECK_DUE - timedelta(minutes=1)).checked[0].text.startswith("nothing keeps")
    assert checks.made == 1  # the one of the week before, which nobody had made
    assert run(CHECK_DUE - timedelta(seconds=1)).checked == ()
    done = run(CHECK_DUE + timedelta(hours=5))
    assert (len(done.checked), checks.made, done.exit_code) == (1, 2, ExitCode.OK)
    assert run(CHECK_DUE + timedelta(hours=6)).checked == ()
    item = site.item(CHECK_DUE + timedelta(hours=6))
    assert item.check is not None and item.check.due_at_utc == CHECK_DUE + WEEK


def test_a_check_that_could_not_be_made_is_owed_and_told(tmp_path: Path) -> None:
    site, checks = checked_site(tmp_path).knows(), Checks()
    checks.is_away = True
    now = CHECK_DUE + timedelta(hours=1)
    done = run_due(site.request(now), ahead=timedelta(0), apply=site.apply, check=checks)
    assert done.exit_code == ExitCode.UNREACHABLE
    (owed,) = done.checked
    events = list(check_events(site.specs[0], None, owed.text, item=owed.item, now=now))
    assert "EX01 does not answer" in events[0].variables["why"]
    checks.is_away = False
    later = now + timedelta(minutes=5)
    again = run_due(site.request(later), ahead=timedelta(0), apply=site.apply, check=checks)
    assert again.checked[0].check is not None
    made = list(
        check_events(site.specs[0], again.checked[0].check, "well", item=owed.item, now=later)
    )
    assert made[0].id != events[0].id


def test_a_problem_reaches_the_operators_and_the_exit_code(tmp_path: Path) -> None:
    site, checks = checked_site(tmp_path).knows(), Checks()
    checks.findings = (
        ResourceFinding(
            address="EX01",
            subject=Subject.SPACE,
            weight=Weight.PROBLEM,
            text="D:\\ 3.0 GiB free",
            remedy="free space",
        ),
        ResourceFinding(address="EX01", subject=Subject.TOOLS, weight=Weight.GOOD, text="fine"),
    )
    now = CHECK_DUE + timedelta(hours=1)
    done = run_due(site.request(now), ahead=timedelta(0), apply=site.apply, check=checks)
    assert done.exit_code == ExitCode.NOT_NOW
    (one,) = done.checked
    (event,) = check_events(site.specs[0], one.check, one.text, item=one.item, now=now)
    assert (event.event, event.channels) == ("scheduled-resource-check", ("mail",))
    message = render_message(event, {}, recipients=event.recipients)
    assert "1 problem would keep a run from starting" in message.text
    assert "EX01: D:\\ 3.0 GiB free; free space" in message.text and "fine" not in message.text
