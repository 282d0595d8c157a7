"""What the hosts or the tools hardly ever do, and what is then said: it never counts as done."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from attrs import define, evolve

from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.hands import InPlace
from goexchange.driver.jobs import cancel_jobs
from goexchange.driver.judge import judge_job
from goexchange.driver.looking import looks_of
from goexchange.errors import ExitCode
from goexchange.journal.replay import RunState, replay
from goexchange.model.plan import Action, Lane
from goexchange.model.run import OutcomeKind, RecordKind, StepRecord
from tests.driver.alone import Saying, announce, played, step_in, talk_of
from tests.driver.plans import ASIDE, KEPT, NOW, ORIGINAL, ROOT, plan_of, rebuild_lane
from tests.driver.test_hands import place, swapped
from tests.driver.test_keeping import refusing
from tests.driver.test_odd_answers import ended, subject, why_failed
from tests.driver.twin import Twin, drive, machine_of

LANE = rebuild_lane()
PLAN = plan_of(LANE)


def result_of(twin: Twin, action: Action, lane: Lane = LANE) -> str:
    record = replay(twin.journal).step(step_in(lane, action).id)
    assert record.result is not None and record.outcome is OutcomeKind.FAILED
    return str(record.result["why"])


def test_a_host_that_never_answers_a_step_is_given_up_with_the_count() -> None:
    """It may be repeated, so nothing is in doubt; the database was never taken down."""
    twin = Twin()
    twin.lose = lambda _, send: "before" if send.purpose.endswith("-place-sentinel") else None
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.STOPPED
    assert "no answer, " in result_of(twin, Action.PLACE_SENTINEL)
    assert twin.is_mounted and not twin.effects["Dismount-Database old"]


def test_a_job_is_not_begun_on_a_host_that_does_not_keep_the_run() -> None:
    """The database is down by then: the original is mounted again."""
    twin, is_full, copy = Twin(), False, step_in(LANE, Action.COPY_SET).id
    machine = machine_of(PLAN, twin)
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        last = twin.journal[-1] if twin.journal else None
        is_full |= last is not None and last.kind is RecordKind.INTENT and last.data["step"] == copy
        machine.accept(refusing(twin, effect) if is_full else twin.perform(effect), twin.now)
    assert effect.result.exit_code == ExitCode.STOPPED
    assert "the host does not keep the run: disk-full" in result_of(twin, Action.COPY_SET)
    assert not twin.effects["job copy-files"]
    assert (twin.is_mounted, twin.files[ORIGINAL]) == (True, "old")


@define(kw_only=True)
class Asleep(Twin):
    """The controller's computer slept once, while it waited to see the database mounted."""

    has_slept: bool = False

    def perform(self, effect: to_do.Effect) -> came.Event:
        event = super().perform(effect)
        is_new = self.effects["Mount-Database new"] == 1
        if isinstance(effect, to_do.WaitUntil) and is_new and not self.has_slept:
            self.has_slept = True
            self.now += timedelta(hours=1)
        return event


def test_a_wait_through_which_the_controller_slept_is_waited_again() -> None:
    """A database that was mounted an hour ago by the clock was not watched for that hour."""
    delay = timedelta(seconds=30)
    lane = _delayed(delay)
    plan = plan_of(lane)
    moments = []
    for twin in (Twin(), Asleep()):
        assert drive(machine_of(plan, twin), twin).exit_code == ExitCode.OK
        state = replay(twin.journal)
        mounted = state.step(step_in(lane, Action.MOUNT).id).ended_at_utc
        seen = state.step(step_in(lane, Action.CONFIRM_MOUNTED).id).first_sent_at_utc
        assert mounted is not None and seen is not None
        moments.append(seen - mounted)
    assert moments[0] >= delay
    assert moments[1] >= timedelta(hours=1) + delay


def _delayed(delay: timedelta) -> Lane:
    steps = tuple(
        evolve(each, delay_s=int(delay.total_seconds()))
        if each.action is Action.CONFIRM_MOUNTED
        else each
        for each in LANE.steps
    )
    return evolve(LANE, steps=steps)


@pytest.mark.parametrize(
    "reply", [came.Refused(code="internal", message="it does not end"),
              came.Lost(message="nobody answers")]
)  # fmt: skip
def test_a_job_of_this_run_that_cannot_be_ended_is_named(reply: came.Event) -> None:
    twin = Saying(replies=[reply])
    announce(twin, LANE, step_in(LANE, Action.REBUILD))
    plan = plan_of(LANE, host_root=ROOT)
    talk = talk_of(plan, twin)
    found = played(talk, cancel_jobs(talk, LANE, step_in(LANE, Action.CANCEL_JOBS)), twin)
    assert "could not be ended" in why_failed(found) and found.result["jobs"] == []


def test_eseutil_that_ends_well_and_counted_nothing_has_seen_nothing() -> None:
    said = b"Operation completed successfully in 1.0 seconds.\r\n"
    end = ended("eseutil", output=said, result={"error_output": base64.b64encode(b"").decode()})
    assert "eseutil /k: " in why_failed(judge_job(subject(Action.DETECT_ERRORS), end))


def test_a_look_that_failed_without_a_count_is_no_look() -> None:
    step = step_in(LANE, Action.DETECT_ERRORS)
    record = StepRecord(
        step=step.id, attempts=1, outcome=OutcomeKind.FAILED, result={"mode": "checksum"},
        first_sent_at_utc=NOW, ended_at_utc=NOW,
    )  # fmt: skip
    assert looks_of(LANE, RunState(steps={step.id: record}), is_rebuilt=False) == ()


def test_a_rebuilt_file_put_aside_beside_an_open_one_is_looked_for() -> None:
    """The file in place is in use; the original is kept, and the rebuilt file lies aside: what is
    in use is the set's copy where one was put back, and nobody knows it where none was.
    """
    twin = swapped(mounted=True)
    twin.files |= {KEPT: "old", ASIDE: "new"}
    twin.refusals["read-header"] = ["file-in-use"]
    assert place(twin) == (InPlace.UNKNOWN, f"the rebuilt file was moved to {ASIDE}")
    assert not [one for one in twin.journal if one.kind is RecordKind.QUESTION]


def test_the_size_that_was_planned_is_of_the_lanes_own_database() -> None:
    """Where the header was never read: another database's size says nothing."""
    from goexchange.driver.measurements import timings

    twin = Twin()
    drive(machine_of(PLAN, twin), twin)
    [decision] = PLAN.body.decisions or (None,)
    assert decision is None or decision.database == LANE.database
    state = replay(twin.journal)
    header = step_in(LANE, Action.READ_HEADER).id
    unread = {name: each for name, each in state.steps.items() if name != header}
    assert list(timings(PLAN, LANE, evolve(state, steps=unread)))
