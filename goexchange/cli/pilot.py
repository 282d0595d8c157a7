"""The verb `pilot`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goexchange import __version__
from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.selection import chosen_servers
from goexchange.cli.sheets import own, report_option
from goexchange.errors import ExitCode, NotNow, Unapproved, UsageError
from goexchange.model.plan import Action
from goexchange.report.shown import wrap

if TYPE_CHECKING:
    from goexchange.app.pilot_plans import PilotRequest, Preview
    from goexchange.model.pilot import PilotRecord


@click.command("pilot")
@click.argument("server", metavar="SERVER")
@click.argument("specs", nargs=-1, type=click.Path(), metavar="[SPEC]...")
@click.option("--preview", "is_preview", is_flag=True, help="Show what it would do, and end.")
@click.option("--yes", "is_agreed", is_flag=True, help="Begin without being asked.")
@click.option(
    "--consent",
    "consents",
    multiple=True,
    metavar="NAME",
    help="Consent to what the pilot's own plans need (repeatable).",
)
@click.option("--volume", metavar="PATH", help="Make the scratch database on this volume.")
@click.option("--keep", "keeps", is_flag=True, help="Leave the scratch database where it is.")
@click.option("--remove", "removed", metavar="NAME", help="Remove what an earlier pilot has left.")
@report_option
@click.pass_obj
def pilot(
    obj: tuple[Console, dict[str, Any]], /, server: str, specs: tuple[str, ...], **given: Any
) -> int:
    """Try the whole script on a scratch database of SERVER, before mail is at stake.

    Makes an empty database in a folder of its own, rebuilds it under the backups and passes of the
    one specification (of SPECs) that means SERVER, kills its own controllers with SIGKILL, takes
    the way back once and goes on to the end once, removes all of it again, and says of each parser
    whether it understood what the host printed. Shows first what it would do (--preview: nothing
    else), and begins with --yes or when a person agrees (13 otherwise). Every answer of the host
    is kept beside the runs, without names and secrets. A good pilot takes the consent
    unproven-build out of the plans for that build. Writes hosts. Ends with 20 when something was
    not as wanted, 24 when something was left.
    """
    from goexchange.app import running
    from goexchange.app.pilot_plans import PilotRequest, preview, specification_of

    console, options = obj
    if given["reports"]:
        from goexchange.app.sheets import check_files

        check_files(given["reports"])
    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    (name,) = chosen_servers(inventory, (server,), given_as="SERVER")
    site = running.Site(inventory=inventory, settings=settings)
    running.refuse_workspace(site.store)
    found = loading.specifications(specs, settings, inventory)
    request = PilotRequest(
        server=name,
        like=specification_of(name, found, site),
        site=site,
        options=options,
        volume=given["volume"],
        consents=given["consents"],
        keeps=given["keeps"],
    )
    if given["removed"]:
        return _remove(console, request, given)
    previewed = preview(request)
    console.data(_text(previewed, console.width))
    if given["is_preview"]:
        console.document({"exit_code": int(ExitCode.OK), "pilot": None})
        return int(ExitCode.OK)
    _require(previewed)
    if not _is_agreed(console, previewed, given["is_agreed"]):
        console.data("Nothing was changed. Begin with --yes.")
        console.document({"exit_code": int(ExitCode.UNAPPROVED), "pilot": None})
        return int(ExitCode.UNAPPROVED)
    return _carry_out(console, previewed, given, own(options))


def _carry_out(console: Console, previewed: Preview, given: dict[str, Any], own_: Any) -> int:
    from goexchange.app.pilot import carry_out, exit_code_of
    from goexchange.app.sheets import render_sheet, write_sheet
    from goexchange.codec import to_plain
    from goexchange.report.sheet_of_pilot import sheet_of_pilot

    record = carry_out(previewed, say=console.still_words)
    code = exit_code_of(record, keeps=given["keeps"])
    sheet = sheet_of_pilot(record, made_by=f"goexchange {__version__}")
    console.data(render_sheet(sheet, "text", own_))
    if given["reports"]:
        write_sheet(sheet, given["reports"], own_)
        console.words(f"Saved {', '.join(given['reports'])}")
    console.data("\n".join(_where(record, previewed)))
    console.document({"exit_code": int(code), "pilot": to_plain(record)})
    return int(code)


def _where(record: PilotRecord, previewed: Preview) -> list[str]:
    from goexchange.app.transcript import FOLDER

    store = Path(previewed.request.site.settings.store)
    runs = [each.run for each in record.stages if each.run]
    return [
        f"On record   {store / 'pilots' / record.id / 'pilot.json'}",
        *(f"Transcript  {store / 'runs' / run / FOLDER}" for run in runs),
    ]


def _remove(console: Console, request: PilotRequest, given: dict[str, Any]) -> int:
    from goexchange.app.pilot import remove
    from goexchange.app.pilot_plans import scratch_named

    scratch = scratch_named(given["removed"], request)
    said = f"{request.server}: database {scratch.name} and the folder {scratch.folder} are removed"
    console.data(said)
    if not given["is_agreed"] and not _asks(console, f"Type {request.server} to remove them: ",
                                            request.server):  # fmt: skip
        console.data("Nothing was changed. Remove with --yes.")
        return int(ExitCode.UNAPPROVED)
    stage = remove(request, scratch, say=console.still_words)
    console.data(stage.words)
    console.document({"exit_code": 0 if stage.is_as_wanted else 24, "removed": scratch.name})
    return int(ExitCode.OK if stage.is_as_wanted else ExitCode.ROLLBACK_FAILED)


def _require(previewed: Preview) -> None:
    if previewed.refusal is not None:
        raise NotNow(
            f"the night of the scratch database would not be planned: {previewed.refusal};"
            " nothing was changed"
        )
    if previewed.needs:
        named = " ".join(f"--consent {each}" for each in previewed.needs)
        raise Unapproved(f"the pilot needs consents that were not given: {named}; nothing changed")
    wanted = {each.consent.value for each in previewed.foreseen.consents}
    unused = sorted(set(previewed.request.consents) - wanted)
    if unused:
        raise UsageError(f"--consent: this pilot does not need {', '.join(unused)}")


def _is_agreed(console: Console, previewed: Preview, is_yes: bool) -> bool:
    server = previewed.request.server
    return is_yes or _asks(console, f"Type {server} to begin: ", server)


def _asks(console: Console, question: str, wanted: str) -> bool:
    """Ask on a terminal; nowhere else is anybody there to answer."""
    import sys

    if console.is_json or not (sys.stdin.isatty() and console.is_terminal):
        return False
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip() == wanted


def _text(previewed: Preview, width: int) -> str:
    """What it will do, whole: nothing else is created. No line is wider than the terminal."""
    scratch, request = previewed.scratch, previewed.request
    versions = previewed.versions
    lines: list[tuple[str, str]] = [
        ("goexchange pilot   ", f"{request.server} like {request.like.desired.name}"),
        (
            "Proves    ",
            ", ".join(
                f"{name} {found or 'unknown'}"
                for name, found in (
                    ("Exchange", versions.exchange),
                    ("eseutil", versions.eseutil),
                    ("PowerShell", versions.powershell),
                )
            ),
        ),
        ("Creates   ", f"database {scratch.name}: no mailbox, none put into it by Exchange"),
        *_group(previewed),
        (" " * 10, f"folder {scratch.folder}, everything of it:"),
        (" " * 10, f"{scratch.edb_path}, {scratch.log_folder}, {scratch.set_target}"),
        ("Touches   ", "no other database" + _backs_up(previewed)),
        ("Kills     ", "two of its own controllers: after the swap, and in the rebuild"),
        ("Removes   ", "the database, the folder, and what its runs left on the host")
        if not request.keeps
        else ("Keeps     ", "the database and the folder, as --keep asks"),
        ("", ""),
        ("1 create        ", f"plan {previewed.creation.id}"),
        *_steps(previewed.creation.body.lanes[0].steps),
        ("2 way-back      ", "the night below, killed after the swap, then the way back"),
        ("3 whole-script  ", "the night below, killed in the rebuild, then to its end"),
        *(
            line
            for lane in previewed.foreseen.lanes
            for line in _steps([step for step in lane.steps if step.runs_when.value != "always"])
        ),
        ("4 remove        ", "no mailbox in it, dismounted, removed, folder deleted"),
        *(
            ("Consent   ", f"{need.consent.value}: {need.finding}")
            for need in previewed.foreseen.consents
        ),
    ]
    return "\n".join(part for head, text in lines for part in _hanging(head, text, width))


def _group(previewed: Preview) -> list[tuple[str, str]]:
    """The storage group of versions that have them."""
    steps = previewed.creation.body.lanes[0].steps
    return [(" " * 10, each.summary) for each in steps if each.action is Action.NEW_SCRATCH_GROUP]


def _hanging(head: str, text: str, width: int) -> list[str]:
    """A head and its text, which goes on under its own beginning."""
    parts = wrap(text, max(20, width - len(head)))
    return [f"{' ' * len(head) if at else head}{part}" for at, part in enumerate(parts or ("",))]


def _backs_up(previewed: Preview) -> str:
    needs = previewed.foreseen.consents
    return "" if not needs else "; its online backup covers others, see the consents below"


def _steps(steps: Any) -> list[tuple[str, str]]:
    return [(f"     {step.number:>2}  {step.action.value:<24} ", step.summary) for step in steps]
