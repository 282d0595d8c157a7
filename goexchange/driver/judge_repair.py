"""Judging a repair with possible loss: the damage before it, the evidence, and what it made.

A tool that finds damage has done what it was asked; one that comes to no verdict has not.
"""

from __future__ import annotations

from typing import Any

from goexchange.driver.judgement import Failure, Judgement, Subject, done
from goexchange.driver.lanes import happened
from goexchange.ese.jet_errors import JetError
from goexchange.model.plan import Action
from goexchange.model.run import Finding
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import (
    ChecksumReport,
    EndKind,
    IntegrityReport,
    RepairEnd,
    RepairReport,
    parse_repair,
    signed_exit_code,
)

LOOKS_FOR_DAMAGE = (Action.FIND_DAMAGE, Action.CHECK_EVIDENCE)
SAME_PAGES = ("pages_seen", "bad_checksums", "wrong_page_numbers", "bad_pages")


def judge_damage(
    subject: Subject,
    report: ChecksumReport | IntegrityReport,
    *,
    result: dict[str, Any],
    findings: tuple[Finding, ...],
) -> Judgement:
    """Whether a look came to a verdict, whatever it is; evidence must have the damage of its
    source, page by page.
    """
    ended_well = report.end.kind is EndKind.SUCCESS
    if isinstance(report, IntegrityReport):
        result["damage"] = int(report.is_corrupted)
        is_verdict = report.is_corrupted or (report.is_sound and ended_well)
    else:
        result["bad_pages"] = list(report.bad_pages)
        result["damage"] = report.bad_checksums + report.wrong_page_numbers
        is_verdict = report.is_clean or (
            report.pages_seen > 0
            and bool(result["damage"])
            and report.end.error == JetError.DatabaseCorrupted
        )
    if not is_verdict or result["exit_code"] != (report.end.error or 0):
        raise Failure("the look came to no verdict on the file", result)
    if subject.step.action is Action.CHECK_EVIDENCE:
        _check_same_damage(subject, result)
        return done(result)  # what it found was found in the file already
    return done(result, findings=findings)


def judge_repair(text: str, exit_code: int, result: dict[str, Any]) -> Judgement:
    """Exit code, last line and its own words must all say that it ended well."""
    report: RepairReport | Unknown = parse_repair(text)
    if isinstance(report, Unknown):
        raise Failure(f"eseutil /p: {report.reason}", result, output=text)
    if signed_exit_code(exit_code) != 0:
        raise Failure(f"eseutil /p ended with {result['exit_code']}", result, output=text)
    result.update(ok=True, is_changed=report.outcome is RepairEnd.REPAIRED)
    return done(result, output=text)


def check_repaired(subject: Subject, header: dict[str, Any]) -> None:
    """The repaired copy counts one repair more than the file it is a copy of, where it was changed.

    Raises: Failure.
    """
    before, repair = (
        _result_of(subject, action) for action in (Action.READ_HEADER, Action.REPAIR)
    )
    if repair["is_changed"] and header["repair_count"] <= before["repair_count"]:
        raise Failure("the header of the repaired copy counts no repair", header)
    if header["page_bytes"] != before["page_bytes"]:
        raise Failure("the repaired copy has another page size", header)


def _check_same_damage(subject: Subject, result: dict[str, Any]) -> None:
    for step in subject.lane.steps:
        record = subject.state.step(step.id)
        if step.action is not Action.FIND_DAMAGE or not happened(record) or not record.result:
            continue
        if record.result["mode"] != "checksum":
            continue
        differing = [name for name in SAME_PAGES if record.result[name] != result[name]]
        if differing:
            names = ", ".join(name.replace("_", " ") for name in differing)
            raise Failure(f"the evidence is not as the file: other {names}", result)
        return
    raise Failure("the pages of the file were not looked at, so nothing compares with them", result)


def _result_of(subject: Subject, action: Action) -> dict[str, Any]:
    for step in subject.lane.steps:
        record = subject.state.step(step.id)
        if step.action is action and happened(record) and record.result is not None:
            return dict(record.result)
    raise Failure(f"{action.value} has no result to compare with")
