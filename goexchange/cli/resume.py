"""The verb `resume`."""

from __future__ import annotations

from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.running import finish, watcher
from goexchange.errors import UsageError


@click.command("resume")
@click.argument("run", required=False)
@click.option(
    "--from-host",
    "server",
    metavar="SERVER",
    help="The store is lost: read the run back from what SERVER keeps of it.",
)
@click.option(
    "--assume",
    "answer",
    nargs=2,
    metavar="done|not-done STEP",
    help="Answer for a step in doubt that looking cannot decide.",
)
@click.pass_obj
def resume(
    obj: tuple[Console, dict[str, Any]],
    run: str | None,
    server: str | None,
    answer: tuple[str, str] | None,
) -> int:
    """Go on with RUN (an id, its unique beginning, or 'last') after its controller died or was
    stopped.

    A step with an intent and no outcome is looked at, never repeated blindly; host jobs that ran
    on are found again. With --from-host the run comes from the server's own record into this
    store first; its old controller has to be silent for longer than its lease. Writes hosts.
    """
    from goexchange.app import running

    console, options = obj
    if run is None and server is None:
        raise UsageError("name a run (or 'last'), or --from-host SERVER")
    settings = loading.configuration(options)
    site = running.Site(inventory=loading.inventory(settings), settings=settings)
    assumed = None if not answer else _assumption(*answer)
    if server is not None:
        from goexchange.app import host_record

        running.refuse_workspace(site.store)
        found = host_record.rebuild(server, run=run, site=site)
        console.words(f"Run {found.id} was read back from {server} into {site.store}")
        run = found.id
    assert run is not None
    ended = running.resume(
        run, site=site, watch=watcher(console), assumed=assumed, rebuilt_from=server
    )
    return finish(console, settings, ended)


def _assumption(answer: str, step: str) -> Any:
    from goexchange.app.planning import who
    from goexchange.driver.identity import Assumption

    if answer not in ("done", "not-done"):
        raise UsageError(f"--assume: '{answer}' is neither 'done' nor 'not-done'")
    return Assumption(step=step, is_done=answer == "done", by=who())
