"""A sheet as Markdown: verdict and table whole, chapters folded, bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from goexchange.model.sheet import Cell, Chapter, Grid, Sheet, SheetKind
from goexchange.report.plan_markdown import folded, markdown_table, markdown_text
from goexchange.report.shown import shown_lines

MAX_BYTES = 990_000
_OUTPUT_MAX = 1_200


def marker(kind: SheetKind) -> str:
    """The hidden line that finds the comment which is to be replaced."""
    return f"<!-- goexchange:{kind.value} -->"


def render_sheet_markdown(sheet: Sheet, *, max_bytes: int = MAX_BYTES) -> str:
    """The sheet as Markdown of at most `max_bytes`; chapters are dropped from the end.

    Shape: what was dropped is said. Verdict, commands and table stay whole even where they are
    longer.
    """
    whole = "\n\n".join([marker(sheet.kind), *_head(sheet)])
    details = [folded(markdown_text(each.title), _chapter(each)) for each in sheet.chapters]
    for kept in range(len(details), -1, -1):
        dropped = len(details) - kept
        parts = [whole, *details[:kept]]
        if dropped:
            parts.append(
                f"_{dropped} of {len(details)} chapters left out to stay within"
                f" {max_bytes:,} bytes._"
            )
        text = "\n\n".join(parts) + "\n"
        if len(text.encode()) <= max_bytes:
            return text
    return text


def _head(sheet: Sheet) -> Iterator[str]:
    title = f"{sheet.kind.value} {sheet.subject}: {sheet.word}"
    yield f"### goexchange {markdown_text(title)}"
    yield f"**{markdown_text(sheet.headline)}**"
    for mend in sheet.mends:
        yield f"**{markdown_text(mend.title)}**: {markdown_text(mend.why)}"
        if mend.commands:
            yield _code("\n".join(mend.commands))
    rows = [[markdown_text(one.label), markdown_text(one.text)] for one in sheet.facts]
    yield markdown_table(("", ""), rows)
    yield _grid(sheet.table)


def _chapter(chapter: Chapter) -> str:
    parts = [markdown_text(line) for line in chapter.lines]
    if chapter.grid is not None:
        parts.append(_grid(chapter.grid))
    if chapter.output:
        printed = escape(shown_lines(chapter.output, limit=_OUTPUT_MAX), quote=False)
        parts.append(f"<pre>\n{printed}\n</pre>")
    return "\n\n".join(parts) or "none"


def _grid(grid: Grid) -> str:
    if not grid.rows:
        return f"{markdown_text(grid.caption)}: none"
    headings = [markdown_text(one.text) for one in grid.headings]
    rule = ["--:" if one.is_number else "---" for one in grid.headings]
    rows = [[_cell(one) for one in row] for row in grid.rows]
    lines = [" | ".join(line) for line in (headings, rule, *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(one: Cell) -> str:
    if one.note and one.text:
        return f"{markdown_text(one.text)}<br>{markdown_text(one.note)}"
    return markdown_text(one.text or one.note)


def _code(text: str) -> str:
    """A block of code that no text in it can end: each line is indented, as Markdown has it."""
    return "\n".join(f"    {line}" for line in shown_lines(text).split("\n"))
