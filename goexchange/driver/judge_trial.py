"""Judging the trial of an account, or of a machine: all that the night will ask was allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject, done
from goexchange.model.plan import JobCall

_UNKNOWN = "what was read back is not what was written"


def judge_trial(subject: Subject, end: JobEnd) -> Judgement:
    """Every folder was written to and every file read; else each that could not be, and why."""
    folders, files = list(end.result["folders"]), list(end.result["files"])
    found = {"exit_code": end.exit_code, "folders": folders, "files": files}
    lacking = [_lacking("written", each) for each in folders if each["can_write"] is not True]
    lacking += [_lacking("read", each) for each in files if each["can_read"] is not True]
    is_whole = (len(folders), len(files)) == _asked(subject)
    is_well = end.exit_code == 0 and is_whole and not lacking
    result = {**found, "ok": is_well}
    if not is_well:
        raise Failure("; ".join(lacking) or f"the trial ended with {end.exit_code}", result)
    return done(result)


def _asked(subject: Subject) -> tuple[int, int]:
    """How many folders and files the trial is of; a trial of none is that a job starts at all."""
    call = subject.step.call
    assert isinstance(call, JobCall)
    return len(call.request["folders"]), len(call.request.get("files", ()))


def _lacking(verb: str, one: Mapping[str, Any]) -> str:
    return f"{one['path']} cannot be {verb}: {one['message'] or _UNKNOWN}"
