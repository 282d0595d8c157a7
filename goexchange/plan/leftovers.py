"""What runs have left on a server, each with the reason why it may go or must stay.

The kept original and the set are the only good copies until a backup of the file in service is
proved (I3): before that nothing of them may go. Unknown keeps everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from ntpath import basename, dirname, normcase

from attrs import field, frozen

from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, DatabaseRecord
from goexchange.model.left import (
    KeptRun,
    LeftOnHost,
    Listed,
    RecoveryRecord,
    ShellLeft,
    held_copies_of,
)
from goexchange.model.unknown import Unknown

_BESIDE = re.compile(r"(?P<name>.+\.edb)\.(?P<kind>before|rebuilt)-(?P<at>\d{8}T\d{6}Z)", re.I)
_LOGS = re.compile(r"gx-logs-\d{8}T\d{6}Z", re.I)
_NOT_SEEN = Unknown("this server's answer does not name it")
STAMP = "%Y%m%dT%H%M%SZ"


class LeftoverKind(Enum):
    """What it is."""

    ORIGINAL = "kept-original"
    SET_ASIDE = "file-set-aside"
    WORK_FOLDER = "work-folder"
    LOGS = "logs-aside"
    SET = "backup-set"
    JOB = "job"
    SENTINEL = "sentinel"
    RECORD = "recovery-record"
    RUN = "kept-run"
    SHELL = "winrm-shell"


@frozen(kw_only=True)
class Leftover:
    """One thing that a run left; `what` is a path, or the name of a job, sentinel, record or run.

    Shape: `database_guid` and `run` where it belongs to one; `modified_at_utc` of files.
    """

    kind: LeftoverKind
    what: str
    may_go: bool
    reason: str
    size_bytes: int | None = None
    modified_at_utc: datetime | None = None
    database: str | None = None
    database_guid: str | None = None
    run: str | None = None


@frozen(kw_only=True)
class Host:
    """One look at a server: what is left there, what it is now, which rebuilt files that were set
    aside are known never to have been mounted, and which WinRM shells of our account are open.
    """

    left: LeftOnHost
    actual: ActualServer
    ended_runs: frozenset[str] = field(factory=frozenset)
    never_mounted: frozenset[str] = field(factory=frozenset)
    shells: tuple[ShellLeft, ...] = ()

    @property
    def databases(self) -> tuple[ActualDatabase, ...]:
        """The databases; none when they are unknown."""
        known = self.actual.databases
        return () if isinstance(known, Unknown) else known

    @property
    def records(self) -> tuple[DatabaseRecord, ...]:
        """The records of databases; none when they are unknown."""
        host = self.actual.host
        known = host.records if isinstance(host, ActualHost) else ()
        return () if isinstance(known, Unknown) else known


def leftovers(host: Host) -> tuple[Leftover, ...]:
    """Everything, by kind and name."""
    found = [*_of_files(host), *_of_jobs(host), *_of_sentinels(host), *_of_records(host)]
    found += [*_of_runs(host, found), *map(_shell, host.shells)]
    order = list(LeftoverKind)
    return tuple(sorted(found, key=lambda one: (order.index(one.kind), one.what.lower())))


def unknown_parts(left: LeftOnHost) -> tuple[str, ...]:
    """What the host could not say, with its reasons."""
    parts = ("recoveries", "runs", "sentinels", "jobs", "listed")
    return tuple(
        f"{part}: {value.reason}"
        for part in parts
        if isinstance(value := getattr(left, part), Unknown)
    )


def open_records(left: LeftOnHost) -> tuple[RecoveryRecord, ...] | Unknown:
    """The records that no run has closed."""
    if isinstance(left.recoveries, Unknown):
        return left.recoveries
    return tuple(each for each in left.recoveries if each.is_open)


def _of_files(host: Host) -> Iterator[Leftover]:
    listed = () if isinstance(host.left.listed, Unknown) else host.left.listed
    for database in host.databases:
        folder = normcase(dirname(database.edb_path))
        mine = [each for each in listed if normcase(dirname(each.path)) == folder]
        for each in mine:
            found = _BESIDE.fullmatch(each.path)
            is_ours = found is not None and normcase(found["name"]) == normcase(database.edb_path)
            if found is not None and is_ours and not each.is_folder:
                yield _beside(host, database, each, found)
        work = f"gx-{database.guid[:8]}".lower()
        for each in mine:
            if each.is_folder and basename(each.path).lower() == work:
                yield _work_folder(host, database, each)
        for each in listed:
            if each.is_folder and _is_of_logs(each, database):
                yield _logs(database, each)
        yield from _set(host, database)


def _beside(host: Host, database: ActualDatabase, entry: Listed, found: re.Match[str]) -> Leftover:
    at = datetime.strptime(found["at"].upper(), STAMP).replace(tzinfo=UTC)
    if found["kind"].lower() == "before":
        may_go, reason = _protected(host, database, since=at)
        kind = LeftoverKind.ORIGINAL
    else:
        may_go, reason = _set_aside(host, database, entry.path)
        kind = LeftoverKind.SET_ASIDE
    return Leftover(
        kind=kind,
        what=entry.path,
        may_go=may_go,
        reason=reason,
        size_bytes=entry.size_bytes,
        modified_at_utc=entry.modified_at_utc,
        database=database.name,
        database_guid=database.guid,
    )


def _protected(host: Host, database: ActualDatabase, *, since: datetime) -> tuple[bool, str]:
    """Whether a backup of the file in service is proved, made after the file was set aside."""
    blocked = _in_use(host, database)
    if blocked is not None:
        return False, blocked
    if database.is_mounted is not True:
        return False, f"{database.name} is not known to be mounted"
    mine = [each for each in host.records if each.database_guid.lower() == database.guid.lower()]
    proved = mine[0].protected_at_utc if mine else None
    if proved is None or proved < since:
        return False, "no backup of the file in service is proved since it was put aside"
    backed_up = database.last_full_backup_utc
    if not isinstance(backed_up, datetime) or backed_up < since:
        return False, "Exchange knows of no full backup since it was put aside"
    return True, f"a full backup of the file in service was proved on {proved:%Y-%m-%d}"


def _set_aside(host: Host, database: ActualDatabase, path: str) -> tuple[bool, str]:
    blocked = _in_use(host, database)
    if blocked is not None:
        return False, blocked
    if normcase(path) in host.never_mounted:
        return True, "a rebuilt file that was never mounted: it holds nothing of its own"
    return False, "it may have been mounted and hold mail: a person decides"


def _work_folder(host: Host, database: ActualDatabase, entry: Listed) -> Leftover:
    blocked = _in_use(host, database) or ("it is a link" if entry.is_link else None)
    return Leftover(
        kind=LeftoverKind.WORK_FOLDER,
        what=entry.path,
        may_go=blocked is None,
        reason=blocked or "temporary files of runs that are over",
        size_bytes=entry.size_bytes,
        modified_at_utc=entry.modified_at_utc,
        database=database.name,
        database_guid=database.guid,
    )


def _is_of_logs(entry: Listed, database: ActualDatabase) -> bool:
    is_there = normcase(dirname(entry.path)) == normcase(database.log_folder)
    return is_there and _LOGS.fullmatch(basename(entry.path)) is not None


def _logs(database: ActualDatabase, entry: Listed) -> Leftover:
    return Leftover(
        kind=LeftoverKind.LOGS,
        what=entry.path,
        may_go=False,
        reason="logs of a mount that failed are never removed by the tool: a person decides",
        size_bytes=entry.size_bytes,
        modified_at_utc=entry.modified_at_utc,
        database=database.name,
        database_guid=database.guid,
    )


def _set(host: Host, database: ActualDatabase) -> Iterator[Leftover]:
    for each in host.records:
        if each.database_guid.lower() == database.guid.lower() and each.set_folder:
            yield Leftover(
                kind=LeftoverKind.SET,
                what=each.set_folder,
                may_go=False,
                reason="sets are kept by their own rules: goexchange backups prune",
                database=database.name,
                database_guid=database.guid,
                run=each.run,
            )


def _in_use(host: Host, database: ActualDatabase) -> str | None:
    """Why nothing of a database may go: a run is open, or what there is is not known."""
    records = open_records(host.left)
    if isinstance(records, Unknown):
        return f"whether a run is open is not known: {records.reason}"
    mine = [each.run for each in records if each.database_guid == database.guid.lower()]
    if mine:
        return f"run {mine[0]} is open: goexchange release {host.left.server}/{database.name}"
    jobs = host.left.jobs
    if isinstance(jobs, Unknown):
        return f"whether a job runs is not known: {jobs.reason}"
    running = [each.job for each in jobs if each.state in ("running", "requested")]
    return f"the job {running[0]} is not over" if running else None


def _is_over(host: Host, run: str) -> str | None:
    """Why a run is not over as far as the host knows, or None."""
    records = open_records(host.left)
    if isinstance(records, Unknown):
        return f"whether a run is open is not known: {records.reason}"
    if run in {each.run for each in records}:
        return f"run {run} is open: goexchange release {host.left.server}"
    runs = host.left.runs
    if isinstance(runs, Unknown):
        return f"which runs are kept is not known: {runs.reason}"
    if run in {each.run for each in runs} and run not in host.ended_runs:
        return f"run {run} has not ended: goexchange resume --from-host {host.left.server}"
    return None


def _of_jobs(host: Host) -> Iterator[Leftover]:
    for each in () if isinstance(host.left.jobs, Unknown) else host.left.jobs:
        run = _run_of(each.job, host.left)
        why = None if run is None else _is_over(host, run)
        if each.state in ("running", "requested"):
            why = f"it is {each.state}"
        yield Leftover(
            kind=LeftoverKind.JOB,
            what=each.job,
            may_go=why is None,
            reason=why or f"{each.kind or 'a job'} that is {each.state}, of a run that is over",
            size_bytes=each.size_bytes,
            run=run,
        )


def _run_of(job: str, left: LeftOnHost) -> str | None:
    """The run of a job; its id begins with the run's."""
    runs: list[str] = []
    if not isinstance(left.runs, Unknown):
        runs += [each.run for each in left.runs]
    if not isinstance(left.recoveries, Unknown):
        runs += [each.run for each in left.recoveries]
    return next((run for run in runs if job.startswith(f"{run}-")), None)


