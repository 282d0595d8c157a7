"""What a host keeps of runs: looked at, read back, and made into a run of this store."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from goexchange.app.journals import Head
from goexchange.app.observing import together
from goexchange.driver.calls import scope_servers
from goexchange.errors import Damaged, InvalidDocument, Locked, NotNow, UsageError
from goexchange.facts.left import decode_left
from goexchange.guard.holder import is_dead, sign_of_life, words
from goexchange.journal.chain import Reading, read_lines
from goexchange.model.configuration import Inventory, ServerEntry
from goexchange.model.left import KeptRun, LeftOnHost
from goexchange.model.plan import Plan
from goexchange.model.run import RecordKind
from goexchange.model.unknown import Unknown
from goexchange.plan import sealing
from goexchange.store.runs import RunFolder, Runs

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.app.running import Site
    from goexchange.transport.session import HostSession

LOOK_LIMIT_S = 300
PLAN, APPROVAL, JOURNAL = "plan.json", "approval.json", "journal.jsonl"


@frozen(kw_only=True)
class HostCopy:
    """A run as one host keeps it; the journal without a torn end."""

    server: str
    kept: KeptRun
    journal: bytes
    reading: Reading

    @property
    def has_ended(self) -> bool:
        """Whether the journal ends with the end of the run."""
        kinds = {RecordKind.RUN_ENDED, RecordKind.LEASE}
        last = [record for record in self.reading.records[-8:] if record.kind in kinds]
        is_over = any(record.kind is RecordKind.RUN_ENDED for record in last)
        return is_over and self.reading.records[-1].kind in kinds


def entry_of(server: str, inventory: Inventory) -> ServerEntry:
    """The inventory's entry of a server, or of a machine without Exchange.

    Raises: UsageError with the names that there are.
    """
    for entry in inventory.hosts:
        if entry.name.lower() == server.lower():
            return entry
    known = ", ".join(entry.name for entry in inventory.hosts)
    raise UsageError(f"the inventory has no server '{server}' (it has: {known})")


def look(
    session: HostSession,
    server: str,
    inventory: Inventory,
    *,
    paths: Sequence[str] = (),
    folders: Sequence[str] = (),
) -> LeftOnHost:
    """Everything that runs have left on a host; only reads."""
    arguments = {"root": inventory.host_root, "paths": list(paths), "folders": list(folders)}
    return decode_left(server, session.script("read-runs", arguments, time_limit_s=LOOK_LIMIT_S))


def copy_of(session: HostSession, server: str, inventory: Inventory, kept: KeptRun) -> HostCopy:
    """The journal of a kept run.

    Raises: Damaged when a whole line of it does not fit its chain.
    """
    content = read_kept(session, inventory, kept, JOURNAL)
    whole = content[: content.rfind(b"\n") + 1]
    reading = read_lines(whole)
    if reading.damage is not None:
        raise Damaged(
            f"the journal of run {kept.run} that {server} keeps is damaged at line"
            f" {reading.damage.line}: {reading.damage.reason}"
        )
    return HostCopy(server=server, kept=kept, journal=whole, reading=reading)


def read_kept(session: HostSession, inventory: Inventory, kept: KeptRun, name: str) -> bytes:
    """A file of a kept run, piece by piece."""
    content = bytearray()
    while True:
        arguments = {
            "root": inventory.host_root,
            "run": kept.run,
            "name": name,
            "offset": len(content),
        }
        answer = session.script("read-run", arguments, time_limit_s=LOOK_LIMIT_S)
        piece = base64.b64decode(answer["content"])
        content += piece
        if not piece or len(content) >= answer["size_bytes"]:
            return bytes(content)


def rebuild(server: str, *, run: str | None, site: Site) -> RunFolder:
    """Make a run that a host keeps into a run of this store, to be gone on with by looking.

    Shape: of several hosts of the run the longest journal counts; all are pieces of one chain.
    Raises: Locked while its controller may live; InvalidDocument when the host keeps no such run;
    NotNow when the store has it; Damaged; Unreachable.
    """
    from goexchange.app.worker import Fleet

    entry = entry_of(server, site.inventory)
    with Fleet([entry]) as fleet:
        if fleet.failures:
            raise together(list(fleet.failures.values()))
        session = fleet.session(entry.name)
        copy = _chosen(session, look(session, entry.name, site.inventory), run, site.inventory)
        plan_content = read_kept(session, site.inventory, copy.kept, PLAN)
        approval = None
        if APPROVAL in copy.kept.sizes:
            approval = read_kept(session, site.inventory, copy.kept, APPROVAL)
    plan = sealing.load(plan_content)
    _require_of_plan(copy, plan)
    newest = _newest(copy, plan, site)
    return Runs(site.store).adopt(
        copy.kept.run, plan=plan_content, approval=approval, journal=newest.journal
    )


def require_dead(left: LeftOnHost, run: str, *, lease_s: int) -> None:
    """Raise Locked unless the run's holder is proved dead on that host."""
    sign = sign_of_life(left, run)
    if not is_dead(sign, lease_s=lease_s):
        raise Locked(f"{words(sign, lease_s=lease_s)}. Nothing was changed.")


