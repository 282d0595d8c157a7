"""What a pilot has shown: stages that ran, what each parser made of the host's words, the verdict.

A pilot plays the whole script on a scratch database of a real server. A good one is proof for every
server of the same build and tools, and takes the consent *unproven build* out of their plans.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum

from attrs import frozen

from goexchange.model.actual import ActualDatabase
from goexchange.model.plan import PlanBody

FORMAT = "goexchange/pilot/v1"
INPUT_KIND = "Pilot"
"""The kind of the input that names the scratch database in a plan of a pilot."""
SCRATCH_NAME = re.compile(r"gx-pilot-\d{8}T\d{6}Z\Z")


class ParserMark(Enum):
    """What one parser made of everything that was given to it."""

    READ = "read"  # every input, every line of it
    REMARKS = "read-with-remarks"  # every input; some lines are none of those that it knows
    UNKNOWN = "unknown"  # at least one input, or one fact, could not be read
    NOT_SEEN = "not-seen"  # nothing was given to it


@frozen(kw_only=True)
class ParserVerdict:
    """One parser: how many inputs, how many of them it could not read, and why.

    Shape: `lines` are the literal lines that it did not know, redacted, each once; `is_needed` says
    whether a pilot without it proves nothing.
    """

    parser: str
    mark: ParserMark
    inputs: int
    unknown: int
    reasons: tuple[str, ...]
    lines: tuple[str, ...]
    is_needed: bool


@frozen(kw_only=True)
class Versions:
    """What a proof is for. Unknown: None."""

    exchange: str | None
    eseutil: str | None
    powershell: str | None
    goexchange: str

    def same_as(self, other: Versions) -> bool:
        """Whether a proof for one holds for the other: Exchange and eseutil to the last number,
        PowerShell to the build of its Windows, this tool to its minor version. What is unknown is
        never the same.
        """
        mine, theirs = _key(self), _key(other)
        return None not in mine and mine == theirs


def _key(versions: Versions) -> tuple[str | None, ...]:
    shell = versions.powershell
    return (
        versions.exchange,
        versions.eseutil,
        None if shell is None else ".".join(shell.split(".")[:3]),
        ".".join(versions.goexchange.split(".")[:2]),
    )


class StageKind(Enum):
    """The stages of a pilot, in order."""

    CREATE = "create"
    WAY_BACK = "way-back"
    WHOLE_SCRIPT = "whole-script"
    REMOVE = "remove"
    TIDY = "tidy"


@frozen(kw_only=True)
class Stage:
    """One stage that was carried out.

    Shape: `run` is None where it needed none; `processes` is how many controllers it took, the one
    that was killed among them; `words` say what was seen.
    """

    kind: StageKind
    run: str | None
    is_as_wanted: bool
    exit_code: int
    processes: int
    seconds: float
    words: str


@frozen(kw_only=True)
class PilotRecord:
    """A pilot that has ended.

    Shape: `is_good` is the verdict; `why` says it in a sentence; `left` names what of it is still
    on the server; `transcript_sha256` is the digest over every file of the transcripts.
    """

    format: str
    id: str
    server: str
    database: str
    versions: Versions
    began_at_utc: datetime
    ended_at_utc: datetime
    is_good: bool
    why: str
    stages: tuple[Stage, ...]
    parsers: tuple[ParserVerdict, ...]
    left: tuple[str, ...]
    transcript_sha256: str
    transcript_files: int


def is_proven(versions: Versions, records: tuple[PilotRecord, ...]) -> bool:
    """Whether the newest pilot of these versions was a good one."""
    mine = [each for each in records if each.versions.same_as(versions)]
    return bool(mine) and max(mine, key=lambda each: each.ended_at_utc).is_good


def is_of_pilot(body: PlanBody) -> bool:
    """Whether the plan is a stage of a pilot: its answers are kept."""
    return any(each.kind == INPUT_KIND for each in body.inputs)


def is_scratch_name(name: str) -> bool:
    """Whether only a pilot can have given a database that name."""
    return SCRATCH_NAME.match(name) is not None


def is_own_scratch(body: PlanBody, database: ActualDatabase) -> bool:
    """Whether the plan is a pilot's, and the database the very one that it has made: named in the
    plan, with its file in a folder of that name. Nobody's mail is in it.
    """
    named = {each.path for each in body.inputs if each.kind == INPUT_KIND}
    folder = f"\\{database.name}\\database\\{database.name}.edb".lower()
    return (
        database.name in named
        and is_scratch_name(database.name)
        and database.edb_path.lower().endswith(folder)
    )
