"""What an earlier process left half-way, and what comes in between: looked at, not repeated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver import deciding, keeping
from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.assuming import why_not_answerable
from goexchange.driver.events import Request, Requested
from goexchange.driver.identity import Assumption
from goexchange.driver.streams import before_logs
from goexchange.errors import ExitCode
from goexchange.journal.replay import replay
from goexchange.model.plan import Action
from goexchange.model.run import LaneState, OutcomeKind, RecordKind, RunResult
from goexchange.plan.calls import host_script
from tests.driver.alone import played, step_in, talk_of
from tests.driver.plans import (
    KEPT,
    ORIGINAL,
    SERVER,
    plan_of,
    rebuild_lane,
    verify_lane,
    with_step,
)
from tests.driver.test_again import PLAN, ended, is_tidy, records, until
from tests.driver.test_silent_hosts import Silent
from tests.driver.twin import RUN, Twin, drive, machine_of

LANE = PLAN.body.lanes[0]


def id_of(action: Action) -> str:
    return step_in(LANE, action).id


def answered(twin: Twin, action: Action, *, is_done: bool) -> RunResult:
    assumed = Assumption(step=id_of(action), is_done=is_done, by="maria")
    return drive(machine_of(PLAN, twin, run=evolve(RUN, assumed=assumed)), twin)


# -- an operator's answer


def test_work_that_is_found_again_on_its_host_needs_no_answer() -> None:
    twin = Twin()
    until(twin, "-rebuild", takes_effect=True)
    state = replay(twin.journal)
    assert state.in_doubt == (id_of(Action.REBUILD),)
    why = why_not_answerable(PLAN, state, id_of(Action.REBUILD))
    assert why is not None and "found again on its host" in why


def test_a_step_that_nothing_can_look_at_takes_an_answer() -> None:
    twin = Twin()
    until(twin, "-place-sentinel", takes_effect=False)
    assert answered(twin, Action.PLACE_SENTINEL, is_done=True).exit_code == ExitCode.OK
    (answer,) = records(twin, RecordKind.ANSWER)
    assert (answer["answer"], answer["evidence"]) == ("done", "the step has no probe")


def test_a_mount_whose_file_can_be_told_takes_no_answer() -> None:
    twin = Twin()
    until(twin, "-mount", takes_effect=True)
    result = answered(twin, Action.MOUNT, is_done=False)
    assert result.exit_code in (ExitCode.NOT_NOW, ExitCode.LEFT_OFFLINE)
    assert "looking can tell" in result.verdict and "it has taken effect" in result.verdict
    assert not records(twin, RecordKind.ANSWER)


def mounted_without_a_trace() -> Twin:
    """The new file was mounted, its answer lost; then somebody took the kept original away."""
    twin = Twin()
    until(twin, "-mount", takes_effect=True)
    del twin.files[KEPT]
    return twin


def test_a_mount_whose_file_nobody_can_tell_goes_on_by_a_persons_word() -> None:
    twin = mounted_without_a_trace()
    assert ended(twin).exit_code == ExitCode.LEFT_OFFLINE, "unknown is told as the worse"
    assert records(twin, RecordKind.QUESTION)[-1]["step"] == id_of(Action.MOUNT)
    result = answered(twin, Action.MOUNT, is_done=True)
    (answer,) = records(twin, RecordKind.ANSWER)
    assert "nobody can tell with which file" in str(answer["evidence"])
    assert twin.is_mounted and twin.effects["Mount-Database new"] == 1
    assert twin.at_startup and not twin.sentinel
    assert result.exit_code == ExitCode.STOPPED
    assert "which file is in place cannot be told" in result.databases[0].why


def test_a_mount_that_a_person_denies_leaves_the_mounted_file_alone() -> None:
    twin = mounted_without_a_trace()
    assert ended(twin).exit_code == ExitCode.LEFT_OFFLINE
    twin.refusals["swap-back"] = ["file-in-use"] * 9  # as of every open file
    result = answered(twin, Action.MOUNT, is_done=False)
    assert result.exit_code != ExitCode.OK and twin.is_mounted
    assert twin.files == {ORIGINAL: "new"} and not twin.effects["swap back"]


# -- the journal on the host


def test_a_sentinel_is_fed_though_the_host_keeps_nothing_more() -> None:
    """The copy of the journal could not be compared; the sentinel must not speak for that."""
    lane = with_step(rebuild_lane(), Action.REBUILD, time_limit_s=3600)
    plan, twin = plan_of(lane), Twin(is_rebuild_endless=True)
    until(twin, "-rebuild", plan, takes_effect=True)
    twin.lose = lambda number, send: "before" if send.purpose == "keep" else None
    fed, touched = twin.fed, dict(twin.kept)
    drive(machine_of(plan, twin), twin)
    assert twin.fed > fed + 10
    assert twin.kept == touched and twin.is_mounted


def test_a_plan_that_is_longer_than_one_request_comes_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "PIECE_BYTES", 4_000)
    twin = Twin()
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.OK
    assert twin.kept["plan.json"] == keeping.plan_bytes(PLAN)
    assert len(twin.kept["plan.json"]) > 5 * 4_000


def test_a_piece_that_grows_when_it_is_packed_is_sent_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeping, "PIECE_BYTES", 24)  # smaller than what packing adds
    talk = talk_of(PLAN, Twin())
    parts, left = keeping._filled(keeping._whole("plan.json", b"x" * 100), talk.kept, 0)
    assert [each["offset"] for each in parts] == [0] and len(left) == 4


class Forgetful(Twin):
    """It keeps what it is given, and says that it has something else."""

    def _keep_run(self, arguments: Any) -> dict[str, Any]:
        answer = super()._keep_run(arguments)
        for one in answer["kept"]:
            one["sha256"] = "0" * 64
        return answer


def test_a_host_whose_copy_never_agrees_is_not_changed() -> None:
    twin = Forgetful()
    result = drive(machine_of(PLAN, twin), twin)
    assert "the copy never came to its end" in result.databases[0].why
    assert twin.is_mounted and not twin.effects["Dismount-Database old"]


# -- the lane


def test_ending_jobs_that_was_in_doubt_is_done_again() -> None:
    """It may be: a job that has ended is ended."""
    twin = Twin(is_rebuild_endless=True)
    plan = plan_of(with_step(rebuild_lane(), Action.REBUILD, time_limit_s=600))
    until(twin, "-cancel-jobs", plan, takes_effect=True)
    assert replay(twin.journal).in_doubt == (id_of(Action.CANCEL_JOBS),)
    result = drive(machine_of(plan, twin), twin)
    assert result.exit_code == ExitCode.STOPPED and is_tidy(twin)
    assert twin.effects["Mount-Database old"] == 1 and not twin.effects["swap"]


def test_what_failed_after_the_mount_does_not_mount_once_more() -> None:
    plan, twin = plan_of(verify_lane()), Twin()
    machine = machine_of(plan, twin)
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        if twin.effects["Mount-Database old"]:
            twin.refusals["Set-MailboxDatabase"] = ["access-denied"]
        machine.accept(twin.perform(effect), twin.now)
    result = effect.result
    assert result.databases[0].state is LaneState.FAILED
    assert "access-denied" in result.databases[0].why
    assert twin.effects["Mount-Database old"] == 1 and twin.is_mounted


def test_a_request_during_a_steps_delay_is_heard_before_the_step() -> None:
    """The minute until a mount is looked at once more."""
    twin, asked = Twin(), False
    machine = machine_of(PLAN, twin)
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        is_delay = isinstance(effect, to_do.WaitUntil) and twin.effects["Mount-Database new"]
        if is_delay and not asked:
            asked = True
            machine.accept(Requested(request=Request.STOP, by="maria"), twin.now)
            continue
        machine.accept(twin.perform(effect), twin.now)
    assert asked and effect.result.exit_code == ExitCode.OK
    stop = next(one for one in twin.journal if one.kind is RecordKind.REQUEST)
    confirms = [
        one
        for one in twin.journal
        if one.kind is RecordKind.INTENT and one.data["step"] == id_of(Action.CONFIRM_MOUNTED)
    ]
    assert len(confirms) == 1 and stop.sequence < confirms[0].sequence


def test_what_cannot_be_seen_again_is_unknown_to_the_guards() -> None:
    twin = Silent()
    talk = talk_of(PLAN, twin)
    swap = step_in(LANE, Action.SWAP)
    played(talk, deciding._look_again(talk, swap, SERVER), twin)
    assert SERVER in talk.actual
    twin.now += deciding.FRESH_FOR + timedelta(seconds=1)
    twin.is_unseen = lambda of: True
    talk.now = twin.now
    played(talk, deciding._look_again(talk, swap, SERVER), twin)
    assert SERVER not in talk.actual, "however lately it was known"


# -- whose logs


def logs(twin: Twin, action: Action, *, prefix: str = "E05") -> Any:
    call = host_script(
        "move-logs",
        {"root": "C:\\gx", "from_folder": "L:\\DB05", "to_folder": "L:\\x", "prefix": prefix},
    )
    step = evolve(step_in(LANE, Action.MOVE_LOGS_ASIDE), action=action, call=call)
    talk = talk_of(PLAN, twin)
    return played(talk, before_logs(talk, LANE, step), twin)


def test_logs_whose_base_name_is_not_known_are_not_moved() -> None:
    twin = Twin(is_mounted=False)
    assert logs(twin, Action.TAKE_LOGS_ASIDE) is None
    found = logs(twin, Action.TAKE_LOGS_ASIDE, prefix="")
    assert found.outcome is OutcomeKind.FAILED
    assert "base name of the database's logs is not known" in found.result["why"]


def test_logs_that_another_database_may_use_turn_a_lane_back_that_nothing_forces() -> None:
    found = logs(Twin(is_mounted=False, others=("DB06",)), Action.TAKE_LOGS_ASIDE)
    assert found.outcome is OutcomeKind.FAILED and "DB06 may use the same logs" in str(found)
    assert logs(Twin(), Action.TAKE_LOGS_ASIDE).outcome is OutcomeKind.ALREADY


def test_an_observation_that_is_refused_moves_no_logs() -> None:
    class Refusing(Twin):
        def perform(self, effect: to_do.Effect) -> came.Event:
            if isinstance(effect, to_do.Observe):
                return came.Refused(code="internal", message="access denied")
            return super().perform(effect)

    found = logs(Refusing(is_mounted=False), Action.TAKE_LOGS_ASIDE)
    assert "is not known: access denied" in found.result["why"]
