"""Staging: the files of a set copied to a server, read back, replayed where they want it.

The set is only read. What is staged lies in a folder of its own; nothing that exists is touched.
"""

from __future__ import annotations

from ntpath import basename, join

from attrs import frozen

from goexchange.backup.manifest import content_digest
from goexchange.model.backup_set import BackupSet, FileRole, SetFile
from goexchange.model.plan import Action, Binding, BindingKind, Condition, Reason, ScriptCall
from goexchange.model.streaming_file import streaming_beside
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, eseutil_job, host_job, host_script
from goexchange.powershell.eseutil import recovery_arguments
from goexchange.schedule.rates import Duration


@frozen(kw_only=True)
class HeaderTool:
    """What a header on a host is read with: the tool's path, and the version's page size."""

    eseutil: str
    page_bytes: int


@frozen(kw_only=True)
class Staged:
    """What is copied from where to where.

    Shape: `files` are those of the set that are needed; `replays` the base name of the logs when
    the database has to be brought up to them, None when it is clean; `last_log` is the newest of
    them, which is put under the name of the current log; `account` reads the set, None for SYSTEM.
    """

    source: str
    folder: str
    files: tuple[SetFile, ...]
    replays: str | None
    last_log: str | None
    tool: HeaderTool
    lasts: Duration
    account: str | None = None

    @property
    def database(self) -> str:
        """Where the staged database lies."""
        found = next(each for each in self.files if each.role is FileRole.DATABASE)
        return join(self.folder, basename(found.path))

    @property
    def size_bytes(self) -> int:
        """The size of all of it."""
        return sum(each.size_bytes for each in self.files)

    def destination(self, file: SetFile) -> str:
        """Where a file of the set is copied to; logs lie apart from the database."""
        is_log = file.role not in (FileRole.DATABASE, FileRole.STREAMING)
        parts = (self.folder, "replay") if is_log else (self.folder,)
        is_last = self.last_log is not None and file.path == self.last_log
        name = f"{self.replays}.log" if is_last else basename(file.path.replace("/", "\\"))
        return join(*parts, name)


def database_of(body: BackupSet) -> SetFile | None:
    """The one database of a set; None when it has none or several."""
    found = [each for each in body.files if each.role is FileRole.DATABASE]
    return found[0] if len(found) == 1 else None


def add_stage(lane: LaneBuilder, staged: Staged, *, root: str) -> str:
    """Copy, read back, replay, read the header; the id of the step that read the header."""
    prints = [(staged.destination(each), each.size_bytes, each.sha256) for each in staged.files]
    copied = lane.add(
        Action.COPY_FROM_SET,
        host_job(
            "copy-files",
            {
                "files": [
                    {
                        "source": join(staged.source, each.path.replace("/", "\\")),
                        "destination": staged.destination(each),
                    }
                    for each in staged.files
                ]
            },
            watch=(f"{staged.database}.partial", staged.database),
            expected_bytes=staged.size_bytes,
            account=staged.account,
        ),
        summary=f"copy {words.counted(len(staged.files), 'file')} of the set,"
        f" {words.size(staged.size_bytes)}, about {words.span(staged.lasts.p50_s)}"
        f" -> {staged.folder}{'' if staged.account is None else f', as {staged.account}'}",
        reason=Reason.ASKED_FOR,
        guards=("elevated",),
        estimate_s=staged.lasts.p50_s,
    )
    lane.add(
        Action.HASH_FROM_SET,
        host_job("hash-files", {"files": []}, expected_bytes=staged.size_bytes),
        summary="digests of the copy, read past the cache, are those of the set's manifest",
        reason=Reason.ASKED_FOR,
        binds=(Binding(argument="files", kind=BindingKind.SET_FILES, step=copied),),
        postcondition=equals("content_sha256", content_digest(prints)),
        estimate_s=staged.lasts.p50_s // 2,
    )
    if staged.replays is not None:
        _add_replay(lane, staged)
    header = add_returned_header(lane, staged.database, tool=staged.tool, wanted=None)
    if any(each.role is FileRole.STREAMING for each in staged.files):
        add_returned_streaming(lane, staged.database, tool=staged.tool)
    return header


def add_returned_streaming(lane: LaneBuilder, path: str, *, tool: HeaderTool) -> None:
    """The second file of an earlier database is clean, and the one of this very database."""
    lane.add(
        Action.READ_RETURNED_STREAMING,
        _read_header(streaming_beside(path), tool),
        summary=f"header of {streaming_beside(path)}: shut down cleanly, the one of this database",
        reason=Reason.ASKED_FOR,
        estimate_s=5,
    )


def add_returned_header(
    lane: LaneBuilder, path: str, *, tool: HeaderTool, wanted: Condition | None
) -> str:
    """The earlier file is clean, and the one that is meant."""
    return lane.add(
        Action.READ_RETURNED_HEADER,
        _read_header(path, tool),
        summary=f"header of {path}: shut down cleanly, both copies alike",
        reason=Reason.ASKED_FOR,
        postcondition=wanted,
        estimate_s=5,
    )


def _read_header(path: str, tool: HeaderTool) -> ScriptCall:
    return host_script(
        "read-header",
        {
            "path": path,
            "eseutil": tool.eseutil,
            "log_folder": None,
            "log_prefix": None,
            "page_bytes": tool.page_bytes,
        },
    )


def _add_replay(lane: LaneBuilder, staged: Staged) -> None:
    folder = join(staged.folder, "replay")
    base = staged.replays or ""
    logs = [each for each in staged.files if each.role is FileRole.LOG]
    lane.add(
        Action.REPLAY_LOGS,
        eseutil_job(
            staged.tool.eseutil,
            recovery_arguments(base, logs=folder, database=staged.folder),
            folder=folder,
        ),
        summary=f"replay {words.counted(len(logs), 'log')} into the copy, never with loss",
        reason=Reason.ASKED_FOR,
        postcondition=equals("ok", True),
        estimate_s=max(1, len(logs) // 2),
    )
