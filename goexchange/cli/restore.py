"""The verb `restore`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.errors import UsageError

RECOVERY_DATABASE, ORIGINAL = "recovery-database", "original"
ELSEWHERE = (RECOVERY_DATABASE, ORIGINAL)


@click.command("restore")
@click.argument("set_folder", metavar="SET", type=click.Path())
@click.option(
    "--to",
    "target",
    default=RECOVERY_DATABASE,
    metavar="recovery-database|original|PATH",
    help="A recovery database (the default), the database's own place, or a new folder here.",
)
@click.option("--until", metavar="TIME", help="Replay the set's logs up to TIME (RFC 3339).")
@click.option(
    "--server",
    metavar="NAME",
    help="The server that SET lies on; or, of a set on a share, to restore on.",
)
@click.option("--name", metavar="NAME", help="Name of the recovery database.")
@click.option("--folder", metavar="PATH", help="Folder on the server for a recovery database.")
@click.option("--out", "file", metavar="FILE", help="Save the plan; apply runs exactly this file.")
@click.pass_obj
def restore(
    obj: tuple[Console, dict[str, Any]], /, set_folder: str, target: str, **given: Any
) -> int | None:
    """Restore SET: to a server by a plan that is approved and applied, or to a folder here.

    For a server SET is named as this machine or as the server sees it, and what comes of it is a
    plan: nothing is changed before `apply`. To a folder the set is verified and copied at once,
    and the copy is verified; the checkpoint is left out, which would start recovery at the wrong
    place.
    """
    console = obj[0]
    if target in ELSEWHERE:
        return _plan(obj, set_folder, target, given)
    unused = [name for name in ("until", "server", "name", "folder", "file") if given[name]]
    if unused:
        listed = ", ".join("--out" if each == "file" else f"--{each}" for each in unused)
        raise UsageError(f"{listed}: only for --to {' and --to '.join(ELSEWHERE)}")
    _to_folder(console, set_folder, target)
    return None


def _plan(
    obj: tuple[Console, dict[str, Any]], set_folder: str, target: str, given: dict[str, Any]
) -> int:
    from goexchange.app import loading, running
    from goexchange.app.planning import blocked, save_plan
    from goexchange.app.restore_planning import RestoreRequest, plan_restore
    from goexchange.cli.moment import moment_option
    from goexchange.cli.plan_view import plain_view, show_plan
    from goexchange.errors import ExitCode

    console, options = obj
    if target == ORIGINAL and (given["name"] or given["folder"]):
        raise UsageError("--name and --folder are for a recovery database")
    settings = loading.configuration(options)
    site = running.Site(inventory=loading.inventory(settings), settings=settings)
    made = plan_restore(
        RestoreRequest(
            set_folder=set_folder,
            target=target,
            until=moment_option(given["until"], name="--until"),
            server=given["server"],
            name=given["name"],
            stage=given["folder"],
        ),
        site,
    )
    if given["file"]:
        save_plan(made, given["file"])
    again = f"goexchange restore {set_folder} --to {target} --out restore.json"
    show_plan(made, console, plain_view(again), file=given["file"])
    return int(ExitCode.NOT_NOW) if blocked(made) else int(ExitCode.OK)


def _to_folder(console: Console, set_folder: str, target: str) -> None:
    from goexchange.app.restoring import restore_to_path
    from goexchange.cli.verify import Progress

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
