"""The verb `test`: the examples pass, and every expectation can fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.unit.cli.test_command_line import ended
from tests.unit.documents.examples import SPECS


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(SPECS, tmp_path / "specs")
    monkeypatch.chdir(tmp_path / "specs")
    return tmp_path / "specs"


def test_the_examples_pass(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    junit = tmp_path / "new" / "t.xml"
    assert ended("test", "--json", "--junit", str(junit)) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) >= 5 and not any(each["failures"] for each in found)
    root = ElementTree.parse(junit).getroot()
    assert (root.get("tests"), root.get("failures")) == (str(len(found)), "0")
    suites = {suite.get("name") for suite in root.findall("testsuite")}
    assert suites == {"tests/minimal.test.yaml", "tests/night.test.yaml"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("EX01/DB01: nothing", "EX01/DB01: rebuild", "EX01/DB01 needs nothing"),
        ("EX01/DB07: 2 copies", "EX01/DB07: 3 copies", "'3 copies' is expected in it"),
        ("[dismount, copy-set,", "[copy-set, dismount,", "'dismount' does not come after"),
        ("42% > 20%", "43% > 20%", "the plan does not show '43% > 20%'"),
        ("blocked_by: []", "blocked_by: [space]", "nothing says no; space is expected to"),
        ("EX01/DB05: rebuild", "EX01/DB06: rebuild", "EX01/DB06 needs not in the plan"),
        ("2026-11-28T22:30", "2026-11-29T04:30", "window says no; nothing is expected to"),
    ],
)
def test_what_a_plan_does_not_do_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    path = project / "tests" / "minimal.test.yaml"
    text = path.read_text("utf-8")
    first, second = text.split("---\n")
    assert old in first
    path.write_text("---\n".join([first.replace(old, new), second]), "utf-8")
    junit = project / "t.xml"
    assert ended("test", str(path), "--junit", str(junit)) == 10
    assert words in capsys.readouterr().out
    assert ElementTree.parse(junit).getroot().get("failures") == "1"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("exit_code: 0", "exit_code: 20", "the run ends with 0"),
        ("intent dismount, ", "intent swap-back, ", "'intent swap back' does not come"),
        ("{mounted: true, rebuilt: true}", "{mounted: false}", "EX01/DB05 is mounted afterwards"),
        ("{mounted: true, rebuilt: true}", "{rebuilt: false}", "has another file afterwards"),
        ("databases: [DB05]", "databases: [DB99]", "the site has no database DB99"),
    ],
)
def test_what_a_run_does_not_do_is_said(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    path = project / "tests" / "night.test.yaml"
    first = path.read_text("utf-8").split("---\n")[0]
    assert old in first
    path.write_text(first.replace(old, new), "utf-8")
    assert ended("test", str(path)) == 10
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  facts: ex01.facts.json\n", "", "Either 'facts' or 'site'"),
        ("blocked_by: []", "exit_code: 0", "only a simulated 'site' has one"),
        ("expect:", "expct:", "Did you mean 'expect'?"),
    ],
)
def test_a_test_that_cannot_be_run_is_an_error(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    path = project / "tests" / "minimal.test.yaml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    assert ended("test") == 10
    assert words in capsys.readouterr().err
    assert ended("validate") == 10
    assert words in capsys.readouterr().out


def test_no_test_at_all_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("test", "inventory") == 10
    assert "there is no test (*.test.yaml) in inventory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "event"),
    [
        ("{kind: torn-copy}", "outcome mount-original"),
        ("{kind: failed-eseutil, of: /d, error: -1018}", "outcome mount-original"),
        ("{kind: failed-backup}", "outcome online-backup"),
    ],
)
def test_every_fault_can_be_given(
    project: Path, capsys: pytest.CaptureFixture[str], fault: str, event: str
) -> None:
    path = project / "tests" / "night.test.yaml"
    text = path.read_text("utf-8").split("---\n")[0]
    text = text.replace("{databases: [DB05]}", f"{{databases: [DB05], faults: [{fault}]}}")
    kept = [line for line in text.splitlines() if "events:" not in line and "DB05: {" not in line]
    path.write_text("\n".join(kept).replace("  final:", f"  events: [{event}]") + "\n", "utf-8")
    assert ended("test", str(path)) == 10
    out = capsys.readouterr().out
    assert "the run ends with" in out and "does not come" not in out
