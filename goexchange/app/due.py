"""What is due when: specifications, their schedules, earlier runs, and the plans that lie ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen

from goexchange.app.loading import Specification
from goexchange.app.planning import read_plan
from goexchange.driver.lanes import happened
from goexchange.errors import GoexchangeError
from goexchange.journal.replay import RunState, replay
from goexchange.model.configuration import Configuration, Inventory, Window
from goexchange.model.desired import DesiredState, NotificationEvent
from goexchange.model.plan import Action, Plan
from goexchange.model.run import LaneState
from goexchange.schedule.due import (
    ZONE_WITHOUT_WINDOW,
    Before,
    DueNow,
    due_after,
    due_at_or_before,
    due_now,
    due_rule,
    is_for_start,
)
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import Runs
from goexchange.store.schedule import PassEvent, PassRecord, ScheduleLog

PLANS_FOLDER = "plans"


@frozen(kw_only=True)
class DueRequest:
    """Of which specifications, and where plans for them lie."""

    specifications: tuple[Specification, ...]
    inventory: Inventory
    settings: Configuration
    plans: Path
    now: datetime

    @property
    def store(self) -> Path:
        """The store's folder."""
        return Path(self.settings.store)


@frozen(kw_only=True)
class ReadyPlan:
    """A plan that lies ready for an opening; `is_approved` when an approval lies beside it."""

    file: str
    id: str
    is_approved: bool


@frozen(kw_only=True)
class DueNotice:
    """When people are to be told of an outage that is scheduled."""

    at_utc: datetime
    before_s: int
    audience: str
    recipients: tuple[str, ...]


@frozen(kw_only=True)
class DueCheck:
    """The resource check of a specification's own schedule: due since then, or due next."""

    is_due: bool
    due_at_utc: datetime


@frozen(kw_only=True)
class DueItem:
    """One specification: how its schedule stands, and what lies ready for it."""

    name: str
    file: str
    zone: str
    due: DueNow
    last_run: str | None
    last_started_at_utc: datetime | None
    plan: ReadyPlan | None
    notices: tuple[DueNotice, ...]
    check: DueCheck | None = None


@frozen(kw_only=True)
class Unprotected:
    """A database in service without a proved backup, and the run that says so."""

    address: str
    database_guid: str
    run: str
    commands: tuple[str, ...]


@frozen(kw_only=True)
class Past:
    """What the journals of a store say about passes: runs by specification, databases left bare."""

    runs: tuple[tuple[Plan, RunState], ...]
    records: tuple[PassRecord, ...]


def past_of(store: Path) -> Past:
    """Read every run and every pass.

    Raises: Damaged when the log of passes cannot be read.
    """
    return Past(runs=tuple(_runs(store)), records=ScheduleLog(store).read())


def due_items(request: DueRequest, past: Past) -> tuple[DueItem, ...]:
    """How each specification stands, in the order of their names."""
    ready = tuple(_plans(request.plans, request.store))
    items = [_item(each, request, past, ready) for each in request.specifications]
    return tuple(sorted(items, key=lambda each: each.name))


def unprotected(past: Past) -> tuple[Unprotected, ...]:
    """Databases whose last word is *unprotected*: no later run has proved a backup of them."""
    found: dict[str, Unprotected] = {}
    for plan, state in past.runs:
        for lane in plan.body.lanes:
            guid = lane.database_guid
            if guid is None:
                continue
            if state.lane(lane.id).state is LaneState.UNPROTECTED:
                found[guid] = Unprotected(
                    address=lane.id,
                    database_guid=guid,
                    run=state.run or "",
                    commands=(f"goexchange resume {state.run}",),
                )
            elif any(
                step.action is Action.PROVE_BACKUP and happened(state.step(step.id))
                for step in lane.steps
            ):
                found.pop(guid, None)
    return tuple(sorted(found.values(), key=lambda each: each.address))


def _item(
    each: Specification,
    request: DueRequest,
    past: Past,
    ready: Sequence[tuple[str, Plan]],
) -> DueItem:
    desired = each.desired
    window = window_of(desired, request.inventory)
    last = _last_run(past, desired.name)
    due = due_now(desired.schedule, window, _before(past, desired.name, last), now=request.now)
    return DueItem(
        name=desired.name,
        file=each.file,
        zone="UTC" if window is None else window.zone,
        due=due,
        last_run=None if last is None else last.run,
        last_started_at_utc=None if last is None else last.started_at_utc,
        plan=_ready(desired.name, due, window, ready),
        notices=tuple(_notices(desired, due)),
        check=_check(desired, window, past, now=request.now),
    )


