"""What the lab counts per host, and how tests disturb it: delay, lost connections, stalls."""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import Enum

from attrs import define, field


class When(Enum):
    """What happens to a disturbed action."""

    BEFORE = "before"
    """the connection is lost before the request is looked at"""
    AFTER = "after"
    """the request is performed, its answer is lost with the connection"""
    STALL = "stall"
    """the answer comes late, by `seconds`"""
    FREEZE = "freeze"
    """the request is performed, the answer is held until the lab is calmed"""
    REFUSE = "refuse"
    """new connections to the host are reset; the action does not matter"""


class ConnectionLost(Exception):
    """The connection is to be cut without an answer."""


@define(kw_only=True)
class Disturbance:
    """One disturbance; it ends after `count` hits. No host or action means any."""

    when: When
    host: str | None = None
    action: str | None = None
    count: int = 1
    seconds: float = 0.0

    def applies(self, host: str, action: str | None) -> bool:
        """Whether this hits a request (or, without an action, a new connection)."""
        if self.host not in (None, host):
            return False
        if action is None:
            return self.when is When.REFUSE
        return self.when is not When.REFUSE and self.action in (None, action)


@define
class Traffic:
    """Counters per host, the added delay, and the disturbances in force.

    Shape: `counters[host]` counts HTTP requests as "http", connections as "connections", failed
    logons as "refused_logons", repeated answers as "replayed", and each action by its name.
    """

    delay_s: float = 0.0
    counters: dict[str, Counter[str]] = field(factory=dict)
    disturbances: list[Disturbance] = field(factory=list)
    clock_offset_s: float = 0.0
    _calm: asyncio.Event = field(factory=asyncio.Event)

    def now_s(self) -> float:
        """The lab's monotonic clock: idle limits are measured on it, and tests may advance it."""
        return asyncio.get_running_loop().time() + self.clock_offset_s

    def count(self, host: str, what: str) -> None:
        """One more of something on a host."""
        self.counters.setdefault(host, Counter())[what] += 1

    def disturb(self, disturbance: Disturbance) -> None:
        """Put a disturbance in force."""
        self._calm.clear()
        self.disturbances.append(disturbance)

    def calm(self) -> None:
        """End all disturbances and let frozen answers go."""
        self.disturbances.clear()
        self._calm.set()

    def takes(self, host: str, action: str | None) -> Disturbance | None:
        """The disturbance that hits this request, used up by one."""
        hit = next((each for each in self.disturbances if each.applies(host, action)), None)
        if hit is not None:
            hit.count -= 1
            if hit.count <= 0:
                self.disturbances.remove(hit)
        return hit

    async def trouble_answer(self, disturbance: Disturbance | None) -> None:
        """Lose, delay or hold an answer that is ready to go.

        Raises: ConnectionLost when it is to be lost.
        """
        if disturbance is None:
            return
        if disturbance.when is When.AFTER:
            raise ConnectionLost
        if disturbance.when is When.STALL:
            await asyncio.sleep(disturbance.seconds)
        if disturbance.when is When.FREEZE:
            await self._calm.wait()
