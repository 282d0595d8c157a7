"""What asks a run's process to end: a signal, a terminal that goes away, a reader that is gone."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from goexchange.errors import ExitCode

try:  # before gevent's patch: the poll of the system, which does not wait and does not yield
    from select import POLLERR, poll
except ImportError:  # Windows has none
    poll = None  # type: ignore[assignment,misc]

_CODES = {
    name: code
    for name, code in (
        ("SIGINT", ExitCode.INTERRUPTED),
        ("SIGTERM", ExitCode.TERMINATED),
        ("SIGHUP", ExitCode.TERMINATED),
    )
    if hasattr(signal, name)  # Windows knows no hang-up
}


@contextmanager
def interruptions() -> Iterator[Callable[[], ExitCode | None]]:
    """Whether this process was asked to end, and as what: the first one counts, a second one
    changes nothing. Output that nobody reads any more counts as a hang-up.
    """
    seen: list[ExitCode] = []

    def notice(number: int, _: FrameType | None) -> None:
        seen.append(_CODES[signal.Signals(number).name])

    def look() -> ExitCode | None:
        if not seen and is_unread():
            seen.append(ExitCode.TERMINATED)
        return seen[0] if seen else None

    numbers = [signal.Signals[name] for name in _CODES]
    before = {each: signal.signal(each, notice) for each in numbers}
    try:
        yield look
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def is_unread() -> bool:
    """Whether the reader of our output has closed it (a pipe; a file or a terminal never says)."""
    if poll is None:
        return False
    watched = poll()
    for stream in (sys.stdout, sys.stderr):
        try:
            watched.register(stream.fileno(), 0)  # errors and hang-ups are told unasked
        except (AttributeError, OSError, ValueError):
            continue  # not a file of the system: nobody can close it under us
    return any(event & POLLERR for _, event in watched.poll(0))
