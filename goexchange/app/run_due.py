"""One pass of a scheduler: what is due and approved is applied, the rest is said.

Safe to start twice: one pass at a time, a plan is applied once, and what a pass has served is
written down before the next one looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import Enum

from attrs import frozen

from goexchange.app.checking import check_resources, exit_code_of
from goexchange.app.due import (
    DueItem,
    DueRequest,
    Past,
    Unprotected,
    check_subject,
    due_items,
    past_of,
    specifications_by_name,
    unprotected,
)
from goexchange.app.planning import PlanRequest, make_plan, read_plan, save_plan
from goexchange.driver.ending import SEVERITY
from goexchange.errors import Damaged, ExitCode, GoexchangeError
from goexchange.model.notice import Event
from goexchange.model.plan import Need, Plan
from goexchange.model.resource_check import ResourceCheck
from goexchange.report.check_text import check_verdict
from goexchange.schedule.windows import occurrence_at
from goexchange.store.hold import read_hold
from goexchange.store.schedule import PassEvent, PassRecord, ScheduleLog, one_pass

BEFORE_A_RUN = (
    ExitCode.AUTH,
    ExitCode.UNREACHABLE,
    ExitCode.INVALID,
    ExitCode.LOCKED,
    ExitCode.STALE,
    ExitCode.NOT_NOW,
    ExitCode.UNAPPROVED,
)
"""Refusals, in the order in which one of several is the code of the pass."""

STOPS_THE_PASS = (
    ExitCode.ROLLBACK_FAILED,
    ExitCode.LEFT_OFFLINE,
    ExitCode.UNKNOWN,
    ExitCode.INTERNAL,
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
)
"""Ends of a run after which this pass starts no other."""


class Done(Enum):
    """What a pass did for a specification."""

    NOTHING_DUE = "nothing due"
    NOTHING_TO_DO = "nothing to do"
    NEEDS_APPROVAL = "needs approval"
    APPLIED = "applied"
    REFUSED = "refused"
    HELD = "held"
    NOT_STARTED = "not started"


@frozen(kw_only=True)
class Passed:
    """One specification after a pass; `is_missed_now` when a missed due time is said now."""

    item: DueItem
    done: Done
    text: str
    exit_code: ExitCode
    run: str | None = None
    is_missed_now: bool = False


@frozen(kw_only=True)
class Checked:
    """A resource check that was due; `check` is None when it could not be made, `text` says why."""

    item: DueItem
    check: ResourceCheck | None
    text: str
    exit_code: ExitCode


@frozen(kw_only=True)
class PassResult:
    """A whole pass; `reminded` are databases that people are reminded of today, `not_told` what
    could not be sent.
    """

    passed: tuple[Passed, ...]
    unprotected: tuple[Unprotected, ...]
    reminded: tuple[Unprotected, ...]
    not_told: tuple[str, ...]
    exit_code: ExitCode
    checked: tuple[Checked, ...] = ()


Applied = tuple[ExitCode, str | None, str]
"""How `apply` ended: its code, the run if one began, and words."""

Apply = Callable[[Plan, str], Applied]
"""Applies a plan from its file."""

Check = Callable[[PlanRequest], tuple[ResourceCheck, ...]]
"""Makes the resource checks of a request's specifications."""


def run_due(
    request: DueRequest, *, ahead: timedelta, apply: Apply, check: Check = check_resources
) -> PassResult:
    """Make one pass.

    Raises: Locked when another pass is at work; Damaged when the log of passes cannot be read.
    """
    with one_pass(request.store):
        return _Pass(request, ahead, apply, check).result()


