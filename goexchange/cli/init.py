"""The verb `init`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange.app.starting import PIPELINES, start_repository
from goexchange.cli.console import Console


@click.command("init")
@click.option(
    "--ci",
    "pipeline",
    type=click.Choice(sorted(PIPELINES)),
    help="Also a pipeline: validate and plan on a pull request, apply by hand, look every night.",
)
@click.pass_obj
def init(obj: tuple[Console, dict[str, Any]], pipeline: str | None) -> None:
    """Write the files of a new repository into the working folder: configuration, inventory, a
    specification and its test, schemas and settings for editors.

    A file that exists is never touched. Writes files only.
    """
    console = obj[0]
    started = start_repository(Path(), pipeline=pipeline)
    for name in started.written:
        console.data(f"written  {name}")
    for name in started.kept:
        console.data(f"kept     {name} (it was there)")
    console.document({"written": list(started.written), "kept": list(started.kept)})
    console.words("Next: put your servers into inventory/site.yaml, then goexchange validate")
