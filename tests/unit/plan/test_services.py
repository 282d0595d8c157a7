"""A service that is to be stopped and is not there, said in the plan."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.app.planning import services_to_stop
from goexchange.model.actual import AskedService, Service
from goexchange.model.plan import Action, Need, PlanBody
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import NOW, database, host, inventory, server, spec, state
from tests.unit.plan.test_mta import decided, old_server, wanted

SCAN = AskedService(
    name="AcmeScan",
    service=Service(name="AcmeScan", state="Running", start_type="Automatic"),
)
SLIP = AskedService(name="AcmeScn", service=None, near=("AcmeScan", "AcmeSync"))


def body(*names: str, asked: Any, **differs: Any) -> PlanBody:
    seen = server(host=host(asked_services=asked), **differs)
    return make_draft([spec(services_stopped=names)], inventory(), state(seen), now=NOW)


def test_a_slip_of_the_pen_is_refused_with_what_may_be_meant() -> None:
    made = body("AcmeScn", asked=(SLIP,))
    (decision,) = made.decisions
    assert decision.need is Need.NOT_POSSIBLE and not made.lanes
    assert "EX01 has no service AcmeScn" in decision.explanation
    assert "did you mean AcmeScan or AcmeSync?" in (decision.instead or "")
    (alone,) = body("Nothing", asked=(evolve(SLIP, name="Nothing", near=()),)).decisions
    assert "did you mean" not in (alone.instead or "")


def test_one_that_is_there_is_shown_with_its_state() -> None:
    (lane,) = body("AcmeScan", asked=(SCAN,)).lanes
    (stop,) = [each for each in lane.steps if each.action is Action.STOP_SERVICES]
    assert "AcmeScan (Running, Automatic)" in stop.summary


@pytest.mark.parametrize("asked", [(), Unknown("access denied")])
def test_where_nobody_could_look_it_is_found_when_it_is_stopped(asked: Any) -> None:
    (lane,) = body("AcmeScan", asked=asked).lanes
    (stop,) = [each for each in lane.steps if each.action is Action.STOP_SERVICES]
    assert "stop AcmeScan and what" in stop.summary


def test_what_another_specification_asked_for_is_not_in_the_way() -> None:
    assert body("AcmeScan", asked=(SCAN, SLIP)).lanes


def test_a_database_that_only_wants_mounting_is_mounted() -> None:
    made = body("AcmeScn", asked=(SLIP,), databases=(database(is_mounted=False),))
    (decision,) = made.decisions
    assert decision.need is Need.MOUNT and made.lanes


def test_so_is_a_slip_before_the_transfer_agent_is_stopped() -> None:
    seen = old_server(host=host(asked_services=(SLIP,)))
    want = wanted(services_stopped=("AcmeScn",))
    decision = decided(seen, want)
    assert decision.need is Need.NOT_POSSIBLE and "AcmeScn" in decision.explanation


def test_every_server_is_asked_for_what_its_specifications_name() -> None:
    one, two, none = (
        spec("one", services_stopped=("AcmeScan", "Sync")),
        spec("two", services_stopped=("Sync", "Other")),
        spec("none"),
    )
    assert services_to_stop([one, two, none], inventory("EX01")) == {
        "EX01": ("AcmeScan", "Sync", "Other")
    }
    assert services_to_stop([none], inventory("EX01")) == {}
