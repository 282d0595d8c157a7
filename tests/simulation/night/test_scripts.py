"""Every script on every version it runs on: applied in the simulation, its report read, and planned
again: nothing is left to do.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.driver import effects, events
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualHost, ActualState, DatabaseRecord, Generation, LookKind
from goexchange.model.desired import Script
from goexchange.model.plan import Action, Need
from goexchange.model.report import DatabaseSummary, StepState
from goexchange.plan.planner import make_draft
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.report.report_words import passes_text
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.performer import Performer
from goexchange.spec.scripts import LIVING, OLD, SCRIPTS, Standing, cell_of
from goexchange.world.truth import true_database
from tests.reliability.scenarios import SCRIPTS as NAMES
from tests.reliability.scenarios import Scenario, documents_of, night_of, simple, site_of

NEEDS = ("rebuild", *NAMES)
_DOWN = frozenset({"rebuild", "store-correct", "inspect", "measure", "defragment", "copy"})
_COPIES = frozenset({"rebuild", "store-correct", "defragment", "copy"})
_BACKED_UP = frozenset({"rebuild", "defragment"})


def scenario_for(need: str, generation: Generation) -> Scenario:
    # Online backups are an agent's on Exchange 2003.
    is_by_agent = generation is Generation.EXCHANGE_2003
    return evolve(
        simple(), needs=((need,),), generations=(generation,), has_agent=is_by_agent
    )


def summary_of(night: Night) -> DatabaseSummary:
    report = build_report(night.plan, night.performer.records)
    (found,) = report.databases
    return found


def record_of(night: Night) -> DatabaseRecord:
    host = night.performer.observe("EX01", ()).host
    assert isinstance(host, ActualHost) and isinstance(host.records, tuple)
    (found,) = host.records
    return found


def done(night: Night) -> set[Action]:
    report = build_report(night.plan, night.performer.records)
    return {
        Action(step.action)
        for lane in report.lanes
        for step in lane.steps
        if step.state is StepState.DONE
    }


def again(night: Night, scenario: Scenario) -> list[Need]:
    inventory, specifications = documents_of(scenario)
    seen = ActualState(
        observed_at_utc=night.performer.now(), servers=(night.performer.observe("EX01", ()),)
    )
    body = make_draft(specifications, inventory, seen, now=night.performer.now())
    return [each.need for each in body.decisions]


def test_every_script_that_runs_is_played() -> None:
    runs = {each for each, cells in SCRIPTS.items() if cells[LIVING[-1]].standing is
            Standing.APPLIES}  # fmt: skip
    # what takes a server down works on no database, and has its nights in test_server_maintenance
    elsewhere = {Script.PREVENTATIVE_MAINTENANCE, Script.SERVER_MAINTENANCE}
    assert {Script(name) for name in NAMES.values()} | elsewhere == runs


CELLS = [
    (need, generation)
    for need in NEEDS
    for generation in (*OLD, *LIVING)
    if cell_of(Script(NAMES.get(need, "preventative-maintenance")), generation).is_executed
]


@pytest.mark.parametrize(("need", "generation"), CELLS)
def test_a_script_runs_is_reported_and_leaves_nothing_to_do(
    need: str, generation: Generation
) -> None:
    scenario = scenario_for(need, generation)
    night = night_of(scenario)
    assert night.run_to_end().exit_code == ExitCode.OK
    performed, summary = done(night), summary_of(night)
    assert (Action.DISMOUNT in performed) == (need in _DOWN) == bool(summary.offline)
    assert (Action.SEAL_SET in performed) == (need in _COPIES)
    assert (Action.SWAP in performed) == (need in _BACKED_UP)
    assert (Action.ONLINE_BACKUP in performed) == (need in _BACKED_UP)
    assert (Action.MEASURE_SPACE in performed) == (need in ("inspect", "measure"))
    world = night.performer.world
    assert true_database(world, world.database_named("DB11")).is_mounted
    assert summary.state == "done"
    assert again(night, scenario) == [Need.NOTHING]


def test_correction_goes_on_until_a_pass_finds_nothing_and_says_what_each_found() -> None:
    night = night_of(scenario_for("correct", Generation.EXCHANGE_2019))
    assert night.run_to_end().exit_code == ExitCode.OK
    summary = summary_of(night)
    (phase,) = summary.passes
    assert (phase.pass_name, phase.errors, phase.passes) == ("primary", 5, ((4, 0), (1, 0), (0, 0)))
    assert passes_text(summary) == (
        "primary: 5 errors, 0 warnings in 3 passes (pass 1: 4 errors, 0 warnings;"
        " pass 2: 1 error, 0 warnings; pass 3: none found)"
    )
    looks = {each.kind: each for each in record_of(night).looks}
    assert looks[LookKind.CORRECTED].errors == 0 and LookKind.PAGES not in looks


def test_warnings_alone_ask_for_another_pass_only_where_they_are_errors() -> None:
    """Two requests leave a mailbox out: by themselves they end the passes, treated as errors they
    do not.
    """
    scenario = scenario_for("correct", Generation.EXCHANGE_2016)
    seen = {}
    for strict in (False, True):
        inventory, (spec,) = documents_of(scenario)
        passes = evolve(spec.script.error_correction, treat_warnings_as_errors=strict)
        spec = evolve(spec, script=evolve(spec.script, error_correction=passes))
        night = make_night(site_of(scenario), [spec], inventory, at=scenario.at)
        database = night.performer.world.database_named("DB11")
        database.corruptions.clear()
        database.mailboxes_left_out = 2
        assert night.run_to_end().exit_code == ExitCode.OK
        (phase,) = summary_of(night).passes
        assert (phase.errors, phase.warnings) == (0, 2)
        seen[strict] = (phase.passes, len(night.performer.world.repairs))
    # one pass over four kinds; or the first kind again until it is without a warning
    assert seen == {False: (((0, 2),), 4), True: (((0, 1), (0, 1), (0, 0)), 6)}


def test_what_passes_leave_fails_the_correction_and_is_planned_again() -> None:
    scenario = scenario_for("correct", Generation.EXCHANGE_2019)
    night = night_of(scenario)
    night.performer.world.database_named("DB11").corruptions["folderview"] = [2, 2, 2, 2]
    result = night.run_to_end()
    assert result.exit_code == ExitCode.PARTIAL or result.exit_code == ExitCode.STOPPED
    assert "after 3 passes errors or warnings are left" in result.databases[0].why
    assert again(night, scenario) == [Need.CORRECT]


def test_a_diagnostic_looks_at_everything_and_says_what_it_found() -> None:
    """Its steps went well, its database is not well: every kind is looked at, the run says so."""
    scenario = scenario_for("diagnose", Generation.EXCHANGE_2016)
    night = night_of(scenario)
    found = {"searchfolder": [1], "folderview": [2, 5]}
    night.performer.world.database_named("DB11").corruptions.update(found)
    result = night.run_to_end()
    assert result.exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert result.databases[0].why == "3 errors detected (SearchFolder, FolderView)"
    summary = summary_of(night)
    assert (summary.passes[0].looks, summary.passes[0].errors) == (4, 3)
    looks = {each.kind: each for each in record_of(night).looks}
    assert looks[LookKind.LOGICAL].errors == 3 and record_of(night).verified_at_utc is None
    assert again(night, scenario) == [Need.VERIFY]
    assert night.performer.world.database_named("DB11").corruptions["folderview"] == [2, 5]


def test_a_measurement_is_the_size_that_a_rebuild_gives_back() -> None:
    measured = night_of(scenario_for("measure", Generation.SUBSCRIPTION_EDITION))
    assert measured.run_to_end().exit_code == ExitCode.OK
    rebuilt = night_of(scenario_for("rebuild", Generation.SUBSCRIPTION_EDITION))
    assert rebuilt.run_to_end().exit_code == ExitCode.OK
    summary, after = summary_of(measured), summary_of(rebuilt)
    assert summary.recoverable is not None
    assert after.size_before.size_bytes is not None and after.size_after.size_bytes is not None
    gained = after.size_before.size_bytes - after.size_after.size_bytes
    assert summary.recoverable.size_bytes == gained > 0
    text = render_text(build_report(measured.plan, measured.performer.records))
    assert "measured in the file" in text


def test_a_set_that_is_not_proved_is_no_set_and_is_asked_for_again() -> None:
    scenario = scenario_for("copy", Generation.EXCHANGE_2019)
    night = night_of(scenario)
    world = night.performer.world
    world.faults.flip_bit_in_next_copy()
    result = night.run_to_end()
    assert result.exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert world.faults.fired and true_database(world, world.database_named("DB11")).is_mounted
    assert record_of(night).set_taken_at_utc is None
    assert again(night, scenario) == [Need.OFFLINE_BACKUP]


def test_a_sealed_set_that_our_own_verifier_does_not_pass_is_no_set_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = Performer._verify

    def bad(self: Performer, effect: effects.VerifySet) -> events.Event:
        event = good(self, effect)
        assert isinstance(event, events.Verified)
        return events.Verified(result={**event.result, "ok": False})

    monkeypatch.setattr(Performer, "_verify", bad)
    scenario = evolve(scenario_for("copy", Generation.EXCHANGE_2019), has_share=True)
    night = night_of(scenario)
    assert night.run_to_end().exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert Action.SEAL_SET in done(night)
    assert record_of(night).set_taken_at_utc is None
    assert again(night, scenario) == [Need.OFFLINE_BACKUP]


@pytest.mark.parametrize("need", ["inspect", "store-correct"])
def test_a_bad_file_is_mounted_as_it_was_and_the_record_remembers(need: str) -> None:
    scenario = scenario_for(need, Generation.EXCHANGE_2019)
    night = night_of(scenario)
    world = night.performer.world
    path = world.database_named("DB11").edb_path
    world.hosts["EX01"].files.write_at(path, 32768 * 9 + 100, b"\xff\x00\xff")
    result = night.run_to_end()
    assert result.exit_code in (ExitCode.PARTIAL, ExitCode.STOPPED)
    assert true_database(world, world.database_named("DB11")).is_mounted
    assert {Action.SEAL_SET, Action.MEASURE_SPACE}.isdisjoint(done(night))
    assert summary_of(night).passes[-1].errors >= 1
    looks = {each.kind: each for each in record_of(night).looks}
    assert looks[LookKind.PAGES].errors >= 1
    wanted = [Need.NOT_POSSIBLE] if need == "store-correct" else [Need.VERIFY]
    assert again(night, scenario) == wanted
