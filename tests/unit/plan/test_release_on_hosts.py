"""What a release plans on hosts beside the one whose record it works from."""

from __future__ import annotations

from attrs import evolve

from goexchange.driver.calls import job_id
from goexchange.driver.lanes import is_release
from goexchange.driver.left_jobs import (
    commands_of,
    jobs_elsewhere,
    jobs_to_end,
    loose_jobs,
    touched,
)
from goexchange.model.left import JobLeft, LeftOnHost
from goexchange.model.plan import Action, JobCall, Plan, ScriptCall, Step
from goexchange.model.unknown import Unknown
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import eseutil_job, host_script
from goexchange.plan.context import Pace
from goexchange.plan.release import Left, release_body
from goexchange.plan.release_hosts import JobsLeft
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import NOW, database, inventory, state
from tests.unit.plan.test_release import COPY, DATABASE, left

RUN = "20261128T213000-0001"


def plan() -> Plan:
    """The plan of a run that reads a file on EX02 for a database of EX01, and works on EX03 too."""
    body = release_body([left()], inventory(), state(), at=NOW, pace=Pace())
    mine = LaneBuilder("EX01/DB05", "EX01", database="DB05", database_guid=DATABASE.guid)
    own = eseutil_job("e.exe", ("/k", "D:\\a.edb"), folder="D:\\w", expected_bytes=None)
    mine.add(Action.REBUILD, own, summary="on its own server")
    mine.add(Action.DETECT_ERRORS, own, summary="on the copy's", server="EX02")
    script = host_script("cancel-job", {"root": "C:\\g"})
    mine.add(Action.CANCEL_JOBS, script, summary="end it", server="EX02")
    other = LaneBuilder("EX03/DB09", "EX03", database="DB09", database_guid="9")
    other.add(Action.REBUILD, own, summary="elsewhere")
    return seal(evolve(body, lanes=(mine.lane(), other.lane())), NOW, "nobody")


def host(*jobs: tuple[str, str, str], is_known: bool = True) -> LeftOnHost:
    return LeftOnHost(
        server="EX02", clock_utc=NOW, boot_id="b", fence=1, fence_holder=None,
        recoveries=(), runs=(), sentinels=(), looked_at=(), listed=(),
        jobs=tuple(
            JobLeft(job=job, kind=kind, state=state, begun_at_utc=NOW, size_bytes=0)
            for job, kind, state in jobs
        ) if is_known else Unknown("not now"),
    )  # fmt: skip


def look() -> Step:
    return plan().body.lanes[0].steps[1]


def test_the_hosts_of_a_run_are_those_of_all_its_steps_or_of_one_database() -> None:
    assert touched(plan(), None) == ("EX01", "EX02", "EX03")
    assert touched(plan(), [DATABASE.guid.upper()]) == ("EX01", "EX02")
    assert touched(plan(), ["of nobody"]) == ()


def test_jobs_on_other_hosts_are_found_by_their_step_whatever_their_attempt() -> None:
    second, first = job_id(RUN, look(), 2), job_id(RUN, look(), 1)
    seen = host((first, "eseutil", "ended"), (second, "eseutil", "running"),
                (f"{RUN}-01-aaaaaa-1", "eseutil", "running"))  # fmt: skip

    def found(**hosts: LeftOnHost) -> tuple[tuple[str, str], ...]:
        return jobs_elsewhere(plan(), DATABASE.guid, run=RUN, seen=hosts)

    assert found(EX02=seen) == (("EX02", second),)
    assert found(EX02=host()) == (("EX02", first),), "nothing was begun: the host is claimed"
    assert found(EX02=host(is_known=False)) == (("EX02", first),)
    assert found() == () and jobs_elsewhere(plan(), "x", run=RUN, seen={"EX02": seen}) == ()


