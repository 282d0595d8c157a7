"""The verb `validate`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console, diagnostic_plain, diagnostic_text
from goexchange.errors import ExitCode

FORMATS = ("text", "json", "github", "gitlab", "azure", "junit")
WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY")


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How a pipeline wants it; annotations come with the text beside them on standard error.",
)
@click.pass_obj
def validate(obj: tuple[Console, dict[str, Any]], paths: tuple[str, ...], form: str) -> int:
    """Check all documents offline: every error of every file at once, contradictions between them
    too.

    PATHS are files or folders; without any, the configuration, inventory, specifications and
    policies of the working folder.
    Reads files only; needs no credentials.
    """
    console, options = obj
    checked = loading.validate(paths, loading.configuration(options))
    _print(checked, form, console)
    errors = sum(each.severity.value == "error" for each in checked.diagnostics)
    warnings = len(checked.diagnostics) - errors
    console.words(
        f"{len(checked.files)} files, {checked.documents} documents: "
        f"{errors} errors, {warnings} warnings"
    )
    return int(ExitCode.INVALID if errors else ExitCode.OK)


def _print(checked: loading.Checked, form: str, console: Console) -> None:
    plain = {
        "files": list(checked.files),
        "documents": checked.documents,
        "diagnostics": [diagnostic_plain(each) for each in checked.diagnostics],
    }
    if console.is_json:
        console.document(plain)
    elif form == "json":
        sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
    elif form == "text":
        width = console.width if sys.stdout.isatty() else None
        for diagnostic in checked.diagnostics:
            console.data(diagnostic_text(diagnostic, width=width))
    else:
        from goexchange.report.annotations import RENDERERS, Findings

        files = {each.place.file for each in checked.diagnostics if each.place}
        findings = Findings(
            files=checked.files,
            diagnostics=checked.diagnostics,
            paths={file: _in_repository(file) for file in (*checked.files, *files)},
        )
        text = RENDERERS[form](findings)
        if text:
            console.data(text)
        for diagnostic in checked.diagnostics:
            console.words(diagnostic_text(diagnostic))


def _in_repository(file: str) -> str:
    """The file as the pipeline's repository calls it, whatever folder the verb works in."""
    for variable in WORKSPACES:
        workspace = os.environ.get(variable)
        if workspace:
            path, root = Path(file).resolve(), Path(workspace).resolve()
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
    return file
