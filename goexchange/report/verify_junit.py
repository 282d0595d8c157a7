"""What `verify` found, as JUnit XML: a suite per path, a case per file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from attrs import frozen

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@frozen(kw_only=True)
class VerifiedCase:
    """One file, or a path as a whole.

    Shape: `failures` are what is damaged, `errors` what could not be decided, `output` everything
    else that was said.
    """

    name: str
    failures: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


@frozen(kw_only=True)
class VerifiedSuite:
    """One path that was verified."""

    name: str
    cases: tuple[VerifiedCase, ...]


def render_verify_junit(suites: Sequence[VerifiedSuite]) -> str:
    """The XML document; characters that XML cannot hold are replaced."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_counts(_cases(suites))}>"]
    for suite in suites:
        lines.append(f"  <testsuite name={_quoted(suite.name)}{_counts(suite.cases)}>")
        for case in suite.cases:
            lines += _case_lines(case, suite.name)
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _cases(suites: Sequence[VerifiedSuite]) -> tuple[VerifiedCase, ...]:
    return tuple(case for suite in suites for case in suite.cases)


def _counts(cases: Sequence[VerifiedCase]) -> str:
    failures = sum(1 for case in cases if case.failures)
    errors = sum(1 for case in cases if case.errors and not case.failures)
    return f' tests="{len(cases)}" failures="{failures}" errors="{errors}"'


def _case_lines(case: VerifiedCase, suite: str) -> list[str]:
    head = f"    <testcase classname={_quoted(suite)} name={_quoted(case.name)}"
    # One element per case: readers of the format count elements, not cases.
    if case.failures:
        body = [_element("failure", case.failures + case.errors)]
    elif case.errors:
        body = [_element("error", case.errors)]
    else:
        body = []
    if case.output:
        body.append(f"      <system-out>{_text(case.output)}</system-out>")
    return [f"{head}>", *body, "    </testcase>"] if body else [f"{head}/>"]


def _element(tag: str, messages: tuple[str, ...]) -> str:
    return f"      <{tag} message={_quoted(messages[0])}>{_text(messages)}</{tag}>"


def _quoted(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _text(messages: Sequence[str]) -> str:
    return escape(_NOT_XML.sub("\ufffd", "\n".join(messages)))
