"""The controller dies with the database down: the host speaks by itself, within a stated time."""

from __future__ import annotations

from datetime import timedelta

from attrs import evolve

from goexchange.driver import effects
from goexchange.errors import ExitCode
from goexchange.model.configuration import SentinelNotice
from goexchange.model.plan import Action, ScriptCall
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.truth import true_database
from goexchange.world.world import SENTINEL_EVENT_ID, SENTINEL_PROVIDER
from tests.simulation.night.documents import AT, inventory, specification
from tests.simulation.night.test_release import LEASE, prepare, release

TOLD = ("oncall@contoso.example", "https://alerts.contoso.example/goexchange")
NOTICE = SentinelNotice(
    mail_server="smtp.contoso.example",
    mail_from="goexchange@contoso.example",
    mail_to=TOLD[:1],
    webhook=TOLD[1],
)


def declared() -> Night:
    site = evolve(inventory(), sentinel=NOTICE)
    return make_night(one_database(), [specification()], site, at=AT)


def said(night: Night) -> list[str]:
    events = night.performer.world.hosts["EX01"].events.all()
    wanted = (SENTINEL_PROVIDER, SENTINEL_EVENT_ID)
    return [one.text for one in events if (one.provider, one.event_id) == wanted]


def told(night: Night) -> list[str]:
    return [one.detail for one in night.performer.world.effects if one.kind == "sentinel-told"]


def limit_of(night: Night) -> timedelta:
    """The stated time, as the plan has it."""
    (call,) = [
        step.call
        for lane in night.plan.body.lanes
        for step in lane.steps
        if step.action is Action.PLACE_SENTINEL
    ]
    assert isinstance(call, ScriptCall)
    return timedelta(seconds=call.arguments["silent_after_s"])


def test_controller_dead_with_the_database_down_the_sentinel_speaks() -> None:
    night = declared()
    while not [one for one in night.performer.world.effects if one.kind == "dismount"]:
        night.take(night.performer.perform(night.next()))
    night.kill()
    world = night.performer.world
    assert not true_database(world, world.database_named("DB05")).is_mounted
    night.performer.clock.move(seconds=limit_of(night).total_seconds() - 5)
    world.advance()
    assert not said(night)
    night.performer.clock.move(seconds=70)
    world.advance()
    (text,) = said(night)
    assert night.run in text and "DB05" in text and "RECOVERY.txt" in text
    assert told(night) == list(TOLD)
    night.performer.clock.move(seconds=LEASE.total_seconds())
    assert release(night, prepare(night)).exit_code == ExitCode.OK
    night.performer.clock.move(seconds=LEASE.total_seconds())
    world.advance()
    assert len(said(night)) == 1 and not world.hosts["EX01"].sentinels


def test_it_is_silent_while_the_controller_lives() -> None:
    night = declared()
    while not isinstance(effect := night.next(), effects.Finish):
        night.take(night.performer.perform(effect))
    assert effect.result.exit_code == ExitCode.OK
    assert not said(night) and not told(night)
