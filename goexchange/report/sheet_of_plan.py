"""A plan as a sheet, for whoever reviews it: what it does, what refuses it, what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goexchange.errors import Severity
from goexchange.model.plan import Decision, Lane, Need, Plan, PlanBody, Step, Verdict
from goexchange.model.sheet import (
    Case,
    Cell,
    Chapter,
    Fact,
    Grid,
    Heading,
    Mark,
    Mend,
    Sheet,
    SheetKind,
    Tone,
)
from goexchange.report import plan_folding as folding
from goexchange.report import plan_words as words
from goexchange.report.sheet_of_verdicts import case_of_verdict, verdict_grid
from goexchange.report.units import (
    count_text,
    day_text,
    duration_text,
    moment_text,
    share_text,
    size_text,
    zone_of,
)

_HEADINGS = (
    Heading(text="database"),
    Heading(text="server"),
    Heading(text="needs"),
    Heading(text="size", is_number=True, unit="bytes"),
    Heading(text="white space", is_number=True, unit="bytes"),
    Heading(text="file since"),
    Heading(text="down", is_number=True, unit="s"),
)
_STEP_HEADINGS = tuple(
    Heading(text=text, is_number=text == "time") for text in ("no.", "step", "what", "undo", "time")
)


def sheet_of_plan(plan: Plan) -> Sheet:
    """The plan as a sheet; refused is what a guard blocks for another reason than time."""
    body = plan.body
    word, tone = _verdict(body)
    return Sheet(
        kind=SheetKind.PLAN,
        subject=plan.id,
        word=word,
        tone=tone,
        headline=words.verdict_text(body),
        made_by=body.tool,
        at_utc=body.evaluated_at_utc,
        facts=tuple(_facts(plan)),
        mends=tuple(_mends(body)),
        table=Grid(
            caption="What each database needs. Down is the estimate that nine of ten runs keep.",
            headings=_HEADINGS,
            rows=tuple(map(_row, _ordered(body.decisions))),
        ),
        chapters=tuple(_chapters(plan)),
        cases=tuple(_cases(body)),
    )


def _verdict(body: PlanBody) -> tuple[str, Tone]:
    blocking = words.blocking_verdicts(body)
    if any(not one.is_time_only for one in blocking):
        return "REFUSED", Tone.BAD
    if blocking:
        return "NOT NOW", Tone.ATTENTION
    if not body.lanes:
        is_well = all(one.need is Need.NOTHING for one in body.decisions)
        return "NOTHING TO DO", Tone.GOOD if is_well else Tone.ATTENTION
    return "TO APPROVE", Tone.ATTENTION if body.consents else Tone.PLAIN


def _facts(plan: Plan) -> Iterator[Fact]:
    body = plan.body
    zone = zone_of(None if body.window is None else body.window.zone)
    pairs = [
        ("Plan", f"{plan.id}, made {moment_text(plan.created_at_utc, zone)} by {plan.created_by}"),
        ("Specification", words.inputs_text(plan)),
        ("Window", words.window_text(body)),
    ]
    if body.is_partial:
        left_out = ", ".join(body.scope) or "part of the specification"
        pairs.append(("Partial", f"only {left_out}: everything else was left out"))
    if body.lanes:
        pairs.append(("Estimate", words.estimate_text(body)))
        pairs += [("Backups", text) for text in folding.backup_lines(body)]
        if back := words.way_back_text(body):
            pairs.append(("Way back", back))
        if order := words.order_text(body):
            pairs.append(("Order", order))
        pairs += [("Stops", words.stops_text(body)), ("Premises", words.premises_text(body))]
    if body.valid_until_utc is not None:
        pairs.append(("Valid until", moment_text(body.valid_until_utc, zone)))
    pairs += [("Steps", words.totals_text(body)), ("Digest", f"sha256:{plan.sha256}")]
    return (Fact(label=label, text=text) for label, text in pairs)


def _mends(body: PlanBody) -> Iterator[Mend]:
    """What stands in the way: each guard once, with the addresses that it says no to."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for one in words.blocking_verdicts(body):
        found.setdefault((one.guard, one.kind.value), []).append(one)
    for (guard, kind), verdicts in found.items():
        first, more = verdicts[0], len(verdicts) - 1
        others = f" and {count_text(more, 'more address', 'more addresses')}" if more else ""
        said = "cannot tell" if kind == "unknown" else "says no"
        yield Mend(
            title=f"The guard {guard} {said} to {first.address}{others}",
            why=words.guard_text(first),
        )


def _ordered(decisions: Sequence[Decision]) -> list[Decision]:
    """What is done first, then what cannot be done, then what needs nothing."""
    order = {Need.NOT_POSSIBLE: 1, Need.NOTHING: 2}
    return sorted(decisions, key=lambda one: order.get(one.need, 0))


