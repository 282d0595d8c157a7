"""Bugs that seeded nights found, each kept as the smallest night that shows it."""

from __future__ import annotations

from goexchange.errors import ExitCode
from goexchange.simulation.faults import Fault, FaultKind, Place
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.simulation.stories import Story, tell, troubled
from tests.simulation.night.documents import AT, inventory, specification


def night(*faults: Fault) -> Night:
    calm = make_night(one_database(), [specification()], inventory(), at=AT)
    return troubled(calm.plan, calm.performer.world, calm.performer, faults)


def told(*faults: Fault) -> Story:
    story = tell(night(*faults), is_told=True)
    assert len([one for one in story.fired if one.step]) == len(faults), story.fired
    assert story.is_good, story.text + "\n" + "\n".join(story.timeline)
    return story


def test_a_job_that_the_host_forgot_to_begin_is_started_again() -> None:
    """The host goes down between the request and the child's start: nobody else begins it."""
    step = "EX01/DB05/16-verify-set-on-host"
    story = told(Fault(kind=FaultKind.HOST_REBOOT, step=step, place=Place.SEND, nth=2))
    assert story.ends == (ExitCode.OK,)
    assert story.seconds < 6 * 3600
