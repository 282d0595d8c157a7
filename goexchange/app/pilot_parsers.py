"""What the parsers made of everything that a pilot's host has said, from transcripts and journals
alone: it can be told again at any time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import field, fields, frozen

from goexchange import codec
from goexchange.app.transcript import FOLDER, transcript_files
from goexchange.facts.of_2007 import NOT_TOLD
from goexchange.journal.replay import RunState, replay
from goexchange.model.actual import (
    NOT_ASKED,
    ActualDatabase,
    ActualHost,
    ActualServer,
    Generation,
)
from goexchange.model.pilot import ParserMark, ParserVerdict
from goexchange.model.plan import Action, Lane, Plan
from goexchange.model.run import OutcomeKind, Record, RecordKind
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import streaming_of
from goexchange.powershell.expectations import Reading, read_backup, read_isinteg, read_tool
from goexchange.store.runs import RunFolder

EXCHANGE, HOST = "facts over the Exchange channel", "facts over the Windows channel"
SCRIPTS, REPAIRS = "answers of host scripts", "repair requests"
NEEDED = (EXCHANGE, HOST, SCRIPTS, "eseutil /mh", "eseutil /k", "eseutil /g", "eseutil /d")
BACKUP = "wbadmin start backup"
SPACE = "free space told by the store's events"
LINES_MAX = 40
NOT_GIVEN = (NOT_ASKED, NOT_TOLD)
# What nothing on Exchange 2003 and its Windows tells: its edition, the tasks of others, and any
# backup of a database that was made just now.
_NOT_OF_2003 = {"server.edition", "host.tasks", "database.last_full_backup_utc"}


@frozen
class Played:
    """A run of the pilot: its folder, plan and records."""

    folder: RunFolder
    plan: Plan
    records: tuple[Record, ...]


@frozen
class _Seen:
    """What was seen of one parser, as it comes in."""

    inputs: list[int] = field(factory=list)
    reasons: dict[str, None] = field(factory=dict)
    lines: dict[str, None] = field(factory=dict)
    bad: list[int] = field(factory=list)

    def take(self, reading: Reading) -> None:
        self.inputs.append(1)
        self.bad.extend([1] if reading.reasons else [])
        self.reasons.update(dict.fromkeys(reading.reasons))
        self.lines.update(dict.fromkeys(reading.lines))


def parser_verdicts(
    played: Sequence[Played], database: str, *, backs_up_windows: bool
) -> tuple[ParserVerdict, ...]:
    """A verdict for each parser, the needed ones also when nothing was given to them."""
    needed = (*NEEDED, *([BACKUP] if backs_up_windows else []))
    seen: dict[str, _Seen] = {name: _Seen() for name in needed}
    for run in played:
        for reading in (
            *_facts(run, database),
            *_answers(run),
            *_printed(run),
            *_repairs(run),
        ):
            seen.setdefault(reading.parser, _Seen()).take(reading)
        if _has_no_space(run, database):  # its event is of the night, and the database is of now
            seen.setdefault(SPACE, _Seen())
    return tuple(_verdict(name, of, name in needed) for name, of in seen.items())


def _verdict(name: str, seen: _Seen, is_needed: bool) -> ParserVerdict:
    mark = ParserMark.READ
    if not seen.inputs:
        mark = ParserMark.NOT_SEEN
    elif seen.bad:
        mark = ParserMark.UNKNOWN
    elif seen.lines:
        mark = ParserMark.REMARKS
    return ParserVerdict(
        parser=name,
        mark=mark,
        inputs=len(seen.inputs),
        unknown=len(seen.bad),
        reasons=tuple(seen.reasons)[:LINES_MAX],
        lines=tuple(seen.lines)[:LINES_MAX],
        is_needed=is_needed,
    )


def _printed(run: Played) -> Iterator[Reading]:
    """What tools printed, whole."""
    for path in transcript_files(run.folder.path / FOLDER):
        if path.name.startswith("tool-"):
            yield read_tool("/mh", json.loads(path.read_text("utf-8"))["output"])
        elif path.name.startswith("job-"):
            plain = json.loads(path.read_text("utf-8"))
            kind = plain["kind"] or _kind(run, plain["job"])
            if kind == "eseutil":
                request = plain["request"] or _request(run, plain["job"])
                switch, *given = map(str, request["arguments"])
                pair = streaming_of(given)
                printed = (plain["output"], plain["error_output"])
                yield read_tool(switch.lower(), *printed, streaming=pair)
            elif kind == "wbadmin":
                yield read_backup(plain["output"])
            elif kind == "isinteg":
                yield read_isinteg(plain["output"])


def _answers(run: Played) -> Iterator[Reading]:
    """Answers of host scripts; one that fits no contract came as an error of ours."""
    for path in transcript_files(run.folder.path / FOLDER):
        if not path.name.startswith("answer-"):
            continue
        plain = json.loads(path.read_text("utf-8"))
        if plain["what"] == "exchange":
            continue
        error = plain["answer"].get("error") if isinstance(plain["answer"], dict) else None
        is_odd = isinstance(error, dict) and error["kind"] == "UnexpectedOutput"
        reasons = (f"{plain['what']}: {error['message']}",) if is_odd and error else ()
        yield Reading(parser=SCRIPTS, reasons=reasons, lines=())


def _facts(run: Played, database: str) -> Iterator[Reading]:
    """The observations that the run rests on, before it changed anything."""
    for record in run.records:
        if record.kind is RecordKind.INTENT:
            return
        if record.kind is not RecordKind.FACTS:
            continue
        server = codec.from_plain(ActualServer, record.data["actual"])
        known = () if isinstance(server.databases, Unknown) else server.databases
        mine = [each for each in known if each.name == database]
        without = _NOT_OF_2003 if server.generation is Generation.EXCHANGE_2003 else set[str]()
        told = [*_unknown(server, "server", without)]
        told += [words for each in mine for words in _unknown(each, "database", without)]
        if not mine:
            told.append(f"the database {database} is not among those of the server")
        yield Reading(parser=EXCHANGE, reasons=tuple(told), lines=())
        if isinstance(server.host, Unknown):
            yield Reading(parser=HOST, reasons=(server.host.reason,), lines=())
        else:
            unread = tuple(_unknown(server.host, "host", without))
            yield Reading(parser=HOST, reasons=unread, lines=())


def _has_no_space(run: Played, database: str) -> bool:
    """Whether the store has not told yet how much of the database's file is free."""
    told = (each for each in run.records if each.kind is RecordKind.FACTS)
    servers = (codec.from_plain(ActualServer, each.data["actual"]) for each in told)
    return any(
        each.name == database and each.white_space_bytes == NOT_TOLD
        for server in servers
        if not isinstance(server.databases, Unknown)
        for each in server.databases
    )


