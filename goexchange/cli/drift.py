"""The verb `drift`."""

from __future__ import annotations

import sys
from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.moment import moment_option
from goexchange.cli.selection import chosen_servers
from goexchange.errors import ExitCode, UsageError

TOLERANCE = "2%"


@click.command("drift")
@click.argument("specs", nargs=-1, type=click.Path())
@click.option("--facts", "facts_file", metavar="FILE", help="Use saved facts instead of observing.")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="Only this server.")
@click.option("--at", "moment", metavar="TIME", help="As of TIME (RFC 3339 with zone).")
@click.option(
    "--tolerance",
    default=TOLERANCE,
    show_default=True,
    metavar="SHARE",
    help="White space above the maximum that is no drift yet.",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text")
@click.pass_obj
def drift(obj: tuple[Console, dict[str, Any]], /, specs: tuple[str, ...], **given: Any) -> int:
    """Report how the servers differ from SPECS and from what the last runs left there.

    A plan that is never saved: what SPECS want and is not so, and what somebody else has changed
    since (files moved or replaced, settings, builds, service start types, another controller's
    runs). Sizes, log generations and times always move and are no drift. Ends with 2 when anything
    drifted, with 0 when nothing did.
    """
    from goexchange.app.drift import look_for_drift
    from goexchange.app.planning import PlanRequest
    from goexchange.codec import to_plain
    from goexchange.report.drift_text import render_drift, render_drift_markdown, verdict

    console, options = obj
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    request = PlanRequest(
        specifications=loading.specifications(specs, settings, inventory),
        inventory=inventory,
        settings=settings,
        servers=chosen_servers(inventory, given["servers"]) if given["servers"] else (),
        facts_file=given["facts_file"],
        at=moment_option(given["moment"]),
    )
    report = look_for_drift(request, tolerance=_ratio(given["tolerance"]))
    plain = {**to_plain(report), "has_drifted": report.has_drifted, "verdict": verdict(report)}
    if given["form"] == "md":
        console.data(render_drift_markdown(report))
    elif given["form"] == "json" and not console.is_json:
        import json

        text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False)
        sys.stdout.write(text + "\n")
    else:
        console.data(render_drift(report, width=console.width, colour=console.has_colour))
    console.document(plain)
    return int(ExitCode.CHANGES if report.has_drifted else ExitCode.OK)


def _ratio(text: str) -> float:
    from goexchange.reading import ratio

    try:
        return ratio(text)
    except ValueError as error:
        raise UsageError(f"--tolerance: {error}; write it like 2%") from error
