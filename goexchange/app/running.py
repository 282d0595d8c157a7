"""The verbs `apply` and `resume`: a machine, its journal, its leases and its sessions, put
together.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from attrs import evolve, frozen

import goexchange
from goexchange.app import perform
from goexchange.app.child_verifier import ChildVerifier
from goexchange.app.interruption import interruptions
from goexchange.app.leasing import leases_of
from goexchange.app.notifying import NotifyingWatch, check_notices
from goexchange.app.observing import together
from goexchange.app.planning import read_plan, who
from goexchange.app.secrets import check_secrets
from goexchange.app.transcript import FOLDER, RecordingSession, pseudonyms_of
from goexchange.driver.assuming import why_not_answerable
from goexchange.driver.calls import longest_cmdlet_s, scope_leases
from goexchange.driver.events import Request, Requested
from goexchange.driver.identity import Assumption, RunIdentity
from goexchange.driver.machine import Machine
from goexchange.errors import Locked, NotNow, UsageError
from goexchange.journal.replay import replay
from goexchange.model.approval import Approval
from goexchange.model.configuration import Configuration, Inventory
from goexchange.model.pilot import is_of_pilot
from goexchange.model.plan import Plan
from goexchange.model.run import Record, RecordKind, RunResult
from goexchange.store.clock import SystemClock
from goexchange.store.hold import hold_request, require_no_hold
from goexchange.store.journal_file import JournalFile, read_journal, take_over
from goexchange.store.leases import Leases
from goexchange.store.requests import Inbox, write_request
from goexchange.store.runs import RunFolder, Runs

if TYPE_CHECKING:
    from goexchange.app.approving import Approved

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.transport.session import HostSession

_WORDS = {each.value: each for each in Request}
WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "BUILD_SOURCESDIRECTORY")


class Watch(perform.Watch, Protocol):
    """Who is shown a run while it goes on."""

    def close(self) -> None:
        """The run, or this process's part of it, is over."""


@frozen(kw_only=True)
class Site:
    """What every run needs of this invocation."""

    inventory: Inventory
    settings: Configuration

    @property
    def store(self) -> Path:
        """The store's folder."""
        return Path(self.settings.store)


@frozen(kw_only=True)
class Ended:
    """How this process's part of a run ended.

    Shape: a run that was refused before its first record has not begun: nothing of it is kept.
    """

    run: RunFolder
    plan: Plan
    result: RunResult
    has_begun: bool
    remarks: tuple[str, ...] = ()


def apply(
    plan: Plan,
    content: bytes,
    approved: Approved,
    *,
    site: Site,
    watch: Callable[[Plan, RunFolder], Watch],
) -> Ended:
    """Carry out a plan that no run has begun yet.

    Raises: NotNow (applied already, or the store is in the pipeline's workspace), Unreachable,
    AuthenticationRefused; nothing is changed then. The machine's own refusals are in the result.
    """
    refuse_workspace(site.store)
    require_no_hold(site.store)
    runs = Runs(site.store)
    runs.require_unapplied(plan.sha256)
    check_notices(plan, site.settings)
    check_secrets(plan, site.inventory)
    with _fleet(plan, site) as sessions:
        kept = _approval_bytes(approved.approval)
        folder = runs.create(
            plan=content, approval=kept, now=SystemClock().now(), evidence=approved.evidence
        )
        about = _identity(folder, approved.approval)
        if approved.signer is not None:
            about = evolve(about, started_by=f"{approved.signer} ({about.started_by})")
        return _perform(folder, plan, about=about, site=site, sessions=sessions, watch=watch)


def resume(
    name: str,
    *,
    site: Site,
    watch: Callable[[Plan, RunFolder], Watch],
    assumed: Assumption | None = None,
    rebuilt_from: str | None = None,
) -> Ended:
    """Go on with a run: look at what is in doubt, then finish it or take the way back.

    Shape: `assumed` answers one step in doubt that looking cannot decide; `rebuilt_from` is the
    server from whose record the run was read back.
    Raises: InvalidDocument (no such run), Damaged (its journal), Locked (another process has it),
    UsageError (the answer is of a step that needs none).
    """
    from goexchange.app.approving import read_approval

    folder = Runs(site.store).find(name)
    plan = read_plan(str(folder.plan_path))
    if assumed is not None:
        state = replay(read_journal(folder.journal_path).records)
        why = why_not_answerable(plan, state, assumed.step)
        if why is not None:
            raise UsageError(f"--assume {assumed.step}: {why}; nothing was changed")
    approval = read_approval(folder.approval_path)
    remarks = _only_back(folder, plan, approval, site.inventory)
    about = _identity(folder, approval)
    about = evolve(about, assumed=assumed, rebuilt_from=rebuilt_from)
    with _fleet(plan, site, waits_for_machines=False) as sessions:
        ended = _perform(folder, plan, about=about, site=site, sessions=sessions, watch=watch)
    return evolve(ended, remarks=(*remarks, *ended.remarks))


