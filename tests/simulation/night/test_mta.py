"""MTA Error Correction, played: what is damaged is repaired and kept, the agent runs again whatever
happens, and the stores never notice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from goexchange.app import host_record, releasing
from goexchange.driver.events import Request, Requested
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualState, LookKind
from goexchange.model.configuration import SecretReference
from goexchange.model.mta import MTA_ID, MTA_SERVICE
from goexchange.model.plan import Action, Consent, Decision, Need, PlanBody, Reason
from goexchange.model.rehearsal import EVERY
from goexchange.model.run import LaneState, RecordKind, RunResult
from goexchange.plan.planner import make_draft
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.simulation.aftermath import at_rest
from goexchange.simulation.night import Night, NightBroken, make_night
from goexchange.simulation.rehearsal import rehearse
from goexchange.world.mta import damage_again, data_folder
from goexchange.world.scripts_records import open_recoveries
from goexchange.world.site import SERVER_2003, MtaDescription, SiteDescription, default_site
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import AT, INVENTORY, inventory, specification
from tests.simulation.night.test_release import WorldSession
from tests.simulation.night.test_release import site as release_site

SPECIFICATION = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: agents}
targets: {servers: [EX07]}
desired: {verified_within: 30d}
script: {name: mta-error-correction, error_correction: {primary_passes_max: 2}}
backup: {before: {offline: {target: {path: 'E:\evidence'}}}}
schedule: {window: night}
"""
EX07 = INVENTORY.replace("EX01", "EX07").replace('"2019"', '"2003"')
DAMAGED = MtaDescription(broken_queues=("X400 Zürich",), damaged_objects=(300596,))
WELL = MtaDescription()


class Session(WorldSession):
    """The session of a release, with EX07."""

    def __init__(self, of: Night) -> None:
        super().__init__(of.performer)
        self.of = of

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        time_limit_s: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        sent = json.loads(json.dumps(dict(arguments)))
        answer = self.of.performer.world.script("EX07", "gxadmin", script, sent)
        plain: dict[str, Any] = json.loads(json.dumps(answer))
        return plain


def site(mta: MtaDescription = DAMAGED) -> SiteDescription:
    whole = default_site(scale=0.01)
    server = evolve(SERVER_2003, mta=mta)
    return evolve(whole, servers=(server,), databases=(), groups=())


def night(mta: MtaDescription = DAMAGED, text: str = SPECIFICATION) -> Night:
    return make_night(site(mta), [specification(text)], inventory(EX07), at=AT)


def state(one: Night) -> str:
    one.performer.world.advance()
    return one.performer.world.hosts["EX07"].services[MTA_SERVICE].state


def planned_again(one: Night) -> PlanBody:
    seen = one.performer.observe("EX07", ())
    actual = ActualState(observed_at_utc=one.performer.now(), servers=(seen,))
    wanted = [specification(SPECIFICATION)]
    return make_draft(wanted, inventory(EX07), actual, now=one.performer.now())


def decided(one: Night) -> Decision:
    (found,) = planned_again(one).decisions
    return found


def sent(one: Night) -> list[Action]:
    steps = {step.id: step.action for lane in one.plan.body.lanes for step in lane.steps}
    intents = [each for each in one.performer.records if each.kind is RecordKind.INTENT]
    return [steps[each.data["step"]] for each in intents]


def until(one: Night, action: Action) -> None:
    while action not in sent(one):
        one.take(one.performer.perform(one.next()))