def _chosen(
    session: HostSession, left: LeftOnHost, run: str | None, inventory: Inventory
) -> HostCopy:
    if isinstance(left.runs, Unknown):
        raise NotNow(f"what {left.server} keeps of runs is not known: {left.runs.reason}")
    whole = [kept for kept in left.runs if {PLAN, JOURNAL} <= set(kept.sizes)]
    named = [kept for kept in whole if run is None or kept.run.startswith(run)]
    copies = [copy_of(session, left.server, inventory, kept) for kept in named]
    copies = [copy for copy in copies if copy.reading.records]
    if run is None:
        over = left.released
        copies = [each for each in copies if not each.has_ended and each.kept.run not in over]
    if len(copies) == 1:
        return copies[0]
    known = ", ".join(kept.run for kept in whole[-5:]) or "none"
    if not copies:
        which = "no run that has not ended" if run is None else f"no run '{run}'"
        raise InvalidDocument(
            f"{left.server} keeps {which} (it keeps: {known}). What lies there:"
            f" goexchange leftovers {left.server}"
        )
    several = ", ".join(copy.kept.run for copy in copies)
    raise InvalidDocument(
        f"{left.server} keeps more than one: {several}. Name one:"
        f" goexchange resume RUN --from-host {left.server}"
    )


def _require_of_plan(copy: HostCopy, plan: Plan) -> None:
    stated = [
        str(record.data["plan_sha256"])
        for record in copy.reading.records
        if record.kind is RecordKind.RUN_STARTED
    ]
    if stated != [plan.sha256]:
        raise Damaged(
            f"the journal of run {copy.kept.run} that {copy.server} keeps is not of the plan"
            f" {plan.id} that lies beside it"
        )


def _newest(copy: HostCopy, plan: Plan, site: Site) -> HostCopy:
    """Ask every host of the run: the longest copy, once its holder is proved dead on all."""
    from goexchange.app.worker import Fleet

    entries = [entry_of(name, site.inventory) for name in scope_servers(plan)]
    copies = [copy]
    with Fleet(entries) as fleet:
        # a machine keeps what leads to its own jobs, which are found again by their names
        entries = [
            each for each in entries if each.has_exchange or each.name not in fleet.failures
        ]
        failures = [fleet.failures[each.name] for each in entries if each.name in fleet.failures]
        if failures:
            away = together(failures)
            raise type(away)(
                f"{away}. The run is of {len(entries)} servers, and each may know more of it than"
                f" {copy.server}; to bring back what answers: goexchange release {copy.server}"
            )
        for entry in entries:
            session = fleet.session(entry.name)
            left = look(session, entry.name, site.inventory)
            require_dead(left, copy.kept.run, lease_s=plan.body.rules.lease_s)
            runs = () if isinstance(left.runs, Unknown) else left.runs
            mine = [one for one in runs if one.run == copy.kept.run and JOURNAL in one.sizes]
            copies += [copy_of(session, entry.name, site.inventory, one) for one in mine]
    return longest(copies)


def heads_kept(folder: RunFolder, inventory: Inventory) -> tuple[Head, ...]:
    """The heads of a run's journal that its hosts keep, each host its own.

    Raises: Damaged when a host's own copy does not fit its chain; NotNow when no host keeps any;
    Unreachable, AuthenticationRefused.
    """
    from goexchange.app.worker import Fleet

    plan = sealing.load(folder.plan_path.read_bytes())
    entries = [entry_of(name, inventory) for name in scope_servers(plan)]
    copies: list[HostCopy] = []
    with Fleet(entries) as fleet:
        if fleet.failures:
            raise together(list(fleet.failures.values()))
        for entry in entries:
            session = fleet.session(entry.name)
            left = look(session, entry.name, inventory)
            runs = () if isinstance(left.runs, Unknown) else left.runs
            mine = [one for one in runs if one.run == folder.id and JOURNAL in one.sizes]
            copies += [copy_of(session, entry.name, inventory, one) for one in mine]
    if not copies:
        names = ", ".join(entry.name for entry in entries)
        raise NotNow(f"no host keeps a journal of run {folder.id} (asked: {names})")
    return tuple(
        Head(
            records=len(copy.reading.records),
            sha256=copy.reading.records[-1].sha256 if copy.reading.records else "",
            source=f"the copy that {copy.server} keeps",
        )
        for copy in copies
    )


def longest(copies: Sequence[HostCopy]) -> HostCopy:
    """The copy that tells the most.

    Raises: Damaged when they are not pieces of one chain.
    """
    newest = max(copies, key=lambda one: len(one.journal))
    for one in copies:
        if not newest.journal.startswith(one.journal):
            raise Damaged(
                f"{one.server} and {newest.server} keep different journals of run"
                f" {newest.kept.run}: one of them was changed"
            )
    return newest
