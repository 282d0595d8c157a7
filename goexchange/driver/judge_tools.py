"""Judging tools by exit code and printed words together: eseutil, an operator's own programs."""

from __future__ import annotations

import base64
from typing import Any

from attrs import asdict, evolve

from goexchange.driver.judge_repair import LOOKS_FOR_DAMAGE, judge_damage, judge_repair
from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject, done, failed
from goexchange.model.plan import Action, JobCall
from goexchange.model.run import Finding
from goexchange.model.unknown import Unknown
from goexchange.powershell.agent import last_line
from goexchange.powershell.eseutil import (
    ChecksumReport,
    DefragmentationReport,
    IntegrityReport,
    RecoveryReport,
    SpaceReport,
    decode_output,
    has_succeeded,
    parse_checksum,
    parse_defragmentation,
    parse_end,
    parse_integrity,
    parse_recovery,
    parse_space,
    signed_exit_code,
    streaming_of,
)
from goexchange.powershell.redaction import redacted

Report = ChecksumReport | IntegrityReport | SpaceReport | DefragmentationReport | RecoveryReport
_MODES = {
    "/k": "checksum",
    "/g": "integrity",
    "/ms": "space",
    "/d": "defragmentation",
    "/r": "recovery",
    "/p": "repair",
}


def judge_eseutil(subject: Subject, end: JobEnd) -> Judgement:
    """Exit code, last line and the mode's own verdict must all be good."""
    call = subject.step.call
    assert isinstance(call, JobCall)
    switch = call.request["arguments"][0].lower()
    mode = _MODES[switch]
    text = decode_output(end.output)
    result: dict[str, Any] = {**ended(end), "mode": mode, "ok": False, "error": None}
    last = parse_end(text)
    if isinstance(last, Unknown) or end.exit_code is None:
        why = last.reason if isinstance(last, Unknown) else "it left no exit code"
        raise Failure(f"eseutil {switch}: {why}", result, output=text)
    result.update(error=last.error, tool_seconds=last.seconds)
    if mode == "repair":
        return judge_repair(text, end.exit_code, result)
    errors = decode_output(base64.b64decode(_errors(end)))
    report = _report(mode, text, errors, streaming=streaming_of(call.request["arguments"]))
    if isinstance(report, Unknown):
        raise Failure(f"eseutil {switch}: {report.reason}", result, output=text)
    findings = _findings(report, subject.step.pass_name or "")
    result.update(_counts(report))
    if isinstance(report, IntegrityReport):
        # A run that only ended badly has said nothing of the file.
        result["is_corrupted"] = report.is_corrupted
    if isinstance(report, SpaceReport):
        result.update(_space(report, subject))
    is_look = isinstance(report, ChecksumReport | IntegrityReport)
    if subject.step.action in LOOKS_FOR_DAMAGE and is_look:
        assert isinstance(report, ChecksumReport | IntegrityReport)
        judged = judge_damage(subject, report, result=result, findings=findings)
        return evolve(judged, output=text)
    result["ok"] = has_succeeded(end.exit_code, last) and _is_good(report)
    if not result["ok"]:
        words = last.name or last.kind.value
        return failed(
            f"eseutil {switch} ended with {result['exit_code']} ({words})",
            result,
            findings=findings,
            output=text,
        )
    return done(result, findings=findings, output=text)


def judge_command(subject: Subject, end: JobEnd) -> Judgement:
    """An operator's program: the exit codes of the postcondition are success, or 0 alone."""
    text = decode_output(end.output)
    errors = decode_output(base64.b64decode(_errors(end)))
    output = f"{text}\n{errors}" if errors.strip() else text
    result = {**ended(end), **_beside(end)}
    wanted = subject.step.postcondition
    codes = (0,) if wanted is None else tuple(wanted.value)
    if end.exit_code is None or result["exit_code"] not in codes:
        said = next((line for line in reversed(output.splitlines()) if line.strip()), "")
        words = f": {redacted(said.strip()[:200])}" if said else ""
        success = " or ".join(str(code) for code in codes)
        why = f"the program ended with {end.exit_code}, success is {success}{words}"
        raise Failure(why, result, output=output)
    return done(result, output=output)


def _beside(end: JobEnd) -> dict[str, Any]:
    """What the runner says of a program beside its exit code; hosts of older versions do not."""
    names = ("left_out_bytes", "followed", "services")
    return {name: end.result[name] for name in names if name in end.result}


def printed_by(tool: str, end: JobEnd) -> str:
    """What a tool has printed that leaves a result when it runs.

    Raises: Failure when it could not be run.
    """
    text = decode_output(end.output)
    if not end.result:
        words = redacted(last_line(text)) or "it said nothing"
        raise Failure(f"{tool} could not be run: {words}", ended(end), output=text)
    return text


def ended(end: JobEnd) -> dict[str, Any]:
    """What is kept of every job."""
    code = None if end.exit_code is None else signed_exit_code(end.exit_code)
    return {"exit_code": code, "seconds": end.seconds, "started_at_utc": end.started_at_utc}


def _errors(end: JobEnd) -> str:
    return str(end.result["error_output"]) if "error_output" in end.result else ""


def _report(mode: str, text: str, errors: str, *, streaming: str | None) -> Report | Unknown:
    if mode == "checksum":
        return parse_checksum(text, errors, streaming=streaming)
    if mode == "space":
        return parse_space(text)
    if mode == "recovery":
        return parse_recovery(text)
    return parse_integrity(text) if mode == "integrity" else parse_defragmentation(text)


def _is_good(report: Report) -> bool:
    if isinstance(report, ChecksumReport):
        return report.is_clean
    return report.is_sound if isinstance(report, IntegrityReport) else report.is_complete


def _space(report: SpaceReport, subject: Subject) -> dict[str, Any]:
    """Pages, and bytes by the page size that the header step read; None where none was read."""
    names = ("pages_owned", "pages_used", "pages_available", "pages_shelved")
    counts: dict[str, Any] = {name: getattr(report, name) for name in names}
    sizes = [
        record.result["page_bytes"]
        for step in subject.lane.steps
        if step.action is Action.READ_HEADER
        and (record := subject.state.step(step.id)).result is not None
        and "page_bytes" in record.result
    ]
    size = sizes[-1] if sizes else None
    gives_back = report.pages_available + report.pages_shelved
    counts["recoverable_bytes"] = None if size is None else gives_back * size
    return counts


def _counts(report: Report) -> dict[str, Any]:
    if not isinstance(report, ChecksumReport):
        return {}
    counts = asdict(report, recurse=False)
    names = ("pages_seen", "bad_checksums", "correctable", "wrong_page_numbers", "uninitialized")
    return {name: counts[name] for name in names}


def _findings(report: Report, pass_name: str) -> tuple[Finding, ...]:
    if isinstance(report, ChecksumReport):
        bad = [
            _finding("error", pass_name, f"page {page} has a bad checksum")
            for page in report.bad_pages
        ]
        return tuple(bad) + tuple(
            _finding("warning", pass_name, f"page {page} has a correctable error")
            for page in report.correctable_pages
        )
    if isinstance(report, IntegrityReport) and report.is_corrupted:
        return (_finding("error", pass_name, "the database is corrupted"),)
    return ()


def _finding(severity: str, pass_name: str, text: str) -> Finding:
    return Finding(severity=severity, pass_name=pass_name, text=text)
