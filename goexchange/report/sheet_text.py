"""A sheet as plain text, 80 columns by default: verdict and commands first."""

from __future__ import annotations

from goexchange.model.sheet import Cell, Chapter, Grid, Sheet, Tone
from goexchange.report.ink import Ink, Role
from goexchange.report.shown import columns, pad, shown, shown_lines, wrap
from goexchange.report.table import Column, Frame, Row, table

_ROLES = {
    Tone.GOOD: Role.GOOD,
    Tone.ATTENTION: Role.ATTENTION,
    Tone.BAD: Role.BAD,
    Tone.PLAIN: Role.PLAIN,
}
_LABEL = 16
_OUTPUT_MAX = 1_200


def render_sheet_text(sheet: Sheet, *, width: int = 80, colour: bool = False) -> str:
    """The sheet as text that ends in a line break."""
    frame = Frame(width=max(60, width), indent=0, ink=Ink(is_on=colour))
    lines = _pair(sheet.word, sheet.headline, frame, _ROLES[sheet.tone])
    for mend in sheet.mends:
        lines += ["", *(frame.ink(f"! {one}", Role.BAD) for one in wrap(shown(mend.title), 78))]
        lines += [f"  {one}" for one in wrap(shown(mend.why), frame.width - 2)]
        # A command is never wrapped: it is there to be copied.
        lines += [f"    {shown(command)}" for command in mend.commands]
    lines.append("")
    for fact in sheet.facts:
        lines += _pair(fact.label, fact.text, frame)
    lines += ["", *_grid(sheet.table, frame)]
    for chapter in sheet.chapters:
        lines += _chapter(chapter, frame)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _chapter(chapter: Chapter, frame: Frame) -> list[str]:
    title = shown(chapter.title)
    fill = "-" * max(0, frame.width - columns(title) - 1)
    lines = ["", f"{frame.ink(title, Role.HEADING)} {frame.ink(fill, Role.FAINT)}"]
    for text in chapter.lines:
        lines += wrap(shown(text), frame.width)
    if chapter.grid is not None:
        lines += _grid(chapter.grid, frame)
    if chapter.output:
        tail = shown_lines(chapter.output, limit=_OUTPUT_MAX).split("\n")
        lines += [f"    {part}" for line in tail for part in wrap(line, frame.width - 4)]
    return lines


def _grid(grid: Grid, frame: Frame) -> list[str]:
    if not grid.rows:
        return [*wrap(shown(grid.caption), frame.width), "none"]
    longest = [
        max(columns(_text(row[at])) for row in grid.rows) for at in range(len(grid.headings))
    ]
    widest = longest.index(max(longest))
    column_list = tuple(
        Column(heading=heading.text, is_right=heading.is_number, is_flexible=at == widest)
        for at, heading in enumerate(grid.headings)
    )
    rows = [
        Row(cells=tuple(map(_text, row)), roles=tuple(_ROLES[one.tone] for one in row))
        for row in grid.rows
    ]
    return table(column_list, rows, frame)


def _text(one: Cell) -> str:
    return shown(f"{one.text} ({one.note})" if one.note and one.text else one.text or one.note)


def _pair(label: str, text: str, frame: Frame, role: Role = Role.PLAIN) -> list[str]:
    head = shown(label)
    indent = max(_LABEL, columns(head) + 1)
    parts = wrap(shown(text), max(20, frame.width - indent))
    heads = (head, *("" for _ in parts))
    return [
        pad(one, indent) + frame.ink(part, role) for one, part in zip(heads, parts, strict=False)
    ]
