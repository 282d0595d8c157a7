"""The verb `config`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console


@click.group("config")
def config() -> None:
    """The settings in force."""


@config.command("show")
@click.option("--origin", is_flag=True, help="Also say where each value comes from.")
@click.pass_obj
def show(obj: tuple[Console, dict[str, Any]], origin: bool) -> None:
    """Print every setting; secrets are references and never resolved here."""
    console, options = obj
    settings = loading.configuration(options).settings
    width = max(len(setting.name) for setting in settings)
    value_width = max(len(setting.value) for setting in settings)
    for setting in settings:
        source = f"  {setting.origin.value}: {setting.source}" if origin else ""
        console.data(f"{setting.name:<{width}}  {setting.value:<{value_width}}{source}".rstrip())
    console.document(
        [
            {
                "name": each.name,
                "value": each.value,
                "origin": each.origin.value,
                "source": each.source,
            }
            for each in settings
        ]
    )
