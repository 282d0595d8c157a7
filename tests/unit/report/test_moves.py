"""A report says when a clustered server was seen on another node."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from goexchange.codec import to_plain
from goexchange.model.plan import Plan
from goexchange.model.run import Record, RecordKind
from goexchange.model.unknown import Unknown
from goexchange.plan.sealing import seal
from goexchange.report.deviations import deviations
from goexchange.report.moves import moves
from tests.unit.plan.builders import NOW, host
from tests.unit.plan.test_clusters import draft, on_nodes, to
from tests.unit.plan.test_exchange_2007 import DEFRAG, old


def looked(number: int, owner: Any, *, server: str = "EX01") -> Record:
    data = {"server": server, "actual": to_plain(on_nodes(host=owner))}
    return Record(
        sequence=number, at_utc=NOW + timedelta(minutes=number), kind=RecordKind.FACTS, data=data,
        previous="", sha256="",
    )  # fmt: skip


def plan_of(clustered: bool = True) -> Plan:
    seen = on_nodes() if clustered else old()
    return seal(draft(to("L:\\sets", DEFRAG), seen), NOW, "me")


def test_each_move_is_told_once_and_a_host_that_was_not_reached_is_none() -> None:
    records = [
        looked(1, host("NODE1")), looked(2, Unknown("away")), looked(3, host("NODE2")),
        looked(4, host("NODE2")), looked(5, host("NODE1")), looked(6, host("X"), server="EX02"),
    ]  # fmt: skip
    told = [each.text for each in moves(plan_of(), records)]
    assert told == [
        "the clustered server is on NODE2, before it was on NODE1",
        "the clustered server is on NODE1, before it was on NODE2",
    ]
    assert [each.kind for each in deviations(plan_of(), records)] == ["moved", "moved"]


def test_another_machine_under_a_name_that_is_no_cluster_is_not_told_as_a_move() -> None:
    assert not list(moves(plan_of(clustered=False), [looked(1, host("NODE2"))]))
