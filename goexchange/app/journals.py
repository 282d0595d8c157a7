"""The verbs `journal tail`, `verify` and `export`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from goexchange.app.locks import OPERATORS_NAME
from goexchange.codec import time_text
from goexchange.errors import InvalidDocument, UsageError
from goexchange.journal.chain import Reading, line_of
from goexchange.model.configuration import Configuration
from goexchange.model.run import Record
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import Runs

OPERATORS = "operators"
REPORT_NAME = "report.json"
_HEAD = re.compile(r"([0-9]+):([0-9a-f]{64})\Z")


@frozen(kw_only=True)
class Head:
    """A head of a journal as it was published: how many records it had, and the last one's digest.

    Shape: `source` says where it was published.
    """

    records: int
    sha256: str
    source: str


@frozen(kw_only=True)
class Checked:
    """Whether a journal is whole, and agrees with every head that was published of it.

    Shape: `torn_bytes` is an end that was never acknowledged, which `resume` cuts; `problems` are
    what must not be, empty when all is well.
    """

    path: str
    records: int
    head: str | None
    torn_bytes: int
    problems: tuple[str, ...]
    compared: tuple[Head, ...]


def journal_path(settings: Configuration, name: str) -> Path:
    """The journal of a run, or the store's own of operators' acts on leases (`operators`).

    Raises: InvalidDocument when there is none.
    """
    if name == OPERATORS:
        return Path(settings.store) / OPERATORS_NAME
    return Runs(Path(settings.store)).find(name).journal_path


def read(settings: Configuration, name: str) -> Reading:
    """A journal as far as it fits its chain."""
    return read_journal(journal_path(settings, name))


def verify(
    settings: Configuration, name: str, *, heads: Sequence[str], kept: Sequence[Head] = ()
) -> Checked:
    """Check the chain of a journal, and compare it with heads that were published outside the
    store: those given (NUMBER:SHA256, or a report's JSON file), those that hosts keep, and the
    run's own report in the output folder when it is there.

    Raises: UsageError for a head that is none; InvalidDocument for a file that holds none.
    """
    path = journal_path(settings, name)
    reading = read_journal(path)
    published = [*(_head(each) for each in heads), *kept]
    report = Path(settings.output_folder) / path.parent.name / REPORT_NAME
    if name != OPERATORS and report.is_file():
        published.append(_of_report(report))
    problems = [] if reading.damage is None else [_damage(reading)]
    problems += [
        problem
        for head in published
        for problem in [_disagreement(reading.records, head)]
        if problem is not None
    ]
    last = reading.records[-1].sha256 if reading.records else None
    return Checked(
        path=str(path),
        records=len(reading.records),
        head=last,
        torn_bytes=reading.torn_bytes,
        problems=tuple(problems),
        compared=tuple(published),
    )


def export(reading: Reading, form: str) -> str:
    """The records as JSON lines (byte for byte as in the journal) or as CSV."""
    if form == "jsonl":
        return b"".join(line_of(record) for record in reading.records).decode("utf-8")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("sequence", "at_utc", "kind", "server", "lane", "step", "data"))
    for record in reading.records:
        data = dict(record.data)
        known = [_cell(data.get(name)) for name in ("server", "lane", "step")]
        plain = json.dumps(data, ensure_ascii=False, sort_keys=True)
        writer.writerow(
            (record.sequence, time_text(record.at_utc), record.kind.value, *known, _cell(plain))
        )
    return text.getvalue()


def _cell(value: object) -> str:
    """Text that a spreadsheet does not take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _damage(reading: Reading) -> str:
    damage = reading.damage
    assert damage is not None
    whole = len(reading.records)
    return f"line {damage.line}: {damage.reason}; the {whole} records before it are whole"


def _disagreement(records: Sequence[Record], head: Head) -> str | None:
    if head.records > len(records):
        return (
            f"{head.source} was made of {head.records} records, and {len(records)} are here:"
            " records are gone"
        )
    if head.records and records[head.records - 1].sha256 != head.sha256:
        return f"record {head.records} is another one than {head.source} was made of"
    return None


def _head(given: str) -> Head:
    found = _HEAD.match(given)
    if found:
        return Head(records=int(found[1]), sha256=found[2], source=f"--head {given[:20]}...")
    path = Path(given)
    if not path.is_file():
        raise UsageError(
            f"--head {given}: neither NUMBER:SHA256 nor a file (the JSON report of the run)"
        )
    return _of_report(path)


def _of_report(path: Path) -> Head:
    try:
        journal = json.loads(path.read_bytes())["journal"]
        return Head(
            records=int(journal["records"]), sha256=str(journal["head"] or ""), source=str(path)
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidDocument(f"{path} is not a report that names a journal's head") from error