def check_subject(name: str) -> str:
    """What the log of passes calls the resource check of a specification."""
    return f"{name}: resource check"


def _check(
    desired: DesiredState, window: Window | None, past: Past, *, now: datetime
) -> DueCheck | None:
    """How the resource check stands: it is owed until it was made, however late."""
    wanted = desired.schedule.resource_check
    if wanted is None:
        return None
    zone = ZONE_WITHOUT_WINDOW if window is None else window.zone
    starting = desired.schedule.starting
    rule = due_rule(wanted.due, zone=zone, every_s=wanted.every_s, starting=starting)
    before = _before(past, desired.name, None).known_since_utc
    served = _before(past, check_subject(desired.name), None).served_at_utc
    last = due_at_or_before(rule, now)
    if last is None or before is None or last < before or (served is not None and served >= last):
        return DueCheck(is_due=False, due_at_utc=due_after(rule, now))
    return DueCheck(is_due=True, due_at_utc=last)


def window_of(desired: DesiredState, inventory: Inventory) -> Window | None:
    """The window that a specification names."""
    names = (each for each in inventory.windows if each.name == desired.schedule.window)
    return next(names, None)


def _last_run(past: Past, name: str) -> RunState | None:
    """The last run of a whole specification; a partial one serves no due time."""
    found = [
        state
        for plan, state in past.runs
        if name in plan.body.specifications
        and not plan.body.is_partial
        and state.started_at_utc is not None
    ]
    return found[-1] if found else None


def _before(past: Past, name: str, last: RunState | None) -> Before:
    mine = [each for each in past.records if each.subject == name]
    known = [each.at_utc for each in mine if each.event is PassEvent.KNOWN]
    served = [each.at_utc for each in mine if each.event is PassEvent.SERVED]
    if last is not None and last.started_at_utc is not None:
        served.append(last.started_at_utc)
    return Before(known_since_utc=min(known, default=None), served_at_utc=max(served, default=None))


def _runs(store: Path) -> Iterator[tuple[Plan, RunState]]:
    """The runs that began, oldest first; one that cannot be read says nothing here."""
    for folder in Runs(store).list():
        try:
            plan = read_plan(str(folder.plan_path))
            state = replay(read_journal(folder.journal_path).records)
        except (GoexchangeError, KeyError, ValueError):  # damaged, or of a version not ours
            continue
        if state.run is not None:
            yield plan, state


def _plans(folder: Path, store: Path) -> Iterator[tuple[str, Plan]]:
    """The plans of the folder that no run has begun to apply, oldest first."""
    found: list[tuple[str, Plan]] = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            plan = read_plan(str(path))
        except GoexchangeError:  # an approval, a report, a plan of another version
            continue
        if Runs(store).applied_by(plan.sha256) is None:
            found.append((str(path), plan))
    yield from sorted(found, key=lambda each: (each[1].body.evaluated_at_utc, each[0]))


def _ready(
    name: str, due: DueNow, window: Window | None, ready: Iterable[tuple[str, Plan]]
) -> ReadyPlan | None:
    """The newest plan for the opening that the due time is served in."""
    if due.begins_at_utc is None:
        return None
    chosen = None
    for file, plan in ready:
        body = plan.body
        is_for_it = is_for_start(body.window, window, due.begins_at_utc)
        if name in body.specifications and not body.is_partial and is_for_it:
            chosen = ReadyPlan(file=file, id=plan.id, is_approved=bool(approvals_beside(file)))
    return chosen


def approvals_beside(plan_file: str) -> tuple[Path, ...]:
    """The approvals that lie beside a plan; which of them count is decided when it is applied."""
    path = Path(plan_file)
    found = (*path.parent.glob("*.approval.json"), *path.parent.glob("*.approval.*.json"))
    return tuple(sorted(each for each in found if each.name.startswith(f"{path.stem}.approval.")))


def _notices(desired: DesiredState, due: DueNow) -> Iterator[DueNotice]:
    if due.begins_at_utc is None:
        return
    for notice in desired.notifications:
        if notice.event is NotificationEvent.SCHEDULED_MAINTENANCE_OUTAGE:
            for before_s in sorted(notice.before_s, reverse=True):
                yield DueNotice(
                    at_utc=due.begins_at_utc - timedelta(seconds=before_s),
                    before_s=before_s,
                    audience=notice.audience.value,
                    recipients=notice.to,
                )


def specifications_by_name(request: DueRequest) -> Mapping[str, Specification]:
    """The loaded specifications by their names."""
    return {each.desired.name: each for each in request.specifications}
