"""Waiting for a verifier machine: what counts as its verdict, and what happens without one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.backup.verdict import verdict_bytes
from goexchange.driver import effects as to_do
from goexchange.driver.events import Request
from goexchange.errors import ExitCode
from goexchange.model.backup_set import SetVerdict
from goexchange.model.plan import Action, Binding, BindingKind, Lane, OnDoubt, ScriptCall
from goexchange.model.run import OutcomeKind, RecordKind, RunResult
from goexchange.plan.calls import equals, host_job
from tests.driver.plans import NOW, ORIGINAL, SET, plan_of, rebuild_lane, with_step
from tests.driver.twin import Twin, drive, machine_of

LIMIT_S = 3600


def lane() -> Lane:
    made = rebuild_lane()
    (seal,) = [step.id for step in made.steps if step.action is Action.SEAL_SET]
    return with_step(
        made,
        Action.VERIFY_SET,
        call=host_job("await-verdict", {"folder": SET, "set_sha256": "", "wait_s": LIMIT_S}),
        binds=(Binding(argument="set_sha256", kind=BindingKind.SET_DIGEST, step=seal),),
        postcondition=equals("ok", True),
        on_doubt=OnDoubt.ATTACH,
        time_limit_s=LIMIT_S + 120,
    )


def verdict(twin: Twin, **differs: object) -> bytes:
    found = SetVerdict(
        set_id="EX01-DB05",
        set_sha256=twin.set_sha256,
        verdict="restorable",
        is_good=True,
        findings=(),
        verified_at_utc=NOW,
        verified_by="VERIFY01",
        tool_version="1",
    )
    return verdict_bytes(evolve(found, **differs))


def run(twin: Twin) -> RunResult:
    return drive(machine_of(plan_of(lane()), twin), twin)


def outcome(twin: Twin) -> dict[str, object]:
    (found,) = [
        dict(record.data)
        for record in twin.journal
        if record.kind is RecordKind.OUTCOME and str(record.data["step"]).endswith("verify-set")
    ]
    return found


def waited_s(twin: Twin) -> float:
    times = [
        record.at_utc
        for record in twin.journal
        if str(record.data.get("step", "")).endswith("-verify-set")
    ]
    return (max(times) - min(times)).total_seconds()


def appears(after_s: float, made: Callable[[Twin], bytes]) -> Callable[[Twin], bytes | None]:
    """Nothing at first, and something so many seconds after it was first looked for."""
    first = []

    def look(twin: Twin) -> bytes | None:
        first.append(twin.now)
        return made(twin) if twin.now - first[0] >= timedelta(seconds=after_s) else None

    return look


def test_a_verdict_that_comes_in_time_lets_the_swap_happen() -> None:
    twin = Twin(verdict=appears(900, verdict))
    assert run(twin).exit_code == ExitCode.OK
    assert twin.files[ORIGINAL] == "new"
    result = outcome(twin)["result"]
    assert isinstance(result, dict)
    assert (result["ok"], result["verified_by"]) == (True, "VERIFY01")
    assert 900 <= waited_s(twin) < 1000
    assert twin.fed > 12, "the sentinel is fed while it waits"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda twin: None, "none was left beside the set"),
        (lambda twin: verdict(twin, set_sha256="0" * 64), "is about another"),
        (lambda twin: b"", "not believed"),
        (lambda twin: b"[]", "not believed"),
        (lambda twin: b"\xff" * 99, "not believed"),
    ],
    ids=["none", "another set", "empty", "no object", "no text"],
)
def test_without_a_verdict_over_this_set_in_time_the_way_back_is_taken(
    made: Callable[[Twin], bytes | None], why: str
) -> None:
    twin = Twin(verdict=made)
    assert run(twin).exit_code == ExitCode.STOPPED
    assert twin.files[ORIGINAL] == "old" and twin.is_mounted
    reason = str(outcome(twin)["result"])
    assert f"no verdict within {LIMIT_S} s" in reason and why in reason
    assert LIMIT_S <= waited_s(twin) < LIMIT_S + 60


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda twin: verdict(twin)[:-9], "not believed"),
        (lambda twin: verdict(twin).replace(b"VERIFY01", b"VERIFY02"), "changed after it was"),
    ],
    ids=["cut", "edited"],
)
def test_what_speaks_of_this_set_and_is_not_believed_takes_the_way_back_at_once(
    made: Callable[[Twin], bytes], why: str
) -> None:
    twin = Twin(verdict=made)
    assert run(twin).exit_code == ExitCode.STOPPED
    assert twin.files[ORIGINAL] == "old" and twin.is_mounted
    assert why in str(outcome(twin)["result"]) and waited_s(twin) < 60


def test_a_wait_that_the_host_ended_is_no_verdict() -> None:
    twin = Twin(verdict=verdict, tool_fails={"await-verdict"})
    assert run(twin).exit_code == ExitCode.STOPPED
    assert "the wait for a verdict ended with 1" in str(outcome(twin)["result"])
    assert twin.files[ORIGINAL] == "old" and twin.is_mounted


def test_an_old_verdict_is_waited_over_until_the_right_one_replaces_it() -> None:
    right = appears(600, verdict)
    twin = Twin(verdict=lambda twin: right(twin) or verdict(twin, set_sha256="0" * 64))
    assert run(twin).exit_code == ExitCode.OK


def test_a_verdict_of_damage_takes_the_way_back_at_once() -> None:
    damaged = {"is_good": False, "verdict": "not-restorable", "findings": ("DB05.edb: page 7",)}
    twin = Twin(verdict=lambda twin: verdict(twin, **damaged))
    assert run(twin).exit_code == ExitCode.STOPPED
    assert twin.files[ORIGINAL] == "old" and twin.is_mounted
    assert "does not pass the set" in str(outcome(twin)["result"])
    assert waited_s(twin) < 60


def test_a_server_that_cannot_be_asked_is_asked_again() -> None:
    def lose(number: int, send: to_do.Send) -> str | None:
        is_look = send.purpose.endswith("-verify-set")
        return "before" if is_look and send.purpose.startswith("poll") and number % 3 else None

    twin = Twin(verdict=appears(60, verdict), lose=lose)
    assert run(twin).exit_code == ExitCode.OK


def test_an_abort_ends_the_wait() -> None:
    twin = Twin()
    twin.asked.append((NOW + timedelta(hours=2), Request.ABORT))
    twin.verdict = lambda twin: None
    result = run(twin)
    assert result.exit_code == ExitCode.STOPPED and twin.files[ORIGINAL] == "old"


def test_a_resumed_run_waits_on_and_no_longer_than_was_planned() -> None:
    twin = Twin()
    plan = plan_of(lane())
    machine = machine_of(plan, twin)
    looked = 0
    while looked < 5:
        effect = machine.next(twin.now)
        if isinstance(effect, to_do.Send) and effect.purpose.endswith("-verify-set"):
            looked += isinstance(effect.call, ScriptCall) and effect.call.script == "poll-job"
        machine.accept(twin.perform(effect), twin.now)
    twin.now += timedelta(seconds=LIMIT_S / 2)
    twin.verdict = verdict
    again = machine_of(plan, twin)
    assert drive(again, twin).exit_code == ExitCode.OK
    steps = [step for step in lane().steps if step.action is Action.VERIFY_SET]
    assert again.state.step(steps[0].id).outcome is OutcomeKind.DONE
