"""The command line itself: global options, help, exit codes, one JSON document on failure too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goexchange.cli.console import diagnostic_text
from goexchange.cli.help import EXIT_CODES, exit_codes_text
from goexchange.cli.main import VERBS, hoisted, main
from goexchange.errors import Diagnostic, ExitCode, Place


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(words)
    return int(end.value.code or 0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        (["plan", "--json"], ["--json", "plan"]),
        (["plan", "--store", "x", "a.yaml"], ["--store", "x", "plan", "a.yaml"]),
        (["plan", "--store=x"], ["--store=x", "plan"]),
        (["verify", "--", "--json"], ["verify", "--", "--json"]),
        (["plan", "--out", "f"], ["plan", "--out", "f"]),
    ],
)
def test_global_options_may_stand_after_the_verb(words: list[str], moved: list[str]) -> None:
    assert hoisted(words) == moved


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_that_says_what_it_touches(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(verb, "--help") == 0
    assert capsys.readouterr().out.startswith("Usage: goexchange")
    assert ended("help", verb) == 0


def test_every_exit_code_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(EXIT_CODES) == set(ExitCode)
    assert max(len(line) for line in exit_codes_text().splitlines()) <= 80
    assert ended("exit-codes", "--json") == 0
    assert {each["code"] for each in json.loads(capsys.readouterr().out)} == set(map(int, ExitCode))


def test_a_usage_error_is_64_and_never_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("plan", "--nonsense") == 64
    assert ended("observ") == 64
    assert "Did you mean 'observe'?" in capsys.readouterr().err
    assert ended("--json", "observ") == 64
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 64


def test_a_failure_with_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("plan", "--json") == 10
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["id"] == "invalid-document"


def test_quiet_leaves_out_words_but_not_errors(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.yaml").write_text("kind: Specification\nkind: x\n", "utf-8")
    assert ended("-q", "validate", "a.yaml") == 10
    output = capsys.readouterr()
    assert output.err == ""
    assert "a.yaml:2:1" in output.out


def test_a_setting_says_where_it_comes_from(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "goexchange.yaml").write_text(
        "apiVersion: goexchange/v1\nkind: Configuration\nstore: from-file\n", "utf-8"
    )
    assert ended("config", "show", "--origin", "--json") == 0
    assert _setting(capsys, "store") == ("from-file", "file")
    monkeypatch.setenv("GOEXCHANGE_STORE", "from-environment")
    assert ended("config", "show", "--json") == 0
    assert _setting(capsys, "store") == ("from-environment", "environment")
    assert ended("config", "show", "--json", "--store", "from-flag") == 0
    assert _setting(capsys, "store") == ("from-flag", "flag")


def _setting(capsys: pytest.CaptureFixture[str], name: str) -> tuple[str, str]:
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    return found[name]["value"], found[name]["origin"]


def test_schemas_are_printed_and_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("schema", "specification") == 0
    assert json.loads(capsys.readouterr().out)["title"]
    assert ended("schema", "--out", "s") == 0
    assert (folder / "s" / "inventory.v1.json").exists()
    assert ended("schema", "nonsense") == 64


def test_a_mistake_of_ours_is_said_as_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("goexchange.cli.schema.resources.schema_kinds", broken)
    assert ended("schema") == 1
    assert "a mistake in goexchange itself: RuntimeError: boom" in capsys.readouterr().err


def test_a_diagnostic_underlines_the_column() -> None:
    text = diagnostic_text(
        Diagnostic(
            id="x",
            summary="wrong",
            detail="Why.\nWhat to do.",
            place=Place(file="a.yaml", line=3, column=5),
            source_line="  - nope",
        )
    )
    assert text.splitlines() == [
        "a.yaml:3:5: wrong [x]",
        "      - nope",
        "        ^~~~",
        "    Why.",
        "    What to do.",
    ]
