"""The verbs `trend` and `site`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange import codec
from goexchange.app import loading
from goexchange.cli.console import Console


@click.command("trend")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "json"]),
    default="text",
    show_default=True,
)
@click.pass_obj
def trend(obj: tuple[Console, dict[str, Any]], form: str) -> None:
    """What all runs of the store say together: success, sizes, time offline by month, rates.

    Reads the store's journals; no network.
    """
    import json

    from goexchange.app import across
    from goexchange.report.trend import render_trend, render_trend_csv

    console, options = obj
    made = across.trend(loading.configuration(options), console.words)
    plain = codec.to_plain(made)
    if form == "csv":
        console.data(render_trend_csv(made))
    elif form == "json":
        console.data(json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False))
    else:
        console.data(render_trend(made, width=console.width, colour=console.has_colour))
    console.document(plain)


@click.command("site")
@click.option("--out", "folder", metavar="DIR", help="Where to write it (default: OUTPUT/site).")
@click.pass_obj
def site(obj: tuple[Console, dict[str, Any]], folder: str | None) -> None:
    """A static site of all runs of the store: open index.html, or put the folder on a server.

    Reads the store's journals and writes the folder; no network.
    """
    from goexchange.app import across

    console, options = obj
    settings = loading.configuration(options)
    target = Path(folder) if folder else Path(settings.output_folder) / "site"
    written = across.write_site(settings, target, console.words)
    console.data(f"{written[0]}  and {len(written) - 1} files of {(len(written) - 1) // 2} runs")
    console.document({"index": str(written[0]), "files": [str(path) for path in written]})
