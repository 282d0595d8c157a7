"""Work that goes on beside the loop of a run: one call for each track, answers in a queue.

In the worker the threads are greenlets and the queue yields to them (gevent has patched both); in a
process without the patch they are what they are called.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Tasks(Generic[T]):
    """At most one piece of work for each name; whoever stops waiting leaves the rest alone."""

    def __init__(self) -> None:
        self._ended: queue.SimpleQueue[tuple[str, T | BaseException]] = queue.SimpleQueue()
        self._running: set[str] = set()

    def is_running(self, name: str) -> bool:
        """Whether the work of that name has been started and its answer not been taken."""
        return name in self._running

    def start(self, name: str, work: Callable[[], T]) -> None:
        """Start work beside this."""
        self._running.add(name)
        threading.Thread(target=self._do, args=(name, work), daemon=True).start()

    def next(self, wait_s: float) -> tuple[str, T] | None:
        """Return the name and answer of work that has ended, or None when none ends in time.

        Raises: what the work raised.
        """
        try:
            name, answer = self._ended.get(timeout=wait_s) if wait_s > 0 else self._ended.get(False)
        except queue.Empty:
            return None
        self._running.discard(name)
        if isinstance(answer, BaseException):
            raise answer
        return name, answer

    def _do(self, name: str, work: Callable[[], T]) -> None:
        try:
            answer: T | BaseException = work()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever takes the answer
            answer = error
        self._ended.put((name, answer))
