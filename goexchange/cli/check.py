"""The verb `check`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange import __version__
from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.moment import moment_option
from goexchange.cli.selection import chosen_servers
from goexchange.cli.sheets import own, report_option


@click.command("check")
@click.argument("specs", nargs=-1, type=click.Path())
@click.option("--facts", "facts_file", metavar="FILE", help="Use saved facts instead of observing.")
@click.option("--server", "servers", multiple=True, metavar="NAME", help="Only this server.")
@click.option("--at", "moment", metavar="TIME", help="As of TIME (RFC 3339 with zone).")
@click.option("--format", "form", type=click.Choice(["text", "json", "md"]), default="text")
@click.option("--out", "file", metavar="FILE", help="Write the report to FILE as well.")
@report_option
@click.pass_obj
def check(obj: tuple[Console, dict[str, Any]], /, specs: tuple[str, ...], **given: Any) -> int:
    """The resource check: would a run of SPECS start, and what does the next night rest on?

    The guards of a plan made now, and space, services, storage events, age of backups, databases
    without a proved backup, open recoveries and tools of every database that SPECS mean. A run
    decides the same guards again before it starts. A server that does not answer is a finding and
    hides no other (15, or 16 when it refuses the account). Changes nothing; ends with 14 when
    something would keep a run from starting.
    """
    import json

    from goexchange.app.checking import check_resources, exit_code_of
    from goexchange.app.planning import PlanRequest
    from goexchange.app.sheets import check_files, write_sheet
    from goexchange.codec import to_plain
    from goexchange.report.check_text import check_verdict, render_checks, render_checks_markdown
    from goexchange.report.sheet_of_checks import sheet_of_checks

    console, options = obj
    check_files(given["reports"])
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    checks = check_resources(
        PlanRequest(
            specifications=loading.specifications(specs, settings, inventory),
            inventory=inventory,
            settings=settings,
            servers=chosen_servers(inventory, given["servers"]) if given["servers"] else (),
            facts_file=given["facts_file"],
            at=moment_option(given["moment"]),
        )
    )
    code = exit_code_of(checks)
    plain = {
        "exit_code": int(code),
        "checks": [{**to_plain(each), "verdict": check_verdict(each)} for each in checks],
    }
    texts = {
        "text": lambda: render_checks(checks, width=console.width),
        "md": lambda: render_checks_markdown(checks),
        "json": lambda: json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False),
    }
    text = texts[given["form"]]()
    if given["file"] is not None:
        Path(given["file"]).write_text(text.rstrip("\n") + "\n", "utf-8")
        console.words(f"Saved {given['file']}")
    if given["reports"]:
        sheet = sheet_of_checks(checks, made_by=f"goexchange {__version__}")
        write_sheet(sheet, given["reports"], own(options))
        console.words(f"Saved {', '.join(given['reports'])}")
    console.data(text)
    console.document(plain)
    return int(code)
