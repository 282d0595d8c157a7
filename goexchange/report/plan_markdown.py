"""A plan as Markdown for pull requests: the table whole, details folded, bounded in bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from goexchange.model.plan import Lane, Plan, PlanBody, Step
from goexchange.report import plan_folding as folding
from goexchange.report import plan_words as words
from goexchange.report.shown import shown

MARKER = "<!-- goexchange:plan -->"  # finds the comment that is to be replaced
GITHUB_MAX_BYTES = 65_000
_SPECIAL = re.compile(r"([\\`*_\[\]#|~$])")


def markdown_text(text: object) -> str:
    """The text so that Markdown shows it as it is: no markup, no HTML, no mention of a user."""
    visible = shown(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", visible).replace("@", "&#64;").replace("://", ":&#47;/")


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; the cells are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def render_plan_markdown(plan: Plan, *, max_bytes: int = GITHUB_MAX_BYTES) -> str:
    """The plan as Markdown of at most `max_bytes`; details are dropped from the end.

    Shape: what was dropped is said. Verdict and table stay whole even where they are longer.
    """
    whole = "\n\n".join([MARKER, *_head(plan)])
    details = _details(plan.body)
    for kept in range(len(details), -1, -1):
        dropped = len(details) - kept
        parts = [whole, *details[:kept]]
        if dropped:
            parts.append(
                f"_{dropped} of {len(details)} details left out to stay within {max_bytes:,} bytes:"
                f" `goexchange show` prints the whole plan._"
            )
        text = "\n\n".join(parts) + "\n"
        if len(text.encode()) <= max_bytes:
            return text
    return text


def _head(plan: Plan) -> list[str]:
    body = plan.body
    rows = [_plan_row(row) for row in words.plan_rows(body)]
    headings = ("", "database", "server", "size", "white space", "file since", "needs", "down")
    facts = [
        f"**Window** {markdown_text(words.window_text(body))}",
        f"**Estimate** {markdown_text(words.estimate_text(body))}",
        *(f"**Backups** {markdown_text(text)}" for text in folding.backup_lines(body)),
        *([f"**Order** {markdown_text(order)}"] if (order := words.order_text(body)) else []),
        f"**Stops** {words.stops_text(body)} · {words.premises_text(body)}",
    ]
    parts = [
        f"### goexchange plan `{plan.id}` · {markdown_text(words.inputs_text(plan))}",
        f"**{markdown_text(words.verdict_text(body))}**",
        markdown_table(headings, rows),
        *([_consents(body)] if body.consents else []),
        "  \n".join(facts),
        f"Plan: {words.totals_text(body)} `sha256:{plan.sha256}`",
    ]
    if body.is_partial:
        scope = markdown_text(", ".join(body.scope) or "part of the specification")
        text = f"everything but {scope} was left out"
        parts.insert(1, f"> **PARTIAL PLAN: {text}**")
    return parts


def _plan_row(row: words.PlanRow) -> list[str]:
    symbol = f"`{row.symbol}`"
    if row.text is None:
        cells = (
            row.database,
            row.server,
            row.size,
            row.white_space,
            row.file_since,
            row.needs,
            row.down,
        )
        return [symbol, *map(markdown_text, cells)]
    place = f" ({markdown_text(row.origin)})" if row.origin else ""
    named = [markdown_text(row.database), markdown_text(row.server)]
    return [symbol, *named, "", "", "", markdown_text(row.text) + place, ""]


def _consents(body: PlanBody) -> str:
    rows = [
        [f"`{name}`", markdown_text(address), markdown_text(finding)]
        for name, address, finding in folding.consent_rows(body)
    ]
    return markdown_table(("consent that the approval must give", "for", "finding"), rows)


def _details(body: PlanBody) -> list[str]:
    parts: list[str] = []
    if body.diagnostics:
        lines = [
            f"- {one.severity.value} {markdown_text(one.address or '')}"
            f" **{markdown_text(one.summary)}**: {markdown_text(one.detail)}"
            + (f" ({markdown_text(one.place)})" if one.place else "")
            for one in body.diagnostics
        ]
        parts.append(folded("Warnings and errors", "\n".join(lines)))
    estimates = [[markdown_text(cell) for cell in row] for row in words.estimate_rows(body)]
    if estimates:
        headings = ("database", "work", "size", "p50", "p90", "estimated from")
        parts.append(folded("Estimates", markdown_table(headings, estimates)))
    others = words.other_guards(body)
    if others:
        rows = [
            [
                one.kind.value,
                markdown_text(one.guard),
                markdown_text(one.address),
                markdown_text(words.guard_text(one)),
            ]
            for one in others
        ]
        parts.append(
            folded("Guards", markdown_table(("verdict", "guard", "for", "evidence"), rows))
        )
    return [*parts, *(_group(body, group) for group in folding.lane_groups(body))]


def _group(body: PlanBody, group: folding.LaneGroup) -> str:
    texts = (folding.same_text(group), *folding.blocking_texts(body, group)) if group.same else ()
    return "\n\n".join([_lane(body, group.shown), *map(markdown_text, texts)])


def _lane(body: PlanBody, lane: Lane) -> str:
    guards = words.lane_guards(body, lane)

    def guard_rows(step: Step | None) -> list[list[str]]:
        at = None if step is None else step.id
        return [
            [
                "",
                f"`{words.guard_symbol(one.kind) or '='}`",
                f"guard {markdown_text(one.guard)}",
                markdown_text(words.guard_text(one)),
                "",
                one.kind.value,
            ]
            for one in guards
            if one.due_at_step == at
        ]

    rows = guard_rows(None)
    for step in lane.steps:
        if not words.is_way_back(step):
            rows.extend(guard_rows(step))
            rows.append(_step_row(step))
    for heading, steps in words.way_back_groups(lane):
        rows.append(["", "`?`", f"_{heading}_", "", "", ""])
        rows.extend(map(_step_row, steps))
    title = f"{markdown_text(words.lane_title(lane))}: {len(lane.steps)} steps"
    return folded(title, markdown_table(("no.", "", "step", "what", "undo", "time"), rows))


def _step_row(step: Step) -> list[str]:
    detail = markdown_text(words.step_detail(step))
    if step.is_point_of_no_return:
        detail += " `^` no automatic way back from here"
    return [
        str(step.number),
        f"`{words.step_symbol(step)}`",
        words.action_words(step.action),
        detail,
        markdown_text(step.undo or ""),
        markdown_text(words.step_time(step)),
    ]


def folded(title: str, text: str) -> str:
    """A chapter that is closed at first; title and text are Markdown already."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"
