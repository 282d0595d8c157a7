"""One night of the production driver, killed at every boundary: the world's true state keeps every
invariant.
"""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from goexchange.errors import ExitCode
from goexchange.simulation.crashes import crash_everywhere
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.truth import true_database
from tests.simulation.night.documents import AT, inventory, specification

PHASES = {
    "before the append",
    "after the append",
    "after send, before its effect",
    "after its effect, before the answer",
    "during",
}


def night() -> Night:
    return make_night(one_database(), [specification()], inventory(), at=AT)


def test_a_kill_at_every_boundary_ends_like_an_undisturbed_night(
    capsys: pytest.CaptureFixture[str],
) -> None:
    calm = night()
    result = calm.run_to_end()
    assert result.exit_code == ExitCode.OK, result

    def judge(ended: Night, _result: object) -> None:
        world = ended.performer.world
        database = true_database(world, world.database_named("DB05"))
        assert database.is_mounted and database.is_mount_at_startup
        assert database.present is not None and database.present.is_sound
        once = {"dismount", "swap", "mount", "set-sealed", "backup-started"}
        counts = Counter(effect.kind for effect in world.effects if effect.kind in once)
        assert counts == dict.fromkeys(once, 1)
        assert not world.hosts["EX01"].sentinels

    report = crash_everywhere(night(), judge=judge)
    with capsys.disabled():
        sys.stdout.write(f"\n{report.text()}\n")
    assert report.points > 250
    assert report.ends == {int(ExitCode.OK): report.points}
    assert {kill.phase for kill in report.kills} == PHASES
    steps = {step.id for lane in calm.plan.body.lanes for step in lane.steps}
    sent = {step for step in steps if calm.checks.watch.state.step(step).attempts}
    assert sent <= {kill.step for kill in report.kills}


def test_a_night_of_the_same_seed_is_the_same_night() -> None:
    first, second = night(), night()
    first.run_to_end()
    second.run_to_end()
    assert first.performer.records == second.performer.records