def _row(one: Decision) -> tuple[Cell, ...]:
    tones = {Need.NOTHING: Tone.PLAIN, Need.NOT_POSSIBLE: Tone.BAD}
    down = one.outage_p90_s or one.outage_s
    reason = "; ".join(text for text in (one.explanation, one.instead) if text)
    share = share_text(one.white_space_bytes, one.size_bytes)
    return (
        Cell(text=one.database),
        Cell(text=one.server),
        Cell(
            text=one.need.value.replace("-", " "),
            tone=tones.get(one.need, Tone.ATTENTION),
            note=f"{reason} ({one.origin})" if one.origin and reason else reason,
        ),
        _size(one.size_bytes),
        Cell(
            text="-"
            if one.white_space_bytes is None
            else f"{size_text(one.white_space_bytes)} {share}".strip(),
            value=one.white_space_bytes,
        ),
        Cell(text=day_text(one.file_since_utc)),
        Cell(text=duration_text(down) if down else "-", value=down),
    )


def _size(size_bytes: int | None) -> Cell:
    return Cell(text="-" if size_bytes is None else size_text(size_bytes), value=size_bytes)


def _chapters(plan: Plan) -> Iterator[Chapter]:
    body = plan.body
    if body.consents:
        yield _table(
            "Consents that the approval must give",
            ("consent", "for", "finding"),
            folding.consent_rows(body),
        )
    if body.diagnostics:
        found = [
            (f"{one.severity.value}: {one.summary}", one.address or "", _detail(one))
            for one in body.diagnostics
        ]
        yield _table("Warnings and errors", ("what", "for", "details"), found)
    estimates = words.estimate_rows(body)
    if estimates:
        names = ("database", "work", "size", "p50", "p90", "estimated from")
        yield _table("Estimates", names, estimates, numbers=("size", "p50", "p90"))
    if body.guards:
        yield Chapter(title="Guards", grid=verdict_grid(body.guards))
    for group in folding.lane_groups(body):
        texts = (folding.same_text(group), *folding.blocking_texts(body, group))
        yield _lane(group.shown, texts if group.same else ())
    if body.notices:
        rows = [
            (one.event, one.audience, ", ".join(one.recipients), ", ".join(one.channels))
            for one in body.notices
        ]
        yield _table("Notifications", ("event", "audience", "recipients", "channels"), rows)
    inputs = [(one.kind, one.path, f"sha256:{one.sha256}") for one in body.inputs]
    yield _table("Inputs", ("kind", "document", "digest"), inputs)


def _detail(one: object) -> str:
    detail, place = getattr(one, "detail", ""), getattr(one, "place", None)
    return f"{detail} ({place})" if place else str(detail)


def _lane(lane: Lane, texts: Sequence[str]) -> Chapter:
    rows = [_step(step) for step in lane.steps if not words.is_way_back(step)]
    for heading, steps in words.way_back_groups(lane):
        rows += [_step(step, note=heading) for step in steps]
    return Chapter(
        title=f"{words.lane_title(lane)}: {count_text(len(lane.steps), 'step')}",
        lines=tuple(texts),
        grid=Grid(
            caption="In this order; what stands under a way back runs only on it",
            headings=_STEP_HEADINGS,
            rows=tuple(rows),
        ),
        is_folded=True,
        part="Steps",
    )


def _step(step: Step, *, note: str = "") -> tuple[Cell, ...]:
    detail = words.step_detail(step)
    after = "no automatic way back from here" if step.is_point_of_no_return else ""
    return (
        Cell(text=str(step.number)),
        Cell(text=words.action_words(step.action)),
        Cell(text=detail, note=note or after),
        Cell(text=step.undo or ""),
        Cell(text=words.step_time(step)),
    )


def _table(
    title: str,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
) -> Chapter:
    return Chapter(
        title=title,
        grid=Grid(
            caption=title,
            headings=tuple(Heading(text=one, is_number=one in numbers) for one in names),
            rows=tuple(tuple(Cell(text=text) for text in row) for row in rows),
        ),
    )


def _cases(body: PlanBody) -> Iterator[Case]:
    """Decisions, guards, consents and errors; what is not possible is skipped, as the exit code."""
    for one in _ordered(body.decisions):
        yield Case(
            suite=f"{one.server}/{one.database}",
            name=f"need: {one.need.value}",
            mark=Mark.SKIPPED if one.need is Need.NOT_POSSIBLE else Mark.PASSED,
            text=one.explanation,
        )
    for verdict in body.guards:
        yield case_of_verdict(verdict)
    for consent in body.consents:
        yield Case(
            suite=consent.address,
            name=f"consent {consent.consent.value}",
            mark=Mark.SKIPPED,
            text=f"to be given in the approval: {consent.finding}",
        )
    for said in body.diagnostics:
        yield Case(
            suite=said.address or "plan",
            name=said.summary,
            mark=Mark.FAILED if said.severity is Severity.ERROR else Mark.PASSED,
            text=_detail(said),
        )
