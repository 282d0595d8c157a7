"""The verb `history`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.selection import chosen_servers

if TYPE_CHECKING:
    from goexchange.app.history import WorkHistory


@click.command("history")
@click.argument("servers", nargs=-1, metavar="[SERVER]...")
@click.option("--runs", "with_runs", is_flag=True, help="Also every single measurement.")
@click.pass_obj
def history(obj: tuple[Console, dict[str, Any]], servers: tuple[str, ...], with_runs: bool) -> None:
    """Show how long work took in earlier runs on SERVER, and what is estimated from that.

    From the journals of the store; what the hosts remember themselves comes with an observation
    and is in the plan. Fewer than three runs count as none: then twice the stated rate is planned.
    """
    from goexchange.app.history import stored_history, summarised
    from goexchange.codec import to_plain

    console, options = obj
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    chosen = chosen_servers(inventory, servers) if servers else ()
    found = summarised(stored_history(Path(settings.store), chosen), inventory)
    console.data("\n".join(_lines(found, with_runs, console)) if found else "No run has measured.")
    console.document([to_plain(each) for each in found])


def _lines(found: tuple[WorkHistory, ...], with_runs: bool, console: Console) -> list[str]:
    from goexchange.report.table import Column, Frame, Row, table
    from goexchange.report.units import duration_text, moment_text, rate_text, size_text
    from goexchange.schedule.history import FIXED_S

    columns = (
        Column(heading="server"),
        Column(heading="work"),
        Column(heading="runs", is_right=True),
        Column(heading="size", is_right=True),
        Column(heading="p50", is_right=True),
        Column(heading="p90", is_right=True),
        Column(heading="estimated from", is_flexible=True),
    )
    rows = []
    for each in found:
        rows.append(
            Row(
                cells=(
                    f"{each.server} {each.volume.rstrip(chr(92))}",
                    each.work.value,
                    str(each.earlier_runs),
                    size_text(each.size_bytes) if each.size_bytes else "",
                    duration_text(each.p50_s),
                    duration_text(each.p90_s),
                    each.source,
                )
            )
        )
        for one in each.measurements if with_runs else ():
            timing = one.timing
            rate = (
                "" if each.work in FIXED_S else f", {rate_text(timing.size_bytes / timing.seconds)}"
            )
            text = f"{moment_text(timing.at_utc)} {one.database}: {timing.seconds:g} s{rate}"
            rows.append(Row(cells=("",), spanning=f"{text}, run {timing.run}", spanning_from=1))
    return table(columns, rows, Frame(width=console.width, indent=0))
