"""The figures of a run for Prometheus: a text file that a node exporter's collector can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from goexchange.model.report import DatabaseSummary, Report
from goexchange.report.databases import total_seconds
from goexchange.report.shown import shown

_HELP: Mapping[str, str] = {
    "goexchange_run_info": "The run, its plan and how it ended; always 1.",
    "goexchange_run_exit_code": "Exit code of the run.",
    "goexchange_run_started_timestamp_seconds": "When the run began.",
    "goexchange_run_ended_timestamp_seconds": "When the run ended.",
    "goexchange_run_journal_whole": "1 when the journal's chain is whole.",
    "goexchange_run_databases": "Databases of the run by how they ended.",
    "goexchange_database_needs_person": "1 when a person has to act on the database.",
    "goexchange_database_offline_seconds": "How long the database was offline in this run.",
    "goexchange_database_size_bytes": "Size of the database file before and after.",
    "goexchange_database_white_space_bytes": "White space in the database before and after.",
    "goexchange_database_findings": "Errors and warnings found, by pass.",
    "goexchange_database_set_timestamp_seconds": "When the verified offline set was complete.",
    "goexchange_database_proved_backup_timestamp_seconds": "The last proved online full backup.",
    "goexchange_rate_bytes_per_second": "How fast whole files were read or written.",
}
Sample = tuple[str, Mapping[str, str], float]


def render_prometheus(report: Report) -> str:
    """The text exposition format; what is not recorded has no line.

    Shape: only `goexchange_run_info` names run and plan, so that the series of a database go on
    from run to run; ages are `time() - ..._timestamp_seconds`.
    """
    samples: dict[str, list[str]] = {}
    for name, labels, value in _samples(report):
        inner = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
        samples.setdefault(name, []).append(f"{name}{{{inner}}} {_number(value)}")
    lines: list[str] = []
    for name, found in samples.items():
        lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge", *dict.fromkeys(found)]
    return "\n".join(lines) + "\n"


def _samples(report: Report) -> Iterator[Sample]:
    run = report.run
    about = {"run": run.run or "", "plan": run.plan, "verdict": report.verdict.value}
    yield "goexchange_run_info", about, 1
    if run.exit_code is not None:
        yield "goexchange_run_exit_code", {}, run.exit_code
    for name, moment in (("started", run.started_at_utc), ("ended", run.ended_at_utc)):
        yield from _moment(f"goexchange_run_{name}_timestamp_seconds", {}, moment)
    yield "goexchange_run_journal_whole", {}, int(report.journal.is_whole)
    states: dict[str, int] = {}
    for one in report.databases:
        state = one.state or one.need.value
        states[state] = states.get(state, 0) + 1
    for state, count in states.items():
        yield "goexchange_run_databases", {"state": state}, count
    mend = {one.address for one in report.attention}
    for one in report.databases:
        yield from _database(one, mend)
    for made in report.sets:
        if made.is_verified and made.copied is not None:
            labels = _of(made.address)
            name = "goexchange_database_set_timestamp_seconds"
            yield from _moment(name, labels, made.copied.end_utc)
    for backup in report.online_backups:
        if backup.proved:
            name = "goexchange_database_proved_backup_timestamp_seconds"
            yield from _moment(name, _of(backup.address), backup.last_full_backup_utc)
    for rate in report.rates:
        labels = {**_of(rate.address), "work": rate.work}
        yield "goexchange_rate_bytes_per_second", labels, rate.moved_bytes / rate.seconds


def _database(one: DatabaseSummary, mend: set[str]) -> Iterator[Sample]:
    labels = {"server": one.server, "database": one.database}
    is_mended = f"{one.server}/{one.database}" not in mend
    yield "goexchange_database_needs_person", labels, int(not is_mended)
    offline = total_seconds(one.offline) if one.offline else None
    if offline is not None:
        yield "goexchange_database_offline_seconds", labels, offline
    figures = (
        ("size", "before", one.size_before),
        ("size", "after", one.size_after),
        ("white_space", "before", one.white_space_before),
        ("white_space", "after", one.white_space_after),
    )
    for what, when, figure in figures:
        if figure.size_bytes is not None:
            yield (
                f"goexchange_database_{what}_bytes",
                {**labels, "when": when},
                figure.size_bytes,
            )
    for count in one.passes:
        for severity, number in (("error", count.errors), ("warning", count.warnings)):
            about = {**labels, "pass": count.pass_name, "severity": severity}
            yield "goexchange_database_findings", about, number


def _of(address: str) -> Mapping[str, str]:
    server, _, database = address.partition("/")
    return {"server": server, "database": database}


def _moment(name: str, labels: Mapping[str, str], moment: datetime | None) -> Iterator[Sample]:
    if moment is not None:
        yield name, labels, moment.timestamp()


def _label(text: str) -> str:
    return shown(text, limit=300).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3f}"
