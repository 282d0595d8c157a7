"""Judging online backups by what their tools print and say: Windows Server Backup, a vendor's
agent.

A word that is not known is never a success; and a success here is one part of the proof only.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from goexchange.codec import time_text
from goexchange.driver.judge_tools import ended
from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject, done, failed
from goexchange.model.desired import BackupState
from goexchange.model.plan import JobCall
from goexchange.model.run import Finding
from goexchange.model.unknown import Unknown
from goexchange.powershell.agent import copies_in, last_line, state_of
from goexchange.powershell.eseutil import decode_output
from goexchange.powershell.wbadmin import parse_backup

RUNNING_ALREADY = "running-already"
NOT_STARTED = "not-started"
LIMIT = "limit"
AGENT_ENDS = ("state", RUNNING_ALREADY, NOT_STARTED, LIMIT)
_WORDS_MAX = 20


def judge_backup(subject: Subject, end: JobEnd) -> Judgement:
    """Windows Server Backup: exit code and final words; the proof comes after."""
    text = decode_output(end.output)
    printed = parse_backup(text)
    words = printed.end.reason if isinstance(printed.end, Unknown) else printed.end.value
    result = {**ended(end), "end": words, "volumes": list(printed.volumes_completed)}
    if end.exit_code is None or not printed.has_succeeded(end.exit_code):
        return failed(
            f"the backup ended with {result['exit_code']}: {words}",
            result,
            findings=tuple(_finding("error", each) for each in printed.errors),
            output=text,
        )
    return done(result, output=text)


def judge_agent(subject: Subject, end: JobEnd) -> Judgement:
    """A vendor's agent: the state it came to, by the operator's mapping."""
    call = subject.step.call
    assert isinstance(call, JobCall)
    text = decode_output(end.output)
    seen = end.result
    if not seen:
        raise Failure(f"the agent could not be watched: {last_line(text)}", ended(end), output=text)
    states = {one["prints"]: BackupState(one["means"]) for one in call.request["states"]}
    looks = [_look(one, states) for one in seen["looks"]]
    words = [last_line(_text(one)) for one in seen["looks"]]
    state = looks[-1] if looks else Unknown("its state was never asked for")
    result = {
        **ended(end),
        "end": state.reason if isinstance(state, Unknown) else state.value,
        "words": words[-_WORDS_MAX:],
        "was_seen_running": BackupState.RUNNING in looks[1:],
        "copy_at_utc": _new_copy(seen),
    }
    why = _against(seen, state, looks)
    if why is not None:
        return failed(why, result, output=text)
    notes = () if result["was_seen_running"] else (_never_seen_running(words),)
    return done(result, findings=notes, output=text)


def _against(
    seen: Mapping[str, Any],
    state: BackupState | Unknown,
    looks: list[BackupState | Unknown],
) -> str | None:
    """Why the backup has not succeeded; None when its last word says so."""
    if seen["ended"] == RUNNING_ALREADY:
        return "a backup of the agent was running already: none was started"
    if seen["ended"] == NOT_STARTED:
        code = seen["start_exit_code"]
        said = "could not be started" if code is None else f"ended with {code}"
        return f"the agent's start command {said}; whether a backup began is not known"
    if len(looks) < 2:
        return "the agent's state was not asked for after the start"
    if isinstance(state, Unknown):
        return f"the state of the agent's backup is unknown: {state.reason}{_stopped(seen)}"
    if state is BackupState.FAILED:
        return "the agent says that its backup has failed"
    if state is BackupState.RUNNING:
        return f"the agent's backup did not end within its time limit{_stopped(seen)}"
    return None


def _stopped(seen: Mapping[str, Any]) -> str:
    if seen["ended"] != LIMIT:
        return ""
    code = seen["stop_exit_code"]
    if code is None:
        return "; it was left running"
    return f"; its stop command ended with {code}"


def _never_seen_running(words: list[str]) -> Finding:
    return _finding(
        "warning",
        f"the agent printed '{words[-1][:60]}' and was never seen running after its start: only"
        " the proof tells whether there is a backup",
    )


def _look(plain: Mapping[str, Any], states: Mapping[str, BackupState]) -> BackupState | Unknown:
    return state_of(_text(plain), plain["exit_code"], states)


def _text(plain: Mapping[str, Any]) -> str:
    return decode_output(base64.b64decode(plain["output"]))


def _new_copy(seen: Mapping[str, Any]) -> str | None:
    """The newest copy that can be fetched and was not there before the start."""
    before, after = (
        copies_in(decode_output(base64.b64decode(seen[name])))
        for name in ("copies_before", "copies_after")
    )
    fresh = [one for one in after if one not in before]
    return time_text(fresh[-1]) if fresh else None


def _finding(severity: str, text: str) -> Finding:
    return Finding(severity=severity, pass_name="", text=text)
