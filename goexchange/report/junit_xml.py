"""JUnit XML of any report: suites with cases, each at most one failure, error or skip."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from attrs import frozen

from goexchange.report.shown import shown, shown_lines

_NAME_MAX = 300


@frozen(kw_only=True)
class JunitCase:
    """One case; `mark` is `failure`, `error`, `skipped` or nothing."""

    name: str
    seconds: float = 0.0
    mark: str = ""
    message: str = ""
    output: str = ""


@frozen(kw_only=True)
class JunitSuite:
    """One suite; `started` is a local time of ISO 8601 without a zone, or empty."""

    name: str
    classname: str
    cases: tuple[JunitCase, ...]
    started: str = ""


def render_suites(
    name: str, suites: Sequence[JunitSuite], properties: Sequence[tuple[str, str]]
) -> str:
    """The XML document; `properties` stand in every suite."""
    cases = tuple(case for suite in suites for case in suite.cases)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites name={_quoted(name)}{_counts(cases)}>",
    ]
    rows = [f"      <property name={_quoted(n)} value={_quoted(v)}/>" for n, v in properties]
    for suite in suites:
        stamp = f" timestamp={_quoted(suite.started)}" if suite.started else ""
        lines.append(f"  <testsuite name={_quoted(suite.name)}{stamp}{_counts(suite.cases)}>")
        lines += ["    <properties>", *rows, "    </properties>"]
        for case in suite.cases:
            lines += _case_lines(case, suite.classname)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _counts(cases: Sequence[JunitCase]) -> str:
    def count(mark: str) -> int:
        return sum(case.mark == mark for case in cases)

    seconds = sum(case.seconds for case in cases)
    return (
        f' tests="{len(cases)}" failures="{count("failure")}" errors="{count("error")}"'
        f' skipped="{count("skipped")}" time="{seconds:.3f}"'
    )


def _case_lines(case: JunitCase, classname: str) -> list[str]:
    head = (
        f"    <testcase classname={_quoted(classname)} name={_quoted(case.name)}"
        f' time="{case.seconds:.3f}"'
    )
    body = []
    if case.mark:
        body.append(f"      <{case.mark} message={_quoted(case.message)}/>")
    if case.output:
        body.append(f"      <system-out>{escape(shown_lines(case.output))}</system-out>")
    return [f"{head}>", *body, "    </testcase>"] if body else [f"{head}/>"]


def _quoted(text: str) -> str:
    """The text as an attribute; `shown` leaves nothing that XML cannot hold."""
    return quoteattr(shown(text, limit=_NAME_MAX))
