"""What two plans ask for, compared: inputs, window, decisions, steps, guards, consents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from attrs import frozen

from goexchange.model.plan import Lane, Plan, PlanBody, Premise
from goexchange.report import plan_words as words
from goexchange.report.ink import Ink
from goexchange.report.plan_markdown import GITHUB_MAX_BYTES, markdown_table, markdown_text
from goexchange.report.shown import columns, shown, wrap
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import count_text

DIFF_MARKER = "<!-- goexchange:diff -->"


class Part(Enum):
    """What a difference is about, in the order in which they are shown."""

    INPUT = "input"
    WINDOW = "window"
    DECISION = "decision"
    CONSENT = "consent"
    GUARD = "guard"
    STEP = "step"
    PREMISE = "premise"


@frozen(kw_only=True)
class Difference:
    """One thing that differs. Unknown: None on the side where it is not."""

    part: Part
    name: str
    before: str | None
    after: str | None

    @property
    def symbol(self) -> str:
        """`+`, `-` or `~`."""
        return "+" if self.before is None else "-" if self.after is None else "~"


def compare_plans(before: Plan, after: Plan) -> tuple[Difference, ...]:
    """Return everything that differs in what the plans ask for; their times do not count."""
    found: list[Difference] = []
    for part, texts in _PARTS.items():
        found += _compared(part, texts(before.body), texts(after.body))
    return tuple(found)


def _compared(
    part: Part, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterable[Difference]:
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Difference(part=part, name=name, before=old, after=new)


def _inputs(body: PlanBody) -> dict[str, str]:
    found = {f"{each.kind} {each.path}": each.sha256[:12] for each in body.inputs}
    found["scope"] = ", ".join(body.scope) if body.is_partial else "whole"
    found["tool"] = body.tool
    return found | ({"commit": body.commit[:12]} if body.commit else {})


def _window(body: PlanBody) -> dict[str, str]:
    return {"window": " ".join(words.window_text(body).split())}


def _decisions(body: PlanBody) -> dict[str, str]:
    return {
        each.address: f"{each.need.value.replace('-', ' ')}: {each.explanation}"
        for each in body.decisions
    }


def _consents(body: PlanBody) -> dict[str, str]:
    return {f"{each.consent.value} for {each.address}": each.finding for each in body.consents}


def _guards(body: PlanBody) -> dict[str, str]:
    return {
        f"{each.guard} {each.address}": each.kind.value
        + (f": {each.evidence}" if each.kind in words.BLOCKING else "")
        for each in body.guards
    }


def _steps(body: PlanBody) -> dict[str, str]:
    return {
        f"{lane.id} {name}": text for lane in body.lanes for name, text in _lane_steps(lane).items()
    }


def _lane_steps(lane: Lane) -> dict[str, str]:
    """The steps by action, numbered where one comes more than once."""
    seen: Counter[str] = Counter()
    found = {}
    for step in lane.steps:
        action = words.action_words(step.action)
        seen[action] += 1
        name = action if seen[action] == 1 else f"{action} ({seen[action]})"
        found[name] = f"{step.runs_when.value}: {step.summary}"
    return found


def _premises(body: PlanBody) -> dict[str, str]:
    steps = (one for lane in body.lanes for step in lane.steps for one in step.premises)
    return {f"{each.address} {each.fact}": _predicate(each) for each in (*body.premises, *steps)}


def _predicate(premise: Premise) -> str:
    return f"{premise.operator.value} {premise.value} (seen {premise.seen})"


_PARTS: dict[Part, Callable[[PlanBody], dict[str, str]]] = {
    Part.INPUT: _inputs,
    Part.WINDOW: _window,
    Part.DECISION: _decisions,
    Part.CONSENT: _consents,
    Part.GUARD: _guards,
    Part.STEP: _steps,
    Part.PREMISE: _premises,
}


def verdict_of(found: tuple[Difference, ...]) -> str:
    """`2 decisions, 1 guard differ`, or that nothing does."""
    if not found:
        return "the plans ask for the same"
    counts = Counter(each.part for each in found)
    parts = [count_text(counts[part], part.value) for part in Part if counts[part]]
    return f"{', '.join(parts)} differ{'s' * (len(found) == 1)}"


def render_diff(before: Plan, after: Plan, *, width: int = 100) -> str:
    """The differences as text."""
    found = compare_plans(before, after)
    frame = Frame(width=max(60, width), ink=Ink(is_on=False))
    lines = [f"goexchange diff   plan {before.id} -> plan {after.id}"]
    lines += wrap(f"VERDICT   {verdict_of(found)}", frame.width)
    for part in Part:
        rows = [
            Row(cells=(each.symbol, shown(each.name), _change(each)))
            for each in found
            if each.part is part
        ]
        if rows:
            title = part.value.upper()
            lines += ["", f"{title} " + "-" * (frame.width - columns(title) - 1)]
            column_list = (Column(), Column(width_max=36), Column(is_flexible=True))
            lines += table(column_list, rows, frame)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _change(difference: Difference) -> str:
    if difference.before is None:
        return shown(difference.after)
    if difference.after is None:
        return f"was: {shown(difference.before)}"
    return f"{shown(difference.before)} -> {shown(difference.after)}"


def render_diff_markdown(before: Plan, after: Plan, *, max_bytes: int = GITHUB_MAX_BYTES) -> str:
    """The differences as Markdown: verdict and decisions whole, the rest cut to `max_bytes`."""
    found = compare_plans(before, after)
    head = [
        DIFF_MARKER,
        f"### goexchange diff `{before.id}` → `{after.id}`",
        f"**{markdown_text(verdict_of(found))}**",
    ]
    decisions = [each for each in found if each.part is Part.DECISION]
    others = [each for each in found if each.part is not Part.DECISION]
    if decisions:
        head.append(_markdown_rows(decisions))
    whole = "\n\n".join(head)
    for kept in (len(others), *range(len(others) - 1, -1, -max(1, len(others) // 50)), 0):
        parts = [whole]
        if kept:
            table_text = _markdown_rows(others[:kept])
            parts.append(
                f"<details><summary>everything else</summary>\n\n{table_text}\n\n</details>"
            )
        if kept < len(others):
            parts.append(f"_{len(others) - kept} of {len(others)} further differences left out._")
        text = "\n\n".join(parts) + "\n"
        if len(text.encode()) <= max_bytes:
            return text
    return text


def _markdown_rows(found: Iterable[Difference]) -> str:
    rows = [
        [
            f"`{each.symbol}`",
            each.part.value,
            markdown_text(each.name),
            markdown_text(_change(each)),
        ]
        for each in found
    ]
    return markdown_table(("", "part", "what", "before → after"), rows)
