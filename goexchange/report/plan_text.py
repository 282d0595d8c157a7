"""A plan as plain text: the verdict first, the table always whole, then the steps of every lane."""

from __future__ import annotations

from collections import Counter

from attrs import evolve, frozen

from goexchange.errors import Diagnostic, Severity
from goexchange.model.plan import Lane, Need, Plan, PlanBody, Step, Verdict, VerdictKind
from goexchange.report import plan_folding as folding
from goexchange.report import plan_words as words
from goexchange.report.ink import SYMBOL_ROLES, Ink, Role
from goexchange.report.shown import columns, pad, shown, wrap
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import minute_text, zone_of

WIDTH_MIN = 60
WIDTH_MAX = 160  # wider lines are hard to follow with the eye
_LABEL = 10
_UNDO_COLUMN_FROM = 120


@frozen(kw_only=True)
class PlanLayout:
    """How a plan is shown; `next_commands` and `saved_as` are said at its end."""

    width: int = 100
    colour: bool = False
    is_summary: bool = False
    is_full: bool = False  # of many databases each with its own steps
    saved_as: str | None = None
    next_commands: tuple[str, ...] = ()


def render_plan(plan: Plan, layout: PlanLayout) -> str:
    """The plan as text that ends in a line break; no line is wider than the layout (60 to 160)."""
    frame = Frame(width=min(WIDTH_MAX, max(WIDTH_MIN, layout.width)), ink=Ink(is_on=layout.colour))
    full = layout.is_full
    lines = [*_head(plan, frame, is_full=full), "", *_decisions(plan.body, frame)]
    if not layout.is_summary:
        lines.extend(_estimates(plan.body, frame))
        lines.extend(_guards(plan.body, frame))
        for group in folding.lane_groups(plan.body, is_full=full):
            lines.extend(_lane(plan.body, group.shown, frame))
            if group.same:
                lines.extend(_named(plan.body, group, frame))
    lines.extend(_consents(plan.body, frame, is_full=full))
    lines.extend(_diagnostics(plan.body.diagnostics, frame))
    lines.extend(_foot(plan, layout, frame))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(plan: Plan, frame: Frame, *, is_full: bool) -> list[str]:
    body = plan.body
    left = f"goexchange plan   {words.inputs_text(plan)}"
    right = f"plan {plan.id}"
    if columns(left) + columns(right) + 3 <= frame.width:
        lines = [frame.ink(pad(left, frame.width - columns(right)) + right, Role.HEADING)]
    else:
        lines = [*wrap(left, frame.width), frame.ink(right, Role.HEADING)]
    lines.extend(_labelled("VERDICT", words.verdict_text(body), frame, role=_verdict_role(body)))
    if body.is_partial:
        scope = ", ".join(map(shown, body.scope)) or "part of the specification"
        text = f"ONLY {scope}: everything else of the specification was left out of this plan"
        lines.extend(_labelled("PARTIAL", text, frame, role=Role.ATTENTION))
    lines.extend(_labelled("Window", words.window_text(body), frame))
    if body.lanes:
        lines.extend(_labelled("Estimate", words.estimate_text(body), frame))
        for at, text in enumerate(folding.backup_lines(body, is_full=is_full)):
            lines.extend(_labelled("" if at else "Backups", text, frame))
        if back := words.way_back_text(body):
            lines.extend(_labelled("Way back", back, frame))
        if order := words.order_text(body):
            lines.extend(_labelled("Order", order, frame))
        lines.extend(_labelled("Stops", words.stops_text(body), frame))
        lines.extend(_labelled("Premises", words.premises_text(body), frame))
        for at, notice in enumerate(body.notices):
            to = ", ".join(map(shown, notice.recipients)) or "no recipients"
            text = f"{shown(notice.event)} to {shown(notice.audience)} ({to})"
            lines.extend(_labelled("" if at else "Notices", text, frame))
    return lines


def _verdict_role(body: PlanBody) -> Role:
    if words.blocking_verdicts(body):
        return Role.BAD
    if any(one.need is Need.NOT_POSSIBLE for one in body.decisions):
        return Role.ATTENTION
    return Role.GOOD if all(one.need is Need.NOTHING for one in body.decisions) else Role.HEADING


