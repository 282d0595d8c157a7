"""The verb `restore`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.cli.verify import Progress
from goexchange.errors import UsageError

ELSEWHERE = ("recovery-database", "original")


@click.command("restore")
@click.argument("set_folder", metavar="SET", type=click.Path())
@click.option("--to", "target", required=True, metavar="PATH", help="A new or empty folder.")
@click.pass_obj
def restore(obj: tuple[Console, dict[str, Any]], set_folder: str, target: str) -> None:
    """Copy the database and logs of SET to a folder, after verifying the set; verify the copy.

    Writes that folder only, and touches no host. The set's checkpoint is left out: beside a
    restored database it would start recovery at the wrong place.
    """
    from goexchange.app.restoring import restore_to_path

    console = obj[0]
    if target in ELSEWHERE:
        raise UsageError(
            f"--to {target}: this version restores to a folder only (./{target} is one); "
            "mount the restored file as a recovery database with Exchange's own commands"
        )
    progress = Progress(console)
    restored = restore_to_path(set_folder, target, progress=progress)
    progress.clear()
    for each in restored.files:
        console.data(f"  = {each.path}  {each.size_bytes:,} bytes  {each.sha256}")
    for each in restored.left_out:
        console.data(f"  - {each.path}  left out: {each.reason}")
    console.data(restored.verification.text)
    console.document(
        {
            "folder": restored.folder,
            "files": [each.path for each in restored.files],
            "left_out": [each.path for each in restored.left_out],
            "verification": restored.verification.plain,
        }
    )
