"""The controller's disk is gone: what the hosts keep of a run is enough to go on with it."""

from __future__ import annotations

import hashlib
import json

import pytest

from goexchange.codec import canonical_json, to_plain
from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.keeping import Kept
from goexchange.errors import ExitCode
from goexchange.journal.chain import line_of, read_lines
from goexchange.model.plan import Action, Direction, ExchangeCall, Step
from goexchange.model.run import RecordKind
from tests.driver.plans import ORIGINAL, plan_of, rebuild_lane
from tests.driver.test_crashes import REBUILT_ONCE
from tests.driver.twin import Twin, drive, fork, machine_of

NEVER_TWICE = (
    Action.SET_MOUNT_AT_STARTUP,
    Action.DISMOUNT,
    Action.COPY_SET,
    Action.REBUILD,
    Action.SWAP,
    Action.MOUNT,
    Action.ONLINE_BACKUP,
)


def step_sent(effect: to_do.Effect, steps: dict[str, Step]) -> Step | None:
    return steps.get(effect.purpose) if isinstance(effect, to_do.Send) else None


def test_the_host_has_plan_and_intent_before_the_step_is_sent() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    steps = {step.id: step for step in plan.body.lanes[0].steps}
    machine, seen = machine_of(plan, twin), set()
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        step = step_sent(effect, steps)
        if step is not None and step.action in (*NEVER_TWICE, Action.OPEN_RECOVERY_RECORD):
            seen.add(step.action)
            records = read_lines(twin.kept["journal.jsonl"]).records
            assert {"step": step.id} in [
                {"step": one.data["step"]} for one in records if one.kind is RecordKind.INTENT
            ]
            body = json.loads(twin.kept["plan.json"])["body"]
            assert body == json.loads(canonical_json(to_plain(plan.body)))
        machine.accept(twin.perform(effect), twin.now)
    assert seen == {*NEVER_TWICE, Action.OPEN_RECOVERY_RECORD}


def test_at_the_end_the_journals_head_lies_on_the_host() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    drive(machine_of(plan, twin), twin)
    assert read_lines(twin.kept["journal.jsonl"]).records[-1] == twin.journal[-1]


def test_a_store_lost_at_any_effect_is_made_good_from_the_host() -> None:
    """The fresh controller has only the records that the host keeps."""
    plan, twin = plan_of(rebuild_lane()), Twin()
    machine, number, lost = machine_of(plan, twin), 0, 0
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        event = twin.perform(effect)
        number += 1
        if number % 4 == 0 and "journal.jsonl" in twin.kept:
            left = fork(twin)
            left.journal = list(read_lines(left.kept["journal.jsonl"]).records)
            lost += len(twin.journal) - len(left.journal)
            result = drive(machine_of(plan, left), left)
            assert result.exit_code == ExitCode.OK, (effect, result)
            assert left.effects == REBUILT_ONCE, effect
            assert (left.is_mounted, left.files[ORIGINAL]) == (True, "new")
        machine.accept(event, twin.now)
    assert lost > 10  # the host's copy was behind now and then


def refusing(twin: Twin, effect: to_do.Effect) -> came.Event:
    """The host that keeps nothing more."""
    if isinstance(effect, to_do.Send) and effect.purpose == "keep":
        return came.Refused(code="disk-full", message="no space left")
    return twin.perform(effect)


def test_a_host_that_keeps_nothing_is_not_changed() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin()
    machine = machine_of(plan, twin)
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        machine.accept(refusing(twin, effect), twin.now)
    assert effect.result.exit_code == ExitCode.STOPPED
    assert "the host does not keep the run: disk-full" in effect.result.databases[0].why
    assert not twin.effects
    assert (twin.is_mounted, twin.recovery) == (True, "none")


def test_mail_is_brought_back_though_the_host_keeps_nothing_more() -> None:
    plan, twin = plan_of(rebuild_lane()), Twin(tool_fails={"/d"})
    steps = {step.id: step for step in plan.body.lanes[0].steps}
    machine, is_full = machine_of(plan, twin), False
    while not isinstance(effect := machine.next(twin.now), to_do.Finish):
        step = step_sent(effect, steps)
        is_full |= step is not None and step.action is Action.REBUILD
        event = refusing(twin, effect) if is_full else twin.perform(effect)
        machine.accept(event, twin.now)
    assert (twin.is_mounted, twin.at_startup, twin.files[ORIGINAL]) == (True, True, "old")


@pytest.mark.parametrize("is_ahead", [True, False])
def test_a_store_that_is_not_the_one_the_host_knows_is_refused(is_ahead: bool) -> None:
    """An old copy of the store, or a run that was gone on with from the host: nothing is sent."""
    plan, twin = plan_of(rebuild_lane()), Twin()
    machine = machine_of(plan, twin)
    while not twin.effects["Dismount-Database old"]:
        machine.accept(twin.perform(machine.next(twin.now)), twin.now)
    whole = list(twin.journal)
    if is_ahead:
        twin.journal = whole[:-6]
    else:
        twin.kept["journal.jsonl"] = b"".join(map(line_of, whole[:-8])) + b'{"another": 1}\n'
    before = twin.effects.copy()
    result = drive(machine_of(plan, twin), twin)
    assert result.exit_code == ExitCode.LOCKED
    assert "another journal of this run" in result.verdict
    assert twin.effects == before


def test_every_step_that_may_not_be_done_twice_is_announced_on_its_host() -> None:
    from goexchange.driver.keeping import is_kept_before

    for step in rebuild_lane().steps:
        changes = isinstance(step.call, ExchangeCall) and step.direction is not Direction.NEUTRAL
        if changes and step.action is not Action.CONFIRM_MOUNTED:
            assert is_kept_before(step), step.id


def test_the_digest_of_a_shorter_copy_is_the_one_of_its_bytes() -> None:
    """A host may be behind another one: what was taken further is taken anew."""
    twin = Twin()
    drive(machine_of(plan_of(rebuild_lane()), twin), twin)
    kept = Kept()
    kept.take(twin.journal)
    whole = bytes(kept.content)
    for size in (500, 700, 200, len(whole), 0):
        assert kept.digest_of(size) == hashlib.sha256(whole[:size]).hexdigest()
