"""The verb `journal`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.errors import ExitCode, UsageError
from goexchange.model.configuration import Configuration
from goexchange.store.runs import Runs

if TYPE_CHECKING:
    from goexchange.app.journals import Head
    from goexchange.journal.chain import Reading

Obj = tuple[Console, dict[str, Any]]


@click.group("journal")
def journal() -> None:
    """The journal of a run: what was intended, sent and seen. RUN may also be 'last', or
    'operators' for the store's own journal of broken leases.
    """


@journal.command("tail")
@click.argument("run")
@click.option("-n", "count", type=click.IntRange(min=0), default=20, show_default=True)
@click.pass_obj
def tail(obj: Obj, run: str, count: int) -> int:
    """Show the last records of RUN as lines. Reads; follow it with `goexchange watch`."""
    from goexchange.app import journals

    console, options = obj
    reading = journals.read(loading.configuration(options), run)
    chosen = reading.records[-count:] if count else ()
    for record in chosen:
        console.data(_line(record))
    _say_end(console, reading)
    console.document([_plain(record) for record in chosen])
    return 0 if reading.damage is None else int(ExitCode.DAMAGED)


@journal.command("verify")
@click.argument("run")
@click.option(
    "--head",
    "heads",
    metavar="N:SHA256|FILE",
    multiple=True,
    help="A head that was published: as number and digest, or the run's JSON report.",
)
@click.option(
    "--on-hosts", is_flag=True, help="Also compare with the copy that each host of RUN keeps."
)
@click.pass_obj
def verify(obj: Obj, run: str, heads: tuple[str, ...], on_hosts: bool) -> int:
    """Check the chain of RUN's journal, and that it is the one its published heads were made of.

    A chain alone shows damage, not a clever hand: who can write the file can write a whole new
    chain. A head that was kept elsewhere shows that too; the run's own report in the output
    folder is compared by itself, and with --on-hosts what the run's hosts keep of it. Ends with
    30 when something is wrong. Reads (hosts too with --on-hosts).
    """
    from goexchange.app import journals

    console, options = obj
    settings = loading.configuration(options)
    kept = _kept(settings, run) if on_hosts else ()
    found = journals.verify(settings, run, heads=heads, kept=kept)
    for problem in found.problems:
        console.data(f"DAMAGED  {problem}")
    if not found.problems:
        console.data(f"WHOLE  {found.records} records, head {found.records}:{found.head}")
        for head in found.compared:
            console.data(f"  as in {head.source} ({head.records} records then)")
        if not found.compared:
            console.data("  compared with no published head: only damage would show"
                         " (--head, --on-hosts)")
    if found.torn_bytes:
        console.data(
            f"  the last {found.torn_bytes} bytes are torn: a record that was never acknowledged;"
            " resume cuts it"
        )
    console.document(
        {
            "path": found.path,
            "is_whole": not found.problems,
            "records": found.records,
            "head": found.head,
            "torn_bytes": found.torn_bytes,
            "problems": list(found.problems),
            "compared": [
                {"records": each.records, "head": each.sha256, "source": each.source}
                for each in found.compared
            ],
        }
    )
    return int(ExitCode.DAMAGED) if found.problems else 0


def _kept(settings: Configuration, run: str) -> tuple[Head, ...]:
    """What hosts keep of the run's journal; the store's own journal is on none."""
    from goexchange.app import journals
    from goexchange.app.host_record import heads_kept

    if run == journals.OPERATORS:
        raise UsageError("--on-hosts: hosts keep the journals of runs, not that of the operators")
    folder = Runs(Path(settings.store)).find(run)
    return heads_kept(folder, loading.inventory(settings))


@journal.command("export")
@click.argument("run")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False), help="Into this file.")
@click.pass_obj
def export(obj: Obj, run: str, form: str, out: str | None) -> int:
    """Write every record of RUN as JSON lines or CSV, to standard output or a file. Reads."""
    from goexchange.app import journals

    console, options = obj
    reading = journals.read(loading.configuration(options), run)
    text = journals.export(reading, form)
    if out is not None:
        Path(out).write_text(text, "utf-8")
        console.words(f"Wrote {len(reading.records)} records to {out}")
        console.document({"records": len(reading.records), "out": out})
    else:
        console.data(text)
        console.document([_plain(record) for record in reading.records])
    _say_end(console, reading)
    return 0 if reading.damage is None else int(ExitCode.DAMAGED)


def _say_end(console: Console, reading: Reading) -> None:
    if reading.damage is not None:
        console.words(
            f"DAMAGED at line {reading.damage.line}: {reading.damage.reason}; what follows it is"
            " not shown"
        )
    if reading.torn_bytes:
        console.words(f"{reading.torn_bytes} torn bytes at the end: never acknowledged")


def _line(record: Any) -> str:
    from goexchange.report.progress import pipeline_line
    from goexchange.report.units import clock_text

    known = pipeline_line(record, {})
    text = known or f"{clock_text(record.at_utc)}Z  {record.kind.value}"
    return f"{record.sequence:>5}  {text}"


def _plain(record: Any) -> dict[str, Any]:
    import json

    from goexchange.journal.chain import line_of

    plain: dict[str, Any] = json.loads(line_of(record))
    return plain
