"""What a plan says of the order of its servers, and of the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from goexchange.model.plan import Action, Lane, Plan, RunOrder
from goexchange.report.plan_words import order_text, way_back_text


def lanes(*servers: str) -> tuple[Lane, ...]:
    return tuple(
        Lane(id=name, server=name, database=None, database_guid=None, steps=()) for name in servers
    )


@pytest.mark.parametrize(
    ("servers", "order", "text"),
    [
        (("EX01",), RunOrder(), ""),
        (("EX01", "EX02"), RunOrder(), "EX01, EX02 · one server at a time"),
        (
            ("EX01", "EX02", "EX03"),
            RunOrder(waves=(("EX02",), ("EX01", "EX03")), servers_at_once=2),
            "EX02 then EX01, EX03 · 2 servers at once",
        ),
        (
            ("EX01", "EX02"),
            RunOrder(servers_at_once=2, one_at_a_time=(("EX01", "EX02"),)),
            "EX01, EX02 · 2 servers at once · of EX01, EX02 one at a time",
        ),
    ],
)
def test_the_order_in_words(
    make_plan: Callable[..., Plan], servers: tuple[str, ...], order: RunOrder, text: str
) -> None:
    assert order_text(evolve(make_plan().body, lanes=lanes(*servers), order=order)) == text


def test_only_a_lane_that_swaps_promises_the_original(make_plan: Callable[..., Plan]) -> None:
    body = make_plan().body
    assert way_back_text(body).startswith("the original is put back in seconds")
    kept = tuple(
        evolve(lane, steps=tuple(step for step in lane.steps if step.action is not Action.SWAP))
        for lane in body.lanes
    )
    assert "nothing is swapped" in way_back_text(evolve(body, lanes=kept))
    assert way_back_text(evolve(body, lanes=lanes("EX01"))) == ""
