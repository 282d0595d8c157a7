"""Examinations of servers as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from goexchange.model.examination import Examination, Health, Look
from goexchange.report.shown import shown, wrap

_SIGNS = {Health.OK: "+", Health.WARNING: "!", Health.MISSING: "x", Health.UNKNOWN: "?"}
_NAME_WIDTH = 18


def render_examinations(examinations: Sequence[Examination], *, width: int) -> str:
    """Every look with what was seen; under it what mends it."""
    lines: list[str] = []
    for each in examinations:
        lines += ["", _head(each)]
        for look in each.looks:
            lines += _look(look, width)
        lines += [f"  LEFT BEHIND: {shown(left)}" for left in each.left]
    return "\n".join(lines[1:])


def _head(examination: Examination) -> str:
    wrong = [each for each in examination.looks if each.health in (Health.MISSING, Health.UNKNOWN)]
    worth = [each for each in examination.looks if each.health is Health.WARNING]
    if wrong:
        verdict = f"not ready: {_names(wrong)}"
    elif worth:
        verdict = f"ready; worth mending: {_names(worth)}"
    else:
        verdict = "ready"
    return f"{shown(examination.server)}  {verdict}"


def _names(looks: Iterable[Look]) -> str:
    return ", ".join(dict.fromkeys(each.check for each in looks))


def _look(look: Look, width: int) -> list[str]:
    start = f"  {_SIGNS[look.health]} {look.check:<{_NAME_WIDTH}} "
    indent = " " * len(start)
    room = max(20, width - len(start))
    first, *rest = wrap(shown(look.seen), room) or [""]
    lines = [start + first, *(indent + line for line in rest)]
    if look.remedy is not None:
        lines += [indent + line for line in wrap(f"-> {look.remedy}", room)]
    return lines
