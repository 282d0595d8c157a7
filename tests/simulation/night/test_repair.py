"""A repair with possible loss over the whole simulated night: evidence before it, a working copy,
never the original; whatever happens, the database is in service and the damaged file is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from goexchange.backup.manifest import parse_manifest
from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualHost, ActualState, DatabaseRecord, LookKind
from goexchange.model.backup_set import MANIFEST_NAME, BackupSet, FileRole, FileVerdict, SetMethod
from goexchange.model.plan import Action, Consent, Need
from goexchange.model.run import LaneState, RunResult
from goexchange.plan.planner import make_draft
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.simulation.damage import damage, record_damage
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.files import HostFiles
from goexchange.world.truth import TrueDatabase, TrueFile, true_database
from goexchange.world.world import World
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import AT, inventory, specification

ROOT = r"C:\ProgramData\goexchange"
PAGES = (9, 20)


def _prepare(world: World) -> None:
    damage(world, "DB05", pages=PAGES)
    record_damage(world, "DB05", root=ROOT, errors=len(PAGES))


def night(prepare: Callable[[World], None] = _prepare) -> Night:
    return make_night(
        one_database(),
        [specification()],
        inventory(),
        at=AT,
        repairs=("EX01/DB05",),
        prepare=prepare,
    )


def files(of: Night) -> HostFiles:
    return of.performer.world.hosts["EX01"].files


def truth(of: Night) -> TrueDatabase:
    world = of.performer.world
    return true_database(world, world.database_named("DB05"))


def present(of: Night) -> TrueFile:
    found = truth(of).present
    assert found is not None
    return found


def evidence(of: Night) -> BackupSet:
    [path] = [one for one in files(of).below("E:\\sets") if one.endswith(MANIFEST_NAME)]
    assert "-evidence\\" in path
    return parse_manifest(files(of).read(path)).body


def record(of: Night) -> DatabaseRecord:
    host = of.performer.observe("EX01", ()).host
    assert isinstance(host, ActualHost) and isinstance(host.records, tuple)
    [found] = host.records
    return found


def text_report(of: Night) -> str:
    return " ".join(render_text(build_report(of.plan, of.performer.records), width=160).split())


def back_as_it_was(of: Night, result: RunResult, before: TrueFile) -> None:
    """In service with the damaged file, which nobody has written to."""
    assert truth(of).is_mounted and truth(of).is_mount_at_startup
    now = present(of)
    assert (now.signature, now.faulty_pages) == (before.signature, before.faulty_pages)
    assert result.databases[0].state is LaneState.FAILED
    left = [path for path in files(of).below("D:\\DB05") if "\\gx-" in path]
    assert not [path for path in left if path.endswith(".edb")], left


def test_a_repaired_database_is_in_service_and_the_damaged_one_is_evidence() -> None:
    of = night()
    before = present(of)
    assert before.faulty_pages == len(PAGES)
    [need] = [one for one in of.plan.body.consents if one.consent is Consent.REPAIR_MAY_LOSE_DATA]
    assert need.address == "EX01/DB05" and "2 errors on 2026-11-26" in need.finding
    assert of.run_to_end().exit_code == ExitCode.OK
    now = present(of)
    assert truth(of).is_mounted and now.is_sound and now.signature != before.signature
    [kept] = truth(of).originals
    assert (kept.signature, kept.faulty_pages) == (before.signature, before.faulty_pages)
    body = evidence(of)
    assert body.method is SetMethod.EVIDENCE and body.restores.clean_point is None
    [database] = [one for one in body.files if one.role is FileRole.DATABASE]
    assert database.verdict is FileVerdict.DAMAGED
    assert not [path for path in files(of).below("D:\\DB05") if "repair" in path]


def test_the_evidence_holds_every_log_of_the_stream_as_it_was() -> None:
    of = night()
    stream = of.performer.world.database_named("DB05").stream
    before = {path.rpartition("\\")[2].lower() for path in files(of).names_in(stream.folder)}
    logs = {name for name in before if name.endswith(".log")}
    assert of.run_to_end().exit_code == ExitCode.OK
    held = {one.path.lower() for one in evidence(of).files if one.role is FileRole.LOG}
    assert len(logs) > 2 and logs <= held


def test_the_report_calls_it_evidence_and_says_what_follows() -> None:
    of = night()
    assert of.run_to_end().exit_code == ExitCode.OK
    text = text_report(of)
    whole = "complete, with the damage of its source; not a sound way back"
    assert f"Evidence EX01/DB05: {whole}" in text
    assert "Offline set" not in text and "The offline set restores" not in text
    assert "move its mailboxes out to a fresh database" in text and "640 KiB to move" in text
    assert "repair-may-lose-data for EX01/DB05" in text
    assert "primary: 3 errors" in text and "defragmented: none found" in text


def test_the_record_remembers_the_repair_and_no_set() -> None:
    of = night()
    assert of.run_to_end().exit_code == ExitCode.OK
    written = record(of)
    assert written.repaired_at_utc is not None and written.set_folder is None
    assert {one.kind: one.errors for one in written.looks if one.kind is not LookKind.SPACE} == {
        LookKind.PAGES: 0,
        LookKind.STRUCTURE: 0,
    }


def test_after_it_nothing_is_left_to_repair() -> None:
    of = night()
    assert of.run_to_end().exit_code == ExitCode.OK
    seen = ActualState(
        observed_at_utc=of.performer.now(), servers=(of.performer.observe("EX01", ()),)
    )
    body = make_draft(
        [specification()], inventory(), seen, now=of.performer.now(), repairs=("EX01/DB05",)
    )
    assert [one.need for one in body.decisions] == [Need.NOT_POSSIBLE]
    assert "no damage of its file is on record" in body.decisions[0].explanation


def test_no_specification_ever_asks_for_a_repair() -> None:
    of = make_night(one_database(), [specification()], inventory(), at=AT, prepare=_prepare)
    actions = {step.action for lane in of.plan.body.lanes for step in lane.steps}
    assert Action.REPAIR not in actions and Action.REBUILD in actions


def test_damage_that_is_gone_is_not_repaired() -> None:
    """It is on record, and the file is sound: nothing is done to it."""
    of = night(lambda world: record_damage(world, "DB05", root=ROOT, errors=2))
    before = present(of)
    result = of.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert "evidence" in result.databases[0].why
    back_as_it_was(of, result, before)
    assert {one.errors for one in record(of).looks if one.kind is LookKind.PAGES} == {0}


@pytest.mark.parametrize("mode", ["/p", "/d"])
def test_a_tool_that_fails_leaves_the_damaged_file_in_service(mode: str) -> None:
    of = night()
    before = present(of)
    of.performer.world.faults.fail_next_eseutil(mode, error=-1808)
    result = of.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    back_as_it_was(of, result, before)
    assert evidence(of).method is SetMethod.EVIDENCE


def test_what_is_beyond_repair_goes_back_into_service() -> None:
    """The space trees of the file are bad: the tool says so, and nothing is swapped."""

    def broken(world: World) -> None:
        damage(world, "DB05", pages=(2,))
        record_damage(world, "DB05", root=ROOT, errors=1)

    of = night(broken)
    before = present(of)
    result = of.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert "repair" in result.databases[0].why
    back_as_it_was(of, result, before)


@pytest.mark.parametrize("harm", ["flip_bit_in_next_copy", "tear_next_copy"])
def test_evidence_that_is_not_the_file_stops_the_repair(harm: str) -> None:
    of = night()
    before = present(of)
    getattr(of.performer.world.faults, harm)()
    result = of.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert "evidence" in result.databases[0].why or "copy" in result.databases[0].why
    back_as_it_was(of, result, before)
    [repair] = [
        step for lane in of.plan.body.lanes for step in lane.steps if step.action is Action.REPAIR
    ]
    assert not of.checks.watch.state.step(repair.id).attempts


def test_a_repaired_file_that_does_not_mount_gives_way_to_the_original() -> None:
    of = night()
    before = present(of)
    of.performer.world.faults.fail_next_mount("DB05", error=-550)
    result = of.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert truth(of).is_mounted
    now = present(of)
    assert (now.signature, now.faulty_pages) == (before.signature, before.faulty_pages)


def test_an_original_that_is_lost_comes_back_from_the_evidence() -> None:
    of = night()
    before = present(of)
    of.performer.world.faults.fail_next_mount("DB05", error=-550)
    while not (
        isinstance(effect := of.next(), effects.Send) and effect.purpose.endswith("-swap-back")
    ):
        of.take(of.performer.perform(effect))
    of.checks.excused.add("I3")
    [kept] = [path for path in files(of).names_in("D:\\DB05") if ".edb.before-" in path]
    files(of).delete(kept)
    result = of.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert truth(of).is_mounted
    assert (present(of).signature, present(of).faulty_pages) == (before.signature, len(PAGES))


@pytest.mark.parametrize(
    ("every", "least"), [(8, 30), pytest.param(1, 300, marks=pytest.mark.long)]
)
def test_a_kill_at_every_boundary_ends_like_an_undisturbed_repair(every: int, least: int) -> None:
    calm = night()
    assert calm.run_to_end().exit_code == ExitCode.OK

    def judge(ended: Night, _result: RunResult) -> None:
        assert truth(ended).is_mounted and present(ended).is_sound
        assert evidence(ended).method is SetMethod.EVIDENCE
        once = {"dismount", "swap", "mount", "set-sealed", "backup-started"}
        kinds = Counter(one.kind for one in ended.performer.world.effects if one.kind in once)
        assert kinds == dict.fromkeys(once, 1)

    report = crash_everywhere(night(), every=every, judge=judge)
    assert report.points > least
    assert report.ends == {int(ExitCode.OK): report.points}
