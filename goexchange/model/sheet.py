"""What is reported besides a run: a plan, a verification, a rehearsal, a resource check, a pilot.

A sheet holds words and figures, no rules: whoever knows the subject fills it, and every form
(HTML, Markdown, text, JSON, JUnit, CSV) is made from it alone. A resource check or a pilot is a
sheet whose `table` has a row per thing looked at and whose `cases` have one entry per verdict;
`goexchange.report.sheet_of_verdicts` makes one from guards' verdicts.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen

FORMAT = "goexchange/sheet/v1"


class SheetKind(Enum):
    """What a sheet is about."""

    PLAN = "plan"
    VERIFICATION = "verification"
    REHEARSAL = "rehearsal"
    CHECK = "check"
    PILOT = "pilot"


class Tone(Enum):
    """How a word is meant; colour follows it and never says more than the word."""

    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    PLAIN = "plain"


class Mark(Enum):
    """What one thing that was looked at came to, as pipelines count it."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class Fact:
    """One line of the head: a label and what it says."""

    label: str
    text: str


@frozen(kw_only=True)
class Mend:
    """Something a person has to do, with the exact commands."""

    title: str
    why: str
    commands: tuple[str, ...] = ()


@frozen(kw_only=True)
class Heading:
    """The head of one column; `unit` (`bytes`, `s`) says what the cells' `value` is counted in."""

    text: str
    is_number: bool = False
    unit: str = ""


@frozen(kw_only=True)
class Cell:
    """One cell: the words for people, and the exact figure for programs where there is one.

    Shape: `note` is a second, fainter line; without `value` programs read `text`.
    """

    text: str
    tone: Tone = Tone.PLAIN
    note: str = ""
    value: int | None = None


@frozen(kw_only=True)
class Grid:
    """A table; every row has as many cells as there are headings."""

    caption: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]


@frozen(kw_only=True)
class Chapter:
    """One part below the table: sentences, a table, what a tool printed.

    Shape: long ones are folded; folded ones that follow each other stand below the name of their
    `part`.
    """

    title: str
    lines: tuple[str, ...] = ()
    grid: Grid | None = None
    output: str = ""
    is_folded: bool = False
    part: str = ""


@frozen(kw_only=True)
class Case:
    """One thing that was looked at, for pipelines: a suite, a name, a mark and the evidence."""

    suite: str
    name: str
    mark: Mark
    text: str = ""
    seconds: float | None = None


@frozen(kw_only=True)
class Sheet:
    """A report of anything but a run.

    Shape: `subject` names it (a plan's id, a path, a server); `word` is the verdict in capitals and
    `headline` its sentence; `table` is the one table that every form shows whole.
    """

    format: str = FORMAT
    kind: SheetKind
    subject: str
    word: str
    tone: Tone
    headline: str
    made_by: str
    at_utc: datetime | None
    facts: tuple[Fact, ...]
    mends: tuple[Mend, ...]
    table: Grid
    chapters: tuple[Chapter, ...]
    cases: tuple[Case, ...]
