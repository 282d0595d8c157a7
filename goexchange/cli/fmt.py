"""The verb `fmt`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.errors import ExitCode


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--check", "is_check", is_flag=True, help="Write nothing; 10 when a file would change."
)
@click.pass_obj
def fmt(obj: tuple[Console, dict[str, Any]], paths: tuple[str, ...], is_check: bool) -> int:
    """Bring documents into canonical form: two spaces per level, no spare blanks, comments kept.

    PATHS are files or folders; without any, all documents of the working folder. What documents
    say, the order of keys and every comment stay as they are; a file for which that cannot be
    kept is refused and left alone.
    Writes the files, unless only asked with --check.
    """
    from goexchange.app.formatting import format_documents

    console, options = obj
    found = format_documents(paths, loading.configuration(options), is_check=is_check)
    changed = [each for each in found if each.diff]
    for each in changed:
        console.data(each.diff if is_check else each.file)
    console.document(
        {
            "files": [each.file for each in found],
            "changed": [each.file for each in changed],
            "written": not is_check,
        }
    )
    word = "would change" if is_check else "changed"
    console.words(f"{len(found)} files: {len(changed)} {word}")
    return int(ExitCode.INVALID if is_check and changed else ExitCode.OK)
