"""Judging one pass of isinteg: that it looked at the one database that was meant, and what it
found.

Its exit codes are not known, so that only what it printed counts; output that is not understood is
a failure.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from goexchange.driver.conditions import holds
from goexchange.driver.judge_tools import ended
from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject, done, failed
from goexchange.model.plan import JobCall
from goexchange.model.run import Finding
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import decode_output
from goexchange.powershell.isinteg import StoreIntegrity, parse_isinteg

_WHY = {
    "not-offered": "isinteg did not offer the database as one that is dismounted",
    "other-database": "isinteg named another database than the one that was meant",
    "silent": "isinteg did not ask in words that are known",
}


def judge_integrity(subject: Subject, end: JobEnd) -> Judgement:
    """A pass that came to its end. The last one that is allowed has to be without what asks for
    another.
    """
    call, step = subject.step.call, subject.step
    assert isinstance(call, JobCall)
    text = decode_output(end.output)
    errors = decode_output(base64.b64decode(str(end.result.get("error_output", ""))))
    output = f"{text}\n{errors}" if errors.strip() else text
    result = {**ended(end), "ended": end.result.get("ended")}
    if result["ended"] != "run":
        why = _WHY.get(str(result["ended"]), "how isinteg ended is not told")
        raise Failure(f"{why}: nothing was changed", result, output=output)
    report = parse_isinteg(text)
    if isinstance(report, Unknown):
        raise Failure(report.reason, result, output=output)
    meant = (call.request["group"], call.request["database"])
    if (report.group, report.database) != meant:
        why = f"isinteg looked at {report.group} / {report.database}"
        raise Failure(why, result, output=output)
    attempt = subject.state.step(step.id).attempts
    result["pass"] = attempt
    result["ours"] = {
        "requests": [],
        "is_over": True,
        "errors": report.errors,
        "warnings": report.warnings,
        "troubles": report.errors + report.warnings,
        "corruptions_detected": report.errors,
        "corruptions_fixed": report.fixes,
    }
    findings = tuple(_findings(step.pass_name or "", report, attempt))
    repeat = step.repeat
    if repeat is not None and attempt >= repeat.times_max and not holds(repeat.until, result):
        passes = "1 pass" if attempt == 1 else f"{attempt} passes"
        why = f"after {passes} errors or warnings are left"
        return failed(why, result, findings=findings, output=output)
    return done(result, findings=findings, output=output)


def _findings(pass_name: str, report: StoreIntegrity, attempt: int) -> Iterator[Finding]:
    for test in report.tests:
        for severity, number in (("error", test.errors), ("warning", test.warnings)):
            if number:
                yield Finding(
                    severity=severity,
                    pass_name=pass_name,
                    text=f"pass {attempt}, {test.name}: {number} {severity}s, {test.fixes} fixed",
                    number=number,
                    attempt=attempt,
                )
