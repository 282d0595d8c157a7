"""Operators' requests and the hold, on a real disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from goexchange.errors import Damaged, NotNow
from goexchange.store import requests as module
from goexchange.store.hold import hold_request, lift_hold, put_on_hold, read_hold, require_no_hold
from goexchange.store.requests import Inbox, read_requests, withdraw, write_request

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)


def test_each_request_is_taken_up_once_in_order(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, ())
    assert inbox.new() == ()
    first = write_request(tmp_path, "pause", by="maria", now=NOW)
    second = write_request(tmp_path, "abort", by="jo", now=NOW + timedelta(seconds=1))
    assert inbox.new() == (first, second)
    assert inbox.new() == ()
    assert Inbox(tmp_path, [first.id]).new() == (second,), "the journal names the first already"
    assert read_requests(tmp_path)[1].by == "jo"


def test_a_request_that_was_withdrawn_is_not_taken_up(tmp_path: Path) -> None:
    asked = write_request(tmp_path, "stop", by="maria", now=NOW)
    withdraw(tmp_path, asked)
    withdraw(tmp_path, asked)
    assert Inbox(tmp_path, ()).new() == ()


def test_what_is_half_written_or_foreign_is_no_request(tmp_path: Path) -> None:
    write_request(tmp_path, "stop", by="maria", now=NOW)
    folder = tmp_path / "requests"
    for name, content in (
        (".half.json.1234.part", b'{"requ'),
        (".hidden.json", b"{}"),
        ("20261122-half.json", b'{"request": "ab'),
        ("20261122-list.json", b"[]"),
        ("notes.txt", b"abort"),
    ):
        (folder / name).write_bytes(content)
    assert [each.request for each in Inbox(tmp_path, ()).new()] == ["stop"]


def test_nothing_is_left_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        write_request(tmp_path, "abort", by="maria", now=NOW)
    assert list((tmp_path / "requests").iterdir()) == []


def test_a_store_that_is_away_stops_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = Inbox(tmp_path, ())
    asked = write_request(tmp_path, "stop", by="maria", now=NOW)

    def away(_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "listdir", away)
        assert inbox.new() == ()
    assert inbox.new() == (asked,)


def test_a_hold_is_read_by_anybody_and_told_to_a_run_once(tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert read_hold(store) is None
    require_no_hold(store)
    inbox = Inbox(tmp_path, (), hold=lambda: hold_request(store))
    assert inbox.new() == ()
    put_on_hold(store, by="maria", why="patch night", now=NOW)
    with pytest.raises(NotNow, match=r"maria: patch night.*goexchange hold off"):
        require_no_hold(store)
    assert [(each.request, each.by) for each in inbox.new()] == [("hold", "maria")]
    assert inbox.new() == ()
    assert lift_hold(store) and not lift_hold(store)
    require_no_hold(store)


def test_a_hold_that_cannot_be_read_holds(tmp_path: Path) -> None:
    (tmp_path / "hold.json").write_text("{}", "utf-8")
    with pytest.raises(Damaged, match="nothing new starts"):
        require_no_hold(tmp_path)
    asked = hold_request(tmp_path)
    assert asked is not None and asked.request == "hold"
    assert lift_hold(tmp_path)
