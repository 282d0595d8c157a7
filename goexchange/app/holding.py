"""The verb `hold`: nothing new starts from this store, or it may again."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from goexchange.app.planning import who
from goexchange.model.configuration import Configuration
from goexchange.store.clock import SystemClock
from goexchange.store.hold import lift_hold, put_on_hold


@frozen(kw_only=True)
class HoldSet:
    """How it stands with the hold now, and what to tell the operator."""

    is_on: bool
    by: str | None
    why: str
    words: str


def set_hold(settings: Configuration, *, is_on: bool, why: str) -> HoldSet:
    """Put the store on hold, or lift it."""
    store = Path(settings.store)
    if is_on:
        hold = put_on_hold(store, by=who(), why=why, now=SystemClock().now())
        words = (
            f"The store {store} is {hold}.\n"
            "Nothing new starts; runs that go on start no other database; bringing back into"
            " service is not refused.\nTo let things start again: goexchange hold off"
        )
        return HoldSet(is_on=True, by=hold.by, why=why, words=words)
    was_on = lift_hold(store)
    words = "The hold is lifted." if was_on else "There was no hold."
    return HoldSet(is_on=False, by=None, why="", words=words)
