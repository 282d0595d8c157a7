"""Work on a machine without Exchange: whose clock proves a backup, whose state guards ask for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import define, evolve, field

from goexchange.codec import time_text
from goexchange.driver import deciding, effects, events
from goexchange.driver.proof import CLOCKS_AGREE_WITHIN, backup_proof
from goexchange.journal.replay import RunState
from goexchange.model.actual import ActualHost, ActualServer
from goexchange.model.plan import Action, Lane
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.model.unknown import Unknown
from tests.driver.alone import played, step_in, talk_of
from tests.driver.plans import NOW, SERVER, plan_of, rebuild_lane
from tests.driver.test_odd_answers import subject
from tests.driver.twin import Twin

MACHINE = "BKUP01"


@define(kw_only=True)
class Noting(Twin):
    """A twin that knows which hosts were looked at."""

    asked: list[str] = field(factory=list)

    def perform(self, effect: effects.Effect) -> events.Event:
        if isinstance(effect, effects.Observe):
            self.asked.append(effect.server)
        return super().perform(effect)


def lane_elsewhere() -> Lane:
    lane = rebuild_lane()
    moved = tuple(
        evolve(step, server=MACHINE) if step.action is Action.ONLINE_BACKUP else step
        for step in lane.steps
    )
    return evolve(lane, steps=moved)


LANE = lane_elsewhere()


def seen(*, clock_is_late: timedelta = timedelta(0), **of_host: Any) -> ActualServer:
    server = Twin(now=NOW, backup_at=NOW).observe()
    assert isinstance(server.host, ActualHost)
    observed = server.host.observed_at_utc
    host = evolve(server.host, clock_utc=observed - clock_is_late, **of_host)
    return evolve(server, host=host)


def proof(
    server: ActualServer, *, sent: datetime | None, by_machine: datetime | None = NOW
) -> dict[str, Any]:
    """Of a backup that we sent then, and that the machine's clock says began at another time."""
    of = subject(Action.PROVE_BACKUP, {}, lane=LANE)
    backup = step_in(LANE, Action.ONLINE_BACKUP)
    result = {
        "started_at_utc": None if by_machine is None else time_text(by_machine),
        "copy_at_utc": time_text((by_machine or NOW) + timedelta(minutes=1)),
    }
    record = StepRecord(
        step=backup.id, attempts=1, outcome=OutcomeKind.DONE, result=result, first_sent_at_utc=sent
    )
    return backup_proof(evolve(of, state=RunState(steps={backup.id: record})), server)


@pytest.mark.parametrize("machine", [-timedelta(days=2), timedelta(0), timedelta(days=2)])
def test_the_start_is_told_by_the_servers_clock_whatever_the_machine_says(
    machine: timedelta,
) -> None:
    before = proof(seen(), sent=NOW - timedelta(minutes=5), by_machine=NOW + machine)
    assert (before["is_newer"], before["event_completed"]) == (True, True)
    later = proof(seen(), sent=NOW + timedelta(minutes=5), by_machine=NOW + machine)
    assert (later["is_newer"], later["event_completed"]) == (False, False)


def test_the_servers_own_clock_may_be_wrong_as_well() -> None:
    """It is an hour late: what it says happened now was, by ours, in an hour."""
    late = seen(clock_is_late=timedelta(hours=1))
    assert proof(late, sent=NOW + timedelta(minutes=59))["is_newer"] is True
    assert proof(late, sent=NOW + timedelta(minutes=62))["is_newer"] is False
    assert timedelta(minutes=1) == CLOCKS_AGREE_WITHIN


def test_without_a_moment_or_a_clock_nothing_is_newer() -> None:
    assert proof(seen(), sent=None)["is_newer"] is False
    assert proof(seen(), sent=None, by_machine=None)["job_succeeded"] is False
    blind = evolve(seen(), host=Unknown("silent"))
    found = proof(blind, sent=NOW - timedelta(minutes=5))
    assert (found["is_newer"], found["proved"]) == (False, False)


def test_guards_of_a_step_on_the_machine_look_at_the_lanes_server_too() -> None:
    backup = evolve(step_in(LANE, Action.ONLINE_BACKUP), guards=("no-backup-running",))
    twin = Noting()
    talk = talk_of(plan_of(LANE), twin)
    played(talk, deciding.decided(talk, LANE, backup), twin)
    assert twin.asked == [MACHINE, SERVER]
