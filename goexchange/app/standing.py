"""The verbs `status` and `watch`: the store as it is now, from any machine that sees it. Nothing is
written, and no host is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from attrs import define, field, frozen

from goexchange import codec
from goexchange.app.leasing import leases_of
from goexchange.app.planning import read_plan
from goexchange.driver.ending import result_of
from goexchange.driver.lanes import facts_of, is_proved
from goexchange.driver.pausing import is_paused
from goexchange.errors import GoexchangeError
from goexchange.journal.replay import RunState, replay
from goexchange.model.configuration import Configuration
from goexchange.model.plan import Action, Lane, Plan
from goexchange.model.run import DatabaseResult, LaneState, Record, RecordKind
from goexchange.model.standing import (
    DatabaseInTrouble,
    LeaseSeen,
    Life,
    QuestionSeen,
    RequestSeen,
    Trouble,
)
from goexchange.report.standing import RunSeen, Standing
from goexchange.store.alive import life_of
from goexchange.store.clock import SystemClock
from goexchange.store.hold import read_hold
from goexchange.store.journal_file import read_journal
from goexchange.store.leases import Lease
from goexchange.store.requests import read_requests
from goexchange.store.runs import RunFolder, Runs

_TROUBLES = {
    LaneState.LEFT_OFFLINE: Trouble.DOWN,
    LaneState.UNPROTECTED: Trouble.UNPROTECTED,
    LaneState.UNDECIDED: Trouble.UNDECIDED,
}
_Key = tuple[str, str, bool]  # server, database, and whether it is about its protection


@frozen(kw_only=True)
class RunRead:
    """One run of the store as its files say it; `plan` is None when it cannot be read."""

    folder: RunFolder
    plan: Plan | None
    records: tuple[Record, ...]
    state: RunState
    problem: str | None


@define
class StoreView:
    """Reads a store again and again; what has not changed since the last look is not read twice."""

    settings: Configuration
    _read: dict[str, tuple[int, RunRead]] = field(factory=dict, init=False)

    def standing(self, only: str | None = None) -> Standing:
        """The store now; `only` names the one run that is shown, ended or not.

        Raises: InvalidDocument when there is no such run; LeasesUnreachable; Damaged (the hold).
        """
        now = SystemClock().now()
        store = Path(self.settings.store)
        runs = Runs(store)
        leases = leases_of(self.settings).read()
        chosen = runs.find(only).id if only is not None else None
        read = [self.read(folder) for folder in runs.list()]
        lives = {
            each.folder.id: life_of(each.folder, each.state, leases, now)
            for each in read
            if each.records or each.problem or each.folder.id == chosen
        }
        shown = [
            each
            for each in read
            if each.folder.id in lives
            and (
                each.folder.id == chosen
                if chosen is not None
                else lives[each.folder.id] is not Life.ENDED
            )
        ]
        hold = read_hold(store)
        return Standing(
            store=str(store),
            at_utc=now,
            hold=str(hold) if hold else None,
            runs=tuple(_seen(each, lives[each.folder.id], leases) for each in shown),
            leases=tuple(_lease(lease, now) for lease in leases if lease.holder is not None),
            troubles=troubles(read, lives),
            questions=tuple(
                question
                for each in read
                if lives.get(each.folder.id) in (Life.GONE, Life.ENDED)
                for question in _questions(each)
            ),
            ended=sum(life is Life.ENDED for life in lives.values()),
        )

    def records(self, run: str) -> tuple[Record, ...]:
        """The records of a run as they were at the last look."""
        return self._read[run][1].records

    def read(self, folder: RunFolder) -> RunRead:
        """A run, from its files or from the last look when its journal is as long as it was."""
        try:
            size = folder.journal_path.stat().st_size
        except OSError:
            size = -1
        known = self._read.get(folder.id)
        if known is None or known[0] != size:
            self._read[folder.id] = (size, _read(folder))
        return self._read[folder.id][1]


def troubles(runs: list[RunRead], lives: Mapping[str, Life]) -> tuple[DatabaseInTrouble, ...]:
    """The databases that wait for a person, by the last run that says anything of them."""
    found: dict[_Key, DatabaseInTrouble] = {}
    for run in runs:  # oldest first
        _lift_seen_mounted(found, run.state)
        is_at_it = lives.get(run.folder.id) in (Life.ALIVE, Life.MAY_LIVE, None)
        for lane, result in _results(run):
            if lane is not None:
                if run.state.lane(lane.id).state in (LaneState.WAITING, LaneState.SKIPPED):
                    continue
                _lift_by_lane(found, lane, run.state)
            if result.state in _TROUBLES and not is_at_it:
                trouble = _trouble(run, result)
                key = _key(result.server, result.database, trouble.trouble)
                found[key] = trouble
    return tuple(found.values())


def _results(run: RunRead) -> Iterator[tuple[Lane | None, DatabaseResult]]:
    """How the run's databases stand; where its plan cannot be read, as its last record says it."""
    if run.plan is None:
        ended = run.state.ended or {"databases": []}
        for plain in ended["databases"]:
            yield None, codec.from_plain(DatabaseResult, plain)
        return
    lanes = {lane.id: lane for lane in run.plan.body.lanes}
    for result in result_of(run.plan, run.state).databases:
        yield lanes[result.lane], result


