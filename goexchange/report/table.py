"""Plain tables of a given width: one column takes what is left and wraps."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from goexchange.report.ink import Ink, Role
from goexchange.report.shown import columns, fit, pad, wrap


@frozen(kw_only=True)
class Column:
    """One column: its heading, its side, and how wide it may become at most (0: no limit)."""

    heading: str = ""
    is_right: bool = False
    width_max: int = 0
    is_flexible: bool = False  # takes the remaining width; exactly one column of a table should


@frozen(kw_only=True)
class Row:
    """One row: a cell per column, and the role each is painted in.

    `spanning` is text that begins at the column `spanning_from` and takes the rest of the line.
    """

    cells: tuple[str, ...]
    roles: tuple[Role, ...] = ()
    spanning: str | None = None
    spanning_from: int = 0


@frozen(kw_only=True)
class Frame:
    """Where a table stands: total width, indentation, the space between columns, and the ink."""

    width: int
    indent: int = 2
    gap: int = 2
    ink: Ink = Ink()


FLEXIBLE_MIN = 12


def table(column_list: Sequence[Column], rows: Sequence[Row], frame: Frame) -> list[str]:
    """The lines of a table, none wider than the frame; without a heading when no column has one."""
    widths = _widths(column_list, rows, frame)
    lines: list[str] = []
    if any(column.heading for column in column_list):
        heading = Row(
            cells=tuple(column.heading for column in column_list),
            roles=(Role.FAINT,) * len(column_list),
        )
        lines.extend(_row_lines(heading, column_list, widths, frame))
    for row in rows:
        lines.extend(_row_lines(row, column_list, widths, frame))
    return lines


def _widths(column_list: Sequence[Column], rows: Sequence[Row], frame: Frame) -> list[int]:
    """The width of each column; the widest give way when the flexible one has too little."""
    wanted = [columns(column.heading) for column in column_list]
    for row in rows:
        shown_cells = row.cells if row.spanning is None else row.cells[: row.spanning_from]
        for at, cell in enumerate(shown_cells):
            wanted[at] = max(wanted[at], columns(cell))
    for at, column in enumerate(column_list):
        if column.width_max:
            wanted[at] = min(wanted[at], max(column.width_max, columns(column.heading)))
    total = frame.width - frame.indent - frame.gap * (len(column_list) - 1)
    flexible = [at for at, column in enumerate(column_list) if column.is_flexible]
    fixed = [at for at in range(len(wanted)) if at not in flexible]
    reserve = FLEXIBLE_MIN * len(flexible)
    while sum(wanted[at] for at in fixed) > total - reserve:
        widest = max(fixed, key=lambda at: wanted[at])
        if wanted[widest] <= 4:
            break
        wanted[widest] -= 1
    for at in flexible:
        wanted[at] = max(FLEXIBLE_MIN, total - sum(wanted[other] for other in fixed))
    return wanted


def _row_lines(
    row: Row, column_list: Sequence[Column], widths: list[int], frame: Frame
) -> list[str]:
    if row.spanning is not None:
        return _spanning_lines(row, column_list, widths, frame)
    cells = [
        wrap(cell, widths[at]) if columns(cell) > widths[at] else (cell,)
        for at, cell in enumerate(row.cells)
    ]
    return [
        _line(
            [cell[at] if at < len(cell) else "" for cell in cells],
            row,
            (column_list, widths, frame),
        )
        for at in range(max(len(cell) for cell in cells))
    ]


def _spanning_lines(
    row: Row, column_list: Sequence[Column], widths: list[int], frame: Frame
) -> list[str]:
    assert row.spanning is not None
    first = row.spanning_from
    before = frame.indent + sum(widths[:first]) + frame.gap * first
    lines: list[str] = []
    for at, text in enumerate(wrap(row.spanning, max(FLEXIBLE_MIN, frame.width - before))):
        head = [fit(cell, widths[i]) if at == 0 else "" for i, cell in enumerate(row.cells[:first])]
        start = _line(head, row, (column_list[:first], widths[:first], frame)) if at == 0 else ""
        bare = (
            columns(_line(head, row, (column_list[:first], widths[:first], _bare(frame))))
            if at == 0
            else 0
        )
        lines.append(f"{start}{' ' * (before - bare)}{text}")
    return lines


def _bare(frame: Frame) -> Frame:
    return Frame(width=frame.width, indent=frame.indent, gap=frame.gap)


def _line(
    cells: Sequence[str], row: Row, setting: tuple[Sequence[Column], Sequence[int], Frame]
) -> str:
    column_list, widths, frame = setting
    parts: list[str] = []
    last = max((at for at, cell in enumerate(cells) if cell), default=-1)
    for at in range(last + 1):
        role = row.roles[at] if at < len(row.roles) else Role.PLAIN
        right = column_list[at].is_right
        width = widths[at] if right or at < last else 0
        parts.append(frame.ink(pad(cells[at], width, right=right), role))
    return " " * frame.indent + (" " * frame.gap).join(parts) if parts else ""
