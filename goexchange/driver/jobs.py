"""Host jobs: started once by their id, polled to their end, attached to again after any loss.

A job outlives connection and controller. Whether it runs, has ended or never started is always read
from the host.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from goexchange.codec import parse_time
from goexchange.driver.calls import cancel_call, completed, job_id, poll_call, root_of, start_call
from goexchange.driver.conversation import LOSSES_MAX, Conversation, Talk
from goexchange.driver.deciding import moved
from goexchange.driver.events import Answered, Refused
from goexchange.driver.judge import judge_job
from goexchange.driver.judgement import JobEnd, Judgement, Subject, cancelled, done, failed
from goexchange.driver.of_server import BOOT, RESTARTED, restarts
from goexchange.driver.turning import turn_back_reason
from goexchange.journal.chain import Draft
from goexchange.model.plan import Action, JobCall, Lane, ScriptCall, Step
from goexchange.model.run import OutcomeKind, RecordKind
from goexchange.powershell.eseutil import decode_output
from goexchange.powershell.redaction import redacted

CALL_LIMIT_S = 60
PROGRESS_EVERY = timedelta(seconds=30)
STALLED_AFTER = timedelta(minutes=15)
# These only read, or write to files of their own: ended, they leave nothing half done. A backup's
# engine would go on without its command, and what an operator's program has begun nobody knows.
_ENDED_WHEN_STALLED = frozenset({"eseutil", "copy-files", "hash-files", "export-configuration"})
_NEVER_ENDED = frozenset({"wbadmin", "agent", "diskshadow", "ntbackup"})
# It repairs while it looks: whoever turns back waits for its end, or its time limit.
_RUNS_TO_ITS_END = frozenset({"mtacheck"})
_STANDS_STILL = frozenset({"await-verdict"})  # it waits for somebody else, to its own limit
START_AGAIN_AFTER = timedelta(seconds=60)  # a child writes its marker within seconds


class Job:
    """One attempt of a job step, as this process has seen it."""

    def __init__(self, talk: Conversation, lane: Lane, step: Step, call: JobCall) -> None:
        root = root_of(talk.plan, step.server)
        if root is None:
            raise ValueError(
                f"{step.id}: no call of the plan names the tool's folder on {step.server}"
            )
        self.talk, self.lane, self.step, self.call = talk, lane, step, call
        self.root = root
        record = talk.state.step(step.id)
        self.id = job_id(talk.identity.run, step, record.attempts)
        self.sent = record.last_sent_at_utc or talk.now
        self.deadline = self.sent + timedelta(seconds=step.time_limit_s)
        self.output = bytearray()
        self.was_seen = False
        self.is_running = False
        self.starts = 0
        self.asked_at: datetime = talk.now  # when its start was asked for last, or it was found
        self.reported_at: datetime | None = None
        self.signs: tuple[Any, ...] = ()
        self.signs_at = talk.now

    def start(self) -> Talk[Judgement | None]:
        """Ask the host to start it (a second time does nothing); None when it may run."""
        self.starts += 1
        self.asked_at = self.talk.now
        call = start_call(
            self.call, root=self.root, fence=self.talk.numbers[self.step.server], job=self.id
        )
        reply = yield from self.talk.send(self.step.server, call, CALL_LIMIT_S, self.step.id)
        if isinstance(reply, Refused):
            return failed(f"the job was refused: {reply.code}: {reply.message}", {})
        return None

    def follow(self) -> Talk[Judgement]:
        """Poll to the end, the time limit, or the lane's turning back."""
        while True:
            self.is_running = False
            call = poll_call(self.call, root=self.root, job=self.id, offset=len(self.output))
            reply = yield from self.talk.send(self.step.server, call, CALL_LIMIT_S, self.step.id)
            if isinstance(reply, Answered):
                ended = yield from self._take(reply.result)
                if ended is not None:
                    yield from self._forget_account()
                    return ended
            why = turn_back_reason(self.talk, self.lane, self.step)
            if why is not None and not self._runs_to_its_end():
                yield from self.cancel()
                return cancelled(why)
            if self.talk.now >= self.deadline:
                return (yield from self._give_up())
            look = self.talk.next_look(self.sent)
            yield from self.talk.wait(min(look, self.deadline) if self.step.ends_at_limit else look)

    def cancel(self) -> Talk[None]:
        """End it, as well as the host can be reached; the way back ends it again."""
        call = cancel_call(root=self.root, fence=self.talk.numbers[self.step.server], job=self.id)
        yield from self.talk.send_patiently(self.step.server, call, CALL_LIMIT_S, self.step.id)

    def _forget_account(self) -> Talk[None]:
        """The task of a named account stores its password: it goes as soon as the job is over."""
        if self.call.account is not None:
            yield from self.cancel()

    def _runs_to_its_end(self) -> bool:
        """Whether only its own time limit ends it: what it leaves half done is worse than a wait.
        """
        is_down = self.step.action is Action.TAKE_SERVER_DOWN
        return is_down or self.call.kind in _RUNS_TO_ITS_END

    def _judged(self, answer: Mapping[str, Any]) -> Judgement:
        """What the job came to; a command that takes its server down also tells in which start of
        Windows it began.
        """
        subject = Subject(
            plan=self.talk.plan, lane=self.lane, step=self.step, state=self.talk.state
        )
        judgement = judge_job(subject, self._end(answer))
        if self.step.action is not Action.TAKE_SERVER_DOWN:
            return judgement
        return evolve(judgement, result={**judgement.result, BOOT: answer["started_boot_id"]})

    def _cut_off(self, answer: Mapping[str, Any]) -> Judgement:
        """Its process is gone without a word: a restart is the end of what is declared to restart
        the server, and of nothing else.
        """
        before = answer["started_boot_id"]
        was_restarted = before is not None and before != answer["boot_id"]
        if self.step.action is not Action.TAKE_SERVER_DOWN or not was_restarted:
            return failed(_lost(answer), {"is_lost": True})
        result = {"exit_code": None, RESTARTED: True, BOOT: before}
        if restarts(self.step):
            return done(result)
        why = "the server was restarted while it ran, and `restarts: true` is not declared for it"
        return failed(f"{why}: whether it came to its end is not known", result)

    def _is_waited_out(self) -> bool:
        """Whether a wait that only its time limit ends goes on."""
        return self.step.ends_at_limit and self.talk.now < self.deadline

    def _give_up(self) -> Talk[Judgement]:
        """The time limit is over: end it where that leaves nothing half done, and nowhere when it
        is what the wait was for.
        """
        if self.step.ends_at_limit:
            text = decode_output(bytes(self.output))
            if self.is_running:
                return done({"exit_code": None, "is_left_running": True}, output=text)
            return failed("whether it was started is not known: the host did not say", {})
        why = f"it did not end within its time limit of {self.step.time_limit_s} s"
        if self.call.kind in _NEVER_ENDED:
            return failed(f"{why}; a backup is not ended from outside, it was left running", {})
        yield from self.cancel()
        return failed(why, {})

    def _take(self, answer: Mapping[str, Any]) -> Talk[Judgement | None]:
        """Take in one poll; a judgement when the job is over."""
        if len(self.output) + _decoded_length(answer) == answer["offset"]:
            self.output += base64.b64decode(answer["output"])
        state = answer["state"]
        if state == "absent":
            if self.was_seen or self.starts >= LOSSES_MAX:
                return failed("the host does not know the job any more", {})
            return (yield from self._start_again())
        self.was_seen = True
        self.is_running = state == "running"
        if state == "ended":
            if self._is_waited_out():
                return None
            return self._judged(answer)
        if state == "lost":
            against = yield from moved(self.talk, self.lane, self.step)
            found = self._cut_off(answer)
            return failed(f"{_lost(answer)}; {against}", found.result) if against else found
        if state == "requested" and self.talk.now >= self.asked_at + START_AGAIN_AFTER:
            return (yield from self._start_again())  # the host went down before the child began
        yield from self._report(answer)
        return None if state == "requested" else (yield from self._stalled(answer))

    def _start_again(self) -> Talk[Judgement | None]:
        """Of a clustered server that has moved nothing is started where it is now."""
        against = yield from moved(self.talk, self.lane, self.step)
        return failed(against, {}) if against else (yield from self.start())

    def _stalled(self, answer: Mapping[str, Any]) -> Talk[Judgement | None]:
        """A tool that waits for a key prints nothing, writes nothing and uses no processor time.

        Unknown: processor time that is not known is no sign of standing still.
        """
        if self.call.kind in _STANDS_STILL:
            return None
        sizes = tuple(one["size_bytes"] for one in answer["watched"])
        signs = (len(self.output), sizes, answer["cpu_s"])
        if answer["cpu_s"] is None or signs != self.signs:
            self.signs, self.signs_at = signs, self.talk.now
        if self.talk.now < self.signs_at + STALLED_AFTER:
            return None
        minutes = int(STALLED_AFTER.total_seconds() // 60)
        why = f"no output, no growth and no processor time for {minutes} minutes"
        self.signs_at = self.talk.now
        yield from self._say(f"{why}: it may wait for a key", answer)
        if self.call.kind not in _ENDED_WHEN_STALLED:
            return None
        yield from self.cancel()
        return failed(f"{why}: it was ended", {})

    def _end(self, answer: Mapping[str, Any]) -> JobEnd:
        started, ended = answer["started_at"], answer["ended_at"]
        seconds = (
            (parse_time(ended) - parse_time(started)).total_seconds() if started and ended else None
        )
        return JobEnd(
            kind=self.call.kind,
            exit_code=answer["exit_code"],
            output=bytes(self.output),
            result=answer["result"] or {},
            seconds=seconds,
            started_at_utc=started,
            watched={one["path"]: one["size_bytes"] for one in answer["watched"]},
        )

    def _report(self, answer: Mapping[str, Any]) -> Talk[None]:
        """Journal the progress, now and then."""
        now = self.talk.now
        if self.reported_at is not None and now < self.reported_at + PROGRESS_EVERY:
            return
        self.reported_at = now
        yield from self._say(_last_line(bytes(self.output)), answer)

    def _say(self, text: str, answer: Mapping[str, Any]) -> Talk[None]:
        sizes = [one["size_bytes"] for one in answer["watched"] if one["size_bytes"] is not None]
        done_bytes = sum(sizes) if sizes else None
        started = parse_time(answer["started_at"]) if answer["started_at"] else None
        seconds = (parse_time(answer["clock"]) - started).total_seconds() if started else 0.0
        yield from self.talk.append(
            Draft(
                RecordKind.PROGRESS,
                {
                    "step": self.step.id,
                    "text": text,
                    "done_bytes": done_bytes,
                    "total_bytes": self.call.expected_bytes,
                    "rate_bytes_s": done_bytes / seconds if done_bytes and seconds > 0 else None,
                },
            )
        )


def cancel_jobs(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement]:
    """End every job of the lane that was sent and did not end well (each may still run), and one of
    another run where the step names it.
    """
    ended: list[str] = []
    if isinstance(step.call, ScriptCall) and "job" in step.call.arguments:
        call = completed(step.call, fence=talk.numbers[step.server], run=talk.identity.run)
        reply = yield from talk.send_patiently(step.server, call, CALL_LIMIT_S, step.id)
        if not isinstance(reply, Answered):
            return failed(f"the job could not be ended: {reply.message}", {"jobs": []})
        ended.append(str(step.call.arguments["job"]))
    for other in lane.steps:
        record = talk.state.step(other.id)
        if (
            not isinstance(other.call, JobCall)
            or not record.attempts
            or (record.result and "exit_code" in record.result)
        ):
            continue
        job = job_id(talk.identity.run, other, record.attempts)
        root = root_of(talk.plan, other.server) or ""
        call = cancel_call(root=root, fence=talk.numbers[other.server], job=job)
        reply = yield from talk.send_patiently(other.server, call, CALL_LIMIT_S, step.id)
        if not isinstance(reply, Answered):
            return failed(f"job {job} could not be ended: {reply.message}", {"jobs": ended})
        ended.append(job)
    return Judgement(outcome=OutcomeKind.DONE, result={"jobs": ended})


def _lost(answer: Mapping[str, Any]) -> str:
    """Why a job has neither process nor exit record: the boot it was started in tells."""
    started, now = answer["started_boot_id"], answer["boot_id"]
    gone = "the job's process is gone and left no exit record"
    if started is not None and started != now:
        return f"{gone}: the host restarted while it ran"
    return f"{gone}: it was ended from outside"


def _decoded_length(answer: Mapping[str, Any]) -> int:
    return len(base64.b64decode(answer["output"]))


def _last_line(output: bytes) -> str:
    lines = [
        line.strip()
        for line in output[-400:].decode("cp437", errors="replace").splitlines()
        if line.strip()
    ]
    return redacted(lines[-1][:200]) if lines else ""
