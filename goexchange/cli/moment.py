"""`--at TIME` and its like: a moment with its zone."""

from __future__ import annotations

from datetime import datetime

from goexchange.errors import UsageError


def moment_option(text: str | None, *, name: str = "--at") -> datetime | None:
    """The moment that was written, None for none.

    Raises: UsageError.
    """
    from goexchange.codec import parse_time

    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}; write it like 2026-11-28T22:00:00+01:00") from error
