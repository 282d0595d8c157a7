"""The proof of an online full backup: job, time stamp, completion event and a copy that can be
fetched, all together.

A time stamp alone proves nothing: a fake backup moves it, and leaves no event of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from goexchange.codec import parse_time, time_text
from goexchange.driver.judgement import Subject
from goexchange.driver.lanes import happened
from goexchange.facts.streamed_backup import Within, is_one_full_backup, told_of
from goexchange.model.actual import (
    ActualHost,
    ActualServer,
    Generation,
    HostEvent,
    WindowsBackup,
)
from goexchange.model.plan import BACKUP_OF, ControllerCall, JobCall, Step
from goexchange.model.run import Finding
from goexchange.model.streaming_file import streaming_beside
from goexchange.model.unknown import Unknown

# Source: ESE source, jetmsg.mc: 213 a backup of the instance ended, 2006 a shadow copy completed,
# 224 log files are deleted, 225 there are none to delete.
COMPLETION_EVENTS = frozenset({213, 2006})
LOGS_DELETED, NO_LOGS_TO_DELETE = 224, 225
_SETTLED = timedelta(minutes=5)
_NO_TRUNCATION = "no truncation seen"
CLOCKS_AGREE_WITHIN = timedelta(minutes=1)
_PARTS = ("job_succeeded", "is_newer", "event_completed", "retrievable")


@frozen(kw_only=True)
class _Streamed:
    """A backup by ntbackup: the files of its database, the time that its process had, and all that
    the host's engine tells.
    """

    files: tuple[str, ...]
    within: Within | None
    events: tuple[HostEvent, ...]

    @property
    def is_one(self) -> bool:
        """Whether the engine tells of one full backup of them in that time."""
        return self.within is not None and is_one_full_backup(
            self.events, files=self.files, within=self.within
        )

    def is_told_by(self, host: ActualHost | None) -> bool:
        """Whether that time is long enough over for all of its events to be seen: no other one is
        ever looked at.
        """
        if host is None or self.within is None or not isinstance(host.backup_events, tuple):
            return False
        return host.clock_utc >= self.within.ends + _SETTLED

    @property
    def logs(self) -> str:
        """What became of the logs of the storage group, as the engine says it."""
        if self.within is None:
            return _NO_TRUNCATION
        told = told_of(self.events, files=self.files, within=self.within)
        if LOGS_DELETED in told:
            return "truncated"
        return "nothing to truncate" if NO_LOGS_TO_DELETE in told else _NO_TRUNCATION


@frozen(kw_only=True)
class _Backup:
    """The backup that is proved: the step that made it, and when its job started.

    Shape: `began` is by the clock of the host of the job, which its copies are told by; `started`
    by that of the Exchange server, None where its clock is not known.
    """

    step: Step
    result: Mapping[str, Any]
    began: datetime
    started: datetime | None


def backup_proof(subject: Subject, seen: ActualServer) -> dict[str, Any]:
    """What is proved so far; `proved` only when nothing is missing. Unknown facts prove nothing.

    Shape: `is_final` when all has been seen that can ever be, and it is not enough; `logs` what
    became of the logs; `also_covered` other databases with a full backup since the start.
    """
    call = subject.step.call
    assert isinstance(call, ControllerCall)
    wanted = tuple(str(each) for each in call.arguments["databases"])
    backup = _backup(subject, seen)
    started = None if backup is None else backup.started
    host = seen.host if isinstance(seen.host, ActualHost) else None
    events = _events(host, started)
    names = _names(seen, wanted)
    last = _last_full_backup(seen, wanted)
    streamed = _streamed(seen, wanted, backup)
    proof: dict[str, Any] = {
        "job_succeeded": backup is not None,
        "last_full_backup_utc": time_text(last) if last is not None else None,
        "is_newer": started is not None and last is not None and last >= started,
        "event_completed": bool(names)
        and (
            streamed.is_one
            if streamed is not None
            else _is_told_by_events(seen, last, started)
            or all(_has(events, COMPLETION_EVENTS, name) for name in names)
        ),
        "retrievable": _is_retrievable(backup, host),
        "logs": _logs(events, names) if streamed is None else streamed.logs,
        "also_covered": list(_also_covered(seen, call.arguments, started)),
    }
    is_proved = all(proof[name] is True for name in _PARTS)
    is_final = backup is not None and _has_own_copies(backup) and not proof["retrievable"]
    is_rest_seen = all(proof[name] for name in ("job_succeeded", "is_newer", "event_completed"))
    is_told = streamed is not None and streamed.is_told_by(host) and not streamed.is_one
    return {**proof, "proved": is_proved, "is_final": (is_final and is_rest_seen) or is_told}


def unproved_words(proof: Mapping[str, Any]) -> str:
    """What is missing of a proof, in words."""
    missing = {
        "job_succeeded": "the backup's job did not succeed",
        "is_newer": "the last full backup is not newer than the job's start",
        "event_completed": "the engine has logged no completion of a backup",
        "retrievable": "no copy of it is known that can be fetched",
    }
    words = [text for name, text in missing.items() if proof.get(name) is not True]
    is_fake = proof.get("is_newer") is True and proof.get("event_completed") is not True
    hint = (
        ": the time stamp alone has moved, as a backup that copied nothing does" if is_fake else ""
    )
    return f"not proved: {'; '.join(words) or 'it was never looked at'}{hint}"


def findings_of(proof: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What a person should know of a backup beside its proof."""
    found = []
    if proof.get("also_covered"):
        text = f"the backup covered {', '.join(proof['also_covered'])} too"
        found.append(Finding(severity="warning", pass_name="", text=text))
    return tuple(found)