def _labelled(label: str, text: str, frame: Frame, *, role: Role = Role.PLAIN) -> list[str]:
    # Two spaces inside a sentence separate its parts on a wide line; wrapping makes them one.
    room = frame.width - _LABEL
    parts = (text,) if columns(text) <= room else wrap(text, room)
    heads = (label, *("" for _ in parts))
    return [
        frame.ink(pad(head, _LABEL), Role.HEADING) + frame.ink(part, role)
        for head, part in zip(heads, parts, strict=False)
    ]


def _decisions(body: PlanBody, frame: Frame) -> list[str]:
    column_list = (
        Column(),
        Column(heading="database", width_max=24),
        Column(heading="server", width_max=16),
        Column(heading="size", is_right=True),
        Column(heading="white space", is_right=True),
        Column(heading="file since"),
        Column(heading="needs", is_flexible=True),
        Column(heading="down", is_right=True),
    )
    rows: list[Row] = []
    for row in words.plan_rows(body):
        symbol = SYMBOL_ROLES[row.symbol]
        cells = (row.symbol, row.database, row.server, row.size, row.white_space, row.file_since)
        if row.need is Need.NOTHING and row.text is not None:
            text = f"{row.database} · {row.text}"
            rows.append(Row(cells=("=",), roles=(symbol,), spanning=text, spanning_from=1))
        elif row.text is not None:
            text = f"{row.text} [{row.origin}]" if row.origin else row.text
            roles = (symbol, Role.HEADING)
            rows.append(Row(cells=cells[:3], roles=roles, spanning=text, spanning_from=3))
        else:
            roles = (symbol, Role.HEADING)
            rows.append(Row(cells=(*cells, row.needs, row.down), roles=roles))
    return table(column_list, rows, frame) if rows else []


def _estimates(body: PlanBody, frame: Frame) -> list[str]:
    rows = [Row(cells=cells) for cells in words.estimate_rows(body)]
    if not rows:
        return []
    column_list = (
        Column(heading="database", width_max=24),
        Column(heading="work", width_max=16),
        Column(heading="size", is_right=True),
        Column(heading="p50", is_right=True),
        Column(heading="p90", is_right=True),
        Column(heading="estimated from", is_flexible=True),
    )
    return ["", _ruled("Estimates", frame), *table(column_list, rows, frame)]


def _guards(body: PlanBody, frame: Frame) -> list[str]:
    found = words.other_guards(body)
    if not found:
        return []
    column_list = (Column(), Column(width_max=32), Column(is_flexible=True), Column(is_right=True))
    rows = [
        Row(
            cells=(
                words.guard_symbol(one.kind),
                f"{shown(one.guard)} {shown(one.address)}".rstrip(),
                words.guard_text(one),
                one.kind.value,
            ),
            roles=_guard_roles(one, before=0),
        )
        for one in found
    ]
    return ["", _ruled("Guards", frame), *table(column_list, rows, frame)]


def _guard_roles(verdict: Verdict, *, before: int) -> tuple[Role, ...]:
    role = {
        VerdictKind.PASS: Role.GOOD,
        VerdictKind.BLOCK: Role.BAD,
        VerdictKind.UNKNOWN: Role.ATTENTION,
    }.get(verdict.kind, Role.FAINT)
    return (*(Role.PLAIN,) * before, role, Role.PLAIN, Role.PLAIN, role)


def _lane(body: PlanBody, lane: Lane, frame: Frame) -> list[str]:
    guards = words.lane_guards(body, lane)
    has_undo_column = frame.width >= _UNDO_COLUMN_FROM
    column_list = (
        Column(is_right=True),
        Column(),
        Column(width_max=28),
        Column(is_flexible=True),
        *((Column(width_max=36),) if has_undo_column else ()),
        Column(is_right=True),
    )
    rows = [_guard_row(one, has_undo_column) for one in guards if one.due_at_step is None]
    main = [step for step in lane.steps if not words.is_way_back(step)]
    for step in main:
        due = [one for one in guards if one.due_at_step == step.id]
        rows.extend(_guard_row(one, has_undo_column) for one in due)
        rows.extend(_step_rows(step, has_undo_column))
    for heading, steps in words.way_back_groups(lane):
        cells = ("", words.CONDITIONAL)
        rows.append(
            Row(cells=cells, spanning=heading, spanning_from=2, roles=(Role.PLAIN, Role.FAINT))
        )
        for step in steps:
            rows.extend(_step_rows(step, has_undo_column))
    after = f" · after {', '.join(map(shown, lane.needs))}" if lane.needs else ""
    inner = evolve(frame, indent=1)
    return ["", _ruled(words.lane_title(lane) + after, frame), *table(column_list, rows, inner)]


