"""Conditions over results: what is not there, or of another kind, never satisfies one."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.driver.conditions import holds
from goexchange.model.plan import Condition, Operator

ANSWER = {"objects": [{"Mounted": True, "Name": "DB05", "Count": 3}], "errors": []}


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("objects.0.Mounted", Operator.EQUAL, True, True),
        ("Mounted", Operator.EQUAL, True, True),
        ("objects.0.Mounted", Operator.EQUAL, False, False),
        ("objects.0.Mounted", Operator.EQUAL, 1, False),
        ("objects.1.Mounted", Operator.EQUAL, True, False),
        ("objects.0.Missing", Operator.NOT_EQUAL, True, False),
        ("objects.0.Name", Operator.ONE_OF, ["DB04", "DB05"], True),
        ("objects.0.Name", Operator.ONE_OF, ["DB04"], False),
        ("objects", Operator.EQUAL, [], False),
        ("errors", Operator.EQUAL, [], True),
        ("objects.0.Count", Operator.GREATER, 2, True),
        ("objects.0.Count", Operator.GREATER_OR_EQUAL, 3, True),
        ("objects.0.Count", Operator.LESS, 3, False),
        ("objects.0.Count", Operator.LESS_OR_EQUAL, 3.0, True),
        ("objects.0.Count", Operator.GREATER, "2", False),
        ("objects.0.Name", Operator.NOT_EQUAL, "DB04", True),
        ("objects.0.Mounted", Operator.GREATER, 0, False),
    ],
)
def test_a_condition_holds_only_when_it_is_known_to(
    path: str, operator: Operator, value: Any, expected: bool
) -> None:
    assert holds(Condition(path=path, operator=operator, value=value), ANSWER) is expected


@pytest.mark.parametrize("result", [None, [], {}, {"objects": []}, {"Mounted": {"unknown": "x"}}])
@pytest.mark.parametrize("operator", list(Operator))
def test_nothing_and_unknown_satisfy_no_condition(result: Any, operator: Operator) -> None:
    value: Any = [True] if operator is Operator.ONE_OF else True
    assert not holds(Condition(path="Mounted", operator=operator, value=value), result)