def _only_back(
    folder: RunFolder, plan: Plan, approval: Approval | None, inventory: Inventory
) -> tuple[str, ...]:
    """An approval that does not hold leaves a run its way back alone: an abort is asked for.

    Raises: Damaged (its journal).
    """
    from goexchange.app import kept_approval

    records = read_journal(folder.journal_path).records
    why = kept_approval.why_not(
        folder, plan, approval=approval, inventory=inventory, records=records
    )
    if why is None:
        return ()
    write_request(folder.path, Request.ABORT.value, by=who(), now=SystemClock().now())
    return (f"The approval does not hold, so the way back alone was taken: {why}",)


def bring_back(
    plan: Plan,
    content: bytes,
    *,
    site: Site,
    watch: Callable[[Plan, RunFolder], Watch],
    proved_dead: tuple[str, ...],
) -> Ended:
    """Carry out a plan of which every step leads back into service: no approval, window or hold
    keeps it from that. `proved_dead` are the runs whose holders are.
    """
    runs = Runs(site.store)
    with _fleet(plan, site, waits_for_machines=False) as sessions:
        folder = runs.create(plan=content, approval=None, now=SystemClock().now())
        about = evolve(_identity(folder, None), proved_dead=proved_dead)
        return _perform(folder, plan, about=about, site=site, sessions=sessions, watch=watch)


def way_back(name: str, *, site: Site, watch: Callable[[Plan, RunFolder], Watch]) -> Ended:
    """Take the run's own way back, for what it has not mounted yet: an abort that is asked for, and
    taken up by going on with the run.

    Raises: as `resume`; Locked while the run's own process lives, which takes the request up.
    """
    folder = Runs(site.store).find(name)
    write_request(folder.path, Request.ABORT.value, by=who(), now=SystemClock().now())
    return resume(folder.id, site=site, watch=watch)


def refuse_workspace(store: Path) -> None:
    """A store inside a pipeline's workspace is gone with the job, and with it the way to resume.

    Raises: NotNow.
    """
    for variable in WORKSPACES:
        workspace = os.environ.get(variable)
        if workspace and store.resolve().is_relative_to(Path(workspace).resolve()):
            raise NotNow(
                f"the store {store} lies inside the pipeline's workspace ({variable}), "
                "which goes with the job: name a lasting folder with --store or GOEXCHANGE_STORE; "
                "nothing was changed"
            )


def _perform(
    folder: RunFolder,
    plan: Plan,
    *,
    about: RunIdentity,
    site: Site,
    sessions: Callable[[str], HostSession],
    watch: Callable[[Plan, RunFolder], Watch],
) -> Ended:
    leases = leases_of(site.settings)
    shown = watch(plan, folder)
    with (
        _journal(folder, plan, leases, holder=about.holder) as journal,
        interruptions() as interruption,
    ):
        view = NotifyingWatch(
            shown,
            plan,
            folder,
            settings=site.settings,
            is_hurried=lambda: interruption() is not None,
        )
        view.replay(journal.records)
        identity = evolve(about, torn_bytes=journal.torn_bytes)
        if is_of_pilot(plan.body):
            sessions = _recorded(sessions, folder, plan, site)
        machine = Machine(plan=plan, run=identity, records=tuple(journal.records))
        performer = perform.Performer(
            machine=machine,
            run_id=folder.id,
            sessions=sessions,
            journal=journal,
            leases=leases,
            holder=identity.holder,
            inventory=site.inventory,
            clock=SystemClock(),
            verifier=ChildVerifier,
            interruption=interruption,
            requests=_requests(folder, site.store, journal.records),
            watch=view,
        )
        try:
            result = performer.run()
        finally:
            view.close()
        has_begun = bool(journal.records)
    if not has_begun:
        folder.discard()
    remarks = tuple(view.remarks)
    return Ended(run=folder, plan=plan, result=result, has_begun=has_begun, remarks=remarks)


