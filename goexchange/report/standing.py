"""How it stands with a store, as text and as plain JSON: the verbs `status` and `watch`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from goexchange.codec import time_text
from goexchange.journal.replay import RunState
from goexchange.model.plan import Plan
from goexchange.model.run import LaneState
from goexchange.model.standing import (
    DatabaseInTrouble,
    LeaseSeen,
    Life,
    QuestionSeen,
    RequestSeen,
    Trouble,
)
from goexchange.report.ink import Ink, Role
from goexchange.report.progress import LiveRow, live_head, live_rows
from goexchange.report.shown import shown, wrap
from goexchange.report.table import Column, Frame, Row, table
from goexchange.report.units import clock_text, duration_text, moment_text, seconds_between

_LIFE_WORDS = {
    Life.ALIVE: "running",
    Life.MAY_LIVE: "running",
    Life.GONE: "process gone",
    Life.ENDED: "ended",
}
_TROUBLE_WORDS = {
    Trouble.DOWN: "LEFT OFFLINE",
    Trouble.UNPROTECTED: "UNPROTECTED",
    Trouble.UNDECIDED: "UNDECIDED",
}


@frozen(kw_only=True)
class RunSeen:
    """One run: its plan, its journal folded, its process, and what was asked of it in vain so far.

    Shape: `down` are the databases that it has taken down now, and since when; `problem` says why
    plan or journal cannot be read; `plan` is None then.
    """

    id: str
    plan: Plan | None
    state: RunState
    life: Life
    is_paused: bool
    process: str
    down: tuple[tuple[str, datetime], ...] = ()
    waiting: tuple[RequestSeen, ...] = ()
    problem: str | None = None


@frozen(kw_only=True)
class Standing:
    """A store at one moment; `runs` are those that have not ended, or the one asked for."""

    store: str
    at_utc: datetime
    hold: str | None
    runs: tuple[RunSeen, ...]
    leases: tuple[LeaseSeen, ...]
    troubles: tuple[DatabaseInTrouble, ...]
    questions: tuple[QuestionSeen, ...]
    ended: int = field(default=0)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing runs and nobody has to do anything."""
        return not (self.runs or self.troubles or self.questions or self.hold)


def standing_text(seen: Standing, *, width: int, ink: Ink | None = None) -> str:
    """The whole of it as text, none of the lines wider than `width`; what needs a person first."""
    frame = Frame(width=width, ink=ink or Ink())
    lines = [f"Store   {shown(seen.store)}   {moment_text(seen.at_utc)}"]
    if seen.hold is not None:
        text = f"HOLD    {shown(seen.hold)}: nothing new starts (goexchange hold off)"
        lines += wrap(text, width)
    for trouble in seen.troubles:
        lines += _trouble_lines(trouble, seen.at_utc, frame)
    for question in seen.questions:
        lines += _question_lines(question, frame)
    for run in seen.runs:
        lines += ["", *_run_lines(run, seen.at_utc, frame)]
    if not seen.runs:
        lines += ["", "Nothing runs." + (f" {seen.ended} runs have ended." if seen.ended else "")]
    if seen.leases:
        lines += ["", *lease_lines(seen.leases, width=width, ink=ink)]
    return "\n".join(line.rstrip() for line in lines)


def standing_plain(seen: Standing) -> dict[str, Any]:
    """The whole of it as plain JSON."""
    return {
        "store": seen.store,
        "at_utc": time_text(seen.at_utc),
        "hold": seen.hold,
        "runs": [_run_plain(run, seen.at_utc) for run in seen.runs],
        "leases": [_lease_plain(lease) for lease in seen.leases],
        "databases": [_trouble_plain(one) for one in seen.troubles],
        "questions": [
            {"run": one.run, "step": one.step, "evidence": one.evidence} for one in seen.questions
        ],
        "runs_ended": seen.ended,
    }


def _run_lines(run: RunSeen, now: datetime, frame: Frame) -> list[str]:
    word = "paused" if run.is_paused and run.life is not Life.ENDED else _LIFE_WORDS[run.life]
    role = {Life.GONE: Role.BAD, Life.ENDED: Role.FAINT}.get(run.life, Role.GOOD)
    title = f"Run     {run.id}   {frame.ink(word.upper(), role)}"
    lines = [title + (f"   {shown(run.process)}" if run.process else "")]
    if run.problem is not None or run.plan is None:
        return [*lines, *_indented(f"cannot be read: {run.problem}", frame.width)]
    is_over = run.life is Life.ENDED and run.state.last is not None
    then = run.state.last.at_utc if is_over and run.state.last else now
    head = live_head(run.plan, run.state, then)
    times = f"plan {run.plan.id} · elapsed {head.elapsed}"
    if run.life is Life.ENDED:
        ended = run.state.ended or {}
        times += f" · {ended.get('verdict', 'ended')}, exit code {ended.get('exit_code', '?')}"
    else:
        times += f" · to go: {head.time_left} · window {head.window_left}"
    lines += _indented(times, frame.width)
    for asked in run.waiting:
        text = f"{asked.request} asked by {asked.by} at {clock_text(asked.at_utc)}Z, not taken up"
        lines += _indented(text, frame.width)
    if run.life is Life.GONE:
        lines += _indented(f"its process is gone: goexchange resume {run.id}", frame.width)
    elif run.is_paused and run.life is not Life.ENDED:
        lines += _indented(f"no new step until: goexchange proceed {run.id}", frame.width)
    for database, since in run.down:
        age = duration_text(seconds_between(since, now) or 0)
        lines += _indented(
            f"{database} is dismounted since {clock_text(since)}Z ({age})", frame.width
        )
    return lines + _lane_lines(run.plan, run.state, now, frame)


