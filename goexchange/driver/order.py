"""Which server is taken next: a pure function of the plan's order and of what has ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from goexchange.model.plan import RunOrder


def next_server(
    order: RunOrder,
    *,
    waiting: Sequence[str],
    active: Collection[str],
    urgent: Collection[str] = (),
) -> str | None:
    """Return the server whose lanes begin now, or None while none may.

    Shape: `waiting` are the servers that have not begun, in the order of the plan; `urgent` are
    those of them with a database that is down: they wait for no wave, only for a free place.
    """
    if len(active) >= order.servers_at_once:
        return None
    free = [name for name in waiting if not _is_held(order, name, active)]
    down = [name for name in free if name in urgent]
    if down:
        return down[0]
    wave = min((_wave(order, name) for name in (*waiting, *active)), default=0)
    return next((name for name in free if _wave(order, name) == wave), None)


def _wave(order: RunOrder, server: str) -> int:
    return next(
        (number for number, wave in enumerate(order.waves) if server in wave), len(order.waves)
    )


def _is_held(order: RunOrder, server: str, active: Collection[str]) -> bool:
    """Whether another member of one of its groups is at work."""
    return any(
        server in group and any(name in group for name in active) for group in order.one_at_a_time
    )
