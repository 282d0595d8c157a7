"""Judging a backup by ntbackup: its process ended, and there is a file of its own that can hold
what it was to hold.

Its exit code says nothing, and the words of its log are not confirmed: both are kept and decide
nothing. What the engine says of it is the proof's business.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from goexchange.codec import parse_time
from goexchange.driver.judge_backups import RUNNING_ALREADY
from goexchange.driver.judge_tools import ended, printed_by
from goexchange.driver.judgement import JobEnd, Judgement, Subject, done, failed
from goexchange.model.plan import JobCall
from goexchange.model.run import Finding


def judge_ntbackup(subject: Subject, end: JobEnd) -> Judgement:
    """A full backup of a storage group by ntbackup: ended, with a whole file of its own."""
    call = subject.step.call
    assert isinstance(call, JobCall)
    text, seen = printed_by("ntbackup", end), end.result
    file = seen["file"]
    result = {
        **ended(end),
        "end": seen["ended"],
        "path": None if file is None else file["path"],
        "copy_at_utc": None,
    }
    shown = f"{text}{_log_of(seen)}"
    beside = (_BESIDE,) if seen["was_other_seen"] else ()
    why = next(_against(call.request, seen, end.started_at_utc), None)
    if why is not None:
        return failed(why, result, findings=beside, output=shown)
    whole = {**result, "bytes": file["size_bytes"], "copy_at_utc": file["written_at"]}
    return done(whole, findings=beside, output=shown)


def _against(
    request: Mapping[str, Any], seen: Mapping[str, Any], started: str | None
) -> Iterator[str]:
    """What speaks against it, the most telling first."""
    if seen["ended"] == RUNNING_ALREADY:
        yield "an ntbackup of somebody else was running already: none was started"
    file = seen["file"]
    if file is None:
        yield f"ntbackup ended and there is no file of it below {request['target']}"
        return
    path, size = file["path"], int(file["size_bytes"])
    if started is None or parse_time(file["written_at"]) < parse_time(started):
        yield f"{path} was not written since the start"
    sizes = {str(one["path"]).lower(): int(one["size_bytes"]) for one in seen["sizes"]}
    wanted = [str(each).lower() for each in request["files"]]
    missing = [each for each in wanted if each not in sizes]
    if missing:
        yield f"the size of {missing[0]} was not taken down before the start"
    needed = sum(sizes.get(each, 0) for each in wanted)
    if size < needed:
        yield (
            f"{path} has {size} bytes, and the files that it is to hold had {needed} when it was"
            " begun: it is not whole"
        )


def _log_of(seen: Mapping[str, Any]) -> str:
    """Its own log, UTF-16 as it writes it: for people to read."""
    if seen["log"] is None:
        return ""
    content = base64.b64decode(seen["log"]["content"])
    words = content.decode("utf-16-le", errors="replace").lstrip("\ufeff")
    return f"{seen['log']['path']}:\r\n{words}"


_BESIDE = Finding(
    severity="warning",
    pass_name="",
    text="another ntbackup ran beside it: whose backup the engine's events tell of is decided by"
    " the size of its file",
)
