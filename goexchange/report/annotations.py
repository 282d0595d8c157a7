"""What is wrong in documents, as pipelines show it: GitHub, GitLab, Azure DevOps, JUnit."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from attrs import frozen

from goexchange.errors import Diagnostic, Severity

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GITHUB_TEXT = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_GITHUB_PROPERTY = (*_GITHUB_TEXT, (":", "%3A"), (",", "%2C"))
_AZURE_TEXT = (("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A"))
_AZURE_PROPERTY = (*_AZURE_TEXT, (";", "%3B"), ("]", "%5D"))


@frozen(kw_only=True)
class Findings:
    """What a validation found.

    Shape: `files` are all that were checked; `paths` says how the repository calls a file, where
    that is another name than the one typed.
    """

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    paths: Mapping[str, str]

    def path(self, diagnostic: Diagnostic) -> str:
        """The file of a diagnostic as the repository calls it."""
        file = diagnostic.place.file if diagnostic.place else ""
        return self.paths.get(file, file)


def github(findings: Findings) -> str:
    """Workflow commands; GitHub shows the first ten of a step beside the changed lines."""
    return _lines(_github(each, findings.path(each)) for each in findings.diagnostics)


def _github(diagnostic: Diagnostic, path: str) -> str:
    properties = {"file": path, **_position(diagnostic, "line", "col"), "title": _title(diagnostic)}
    listed = ",".join(
        f"{name}={_replaced(value, _GITHUB_PROPERTY)}" for name, value in properties.items()
    )
    return f"::{diagnostic.severity.value} {listed}::{_replaced(diagnostic.detail, _GITHUB_TEXT)}"


def azure(findings: Findings) -> str:
    """Logging commands of Azure Pipelines."""
    return _lines(_azure(each, findings.path(each)) for each in findings.diagnostics)


def _azure(diagnostic: Diagnostic, path: str) -> str:
    properties = {
        "type": diagnostic.severity.value,
        "sourcepath": path,
        **_position(diagnostic, "linenumber", "columnnumber"),
        "code": diagnostic.id,
    }
    listed = "".join(
        f"{name}={_replaced(value, _AZURE_PROPERTY)};" for name, value in properties.items()
    )
    text = _replaced(f"{_title(diagnostic)}: {diagnostic.detail}", _AZURE_TEXT)
    return f"##vso[task.logissue {listed}]{text}"


def gitlab(findings: Findings) -> str:
    """A Code Quality report; the fingerprint follows the text of a finding, not its line."""
    seen: dict[str, int] = {}
    rows = []
    for each in findings.diagnostics:
        path = findings.path(each)
        key = "\n".join((path, each.id, each.detail, each.source_line or ""))
        seen[key] = seen.get(key, 0) + 1
        digest = hashlib.sha256(f"{key}\n{seen[key]}".encode("utf-8", "replace")).hexdigest()
        rows.append(
            {
                "description": f"{_title(each)}: {each.detail}",
                "check_name": each.id,
                "fingerprint": digest,
                "severity": "major" if each.severity is Severity.ERROR else "minor",
                "location": {
                    "path": path,
                    "lines": {"begin": each.place.line if each.place else 1},
                },
            }
        )
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def junit(findings: Findings) -> str:
    """A case per file, named in `classname` too, because some readers ignore suites."""
    by_file: dict[str, list[Diagnostic]] = {name: [] for name in findings.files}
    for each in findings.diagnostics:
        by_file.setdefault(each.place.file if each.place else "", []).append(each)
    failed = sum(1 for found in by_file.values() if _errors(found))
    counts = f' tests="{len(by_file)}" failures="{failed}" errors="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites{counts}>",
        f'  <testsuite name="goexchange validate"{counts}>',
    ]
    for name, found in by_file.items():
        lines += _case(findings.paths.get(name, name), found)
    return "\n".join([*lines, "  </testsuite>", "</testsuites>", ""])


def _case(name: str, found: Sequence[Diagnostic]) -> list[str]:
    head = f"    <testcase classname={_attribute(name)} name={_attribute('valid: ' + name)}"
    errors = _errors(found)
    warnings = [each for each in found if each not in errors]
    if not found:
        return [f"{head}/>"]
    lines = [f"{head}>"]
    if errors:
        text = "\n".join(map(_sentence, errors))
        count = f"{len(errors)} error{'s' * (len(errors) > 1)}"
        lines.append(f"      <failure message={_attribute(count)}>{_text(text)}</failure>")
    if warnings:
        text = "\n".join(map(_sentence, warnings))
        lines.append(f"      <system-out>{_text(text)}</system-out>")
    return [*lines, "    </testcase>"]


RENDERERS: dict[str, Callable[[Findings], str]] = {
    "github": github,
    "gitlab": gitlab,
    "azure": azure,
    "junit": junit,
}


def _errors(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [each for each in found if each.severity is Severity.ERROR]


def _sentence(diagnostic: Diagnostic) -> str:
    where = f"{diagnostic.place.line}:{diagnostic.place.column}: " if diagnostic.place else ""
    return f"{where}{_title(diagnostic)}: {diagnostic.detail}"


def _title(diagnostic: Diagnostic) -> str:
    return f"{diagnostic.summary} [{diagnostic.id}]"


def _position(diagnostic: Diagnostic, line: str, column: str) -> dict[str, str]:
    place = diagnostic.place
    return {} if place is None else {line: str(place.line), column: str(place.column)}


def _replaced(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
