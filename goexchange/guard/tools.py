"""The host is fit: storage healthy, the tool of the server's own build, rights, a safe place for
the temporary file.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from ntpath import dirname, isabs, normcase, normpath
from typing import Any

from goexchange.facts.generations import page_bytes_of
from goexchange.facts.places import volume_of
from goexchange.guard.guard import (
    AT_ALL_TIMES,
    Answer,
    Guard,
    Question,
    blocks,
    member,
    need,
    passes,
)
from goexchange.model.actual import HostEvent
from goexchange.model.plan import Action, JobCall, Step
from goexchange.model.run import OutcomeKind

LOOK_BACK = timedelta(days=7)
# Source: ESE event messages, jetmsg.mc: bad reads, checksums, flushes, hung IO.
ESE_STORAGE_EVENTS = frozenset(
    {474, 475, 476, 477, 481, 482, 507, 508, 509, 510, 515, 516, 530, 531, 532, 533}
)
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:\.(\d+))?\Z")


def _storage_healthy(question: Question) -> Answer:
    events = need(question.host.storage_events, "the storage events of the last 7 days")
    since = question.host.clock_utc - LOOK_BACK
    bad = [each for each in events if each.at_utc >= since and _is_bad(each)]
    if bad:
        shown = sorted({f"{each.provider} {each.event_id}" for each in bad})
        return blocks(
            f"{len(bad)} storage events in 7 days: {', '.join(shown)}",
            "mend the storage and wait until a week has passed without them; a rebuild"
            " would read bad pages",
            events=shown,
        )
    return passes("no storage event in 7 days", events=[])


def _is_bad(event: HostEvent) -> bool:
    is_engine = event.provider.upper().startswith("ESE")
    return event.event_id in ESE_STORAGE_EVENTS if is_engine else True


def _tool_fits(question: Question) -> Answer:
    tool = need(question.host.eseutil_version, "the version of eseutil")
    server = need(question.host.exsetup_version, "the build of the server")
    seen: dict[str, Any] = {"eseutil": tool, "server": server}
    if _build(tool) is None or _build(tool) != _build(server):
        return blocks(
            f"eseutil is {tool}, the server {server}",
            "use the eseutil of the server's own build",
            **seen,
        )
    header = _header_step_done(question)
    if header is None:
        return passes(
            f"eseutil {tool} is of the server's build; page size after the dismount", **seen
        )
    page_bytes = member(question.result(header), "page_bytes", of="the header")
    expected = page_bytes_of(question.server.generation)
    if page_bytes != expected:
        return blocks(
            f"pages of {page_bytes} bytes, {expected} expected",
            "the database is of another product generation",
            page_bytes=page_bytes,
            **seen,
        )
    return passes(
        f"eseutil {tool} is of the server's build; pages of {expected // 1024} KiB",
        page_bytes=page_bytes, **seen
    )


def _header_step_done(question: Question) -> Step | None:
    for step in question.steps(Action.READ_HEADER):
        if question.run is not None and question.run.step(step.id).outcome is OutcomeKind.DONE:
            return step
    return None


def _build(text: str) -> tuple[int, ...] | None:
    """The first three numbers: a security update raises the fourth, and not that of every file."""
    match = _VERSION.match(text.strip())
    return None if match is None else tuple(int(each) for each in match.groups()[:3])


def _elevated(question: Question) -> Answer:
    lacking = [] if question.host.is_elevated is True else ["the host"]
    machines = tuple(question.machines)
    lacking += [name for name, host in machines if host.is_elevated is not True]
    if lacking:
        return blocks(
            f"our session on {' and '.join(lacking)} has no administrator rights",
            f"use an account that is administrator of {' and '.join(lacking)}",
            is_elevated=False,
        )
    on = "".join(f" and on {name}" for name, _ in machines)
    return passes(f"administrator rights on the host{on}", is_elevated=True)


def _temporary_path(question: Question) -> Answer:
    paths = _temporaries(question)
    host, original = question.host, question.database.edb_path
    home = need(volume_of(host, original), "the volume of the database")
    for path in paths:
        if not isabs(path) or path.startswith("\\\\") or ":" not in path[:2]:
            return blocks(f"{path} is not an absolute local path", "plan again", path=path)
        volume = need(volume_of(host, path), f"the volume of {path}")
        if not volume.is_local:
            return blocks(f"{path} is not on a local volume", "use a local volume", path=path)
        if volume.mount_point != home.mount_point:
            return blocks(
                f"{path} is on {volume.mount_point} and the database on {home.mount_point}:"
                " the swap would not be a rename",
                "rebuild on the volume of the database",
                path=path,
            )
        for other in question.databases:
            if _collides(path, other.edb_path) or _collides(path, other.log_folder):
                return blocks(
                    f"{path} is where {other.name} has its files", "plan again", path=path
                )
    return passes(
        f"{', '.join(paths) or 'no temporary file'}: local, on the database's volume", paths=paths
    )


def _temporaries(question: Question) -> list[str]:
    """Every file that a tool of the lane creates: it deletes what has that name before it
    starts.
    """
    found: list[str] = []
    for step in question.steps(
        Action.REBUILD,
        Action.DETECT_ERRORS,
        Action.DETECT_ERRORS_TEMPORARY,
        Action.FIND_DAMAGE,
        Action.REPAIR,
    ):
        assert isinstance(step.call, JobCall)
        found += [each for each in step.call.request["must_not_exist"] if each not in found]
    return found


def _collides(path: str, other: str) -> bool:
    """Whether a file of ours is the other path, or the other path is inside our work folder."""
    ours, work, theirs = _form(path), _form(dirname(path)), _form(other)
    return theirs in (ours, work) or theirs.startswith(work + "\\")


@lru_cache(maxsize=4096)
def _form(path: str) -> str:
    """A path as Windows compares it; of one server's databases each pair is compared."""
    return normcase(normpath(path))


STORAGE_HEALTHY = Guard(
    id="storage-healthy",
    rule="no error of disk, file system or engine in the last 7 days",
    moments=AT_ALL_TIMES,
    reads=("host.storage_events",),
    judge=_storage_healthy,
)
TOOL_FITS = Guard(
    id="tool-fits",
    rule="eseutil is of the server's own build, and the pages are of the size it expects",
    moments=AT_ALL_TIMES,
    reads=("host.eseutil_version", "host.exsetup_version"),
    judge=_tool_fits,
)
ELEVATED = Guard(
    id="elevated",
    rule="our session has administrator rights on the host, and on every machine of the lane",
    moments=AT_ALL_TIMES,
    reads=(),
    judge=_elevated,
)
TEMPORARY_PATH = Guard(
    id="temporary-path",
    rule="temporary files are absolute, local, on the database's volume, and no live file"
    " of any database",
    moments=AT_ALL_TIMES,
    reads=("server.databases", "host.volumes"),
    judge=_temporary_path,
)