def _named(body: PlanBody, group: folding.LaneGroup, frame: Frame) -> list[str]:
    """Lanes without steps of their own: they are those of the lane above."""
    texts = (folding.same_text(group), *folding.blocking_texts(body, group))
    return ["", *(f"  {line}" for text in texts for line in wrap(text, frame.width - 2))]


def _guard_row(verdict: Verdict, has_undo_column: bool) -> Row:
    name = f"guard {shown(verdict.guard)}"
    cells = ("", words.guard_symbol(verdict.kind), name, words.guard_text(verdict))
    extra = ("",) if has_undo_column else ()
    roles = _guard_roles(verdict, before=1)
    return Row(
        cells=(*cells, *extra, verdict.kind.value),
        roles=(*roles[:4], *((Role.PLAIN,) if has_undo_column else ()), roles[4]),
    )


def _step_rows(step: Step, has_undo_column: bool) -> list[Row]:
    symbol = words.step_symbol(step)
    detail = words.step_detail(step)
    undo = shown(step.undo) if step.undo else ""
    if undo and not has_undo_column:
        detail = f"{detail} · undo: {undo}"
    extra = (f"undo: {undo}" if undo else "",) if has_undo_column else ()
    cells = (str(step.number), symbol, words.action_words(step.action), detail, *extra)
    rows = [Row(cells=(*cells, words.step_time(step)), roles=(Role.FAINT, SYMBOL_ROLES[symbol]))]
    if step.is_point_of_no_return:
        mark = ("", words.POINT_OF_NO_RETURN)
        text = "no automatic way back from here"
        roles = (Role.PLAIN, Role.ATTENTION)
        rows.append(Row(cells=mark, roles=roles, spanning=text, spanning_from=2))
    return rows


def _consents(body: PlanBody, frame: Frame, *, is_full: bool) -> list[str]:
    if not body.consents:
        return []
    column_list = (Column(), Column(), Column(width_max=28), Column(is_flexible=True))
    rows = [
        Row(cells=("!", *cells), roles=(Role.ATTENTION, Role.HEADING))
        for cells in folding.consent_rows(body, is_full=is_full)
    ]
    return [
        "",
        _ruled("Consents that the approval must give", frame),
        *table(column_list, rows, frame),
    ]


def _diagnostics(found: tuple[Diagnostic, ...], frame: Frame) -> list[str]:
    if not found:
        return []
    counts = Counter(one.severity for one in found)
    title = ", ".join(
        f"{counts[one]} {one.value}{'s' * (counts[one] > 1)}" for one in Severity if counts[one]
    )
    column_list = (Column(), Column(width_max=24), Column(is_flexible=True))
    rows: list[Row] = []
    for one in found:
        symbol = "x" if one.severity is Severity.ERROR else "!"
        place = f" [{shown(one.place)}]" if one.place else ""
        text = f"{shown(one.summary)}: {shown(one.detail)}{place}"
        cells = (symbol, shown(one.address or ""), text)
        rows.append(Row(cells=cells, roles=(SYMBOL_ROLES[symbol],)))
    return ["", _ruled(title, frame), *table(column_list, rows, frame)]


def _ruled(title: str, frame: Frame) -> str:
    fill = max(0, frame.width - columns(title) - 1)
    return f"{frame.ink(title, Role.HEADING)} {frame.ink('-' * fill, Role.FAINT)}"


def _foot(plan: Plan, layout: PlanLayout, frame: Frame) -> list[str]:
    body = plan.body
    lines = ["", *wrap(f"Plan: {words.totals_text(body)}", frame.width)]
    said = [f"Saved {shown(layout.saved_as)}"] if layout.saved_as else []
    if body.valid_until_utc is not None:
        name = body.window.zone if body.window else None
        until = minute_text(body.valid_until_utc, zone_of(name))
        said.append(f"valid until {until} {shown(name or 'UTC')}")
    if said:
        lines.extend(wrap(" · ".join(said), frame.width))
    lines.extend(wrap(f"sha256:{plan.sha256}", frame.width))
    for at, command in enumerate(layout.next_commands):
        lines.append(pad("" if at else "Next", 6) + shown(command))
    return lines
