"""Annotations: what each pipeline's reader needs, with its escapes."""

from __future__ import annotations

import json
from xml.etree import ElementTree

from attrs import evolve

from goexchange.errors import Diagnostic, Place, Severity
from goexchange.report.annotations import RENDERERS, Findings

BAD = Diagnostic(
    id="unknown-key",
    summary="an unknown key",
    detail="'a:b, 100%' is not a key.\nDid you mean; 'c]'?",
    place=Place(file="specs/a,b.yaml", line=3, column=5),
    source_line="    a",
)
FINDINGS = Findings(
    files=("specs/a,b.yaml", "specs/good.yaml"),
    diagnostics=(BAD, evolve(BAD, severity=Severity.WARNING)),
    paths={"specs/a,b.yaml": "site/specs/a,b.yaml"},
)


def test_github_gets_workflow_commands() -> None:
    first, second = RENDERERS["github"](FINDINGS).splitlines()
    assert first == (
        "::error file=site/specs/a%2Cb.yaml,line=3,col=5,title=an unknown key [unknown-key]"
        "::'a:b, 100%25' is not a key.%0ADid you mean; 'c]'?"
    )
    assert second.startswith("::warning file=")


def test_azure_gets_logging_commands() -> None:
    first = RENDERERS["azure"](FINDINGS).splitlines()[0]
    assert first == (
        "##vso[task.logissue type=error;sourcepath=site/specs/a,b.yaml;linenumber=3;"
        "columnnumber=5;code=unknown-key;]an unknown key [unknown-key]: 'a:b, 100%AZP25' is not a"
        " key.%0ADid you mean; 'c]'?"
    )


def test_gitlab_gets_a_code_quality_report_with_unlike_fingerprints() -> None:
    rows = json.loads(RENDERERS["gitlab"](FINDINGS))
    assert [row["severity"] for row in rows] == ["major", "minor"]
    assert rows[0]["location"] == {"path": "site/specs/a,b.yaml", "lines": {"begin": 3}}
    assert len({row["fingerprint"] for row in rows}) == 2
    moved = evolve(BAD, place=Place(file="specs/a,b.yaml", line=9, column=5))
    again = json.loads(RENDERERS["gitlab"](evolve(FINDINGS, diagnostics=(moved,))))
    assert again[0]["fingerprint"] == rows[0]["fingerprint"]


def test_junit_has_a_case_per_file() -> None:
    root = ElementTree.fromstring(RENDERERS["junit"](FINDINGS))
    cases = root.findall("testsuite/testcase")
    assert [case.get("classname") for case in cases] == ["site/specs/a,b.yaml", "specs/good.yaml"]
    failures = [case.findall("failure") for case in cases]
    assert [len(found) for found in failures] == [1, 0]
    assert "3:5: an unknown key" in (failures[0][0].text or "")
    assert root.get("failures") == "1" and root.get("tests") == "2"
    hostile = evolve(FINDINGS, diagnostics=(evolve(BAD, detail="<&\x00]]>"),))
    assert ElementTree.fromstring(RENDERERS["junit"](hostile)) is not None


def test_nothing_wrong_is_nothing_said() -> None:
    none = evolve(FINDINGS, diagnostics=())
    assert RENDERERS["github"](none) == RENDERERS["azure"](none) == ""
    assert json.loads(RENDERERS["gitlab"](none)) == []
    assert 'failures="0"' in RENDERERS["junit"](none)
