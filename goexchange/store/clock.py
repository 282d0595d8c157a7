"""The system clock; the only one in production."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """What time it is, and waiting for a moment."""

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait; not at all when the time is past."""
        if seconds > 0:
            time.sleep(seconds)
