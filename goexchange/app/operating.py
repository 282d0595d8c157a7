"""The verbs `pause`, `proceed`, `stop` and `abort`: ask a run that goes on somewhere for something,
and wait until its process has taken it up.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from goexchange.app.leasing import leases_of
from goexchange.app.planning import who
from goexchange.driver.events import Request
from goexchange.driver.pausing import is_paused
from goexchange.errors import InvalidDocument, NotNow, UsageError
from goexchange.journal.replay import RunState, replay
from goexchange.model.configuration import Configuration
from goexchange.model.run import RecordKind
from goexchange.model.standing import Life
from goexchange.store.alive import life_of
from goexchange.store.clock import SystemClock
from goexchange.store.journal_file import read_journal
from goexchange.store.requests import StoredRequest, withdraw, write_request
from goexchange.store.runs import RunFolder, Runs

LOOK_EVERY_S = 0.2


@frozen(kw_only=True)
class Asked:
    """What became of a request.

    Shape: `is_taken_up` when the journal says so; else the run's process is at work on something
    that it does not interrupt, and takes it up after that. `is_needless` when nothing was to be
    asked.
    """

    run: str
    request: str
    is_taken_up: bool
    is_needless: bool = False


def ask(
    name: str,
    request: Request,
    *,
    settings: Configuration,
    wait_s: float,
    is_over: Callable[[], bool] = lambda: False,
) -> Asked:
    """Ask a run for something.

    Raises: UsageError for `last`; InvalidDocument when there is no such run; NotNow when it has
    ended or its process is gone: nothing was asked then.
    """
    if name == "last":
        raise UsageError(f"{request.value}: name the run itself; 'goexchange status' lists them")
    folder = Runs(Path(settings.store)).find(name)
    state = state_of(folder)
    clock = SystemClock()
    _require_life(folder, state, settings, request)
    if request is Request.PROCEED and not is_paused(state.requests):
        return Asked(run=folder.id, request=request.value, is_taken_up=False, is_needless=True)
    asked = write_request(folder.path, request.value, by=who(), now=clock.now())
    give_up = clock.now().timestamp() + wait_s
    while not is_over():
        if _is_taken_up(folder, asked):
            return Asked(run=folder.id, request=request.value, is_taken_up=True)
        if _has_ended_without(folder, asked, settings):
            raise NotNow(
                f"run {folder.id} ended before it took the request up; nothing was asked."
                f" See: goexchange show {folder.id}"
            )
        if clock.now().timestamp() >= give_up:
            break
        clock.sleep(LOOK_EVERY_S)
    return Asked(run=folder.id, request=request.value, is_taken_up=False)


def state_of(folder: RunFolder) -> RunState:
    """The folded journal of a run, as far as it can be read.

    Raises: InvalidDocument when it holds nothing that can be read.
    """
    reading = read_journal(folder.journal_path)
    if reading.damage is not None and not reading.records:
        raise InvalidDocument(
            f"the journal {folder.journal_path} is damaged at its start: {reading.damage.reason}"
        )
    return replay(reading.records)


def _require_life(
    folder: RunFolder, state: RunState, settings: Configuration, request: Request
) -> None:
    life = life_of(folder, state, leases_of(settings).read(), SystemClock().now())
    if life is Life.ENDED:
        raise NotNow(
            f"run {folder.id} has ended; there is nothing to {request.value}."
            f" See: goexchange show {folder.id}"
        )
    if life is Life.GONE:
        way = (
            "'goexchange resume' takes the way back or goes on, as the run then stands"
            if request is Request.ABORT
            else "first"
        )
        raise NotNow(
            f"no process of run {folder.id} is alive, so nobody would hear it."
            f" To go on with the run {way}: goexchange resume {folder.id}"
        )


def _is_taken_up(folder: RunFolder, asked: StoredRequest) -> bool:
    records = read_journal(folder.journal_path).records
    return any(
        record.kind is RecordKind.REQUEST and record.data.get("id") == asked.id
        for record in reversed(records)
    )


def _has_ended_without(folder: RunFolder, asked: StoredRequest, settings: Configuration) -> bool:
    """Whether no process will take it up any more; the request is withdrawn then."""
    now = SystemClock().now()
    life = life_of(folder, state_of(folder), leases_of(settings).read(), now)
    if life in (Life.ALIVE, Life.MAY_LIVE) or _is_taken_up(folder, asked):
        return False
    withdraw(folder.path, asked)
    return True
