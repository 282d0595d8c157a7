"""`window next` as typed, on documents of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goexchange.cli.main import main

INVENTORY = """\
apiVersion: goexchange/v1
kind: Inventory
servers: {EX01: {}, EX02: {}}
windows:
  night: {zone: Europe/Berlin, days: [SAT], from: "22:00", to: "06:00"}
  noon: {zone: UTC, from: "12:00", to: "13:00"}
other_work:
  reboot:
    {kind: reboot, servers: [EX01], zone: Europe/Berlin, days: [SUN], from: "03:00", to: "04:00"}
"""
SPECIFICATION = """\
apiVersion: goexchange/v1
kind: Specification
metadata: {name: compact}
targets: {servers: [EX02]}
desired: {mounted: true}
script: {name: preventative-maintenance}
backup:
  before: {offline: {target: {path: 'E:\\goexchange'}}}
  after: {online: {method: windows-server-backup, target: {path: 'F:'}}}
schedule: {window: night}
"""
SPRING = ("--at", "2026-03-27T00:00:00Z")


def type_in(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    return int(str(ended.value.code)), said.out, said.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "inventory.yaml").write_text(INVENTORY, "utf-8")
    (tmp_path / "compact.yaml").write_text(SPECIFICATION, "utf-8")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_window_with_the_clock_change_and_the_declared_work(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["window", "next", "--count", "1", *SPRING, "--inventory", "inventory.yaml"]
    code, out, _ = type_in(words, capsys)
    assert code == 0
    assert "night · Europe/Berlin" in out and "noon · UTC" in out
    assert "7 h" in out and "8 h on the clock" in out
    assert "! reboot on EX01" in out


def test_openings_that_touch_are_listed_as_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = """\
apiVersion: goexchange/v1
kind: Inventory
servers: {EX01: {}}
windows:
  weekend: {zone: UTC, days: [SAT, SUN], from: "00:00", to: "00:00"}
  always: {zone: UTC, from: "00:00", to: "00:00"}
"""
    (folder / "inventory.yaml").write_text(whole, "utf-8")
    words = ["window", "next", "--count", "2", *SPRING, "--inventory", "inventory.yaml"]
    _, out, _ = type_in(words, capsys)
    assert out.count("2 openings that touch: one") == 2
    assert "2 d" in out or "48 h" in out
    assert out.count("never closes: told for another week") == 2
    _, text, _ = type_in(["--json", *words], capsys)
    weekend = [each for each in json.loads(text) if each["window"] == "weekend"]
    assert [(each["days"], each["length_s"]) for each in weekend] == [(2, 172800), (2, 172800)]
    assert not any(each["is_endless"] for each in weekend)


def test_with_a_specification_its_window_and_its_servers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--json", "window", "next", "compact.yaml", "--count", "2", *SPRING]
    code, out, _ = type_in([*words, "--inventory", "inventory.yaml"], capsys)
    assert code == 0
    found = json.loads(out)
    assert [each["window"] for each in found] == ["night", "night"]
    assert found[0]["length_s"] == 7 * 3600
    assert found[0]["is_changed_by_clock"] is True
    assert found[0]["other_work"] == []  # the reboot is of EX01, the specification of EX02


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["window", "next", "--at", "tomorrow"], 64, "--at"),
        (["window", "next", "--count", "0"], 64, "count"),
        (["window", "next", "nothing.yaml"], 10, "nothing.yaml"),
    ],
)
def test_what_cannot_be_used_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    ended, _, err = type_in([*words, "--inventory", "inventory.yaml"], capsys)
    assert ended == code
    assert said in err
