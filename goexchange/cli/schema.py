"""The verb `schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from goexchange import resources
from goexchange.cli.console import Console
from goexchange.errors import UsageError


@click.command("schema")
@click.argument("kind", required=False)
@click.option("--out", "folder", metavar="DIR", help="Write the schemas as files into DIR.")
@click.pass_obj
def schema(obj: tuple[Console, dict[str, Any]], kind: str | None, folder: str | None) -> None:
    """Print the JSON Schema of KIND (specification, inventory, ...), or list the kinds."""
    console = obj[0]
    kinds = resources.schema_kinds()
    if kind is not None and kind not in kinds:
        raise UsageError(f"there is no schema '{kind}'; there are: {', '.join(kinds)}")
    if folder is not None:
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for name in (kind,) if kind else kinds:
            (target / f"{name}.v1.json").write_text(resources.schema_text(name), "utf-8")
        console.words(f"{1 if kind else len(kinds)} schemas written to {target}")
        console.document({"folder": str(target), "kinds": [kind] if kind else list(kinds)})
    elif kind is not None:
        text = resources.schema_text(kind)
        console.data(text)
        console.document(json.loads(text))
    else:
        console.data("\n".join(kinds))
        console.document(list(kinds))
