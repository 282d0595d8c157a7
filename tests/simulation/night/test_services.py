"""Services of other products: down while a database is down, and then exactly as they were."""

from __future__ import annotations

import pytest

from goexchange.app import releasing
from goexchange.driver import effects
from goexchange.driver.events import Request, Requested
from goexchange.errors import ExitCode
from goexchange.model.plan import Action
from goexchange.model.run import RunResult
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.truth import TrueDatabase, true_database
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import AT, SPECIFICATION, inventory, specification
from tests.simulation.night.test_release import LEASE, prepare, release

RUNNING, STOPPED = "MSExchangeFastSearch", "MSExchangePOP3"  # of which one runs and one does not
NAMES = f"services: {{stop_while_down: [{RUNNING}, {STOPPED}]}}\n"


def night(services: str = NAMES) -> Night:
    return make_night(one_database(), [specification(SPECIFICATION + services)], inventory(), at=AT)


def states(made: Night) -> dict[str, tuple[str, str]]:
    services = made.performer.world.hosts["EX01"].services
    return {name: (each.state, each.start_type) for name, each in services.items()}


def database_of(made: Night) -> TrueDatabase:
    world = made.performer.world
    return true_database(world, world.database_named("DB05"))


def records_on_host(made: Night) -> list[str]:
    files = made.performer.world.hosts["EX01"].files
    return list(files.below("C:\\ProgramData\\goexchange\\services"))


def run(made: Night, *, abort_at: str = "", stop_at: str = "") -> RunResult | None:
    """Run to the end; what is so while the database is down is looked at on the way."""
    while True:
        effect = made.next()
        if isinstance(effect, effects.Finish):
            return effect.result
        purpose = effect.purpose if isinstance(effect, effects.Send) else ""
        if purpose.endswith("dismount") and purpose:
            assert states(made)[RUNNING] == ("Stopped", "Automatic")
            assert records_on_host(made)  # written before anything was touched
        if abort_at and abort_at in purpose:
            made.take(Requested(request=Request.ABORT, by="tester"))
            abort_at = ""
            continue
        made.take(made.performer.perform(effect))
        if stop_at and stop_at in purpose:
            return None


def test_they_are_down_with_the_database_and_then_exactly_as_they_were() -> None:
    made = night()
    before = states(made)
    result = run(made)
    assert result is not None and result.exit_code == ExitCode.OK, result
    assert states(made) == before
    assert before[STOPPED] == ("Stopped", "Manual")  # what did not run is not started
    assert not records_on_host(made)


def test_without_a_declaration_no_service_is_touched() -> None:
    made = night("")
    actions = {step.action for lane in made.plan.body.lanes for step in lane.steps}
    assert not actions & {Action.STOP_SERVICES, Action.RESTORE_SERVICES}


@pytest.mark.parametrize("where", ["stop-services", "last-look", "copy-set", "rebuild"])
def test_a_way_back_puts_them_back_too(where: str) -> None:
    made = night()
    before = states(made)
    run(made, abort_at=where)
    assert states(made) == before
    assert database_of(made).is_mounted
    assert not records_on_host(made)


def test_a_service_that_is_not_there_ends_the_work_before_the_outage() -> None:
    made = night("services: {stop_while_down: [MSExchangeFastSearch, NoSuch]}\n")
    before = states(made)
    result = run(made)
    assert result is not None and result.exit_code == ExitCode.STOPPED
    assert "there is no service NoSuch" in result.databases[0].why
    assert states(made) == before
    assert not [one for one in made.performer.world.effects if one.kind == "dismount"]


def test_a_kill_at_every_boundary_puts_them_back() -> None:
    made = night()
    before = states(made)

    def judge(ended: Night, _result: RunResult) -> None:
        assert states(ended) == before
        assert database_of(ended).is_mounted and not records_on_host(ended)

    report = crash_everywhere(made, every=9, judge=judge)
    assert report.ends == {int(ExitCode.OK): report.points}
    assert report.points > 25


def test_a_release_puts_them_back_when_the_store_is_gone() -> None:
    made = night()
    before = states(made)
    assert run(made, stop_at="copy-set") is None
    made.kill()
    made.performer.clock.move(seconds=LEASE.total_seconds())
    assert states(made) != before
    prepared = prepare(made)
    assert isinstance(prepared, releasing.Prepared)
    assert release(made, prepared).exit_code == ExitCode.OK
    assert states(made) == before and database_of(made).is_mounted


def test_the_plan_and_the_text_for_a_person_name_them() -> None:
    made = night()
    (lane,) = made.plan.body.lanes
    by_action = {step.action: step for step in lane.steps}
    assert by_action[Action.STOP_SERVICES].number < by_action[Action.DISMOUNT].number
    assert by_action[Action.RESTORE_SERVICES].number > by_action[Action.CONFIRM_MOUNTED].number
    text = by_action[Action.OPEN_RECOVERY_RECORD].call.arguments["text"]  # type: ignore[union-attr]
    assert f"Start-Service -Name '{RUNNING}'" in text