def _trouble(run: RunRead, result: DatabaseResult) -> DatabaseInTrouble:
    last = run.state.last.at_utc if run.state.last else None
    return DatabaseInTrouble(
        trouble=_TROUBLES[result.state],
        server=result.server,
        database=result.database,
        run=run.folder.id,
        since_utc=run.state.lane(result.lane).ended_at_utc or last,
        why=result.why,
        commands=result.commands,
    )


def _key(server: str, database: str, trouble: Trouble) -> _Key:
    """A database can be out of service and unprotected at once: one does not hide the other."""
    return server, database.casefold(), trouble is Trouble.UNPROTECTED


def _lift_by_lane(found: dict[_Key, DatabaseInTrouble], lane: Lane, state: RunState) -> None:
    """A later run ends a trouble when it proves a backup, or brings the database into service."""
    name = lane.database or ""
    if is_proved(lane, state):
        found.pop(_key(lane.server, name, Trouble.UNPROTECTED), None)
    if facts_of(lane, state).is_in_service:
        found.pop(_key(lane.server, name, Trouble.DOWN), None)


def _lift_seen_mounted(found: dict[_Key, DatabaseInTrouble], state: RunState) -> None:
    """A later run that saw the database mounted ends *down*."""
    for server, actual in state.facts.items():
        databases = actual.get("databases") if isinstance(actual, dict) else None
        for one in databases if isinstance(databases, list) else ():
            key = _key(server, str(one.get("name")), Trouble.DOWN)
            before = found.get(key)
            is_down = before is not None and before.trouble is Trouble.DOWN
            if is_down and one.get("is_mounted") is True:
                del found[key]


def _read(folder: RunFolder) -> RunRead:
    reading = read_journal(folder.journal_path)
    problem = None
    if reading.damage is not None:
        problem = (
            f"the journal is damaged at line {reading.damage.line}: {reading.damage.reason}"
            f" (goexchange journal verify {folder.id})"
        )
    plan: Plan | None = None
    try:
        plan = read_plan(str(folder.plan_path))
    except GoexchangeError as error:
        problem = str(error)
    return RunRead(
        folder=folder,
        plan=plan,
        records=reading.records,
        state=replay(reading.records),
        problem=problem,
    )


def _seen(run: RunRead, life: Life, leases: tuple[Lease, ...]) -> RunSeen:
    taken = {record.data.get("id") for record in run.records if record.kind is RecordKind.REQUEST}
    waiting = tuple(
        RequestSeen(request=each.request, by=each.by, at_utc=each.at_utc)
        for each in read_requests(run.folder.path)
        if each.id not in taken and life is not Life.ENDED
    )
    return RunSeen(
        id=run.folder.id,
        plan=run.plan,
        state=run.state,
        life=life,
        is_paused=is_paused(run.state.requests),
        process=_process(run, leases),
        down=_down(run),
        waiting=waiting,
        problem=run.problem,
    )


def _down(run: RunRead) -> tuple[tuple[str, datetime], ...]:
    """The databases that the run has taken down and not brought back yet."""
    if run.plan is None:
        return ()
    return tuple(
        (f"{lane.server}/{lane.database}", ended)
        for lane in run.plan.body.lanes
        if lane.database is not None and facts_of(lane, run.state).is_away
        for step in lane.steps
        for ended in [run.state.step(step.id).ended_at_utc]
        if step.action is Action.DISMOUNT and ended is not None
    )


def _process(run: RunRead, leases: tuple[Lease, ...]) -> str:
    """Where it runs and who started it, as the leases and the journal say it."""
    holders = sorted({each.holder for each in leases if each.run == run.folder.id and each.holder})
    parts = holders[0].split(":") if holders else []
    where = f"on {parts[0]}, process {parts[1]}" if len(parts) > 1 else ""
    started = [
        str(record.data["started_by"])
        for record in run.records
        if record.kind in (RecordKind.RUN_STARTED, RecordKind.RUN_RESUMED)
    ]
    who = f"by {started[-1]}" if started else ""
    return ", ".join(part for part in (where, who) if part)


def _questions(run: RunRead) -> tuple[QuestionSeen, ...]:
    """Steps that are still in doubt and were asked about, each once."""
    asked = {str(one["step"]): str(one["evidence"]) for one in run.state.questions}
    return tuple(
        QuestionSeen(run=run.folder.id, step=step, evidence=asked[step])
        for step in run.state.in_doubt
        if step in asked
    )


def _lease(lease: Lease, now: datetime) -> LeaseSeen:
    return LeaseSeen(
        name=lease.server,
        number=lease.number,
        holder=lease.holder or "",
        run=lease.run,
        since_utc=lease.acquired_at_utc,
        until_utc=lease.expires_at_utc,
        free_at_utc=lease.free_at(),
        is_held=lease.is_held(now),
    )
