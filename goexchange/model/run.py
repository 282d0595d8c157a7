"""One execution of a plan: what the journal says, and the state that replaying it gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import frozen

Json = Any


class RecordKind(Enum):
    """Kinds of journal records, in the order in which a run first writes them."""

    # {server, number, holder, expires_at_utc, state: acquired|renewed|released|lost|broken}
    LEASE = "lease"
    RUN_STARTED = "run-started"  # {run, plan, plan_sha256, approval, controller, started_by, tool}
    # {controller, started_by, torn_bytes, steps_in_doubt, lanes_again, steps_again, rebuilt_from}
    RUN_RESUMED = "run-resumed"
    FACTS = "facts"  # {server, actual}: an observation that decisions of the run rest on
    GUARD = "guard"  # {verdict}: a guard decided at start or before a step
    LANE_STARTED = "lane-started"  # {lane}
    INTENT = "intent"  # {step, attempt, call}: written and flushed before the step is sent
    # {step, text, done_bytes, total_bytes, rate_bytes_s}: a host job under way
    PROGRESS = "progress"
    OUTCOME = "outcome"  # {step, attempt, outcome, result, findings, output_tail, seconds}
    # {step, seen, meaning: done|not-done|cannot-tell, evidence, cause: postcondition|lost|resume}
    LOOKED = "looked"
    SKIPPED = "skipped"  # {step, why}
    LANE_ENDED = "lane-ended"  # {lane, state, why}
    NOTICE = "notice"  # {event, audience, recipients, variables}
    # {request: stop|abort|pause|proceed|hold, by, id}: an operator asked
    REQUEST = "request"
    QUESTION = "question"  # {step, evidence, choices}
    # {step, answer: done|not-done, by, evidence}: an operator's, where looking cannot tell
    ANSWER = "answer"
    RUN_ENDED = "run-ended"  # {exit_code, verdict, databases: [...]}


class OutcomeKind(Enum):
    """How a step ended."""

    DONE = "done"
    ALREADY = "already"  # its postcondition held before it was sent
    FAILED = "failed"
    CANCELLED = "cancelled"


@frozen(kw_only=True)
class Record:
    """One line of the journal. `data` has the members that `RecordKind` names.

    Shape: `sequence` starts at 1; `previous` is the SHA-256 of the record before (64 zeros for the
    first), `sha256`
    that of this record's canonical JSON without the member itself.
    """

    sequence: int
    at_utc: datetime
    kind: RecordKind
    data: Mapping[str, Json]
    previous: str
    sha256: str


class LaneState(Enum):
    """Where a lane is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # its purpose was not reached; the database is in service
    LEFT_OFFLINE = "left-offline"
    UNPROTECTED = "unprotected"  # in service with a new file that has no proved backup
    SKIPPED = "skipped"
    UNDECIDED = "undecided"  # a step in doubt cannot be decided by looking


@frozen(kw_only=True)
class Finding:
    """One error or warning that a detection step found, by pass (`primary` before, `defragmented`
    after a rebuild;
    empty where a step belongs to none).
    """

    severity: str
    pass_name: str
    text: str
    number: int = 1  # how many of them the text speaks of
    attempt: int | None = None  # which repetition of the pass found it


@frozen(kw_only=True)
class StepRecord:
    """The folded state of one step.

    `result` is the judged result (plain JSON) of its last outcome; `jobs` the ids of host jobs it
    started.
    """

    step: str
    attempts: int = 0
    is_in_doubt: bool = False
    outcome: OutcomeKind | None = None
    result: Mapping[str, Json] | None = None
    findings: tuple[Finding, ...] = ()
    output_tail: str = ""
    first_sent_at_utc: datetime | None = None
    last_sent_at_utc: datetime | None = None
    ended_at_utc: datetime | None = None
    skipped_because: str | None = None
    progress: Mapping[str, Json] | None = None
    # identities of the store's repair requests that ended attempts have counted
    requests: frozenset[str] = frozenset()


@frozen(kw_only=True)
class DatabaseResult:
    """How one database ended, as the run's last record says it."""

    lane: str
    server: str
    database: str
    state: LaneState
    why: str
    commands: tuple[str, ...] = ()


@frozen(kw_only=True)
class RunResult:
    """How a run ended."""

    exit_code: int
    verdict: str
    databases: tuple[DatabaseResult, ...]
