"""The verb `diff`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.cli.plan_view import max_bytes_option
from goexchange.errors import ExitCode


@click.command("diff")
@click.argument("before", metavar="PLAN1", type=click.Path())
@click.argument("after", metavar="PLAN2", type=click.Path())
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 when the plans differ.")
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text")
@max_bytes_option
@click.pass_obj
def diff(obj: tuple[Console, dict[str, Any]], /, before: str, after: str, **given: Any) -> int:
    """Compare what two saved plans ask for: decisions, steps, guards, consents, premises.

    No network; works on stale and old files. Times of creation and observation do not count.
    """
    from goexchange.app.planning import read_plan
    from goexchange.report import plan_diff

    console = obj[0]
    first, second = read_plan(before), read_plan(after)
    found = plan_diff.compare_plans(first, second)
    if console.is_json or given["form"] == "json":
        plain = {
            "before": first.sha256,
            "after": second.sha256,
            "verdict": plan_diff.verdict_of(found),
            "differences": [
                {
                    "part": each.part.value,
                    "name": each.name,
                    "before": each.before,
                    "after": each.after,
                }
                for each in found
            ],
        }
        sys.stdout.write(json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    elif given["form"] == "md":
        limit = given["max_bytes"]
        console.data(plan_diff.render_diff_markdown(first, second, max_bytes=limit))
    else:
        console.data(plan_diff.render_diff(first, second, width=console.width))
    is_other = bool(found) and given["detailed_exitcode"]
    return int(ExitCode.CHANGES if is_other else ExitCode.OK)
