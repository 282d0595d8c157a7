"""Judging a backup by diskshadow: a verified copy of every database first, the end of the backup
after it.

What the tool prints is evidence only. Done means that the copy was made and its pages are sound,
that the script came past the end of the backup, and that the tool ended well; the writer's own
trail is the proof's business.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from goexchange.driver.judge_tools import ended, printed_by
from goexchange.driver.judgement import JobEnd, Judgement, Subject, done, failed
from goexchange.model.plan import JobCall
from goexchange.model.run import Finding
from goexchange.model.unknown import Unknown
from goexchange.powershell.agent import last_line
from goexchange.powershell.diskshadow import parse_diskshadow
from goexchange.powershell.eseutil import (
    decode_output,
    has_succeeded,
    parse_checksum,
    parse_end,
)
from goexchange.powershell.redaction import redacted

_NOT_TRUNCATED = "the backup was not ended, so that no logs were truncated"


def judge_shadow(subject: Subject, end: JobEnd) -> Judgement:
    """A full backup by diskshadow: copied, verified, ended."""
    call = subject.step.call
    assert isinstance(call, JobCall)
    text, seen = printed_by("diskshadow", end), end.result
    copied = seen["copied"]
    files = [] if copied is None else list(copied["files"])
    printed = parse_diskshadow(text)
    result = {
        **ended(end),
        "end": "ended" if seen["ended"] else "not-ended",
        "shadow_set": None if isinstance(printed.shadow_set, Unknown) else printed.shadow_set,
        "files": len(files),
        "bytes": sum(one["size_bytes"] for one in files),
        "copy_at_utc": None,
    }
    left = tuple(_left(one) for one in seen["left"])
    why = next(_against(call.request, seen, ended(end)["exit_code"], text=text), None)
    if why is not None:
        return failed(why, result, findings=left, output=text)
    return done({**result, "copy_at_utc": copied["at"]}, findings=left, output=text)


def _against(
    request: Mapping[str, Any], seen: Mapping[str, Any], exit_code: int | None, *, text: str
) -> Iterator[str]:
    """What speaks against it, the most telling first."""
    copied = seen["copied"]
    if copied is None:
        said = redacted(last_line(text)[:200]) or "it said nothing"
        yield f"diskshadow ended with {exit_code} before anything was copied: {said}"
    else:
        yield from _against_copy(request, copied, is_ended=seen["ended"])
        if not seen["ended"]:
            yield f"diskshadow ended with {exit_code} and never came past the end of the backup"
        if exit_code != 0:
            yield f"diskshadow ended with {exit_code}"


def _against_copy(
    request: Mapping[str, Any], copied: Mapping[str, Any], *, is_ended: bool
) -> Iterator[str]:
    """What speaks against what was copied out of the shadow copies."""
    if copied["message"] is not None:
        message = redacted(str(copied["message"])[:200])
        after = "; yet the backup was ended" if is_ended else f"; {_NOT_TRUNCATED}"
        yield f"the copy out of the shadow copies failed: {message}{after}"
    yield from _unsound(request, copied)


def _unsound(request: Mapping[str, Any], copied: Mapping[str, Any]) -> Iterator[str]:
    """What of the copy is missing or not as it was read."""
    checks = {str(one["path"]).lower(): one for one in copied["checks"]}
    for one in copied["files"]:
        if one["sha256"] != one["read_sha256"]:
            yield f"the copy is not what was read: {one['path']}"
    for database in request["databases"]:
        copy = _copy_of(database["path"], request["target"], copied["files"])
        if copy not in checks:
            yield f"there is no verified copy of {database['path']}"
        elif (why := _of_pages(checks[copy])) is not None:
            yield f"the copy of {database['path']} is not verified: {why}"


def _copy_of(path: str, target: str, files: Sequence[Mapping[str, Any]]) -> str:
    """The copy of a file: below the target and the job's own folder in it, by the path that it has
    in service; empty when there is none.
    """
    above = target.lower().rstrip("\\") + "\\"
    place = "\\" + path.replace(":", "").lstrip("\\").lower()
    copies = (str(one["path"]).lower() for one in files)
    return next((one for one in copies if one.startswith(above) and one.endswith(place)), "")


def _of_pages(check: Mapping[str, Any]) -> str | None:
    """What eseutil says against the pages of a copy; what it says that is not known is enough."""
    text = decode_output(base64.b64decode(check["output"]))
    last, report = parse_end(text), parse_checksum(text, "")
    if isinstance(last, Unknown):
        return last.reason
    if isinstance(report, Unknown):
        return report.reason
    code = check["exit_code"]
    if code is None or not has_succeeded(code, last) or not report.is_clean:
        return f"eseutil /k ended with {code} ({last.name or last.kind.value})"
    return None


def _left(path: str) -> Finding:
    text = (
        f"a shadow copy could not be deleted and takes space: it is exposed as {path}; the next"
        " backup by diskshadow deletes it, or: diskshadow, `delete shadows exposed` with that path"
    )
    return Finding(severity="warning", pass_name="", text=text)
