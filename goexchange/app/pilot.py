"""The verb `pilot`: a scratch database of a real server goes through the whole script, a forced way
back and two controllers that are killed; then it is removed, and what was seen is put on record.

Every stage is a plan of its own, saved, approved and carried out like any other, by controllers
that are processes of their own. The road is the one of every night; only the database is nobody's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from goexchange.app import approving
from goexchange.app.pilot_parsers import Played, parser_verdicts
from goexchange.app.pilot_plans import (
    PilotRequest,
    Preview,
    inputs_of,
    night_of,
    observed,
    pace_of,
    sealed,
    setting_of,
    versions_seen,
)
from goexchange.app.planning import read_plan, save_plan
from goexchange.app.policies import key_of
from goexchange.app.transcript import FOLDER, transcript_digest
from goexchange.errors import ExitCode, Unapproved
from goexchange.journal.replay import replay
from goexchange.model.desired import OnlineBackupMethod
from goexchange.model.pilot import (
    FORMAT,
    ParserMark,
    ParserVerdict,
    PilotRecord,
    Stage,
    StageKind,
)
from goexchange.model.plan import Action, Need, Plan
from goexchange.model.run import OutcomeKind
from goexchange.plan.pilot import (
    Scratch,
    removal_draft,
)
from goexchange.store.clock import SystemClock
from goexchange.store.journal_file import read_journal
from goexchange.store.pilots import pilot_folder, write_pilot
from goexchange.store.runs import Runs

Say = Callable[[str], None]
CHILD = (sys.executable, "-m", "goexchange.app.pilot_child")
APPROVED_FOR = timedelta(hours=48)
_HAPPENED = (OutcomeKind.DONE, OutcomeKind.ALREADY)


def carry_out(previewed: Preview, *, say: Say) -> PilotRecord:
    """Carry the pilot out and put it on record.

    Raises: Unapproved when a policy asks for what the pilot cannot give; nothing was changed then.
    """
    return _Pilot(previewed, say).run()


def remove(request: PilotRequest, scratch: Scratch, *, say: Say) -> Stage:
    """Remove what an earlier pilot has kept or left."""
    server, state = observed(request.site, request.server)
    pilot = _Pilot(
        Preview(
            request=request,
            scratch=scratch,
            creation=sealed(
                removal_draft(
                    scratch,
                    setting_of(request, state, state.observed_at_utc),
                    inputs_of(request, scratch),
                ),
                state,
            ),
            foreseen=night_of(request, scratch, state),
            versions=versions_seen(server),
        ),
        say,
    )
    return pilot.removal()


@frozen
class _Child:
    """How one controller ended: `code` is negative when it was killed."""

    code: int
    answer: Mapping[str, Any]


@frozen
class _Pilot:
    """One pilot under way; stages and runs are added as they end."""

    previewed: Preview
    say: Say
    stages: list[Stage] = field(factory=list)
    runs: list[str] = field(factory=list)

    def run(self) -> PilotRecord:
        began = SystemClock().now()
        is_made = False
        try:
            is_made = self._create()
            if self.stages[-1].is_as_wanted and self._way_back().is_as_wanted:
                self._whole_script()
        finally:
            if is_made and not self.previewed.request.keeps:
                self.removal()
        return self._record(began)

    def removal(self) -> Stage:
        """Remove the scratch database, then what the runs have left on the host."""
        request, scratch = self.previewed.request, self.previewed.scratch
        begun = time.monotonic()
        _, state = observed(request.site, request.server)
        setting = setting_of(request, state, state.observed_at_utc)
        body = removal_draft(scratch, setting, inputs_of(request, scratch))
        child = self._apply(sealed(body, state), StageKind.REMOVE)
        words = str(child.answer["words"])
        stage = self._add(
            StageKind.REMOVE, child, begun, is_good=child.code == 0, processes=1, words=words
        )
        if stage.is_as_wanted:
            self._tidy()
        return stage

    def _create(self) -> bool:
        begun = time.monotonic()
        child = self._apply(self.previewed.creation, StageKind.CREATE)
        if child.answer["exit_code"] == ExitCode.UNAPPROVED:
            details = "; ".join(child.answer["details"])
            raise Unapproved(f"{child.answer['words']}: {details}; nothing was changed")
        self._add(
            StageKind.CREATE,
            child,
            begun,
            is_good=child.code == 0,
            processes=1,
            words=str(child.answer["words"]),
        )
        return bool(child.answer["has_begun"])

    def _way_back(self) -> Stage:
        """Killed right after the swap; the next controller takes the way back."""
        begun = time.monotonic()
        plan = self._night_plan(StageKind.WAY_BACK)
        if plan is None:
            return self.stages[-1]
        first = self._apply(plan, StageKind.WAY_BACK, die_at=Action.SWAP)
        run = self._run_of(plan)
        if first.code >= 0 or run is None:
            why = f"no controller died after the swap: {first.answer['words']}"
            return self._add(
                StageKind.WAY_BACK, first, begun, is_good=False, processes=1, words=why
            )
        self.say("  killed after the swap; a new controller goes on, into the way back")
        second = self._child({"verb": "resume", "run": run})
        done = self._happened(run, Action.SWAP, Action.SWAP_BACK, Action.MOUNT_ORIGINAL)
        words = "swapped, killed, original renamed back and mounted" if done else "no way back"
        return self._add(
            StageKind.WAY_BACK,
            second,
            begun,
            is_good=done and second.code in (ExitCode.PARTIAL, ExitCode.STOPPED),
            processes=2,
            words=f"{words}: {second.answer['words']}",
        )

    def _whole_script(self) -> Stage:
        """Killed in the middle of the rebuild; the next controller goes on to the end."""
        begun = time.monotonic()
        plan = self._night_plan(StageKind.WHOLE_SCRIPT)
        if plan is None:
            return self.stages[-1]
        first = self._apply(plan, StageKind.WHOLE_SCRIPT, die_at=Action.REBUILD, in_the_middle=True)
        run = self._run_of(plan)
        if first.code >= 0 or run is None:
            why = f"no controller died in the rebuild: {first.answer['words']}"
            return self._add(
                StageKind.WHOLE_SCRIPT, first, begun, is_good=False, processes=1, words=why
            )
        self.say("  killed in the rebuild; a new controller goes on")
        second = self._child({"verb": "resume", "run": run})
        done = self._happened(run, Action.REBUILD, Action.SWAP, Action.MOUNT, Action.PROVE_BACKUP)
        return self._add(
            StageKind.WHOLE_SCRIPT,
            second,
            begun,
            is_good=done and second.code == 0,
            processes=2,
            words=str(second.answer["words"]),
        )

    def _tidy(self) -> None:
        """What the pilot's runs have left on the host, and nobody else's."""
        from goexchange.app import leftovers as looking
        from goexchange.plan.tidying import tidying_body

        request = self.previewed.request
        begun = time.monotonic()
        found = looking.look_at(request.server, site=request.site)
        mine = [each for each in found.items if each.run in self.runs]
        going = [each for each in mine if each.may_go]
        staying = [f"{each.kind.value} {each.what}: {each.reason}" for each in mine
                   if not each.may_go]  # fmt: skip
        if not going:
            return
        _, state = observed(request.site, request.server)
        pace = pace_of(request.site)
        body = tidying_body(
            going, request.site.inventory, state, pace=pace,
            inputs=inputs_of(request, self.previewed.scratch),
        )  # fmt: skip
        child = self._apply(sealed(body, state), StageKind.TIDY)
        is_good = child.code == 0 and not staying
        words = "; ".join(staying) or f"{len(going)} things of the pilot's runs removed"
        self._add(StageKind.TIDY, child, begun, is_good=is_good, processes=1, words=words)

    def _night_plan(self, kind: StageKind) -> Plan | None:
        """The plan of the scratch database's night, made now that it is there."""
        request, scratch = self.previewed.request, self.previewed.scratch
        _, state = observed(request.site, request.server)
        body = night_of(request, scratch, state, forces_way_back=kind is StageKind.WAY_BACK)
        wanted = [each for each in body.decisions if each.need is Need.REBUILD]
        if wanted:
            return sealed(body, state)
        said = "; ".join(each.explanation for each in body.decisions) or "it was not found"
        nothing = _Child(int(ExitCode.NOT_NOW), {"run": None, "words": said})
        self._add(
            kind, nothing, time.monotonic(), is_good=False, processes=0, words=f"no plan: {said}"
        )
        return None

    def _apply(
        self,
        plan: Plan,
        kind: StageKind,
        *,
        die_at: Action | None = None,
        in_the_middle: bool = False,
    ) -> _Child:
        """Save, approve, and let a controller of its own carry it out."""
        request = self.previewed.request
        folder = pilot_folder(request.site.store, self.previewed.scratch.name)
        folder.mkdir(parents=True, exist_ok=True)
        file = str(folder / f"{kind.value}.json")
        save_plan(plan, file)
        needed = {each.consent.value for each in plan.body.consents}
        approval = approving.approve(
            plan,
            consents=sorted(needed & set(request.consents)),
            life=APPROVED_FOR,
            comment=f"stage {kind.value} of the pilot {self.previewed.scratch.name}",
        )
        approving.save_approval(approval, file, key=key_of(request.options))
        self.say(f"{kind.value}: plan {plan.id}, {file}")
        child = self._child(
            {
                "verb": "apply",
                "plan": file,
                "die_at": None if die_at is None else die_at.value,
                "in_the_middle": in_the_middle,
            }
        )
        run = self._run_of(plan)
        if run is not None:
            self.runs.append(run)
        return child

    def _child(self, asked: Mapping[str, Any]) -> _Child:
        whole = {
            "options": dict(self.previewed.request.options),
            "run": None,
            "plan": None,
            "die_at": None,
            "in_the_middle": False,
            **asked,
        }
        done = subprocess.run(
            CHILD, input=json.dumps(whole), stdout=subprocess.PIPE, text=True, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        silent: dict[str, Any] = {
            "run": None,
            "exit_code": done.returncode,
            "words": f"the controller ended with {done.returncode}",
            "details": [],
            "has_begun": True,
        }
        return _Child(done.returncode, json.loads(lines[-1]) if lines else silent)

    def _run_of(self, plan: Plan) -> str | None:
        for run in Runs(self.previewed.request.site.store).list():
            if run.plan_sha256 == plan.sha256:
                return run.id
        return None

    def _happened(self, run: str, *actions: Action) -> bool:
        folder = Runs(self.previewed.request.site.store).find(run)
        plan = read_plan(str(folder.plan_path))
        state = replay(read_journal(folder.journal_path).records)
        done = {
            step.action
            for lane in plan.body.lanes
            for step in lane.steps
            if state.step(step.id).outcome in _HAPPENED
        }
        return set(actions) <= done

    def _add(
        self,
        kind: StageKind,
        child: _Child,
        begun: float,
        *,
        is_good: bool,
        processes: int,
        words: str,
    ) -> Stage:
        run = child.answer["run"]
        stage = Stage(
            kind=kind,
            run=run,
            is_as_wanted=is_good,
            exit_code=child.code,
            processes=processes,
            seconds=round(time.monotonic() - begun, 1),
            words=words,
        )
        self.stages.append(stage)
        self.say(f"  {'as wanted' if is_good else 'NOT as wanted'}: {words}")
        return stage

    def _record(self, began: datetime) -> PilotRecord:
        previewed = self.previewed
        store = previewed.request.site.store
        played = self._played()
        online = previewed.request.like.desired.backup_after.online
        is_windows = (
            online is not None and online.method is OnlineBackupMethod.WINDOWS_SERVER_BACKUP
        )
        parsers = parser_verdicts(played, previewed.scratch.name, backs_up_windows=is_windows)
        sha256, files = transcript_digest([each.folder.path / FOLDER for each in played])
        left = self._left()
        why = _against(self.stages, parsers, previewed.request.keeps)
        record = PilotRecord(
            format=FORMAT,
            id=previewed.scratch.name,
            server=previewed.request.server,
            database=previewed.scratch.name,
            versions=previewed.versions,
            began_at_utc=began,
            ended_at_utc=SystemClock().now(),
            is_good=why is None,
            why=why or "every stage went as wanted, and every parser read what it was given",
            stages=tuple(self.stages),
            parsers=parsers,
            left=left,
            transcript_sha256=sha256,
            transcript_files=files,
        )
        write_pilot(store, record)
        return record

    def _played(self) -> list[Played]:
        """The nights of the scratch database."""
        found = []
        for name in self.runs:
            folder = Runs(self.previewed.request.site.store).find(name)
            plan = read_plan(str(folder.plan_path))
            if any(each.need is Need.REBUILD for each in plan.body.decisions):
                records = tuple(read_journal(folder.journal_path).records)
                found.append(Played(folder, plan, records))
        return found

    def _left(self) -> tuple[str, ...]:
        scratch = self.previewed.scratch
        done = {each.kind: each for each in self.stages if each.is_as_wanted}
        begun = any(each.kind is StageKind.CREATE for each in self.stages)
        if StageKind.REMOVE not in done and begun:
            return (f"database {scratch.name}", f"folder {scratch.folder}")
        tidied = [each for each in self.stages if each.kind is StageKind.TIDY]
        return tuple(each.words for each in tidied if not each.is_as_wanted)


def exit_code_of(record: PilotRecord, *, keeps: bool) -> ExitCode:
    """0 for a good pilot; 20 for one that is not; 24 when something of it was left that should
    have gone.
    """
    if record.left and not keeps:
        return ExitCode.ROLLBACK_FAILED
    return ExitCode.OK if record.is_good else ExitCode.PARTIAL


def _against(stages: Sequence[Stage], parsers: Sequence[ParserVerdict], keeps: bool) -> str | None:
    """Why it is not a good pilot, or None."""
    found = [f"{each.kind.value}: {each.words}" for each in stages if not each.is_as_wanted]
    done = {each.kind for each in stages}
    wanted = {StageKind.CREATE, StageKind.WAY_BACK, StageKind.WHOLE_SCRIPT}
    wanted |= set() if keeps else {StageKind.REMOVE}
    if not found and not wanted <= done:
        found.append("not every stage was reached")
    for each in parsers:
        if each.mark is ParserMark.UNKNOWN:
            found.append(f"{each.parser}: {'; '.join(each.reasons[:3])}")
        elif each.mark is ParserMark.NOT_SEEN and each.is_needed:
            found.append(f"{each.parser}: nothing was given to it")
    return "; ".join(found) or None
