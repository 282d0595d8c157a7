"""Pictures inside the report: the timeline of the lanes, and sizes before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from html import escape

from attrs import frozen

from goexchange.model.plan import Action, VerdictKind
from goexchange.model.report import (
    DatabaseSummary,
    GuardEvidence,
    Interval,
    LaneReport,
    Report,
    StepLog,
    StepState,
)
from goexchange.report.plan_words import action_words
from goexchange.report.shown import fit, shown
from goexchange.report.units import clock_text, duration_text, size_text, zone_of

WIDTH = 1000.0
_LABEL = 150.0
_ROW = 46.0
_TOP = 12.0
_PLANNED_MAX = 12  # lanes up to which what was planned is outlined too
_LETTER = 6.4  # an upper bound of the width of a letter at 11 pixels, for labels inside bars

KINDS = {
    "prepare": "prepare, look",
    "detect": "detect errors, verify",
    "copy": "copy the set",
    "rebuild": "rebuild",
    "change": "dismount, swap, mount",
    "backup": "online backup, proof",
    "back": "way back",
}
_KIND_OF = {
    Action.DETECT_ERRORS: "detect",
    Action.DETECT_ERRORS_TEMPORARY: "detect",
    Action.VERIFY_SET_ON_HOST: "detect",
    Action.HASH_SET: "detect",
    Action.VERIFY_SET: "detect",
    Action.VERIFY_REBUILT_ON_HOST: "detect",
    Action.HASH_REBUILT: "detect",
    Action.VERIFY_REBUILT: "detect",
    Action.REPAIR_REQUEST: "detect",
    Action.AWAIT_REPAIR_REQUESTS: "detect",
    Action.STORE_INTEGRITY: "detect",
    Action.FIND_DAMAGE: "detect",
    Action.REREAD_SOURCE: "detect",
    Action.CHECK_EVIDENCE: "detect",
    Action.HASH_EVIDENCE: "detect",
    Action.HASH_FOR_REPAIR: "detect",
    Action.COPY_EVIDENCE: "copy",
    Action.SEAL_EVIDENCE: "copy",
    Action.COPY_FOR_REPAIR: "copy",
    Action.REPAIR: "rebuild",
    Action.COPY_SET: "copy",
    Action.COPY_REBUILT: "copy",
    Action.SEAL_REBUILT: "copy",
    Action.EXPORT_CONFIGURATION: "copy",
    Action.SEAL_SET: "copy",
    Action.COPY_MTA: "copy",
    Action.HASH_MTA: "detect",
    Action.CHECK_MTA: "detect",
    Action.STOP_MTA: "change",
    Action.START_MTA: "change",
    Action.SET_COMPONENT: "change",
    Action.BLOCK_ACTIVATION: "change",
    Action.PAUSE_NODE: "change",
    Action.MOVE_ACTIVE: "change",
    Action.TAKE_SERVER_DOWN: "rebuild",
    Action.RESTORE_COMPONENT: "change",
    Action.RESUME_NODE: "change",
    Action.RESTORE_ACTIVATION: "change",
    Action.RETURN_ACTIVE: "change",
    Action.REBUILD: "rebuild",
    Action.DISMOUNT: "change",
    Action.SWAP: "change",
    Action.MOUNT: "change",
    Action.SET_MOUNT_AT_STARTUP: "change",
    Action.RESTORE_MOUNT_AT_STARTUP: "change",
    Action.ONLINE_BACKUP_BEFORE: "backup",
    Action.PROVE_BACKUP_BEFORE: "backup",
    Action.ONLINE_BACKUP: "backup",
    Action.PROVE_BACKUP: "backup",
}
_TICKS_S = (
    1,
    2,
    5,
    10,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    86_400,
)


@frozen(kw_only=True)
class _Scale:
    """Times to places on the page."""

    start: datetime
    seconds: float
    zone: tzinfo

    def x(self, moment: datetime) -> float:
        share = (moment - self.start).total_seconds() / self.seconds
        return _LABEL + (WIDTH - _LABEL - 8) * min(1.0, max(0.0, share))


def timeline(report: Report) -> str | None:
    """The lanes over time as SVG; None when nothing was started.

    Shape: a row per lane with its phases, what was planned as an outline, the time offline as a
    line below, guards as diamonds above. All it shows is in the step log as text too; colours come
    from the styles of the document.
    """
    lanes = [lane for lane in report.lanes if any(step.started_at_utc for step in lane.steps)]
    scale = _scale(report, lanes)
    if scale is None:
        return None
    height = _TOP + len(lanes) * _ROW + 26
    parts = [*_axis(scale, height), *_window(report, scale, height)]
    guards_of: dict[str | None, list[GuardEvidence]] = {}
    for guard in report.guards:
        if guard.at_utc is not None:
            guards_of.setdefault(guard.lane, []).append(guard)
    for at, lane in enumerate(lanes):
        guards = guards_of.get(lane.lane, [])
        has_plan = len(lanes) <= _PLANNED_MAX
        parts.extend(_lane(lane, guards, scale, top=_TOP + at * _ROW, has_plan=has_plan))
    title = f"Timeline of {len(lanes)} lanes" if len(lanes) != 1 else "Timeline"
    return _svg("".join(parts), height, title=title, kind="timeline")


def size_bars(databases: Sequence[DatabaseSummary]) -> str | None:
    """Size and white space before and after as SVG, for databases with both sizes, else None."""
    shown_ones = [
        one
        for one in databases
        if one.state is not None and one.size_before.size_bytes and one.size_after.size_bytes
    ]
    if not shown_ones:
        return None
    largest = max(
        max(one.size_before.size_bytes or 0, one.size_after.size_bytes or 0) for one in shown_ones
    )
    parts: list[str] = []
    for at, one in enumerate(shown_ones):
        top = 6 + at * 52.0
        parts.append(
            _text(0, top + 24, fit(f"{shown(one.server)} / {shown(one.database)}", 22), "name")
        )
        pairs = (
            ("before", one.size_before.size_bytes, one.white_space_before.size_bytes),
            ("after", one.size_after.size_bytes, one.white_space_after.size_bytes),
        )
        for row, (word, size, white) in enumerate(pairs):
            parts.extend(_bar(word, size or 0, white, (top + row * 19, largest)))
    return _svg("".join(parts), 52.0 * len(shown_ones), title="Size before and after", kind="sizes")


def kind_of(step: StepLog) -> str:
    """The kind of a phase, which gives its colour and its place in the legend."""
    if step.is_way_back:
        return "back"
    action = Action(step.action)
    return _KIND_OF.get(action, "prepare")


def _scale(report: Report, lanes: Sequence[LaneReport]) -> _Scale | None:
    moments = [
        moment
        for lane in lanes
        for step in lane.steps
        for moment in (step.started_at_utc, step.ended_at_utc)
        if moment is not None
    ]
    if not moments:
        return None
    zone = zone_of(report.run.window.zone if report.run.window else None)
    seconds = max((max(moments) - min(moments)).total_seconds(), 1.0)
    return _Scale(start=min(moments), seconds=seconds * 1.01, zone=zone)


def _axis(scale: _Scale, height: float) -> Iterator[str]:
    step = next((one for one in _TICKS_S if scale.seconds / one <= 9), _TICKS_S[-1])
    local = scale.start.astimezone(scale.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (local - midnight).total_seconds()
    first = (passed // step + 1) * step - passed
    for at in range(int(scale.seconds // step) + 1):
        moment = scale.start + timedelta(seconds=first + at * step)
        if (moment - scale.start).total_seconds() > scale.seconds:
            return
        x = scale.x(moment)
        text = clock_text(moment, scale.zone)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - 20:.1f}"/>'
        label = text if step < 60 else text[:5]
        place = f'x="{x:.1f}" y="{height - 6:.1f}" text-anchor="middle"'
        yield f'<text class="tick" {place}>{label}</text>'


def _window(report: Report, scale: _Scale, height: float) -> Iterator[str]:
    """What lies outside the window is shaded."""
    window = report.run.window
    if window is None:
        return
    end = scale.start + timedelta(seconds=scale.seconds)
    for start, stop in ((scale.start, window.opens_at_utc), (window.closes_at_utc, end)):
        if start < stop:
            yield _rect("outside", (scale.x(start), 4, scale.x(stop) - scale.x(start), height - 24))
    if window.latest_swap_utc is not None and scale.start <= window.latest_swap_utc <= end:
        x = scale.x(window.latest_swap_utc)
        yield (
            f'<line class="deadline" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - 20:.1f}">'
            "<title>latest swap</title></line>"
        )


def _lane(
    lane: LaneReport, guards: Sequence[GuardEvidence], scale: _Scale, *, top: float, has_plan: bool
) -> Iterator[str]:
    name = (
        shown(lane.server)
        if lane.database is None
        else f"{shown(lane.server)} / {shown(lane.database)}"
    )
    yield _text(0, top + 25, fit(name, 22), "name")
    for step in lane.steps:
        yield from _phase(step, scale, top=top, has_plan=has_plan)
    for interval in lane.offline:
        yield _offline(interval, scale, top=top)
    for guard in guards:
        yield _diamond(guard, scale, top=top)


def _phase(step: StepLog, scale: _Scale, *, top: float, has_plan: bool) -> Iterator[str]:
    if step.started_at_utc is None or step.state is StepState.SKIPPED:
        return
    end = step.ended_at_utc or scale.start + timedelta(seconds=scale.seconds)
    x, width = scale.x(step.started_at_utc), scale.x(end) - scale.x(step.started_at_utc)
    words = action_words(Action(step.action))
    if step.estimate_s and has_plan:
        planned = scale.x(step.started_at_utc + timedelta(seconds=step.estimate_s)) - x
        if planned > 3:
            yield _rect("planned", (x, top + 11, planned, 20))
    state = "" if step.state in (StepState.DONE, StepState.ALREADY) else " bad"
    seconds = (end - step.started_at_utc).total_seconds()
    title = f"{step.number} {words}: {step.state.value.replace('-', ' ')}, {duration_text(seconds)}"
    yield _rect(f"phase {kind_of(step)}{state}", (x, top + 13, max(width, 1.5), 16), title=title)
    if width > len(words) * _LETTER + 8:
        yield _text(x + 5, top + 25, words, "inside")


def _offline(interval: Interval, scale: _Scale, *, top: float) -> str:
    end = interval.end_utc or scale.start + timedelta(seconds=scale.seconds)
    x = scale.x(interval.start_utc)
    seconds = (end - interval.start_utc).total_seconds()
    open_end = "" if interval.end_utc else ", not seen mounted again"
    title = f"offline {duration_text(seconds)}{open_end}"
    line = _rect("offline", (x, top + 34, max(scale.x(end) - x, 1.5), 3.5), title=title)
    if scale.x(end) - x > len(title) * 5.4 + 8:
        line += _text(x + 4, top + 46, title, "small")
    return line


def _diamond(guard: GuardEvidence, scale: _Scale, *, top: float) -> str:
    assert guard.at_utc is not None
    x, y = scale.x(guard.at_utc), top + 5
    verdict = guard.verdict
    title = _escaped(f"guard {shown(verdict.guard)}: {verdict.kind.value}")
    kind = "guard" if verdict.kind is VerdictKind.PASS else "guard no"
    points = (
        f"{x:.1f},{y - 4.5:.1f} {x + 4.5:.1f},{y:.1f} {x:.1f},{y + 4.5:.1f} {x - 4.5:.1f},{y:.1f}"
    )
    return f'<polygon class="{kind}" points="{points}"><title>{title}</title></polygon>'


def _bar(word: str, size: int, white: int | None, place: tuple[float, int]) -> list[str]:
    """The word, the bar, its white space, and what it says."""
    top, largest = place
    room = WIDTH - _LABEL - 270
    whole = room * size / largest if largest else 0
    empty = min(whole, room * (white or 0) / largest) if largest else 0
    left = _LABEL + 52
    parts = [
        _text(_LABEL, top + 12, word, "small"),
        _rect(f"used {word}", (left, top, max(whole - empty, 1), 14)),
    ]
    if empty:
        parts.append(_rect("white", (left + whole - empty, top, empty, 14), title="white space"))
    said = size_text(size) + ("" if white is None else f", {size_text(white)} white space")
    return [*parts, _text(left + whole + 8, top + 12, said, "small")]


def _rect(kind: str, box: tuple[float, float, float, float], *, title: str | None = None) -> str:
    x, y, width, height = box
    inner = f"<title>{_escaped(title)}</title>" if title else ""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}">'
        f"{inner}</rect>"
    )


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{_escaped(text)}</text>'


def _svg(content: str, height: float, *, title: str, kind: str) -> str:
    return (
        f'<svg class="{kind}" role="img" aria-label="{_escaped(title)}"'
        f' viewBox="0 0 {WIDTH:.0f} {height:.0f}"'
        f' xmlns="http://www.w3.org/2000/svg">{content}</svg>'
    )


def _escaped(text: str) -> str:
    return escape(shown(text), quote=True)


def history_bars(values: Sequence[tuple[str, int, int | None]]) -> str:
    """Size and white space over time as SVG; each value is its day, the size, the white space."""
    largest = max(size for _, size, _ in values)
    parts: list[str] = []
    for at, (day, size, white) in enumerate(values):
        top = 4 + at * 19.0
        parts.append(_text(0, top + 12, day, "small"))
        parts.extend(_bar("after", size, white, (top, largest))[1:])
    return _svg("".join(parts), 19.0 * len(values) + 8, title="Sizes over time", kind="sizes")
