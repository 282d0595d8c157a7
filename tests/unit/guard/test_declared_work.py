from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.guard.evaluate import at_plan, at_start, before_step
from goexchange.model import configuration, desired
from goexchange.model.configuration import OtherWork, OtherWorkKind, TimeOfDay, Weekday
from goexchange.model.plan import Action, Plan, Verdict, VerdictKind
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import IN_WINDOW, NOW, PLACE, inventory, spec, state


def reboot(hour: int, minute: int = 0, **differs: Any) -> OtherWork:
    """A reboot in the night of the window, Sunday at that time in Berlin, for half an hour."""
    when = configuration.Window(
        name="patch-night",
        zone="Europe/Berlin",
        days=(Weekday.SUNDAY,),
        opens=TimeOfDay(hour=hour, minute=minute),
        closes=TimeOfDay(hour=hour, minute=minute + 30),
        place=PLACE,
    )
    values: dict[str, Any] = {"kind": OtherWorkKind.REBOOT, "servers": ("EX01",), "when": when}
    return OtherWork(**{**values, **differs})


def plan(*work: OtherWork, of: desired.DesiredState | None = None) -> Plan:
    site = evolve(inventory(), other_work=work)
    return seal(make_draft([of or spec()], site, state(), now=NOW), NOW, "me")


def verdict(found: tuple[Verdict, ...]) -> Verdict:
    return next(each for each in found if each.guard == "no-declared-work")


def planned(*work: OtherWork, of: desired.DesiredState | None = None) -> Verdict:
    return verdict(at_plan(plan(*work, of=of).body, state(), NOW))


def test_without_declared_work_it_passes_and_says_for_which_time() -> None:
    found = planned()
    assert found.kind is VerdictKind.PASS
    assert "2026-11-28 21:00" in found.evidence


def test_a_reboot_inside_the_run_blocks_and_is_named() -> None:
    found = planned(reboot(0))
    assert (found.kind, found.is_time_only) == (VerdictKind.BLOCK, True)
    assert "reboot 'patch-night' is declared from 2026-11-28 23:00 to 2026-11-28 23:30 UTC" in (
        found.evidence
    )


def test_a_reboot_of_another_server_or_hour_does_not_matter() -> None:
    assert planned(reboot(0, servers=("EX02",))).kind is VerdictKind.PASS
    assert planned(reboot(21)).kind is VerdictKind.PASS  # Sunday evening: long after


def test_what_a_specification_declares_counts_the_same() -> None:
    backup = desired.DeclaredBackup(
        name="nightly", due="23:30", zone=None, lasts_s=7200, place=PLACE
    )
    conflicts = evolve(spec().conflicts, declared=(backup,))
    found = planned(of=spec(conflicts=conflicts))
    assert found.kind is VerdictKind.BLOCK
    assert "'nightly' is declared from 2026-11-28 22:30 to 2026-11-29 00:30 UTC" in found.evidence


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (IN_WINDOW, VerdictKind.BLOCK),
        (IN_WINDOW + timedelta(hours=3), VerdictKind.PASS),  # the reboot is over
    ],
)
def test_it_is_judged_again_at_the_start_and_before_the_outage(
    now: datetime, kind: VerdictKind
) -> None:
    made = plan(reboot(0))
    assert verdict(at_start(made, state(), now, None)).kind is kind
    step = next(
        each
        for each in made.body.lanes[0].steps
        if "no-declared-work" in each.guards and each.action is not Action.LAST_LOOK
    )
    assert verdict(before_step(made, step, _Nothing(), state(), now)).kind is kind


@pytest.mark.parametrize(
    ("outcome", "kind"), [("done", VerdictKind.PASS), ("failed", VerdictKind.BLOCK)]
)
def test_a_backup_that_the_lanes_command_has_suspended_is_not_in_the_way(
    outcome: str, kind: VerdictKind
) -> None:
    suspend = evolve(
        spec().conflicts,
        running=desired.ConflictPolicy.SUSPEND,
        scheduled=desired.ConflictPolicy.SUSPEND,
        suspend=("C:\\agent.cmd", "hold"),
        resume=("C:\\agent.cmd", "go"),
    )
    made = plan(reboot(0, kind=OtherWorkKind.BACKUP), of=spec(conflicts=suspend))
    steps = made.body.lanes[0].steps
    step = next(each for each in steps if each.action is Action.DISMOUNT)
    held = next(each for each in steps if each.action is Action.SUSPEND_BACKUPS)
    run = _After(held.id, OutcomeKind(outcome))
    guarded = evolve(step, guards=("no-declared-work",))
    assert verdict(before_step(made, guarded, run, state(), IN_WINDOW)).kind is kind


class _After:
    """A run in which one step came to something."""

    run = "r-1"

    def __init__(self, step: str, outcome: OutcomeKind) -> None:
        self.of, self.outcome = step, outcome

    def step(self, step: str) -> StepRecord:
        outcome = self.outcome if step == self.of else None
        return StepRecord(step=step, outcome=outcome)


class _Nothing:
    run = "r-1"

    def step(self, step: str) -> Any:
        return StepRecord(step=step)
