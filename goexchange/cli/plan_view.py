"""How plans are printed: the options of `plan`, `show` and `diff`, and what they do."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from goexchange.cli.console import Console
from goexchange.errors import ExitCode
from goexchange.model.plan import Need, Plan

FORMATS = ("text", "json", "md", "gitlab")
Verb = TypeVar("Verb", bound=Callable[..., Any])


def max_bytes_option(verb: Verb) -> Verb:
    """Add `--max-bytes`."""
    return click.option(
        "--max-bytes",
        type=click.IntRange(min=1000),
        default=65_000,
        show_default=True,
        help="Limit of Markdown (GitLab takes 990000, Azure DevOps 149000): details are dropped"
        " from the end and it is said; verdict and table stay whole.",
    )(verb)

PLAN_AGAIN = "goexchange plan --out plan.json"


def plain_view(again: str) -> dict[str, Any]:
    """The view of a verb without view options; `again` is how its plan is saved."""
    return {"form": "text", "summary": False, "full": True, "max_bytes": None, "again": again}


def view_options(verb: Verb) -> Verb:
    """Add the options of a verb that shows a plan."""
    for option in (
        click.option(
            "--detailed-exitcode",
            is_flag=True,
            help="End with 2 when the plan has something to do.",
        ),
        click.option("--summary", is_flag=True, help="Verdict and table only."),
        click.option("--full", is_flag=True, help="Never fold databases with the same steps."),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            default="text",
            help="Text, JSON, Markdown for pull requests, or GitLab's widget"
            " (artifacts:reports:terraform).",
        ),
    ):
        verb = option(verb)
    return max_bytes_option(verb)


def plan_exit(made: Plan, *, is_detailed: bool) -> ExitCode:
    """0, or 2 with `--detailed-exitcode` when something is to be done; rows that are not possible
    do not count.
    """
    needs = {decision.need for decision in made.body.decisions}
    has_changes = bool(needs - {Need.NOTHING, Need.NOT_POSSIBLE})
    return ExitCode.CHANGES if is_detailed and has_changes else ExitCode.OK


def show_plan(made: Plan, console: Console, given: dict[str, Any], *, file: str | None) -> None:
    """Print a plan in the form that was asked for; `given` are the view options."""
    form = given["form"]
    if console.is_json or form == "json":
        from goexchange.plan.sealing import dump

        plain = json.loads(dump(made))
        indent = 2 if console.is_json else 1
        text = json.dumps(plain, indent=indent, sort_keys=True, ensure_ascii=False)
        sys.stdout.write(text + "\n")
    elif form == "md":
        from goexchange.report.plan_markdown import render_plan_markdown

        console.data(render_plan_markdown(made, max_bytes=given["max_bytes"]))
    elif form == "gitlab":
        from goexchange.report.plan_words import widget_counts

        console.data(json.dumps(widget_counts(made.body)))
    else:
        console.data(_text(made, console, given, file=file))


def _text(made: Plan, console: Console, given: dict[str, Any], *, file: str | None) -> str:
    from goexchange.report.plan_text import PlanLayout, render_plan

    layout = PlanLayout(
        width=console.width,
        colour=console.has_colour,
        is_summary=given["summary"],
        is_full=given["full"],
        saved_as=file,
        next_commands=next_commands(made, file, again=given.get("again", PLAN_AGAIN)),
    )
    return render_plan(made, layout)


def next_commands(made: Plan, file: str | None, *, again: str = PLAN_AGAIN) -> tuple[str, ...]:
    """What to type next; `again` saves a plan that was only shown."""
    if not made.body.lanes:
        return ()
    if file is None:
        return (again,)
    return (f"goexchange approve {file}", f"goexchange apply {file}")
