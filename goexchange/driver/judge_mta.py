"""Judging one run of `mtacheck` over the queue database of the message transfer agent.

Its exit code is not confirmed, so what it wrote decides alone, and nothing unknown may be in it.
"""

from __future__ import annotations

import base64
from typing import Any

from goexchange.driver.conditions import holds
from goexchange.driver.judge_tools import ended
from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject, done, failed
from goexchange.model.run import Finding
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import decode_output
from goexchange.powershell.mtacheck import MtaReport, MtaVerdict, parse_mtacheck
from goexchange.powershell.redaction import redacted


def judge_mtacheck(subject: Subject, end: JobEnd) -> Judgement:
    """One pass. Clean is what it is for; what was repaired asks for another, and the last one that
    is allowed has to be clean.
    """
    printed = decode_output(end.output)
    if end.exit_code is None or "log" not in end.result:
        raise Failure("mtacheck could not be run to its end", ended(end), output=printed)
    log = decode_output(base64.b64decode(end.result["log"]))
    text = log if log.strip() else printed
    attempt = subject.state.step(subject.step.id).attempts
    result: dict[str, Any] = {
        **ended(end),
        "pass": attempt,
        "taken_out": list(end.result["taken_out"]),
    }
    report = parse_mtacheck(text)
    if isinstance(report, Unknown):
        raise Failure(f"what mtacheck found is not known: {report.reason}", result, output=text)
    result.update(
        verdict=report.verdict.value,
        repaired=report.repaired,
        queues_repaired=report.queues_repaired,
        objects_damaged=report.objects_damaged,
    )
    findings = _findings(subject, report, attempt)
    if report.verdict is MtaVerdict.SERIOUS:
        why = "the queue database has serious errors and cannot be reconstructed"
        return failed(why, result, findings=findings, output=text)
    repeat = subject.step.repeat
    is_last = repeat is not None and attempt >= repeat.times_max
    if is_last and repeat is not None and not holds(repeat.until, result):
        passes = "1 pass" if attempt == 1 else f"{attempt} passes"
        why = f"after {passes} mtacheck still repairs something"
        return failed(why, result, findings=findings, output=text)
    return done(result, findings=findings, output=text)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _findings(subject: Subject, report: MtaReport, attempt: int) -> tuple[Finding, ...]:
    if report.verdict is MtaVerdict.CLEAN:
        return ()
    what = (
        f"{_counted(report.queues_repaired, 'queue')} rebuilt,"
        f" {_counted(report.objects_damaged, 'object')} damaged,"
        f" {_counted(report.messages_recovered, 'message')} recovered"
    )
    said = "; ".join(redacted(each)[:200] for each in report.details[:10])
    return (
        Finding(
            severity="error",
            pass_name=subject.step.pass_name or "",
            text=f"pass {attempt}: {report.verdict.value}: {what}{': ' + said if said else ''}",
            number=max(1, report.repaired),
            attempt=attempt,
        ),
    )
