"""The command line that kills itself, by SIGKILL, at one boundary of one step.

`GX_DIES='PHASE|STEP|NTH' python -m tests.reliability.dying apply plan.json` is `goexchange apply
plan.json` with one thing added: where the performer reaches that phase of that step for the n-th
time, the process is gone in the same instant. Nothing that decides is changed.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from enum import Enum
from typing import Any, NoReturn

from goexchange.app import perform
from goexchange.cli import running
from goexchange.cli.main import main
from goexchange.driver import effects
from goexchange.journal.chain import line_of, seal
from goexchange.model.run import RecordKind
from goexchange.store.journal_file import JournalFile

VARIABLE = "GX_DIES"


class Moment(Enum):
    """Where a process dies; the words are those of the reports."""

    BEFORE_INTENT = "before the intent"
    IN_INTENT = "in the middle of writing the intent"
    AFTER_INTENT = "between intent and send"
    BEFORE_EFFECT = "between send and effect"
    AFTER_EFFECT = "between effect and answer"
    BEFORE_OUTCOME = "between answer and outcome"
    IN_OUTCOME = "in the middle of writing the outcome"
    AFTER_OUTCOME = "after the outcome"
    IN_RENEWAL = "in a lease renewal"
    IN_REPORT = "in the report"
    ANY = "at any moment"


OF_A_CALL = frozenset({Moment.BEFORE_EFFECT, Moment.AFTER_EFFECT})
_OF_RECORDS = {
    Moment.BEFORE_INTENT: RecordKind.INTENT,
    Moment.IN_INTENT: RecordKind.INTENT,
    Moment.AFTER_INTENT: RecordKind.INTENT,
    Moment.BEFORE_OUTCOME: RecordKind.OUTCOME,
    Moment.IN_OUTCOME: RecordKind.OUTCOME,
    Moment.AFTER_OUTCOME: RecordKind.OUTCOME,
}
_calling = threading.local()  # which of the call's messages is on its way


def die() -> NoReturn:
    """End this process as `kill -9` does; nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def lay(moment: Moment, step: str, nth: int) -> None:
    """Let the process die there."""
    if moment in _OF_RECORDS:
        _die_at_record(moment, step)
    elif moment in OF_A_CALL:
        _die_in_call(moment, step, nth)
    elif moment is Moment.IN_RENEWAL:
        _die_in_renewal(step)
    elif moment is Moment.IN_REPORT:
        _die_in_report()


def _die_at_record(moment: Moment, step: str) -> None:
    append = JournalFile.append

    def dying(self: JournalFile, drafts: Any, at: Any) -> Any:
        is_it = any(
            draft.kind is _OF_RECORDS[moment] and draft.data.get("step") == step
            for draft in drafts
        )
        if is_it and moment in (Moment.BEFORE_INTENT, Moment.BEFORE_OUTCOME):
            die()
        if is_it and moment in (Moment.IN_INTENT, Moment.IN_OUTCOME):
            _tear(self, drafts, at)
        records = append(self, drafts, at)
        if is_it:
            die()
        return records

    JournalFile.append = dying  # type: ignore[method-assign]


def _tear(journal: JournalFile, drafts: Any, at: Any) -> NoReturn:
    """A part of what is appended reaches the file."""
    records = journal.records
    sealed = seal(drafts, after=records[-1] if records else None, at=at)
    lines = b"".join(map(line_of, sealed))
    journal._file.write(lines[: len(lines) * 2 // 3])
    journal._file.flush()
    die()


def _die_in_call(moment: Moment, step: str, nth: int) -> None:
    """In the n-th call of the step: once its message is out, or once an answer has come.

    Shape: the message is the last of those that hand a script its input, or the one that starts a
    pipeline. The lab waits a moment before it takes up what it is sent. An answer is one of what
    is received; the driver has not seen it.
    """
    send, seen = perform.Performer._send, [0]

    def dying(self: Any, effect: effects.Send) -> Any:
        if effect.purpose != step:
            return send(self, effect)
        seen[0] += 1
        if seen[0] == nth:
            _watch_messages(moment)
            _calling.is_wanted = True
        try:
            return send(self, effect)
        finally:
            _calling.is_wanted = False

    perform.Performer._send = dying  # type: ignore[method-assign]


@functools.cache
def _watch_messages(moment: Moment) -> None:
    import http.client  # after gevent's patch, as whatever loads ssl

    from pypsrp.powershell import PowerShell
    from winrm.protocol import Protocol

    if moment is Moment.BEFORE_EFFECT:
        _armed(PowerShell, "begin_invoke", lambda given: True)
        _armed(Protocol, "send_command_input", lambda given: bool(given.get("end")))
    else:
        _armed(PowerShell, "poll_invoke", lambda given: True)
        _armed(Protocol, "get_command_output_raw", lambda given: True)
    getresponse = http.client.HTTPConnection.getresponse

    def watched(self: Any) -> Any:
        is_armed = getattr(_calling, "is_armed", False)
        if is_armed and moment is Moment.BEFORE_EFFECT:
            die()
        response = getresponse(self)
        if is_armed and response.status == http.client.OK:
            die()
        return response

    http.client.HTTPConnection.getresponse = watched  # type: ignore[method-assign]


def _armed(of: Any, name: str, matters: Callable[[dict[str, Any]], bool]) -> None:
    original = getattr(of, name)

    def arming(self: Any, *given: Any, **named: Any) -> Any:
        _calling.is_armed = getattr(_calling, "is_wanted", False) and matters(named)
        try:
            return original(self, *given, **named)
        finally:
            _calling.is_armed = False

    setattr(of, name, arming)


def _die_in_renewal(step: str) -> None:
    """In the first renewal since the step's intent: its statements are sent, not yet committed."""
    from goexchange.store import lease_sqlite

    append, write, is_due = JournalFile.append, lease_sqlite._write, [False]
    lease = perform.Performer._lease

    def noting(self: JournalFile, drafts: Any, at: Any) -> Any:
        is_due[0] |= any(draft.data.get("step") == step for draft in drafts)
        return append(self, drafts, at)

    def dying(*given: Any) -> None:
        write(*given)
        if is_due[0]:
            die()

    def renewing(self: Any, effect: Any) -> Any:
        if isinstance(effect, effects.RenewLeases):
            lease_sqlite._write = dying
        return lease(self, effect)

    JournalFile.append = noting  # type: ignore[method-assign]
    perform.Performer._lease = renewing  # type: ignore[method-assign]


def _die_in_report() -> None:
    """With the first form of the report written, and not the others."""
    tell = running._tell

    def dying(*given: Any) -> None:
        from goexchange.app import reporting  # after gevent's patch, for it loads ssl

        write = reporting.write_reports

        def half(run: Any, forms: Any, folder: Any, **more: Any) -> NoReturn:
            write(run, forms[:1], folder, **more)
            die()

        reporting.write_reports = half  # type: ignore[assignment]
        tell(*given)

    running._tell = dying  # type: ignore[assignment]


if __name__ == "__main__":
    wanted, of, count = os.environ[VARIABLE].split("|")
    lay(Moment(wanted), of, int(count))
    main(sys.argv[1:])