def test_what_is_damaged_is_repaired_kept_and_looked_at_again() -> None:
    one = night()
    assert {each.consent for each in one.plan.body.consents} == {
        Consent.UNCONFIRMED_GENERATION, Consent.REPAIR_MAY_LOSE_DATA,
    }  # fmt: skip
    result = one.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    assert sent(one) == [
        Action.OPEN_RECOVERY_RECORD, Action.PLACE_SENTINEL, Action.LAST_LOOK, Action.STOP_MTA,
        Action.COPY_MTA, Action.HASH_MTA, Action.CHECK_MTA, Action.CHECK_MTA, Action.START_MTA,
        Action.CONFIRM_MTA, Action.REMOVE_SENTINEL, Action.WRITE_DATABASE_RECORD,
        Action.CLOSE_RECOVERY_RECORD,
    ]  # fmt: skip
    host = one.performer.world.hosts["EX07"]
    assert state(one) == "Running" and host.is_store_running
    kinds = [each.kind for each in one.performer.world.effects if each.kind.startswith("mta-")]
    assert kinds == ["mta-stopped", "mta-started"]
    kept = host.files.below("E:\\evidence")
    assert any("\\taken-out\\db300596.dat.1" in each for each in kept)
    assert sum("\\before\\" in each and each.endswith(".dat") for each in kept) == 6
    assert not host.files.below(f"{data_folder(host.description)}\\mtacheck.out")
    assert not host.sentinels and not open_recoveries(host, "C:\\ProgramData\\goexchange")


def test_the_report_says_what_was_found_and_nothing_is_left_to_do() -> None:
    one = night()
    one.run_to_end()
    report = build_report(one.plan, one.performer.records)
    text = " ".join(render_text(report).split())
    assert "1 queue rebuilt, 1 object damaged, 23 messages recovered" in text
    assert "primary: 2 errors, 0 warnings in 2 passes" in text
    assert "Evidence EX07/MTA: complete, with the damage of its source" in text
    assert r"E:\evidence\EX07\MTA" in text and "made none" not in text
    assert "Queue 'X400 Zürich' required reconstruction" in text
    assert "Object 300596 invalid" in text
    found = decided(one)
    assert (found.need, found.reasons) == (Need.NOTHING, (Reason.MEETS_SPECIFICATION,))
    (record,) = one.performer.observe("EX07", ()).host.records  # type: ignore[union-attr]
    assert record.database_guid == MTA_ID
    assert [(each.kind, each.errors) for each in record.looks] == [(LookKind.QUEUES, 0)]


def test_a_clean_one_is_checked_once() -> None:
    one = night(WELL)
    assert one.run_to_end().exit_code == ExitCode.OK
    assert sent(one).count(Action.CHECK_MTA) == 1
    host = one.performer.world.hosts["EX07"]
    assert not any("taken-out" in each for each in host.files.below("E:\\evidence"))


def test_one_that_cannot_be_reconstructed_runs_again_and_is_told() -> None:
    one = night(evolve(WELL, is_beyond_repair=True))
    result = one.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    (database,) = result.databases
    assert database.state is LaneState.FAILED and "cannot be reconstructed" in database.why
    assert state(one) == "Running"
    assert decided(one).reasons == (Reason.ERRORS_FOUND,)


def test_one_pass_too_few_is_a_failure_with_the_agent_running() -> None:
    one = night(text=SPECIFICATION.replace("passes_max: 2", "passes_max: 1"))
    result = one.run_to_end()
    assert "after 1 pass mtacheck still repairs something" in result.databases[0].why
    assert result.exit_code == ExitCode.STOPPED and state(one) == "Running"


def test_words_that_are_not_known_are_no_verdict() -> None:
    one = night(WELL)
    one.performer.world.faults.other_words["mtacheck"] = ("Database clean", "Base de datos")
    result = one.run_to_end()
    assert result.exit_code == ExitCode.STOPPED and state(one) == "Running"
    assert "a line of mtacheck that is not known" in result.databases[0].why
    assert decided(one).reasons == (Reason.NEVER_VERIFIED,)


def test_dead_at_every_boundary_and_running_again() -> None:
    def judge(one: Night, result: RunResult) -> None:
        assert result.exit_code == ExitCode.OK, result
        assert state(one) == "Running"

    report = crash_everywhere(night(), judge=judge)
    assert report.points > 150 and set(report.ends) == {0}


def test_dead_twice_at_every_boundary() -> None:
    report = crash_everywhere(night(), every=3, again=4, judge=lambda one, _: _runs(one))
    assert set(report.ends) == {0}


def _runs(one: Night) -> None:
    assert state(one) == "Running"


