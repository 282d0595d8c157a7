"""A host without Windows PowerShell: refused with that reason, by the plan too."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.errors import UnexpectedOutput
from goexchange.facts.mta import OldAnswers, decode_old_server
from goexchange.lab.site_of_world import SiteOfWorld
from goexchange.model.actual import ActualState
from goexchange.model.plan import Need
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.powershell import bootstrap, envelope
from goexchange.world.clock import ManualClock
from goexchange.world.disk import MemoryDisk
from goexchange.world.site import SERVER_2003
from goexchange.world.world import World
from tests.simulation.night.documents import AT, inventory, specification
from tests.simulation.night.test_mta import EX07, SPECIFICATION, site


def test_it_is_refused_by_name() -> None:
    bare = evolve(site(), servers=(evolve(SERVER_2003, powershell=""),))
    lab = SiteOfWorld(World(bare, ManualClock(AT), MemoryDisk(), seed=1))
    sent = bootstrap.standard_input("observe-mta", {"events_since": "2026-11-01T00:00:00Z"})
    said = lab.windows_command("EX07", "gxadmin", bootstrap.command_line(), sent)
    with pytest.raises(UnexpectedOutput, match="could not start Windows PowerShell") as caught:
        envelope.decode("observe-mta", said.stdout, said.exit_code, said.stderr)
    reason = Unknown(str(caught.value))
    answers = OldAnswers(stores=reason, host=reason, mta=reason, events=reason)
    seen = decode_old_server(answers, name="EX07", observed_at=AT)
    actual = ActualState(observed_at_utc=AT, servers=(seen,))
    body = make_draft([specification(SPECIFICATION)], inventory(EX07), actual, now=AT)
    (found,) = body.decisions
    assert found.need is Need.NOT_POSSIBLE and not body.lanes
    assert "could not start Windows PowerShell" in found.explanation
