"""I1 for the message transfer agent: it is never stopped without its safety nets, nor left stopped
without a word.
"""

from __future__ import annotations

from collections.abc import Iterator

from goexchange.driver.invariants import Violation
from goexchange.model.mta import MTA_ID, MTA_NAME, MTA_SERVICE
from goexchange.model.run import DatabaseResult, LaneState
from goexchange.world.scripts_records import open_recoveries
from goexchange.world.world import Effect, World


def nets_of_mta(world: World, effect: Effect, *, root: str) -> Iterator[Violation]:
    """Whoever dies now has left a sentinel, and a record of what ran before."""
    host = world.hosts[effect.host]
    if not any(each.database == MTA_NAME for each in host.sentinels.values()):
        why = "the MTA is stopped without a sentinel"
        yield Violation(invariant="I1", step=effect.host, why=why)
    if not any(each["database_guid"] == MTA_ID for each in open_recoveries(host, root)):
        why = "the MTA is stopped without an open recovery record"
        yield Violation(invariant="I1", step=effect.host, why=why)


def mta_left(world: World, run: str) -> tuple[str, ...]:
    """Hosts whose MTA this run stopped, that is stopped still, and that no sentinel speaks of."""
    spoke = {each.host for each in world.effects if each.kind == "sentinel-spoke"}
    ours = {
        each.host
        for each in world.effects
        if each.kind == "mta-stopped" and each.detail.startswith(f"{run}-")
    }
    return tuple(
        sorted(
            name
            for name in ours - spoke
            if world.hosts[name].services[MTA_SERVICE].state != "Running"
            and not world.hosts[name].sentinels
        )
    )


def of_mta_at_rest(
    world: World, result: DatabaseResult, *, rival: bool
) -> Iterator[Violation]:
    """A lane that was done, or gave up, has left the agent as it was: running, unless somebody
    else was at work too, or it was found stopped.
    """
    if rival or result.state not in (LaneState.DONE, LaneState.FAILED):
        return
    server = world.hosts[result.server]
    was_running = server.description.mta is not None and server.description.mta.is_running
    if was_running and server.services[MTA_SERVICE].state != "Running":
        why = f"its lane is {result.state.value}, and the MTA is not running"
        yield Violation(invariant="I1", step=result.server, why=why)
