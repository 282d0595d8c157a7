"""A pilot as a sheet: did every stage go as wanted, and what did each parser make of the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from goexchange.model.pilot import ParserMark, ParserVerdict, PilotRecord, Stage, StageKind
from goexchange.model.sheet import (
    Case,
    Cell,
    Chapter,
    Fact,
    Grid,
    Heading,
    Mark,
    Mend,
    Sheet,
    SheetKind,
    Tone,
)
from goexchange.report.units import count_text, moment_text, size_text

_TONES: Mapping[ParserMark, Tone] = {
    ParserMark.READ: Tone.GOOD,
    ParserMark.REMARKS: Tone.ATTENTION,
    ParserMark.UNKNOWN: Tone.BAD,
    ParserMark.NOT_SEEN: Tone.PLAIN,
}
_MARKS: Mapping[ParserMark, Mark] = {
    ParserMark.READ: Mark.PASSED,
    ParserMark.REMARKS: Mark.PASSED,
    ParserMark.UNKNOWN: Mark.UNDECIDED,
    ParserMark.NOT_SEEN: Mark.SKIPPED,
}
_WORDS: Mapping[ParserMark, str] = {
    ParserMark.READ: "read",
    ParserMark.REMARKS: "read, with remarks",
    ParserMark.UNKNOWN: "unknown",
    ParserMark.NOT_SEEN: "not seen",
}
STAGES: Mapping[StageKind, str] = {
    StageKind.CREATE: "scratch database made and mounted",
    StageKind.WAY_BACK: "killed after the swap, way back by a new controller",
    StageKind.WHOLE_SCRIPT: "whole script, killed in the rebuild, gone on with",
    StageKind.REMOVE: "scratch database and its folder removed",
    StageKind.TIDY: "what the runs left on the host removed",
}


def sheet_of_pilot(record: PilotRecord, *, made_by: str) -> Sheet:
    """The report of a pilot."""
    unknown = sum(each.mark is ParserMark.UNKNOWN for each in record.parsers)
    wrong = sum(not each.is_as_wanted for each in record.stages)
    read = sum(each.mark in (ParserMark.READ, ParserMark.REMARKS) for each in record.parsers)
    word = "PROVED" if record.is_good else "NOT PROVED"
    headline = (
        f"{record.server}: {count_text(len(record.stages) - wrong, 'stage')} as wanted"
        f"{f', {wrong} not' if wrong else ''} · {count_text(read, 'parser')} read everything"
        f"{f', {unknown} did not' if unknown else ''}"
    )
    return Sheet(
        kind=SheetKind.PILOT,
        subject=f"{record.server} {record.id}",
        word=word,
        tone=Tone.GOOD if record.is_good else Tone.BAD,
        headline=headline,
        made_by=made_by,
        at_utc=record.ended_at_utc,
        facts=tuple(_head(record)),
        mends=tuple(_mends(record)),
        table=Grid(
            caption="What each parser made of what the host said",
            headings=(
                Heading(text="parser"),
                Heading(text="verdict"),
                Heading(text="inputs", is_number=True),
                Heading(text="not read", is_number=True),
                Heading(text="what it did not know"),
            ),
            rows=tuple(map(_row, record.parsers)),
        ),
        chapters=(_stages(record), *_lines(record)),
        cases=(*map(_stage_case, record.stages), *map(_parser_case, record.parsers)),
    )


def _head(record: PilotRecord) -> Iterator[Fact]:
    versions = record.versions
    yield Fact(label="Why", text=record.why)
    yield Fact(label="Exchange", text=versions.exchange or "unknown")
    yield Fact(label="eseutil", text=versions.eseutil or "unknown")
    yield Fact(label="PowerShell", text=versions.powershell or "unknown")
    yield Fact(label="goexchange", text=versions.goexchange)
    began, ended = moment_text(record.began_at_utc), moment_text(record.ended_at_utc)
    yield Fact(label="Time", text=f"{began} - {ended}")
    files = count_text(record.transcript_files, "file")
    yield Fact(label="Transcripts", text=f"{files}, sha256 {record.transcript_sha256}")


def _mends(record: PilotRecord) -> Iterator[Mend]:
    for each in record.left:
        yield Mend(
            title=f"left on {record.server}: {each}",
            why="it was to be removed with the pilot, or is kept because that was asked for",
            commands=(f"goexchange pilot {record.server} --remove {record.database}",),
        )
    if any(each.mark is ParserMark.UNKNOWN for each in record.parsers):
        yield Mend(
            title="a parser did not understand this host",
            why="plans for this build keep needing the consent unproven-build; please report the"
            " lines below with the transcripts, which hold no names and no secrets",
        )


def _row(one: ParserVerdict) -> tuple[Cell, ...]:
    told = "; ".join(one.reasons)
    lines = count_text(len(one.lines), "line") if one.lines else ""
    return (
        Cell(text=one.parser),
        Cell(text=_WORDS[one.mark], tone=_TONES[one.mark]),
        Cell(text=str(one.inputs), value=one.inputs),
        Cell(text=str(one.unknown), value=one.unknown),
        Cell(text=told or lines, note=lines if told and lines else ""),
    )


def _stages(record: PilotRecord) -> Chapter:
    return Chapter(
        title="Stages",
        grid=Grid(
            caption="Each stage is a plan and a run of its own",
            headings=(
                Heading(text="stage"),
                Heading(text="verdict"),
                Heading(text="run"),
                Heading(text="processes", is_number=True),
                Heading(text="time", is_number=True),
                Heading(text="what was seen"),
            ),
            rows=tuple(map(_stage_row, record.stages)),
        ),
    )


def _stage_row(one: Stage) -> tuple[Cell, ...]:
    return (
        Cell(text=STAGES[one.kind]),
        Cell(
            text="as wanted" if one.is_as_wanted else "not as wanted",
            tone=Tone.GOOD if one.is_as_wanted else Tone.BAD,
        ),
        Cell(text=one.run or "-"),
        Cell(text=str(one.processes), value=one.processes),
        Cell(text=f"{one.seconds:.0f} s"),
        Cell(text=one.words),
    )


def _lines(record: PilotRecord) -> Iterator[Chapter]:
    for each in record.parsers:
        if each.lines:
            output = "\n".join(each.lines)
            yield Chapter(
                title=f"Lines that {each.parser} does not know",
                lines=(
                    (
                        f"{count_text(len(each.lines), 'line')}, {size_text(len(output.encode()))};"
                        " it reads what it needs and passes over these."
                    ),
                ),
                output=output,
                is_folded=each.mark is not ParserMark.UNKNOWN,
            )


def _stage_case(one: Stage) -> Case:
    return Case(
        suite="stages",
        name=STAGES[one.kind],
        mark=Mark.PASSED if one.is_as_wanted else Mark.FAILED,
        text=one.words,
        seconds=one.seconds,
    )


def _parser_case(one: ParserVerdict) -> Case:
    text = "; ".join((*one.reasons, *one.lines))
    return Case(suite="parsers", name=one.parser, mark=_MARKS[one.mark], text=text)
