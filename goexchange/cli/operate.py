"""The verbs `pause`, `proceed`, `stop`, `abort` and `hold`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console

Obj = tuple[Console, dict[str, Any]]
WAIT_S = 15.0
_DONE = {
    "pause": "It begins no new step, but for those that bring mail back. Go on: goexchange proceed",
    "proceed": "It goes on.",
    "stop": "It finishes the databases in hand and starts no other.",
    "abort": "It takes the way back now, where there is one: a database whose new file is in "
    "service stays so.",
}


def _of_a_run(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The argument and the option that the four verbs share."""
    wait = click.option(
        "--wait",
        "wait_s",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        default=WAIT_S,
        show_default=True,
        help="How long to wait until the run has taken it up.",
    )
    return click.argument("run")(wait(click.pass_obj(verb)))


@click.command("pause")
@_of_a_run
def pause(obj: Obj, run: str, wait_s: float) -> int:
    """Let RUN begin no new step until `goexchange proceed`; works from any machine that sees the
    store.

    What runs on the hosts runs on, and a step that brings mail back is never held. The limit of
    the window stays: when it comes, an outage under way is ended by the way back. Writes the
    store.
    """
    return _ask(obj, "pause", run, wait_s)


@click.command("proceed")
@_of_a_run
def proceed(obj: Obj, run: str, wait_s: float) -> int:
    """Let RUN go on after a pause. Writes the store."""
    return _ask(obj, "proceed", run, wait_s)


@click.command("stop")
@_of_a_run
def stop(obj: Obj, run: str, wait_s: float) -> int:
    """Let RUN finish the databases in hand and start no other; it ends a pause.

    Writes the store.
    """
    return _ask(obj, "stop", run, wait_s)


@click.command("abort")
@_of_a_run
def abort(obj: Obj, run: str, wait_s: float) -> int:
    """Let RUN take the way back now: jobs are ended, originals mounted; it ends a pause.

    A database whose rebuilt file is in service stays in service with it. Writes the store; the
    run's own process does the rest.
    """
    return _ask(obj, "abort", run, wait_s)


@click.command("hold")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--why", metavar="TEXT", default="", help="Shown to whoever is refused.")
@click.pass_obj
def hold(obj: Obj, state: str, why: str) -> int:
    """Let nothing new start from this store, or let it again.

    While it is on, `apply` is refused (14), and a run that goes on starts no other database.
    What brings a database back into service is never refused. Writes the store.
    """
    from goexchange.app import holding

    console, options = obj
    _allowed(options, f"hold {state}")
    done = holding.set_hold(loading.configuration(options), is_on=state == "on", why=why)
    console.data(done.words)
    console.document({"is_on": done.is_on, "by": done.by, "why": done.why})
    return 0


def _ask(obj: Obj, word: str, run: str, wait_s: float) -> int:
    from goexchange.app.operating import ask
    from goexchange.driver.events import Request

    console, options = obj
    if word != "abort":  # the way back into service is everybody's
        _allowed(options, f"{word} {run}")
    asked = ask(run, Request(word), settings=loading.configuration(options), wait_s=wait_s)
    console.document(
        {
            "run": asked.run,
            "request": asked.request,
            "is_taken_up": asked.is_taken_up,
            "is_needless": asked.is_needless,
        }
    )
    if asked.is_needless:
        console.data(f"Run {asked.run} is not paused; nothing was asked.")
    elif asked.is_taken_up:
        name = f" {asked.run}" if word == "pause" else ""
        console.data(f"Run {asked.run} has taken it up: {word}. {_DONE[word]}{name}")
    else:
        console.data(
            f"Asked run {asked.run}: {word}. It has not taken it up within {wait_s:g} s: its"
            " process is starting, or waits for an answer. It takes it up after that; see"
            f" goexchange status {asked.run}"
        )
    return 0


def _allowed(options: dict[str, Any], act: str) -> None:
    from goexchange.app.policies import key_of, require_role
    from goexchange.model.policy import Role

    require_role(Role.SUSPEND, act, key=key_of(options))
