"""Bugs that seeded nights found, each kept as the smallest night that shows it."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.errors import ExitCode
from goexchange.model.plan import Action
from goexchange.model.run import RecordKind
from goexchange.simulation.faults import Fault, FaultKind, Place
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.simulation.stories import Story, tell, troubled
from tests.simulation.night.documents import AT, SPECIFICATION, inventory, specification


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


@pytest.mark.parametrize("kind", [FaultKind.FOREIGN_BACKUP, FaultKind.FOREIGN_MOVE])
@pytest.mark.parametrize("place", [Place.INTENT, Place.SEND])
def test_a_resume_looks_for_others_before_it_takes_the_database_down(
    kind: FaultKind, place: Place
) -> None:
    """The controller dies before the dismount; somebody else's work begins; a fresh one resumes,
    with the dismount not yet sent, or in doubt and not done.
    """
    story = told(
        Fault(
            kind=kind,
            step="EX01/DB05/06-set-mount-at-startup",
            place=Place.OUTCOME,
            is_after=True,
            number=60,
        ),
        Fault(kind=FaultKind.KILL, step="EX01/DB05/07-dismount", place=place),
    )
    assert story.ends == (ExitCode.STOPPED,)
    assert not any("  gxadmin     dismount" in line for line in story.timeline)


def test_a_mount_waits_for_no_custom_process() -> None:
    """Nothing but a mount, and an operator's program before maintenance: mail comes back first. The
    run once broke off, because no call of such a plan named the tool's folder.
    """
    before = "custom_processes:\n  before: [{name: av off, run: ['C:\\ops\\av.cmd', suspend]}]\n"
    text = SPECIFICATION + before
    site = one_database()
    down = evolve(site, databases=(evolve(site.databases[0], is_mounted=False),))
    made = make_night(down, [specification(text)], inventory(), at=AT)
    actions = [step.action for lane in made.plan.body.lanes for step in lane.steps]
    assert actions == [Action.MOUNT, Action.CONFIRM_MOUNTED]
    assert made.run_to_end().exit_code == ExitCode.OK


def test_a_late_request_does_not_bring_the_sentinel_back() -> None:
    """Lost, placed again, the lane turned back, the sentinel removed; then the lost one comes."""
    story = told(
        Fault(
            kind=FaultKind.LATE_REQUEST, step="EX01/DB05/02-place-sentinel", place=Place.SEND
        ),
        Fault(
            kind=FaultKind.REQUEST_ABORT, step="EX01/DB05/04-last-look", place=Place.OUTCOME
        ),
    )
    assert story.ends == (ExitCode.STOPPED,)
    assert not any("sentinel-spoke" in line for line in story.timeline)


def test_a_process_of_the_whole_run_meets_a_fault_on_its_server() -> None:
    """Its lane is not named after a server; a generated night once broke off there."""
    text = SPECIFICATION + (
        "custom_processes:\n  before: [{name: tell, run: ['C:\\ops\\tell.cmd'], per: run}]\n"
    )
    calm = make_night(one_database(), [specification(text)], inventory(), at=AT)
    step = calm.plan.body.lanes[0].steps[0]
    assert step.id.startswith("run:") and step.server == "EX01"
    fault = Fault(kind=FaultKind.DISK_FULL_SET, step=step.id, place=Place.SEND)
    story = tell(troubled(calm.plan, calm.performer.world, calm.performer, (fault,)))
    assert [one.step for one in story.fired] == [step.id]
    assert story.is_good, story.text


@pytest.mark.parametrize("number", range(8))
def test_a_jump_of_the_controllers_clock_hides_no_repair_request(number: int) -> None:
    """The request was known by its time alone; after a jump it was asked about for half a day."""
    text = SPECIFICATION.replace("primary_passes_max: 0", "primary_passes_max: 1")
    calm = make_night(one_database(), [specification(text)], inventory(), at=AT)
    step = next(
        step.id
        for lane in calm.plan.body.lanes
        for step in lane.steps
        if step.action is Action.REPAIR_REQUEST
    )
    jump = Fault(kind=FaultKind.CLOCK_JUMP, step=step, place=Place.INTENT, number=number)
    story = tell(troubled(calm.plan, calm.performer.world, calm.performer, (jump,)))
    assert story.is_good, story.text
    assert [one.step for one in story.fired] == [step]
    assert story.seconds < 6 * 3600


@pytest.mark.parametrize(
    ("number", "delay_s"),
    # a jump of 45 s in the middle of a minute cannot be told from time that passed
    [(number, delay) for number in range(8) for delay in (0, 10) if (number, delay) != (3, 10)],
)
def test_a_jump_of_the_clock_does_not_shorten_the_second_look(number: int, delay_s: int) -> None:
    """Mounted is seen twice, a minute apart: a minute that passed, not one that a clock skipped."""
    mount = "EX01/DB05/20-mount"
    jump = Fault(
        kind=FaultKind.CLOCK_JUMP,
        step=mount,
        place=Place.OUTCOME,
        is_after=True,
        number=number,
        delay_s=float(delay_s),
    )
    made = night(jump)
    story = tell(made)
    assert story.is_good, story.text
    assert [one.step for one in story.fired] == [mount]
    looks = [
        record.at_utc - made.performer.skew
        for record in made.performer.records
        if record.kind is RecordKind.INTENT
        and str(record.data["step"]).endswith("-confirm-mounted")
    ]
    (mounted,) = [one.at for one in made.performer.world.effects if one.kind == "mount"]
    assert (looks[0] - mounted).total_seconds() >= 60


@pytest.mark.parametrize("number", range(3, 8))  # back: the window is not open yet
def test_a_lost_repair_request_is_found_after_a_jump_of_the_clock(number: int) -> None:
    """Its answer was lost, so its time has to do: by the host's clock, which did not jump."""
    text = SPECIFICATION.replace("primary_passes_max: 0", "primary_passes_max: 1")
    calm = make_night(one_database(), [specification(text)], inventory(), at=AT)
    steps = [step for lane in calm.plan.body.lanes for step in lane.steps]
    asked = next(one.id for one in steps if one.action is Action.REPAIR_REQUEST)
    first = steps[0].id
    faults = (
        Fault(kind=FaultKind.CLOCK_JUMP, step=first, place=Place.OUTCOME, number=number),
        Fault(kind=FaultKind.LOST_ANSWER, step=asked, place=Place.SEND),
    )
    story = tell(troubled(calm.plan, calm.performer.world, calm.performer, faults))
    assert story.is_good, story.text
    assert {one.step for one in story.fired} == {first, asked}


