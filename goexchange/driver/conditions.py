"""Conditions over the plain result of a call. What is not there never satisfies a condition."""

from __future__ import annotations

from typing import Any

from goexchange.model.plan import Condition, Operator

_MISSING = object()


def holds(condition: Condition, result: Any) -> bool:
    """Whether the condition is known to hold in the result."""
    seen = _dotted(result, condition.path)
    if seen is _MISSING or (isinstance(seen, dict) and set(seen) == {"unknown"}):
        return False
    return _compare(seen, condition.operator, condition.value)


def _dotted(result: Any, path: str) -> Any:
    """Names joined by dots; numbers index lists; an answer of one object may be addressed by its
    properties.
    """
    found = _follow(result, path.split("."))
    if (
        found is _MISSING
        and isinstance(result, dict)
        and "objects" in result
        and len(result["objects"]) == 1
    ):
        return _follow(result["objects"][0], path.split("."))
    return found


def _follow(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, (list, tuple)) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
    return value


def _compare(seen: Any, operator: Operator, wanted: Any) -> bool:
    if operator is Operator.EQUAL:
        return bool(type(seen) is type(wanted) and seen == wanted)
    if operator is Operator.NOT_EQUAL:
        return bool(type(seen) is not type(wanted) or seen != wanted)
    if operator is Operator.ONE_OF:
        return seen in wanted
    if (
        seen is None
        or isinstance(seen, bool)
        or not isinstance(seen, type(wanted))
        and not _numbers(seen, wanted)
    ):
        return False
    if operator is Operator.GREATER:
        return bool(seen > wanted)
    if operator is Operator.GREATER_OR_EQUAL:
        return bool(seen >= wanted)
    return bool(seen < wanted if operator is Operator.LESS else seen <= wanted)


def _numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) for value in values)
