"""Canary, batches, members of one availability group, and the lanes in that order."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.model.desired import DesiredState
from goexchange.model.plan import Lane, RunOrder
from goexchange.model.unknown import Unknown
from goexchange.plan.run_order import in_order, run_order
from tests.unit.plan import builders

SERVERS = ("EX01", "EX02", "EX03", "EX04", "EX05")


def specification(**strategy: Any) -> DesiredState:
    made = builders.spec()
    return evolve(made, strategy=evolve(made.strategy, **strategy))


def seen(**groups: Any) -> list[Any]:
    return [
        evolve(builders.server(), name=name, availability_group=groups.get(name))
        for name in SERVERS
    ]


@pytest.mark.parametrize(
    ("strategies", "waves"),
    [
        ([{}], (SERVERS,)),
        ([{"canary": "EX03"}], (("EX03",), ("EX01", "EX02", "EX04", "EX05"))),
        ([{"canary": "EX99"}], (SERVERS,)),  # it needs nothing: it is not in the plan
        ([{"batches": (1, 3)}], (("EX01",), ("EX02", "EX03", "EX04"), ("EX05",))),
        ([{"batches": (2,)}, {"batches": (1, 4)}], (("EX01",), SERVERS[1:3], SERVERS[3:])),
        ([{"canary": "EX02", "batches": (2,)}], (("EX02",), ("EX01", "EX03"), SERVERS[3:])),
    ],
)
def test_the_waves(strategies: list[dict[str, Any]], waves: tuple[tuple[str, ...], ...]) -> None:
    specs = [specification(**each) for each in strategies]
    assert run_order(specs, SERVERS, seen()).waves == waves


def test_the_smallest_number_of_servers_at_once_holds() -> None:
    specs = [specification(servers_at_once=4), specification(servers_at_once=2)]
    assert run_order(specs, SERVERS, seen()).servers_at_once == 2


def test_members_of_a_group_are_taken_one_at_a_time() -> None:
    found = run_order([specification()], SERVERS, seen(EX02="DAG1", EX04="DAG1", EX05="DAG2"))
    assert found.one_at_a_time == (("EX02", "EX04"),)


def test_an_unknown_group_may_be_any_group() -> None:
    found = run_order([specification()], SERVERS, seen(EX02=Unknown("not allowed to ask")))
    assert found.one_at_a_time == (SERVERS,)
    assert run_order([specification()], SERVERS, seen()[:-1]).one_at_a_time == (SERVERS,)


def test_every_other_lane_needs_the_canary_s_lanes() -> None:
    lanes = [
        Lane(id=name, server=name[:4], database=None, database_guid=None, steps=())
        for name in ("EX01/DB01", "EX02:before", "EX02/DB02")
    ]
    order = RunOrder(waves=(("EX02",), ("EX01",)))
    found = in_order(lanes, order, ["EX02"])
    assert [lane.id for lane in found] == ["EX02:before", "EX02/DB02", "EX01/DB01"]
    assert [lane.needs for lane in found] == [(), (), ("EX02:before", "EX02/DB02")]
