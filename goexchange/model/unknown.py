"""Unknown is a value: what could not be read, and why."""

from __future__ import annotations

from typing import NoReturn, TypeVar

from attrs import frozen

from goexchange.errors import GoexchangeError

T = TypeVar("T")


@frozen
class Unknown:
    """A fact that could not be read. It has no truth value, so that it can never pass for False."""

    reason: str

    def __bool__(self) -> NoReturn:
        raise TypeError(f"an unknown value was used as a truth value: {self.reason}")

    def __str__(self) -> str:
        return f"unknown ({self.reason})"


def known(value: T | Unknown) -> T:
    """The value, where the caller has already made sure that it is known.

    Raises: GoexchangeError when it is not, which is a mistake of ours.
    """
    if isinstance(value, Unknown):
        raise GoexchangeError(f"a value that must be known here is not: {value.reason}")
    return value