def test_a_rebuilt_file_that_somebody_moved_away_leaves_no_database_down() -> None:
    """Seed 91: the swap is refused, its files fit no state of ours; the original is in place."""
    seal, swap = "EX01/DB05/18-seal-set", "EX01/DB05/19-swap"
    steps = {step.id for lane in night().plan.body.lanes for step in lane.steps}
    assert {seal, swap} <= steps
    move = Fault(kind=FaultKind.OPERATOR_MOVE, step=swap, place=Place.INTENT)
    made = night(move)
    story = tell(made)
    assert story.is_good, story.text
    assert [one.step for one in story.fired] == [swap]
    assert story.ends == (ExitCode.STOPPED,)
    kinds = [effect.kind for effect in made.performer.world.effects]
    assert kinds.count("swap") == 0 and kinds.count("mount") == 1
    assert not [one for one in made.performer.records if one.kind is RecordKind.QUESTION]


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("EX01/DB05/06-set-mount-at-startup", Place.OUTCOME),
        ("EX01/DB05/07-dismount", Place.INTENT),
    ],
)
@pytest.mark.parametrize("is_after", [False, True])
def test_a_restart_between_the_setting_and_the_dismount_leaves_nothing_down(
    step: str, place: Place, is_after: bool
) -> None:
    """Mount at startup is off by then: the host comes up without the database, and whoever gives up
    at the dismount has not taken it down and has to mount it all the same.
    """
    one = night(Fault(kind=FaultKind.HOST_REBOOT, step=step, place=place, is_after=is_after))
    story = tell(one)
    assert [each.kind for each in story.fired] == [FaultKind.HOST_REBOOT]
    assert story.is_good, story.text
    one.performer.clock.move(seconds=3600)
    one.performer.world.advance()
    assert one.performer.world.database_named("DB05").mounted_on is not None
