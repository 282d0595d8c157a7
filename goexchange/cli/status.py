"""The verbs `status` and `watch`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console

if TYPE_CHECKING:
    from goexchange.app.standing import StoreView
    from goexchange.report.standing import RunSeen, Standing

Obj = tuple[Console, dict[str, Any]]
REDRAW_S = 0.25
LOOK_S = 1.0  # how often files are read again


@click.command("status")
@click.argument("run", required=False)
@click.pass_obj
def status(obj: Obj, run: str | None) -> None:
    """Show what runs, who holds which lease, and what waits for a person; or one RUN.

    Reads the store, from any machine that sees it; no host is asked. Databases that a run left
    down or unprotected are named every time, until a later run mends them.
    """
    from goexchange.app.standing import StoreView
    from goexchange.report.ink import Ink
    from goexchange.report.standing import standing_plain, standing_text

    console, options = obj
    seen = StoreView(loading.configuration(options)).standing(run)
    console.data(standing_text(seen, width=console.width, ink=Ink(is_on=console.has_colour)))
    console.document(standing_plain(seen))


@click.command("watch")
@click.argument("run", required=False)
@click.pass_obj
def watch(obj: Obj, run: str | None) -> int:
    """Follow RUN until it ends, or the whole store until Ctrl-C; from any machine that sees the
    store.

    On a terminal the view is redrawn, elsewhere there is a line for each event. Reads the store.
    With --json the one document comes at the end.
    """
    from goexchange.app.standing import StoreView
    from goexchange.report.standing import standing_plain

    console, options = obj
    view = StoreView(loading.configuration(options))
    name = view.standing(run).runs[0].id if run is not None else None
    is_live = console.is_terminal and not console.is_json and not console.is_quiet
    seen = _redrawn(view, name, console) if is_live else _lines(view, name, console)
    console.document(standing_plain(seen))
    return 0


def _is_over(seen: Standing, name: str | None) -> bool:
    from goexchange.model.standing import Life

    return name is not None and seen.runs[0].life in (Life.ENDED, Life.GONE)


def _redrawn(view: StoreView, name: str | None, console: Console) -> Standing:
    from rich.console import Console as RichConsole
    from rich.live import Live
    from rich.text import Text

    from goexchange.report.standing import standing_text

    screen = RichConsole(stderr=True, highlight=False, markup=False)
    with Live(console=screen, auto_refresh=False, transient=True) as live:
        while True:
            seen = view.standing(name)
            looked = time.monotonic()
            while time.monotonic() - looked < LOOK_S:
                text = standing_text(seen, width=console.width)
                live.update(Text(text, overflow="ellipsis", no_wrap=True), refresh=True)
                if _is_over(seen, name):
                    break
                time.sleep(REDRAW_S)
            if _is_over(seen, name):
                break
    console.data(standing_text(seen, width=console.width))
    return seen


def _lines(view: StoreView, name: str | None, console: Console) -> Standing:
    """A line for each event that is new since the last look, and how it stands at both ends."""
    from goexchange.report.standing import standing_text

    seen = view.standing(name)
    console.words(standing_text(seen, width=console.width))
    told = {run.id: _last(run) for run in seen.runs}
    while True:
        for run in seen.runs:
            _tell(view, run, told, console, is_named=name is None)
        if _is_over(seen, name):
            console.data(standing_text(seen, width=console.width))
            return seen
        time.sleep(LOOK_S)
        seen = view.standing(name)


def _last(run: RunSeen) -> int:
    return run.state.last.sequence if run.state.last else 0


def _tell(
    view: StoreView, run: RunSeen, told: dict[str, int], console: Console, *, is_named: bool
) -> None:
    from goexchange.report.progress import pipeline_line, steps_by_id

    before = told.get(run.id, 0)
    steps = steps_by_id(run.plan) if run.plan else {}
    for record in view.records(run.id):
        line = pipeline_line(record, steps) if record.sequence > before else None
        if line is not None:
            console.words(f"{run.id}  {line}" if is_named else line)
    told[run.id] = max(before, _last(run))
