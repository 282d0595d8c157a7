"""The verb `rollback`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.cli.console import Console


@click.command("rollback")
@click.argument("run")
@click.option("--database", metavar="NAME", help="Only this database of the run.")
@click.option(
    "--discard-mail-since",
    "since",
    metavar="TIME",
    help="When the rebuilt file was mounted, as the run's own record says it.",
)
@click.option("--out", "file", metavar="FILE", help="Save the plan; apply runs exactly this file.")
@click.pass_obj
def rollback(obj: tuple[Console, dict[str, Any]], /, run: str, **given: Any) -> int:
    """Undo RUN: before its rebuilt file was mounted by the run's own way back, at once; after that
    by a plan that puts the kept original back and discards the mail since.

    The moment from which mail is discarded has to be named. The rebuilt file and its logs are kept
    for a recovery database. Writes hosts.
    """
    from goexchange.app import loading, running
    from goexchange.app.planning import blocked, save_plan
    from goexchange.app.restore_planning import plan_rollback, require_moment, standings
    from goexchange.cli.plan_view import plain_view, show_plan
    from goexchange.cli.running import finish, watcher
    from goexchange.errors import ExitCode, NotNow, UsageError

    console, options = obj
    settings = loading.configuration(options)
    site = running.Site(inventory=loading.inventory(settings), settings=settings)
    name, found = standings(run, site, database=given["database"])
    if any(each.is_open for each in found):
        console.words(f"Run {name} has not mounted its rebuilt file: it takes its own way back")
        ended = running.way_back(name, site=site, watch=watcher(console))
        return finish(console, settings, ended)
    kept = [each.kept for each in found if each.kept is not None]
    if not kept:
        raise NotNow(
            f"nothing of run {name} can be rolled back: no rebuilt file of it was mounted,"
            f" or the original is in its place again; see: goexchange show {name}"
        )
    if len(kept) > 1:
        names = ", ".join(str(each.lane.database) for each in kept)
        raise UsageError(f"run {name} has rebuilt {names}: name one with --database")
    require_moment(kept[0], name, given["since"])
    made = plan_rollback(kept[0], site)
    if given["file"]:
        save_plan(made, given["file"])
    again = f"goexchange rollback {name} --database {kept[0].lane.database}"
    again += f" --discard-mail-since {given['since']} --out rollback.json"
    show_plan(made, console, plain_view(again), file=given["file"])
    return int(ExitCode.NOT_NOW) if blocked(made) else int(ExitCode.OK)
