"""What is shown while a run goes on: a view redrawn in place on a terminal, a line per event
elsewhere.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from goexchange.cli.console import Console
from goexchange.journal.replay import RunState, fold
from goexchange.model.plan import Plan
from goexchange.model.run import Record, RecordKind
from goexchange.report.progress import (
    heartbeat_lines,
    live_head,
    live_rows,
    pipeline_line,
    steps_by_id,
)

if TYPE_CHECKING:
    from rich.console import Group

REDRAW_S = 0.25
HEARTBEAT_S = 60.0


class LineView:
    """A line per event, and one heartbeat a minute per running step."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._steps = steps_by_id(plan)
        self._state = RunState()
        self._spoke = time.monotonic()

    def show(self, record: Record) -> None:
        """Take a record that is safely on the disk."""
        self._state = fold(self._state, record)
        line = pipeline_line(record, self._steps)
        if line is not None:
            self._console.still_words(line, **_about(record))
            self._spoke = time.monotonic()

    def tick(self) -> None:
        """Time goes by."""
        if time.monotonic() - self._spoke >= HEARTBEAT_S:
            self._spoke = time.monotonic()
            for line in heartbeat_lines(self._plan, self._state, datetime.now(UTC)):
                self._console.still_words(line)

    def close(self) -> None:
        """Nothing is left on the screen."""


def _about(record: Record) -> dict[str, Any]:
    """What a program that collects logs wants to select by."""
    names = ("run", "lane", "step", "server", "outcome", "state", "event", "exit_code")
    found = {name: record.data[name] for name in names if name in record.data}
    return {"kind": record.kind.value, "sequence": record.sequence, **found}


class LiveView:
    """Events scroll by; below them one line per lane is redrawn, at most four times a second."""

    def __init__(self, plan: Plan, console: Console) -> None:
        from rich.console import Console as RichConsole
        from rich.live import Live

        self._plan = plan
        self._steps = steps_by_id(plan)
        self._state = RunState()
        self._screen = RichConsole(stderr=True, highlight=False, markup=False)
        self._live = Live(console=self._screen, auto_refresh=False, transient=True)
        self._live.start()
        self._drawn = 0.0

    def show(self, record: Record) -> None:
        """Take a record that is safely on the disk."""
        self._state = fold(self._state, record)
        line = pipeline_line(record, self._steps)
        if line is not None and record.kind is not RecordKind.PROGRESS:
            with suppress(OSError):  # the terminal is gone; the run is not
                self._screen.print(line)
        self.tick()

    def tick(self) -> None:
        """Redraw when it is time."""
        if time.monotonic() - self._drawn >= REDRAW_S:
            self._drawn = time.monotonic()
            with suppress(OSError):
                self._live.update(self._picture(), refresh=True)

    def close(self) -> None:
        """Take the view away; the events stay."""
        with suppress(OSError):
            self._live.stop()

    def _picture(self) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        now = datetime.now(UTC)
        head = live_head(self._plan, self._state, now)
        line = f"elapsed {head.elapsed} · to go: {head.time_left} · window {head.window_left}"
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for row in live_rows(self._plan, self._state, now):
            share = "" if row.done_share is None else f"{row.done_share:.0%}"
            table.add_row(row.title, row.phase, share, row.amount, row.rate, row.elapsed, row.limit)
        return Group(Text(line, style="bold", overflow="ellipsis", no_wrap=True), table)
