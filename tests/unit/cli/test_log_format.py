"""Words on standard error as JSON lines, for programs that collect logs."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from goexchange.cli.console import Console
from goexchange.cli.live import LineView
from goexchange.cli.main import main
from goexchange.errors import InvalidDocument
from tests.unit.report import conftest as nights


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all(datetime.fromisoformat(str(line["at"])) for line in lines)
    return lines


def test_each_record_is_one_line_that_can_be_selected(capsys: pytest.CaptureFixture[str]) -> None:
    plan = nights.sealed(nights.body())
    view = LineView(plan, Console(is_log_json=True))
    for record in nights.offline_night(plan):
        view.show(record)
    lines = logged(capsys)
    dismounts = [one for one in lines if str(one.get("step", "")).endswith("07-dismount")]
    assert [one["kind"] for one in dismounts] == ["intent", "outcome"]
    assert lines[-1]["kind"] == "run-ended" and lines[-1]["exit_code"] == 22


def test_errors_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    Console(is_log_json=True).error(InvalidDocument("no such\nfile"))
    (line,) = logged(capsys)
    assert (line["level"], line["id"], line["message"]) == (
        "error",
        "invalid-document",
        "no such\nfile",
    )


@pytest.mark.parametrize("words", [["--log-format", "json"], ["--log-format=json"]])
def test_the_option_may_stand_after_the_verb(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["show", "no-such-run", *words])
    (line,) = logged(capsys)
    assert line["level"] == "error" and "no-such-run" in str(line["message"])


def test_text_stays_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    Console().words("hello", kind="x")
    assert capsys.readouterr().err == "hello\n"
