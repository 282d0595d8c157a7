"""The verb `validate`: every file, every form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goexchange.cli.console import diagnostic_text
from goexchange.errors import Diagnostic
from tests.unit.cli.test_command_line import ended

CONFIGURATION = "apiVersion: goexchange/v1\nkind: Configuration\nspecifications: specs\n"
INVENTORY = """\
apiVersion: goexchange/v1
kind: Inventory
metadata: {name: a}
servers: {EX01: {}}
windows: {night: {zone: Europe/Berlin, days: [SAT], from: "22:00", to: "06:00"}}
"""
SPECIFICATION = """\
apiVersion: goexchange/v1
kind: Specification
metadata: {name: compact}
targets: {servers: [EX1]}
desird: {white_space_max: 20%}
script: {name: preventative-maintenance}
backup:
  before: {offline: {target: {path: 'E:\\goexchange'}}}
  after: {online: {method: windows-server-backup, target: {path: 'F:'}}}
schedule: {window: nigt}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    for name, text in (
        ("goexchange.yaml", CONFIGURATION),
        ("inventory/site.yaml", INVENTORY),
        ("specs/a.yaml", SPECIFICATION),
        ("specs/b.yaml", SPECIFICATION.replace("desird", "desired").replace("compact", "other")),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_every_error_of_every_file_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("validate") == 10
    out = capsys.readouterr().out
    assert "specs/a.yaml:5:1: an unknown key [unknown-key]" in out
    assert "    desird: {white_space_max: 20%}\n    ^~~~~~\n" in out
    assert "specs/b.yaml:4:21: an unknown name [unknown-name]" in out
    assert "    targets: {servers: [EX1]}\n                        ^~~\n" in out
    assert "Did you mean 'EX01'?" in out
    assert "specs/b.yaml:10:20" in out


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("validate", "--format", "json") == 10
    first = json.loads(capsys.readouterr().out)
    assert ended("validate", "--json") == 10
    assert json.loads(capsys.readouterr().out) == first
    assert len(first["diagnostics"]) == 5


def test_annotations_name_files_as_the_repository_does(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    assert ended("validate", "--format", "github") == 10
    output = capsys.readouterr()
    assert f"::error file={project.name}/specs/a.yaml,line=5,col=1," in output.out
    assert "specs/a.yaml:5:1: an unknown key" in output.err


@pytest.mark.parametrize("form", ["text", "json", "github", "gitlab", "azure", "junit"])
def test_every_form_of_a_project_without_mistakes(
    form: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "specs" / "a.yaml").unlink()
    good = SPECIFICATION.replace("desird", "desired").replace("EX1]", "EX01]")
    (project / "specs" / "b.yaml").write_text(good.replace("nigt", "night"), "utf-8")
    assert ended("validate", "--format", form) == 0
    out = capsys.readouterr().out
    assert bool(out) == (form in ("json", "gitlab", "junit"))


def test_contradictions_between_files_are_found(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = SPECIFICATION.replace("desird", "desired").replace("EX1]", "EX01]")
    good = good.replace("nigt", "night")
    (project / "specs" / "a.yaml").write_text(good, "utf-8")
    (project / "specs" / "b.yaml").write_text(good, "utf-8")
    assert ended("validate") == 10
    assert "specs/b.yaml:3:18: the same twice [repeated]" in capsys.readouterr().out
    assert ended("plan") == 10
    assert "the same twice [repeated]" in capsys.readouterr().err


def test_names_are_looked_up_in_a_specification_with_other_mistakes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended("init") == 0
    path = tmp_path / "specs" / "preventative.yaml"
    text = path.read_text("utf-8")
    for old, new in (
        ("[EX01]", "[EX0l]"),
        ("white_space_max: 20%", "white_space_mx: 20%"),
        ("verified_within: 30d", "verified_within: 3 days"),
        ("window: night", "window: nigth"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    capsys.readouterr()
    for verb in (("validate",), ("plan", "--facts", "specs/tests/example.facts.json")):
        assert ended(*verb, "--json") == 10
        found = json.loads(capsys.readouterr().out)
        wrong = found.get("error", found)["diagnostics"]
        ids = sorted(each["id"] for each in wrong if each["file"] == "specs/preventative.yaml")
        assert ids == ["unknown-key", "unknown-name", "unknown-name", "wrong-form"], (verb, wrong)


def test_on_a_terminal_the_detail_is_wrapped_between_words() -> None:
    long = Diagnostic(id="x", summary="s", detail="word " * 40)
    assert max(map(len, diagnostic_text(long, width=80).splitlines())) <= 80
    assert len(diagnostic_text(long).splitlines()) == 2