def _of_sentinels(host: Host) -> Iterator[Leftover]:
    records = open_records(host.left)
    for each in () if isinstance(host.left.sentinels, Unknown) else host.left.sentinels:
        why = None
        if isinstance(records, Unknown):
            why = f"whether a run is open is not known: {records.reason}"
        elif any(one.database_guid == each.database_guid for one in records):
            why = f"its run is open: goexchange release {host.left.server}"
        yield Leftover(
            kind=LeftoverKind.SENTINEL,
            what=each.database_guid,
            may_go=why is None,
            reason=why or "no run is open for its database: it watches over nothing",
            database_guid=each.database_guid,
            run=each.run,
        )


def _of_records(host: Host) -> Iterator[Leftover]:
    for each in () if isinstance(host.left.recoveries, Unknown) else host.left.recoveries:
        name = str(each.content["database"]) if "database" in each.content else each.database_guid
        why = None
        if each.is_open:
            why = f"it is open: goexchange release {host.left.server}/{name}{_held(host, each)}"
        yield Leftover(
            kind=LeftoverKind.RECORD,
            what=f"{each.database_guid}\\{each.run}",
            may_go=why is None,
            reason=why or "closed: the database was seen in service",
            database=name,
            database_guid=each.database_guid,
            run=each.run,
        )


