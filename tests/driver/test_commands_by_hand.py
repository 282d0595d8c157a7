"""What a person types after a swap that went wrong: only what is not done yet, in order."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.by_hand import by_hand_after_swap
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, Lane, RunsWhen
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.model.streaming_file import streaming_beside
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_script
from goexchange.powershell import cmdlets
from tests.driver.alone import step_in
from tests.driver.plans import (
    ASIDE,
    DATABASE,
    GUID,
    KEPT,
    LOGS,
    LOGS_ASIDE,
    ORIGINAL,
    ROOT,
    SERVER,
    rebuild_lane,
)

SOURCE = "D:\\DB05\\DB05.edb.before-20261101T200000Z"
LOGS_TAKEN = f"{LOGS}\\gx-logs-20261122T200001Z"
REBUILD = rebuild_lane()


def return_lane() -> Lane:
    """An earlier file takes the place of the one in service, and the ways back from there."""
    lane = LaneBuilder(f"{SERVER}/{DATABASE}", SERVER, database=DATABASE, database_guid=GUID)

    def moved(action: Action, source: str, destination: str) -> None:
        arguments = {"root": ROOT, "source": source, "destination": destination}
        lane.add(action, host_script("move-aside", arguments), summary=action.value)

    def logs(action: Action, source: str, target: str) -> None:
        arguments = {"root": ROOT, "from_folder": source, "to_folder": target, "prefix": "E05"}
        lane.add(action, host_script("move-logs", arguments), summary=action.value)

    moved(Action.TAKE_ASIDE, ORIGINAL, ASIDE)
    moved(Action.RETURN_FILE, SOURCE, ORIGINAL)
    logs(Action.TAKE_LOGS_ASIDE, LOGS, LOGS_TAKEN)
    lane.add(Action.MOUNT, cmdlets.mount(GUID), summary="mount", is_point_of_no_return=True)
    moved(Action.PUT_AWAY, ORIGINAL, SOURCE)
    moved(Action.RETURN_PRESENT, ASIDE, ORIGINAL)
    logs(Action.MOVE_LOGS_ASIDE, LOGS, LOGS_ASIDE)
    logs(Action.RETURN_LOGS, LOGS_TAKEN, LOGS)
    return lane.lane()


def after(lane: Lane, *, done: tuple[Action, ...], **failed: Any) -> list[str]:
    """The commands when these took effect; of the failed ones the result."""
    records = {
        step_in(lane, action).id: StepRecord(
            step=step_in(lane, action).id, attempts=1, outcome=OutcomeKind.DONE, result={}
        )
        for action in done
    }
    for name, result in failed.items():
        step = step_in(lane, Action[name])
        records[step.id] = StepRecord(
            step=step.id, attempts=9, outcome=OutcomeKind.FAILED, result=result
        )
    return by_hand_after_swap(lane, RunState(steps=records))


def moves(commands: list[str]) -> list[tuple[str, str]]:
    """From and to of the database files."""
    found = [one.split("'") for one in commands if one.startswith("Move-Item")]
    return [(words[1], words[3]) for words in found]


EXCHANGED = (Action.TAKE_ASIDE, Action.RETURN_FILE, Action.TAKE_LOGS_ASIDE)


def test_a_file_that_was_returned_is_put_away_before_the_present_one_comes_back() -> None:
    commands = after(return_lane(), done=EXCHANGED)
    assert moves(commands) == [(ORIGINAL, SOURCE), (ASIDE, ORIGINAL)]
    assert [one for one in commands if one.startswith("if (Test-Path")], "with the flush maps"
    assert commands[-1] == (
        f"Get-ChildItem -Path '{LOGS_TAKEN}' -File | Move-Item -Destination '{LOGS}'"
    )
    assert not [one for one in commands if LOGS_ASIDE in one], "no mount was tried"


def test_of_a_pair_both_files_go_and_the_database_file_leaves_first_and_comes_last() -> None:
    one = return_lane()
    look = evolve(one.steps[0], id="look", action=Action.READ_RETURNED_STREAMING)
    commands = after(evolve(one, steps=(look, *one.steps)), done=EXCHANGED)
    assert moves(commands) == [
        (ORIGINAL, SOURCE),
        (streaming_beside(ORIGINAL), streaming_beside(SOURCE)),
        (streaming_beside(ASIDE), streaming_beside(ORIGINAL)),
        (ASIDE, ORIGINAL),
    ]


def test_a_file_that_was_never_returned_is_not_put_away() -> None:
    commands = after(return_lane(), done=(Action.TAKE_ASIDE,))
    assert moves(commands) == [(ASIDE, ORIGINAL)]


def test_logs_of_a_tried_mount_go_aside_before_the_others_come_back() -> None:
    commands = after(return_lane(), done=EXCHANGED, MOUNT={"why": "it does not mount"})
    tried = next(at for at, one in enumerate(commands) if LOGS_ASIDE in one)
    assert tried < len(commands) - 1 and LOGS_TAKEN in commands[-1]


def test_what_the_run_has_put_back_itself_is_not_typed_again() -> None:
    back = (Action.PUT_AWAY, Action.RETURN_PRESENT, Action.MOVE_LOGS_ASIDE, Action.RETURN_LOGS)
    assert after(return_lane(), done=(*EXCHANGED, *back), MOUNT={"why": "no"}) == []
    commands = after(return_lane(), done=(*EXCHANGED, Action.PUT_AWAY))
    assert moves(commands) == [(ASIDE, ORIGINAL)]


def test_an_original_that_is_back_in_its_place_is_not_renamed_again() -> None:
    assert moves(after(REBUILD, done=(Action.SWAP,))) == [(ORIGINAL, ASIDE), (KEPT, ORIGINAL)]
    assert after(REBUILD, done=(Action.SWAP, Action.SWAP_BACK)) == []


def test_a_set_that_was_copied_back_is_not_copied_again() -> None:
    lost = {"code": "file-not-found"}
    commands = after(REBUILD, done=(Action.SWAP,), SWAP_BACK=lost)
    assert [one for one in commands if one.startswith("Copy-Item")]
    aside = after(REBUILD, done=(Action.SWAP, Action.SET_ASIDE), SWAP_BACK=lost)
    assert moves(commands) and not moves(aside)
    set_back = (Action.SWAP, Action.SET_ASIDE, Action.COPY_BACK, Action.HASH_BACK)
    assert after(REBUILD, done=set_back, SWAP_BACK=lost) == []


def test_without_a_set_a_lost_original_has_no_command() -> None:
    """A person with RECOVERY.txt decides; nothing is guessed."""
    steps = tuple(each for each in REBUILD.steps if each.runs_when is not RunsWhen.ORIGINAL_LOST)
    bare = evolve(REBUILD, steps=steps)
    if not any(each.action is Action.COPY_BACK for each in steps):
        assert after(bare, done=(Action.SWAP,), SWAP_BACK={"code": "file-not-found"}) == []


@pytest.mark.parametrize("prefix", ["E05", ""])
def test_logs_are_named_only_when_their_base_name_is_known(prefix: str) -> None:
    logs = step_in(REBUILD, Action.MOVE_LOGS_ASIDE)
    call = evolve(logs.call, arguments={**logs.call.arguments, "prefix": prefix})  # type: ignore
    steps = tuple(evolve(each, call=call) if each is logs else each for each in REBUILD.steps)
    commands = after(
        evolve(REBUILD, steps=steps), done=(Action.SWAP, Action.SWAP_BACK), MOUNT={"why": "no"}
    )
    assert commands[0].startswith("Get-MailboxDatabase -Server 'EX01'"), "whose they are, first"
    assert len(commands) == (3 if prefix else 1)
    assert not prefix or "-Filter 'E05*'" in commands[-1]
