"""A receive that was lost is sent again: the same message, over a new connection with new keys.

The host answers a message id that it knows with the answer it gave before, so nothing is lost. A
host that does not leaves a gap, which the channels notice by `lost`.
Source: pypsrp's wsman.py (receive); architecture decision record 0001 (channels).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import requests.exceptions

REPEATED_MAX = 5
PAUSE_FIRST_S = 0.1
PAUSE_MAX_S = 5.0
# http.sys closes a connection that is silent for 120 s; one that old is not trusted with a request
IDLE_CONNECTION_S = 60.0

T = TypeVar("T")


class Repetition:
    """The receives of one call: how many were lost, and until when they may be repeated.

    `renew` drops the HTTP session and its sealing keys: sealed messages do not survive their
    connection.
    """

    def __init__(self, renew: Callable[[], None]) -> None:
        self.lost = 0
        self.is_done = False
        self._renew = renew
        self._deadline = 0.0

    def start(self, deadline: float) -> None:
        """A new call begins; `deadline` is of the monotonic clock."""
        self.lost, self.is_done, self._deadline = 0, False, deadline

    def send(self, send: Callable[[], T]) -> T:
        """Send a receive until its answer arrives.

        Raises: the last error of `requests`, after the last repetition or past the deadline.
        """
        for pause_s in pauses():
            try:
                return send()
            except requests.exceptions.RequestException:
                self._renew()
                self.lost += 1
                if self.lost > REPEATED_MAX or time.monotonic() + pause_s > self._deadline:
                    raise
                time.sleep(pause_s)
        raise AssertionError("pauses never end")


def pauses() -> Iterator[float]:
    """The pauses between attempts, in seconds: doubled up to a maximum, without end."""
    pause_s = PAUSE_FIRST_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, PAUSE_MAX_S)