def _held(host: Host, record: RecoveryRecord) -> str:
    """The copies that its run suspends, and what Exchange calls them now."""
    copies = () if isinstance(host.actual.copies, Unknown) else host.actual.copies
    seen = {each.identity.casefold(): each.status for each in copies}
    told = []
    for held in held_copies_of(record.content):
        status = seen.get(held.identity.casefold(), _NOT_SEEN)
        now = "not known" if isinstance(status, Unknown) else status
        told.append(f"{held.identity} (now: {now})")
    return f" resumes what run {record.run} suspends: {', '.join(told)}" if told else ""


def _of_runs(host: Host, found: Sequence[Leftover]) -> list[Leftover]:
    """A kept run stays as long as a file of its night does: its journal tells what that file is."""
    staying = [one.what for one in found if not one.may_go and one.kind in _FILES]
    runs: tuple[KeptRun, ...] = () if isinstance(host.left.runs, Unknown) else host.left.runs
    made: list[Leftover] = []
    for each in runs:
        why = _is_over(host, each.run)
        if why is None and staying:
            why = f"its journal tells what {basename(staying[0])} is"
        made.append(
            Leftover(
                kind=LeftoverKind.RUN,
                what=each.run,
                may_go=why is None,
                reason=why or "it has ended",
                size_bytes=sum(each.sizes.values()),
                run=each.run,
            )
        )
    return made


def _shell(left: ShellLeft) -> Leftover:
    """It stays: another process of this account may hold it, and nobody can tell which."""
    idle = left.idle_limit_s
    ends = "at its idle limit" if idle is None else f"after {idle:.0f} s without use"
    return Leftover(
        kind=LeftoverKind.SHELL,
        what=left.shell,
        may_go=False,
        reason=f"open for {left.owner}: another process holds it, or held it when it died;"
        f" the host ends it {ends}",
    )


_FILES = (LeftoverKind.ORIGINAL, LeftoverKind.SET_ASIDE)