def _backup(subject: Subject, seen: ActualServer) -> _Backup | None:
    """The nearest backup before the proof; None when it did not succeed."""
    action = BACKUP_OF[subject.step.action]
    steps = [
        each
        for each in subject.lane.steps
        if each.action is action and each.number < subject.step.number
    ]
    for step in reversed(steps):
        record = subject.state.step(step.id)
        if happened(record) and record.result is not None:
            text = record.result["started_at_utc"]
            sent = record.first_sent_at_utc
            began = parse_time(text) if text else sent
            if began is None:
                return None
            is_there = step.server == subject.lane.server
            started = began if is_there else _by_clock_of(seen, sent)
            return _Backup(step=step, result=record.result, began=began, started=started)
    return None


def _streamed(
    seen: ActualServer, guids: Sequence[str], backup: _Backup | None
) -> _Streamed | None:
    """The backup where it was one by ntbackup, whose end the events alone tell; None for others.

    Unknown: without the time that its process took no event is taken for its own.
    """
    call = None if backup is None else backup.step.call
    host = seen.host if isinstance(seen.host, ActualHost) else None
    if backup is None or not isinstance(call, JobCall) or call.kind != "ntbackup":
        return None
    databases = () if isinstance(seen.databases, Unknown) else seen.databases
    files = [
        path
        for each in databases
        if each.guid in guids
        for path in (each.edb_path, each.streaming_path or streaming_beside(each.edb_path))
    ]
    seconds = backup.result.get("seconds")
    within = None
    if isinstance(seconds, (int, float)):
        within = Within(begins=backup.began, ends=backup.began + timedelta(seconds=seconds))
    return _Streamed(files=tuple(files), within=within, events=_all_events(host))


def _by_clock_of(seen: ActualServer, moment: datetime | None) -> datetime | None:
    """A moment of ours by the server's clock, a little too early: when its clock was read within
    the look is not known to the second.

    Unknown: None, where the server's clock is not known.
    """
    if moment is None or isinstance(seen.host, Unknown):
        return None
    return moment + (seen.host.clock_utc - seen.host.observed_at_utc) - CLOCKS_AGREE_WITHIN


