from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.model.history import Measurement, Timing, Work
from goexchange.store.history import FILE_NAME, measured
from goexchange.store.runs import RunFolder, Runs

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Reader:
    """Reads a run's figures; counts how often it had to."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, run: RunFolder) -> list[Measurement]:
        self.read.append(run.id)
        server = run.plan_path.read_text("utf-8")
        timing = Timing(work=Work.COPY, size_bytes=7, seconds=0.5, run=run.id, at_utc=NOW)
        return [
            Measurement(
                server=server, database="DB05", database_guid="g", folder="D:\\DB05", timing=timing
            )
        ]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for server in (b"EX01", b"EX02"):
        run = Runs(tmp_path).create(plan=server, approval=None, now=NOW)
        run.journal_path.write_bytes(b"{}\n")
    return tmp_path


def servers(found: tuple[Measurement, ...]) -> list[str]:
    return sorted(each.server for each in found)


def test_a_run_is_read_once_and_again_when_its_journal_has_grown(store: Path) -> None:
    reader = Reader()
    assert servers(measured(store, reader)) == ["EX01", "EX02"]
    assert servers(measured(store, reader, ["EX02"])) == ["EX02"]
    assert len(reader.read) == 2
    grown = Runs(store).list()[0]
    with grown.journal_path.open("ab") as file:
        file.write(b"{}\n")
    assert len(measured(store, reader)) == 2
    assert reader.read[2:] == [grown.id]


def test_figures_come_back_as_they_were(store: Path) -> None:
    reader = Reader()
    runs = Runs(store).list()
    assert set(measured(store, reader)) == {each for run in runs for each in Reader()(run)}


def test_a_run_that_is_gone_is_gone_from_the_index(store: Path) -> None:
    assert len(measured(store, Reader())) == 2
    gone = Runs(store).list()[0]
    for path in gone.path.iterdir():
        path.unlink()
    gone.path.rmdir()
    assert len(measured(store, Reader())) == 1


@pytest.mark.parametrize("harm", ["delete", "garbage", "another version"])
def test_an_index_that_is_lost_is_made_again_from_the_journals(store: Path, harm: str) -> None:
    before = measured(store, Reader())
    index = store / FILE_NAME
    if harm == "delete":
        index.unlink()
    elif harm == "garbage":
        index.write_bytes(b"no database" * 100)
    else:
        with sqlite3.connect(index) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    reader = Reader()
    assert set(measured(store, reader)) == set(before)
    assert len(reader.read) == 2


def test_a_store_that_cannot_be_written_is_read_without_an_index(store: Path) -> None:
    (store / FILE_NAME).mkdir()  # no file can be there
    assert servers(measured(store, Reader(), ["EX01"])) == ["EX01"]
