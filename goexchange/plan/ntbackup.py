"""A full backup by ntbackup: the whole storage group of a database, through the engine, into a file
of its own.

Source: the command line and the selection file of ntbackup on Windows 2000 and 2003; the line that
selects is known for a whole storage group only. Its exit code says nothing, and the words of its
log are not confirmed: what it did is told by the engine's events and by its file.
"""

from __future__ import annotations

import re

from goexchange.model.actual import ActualDatabase, ActualServer, Generation
from goexchange.model.desired import DesiredState, OnlineBackup, OnlineBackupMethod
from goexchange.model.plan import JobCall, Reason
from goexchange.model.streaming_file import streaming_beside
from goexchange.model.unknown import Unknown, known
from goexchange.plan.calls import host_job
from goexchange.plan.context import LaneContext
from goexchange.plan.coverage import Coverage, covered_bytes
from goexchange.plan.finding import Needed, fact_unknown, not_possible

# One item a line, its parts between backslashes: a name with another meaning there is refused.
_NAME = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]+\Z")
_LOCAL = re.compile(r"[A-Za-z]:\\[^\"<>|*?\x00-\x1f]*\Z")


def refuse_ntbackup(server: ActualServer, needed: Needed, spec: DesiredState) -> Needed | None:
    """Why it cannot be used on a server: no later Windows has it, and Exchange 2007 is worked on
    only where it runs on a later one.
    """
    after = spec.backup_after.online if needed.is_backed_up_too else None
    for each in (spec.backup_before.online, after):
        is_meant = each is not None and each.method is OnlineBackupMethod.NTBACKUP
        if each is None or not is_meant or server.generation is Generation.EXCHANGE_2003:
            continue
        is_2007 = server.generation is Generation.EXCHANGE_2007
        return not_possible(
            Reason.BLOCKED_BY_GUARD,
            "ntbackup is the backup of Windows Server 2003"
            + (
                ", and Exchange 2007 is worked on from Windows Server 2008 on"
                if is_2007
                else ", and Exchange has needed a later Windows since 2010"
            ),
            origin=each.place,
            instead="back up with windows-server-backup, diskshadow or an agent",
        )
    return None


def choose_group(
    database: ActualDatabase, server: ActualServer, declared: OnlineBackup, *, target: str
) -> Coverage | Needed:
    """What the backup covers: every store of the database's storage group; or why it cannot be."""
    databases, public = known(server.databases), server.public_stores  # this is one of them
    if isinstance(public, Unknown):
        return fact_unknown(
            "which public folder stores its storage group holds", public, origin=declared.place
        )
    group = database.storage_group or ""
    refused = _refuse_words(group, server.name, declared)
    if refused is not None:
        return refused
    same = [each for each in databases if _is_of(each.storage_group, group)]
    return Coverage(
        target=target,
        volumes=(),
        databases=tuple(sorted(same, key=lambda each: each.name)),
        partly=(),
        group=group,
        public=tuple(each.name for each in public if _is_of(each.storage_group, group)),
    )


def ntbackup_job(context: LaneContext, coverage: Coverage) -> JobCall:
    """The host job: the selection as data, a file of its own, and the files whose content has to be
    in it.
    """
    database = context.database
    request = {
        "target": coverage.target,
        "selection": [selection_of(context.server.name, coverage.group)],
        "files": [
            database.edb_path,
            database.streaming_path or streaming_beside(database.edb_path),
        ],
    }
    return host_job("ntbackup", request, expected_bytes=covered_bytes(coverage))


def selection_of(server: str, group: str) -> str:
    """The line of a selection file that takes a whole storage group."""
    return f"JET {server}\\Microsoft Information Store\\{group}\\"


def _refuse_words(group: str, server: str, declared: OnlineBackup) -> Needed | None:
    """What cannot be written down for it without another meaning."""
    assert declared.target is not None  # the reader of specifications asks for it
    if not group:
        unknown = Unknown("the management objects did not give it")
        return fact_unknown("its storage group", unknown, origin=declared.place)
    strange = [each for each in (server, group) if not _NAME.match(each)]
    if strange:
        return not_possible(
            Reason.BLOCKED_BY_GUARD,
            f"how ntbackup reads a name such as {strange[0]} in its selection is not known",
            origin=declared.place,
            instead="back up by an agent",
        )
    if not _LOCAL.match(declared.target.path):
        return not_possible(
            Reason.BLOCKED_BY_GUARD,
            f"ntbackup writes its file to a folder of a local volume here, and"
            f" {declared.target.path} is none: a drive with its path",
            origin=declared.target.place,
            instead=r"name a folder such as F:\backup, and fetch the file from there",
        )
    return None


def _is_of(found: str | None, group: str) -> bool:
    return (found or "").casefold() == group.casefold()