def _unknown(
    value: ActualServer | ActualDatabase | ActualHost, what: str, without: set[str]
) -> Iterator[str]:
    """What a parser could not tell; of what was not asked for, or is not there to be read yet, none
    was given anything.
    """
    for one in fields(type(value)):
        member = getattr(value, one.name)
        if f"{what}.{one.name}" in without:
            continue
        if isinstance(member, Unknown) and one.name != "host" and member not in NOT_GIVEN:
            yield f"{what}.{one.name}: {member.reason}"


def _repairs(run: Played) -> Iterator[Reading]:
    state = replay(run.records)
    for lane in run.plan.body.lanes:
        yield from _repairs_of(lane, state)


def _repairs_of(lane: Lane, state: RunState) -> Iterator[Reading]:
    for step in lane.steps:
        if step.action not in (Action.REPAIR_REQUEST, Action.AWAIT_REPAIR_REQUESTS):
            continue
        record = state.step(step.id)
        if record.outcome is None:
            continue
        is_good = record.outcome in (OutcomeKind.DONE, OutcomeKind.ALREADY)
        why = str((record.result or {}).get("why", "it ended without a word"))
        yield Reading(parser=REPAIRS, reasons=() if is_good else (why,), lines=())


def _kind(run: Played, job: str) -> str | None:
    call = _call(run, job)
    return None if call is None else call.get("kind")


def _request(run: Played, job: str) -> dict[str, Any]:
    call = _call(run, job)
    return {} if call is None else dict(call["request"])


def _call(run: Played, job: str) -> dict[str, Any] | None:
    """The call of a job whose start another controller saw: as the journal's intent holds it."""
    from goexchange.driver.calls import job_id

    steps = {step.id: step for lane in run.plan.body.lanes for step in lane.steps}
    for record in _intents(run.records):
        step = steps.get(str(record.data["step"]))
        if step is None:
            continue
        if job_id(run.folder.id, step, int(record.data["attempt"])) == job:
            plain = codec.to_plain(step.call)
            return plain if isinstance(plain, dict) and "request" in plain else None
    return None


def _intents(records: Iterable[Record]) -> Iterator[Record]:
    return (each for each in records if each.kind is RecordKind.INTENT)
