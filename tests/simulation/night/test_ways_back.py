"""A rebuilt database that does not mount, over the whole simulated night: original, set, logs."""

from __future__ import annotations

import pytest

from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.model.plan import Action
from goexchange.model.run import LaneState, RunResult
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.files import HostFiles
from goexchange.world.truth import TrueDatabase, true_database
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import AT, inventory, specification

NOT_CLEAN = -550
MISMATCH = "-1216"


def night(*, leaves_logs: bool = True) -> Night:
    made = make_night(one_database(), [specification()], inventory(), at=AT)
    made.performer.world.faults.fail_next_mount("DB05", error=NOT_CLEAN, leaves_logs=leaves_logs)
    return made


def files(of: Night) -> HostFiles:
    return of.performer.world.hosts["EX01"].files


def truth(of: Night) -> TrueDatabase:
    world = of.performer.world
    return true_database(world, world.database_named("DB05"))


def up_to(of: Night, ending: str) -> None:
    """Play the night until a call of that step is about to be sent."""
    while not (
        isinstance(effect := of.next(), effects.Send) and effect.purpose.endswith(ending)
    ):
        of.take(of.performer.perform(effect))


def kept_of(of: Night) -> str:
    return next(path for path in files(of).names_in("D:\\DB05") if ".edb.before-" in path)


def destroy(of: Night, how: str) -> None:
    """The kept original is gone, or its header is another one: by somebody else's doing."""
    of.checks.excused.add("I3")
    if how == "missing":
        files(of).delete(kept_of(of))
    else:
        files(of).write_at(kept_of(of), 16, b"\xff" * 64)


def test_the_logs_of_a_tried_mount_are_aside_and_the_original_mounts() -> None:
    broken = night()
    before = truth(broken).present
    stream = broken.performer.world.database_named("DB05").stream
    logs = set(files(broken).names_in(stream.folder))
    result = broken.run_to_end()
    after = truth(broken)
    assert result.exit_code == ExitCode.STOPPED
    assert result.databases[0].state is LaneState.FAILED
    assert after.is_mounted and after.is_mount_at_startup
    assert before is not None and after.present is not None
    assert after.present.signature == before.signature
    aside = [path for path in files(broken).below(stream.folder) if "\\gx-logs-" in path]
    names = {path.rpartition("\\")[2] for path in aside}
    assert {path.rpartition("\\")[2] for path in logs} <= names, "nothing was deleted"
    assert [path for path in files(broken).names_in("D:\\DB05") if ".rebuilt-" in path]


def test_without_moving_the_logs_the_original_would_not_mount() -> None:
    """What the step is for: the world refuses the original among the logs of the tried mount."""
    broken = night()
    up_to(broken, "-move-logs-aside")
    world = broken.performer.world
    answer = world.cmdlet("EX01", "gxadmin", "Mount-Database", {"Identity": "DB05"})
    assert answer.errors and MISMATCH in answer.errors[0].message


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_destroyed_original_is_replaced_by_the_set(how: str) -> None:
    broken = night()
    before = truth(broken).present
    up_to(broken, "-mount")
    destroy(broken, how)
    result = broken.run_to_end()
    after = truth(broken)
    assert result.exit_code == ExitCode.STOPPED, result
    assert "the copy of the set is in its place" in result.databases[0].why
    assert after.is_mounted and after.is_mount_at_startup
    assert before is not None and after.present is not None
    assert after.present.signature == before.signature and after.present.is_sound
    assert after.has_set_of(before.signature), "the set itself is still there"
    assert not broken.performer.world.hosts["EX01"].sentinels


def test_original_and_set_destroyed_is_said_with_what_to_type() -> None:
    broken = night()
    up_to(broken, "-mount")
    destroy(broken, "missing")
    for path in files(broken).below("E:\\sets"):
        if path.endswith(".edb"):
            files(broken).write_at(path, 300_000, b"\xff" * 64)
    result = broken.run_to_end()
    assert result.exit_code == ExitCode.ROLLBACK_FAILED
    assert not truth(broken).is_mounted
    assert broken.performer.world.hosts["EX01"].sentinels, "the sentinel stays"
    assert any(one.startswith("Copy-Item") for one in result.databases[0].commands)


@pytest.mark.parametrize("how", ["kept", "missing", "damaged"])
def test_a_kill_at_every_boundary_of_the_way_back_ends_in_service(how: str) -> None:
    """A mount whose answer died with its controller is tried once more, and may succeed then."""
    broken = night()
    before = truth(broken).present
    up_to(broken, "-mount")
    if how != "kept":
        destroy(broken, how)

    def judge(ended: Night, result: RunResult) -> None:
        after = truth(ended)
        assert after.is_mounted and after.is_mount_at_startup
        assert before is not None and after.present is not None
        is_original = after.present.signature == before.signature
        assert is_original or not _tried_back(ended)
        # With no kept original to read, nobody can say which file a mounted database has.
        untold = {ExitCode.STOPPED} if is_original or how != "kept" else set()
        assert result.exit_code in (untold if is_original else {ExitCode.OK} | untold), result

    report = crash_everywhere(broken, judge=judge, every=1 if how == "kept" else 2)
    reached = {kill.step.rpartition("/")[2].partition("-")[2] for kill in report.kills}
    assert {"swap-back", "move-logs-aside", "mount-original"} <= reached
    assert how == "kept" or {"set-aside", "copy-back", "hash-back"} <= reached


def _tried_back(of: Night) -> bool:
    steps = [step for lane in of.plan.body.lanes for step in lane.steps]
    back = [step for step in steps if step.action in (Action.SWAP_BACK, Action.COPY_BACK)]
    return any(of.checks.watch.state.step(step.id).attempts for step in back)


@pytest.mark.parametrize("fate", ["before", "after"])
def test_any_answer_of_the_way_over_the_set_may_be_lost(fate: str) -> None:
    for number in range(0, 30, 3):
        broken, left = night(), [number]
        up_to(broken, "-mount")
        destroy(broken, "missing")

        def lose(send: effects.Send, left: list[int] = left) -> str | None:
            left[0] -= 1
            return fate if left[0] == -1 else None

        broken.take(broken.performer.perform(broken.next()))
        broken.performer.is_losing = lose
        result = broken.run_to_end()
        assert result.exit_code == ExitCode.STOPPED, (number, result)
        assert truth(broken).is_mounted