def _lane_lines(plan: Plan, state: RunState, now: datetime, frame: Frame) -> list[str]:
    rows = live_rows(plan, state, now)
    cells = [
        Row(
            cells=(
                row.title,
                row.phase,
                "" if row.done_share is None else f"{row.done_share:.0%}",
                row.amount,
                row.rate,
                row.elapsed,
                row.limit,
            ),
            roles=(Role.PLAIN, _role_of(row)),
        )
        for row in rows
    ]
    columns = (
        Column(),
        Column(),
        Column(is_right=True),
        Column(),
        Column(),
        Column(is_right=True),
        Column(is_flexible=True),
    )
    waiting = sum(state.lane(lane.id).state is LaneState.WAITING for lane in plan.body.lanes)
    lines = table(columns, cells, Frame(width=frame.width, indent=8, ink=frame.ink))
    return lines + ([f"        {waiting} more to begin"] if waiting else [])


def _role_of(row: LiveRow) -> Role:
    if row.state in (LaneState.LEFT_OFFLINE, LaneState.FAILED, LaneState.UNPROTECTED):
        return Role.BAD
    return Role.PLAIN


def _trouble_lines(one: DatabaseInTrouble, now: datetime, frame: Frame) -> Iterator[str]:
    since = seconds_between(one.since_utc, now)
    age = f" for {duration_text(since)}" if since is not None else ""
    word = frame.ink(_TROUBLE_WORDS[one.trouble], Role.BAD)
    yield ""
    yield f"{word}  {shown(one.server)}/{shown(one.database)}{age} (run {one.run})"
    yield from _indented(shown(one.why), frame.width)
    for command in one.commands:
        yield f"        {shown(command)}"  # never broken: it is copied


def _question_lines(one: QuestionSeen, frame: Frame) -> list[str]:
    text = f"{shown(one.step)}: {shown(one.evidence)}"
    return [
        "",
        f"QUESTION  run {one.run}",
        *_indented(text, frame.width),
        f"        goexchange resume {one.run} --assume done|not-done {shown(one.step)}",
    ]


def lease_lines(leases: tuple[LeaseSeen, ...], *, width: int, ink: Ink | None = None) -> list[str]:
    """The leases as a table."""
    rows = [
        Row(
            cells=(
                shown(lease.name),
                str(lease.number),
                shown(lease.holder),
                clock_text(lease.until_utc) + "Z" if lease.until_utc else "?",
                clock_text(lease.free_at_utc) + "Z" if lease.free_at_utc else "?",
                "held" if lease.is_held else "expired",
            )
        )
        for lease in leases
    ]
    columns = (
        Column(heading="lease"),
        Column(heading="no", is_right=True),
        Column(heading="holder (host:process:run)"),
        Column(heading="until"),
        Column(heading="free from"),
        Column(is_flexible=True),
    )
    return table(columns, rows, Frame(width=width, indent=0, ink=ink or Ink()))


def _indented(text: str, width: int) -> list[str]:
    return [f"        {line}" for line in wrap(text, max(20, width - 8))]


def _run_plain(run: RunSeen, now: datetime) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "run": run.id,
        "life": run.life.value,
        "is_paused": run.is_paused,
        "process": run.process,
        "problem": run.problem,
        "down": [{"database": name, "since_utc": time_text(at)} for name, at in run.down],
        "requests_waiting": [
            {"request": each.request, "by": each.by, "at_utc": time_text(each.at_utc)}
            for each in run.waiting
        ],
        "ended": run.state.ended,
    }
    if run.plan is None:
        return plain
    head = live_head(run.plan, run.state, now)
    window = run.plan.body.window
    return {
        **plain,
        "plan": run.plan.id,
        "started_at_utc": _time(run.state.started_at_utc),
        "window_closes_at_utc": _time(window.closes_at_utc if window else None),
        "to_go": head.time_left,
        "lanes": [_lane_plain(row, run.state) for row in live_rows(run.plan, run.state, now)],
    }


def _lane_plain(row: LiveRow, state: RunState) -> Mapping[str, Any]:
    return {
        "lane": row.lane,
        "state": row.state.value,
        "phase": row.phase,
        "done_share": row.done_share,
        "amount": row.amount,
        "rate": row.rate,
        "why": state.lane(row.lane).why,
    }


def _lease_plain(lease: LeaseSeen) -> dict[str, Any]:
    return {
        "name": lease.name,
        "number": lease.number,
        "holder": lease.holder,
        "run": lease.run,
        "since_utc": _time(lease.since_utc),
        "until_utc": _time(lease.until_utc),
        "free_at_utc": _time(lease.free_at_utc),
        "is_held": lease.is_held,
    }


def _trouble_plain(one: DatabaseInTrouble) -> dict[str, Any]:
    return {
        "trouble": one.trouble.value,
        "server": one.server,
        "database": one.database,
        "run": one.run,
        "since_utc": _time(one.since_utc),
        "why": one.why,
        "commands": list(one.commands),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
