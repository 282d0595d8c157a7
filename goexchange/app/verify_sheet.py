"""What `verify` found, as a sheet: a row per file, a case per file, the findings by weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from goexchange import __version__
from goexchange.app.verifying import WORDS, Verification
from goexchange.backup.findings import FileJudgement, Found, Judgement, Weight
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
from goexchange.report.units import count_text, size_text

_TONES = {
    Weight.DAMAGE: Tone.BAD,
    Weight.UNKNOWN: Tone.BAD,
    Weight.WARNING: Tone.ATTENTION,
    Weight.NOTE: Tone.PLAIN,
}
_HEADINGS = (
    Heading(text="file"),
    Heading(text="result"),
    Heading(text="size", is_number=True, unit="bytes"),
    Heading(text="what was seen"),
    Heading(text="sha256"),
)


def sheet_of_verification(done: Sequence[Verification], *, at_utc: datetime) -> Sheet:
    """Everything that one call of `verify` looked at; bad as soon as one path is."""
    judgements = [each.judgement for each in done]
    is_good = all(each.is_good for each in done)
    files = sum(len(each.files) for each in judgements)
    total = sum(file.size_bytes for each in judgements for file in each.files)
    said = "; ".join(f"{each.path}: {WORDS[each.verdict]}" for each in judgements)
    return Sheet(
        kind=SheetKind.VERIFICATION,
        subject=", ".join(each.path for each in judgements),
        word="SOUND" if is_good else "NOT SOUND",
        tone=Tone.GOOD if is_good else Tone.BAD,
        headline=said,
        made_by=f"goexchange {__version__}",
        at_utc=at_utc,
        facts=(
            *(fact for each in judgements for fact in _facts(each)),
            Fact(label="Read", text=f"{count_text(files, 'file')}, {total:,} bytes"),
        ),
        mends=tuple(
            Mend(title=f"{each.path}: {WORDS[each.verdict]}", why=_worst(each))
            for each, verification in zip(judgements, done, strict=True)
            if not verification.is_good
        ),
        table=Grid(
            caption="Every file that was read",
            headings=_HEADINGS,
            rows=tuple(
                _row(each, file, is_one_of_many=len(judgements) > 1)
                for each in judgements
                for file in each.files
            ),
        ),
        chapters=tuple(_findings(judgements)),
        cases=tuple(case for each in done for case in _cases(each)),
    )


def _facts(found: Judgement) -> Iterator[Fact]:
    yield Fact(label="Path", text=f"{found.path}: {WORDS[found.verdict]}")
    if found.set_id:
        yield Fact(label="Set", text=f"{found.set_id}, sha256:{found.set_sha256}")


def _worst(found: Judgement) -> str:
    heavy = [each for each in found.findings if each.weight in (Weight.DAMAGE, Weight.UNKNOWN)]
    more = f" (and {len(heavy) - 3} more findings)" if len(heavy) > 3 else ""
    return "; ".join(_words(each) for each in heavy[:3]) + more or WORDS[found.verdict]


def _words(found: Found) -> str:
    return f"{found.path}: {found.detail}" if found.path else found.detail


def _row(found: Judgement, file: FileJudgement, *, is_one_of_many: bool) -> tuple[Cell, ...]:
    return (
        Cell(text=file.path, note=found.path if is_one_of_many else ""),
        Cell(
            text="damaged" if file.is_damaged else "nothing found",
            tone=Tone.BAD if file.is_damaged else Tone.GOOD,
        ),
        Cell(text=size_text(file.size_bytes), value=file.size_bytes),
        Cell(text=file.summary),
        Cell(text=file.sha256 or "not computed"),
    )


def _findings(judgements: Sequence[Judgement]) -> Iterator[Chapter]:
    rows = tuple(
        (
            Cell(text=each.weight.value, tone=_TONES[each.weight]),
            Cell(text=each.path or found.path),
            Cell(text=each.detail, note=each.finding.value),
        )
        for found in judgements
        for each in found.findings
    )
    if rows:
        headings = tuple(Heading(text=text) for text in ("weight", "file", "finding"))
        caption = "What was found, damage first"
        yield Chapter(title="Findings", grid=Grid(caption=caption, headings=headings, rows=rows))


def _cases(done: Verification) -> Iterator[Case]:
    """The verdict on the path, each file, and each file that only a finding names."""
    found = done.judgement
    summaries = {file.path: file.summary for file in found.files}
    named = [each.path for each in found.findings if each.path and each.path not in summaries]
    yield Case(
        suite=found.path,
        name="verdict",
        mark=Mark.PASSED if done.is_good else Mark.FAILED if found.is_damaged else Mark.UNDECIDED,
        text=f"{WORDS[found.verdict]}; {_worst(found)}" if not done.is_good else "",
    )
    for path in dict.fromkeys([*summaries, *named]):
        own = [each for each in found.findings if each.path == path]
        weights = {each.weight for each in own}
        yield Case(
            suite=found.path,
            name=path,
            mark=Mark.FAILED
            if Weight.DAMAGE in weights
            else Mark.UNDECIDED
            if Weight.UNKNOWN in weights
            else Mark.PASSED,
            text="; ".join([summaries.get(path, ""), *(each.detail for each in own)]).strip("; "),
        )
