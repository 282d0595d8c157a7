"""A person was at the files meanwhile: which file lies where, and what the run makes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from goexchange.driver import effects as to_do
from goexchange.driver import hands
from goexchange.driver.conversation import Conversation
from goexchange.driver.doubt import Meaning
from goexchange.driver.hands import InPlace, after_refused_swap, by_hand, file_in_place
from goexchange.errors import ExitCode
from goexchange.model.plan import Action
from goexchange.model.run import OutcomeKind, RecordKind
from tests.driver.alone import played, step_in, talk_of
from tests.driver.plans import ASIDE, KEPT, ORIGINAL, TEMPORARY, plan_of, rebuild_lane
from tests.driver.test_again import PLAN, ended, put_back, records, until
from tests.driver.twin import Twin, drive, machine_of

LANE = PLAN.body.lanes[0]


def place(twin: Twin) -> tuple[InPlace, str]:
    talk = talk_of(PLAN, twin)
    return played(talk, file_in_place(talk, LANE, step_in(LANE, Action.MOUNT)), twin)


def of_hand(twin: Twin, action: Action) -> Any:
    talk = talk_of(PLAN, twin)
    return played(talk, by_hand(talk, LANE, step_in(LANE, action)), twin)


def before_swap(**files: str) -> Twin:
    """About to swap; then the files are as somebody has made them."""
    twin = Twin()
    until(twin, "-swap", takes_effect=False)
    twin.files = dict(files)
    return twin


def swapped(*, mounted: bool = False) -> Twin:
    twin = Twin()
    until(twin, "-mount", takes_effect=mounted)
    assert twin.files == {ORIGINAL: "new", KEPT: "old"}
    return twin


def test_an_open_file_beside_which_nothing_can_be_read_is_unknown() -> None:
    twin = swapped(mounted=True)
    twin.refusals["read-header"] = ["file-in-use", "access-denied"]
    assert place(twin) == (InPlace.UNKNOWN, f"{KEPT}: access-denied")


def test_a_host_that_does_not_answer_is_asked_until_it_does() -> None:
    twin = swapped()
    asked: list[str] = []

    def lose(number: int, send: to_do.Send) -> str | None:
        asked.append(send.purpose)
        return "before" if len(asked) < 9 else None

    twin.lose = lose
    assert place(twin) == (InPlace.REBUILT, "its header was read")
    assert len(asked) == 9
    began = twin.now
    twin.lose = lambda number, send: "before"
    assert place(twin)[0] is InPlace.UNKNOWN
    limit = step_in(LANE, Action.MOUNT).time_limit_s
    assert timedelta(0) < twin.now - began <= timedelta(seconds=2 * limit)


def test_a_mounted_file_that_is_not_the_original_is_never_moved_away() -> None:
    twin = swapped(mounted=True)
    found = of_hand(twin, Action.SWAP_BACK)
    assert found.outcome is OutcomeKind.FAILED
    assert "the database is mounted with the rebuilt file" in found.result["why"]
    put_back(twin)
    assert of_hand(twin, Action.SWAP_BACK).outcome is OutcomeKind.ALREADY
    twin.is_mounted = False
    assert of_hand(twin, Action.SWAP_BACK) is None, "the step looks itself"


def test_a_swap_that_a_person_finished_is_done() -> None:
    """The kept original was taken elsewhere; the rebuilt file lies in place."""
    found = of_hand(before_swap(**{ORIGINAL: "new"}), Action.SWAP)
    assert found.is_done and found.result["state"] == "after"


def test_a_swap_that_a_person_undid_has_failed_with_the_original_in_place() -> None:
    found = of_hand(before_swap(**{ORIGINAL: "old"}), Action.SWAP)
    assert (found.outcome, found.result["state"]) == (OutcomeKind.FAILED, "before")


def test_files_that_fit_nothing_are_looked_at_on() -> None:
    twin = before_swap(**{KEPT: "old"})
    assert of_hand(twin, Action.SWAP) is None
    assert not [one for one in records(twin, RecordKind.LOOKED) if one["cause"] == "resume"]


def refused(twin: Twin) -> Any:
    talk = talk_of(PLAN, twin)
    swap = step_in(LANE, Action.SWAP)
    return played(talk, after_refused_swap(talk, LANE, swap, "file-in-use: no"), twin)


def test_a_refused_swap_over_an_original_in_place_is_not_done_and_no_doubt() -> None:
    twin = before_swap(**{ORIGINAL: "old"})
    found = refused(twin)
    assert found.outcome is OutcomeKind.FAILED
    assert "somebody was at the files, and the original is in its place" in found.result["why"]
    looked = records(twin, RecordKind.LOOKED)[-1]
    assert (looked["meaning"], looked["cause"]) == (Meaning.NOT_DONE.value, "postcondition")


@pytest.mark.parametrize(
    "files",
    [
        {TEMPORARY: "new", ORIGINAL: "old"},  # as before the swap: the probe tells
        {KEPT: "old"},  # nothing in place
        {ORIGINAL: "partial"},  # a file of nobody's
    ],
)
def test_other_refusals_of_a_swap_are_looked_at_on(files: dict[str, str]) -> None:
    assert refused(before_swap(**files)) is None


def at(twin: Twin, purpose: str, act: Any) -> Any:
    """Drive to the end; right before this call a person acts."""
    machine = machine_of(PLAN, twin)
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        if isinstance(effect, to_do.Send) and effect.purpose.endswith(purpose):
            act()
        machine.accept(twin.perform(effect), twin.now)
    return effect.result


def test_a_rebuilt_file_that_somebody_took_away_before_the_swap_brings_the_original_back() -> None:
    twin = Twin()

    def take() -> None:
        if twin.files.pop(TEMPORARY, None):
            twin.refusals["swap-files"] = ["file-in-use"]

    result = at(twin, "-swap", take)
    assert result.exit_code == ExitCode.STOPPED and twin.is_mounted
    assert "somebody was at the files" in result.databases[0].why
    assert twin.files == {ORIGINAL: "old"} and not twin.effects["swap"]


def test_a_database_that_somebody_mounted_with_the_original_is_not_the_rebuilt_one() -> None:
    twin = Twin()

    def hand() -> None:
        if ASIDE not in twin.files:
            put_back(twin)
            twin.refusals["swap-back"] = ["file-in-use"]  # as of every open file

    result = at(twin, "-mount", hand)
    assert result.exit_code == ExitCode.STOPPED and twin.is_mounted
    assert "a person has put the original back" in result.databases[0].why
    assert twin.files == {ORIGINAL: "old", ASIDE: "new"}
    assert not twin.effects["Mount-Database new"] and not twin.effects["swap back"]


def test_a_lane_without_a_swap_has_no_files_to_tell_apart() -> None:
    bare = plan_of(rebuild_lane())
    talk: Conversation = talk_of(bare, Twin())
    lane = bare.body.lanes[0]
    assert hands.files_of(talk, lane) is None
    found = played(talk, file_in_place(talk, lane, step_in(lane, Action.MOUNT)), Twin())
    assert found == (InPlace.UNKNOWN, "the headers of both files are not on record")


def test_a_run_that_ended_well_is_left_alone() -> None:
    twin = Twin()
    assert ended(twin).exit_code == ExitCode.OK
    sends = twin.sends
    assert drive(machine_of(PLAN, twin), twin).exit_code == ExitCode.OK
    assert twin.sends == sends