def _last_full_backup(seen: ActualServer, guids: Sequence[str]) -> datetime | None:
    """The oldest of the databases' last full backups; None when one is never or not known."""
    if isinstance(seen.databases, Unknown):
        return None
    found = [one.last_full_backup_utc for one in seen.databases if one.guid in guids]
    moments = [one for one in found if isinstance(one, datetime)]
    return min(moments) if moments and len(moments) == len(guids) else None


def _is_told_by_events(
    seen: ActualServer, last: datetime | None, started: datetime | None
) -> bool:
    """On Exchange 2003 the time of a full backup is that of the engine's own event, once it has
    named every file of the database as read.
    """
    is_old = seen.generation is Generation.EXCHANGE_2003
    return is_old and started is not None and last is not None and last >= started


def _names(seen: ActualServer, guids: Sequence[str]) -> tuple[str, ...]:
    """The names of all these databases; none when one of them is not known."""
    databases = () if isinstance(seen.databases, Unknown) else seen.databases
    names = tuple(one.name for one in databases if one.guid in guids)
    return names if len(names) == len(guids) else ()


def _all_events(host: ActualHost | None) -> tuple[HostEvent, ...]:
    """The backup events that are known."""
    if host is None or not isinstance(host.backup_events, tuple):
        return ()
    return host.backup_events


def _events(host: ActualHost | None, started: datetime | None) -> tuple[HostEvent, ...]:
    """The backup events since the job's start."""
    if started is None:
        return ()
    return tuple(each for each in _all_events(host) if each.at_utc >= started)


def _has(events: Sequence[HostEvent], ids: frozenset[int], database: str) -> bool:
    """Whether the engine's instance of that database logged one of these events.

    Source: the texts begin `<process> (<pid>) <instance>: `, on 2013 and later with the database's
    name as instance.
    """
    marks = (f") {database}: ", f" - {database} (")
    return any(each.event_id in ids and any(mark in each.text for mark in marks) for each in events)


def _logs(events: Sequence[HostEvent], names: Sequence[str]) -> str:
    """What became of the logs, as the engine says it."""
    if names and all(_has(events, frozenset({LOGS_DELETED}), name) for name in names):
        return "truncated"
    either = frozenset({LOGS_DELETED, NO_LOGS_TO_DELETE})
    if names and all(_has(events, either, name) for name in names):
        return "nothing to truncate"
    return _NO_TRUNCATION


def _also_covered(
    seen: ActualServer, arguments: Mapping[str, Any], started: datetime | None
) -> tuple[str, ...]:
    """Databases that the plan did not name as covered, and that have a full backup since then."""
    if isinstance(seen.databases, Unknown) or started is None:
        return ()
    named = {str(each) for each in arguments["covered"]} | set(arguments["databases"])
    return tuple(
        one.name
        for one in seen.databases
        if one.guid not in named
        and isinstance(one.last_full_backup_utc, datetime)
        and one.last_full_backup_utc >= started
    )


def _has_own_copies(backup: _Backup) -> bool:
    """Whether the backup's own job has said which copies there are: it will not say more."""
    call = backup.step.call
    return isinstance(call, JobCall) and call.kind != "wbadmin"


def _is_retrievable(backup: _Backup | None, host: ActualHost | None) -> bool:
    if backup is None:
        return False
    if not _has_own_copies(backup):
        return host is not None and _is_in_catalogue(host.windows_backup, backup.began)
    made = backup.result.get("copy_at_utc")
    minute = backup.began.replace(second=0, microsecond=0)  # some catalogues know no seconds
    return isinstance(made, str) and parse_time(made) >= minute


def _is_in_catalogue(backup: WindowsBackup | Unknown, started: datetime) -> bool:
    if isinstance(backup, Unknown) or backup.last_success_utc is None:
        return False
    return backup.last_result == 0 and backup.last_success_utc >= started
