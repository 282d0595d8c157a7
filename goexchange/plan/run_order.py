"""In which order servers are taken: canary, batches, one member of a group at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from goexchange.model.actual import ActualServer
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Lane, RunOrder


def run_order(
    specifications: Sequence[DesiredState], servers: Sequence[str], seen: Sequence[ActualServer]
) -> RunOrder:
    """Return the order of these servers; of several specifications the strictest holds.

    Unknown: a server whose availability group is not known is taken with no other one beside it.
    """
    canaries = {each.strategy.canary for each in specifications}
    first = tuple(name for name in servers if name in canaries)
    others = [name for name in servers if name not in canaries]
    sizes = _sizes(specifications)
    waves = (first, *_waves(others, sizes)) if first else tuple(_waves(others, sizes))
    at_once = min((each.strategy.servers_at_once for each in specifications), default=1)
    return RunOrder(
        waves=waves,
        servers_at_once=at_once,
        one_at_a_time=_groups(servers, seen),
    )


def in_order(lanes: Sequence[Lane], order: RunOrder, canaries: Sequence[str]) -> tuple[Lane, ...]:
    """The lanes by wave and server; every lane of another server needs those of the canary."""
    place = {name: number for number, wave in enumerate(order.waves) for name in wave}
    found = sorted(lanes, key=lambda lane: place[lane.server])  # keeps the order within a server
    first = tuple(lane.id for lane in found if lane.server in canaries)
    return tuple(
        lane if lane.server in canaries else evolve(lane, needs=(*first, *lane.needs))
        for lane in found
    )


def _sizes(specifications: Sequence[DesiredState]) -> tuple[int, ...]:
    """Sizes of the batches: of several lists the smaller number at each place."""
    lists = [each.strategy.batches for each in specifications if each.strategy.batches]
    longest = max((len(each) for each in lists), default=0)
    return tuple(min(each[min(n, len(each) - 1)] for each in lists) for n in range(longest))


def _waves(servers: Sequence[str], sizes: tuple[int, ...]) -> Iterator[tuple[str, ...]]:
    """Servers in batches of these sizes; the last size is used again. Without sizes one batch."""
    left, number = list(servers), 0
    while left:
        size = sizes[min(number, len(sizes) - 1)] if sizes else len(left)
        yield tuple(left[:size])
        left, number = left[size:], number + 1


def _groups(servers: Sequence[str], seen: Sequence[ActualServer]) -> tuple[tuple[str, ...], ...]:
    group_of = {each.name: each.availability_group for each in seen if each.name in servers}
    named = sorted({each for each in group_of.values() if isinstance(each, str)})
    groups = [tuple(name for name in servers if group_of.get(name) == group) for group in named]
    is_known = all(each is None or isinstance(each, str) for each in group_of.values())
    if not is_known or set(group_of) != set(servers):
        groups.append(tuple(servers))
    return tuple(group for group in groups if len(group) > 1)
