"""One night of the production driver, killed at every boundary: the world's true state keeps every
invariant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from goexchange.errors import ExitCode
from goexchange.model.plan import ControllerCall
from goexchange.simulation.crashes import Kill
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.truth import true_database
from tests.simulation.crash_points import crash_in_rounds
from tests.simulation.night.documents import AT, inventory, specification

APPENDS = {"before the append", "after the append"}
SENDS = {"after send, before its effect", "after its effect, before the answer"}
LIVES = 12  # effects: a step or two
PHASES = APPENDS | SENDS | {"during"}


def night() -> Night:
    return make_night(one_database(), [specification()], inventory(), at=AT)


def test_a_kill_at_every_boundary_ends_like_an_undisturbed_night(
    record_property: Callable[[str, object], None],
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

    report = crash_in_rounds(night(), lives=LIVES, judge=judge)
    record_property("counts", report.text())
    assert report.points > 250
    assert report.ends == {int(ExitCode.OK): report.points}
    assert {kill.phase for kill in report.kills} == PHASES
    assert not [kill for kill in kills_wanted(calm) if not report.kills[kill]]


def kills_wanted(calm: Night) -> list[Kill]:
    """Every boundary of every step that an undisturbed night sends."""
    steps = [step for lane in calm.plan.body.lanes for step in lane.steps]
    sent = [step for step in steps if calm.checks.watch.state.step(step.id).attempts]
    assert len(sent) > 20
    return [
        Kill(step=step.id, phase=phase)
        for step in sent
        for phase in (APPENDS if isinstance(step.call, ControllerCall) else APPENDS | SENDS)
    ]


def test_a_night_of_the_same_seed_is_the_same_night() -> None:
    first, second = night(), night()
    first.run_to_end()
    second.run_to_end()
    assert first.performer.records == second.performer.records
