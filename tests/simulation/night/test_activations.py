"""Nights with a copy whose activation somebody had suspended: it is so again afterwards, with the
comment of then, whatever came in between; or it is said.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.driver import effects
from goexchange.driver.events import Answered, Event, Refused, Request, Requested
from goexchange.errors import ExitCode
from goexchange.model.plan import Action, ExchangeCall
from goexchange.model.run import LaneState, RunResult
from goexchange.simulation.night import Night, make_night
from goexchange.world.world import World
from tests.reliability.scenarios import Scenario, documents_of, site_of
from tests.simulation.crash_points import crash_in_rounds
from tests.simulation.night.test_copies import LOOK, spoken, statuses, until
from tests.simulation.night.test_release import prepare, release
from tests.simulation.night.test_release_on_hosts import WELL, left_of, moments
from tests.simulation.night.test_reseeding import ALL_WELL, THREE, TWO, kinds

COMMENT = "Bob's: not before Monday"


def night_with(scenario: Scenario, server: str = "EX02") -> Night:
    """The night, in a group where nobody wants that server's copy to be activated."""
    site = site_of(scenario)
    databases = tuple(
        evolve(each, activations_suspended=((server, COMMENT),)) if each.name == "DB11" else each
        for each in site.databases
    )
    inventory, specifications = documents_of(scenario)
    site = evolve(site, databases=databases)
    return make_night(site, specifications, inventory, at=scenario.at, seed=scenario.seed)


def is_as_it_was(world: World, server: str = "EX02") -> bool:
    copy = world.database_named("DB11").passive[server]
    return copy.is_activation_suspended and copy.comment == COMMENT and not copy.is_suspended


def test_a_look_at_it_puts_it_back_and_never_lets_it_be_activated_in_between() -> None:
    night = night_with(LOOK)
    result = night.run_to_end()
    world = night.performer.world
    assert result.exit_code == ExitCode.OK, result
    assert statuses(world) == WELL and is_as_it_was(world)
    assert kinds(world, "copy-suspended", "copy-resumed", "activation-suspended") == [
        ("copy-suspended", "EX02"), ("copy-resumed", "EX02"), ("activation-suspended", "EX02"),
    ]  # fmt: skip


def test_a_rebuild_puts_it_back_after_its_seed_and_before_the_next() -> None:
    night = night_with(THREE)
    assert night.run_to_end().exit_code == ExitCode.OK
    world = night.performer.world
    assert statuses(world) == ALL_WELL and is_as_it_was(world)
    assert kinds(world, "seed-ended", "activation-suspended") == [
        ("seed-ended", "EX02"), ("activation-suspended", "EX02"), ("seed-ended", "EX03"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "action", "well"),
    [(LOOK, Action.DETECT_ERRORS, WELL), (THREE, Action.REBUILD, ALL_WELL)],
)
def test_an_abort_puts_it_back(
    scenario: Scenario, action: Action, well: dict[str, str]
) -> None:
    night = night_with(scenario)
    until(night, action)
    night.take(Requested(request=Request.ABORT, by="operator"))
    assert night.run_to_end().exit_code == ExitCode.STOPPED
    assert statuses(night.performer.world) == well and is_as_it_was(night.performer.world)


@pytest.mark.parametrize(("scenario", "every"), [(LOOK, 7), (TWO, 23)])
def test_a_release_puts_it_back_whenever_the_controller_died(
    scenario: Scenario, every: int
) -> None:
    released = 0
    for number, night in moments(night_with(scenario), every):
        world = night.performer.world
        prepared = prepare(night)
        if prepared.plan is not None:
            released += 1
            code = release(night, prepared).exit_code
            assert code in (ExitCode.OK, ExitCode.UNPROTECTED), number
        night.performer.clock.move(seconds=120)
        assert statuses(world) == WELL and is_as_it_was(world) and not left_of(world), number
    assert released > 5


@pytest.mark.parametrize("scenario", [LOOK, TWO])
def test_a_controller_killed_at_any_boundary_puts_it_back(scenario: Scenario) -> None:
    def judge(night: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert statuses(night.performer.world) == WELL and is_as_it_was(night.performer.world)

    assert crash_in_rounds(night_with(scenario), lives=4, every=7, judge=judge).points > 10


def no(effect: effects.Send) -> Event:
    """Exchange refuses to suspend an activation, and tells that it is not."""
    if isinstance(effect.call, ExchangeCall) and effect.call.cmdlet.startswith("Suspend-"):
        return Refused(code="exchange", message="it may not")
    seen = {"objects": [{"ActivationSuspended": False}], "errors": [], "warnings": []}
    return Answered(result=seen)


def test_what_cannot_be_put_back_is_said_with_the_command_and_a_resume_tries_again() -> None:
    night = night_with(LOOK)
    while not isinstance(effect := night.next(), effects.Finish):
        is_it = isinstance(effect, effects.Send) and "suspend-activation" in effect.purpose
        night.take(no(effect) if is_it else night.performer.perform(effect))  # type: ignore[arg-type]
    (found,) = effect.result.databases
    assert effect.result.exit_code == ExitCode.ROLLBACK_FAILED
    assert found.state is LaneState.FAILED
    assert found.why.startswith("not as it was: the activation of the copy DB11\\EX02")
    assert any(each.endswith("-ActivationOnly -SuspendComment 'Bob''s: not before Monday'")
               for each in found.commands)  # fmt: skip
    night.kill()
    assert night.run_to_end().exit_code != ExitCode.ROLLBACK_FAILED
    assert is_as_it_was(night.performer.world) and not spoken(night)


def test_the_checks_notice_an_activation_that_is_not_put_back() -> None:
    night = night_with(LOOK)
    result = night.run_to_end()
    world = night.performer.world
    assert not night.checks.at_end(world, result)
    for change in ({"comment": None}, {"comment": COMMENT, "is_activation_suspended": False}):
        copy = world.database_named("DB11").passive["EX02"]
        for name, value in change.items():
            setattr(copy, name, value)
        (found,) = night.checks.at_end(world, result)
        assert found.invariant == "I9" and "copy on EX02" in found.why