def _recorded(
    sessions: Callable[[str], HostSession], folder: RunFolder, plan: Plan, site: Site
) -> Callable[[str], HostSession]:
    """The same sessions, with everything that the hosts answer kept beside the run."""
    names = pseudonyms_of(plan, site.inventory)
    known: dict[str, HostSession] = {}

    def session(server: str) -> HostSession:
        if server not in known:
            known[server] = RecordingSession(sessions(server), folder.path / FOLDER, names)
        return known[server]

    return session


def _identity(folder: RunFolder, approval: Approval | None) -> RunIdentity:
    return RunIdentity(
        run=folder.id,
        holder=f"{socket.gethostname()}:{os.getpid()}:{folder.id}",
        controller=socket.gethostname(),
        started_by=who(),
        tool=f"goexchange {goexchange.__version__}",
        approval=approval,
    )
def _journal(folder: RunFolder, plan: Plan, leases: Leases, *, holder: str) -> JournalFile:
    """The run's journal, for this process alone.

    Shape: a process that has it open and whose leases are over, the longest cmdlet limit too, hangs
    or is frozen. Its leases are taken first, so that it is fenced off whenever it wakes up; then
    the journal goes on without it.
    Raises: Locked naming who holds the run and until when.
    """
    try:
        return JournalFile(folder.journal_path)
    except Locked as locked:
        if not any(each.run == folder.id and each.holder for each in leases.read()):
            raise  # it has none yet, or none any more: it begins, or ends
        try:
            leases.acquire(
                scope_leases(plan),
                holder=holder,
                run=folder.id,
                lease_s=plan.body.rules.lease_s,
                now=SystemClock().now(),
                cmdlet_limit_s=longest_cmdlet_s(plan),
            )
        except Locked as held:
            raise Locked(f"run {folder.id} is at work in another process: {held}") from locked
        return take_over(folder.journal_path)


def _requests(
    folder: RunFolder, store: Path, records: Sequence[Record]
) -> Callable[[], list[Requested]]:
    """What operators ask of this run, each once; a hold is told to every process of it."""
    taken = {
        str(record.data["id"])
        for record in records
        if record.kind is RecordKind.REQUEST
        and "id" in record.data
        and record.data["request"] != Request.HOLD.value
    }
    inbox = Inbox(folder.path, taken, hold=lambda: hold_request(store))

    def new() -> list[Requested]:
        return [
            Requested(request=_WORDS[each.request], by=each.by, id=each.id)
            for each in inbox.new()
            if each.request in _WORDS  # a file that a newer version wrote may hold another word
        ]

    return new


@contextmanager
def _fleet(
    plan: Plan, site: Site, *, waits_for_machines: bool = True
) -> Iterator[Callable[[str], HostSession]]:
    """Sessions of the plan's hosts, all of them or none.

    Shape: what brings a database back does not wait for a machine without Exchange: it is asked
    again whenever something is sent there.
    Raises: Unreachable, AuthenticationRefused.
    """
    from goexchange.app.worker import Fleet, RemoteSession

    names = {step.server for lane in plan.body.lanes for step in lane.steps}
    entries = [host for host in site.inventory.hosts if host.name in names]
    missing = sorted(names - {server.name for server in entries})
    if missing:
        raise NotNow(f"the inventory has no server {', '.join(missing)} any more; plan again")
    with Fleet(entries) as fleet, ExitStack() as opened:
        away = {each for each in fleet.failures if site.inventory.is_machine(each)}
        failures = [
            failure
            for name, failure in fleet.failures.items()
            if waits_for_machines or name not in away
        ]
        if failures:
            raise together(failures)
        late = {entry.name: RemoteSession(entry) for entry in entries if entry.name in away}
        for session in late.values():
            opened.callback(session.close)
        yield lambda name: late[name] if name in late else fleet.session(name)


def _approval_bytes(approval: Approval | None) -> bytes | None:
    from goexchange import codec

    return None if approval is None else codec.canonical_json(codec.to_plain(approval))
