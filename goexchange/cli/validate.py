"""The verb `validate`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console, diagnostic_plain, diagnostic_text
from goexchange.errors import ExitCode


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@click.pass_obj
def validate(obj: tuple[Console, dict[str, Any]], paths: tuple[str, ...]) -> int:
    """Check specifications, inventory and configuration offline: every error of every file at once.

    PATHS are files or folders; without any, the configuration, inventory and specifications of the
    working folder.
    Reads files only; needs no credentials.
    """
    console, options = obj
    checked = loading.validate(paths, loading.configuration(options))
    for diagnostic in checked.diagnostics:
        console.data(diagnostic_text(diagnostic))
    console.document(
        {
            "files": list(checked.files),
            "documents": checked.documents,
            "diagnostics": [diagnostic_plain(each) for each in checked.diagnostics],
        }
    )
    errors = sum(each.severity.value == "error" for each in checked.diagnostics)
    warnings = len(checked.diagnostics) - errors
    console.words(
        f"{len(checked.files)} files, {checked.documents} documents: "
        f"{errors} errors, {warnings} warnings"
    )
    return int(ExitCode.INVALID if errors else ExitCode.OK)