def test_an_abort_lets_mtacheck_end_and_starts_the_agent() -> None:
    one = night()
    until(one, Action.CHECK_MTA)
    one.take(one.performer.perform(one.next()))
    one.take(Requested(request=Request.ABORT, by="maria"))
    result = one.run_to_end()
    assert state(one) == "Running"
    assert result.exit_code == ExitCode.STOPPED
    jobs = [job for job in one.performer.world.jobs.values() if job.kind == "mtacheck"]
    assert [job.is_cancelled for job in jobs] == [False]


@pytest.mark.parametrize(
    "at", [Action.STOP_MTA, Action.COPY_MTA, Action.CHECK_MTA, Action.START_MTA]
)
def test_a_host_that_restarts_in_the_middle(at: Action) -> None:
    one = night()
    until(one, at)
    one.take(one.performer.perform(one.next()))
    one.performer.world.reboot("EX07")
    result = one.run_to_end()
    assert state(one) == "Running"
    assert result.databases[0].state in (LaneState.DONE, LaneState.FAILED)


def test_a_dead_controller_is_told_of_by_the_host() -> None:
    one = night()
    until(one, Action.CHECK_MTA)
    one.kill()
    one.performer.clock.move(seconds=3600)
    one.performer.world.advance()
    told = [each for each in one.performer.world.effects if each.kind == "sentinel-spoke"]
    assert [each.database for each in told] == ["MTA"]
    assert state(one) == "Stopped"
    assert one.run_to_end().exit_code == ExitCode.OK and state(one) == "Running"


def test_an_agent_that_does_not_stay_up_is_left_offline_by_name() -> None:
    one = night()
    until(one, Action.CONFIRM_MTA)
    one.performer.world.hosts["EX07"].services[MTA_SERVICE].state = "Stopped"
    result = one.run_to_end()
    (database,) = result.databases
    assert database.state is LaneState.LEFT_OFFLINE
    assert "Start-Service MSExchangeMTA" in database.commands
    assert result.exit_code in (ExitCode.LEFT_OFFLINE, ExitCode.ROLLBACK_FAILED)


def test_one_that_was_stopped_before_is_stopped_again() -> None:
    whole = night(WELL)
    host = whole.performer.world.hosts["EX07"]
    host.services[MTA_SERVICE].state = "Stopped"
    body = planned_again(whole)
    (lane,) = body.lanes
    confirm = next(each for each in lane.steps if each.action is Action.CONFIRM_MTA)
    assert confirm.postcondition is not None and confirm.postcondition.value == "Stopped"


def test_damage_after_the_check_is_found_when_it_is_due() -> None:
    one = night()
    one.run_to_end()
    damage_again(one.performer.world.hosts["EX07"])
    assert decided(one).need is Need.NOTHING
    one.performer.clock.move(seconds=31 * 86_400)
    assert decided(one).reasons == (Reason.VERIFICATION_TOO_OLD,)


def test_a_twin_of_it_is_played_with_faults() -> None:
    total = rehearse(night().plan, range(40))
    assert total.classes[EVERY].scenarios == 40 and not total.broken
    assert total.ends[0] > 10


def test_one_that_was_stopped_before_is_played_too() -> None:
    total = rehearse(night(evolve(WELL, is_running=False)).plan, range(3))
    assert not total.broken and total.ends[0] >= 1


def test_a_release_says_what_brings_it_back_instead() -> None:
    one = night()
    until(one, Action.CHECK_MTA)
    one.kill()
    session = Session(one)
    left = host_record.look(session, "EX07", inventory(EX07))
    assert isinstance(left.recoveries, tuple)
    with pytest.raises(releasing.NotReleased, match="resume --from-host EX07"):
        releasing.prepare_on(session, left, left.recoveries, site=release_site())


def test_the_checks_notice_an_agent_that_was_left_stopped() -> None:
    one = night(WELL)
    result = one.run_to_end()
    one.performer.world.hosts["EX07"].services[MTA_SERVICE].state = "Stopped"
    assert [each.invariant for each in at_rest(one, result, rival=None)] == ["I1"]
    assert not at_rest(one, result, rival=one)


def test_the_checks_notice_an_agent_that_is_stopped_without_its_nets() -> None:
    one = night()
    until(one, Action.STOP_MTA)
    one.performer.world.hosts["EX07"].sentinels.clear()
    with pytest.raises(NightBroken, match="without a sentinel"):
        one.run_to_end()
