"""Work that is watched to its end: what an answer says, what silence says, and when it is late."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver import events as came
from goexchange.driver.events import Request, Requested
from goexchange.driver.judgement import Judgement
from goexchange.driver.polling import poll_to_end
from goexchange.driver.repairs import is_busy, with_ours
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, Poll, Step
from goexchange.model.run import OutcomeKind, RecordKind, StepRecord
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import controller, equals, host_script
from goexchange.plan.copy_back import well_poll
from goexchange.powershell import cmdlets
from goexchange.powershell.repair_events import CORRUPTION, ENDED_WELL, SHOWN, STARTED
from tests.driver.alone import Saying, announce, played, step_in, talk_of
from tests.driver.plans import DATABASE, GUID, NOW, SERVER, plan_of, rebuild_lane

LANE = rebuild_lane(with_passes=True)
REQUEST = step_in(LANE, Action.REPAIR_REQUEST)
RUNNING = came.Answered(result={"objects": [], "errors": []})


def poll(twin: Saying, step: Step, *, ask: Request | None = None) -> Judgement:
    lane = evolve(LANE, steps=(step,))
    talk = talk_of(plan_of(lane), twin)
    if ask is not None:
        talk.hear(Requested(request=ask, by="maria"))
    return played(talk, poll_to_end(talk, lane, step), twin)


def why(found: Judgement) -> str:
    assert found.outcome is OutcomeKind.FAILED
    return str(found.result["why"])


def copy_step(**changes: Any) -> Step:
    """Waiting for a passive copy, as a lane waits that has suspended it."""
    lane = LaneBuilder(f"{SERVER}/{DATABASE}", SERVER, database=DATABASE, database_guid=GUID)
    lane.add(
        Action.AWAIT_COPY,
        cmdlets.get_copy("DB05\\EX03"),
        summary="until it is well",
        poll=well_poll("DB05\\EX03", interval_s=10.0),
    )
    return evolve(lane.lane().steps[0], **changes)


def copy(status: str, queue: int = 0) -> came.Answered:
    row = {
        "$type": "Microsoft.Exchange.Management.SystemConfigurationTasks.DatabaseCopyStatusEntry",
        "DatabaseName": "DB05",
        "MailboxServer": "EX03",
        "Status": status,
        "ActiveCopy": False,
        "ActivationSuspended": False,
        "CopyQueueLength": queue,
        "ReplayQueueLength": 0,
    }
    return came.Answered(result={"objects": [row], "errors": []})


def test_a_copy_that_is_well_is_an_end_and_silence_is_none() -> None:
    lost = came.Lost(message="nobody answers")
    twin = Saying(replies=[lost, copy("Initializing"), RUNNING, copy("Healthy")])
    assert poll(twin, copy_step()).is_done
    assert len(twin.purposes) == 4


def test_a_copy_that_gave_up_has_failed_at_once() -> None:
    found = poll(Saying(replies=[copy("FailedAndSuspended")]), copy_step())
    assert "the copy did not come back: it is FailedAndSuspended" in why(found)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (copy("Healthy", queue=10_000), "its copy queue is 10000 logs long"),
        (RUNNING, "how the copy stands is unknown"),
        (came.Lost(message="nobody answers"), "how the copy stands is unknown"),
    ],
)
def test_a_copy_that_is_late_is_told_with_what_is_wrong(answer: came.Event, told: str) -> None:
    found = poll(Saying(replies=[answer]), copy_step(time_limit_s=120))
    assert "within 120 s" in why(found) and told in why(found)


def test_an_operator_who_wants_the_way_back_ends_the_watching() -> None:
    found = poll(Saying(replies=[RUNNING]), REQUEST, ask=Request.ABORT)
    assert "abort: an operator asked for the way back" in why(found)


def test_a_server_that_cannot_be_seen_proves_nothing_until_it_can() -> None:
    look = controller("observe", {"server": SERVER, "databases": [GUID]})
    lane = LaneBuilder(f"{SERVER}/{DATABASE}", SERVER, database=DATABASE, database_guid=GUID)
    until = Poll(call=look, until=equals("is_clear", True), failed=None, interval_s=10.0)
    lane.add(Action.AWAIT_BACKUPS, look, summary="until nobody is in the way", poll=until)
    twin = Saying(replies=[RUNNING], unseen=2)
    assert poll(twin, lane.lane().steps[0]).is_done
    assert twin.unseen == 0
    facts = [one for one in twin.journal if one.kind is RecordKind.FACTS]
    assert len(facts) == 1, "what was seen at the end is written down"
    late = Saying(replies=[RUNNING], unseen=99)
    found = poll(late, evolve(lane.lane().steps[0], time_limit_s=60))
    assert why(found) == "it did not come to an end within 60 s"


# -- a store that tells of repair requests in its event log alone

OF_EVENTS = evolve(
    REQUEST,
    poll=Poll(
        call=host_script("read-repairs", {"since": "2026-11-22T00:00:00Z"}),
        until=equals("ours.is_over", True),
        failed=equals("ours.has_failed", True),
        interval_s=5.0,
    ),
)
SENT = StepRecord(step=OF_EVENTS.id, attempts=1, last_sent_at_utc=NOW)


def events(*numbers: int, text: str = f"Database '{DATABASE}'") -> dict[str, Any]:
    return {"events": [{"id": one, "at": "2026-11-22T20:00:05Z", "text": text} for one in numbers]}


def test_an_event_that_names_nobody_ends_the_watching_without_a_verdict() -> None:
    answer = with_ours(
        OF_EVENTS, RunState(steps={SENT.step: SENT}), events(STARTED, text="Datenbank DB05")
    )
    assert answer["unclear"] == SHOWN and "ours" not in answer
    told = came.Answered(result=events(STARTED, text="Datenbank DB05"))
    talk_step = evolve(OF_EVENTS, time_limit_s=60)
    lane = evolve(LANE, steps=(talk_step,))
    twin = Saying(replies=[told])
    announce(twin, lane, talk_step)
    talk = talk_of(plan_of(lane), twin)
    found = played(talk, poll_to_end(talk, lane, talk_step), twin)
    assert "its end cannot be told" in why(found)


def test_events_before_anything_was_sent_are_nobodys() -> None:
    answer = events(STARTED, ENDED_WELL)
    assert "ours" not in with_ours(OF_EVENTS, RunState(), answer)
    nameless = evolve(OF_EVENTS, database=None)
    assert "ours" not in with_ours(nameless, RunState(steps={SENT.step: SENT}), answer)


def test_events_of_ours_tell_the_end_and_what_was_found() -> None:
    answer = with_ours(
        OF_EVENTS, RunState(steps={SENT.step: SENT}), events(STARTED, CORRUPTION, ENDED_WELL)
    )
    ours = answer["ours"]
    assert (ours["is_over"], ours["has_failed"], ours["errors"]) == (True, False, 1)


def test_a_request_of_ours_that_is_under_way_is_why_another_is_refused() -> None:
    state = RunState(steps={SENT.step: SENT})
    assert is_busy(with_ours(OF_EVENTS, state, events(STARTED)), "no")
    assert not is_busy(with_ours(OF_EVENTS, state, events(STARTED, ENDED_WELL)), "no")
    assert not is_busy(events(STARTED), "no") and not is_busy(None, "no")


@pytest.mark.parametrize("unknown", ["clock_utc", "observed_at_utc"])
def test_a_host_whose_clock_is_not_known_is_held_to_ours(unknown: str) -> None:
    host = {"clock_utc": "2026-11-22T19:00:00Z", "observed_at_utc": "2026-11-22T20:00:00Z"}
    early = {"Tasks": ["FolderView"], "JobState": "Succeeded", "Identity": "a\\b\\c",
             "CreationTime": "2026-11-22T19:00:01Z", "CorruptionsDetected": 0,
             "ErrorCode": 0}  # fmt: skip

    def count(facts: dict[str, Any]) -> int:
        state = RunState(steps={SENT.step: SENT}, facts={SERVER: {"host": facts}})
        found = with_ours(REQUEST, state, {"objects": [early]})
        return int(found["ours"]["count"])

    assert count(host) == 1, "the host's clock is an hour behind"
    assert count({**host, unknown: {"reason": "not asked"}}) == 0
