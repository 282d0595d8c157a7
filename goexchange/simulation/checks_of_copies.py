"""I12 in an availability group, on the world's true state: what keeps a database available is never
taken away beyond what somebody has consented to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from goexchange.driver.invariants import Violation
from goexchange.model.plan import Consent, Plan
from goexchange.world.copies import seeding
from goexchange.world.world import Effect, World

STALE_LOOK = timedelta(minutes=10)


def suspended_by(user: str, world: World) -> tuple[tuple[str, str], ...]:
    """Database and server of every copy that this account suspended and that still is."""
    ours = {
        (each.database or "", each.host)
        for each in world.effects
        if each.kind == "copy-suspended" and each.by == user
    }
    return tuple(
        sorted(
            (database, server)
            for database, server in ours
            if server in world.database_named(database).passive
            and world.database_named(database).passive[server].is_suspended
        )
    )


def activations_left(world: World, told: Collection[str]) -> Iterator[Violation]:
    """I9: a copy whose activation somebody had suspended is so again, with the comment of then."""
    for database in world.databases.values():
        for server, comment in database.description.activations_suspended:
            copy = database.passive.get(server)
            is_so = copy is None or (copy.is_activation_suspended and copy.comment == comment)
            if not is_so and database.name not in told:
                why = f"the activation of its copy on {server} is not suspended as it was"
                yield Violation(invariant="I9", step=database.name, why=why)


def of_redundancy(
    plan: Plan, world: World, effect: Effect, *, looked: Mapping[str, datetime]
) -> Iterator[Violation]:
    """What a suspension, a seed or a dismount of ours breaks: copies of one member at a time, but
    for a rebuild that somebody has consented to; never two seeds at once; none while another
    one was seen to have failed; no outage while a copy was seen to replicate that should not.
    """
    name = effect.database or ""
    is_consented = name in _consented(plan)
    server = next((each.server for each in plan.body.lanes if each.database == name), "")
    last = looked.get(server)
    if effect.kind == "copy-suspended":
        yield from _of_members(plan, world, effect)
        for each in _shown(world, effect, "copy-failed", last=last):
            if world.database_named(name).passive[each].has_failed:
                why = f"a copy is suspended, and that on {each} was seen to have failed"
                yield Violation(invariant="I12", step=name, why=why)
    if effect.kind == "dismount" and is_consented:
        for each in _shown(world, effect, "copy-resumed", last=last):
            if not world.database_named(name).passive[each].is_suspended:
                why = f"taken down, and the copy on {each} was seen to replicate"
                yield Violation(invariant="I12", step=name, why=why)
    if effect.kind == "seed-begun":
        at_once = sorted(each for one in world.databases.values() for each in seeding(one))
        if len(at_once) > 1:
            why = f"copies on {', '.join(at_once)} are seeded at once"
            yield Violation(invariant="I12", step=name, why=why)
        if not is_consented:
            why = "a copy is seeded that nobody consented to"
            yield Violation(invariant="I12", step=name, why=why)


def _consented(plan: Plan) -> set[str]:
    return {
        each.address.rpartition("/")[2]
        for each in plan.body.consents
        if each.consent is Consent.REBUILD_REPLICATED_DATABASE
    }


def _of_members(plan: Plan, world: World, effect: Effect) -> Iterator[Violation]:
    consented = _consented(plan)
    held = [each for each in suspended_by(effect.by or "", world) if each[0] not in consented]
    members = sorted({server for _, server in held})
    if len(members) > 1:
        why = f"copies on {', '.join(members)} are suspended at once"
        yield Violation(invariant="I12", step=effect.database or "", why=why)


def _shown(
    world: World, effect: Effect, kind: str, *, last: datetime | None
) -> Iterator[str]:
    """The passive copies to which that happened by somebody else's doing, where the last look of
    the lane's server has shown it, or would have if it were not so old.
    """
    copies = world.database_named(effect.database or "").passive
    for each in world.effects:
        is_other = each.kind == kind and each.database == effect.database and each.by != effect.by
        if not is_other or each.host not in copies or each.at > effect.at:
            continue
        if last is None or each.at < last or effect.at - last > STALE_LOOK:
            yield each.host