class _Pass:
    def __init__(self, request: DueRequest, ahead: timedelta, apply: Apply, check: Check) -> None:
        self._check_resources = check
        self._request = request
        self._ahead = ahead
        self._apply = apply
        self._log = ScheduleLog(request.store)
        self._past: Past = past_of(request.store)
        self._stopped_by: str | None = None

    def result(self) -> PassResult:
        self._note_known()
        items = due_items(self._request, self._past)
        checked = tuple(self._check(each) for each in items if each.check and each.check.is_due)
        passed = tuple(self._serve(each) for each in items)
        bare = unprotected(past_of(self._request.store))
        reminded = tuple(each for each in bare if self._remind(each))
        not_told = self._tell(passed, reminded, checked)
        codes = {each.exit_code for each in passed} | {each.exit_code for each in checked}
        codes |= {ExitCode.UNPROTECTED} if bare else set()
        worst = next((each for each in (*SEVERITY, *BEFORE_A_RUN) if each in codes), ExitCode.OK)
        return PassResult(
            passed=passed,
            unprotected=bare,
            reminded=reminded,
            not_told=not_told,
            exit_code=worst,
            checked=checked,
        )

    def _check(self, item: DueItem) -> Checked:
        """Make the resource check; one that could not be made is owed to the next pass."""
        try:
            check = self._check_resources(self._plan_request(item))[0]
        except GoexchangeError as error:
            said = "; ".join([str(error), *(each.detail for each in error.diagnostics)])
            text = f"the resource check could not be made: {said}"
            return Checked(item=item, check=None, text=text, exit_code=error.exit_code)
        text = check_verdict(check)
        self._write(PassEvent.SERVED, check_subject(item.name), text=text)
        return Checked(item=item, check=check, text=text, exit_code=exit_code_of((check,)))

    def _note_known(self) -> None:
        """Write down since when each schedule is known, so that older due times are not missed."""
        known = {each.subject for each in self._past.records if each.event is PassEvent.KNOWN}
        for each in self._request.specifications:
            if each.desired.name not in known:
                self._write(PassEvent.KNOWN, each.desired.name)
        self._past = past_of(self._request.store)

    def _serve(self, item: DueItem) -> Passed:
        is_missed_now = self._say_missed(item)
        done, text, code, run = self._serve_due(item) if item.due.is_due else self._look_ahead(item)
        return Passed(
            item=item, done=done, text=text, exit_code=code, run=run, is_missed_now=is_missed_now
        )

    def _serve_due(self, item: DueItem) -> tuple[Done, str, ExitCode, str | None]:
        held = self._hold()
        if held is not None:
            return Done.HELD, held, ExitCode.NOT_NOW, None
        if self._stopped_by is not None:
            text = f"{self._stopped_by} ended badly in this pass: nothing else is started"
            return Done.NOT_STARTED, text, ExitCode.NOT_NOW, None
        try:
            if item.plan is None:
                return self._plan(item)
            if not item.plan.is_approved:
                return self._wants_approval(item.plan.file)
            return self._run(item, item.plan.file)
        except GoexchangeError as error:
            said = "; ".join([str(error), *(each.detail for each in error.diagnostics)])
            return Done.REFUSED, said, error.exit_code, None

    def _run(self, item: DueItem, file: str) -> tuple[Done, str, ExitCode, str | None]:
        code, run, text = self._apply(read_plan(file), file)
        if run is None:
            return Done.REFUSED, text, code, None
        self._write(PassEvent.SERVED, item.name, run=run, text=text, item=item)
        if code in STOPS_THE_PASS:
            self._stopped_by = f"run {run}"
        return Done.APPLIED, text, code, run

    def _plan(self, item: DueItem) -> tuple[Done, str, ExitCode, str | None]:
        """Plan now: done when there is nothing to do, else saved for its approval."""
        made = make_plan(self._plan_request(item))
        if not made.body.lanes:
            stuck = sum(each.need is Need.NOT_POSSIBLE for each in made.body.decisions)
            text = f"{len(made.body.decisions)} databases, none needs anything that can be done"
            text += f"; {stuck} not possible" if stuck else ""
            self._write(PassEvent.SERVED, item.name, text=text, item=item)
            return Done.NOTHING_TO_DO, text, ExitCode.OK, None
        return self._wants_approval(self._save(item, made))

    def _look_ahead(self, item: DueItem) -> tuple[Done, str, ExitCode, str | None]:
        """Make the plan of the coming opening before it opens, so that it can be approved."""
        begins = item.due.begins_at_utc
        is_near = begins is not None and begins - self._request.now <= self._ahead
        if not is_near or begins is None or item.plan is not None or not self._is_next(item):
            return Done.NOTHING_DUE, "", ExitCode.OK, None
        try:
            made = make_plan(self._plan_request(item))
        except GoexchangeError as error:  # there is time: the next pass tries again
            return Done.NOTHING_DUE, f"it cannot be planned yet: {error}", ExitCode.OK, None
        if not made.body.lanes:
            return Done.NOTHING_DUE, "nothing to do as of now", ExitCode.OK, None
        done, text, _, run = self._wants_approval(self._save(item, made))
        return done, text, ExitCode.OK, run  # not due yet: nothing is late

    def _is_next(self, item: DueItem) -> bool:
        """Whether a plan made now would be for the opening in which it is due."""
        names = {each.name: each for each in self._request.inventory.windows}
        desired = specifications_by_name(self._request)[item.name].desired
        window = names.get(desired.schedule.window or "")
        begins = item.due.begins_at_utc
        return window is None or (
            begins is not None and occurrence_at(window, self._request.now).contains(begins)
        )

    def _wants_approval(self, file: str) -> tuple[Done, str, ExitCode, str | None]:
        text = f"goexchange show {file}; goexchange approve {file}"
        return Done.NEEDS_APPROVAL, text, ExitCode.UNAPPROVED, None

    def _save(self, item: DueItem, made: Plan) -> str:
        begins = item.due.begins_at_utc or self._request.now
        folder = self._request.plans
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{item.name.replace(' ', '-')}-{begins:%Y%m%dT%H%MZ}-{made.id}.json"
        save_plan(made, str(path))
        self._write(PassEvent.PLANNED, item.name, text=str(path), item=item)
        return str(path)

    def _plan_request(self, item: DueItem) -> PlanRequest:
        return PlanRequest(
            specifications=(specifications_by_name(self._request)[item.name],),
            inventory=self._request.inventory,
            settings=self._request.settings,
        )

    def _say_missed(self, item: DueItem) -> bool:
        missed = item.due.missed_at_utc
        said = any(
            each.event is PassEvent.MISSED
            and each.subject == item.name
            and each.due_at_utc == missed
            for each in self._past.records
        )
        if missed is None or said:
            return False
        self._log.append(
            PassRecord(
                at_utc=self._request.now,
                event=PassEvent.MISSED,
                subject=item.name,
                due_at_utc=missed,
            )
        )
        return True

    def _remind(self, each: Unprotected) -> bool:
        """Once a day, until a backup is proved."""
        today = self._request.now.date()
        if any(
            one.event is PassEvent.UNPROTECTED
            and one.subject == each.address
            and one.at_utc.date() == today
            for one in self._log.read()
        ):
            return False
        self._write(PassEvent.UNPROTECTED, each.address, run=each.run)
        return True

    def _tell(
        self,
        passed: Iterable[Passed],
        reminded: tuple[Unprotected, ...],
        checked: Iterable[Checked],
    ) -> tuple[str, ...]:
        # What sends messages would load an HTTP library before the hosts' clients are patched.
        from goexchange.app.telling import check_events, missed_events, reminders, tell

        now, store = self._request.now, self._request.store
        specifications = specifications_by_name(self._request)
        events: list[Event] = []
        for each in passed:
            missed = each.item.due.missed_at_utc
            if each.is_missed_now and missed is not None:
                desired = specifications[each.item.name].desired
                events += missed_events(desired, missed, zone=each.item.zone, now=now)
        for one in checked:
            desired = specifications[one.item.name].desired
            events += check_events(desired, one.check, one.text, item=one.item, now=now)
        events += reminders(store, reminded, now=now)
        return tell((each.item for each in passed), events, self._request.settings)

    def _hold(self) -> str | None:
        try:
            hold = read_hold(self._request.store)
        except Damaged as error:
            return str(error)
        return None if hold is None else f"{hold}; goexchange hold off"

    def _write(
        self,
        event: PassEvent,
        subject: str,
        *,
        run: str | None = None,
        text: str = "",
        item: DueItem | None = None,
    ) -> None:
        due = None if item is None else item.due.due_at_utc
        self._log.append(
            PassRecord(
                at_utc=self._request.now,
                event=event,
                subject=subject,
                due_at_utc=due,
                run=run,
                text=text,
            )
        )
