"""The verb `window`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.moment import moment_option

if TYPE_CHECKING:
    from goexchange.app.windows import Opening


@click.group("window")
def window() -> None:
    """The maintenance windows of the inventory."""


@window.command("next")
@click.argument("specs", nargs=-1, type=click.Path())
@click.option("--count", default=3, show_default=True, type=click.IntRange(1, 100), metavar="N")
@click.option("--at", "moment", metavar="TIME", help="As of TIME (RFC 3339 with zone).")
@click.pass_obj
def next_(
    obj: tuple[Console, dict[str, Any]], specs: tuple[str, ...], count: int, moment: str | None
) -> None:
    """List the next openings of the windows of SPECS; of every window without any.

    Times are in the window's zone and in UTC; lengths are elapsed time, clock changes counted.
    Declared work of others on the servers is named: a plan whose outage meets it is refused.
    """
    from goexchange.app.windows import next_openings
    from goexchange.codec import to_plain

    console, options = obj
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    chosen = loading.specifications(specs, settings, inventory) if specs else ()
    now = moment_option(moment) or datetime.now(UTC)
    found = next_openings(inventory, chosen, now=now, count=count)
    console.data("\n".join(_lines(found, now, console)))
    console.document(
        [
            {
                "window": each.occurrence.window,
                "zone": each.occurrence.zone,
                "opens_at_utc": to_plain(each.occurrence.opens_at_utc),
                "closes_at_utc": to_plain(each.occurrence.closes_at_utc),
                "length_s": each.occurrence.length_s,
                "days": each.occurrence.days,
                "is_endless": each.occurrence.is_endless,
                "is_open": each.occurrence.contains(now),
                "is_changed_by_clock": each.is_changed_by_clock,
                "other_work": to_plain(each.work),
            }
            for each in found
        ]
    )


def _lines(found: tuple[Opening, ...], now: datetime, console: Console) -> list[str]:
    from itertools import groupby

    from goexchange.report.table import Column, Frame, Row, table
    from goexchange.report.units import duration_text, minute_text, zone_of

    columns = (
        Column(heading="opens"),
        Column(heading="closes"),
        Column(heading="UTC"),
        Column(heading="length", is_right=True),
        Column(heading="", is_flexible=True),
    )
    lines: list[str] = []
    for (name, zone_name), openings in groupby(
        found, key=lambda each: (each.occurrence.window, each.occurrence.zone)
    ):
        zone = zone_of(zone_name)
        rows = [
            Row(
                cells=(
                    minute_text(each.occurrence.opens_at_utc, zone),
                    minute_text(each.occurrence.closes_at_utc, zone),
                    f"{each.occurrence.opens_at_utc:%H:%M}-{each.occurrence.closes_at_utc:%H:%M}",
                    duration_text(each.occurrence.length_s),
                    _remarks(each, now),
                )
            )
            for each in openings
        ]
        lines += [f"{name} · {zone_name}", *table(columns, rows, Frame(width=console.width))]
    return lines


def _remarks(each: Opening, now: datetime) -> str:
    from goexchange.report.units import duration_text, minute_text, zone_of

    said = []
    if each.occurrence.contains(now):
        said.append(f"open now, {duration_text(each.occurrence.left_s(now))} left")
    if each.occurrence.is_endless:
        said.append("never closes: told for another week")
    elif each.occurrence.days > 1:
        said.append(f"{each.occurrence.days} openings that touch: one")
    if each.is_changed_by_clock:
        said.append(f"the clocks change: {duration_text(each.usual_length_s)} on the clock")
    zone = zone_of(each.occurrence.zone)
    said += [
        f"! {work.name} on {work.server} from {minute_text(work.begins_at_utc, zone)}"
        for work in each.work
    ]
    return "; ".join(said)
