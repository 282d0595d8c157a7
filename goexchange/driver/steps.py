"""One attempt of one step: guards, intent, call, and what it came to.

The order never changes: what is due is decided, the intent is flushed, the call is sent, the
outcome is flushed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from goexchange.codec import to_plain
from goexchange.driver.binding import Unbound
from goexchange.driver.calls import bound, completed, plain_call
from goexchange.driver.controller import run_controller_call
from goexchange.driver.conversation import LOSSES_MAX, Conversation, Talk, outcome_draft
from goexchange.driver.deciding import and_owner, decided, moved
from goexchange.driver.doubt import (
    Meaning,
    Undecided,
    call_limit_s,
    decide,
    question_drafts,
    seen_seeded,
    settled_after_loss,
)
from goexchange.driver.events import Answered, Refused
from goexchange.driver.fencing import claim_late
from goexchange.driver.hands import InPlace, after_refused_swap, by_hand, put_back_already
from goexchange.driver.jobs import Job, cancel_jobs
from goexchange.driver.judge import judge_answer
from goexchange.driver.judgement import Judgement, Subject, done, failed
from goexchange.driver.keeping import keep, keep_before
from goexchange.driver.lanes import facts_of
from goexchange.driver.pausing import is_held, wait_while_held
from goexchange.driver.polling import poll_to_end
from goexchange.driver.repairs import is_busy
from goexchange.driver.streams import MOVES_LOGS, before_logs
from goexchange.driver.turning import turn_back_reason
from goexchange.journal.chain import Draft
from goexchange.model.plan import (
    Action,
    Call,
    ControllerCall,
    Direction,
    ExchangeCall,
    JobCall,
    Lane,
    OnDoubt,
    ScriptCall,
    Step,
)
from goexchange.model.run import OutcomeKind, RecordKind, StepRecord
from goexchange.powershell.redaction import redacted

BUSY_WAIT = timedelta(minutes=1)
_SEEN = (
    "Name", "Mounted", "MountAtStartup", "Status", "CopyQueueLength", "ReplayQueueLength",
)  # fmt: skip
AWAKE_WITHIN = timedelta(seconds=10)  # a wait that ends later was no wait: the clock jumped


def perform(talk: Conversation, lane: Lane, step: Step) -> Talk[None]:
    """Do one attempt of the step, or find out what became of the one in doubt; the outcome is
    journalled.

    Raises: Undecided when a step in doubt cannot be decided; LeaseGone.
    """
    yield from claim_late(talk, step.server)
    record = talk.state.step(step.id)
    if record.is_in_doubt:
        judgement = yield from _resume(talk, lane, step)
    else:
        if not (yield from _may_be_sent(talk, lane, step, record)):
            return
        judgement = yield from _first(talk, lane, step, record.attempts + 1)
    if judgement is not None:
        yield from talk.append(_outcome(talk, step, judgement))
        if step.is_point_of_no_return and judgement.is_done:
            yield from keep(talk, step.server, is_patient=False)  # what I17 rests on


def _may_be_sent(talk: Conversation, lane: Lane, step: Step, record: StepRecord) -> Talk[bool]:
    """Wait as the plan says, decide what is due; False when the step is not sent now."""
    why = turn_back_reason(talk, lane, step)
    if why is not None:
        yield from talk.append(_skipped(lane, step, why, cause=why.split(":")[0]))
        return False
    if (yield from wait_while_held(talk, step)):
        return False
    while True:
        moment = _not_before(talk, lane, step, record)
        if not (yield from talk.wait(moment)):
            return False  # an operator asked for something: the lane is looked at again
        if not step.delay_s or talk.now - moment < AWAKE_WITHIN:
            break
    drafts, against = yield from decided(talk, lane, step)
    if against:
        drafts.append(_skipped(lane, step, against, cause="guard"))
    yield from talk.append(*drafts)
    return not against and not is_held(talk, step)


def _not_before(talk: Conversation, lane: Lane, step: Step, record: StepRecord) -> datetime:
    """When the step may be sent: after its delay, and not at once after a failed attempt.

    The delay counts from now: counted from what was written down before, a jump of the clock in
    between would shorten it or make it long.
    """
    moment = talk.now + timedelta(seconds=step.delay_s)
    if record.outcome is OutcomeKind.FAILED and record.ended_at_utc is not None:
        moment = max(moment, record.ended_at_utc + talk.poll_interval)
    if step.action is Action.REMOVE_SENTINEL:
        moment = max([moment, *_sentinels_settle(talk, lane)])
    return moment


def _sentinels_settle(talk: Conversation, lane: Lane) -> Iterator[datetime]:
    """When a lost request to place the sentinel can no longer arrive: removed before, it would be
    there again, and speak.
    """
    for placed in lane.steps:
        record = talk.state.step(placed.id)
        was_lost = record.first_sent_at_utc != record.last_sent_at_utc or record.is_in_doubt
        if placed.action is Action.PLACE_SENTINEL and was_lost:
            yield settled_after_loss(talk, placed)


def _first(talk: Conversation, lane: Lane, step: Step, attempt: int) -> Talk[Judgement | None]:
    try:
        call = bound(step, talk.plan, talk.state)
    except Unbound as unbound:
        yield from talk.append(_skipped(lane, step, f"unbound: {unbound}", cause="unbound"))
        return None
    if isinstance(call, JobCall):
        yield from talk.append(_intent(lane, step, attempt, call))
        why = yield from keep_before(talk, step)
        if why is not None:
            return failed(why + (yield from and_owner(talk, lane, step)), {})
        job = Job(talk, lane, step, call)
        refused = yield from job.start()
        return refused or (yield from job.follow())
    if isinstance(call, ControllerCall):
        yield from talk.append(_intent(lane, step, attempt, call))
        return (yield from run_controller_call(talk, lane, step, call))
    if step.action is Action.CANCEL_JOBS:
        yield from talk.append(_intent(lane, step, attempt, call))
        return (yield from cancel_jobs(talk, lane, step))
    if step.action in MOVES_LOGS:
        yield from talk.append(_intent(lane, step, attempt, call))
        known = yield from before_logs(talk, lane, step)
        if known is not None:
            return known
    if talk.state.resumes or step.action is Action.WRITE_DATABASE_RECORD:
        known = yield from by_hand(talk, lane, step)
        if known is not None:
            yield from talk.append(_intent(lane, step, attempt, call))
            return known
        if is_held(talk, step):
            return None  # asked for while we looked
    if step.action is Action.SEED_COPY:  # what is being seeded, or is well, is left alone
        seen = yield from seen_seeded(talk, step)
        if seen is not None:
            yield from talk.append(_intent(lane, step, attempt, call), seen)
            return (yield from poll_to_end(talk, lane, step))
    if step.id in talk.state.again and attempt > 1 and step.on_doubt is OnDoubt.PROBE:
        yield from talk.append(_intent(lane, step, attempt, call))
        judgement = yield from _seen_already(talk, lane, step)
        if judgement is not None:
            return judgement
    return (yield from _remote(talk, lane, step, attempt))


def _seen_already(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """A step that a resume opened again is looked at first; None when it is to be sent."""
    meaning, seen = yield from decide(talk, step, settled_at=talk.now, cause="resume")
    result = {**_state_of(seen), "seen": _seen(seen)}
    if meaning is Meaning.DONE:
        return Judgement(outcome=OutcomeKind.ALREADY, result=result)
    return _no_second_try(talk, lane, step, result)


def _no_second_try(
    talk: Conversation, lane: Lane, step: Step, result: Mapping[str, Any]
) -> Judgement | None:
    """A rebuilt file that did not mount is not tried again after a resume opened its mount."""
    facts = facts_of(lane, talk.state)
    is_again = step.id in talk.state.again and step.action is Action.MOUNT
    if is_again and facts.is_swapped and not facts.is_new_file_mounted:
        return failed("it is not mounted, and the way back goes on", result)
    return None


def _resume(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """Find out what became of an attempt whose outcome is not in the journal."""
    attempt = talk.state.step(step.id).attempts
    call = bound(step, talk.plan, talk.state)
    if isinstance(call, JobCall):
        return (yield from Job(talk, lane, step, call).follow())
    if isinstance(call, ControllerCall):
        return (yield from run_controller_call(talk, lane, step, call))
    if step.action is Action.CANCEL_JOBS:
        return (yield from cancel_jobs(talk, lane, step))
    if step.action in MOVES_LOGS:
        known = yield from before_logs(talk, lane, step)
        if known is not None:
            return known
    if step.action is not Action.MOUNT:  # a mount is looked at before its file is
        known = yield from by_hand(talk, lane, step)
        if known is not None:
            return known
    if step.on_doubt is OnDoubt.PROBE:
        judgement = yield from _by_looking(talk, lane, step, cause="resume")
        if judgement is not None:
            return judgement
    else:
        against = yield from moved(talk, lane, step)
        if against:
            return failed(against, {})
    return (yield from _remote(talk, lane, step, attempt))


def _remote(talk: Conversation, lane: Lane, step: Step, attempt: int) -> Talk[Judgement]:
    """Send a cmdlet or a host script; a lost answer is decided by looking, or asked for again where
    that is harmless.
    """
    lost = ""
    begun = talk.now
    give_up = begun + timedelta(seconds=step.time_limit_s)
    losses = 0
    while losses < LOSSES_MAX or (step.direction is Direction.BACK and talk.now < give_up):
        call = bound(step, talk.plan, talk.state)
        assert isinstance(call, (ExchangeCall, ScriptCall))
        yield from talk.append(_intent(lane, step, attempt, call))
        why = yield from keep_before(talk, step)
        if why is not None:
            return failed(why + (yield from and_owner(talk, lane, step)), {})
        if isinstance(call, ScriptCall):
            call = completed(call, fence=talk.numbers[step.server], run=talk.identity.run)
        reply = yield from talk.send(step.server, call, call_limit_s(step), step.id)
        if isinstance(reply, Answered):
            return (yield from _answered(talk, lane, step, reply.result))
        if isinstance(reply, Refused):
            judgement = yield from _refused(talk, lane, step, reply)
            if judgement is not None:
                return judgement
            if talk.now >= give_up:
                return failed(f"refused to the end: {reply.message}", {"code": reply.code})
            yield from talk.wait(talk.next_look(begun, at_most=BUSY_WAIT))
            continue
        if step.on_doubt is OnDoubt.PROBE:
            judgement = yield from _by_looking(talk, lane, step, cause="lost")
            if judgement is not None:
                return judgement
        else:
            yield from talk.wait(talk.now + talk.poll_interval)
            against = yield from moved(talk, lane, step)
            if against:
                return failed(against, {})
        lost = reply.message
        losses += 1
    if step.action in (Action.CONFIRM_MOUNTED, Action.CONFIRM_MTA):  # not seen is not down
        yield from talk.append(*question_drafts(step, f"no answer, {losses} times: {lost}"))
        raise Undecided(step, lost)
    return failed(f"no answer, {losses} times: {lost}", {})


def _answered(
    talk: Conversation, lane: Lane, step: Step, result: Mapping[str, Any]
) -> Talk[Judgement]:
    """Judge an answer; where Exchange only says yes, look whether it is so."""
    judgement = judge_answer(_subject(talk, lane, step), result)
    if not judgement.is_done:
        return judgement
    if step.poll is not None:
        return (yield from poll_to_end(talk, lane, step, accepted=result))
    if (
        step.probe is None
        or step.on_doubt is not OnDoubt.PROBE
        or not isinstance(step.call, ExchangeCall)
    ):
        return judgement
    settled_at = talk.now + 2 * talk.poll_interval
    meaning, seen = yield from decide(talk, step, settled_at=settled_at, cause="postcondition")
    if meaning is Meaning.DONE:
        return done({"seen": _seen(seen)})
    return failed("Exchange said yes, but it is not so", {"seen": _seen(seen)})


def _refused(talk: Conversation, lane: Lane, step: Step, reply: Refused) -> Talk[Judgement | None]:
    """The host said no. Whether it already was as wanted is looked at, not assumed; None when the
    step may be sent again later.
    """
    why = f"{reply.code}: {reply.message}"
    if step.action is Action.SWAP_BACK:
        return (yield from put_back_already(talk, lane, step)) or failed(why, {"code": reply.code})
    if step.probe is None or step.on_doubt is not OnDoubt.PROBE:
        return failed(why, {"code": reply.code})
    if step.action is Action.SEED_COPY:
        looked = yield from seen_seeded(talk, step)
        if looked is None:
            return failed(why, {"code": reply.code})
        yield from talk.append(looked)
        return (yield from poll_to_end(talk, lane, step))
    if step.action is Action.SWAP:
        known = yield from after_refused_swap(talk, lane, step, why)
        if known is not None:
            return known
    meaning, seen = yield from decide(talk, step, settled_at=talk.now, cause="postcondition")
    result = {**_state_of(seen), "code": reply.code, "seen": _seen(seen)}
    if step.action is Action.REPAIR_REQUEST:
        turned = turn_back_reason(talk, lane, step)
        is_waiting = is_busy(seen, reply.message) and turned is None
        return None if is_waiting else failed(turned or why, result)
    if meaning is Meaning.DONE:
        known = yield from _other_file(talk, lane, step)
        if known is not None:
            return known
        return Judgement(outcome=OutcomeKind.ALREADY, result=result)
    return failed(why, result)


def _by_looking(
    talk: Conversation, lane: Lane, step: Step, *, cause: str
) -> Talk[Judgement | None]:
    """Decide a lost attempt; None when it has not happened and is to be sent again."""
    settled_at = settled_after_loss(talk, step)
    meaning, seen = yield from decide(talk, step, settled_at=settled_at, cause=cause)
    known = yield from _other_file(talk, lane, step)
    if known is not None:
        return known
    if meaning is Meaning.DONE:
        if step.poll is not None:
            return (yield from poll_to_end(talk, lane, step))
        return done({**_state_of(seen), "seen": _seen(seen)})
    result = {**_state_of(seen), "seen": _seen(seen)}
    why = turn_back_reason(talk, lane, step)
    if why:
        return failed(why, result)
    given_up = _no_second_try(talk, lane, step, result)
    if given_up is not None:
        return given_up
    drafts, against = yield from decided(talk, lane, step)  # what was so may be over
    yield from talk.append(*drafts)
    return failed(against, result) if against else None


def _other_file(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """Of a mount in doubt: what it comes to when another file than the rebuilt one is in place.

    Raises: Undecided when the database is mounted and nobody can tell with which file.
    """
    if step.action is not Action.MOUNT:
        return None
    known = yield from by_hand(talk, lane, step)
    if known is None or known.result["file_in_place"] != InPlace.UNKNOWN.value:
        return known
    if step.id in talk.answers:
        return None if talk.answers.pop(step.id) == Meaning.DONE.value else known
    why = str(known.result["why"])
    yield from talk.append(*question_drafts(step, why))
    raise Undecided(step, why)


def _subject(talk: Conversation, lane: Lane, step: Step) -> Subject:
    return Subject(plan=talk.plan, lane=lane, step=step, state=talk.state)


def _intent(lane: Lane, step: Step, attempt: int, call: Call) -> Draft:
    return Draft(
        RecordKind.INTENT,
        {"step": step.id, "lane": lane.id, "attempt": attempt, "call": plain_call(call)},
    )


def _outcome(talk: Conversation, step: Step, judgement: Judgement) -> Draft:
    record = talk.state.step(step.id)
    seconds = (
        (talk.now - record.last_sent_at_utc).total_seconds() if record.last_sent_at_utc else 0.0
    )
    return outcome_draft(
        step,
        record.attempts,
        outcome=judgement.outcome.value,
        result=dict(judgement.result),
        findings=[to_plain(one) for one in judgement.findings],
        output_tail=redacted(judgement.output[-talk.plan.body.rules.output_tail_bytes :]),
        seconds=seconds,
    )


def _skipped(lane: Lane, step: Step, why: str, *, cause: str) -> Draft:
    is_gate = cause in ("guard", "overrun", "abort", "released")
    turns_back = step.direction is not Direction.BACK and (is_gate or not step.may_fail)
    return Draft(
        RecordKind.SKIPPED,
        {
            "step": step.id,
            "lane": lane.id,
            "why": why,
            "cause": cause,
            "turns_back": turns_back,
        },
    )


def _state_of(seen: Any) -> dict[str, Any]:
    return {"state": seen["state"]} if isinstance(seen, dict) and "state" in seen else {}


def _seen(seen: Any) -> Any:
    """What a probe saw, short enough for the journal."""
    if isinstance(seen, dict) and "objects" in seen:
        return {
            "objects": [
                {name: one[name] for name in _SEEN if name in one}
                for one in seen["objects"]
            ]
        }
    return seen
