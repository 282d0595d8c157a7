"""The plan of `leftovers --remove`: each thing that may go by the call that is right for it."""

from __future__ import annotations

from attrs import evolve

from goexchange.model.plan import Action, ScriptCall
from goexchange.plan.context import Pace
from goexchange.plan.leftovers import leftovers
from goexchange.plan.tidying import tidying_body
from tests.unit.plan.builders import inventory, state
from tests.unit.plan.test_leftovers import GUID, HOST, ORIGINAL, RUN


def test_a_sentinel_goes_by_its_own_script_and_the_rest_by_the_common_one() -> None:
    found = leftovers(HOST)
    body = tidying_body(found, inventory(), state(HOST.actual), pace=Pace())
    (lane,) = body.lanes
    assert {step.action for step in lane.steps} == {Action.REMOVE_LEFTOVER}
    assert len(lane.steps) == sum(each.may_go for each in found)
    calls = [step.call for step in lane.steps if isinstance(step.call, ScriptCall)]
    (sentinel,) = [each for each in calls if each.script == "sentinel"]
    assert (sentinel.arguments["database_guid"], sentinel.arguments["state"]) == (GUID, "removed")
    assert sentinel.arguments["run"] == RUN
    others = {each.arguments["what"] for each in calls if each.script == "remove-leftover"}
    assert len(others) == len(calls) - 1 and ORIGINAL in others


def test_what_has_to_stay_is_in_no_step() -> None:
    kept = [evolve(each, may_go=False) for each in leftovers(HOST)]
    body = tidying_body(kept, inventory(), state(HOST.actual), pace=Pace())
    assert [lane.steps for lane in body.lanes] == [()]