def test_a_job_of_an_account_is_ended_though_it_has_ended_for_its_task_stores_a_password() -> None:
    made = plan()
    first, *others = made.body.lanes
    steps = tuple(
        evolve(each, call=evolve(each.call, account="LAB\\gx"))
        if each.action is Action.REBUILD and isinstance(each.call, JobCall) else each
        for each in first.steps
    )  # fmt: skip
    stored = evolve(made, body=evolve(made.body, lanes=(evolve(first, steps=steps), *others)))
    mine, theirs = job_id(RUN, first.steps[0], 1), job_id(RUN, first.steps[1], 1)
    seen = host((mine, "eseutil", "ended"), (theirs, "eseutil", "ended"),
                (f"{RUN}-09-aaaaaa-1", "eseutil", "running"))  # fmt: skip
    assert jobs_to_end(seen, RUN, plan=stored) == (mine, f"{RUN}-09-aaaaaa-1")
    assert jobs_to_end(seen, RUN, plan=made) == (f"{RUN}-09-aaaaaa-1",)
    assert jobs_to_end(seen, RUN, plan=None) == (f"{RUN}-09-aaaaaa-1",)
    assert jobs_to_end(host(is_known=False), RUN, plan=stored) == ()


def test_loose_jobs_are_no_commands_no_other_runs_and_not_known() -> None:
    seen = host((f"{RUN}-01-a-1", "eseutil", "running"), (f"{RUN}-02-a-1", "command", "running"),
                (f"{RUN}-03-a-1", "copy-files", "running"), (f"{RUN}-04-a-1", "eseutil", "ended"),
                ("20261101T000000-0001-01-a-1", "eseutil", "running"))  # fmt: skip
    assert loose_jobs(seen, RUN, known=[f"{RUN}-03-a-1"]) == (f"{RUN}-01-a-1",)
    assert commands_of(seen, RUN) == (f"{RUN}-02-a-1",)
    assert not loose_jobs(host(is_known=False), RUN, known=()) and not commands_of(host(), RUN)


def steps(of: Left) -> list[Step]:
    body = release_body([of], inventory(), state(), at=NOW, pace=Pace())
    return list(body.lanes[0].steps)


def test_the_job_on_the_copys_host_is_ended_there_before_the_copy_goes_on() -> None:
    found = steps(left({"suspended_copy": COPY}, elsewhere=(("EX02", "r-1-09-look-1"),)))
    assert found[0].action is Action.CANCEL_JOBS and found[0].server == "EX02"
    assert isinstance(found[0].call, ScriptCall)
    assert found[0].call.arguments["job"] == "r-1-09-look-1" and found[0].may_fail


def test_a_copy_whose_host_is_silent_is_left_and_the_record_stays_open() -> None:
    of = left({"suspended_copy": COPY}, absent=("ex02",))
    actions = {each.action for each in steps(of)}
    assert not of.is_whole
    assert not actions & {Action.RESUME_COPY, Action.AWAIT_COPY, Action.CLOSE_RECOVERY_RECORD}
    assert left({"suspended_copy": COPY}, absent=("EX03",)).is_whole


def test_jobs_alone_are_a_lane_of_their_host_and_no_server_waits_for_another() -> None:
    ends = JobsLeft(server="EX02", jobs=("r-1-09-look-1", "r-1-10-look-1"))
    body = release_body([ends, left()], inventory(), state(), at=NOW, pace=Pace())
    jobs, _ = body.lanes
    assert (jobs.id, jobs.database, is_release(jobs)) == ("EX02:jobs", None, True)
    assert [each.server for each in jobs.steps] == ["EX02", "EX02"]
    assert body.order.servers_at_once == 2 and not body.order.one_at_a_time


def test_a_database_with_copies_comes_after_the_others_of_its_server() -> None:
    plain = left(database=database("DB06"))
    held = left({"held_copies": [{"identity": COPY, "is_lagged": False}]})
    body = release_body([held, plain], inventory(), state(), at=NOW, pace=Pace())
    assert [each.database for each in body.lanes] == ["DB06", "DB05"]
