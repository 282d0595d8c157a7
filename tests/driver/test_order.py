"""Which server is taken next."""

from __future__ import annotations

import pytest

from goexchange.driver.order import next_server
from goexchange.model.plan import RunOrder

WAVES = RunOrder(waves=(("C",), ("A", "B"), ("D",)), servers_at_once=2)


@pytest.mark.parametrize(
    ("order", "waiting", "active", "urgent", "taken"),
    [
        (RunOrder(), "AB", "", "", "A"),  # a plan without an order: one after the other
        (RunOrder(), "AB", "C", "", None),
        (RunOrder(servers_at_once=2), "AB", "C", "", "A"),
        (WAVES, "ABCD", "", "", "C"),
        (WAVES, "ABD", "C", "", None),  # the wave before has not ended
        (WAVES, "ABD", "", "", "A"),
        (WAVES, "BD", "A", "", "B"),
        (WAVES, "D", "A", "", None),
        (WAVES, "X", "", "", "X"),  # in no wave: last
        (WAVES, "DX", "", "", "D"),
        (WAVES, "ABD", "C", "D", "D"),  # a database is down there
        (WAVES, "ABD", "CX", "D", None),  # but never more at once
        (RunOrder(servers_at_once=3, one_at_a_time=(("A", "B"),)), "AB", "", "", "A"),
        (RunOrder(servers_at_once=3, one_at_a_time=(("A", "B"),)), "B", "A", "", None),
        (RunOrder(servers_at_once=3, one_at_a_time=(("A", "B"),)), "BC", "A", "", "C"),
        (RunOrder(servers_at_once=3, one_at_a_time=(("A", "B"),)), "B", "A", "B", None),
        (WAVES, "", "", "", None),
    ],
)
def test_the_next_server(
    order: RunOrder, waiting: str, active: str, urgent: str, taken: str | None
) -> None:
    assert next_server(order, waiting=tuple(waiting), active=active, urgent=urgent) == taken
