"""Tracks beside each other: whose turn it is, who is woken, and whose error ends what."""

from __future__ import annotations

from datetime import timedelta

import pytest

from goexchange.driver.effects import Append, Effect, Finish, WaitUntil
from goexchange.driver.events import Appended, Woke
from goexchange.driver.tracks import RUN, Together, Track, Tracks
from goexchange.model.run import RunResult
from tests.driver.plans import NOW

DONE = Finish(result=RunResult(exit_code=0, verdict="", databases=()))
LATER = WaitUntil(moment=NOW + timedelta(minutes=5))
RECORD = Append(drafts=())


class Broken(Exception):
    """What a track may raise."""


def tracks_of(run: Track) -> Tracks:
    made = Tracks(run, enter=lambda name, at_work: None)
    made.begin()
    return made


def run_of(**servers: Track) -> Track:
    """The run's own track over these servers, and its end."""
    waiting = dict(servers)

    def next_track(active: frozenset[str]) -> tuple[str, Track] | None:
        return waiting.popitem() if waiting else None

    yield Together(next_track=next_track)
    yield DONE


def waiting(after: Effect | None = None) -> Track:
    yield LATER
    if after is not None:
        yield after


def test_a_wait_beside_a_record_is_woken_after_the_record_stands() -> None:
    """A request ends every wait; what is written because of it comes before anything else."""
    tracks = tracks_of(run_of(a=waiting(RECORD), b=waiting()))
    assert set(tracks.outstanding) == {"a", "b"}
    tracks.wake("a")
    assert dict(tracks.outstanding) == {"a": RECORD}
    tracks.wake("b")
    assert dict(tracks.outstanding) == {"a": RECORD}, "it waits until the record stands"
    tracks.answer("a", Appended(records=()))
    assert set(tracks.outstanding) == {"b"}
    tracks.wake("b")
    assert dict(tracks.outstanding) == {RUN: DONE}


def test_an_error_of_the_run_itself_is_nobody_elses() -> None:
    def failing() -> Track:
        yield LATER
        raise Broken

    tracks = tracks_of(failing())
    with pytest.raises(Broken):
        tracks.answer(RUN, Woke())


def test_an_error_of_a_server_ends_the_others_and_meets_the_run() -> None:
    def failing() -> Track:
        yield LATER
        raise Broken

    def run() -> Track:
        try:
            yield from run_of(a=failing(), b=waiting())
        except Broken:
            yield DONE

    tracks = tracks_of(run())
    tracks.wake("a")
    assert dict(tracks.outstanding) == {RUN: DONE}
