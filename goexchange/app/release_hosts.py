"""Which hosts a dead run has touched, and what each of them keeps of it: a release looks at all of
them, and says which it could not look at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from attrs import frozen

from goexchange.app import host_record
from goexchange.driver.left_jobs import touched
from goexchange.errors import GoexchangeError, Locked, NotNow
from goexchange.guard.holder import LEASE_UNKNOWN_S
from goexchange.model.configuration import Inventory
from goexchange.model.left import KeptRun, LeftOnHost, RecoveryRecord
from goexchange.model.plan import Plan
from goexchange.model.unknown import Unknown
from goexchange.plan import sealing

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.transport.session import HostSession

Known = tuple[Plan, host_record.HostCopy]
Reached = tuple[Mapping[str, "HostSession"], Mapping[str, str]]
Reach = Callable[[Sequence[str]], Reached]


@frozen(kw_only=True)
class Host:
    """A host of a dead run, as it was found."""

    session: HostSession
    left: LeftOnHost

    @property
    def server(self) -> str:
        """The inventory's name of it."""
        return self.left.server


@frozen(kw_only=True)
class Behind:
    """A host on which something of the run may be left that a release does not bring back now."""

    server: str
    why: str


@frozen(kw_only=True)
class Hosts:
    """Every host that was looked at, by name; the runs that are released, each with its plan and
    journal where a host keeps them; and what stays behind.
    """

    home: Host
    others: Mapping[str, Host]
    runs: Mapping[str, Known | None]
    behind: tuple[Behind, ...]

    @property
    def all(self) -> tuple[Host, ...]:
        """The one that was asked for first."""
        return (self.home, *self.others.values())

    def absent(self, run: str, guid: str) -> tuple[str, ...]:
        """The servers that the run worked on for a database and that were not looked at."""
        known = self.runs[run]
        seen = {each.server for each in self.all}
        wanted = () if known is None else touched(known[0], [guid])
        return tuple(each for each in wanted if each not in seen)


def nobody(servers: Sequence[str]) -> Reached:
    """Reach no other host."""
    return {}, dict.fromkeys(servers, "it was not asked")


def reacher(stack: ExitStack, inventory: Inventory) -> Reach:
    """What opens sessions of other hosts, for as long as the stack is."""

    def reach(servers: Sequence[str]) -> Reached:
        from goexchange.app.worker import Fleet

        entries = [each for each in inventory.hosts if each.name in servers]
        gone = [each for each in servers if each not in {entry.name for entry in entries}]
        fleet = stack.enter_context(Fleet(entries))
        failed = {name: str(error) for name, error in fleet.failures.items()}
        failed |= dict.fromkeys(gone, "the inventory has no such server")
        return {
            each.name: fleet.session(each.name) for each in entries if each.name not in failed
        }, failed

    return reach


def look_around(
    home: Host, records: Sequence[RecoveryRecord], *, inventory: Inventory, reach: Reach,
    is_whole: bool,
) -> Hosts:  # fmt: skip
    """Look at every host of the runs that have left these records, of which `home` keeps them.

    Shape: with `is_whole` everything of the runs counts, and a run that has worked on `home` for
    another server too; else the databases of these records alone.
    Raises: Locked while the controller of one of these runs may live, on whichever host it was seen
    last.
    """
    runs = {each.run: kept_of(home, each.run, inventory) for each in records}
    guests = _guests(home, runs, inventory) if is_whole else {}
    for run, known in runs.items():
        host_record.require_dead(home.left, run, lease_s=lease_of(known))
    guids = None if is_whole else {each.database_guid for each in records}
    plans = [known[0] for known in (*runs.values(), *guests.values()) if known is not None]
    wanted = {server for plan in plans for server in touched(plan, guids)} - {home.server}
    sessions, silent = reach(sorted(wanted)) if wanted else ({}, {})
    others: dict[str, Host] = {}
    behind = dict(silent)
    for name, session in sorted(sessions.items()):
        try:
            others[name] = Host(session=session, left=_look(session, name, inventory))
        except GoexchangeError as error:
            behind[name] = str(error)
    for run, known in runs.items():
        for other in others.values():
            host_record.require_dead(other.left, run, lease_s=lease_of(known))
    hosts = (home, *others.values())
    dead = {
        run: known
        for run, known in guests.items()
        if _is_over(hosts, run, known, is_patient=bool(runs))
    }
    released = {**runs, **dead}
    theirs = {each for one in released.values() if one for each in touched(one[0], guids)}
    return Hosts(
        home=home,
        others=others,
        runs=released,
        behind=tuple(
            Behind(server=name, why=behind[name]) for name in sorted(behind) if name in theirs
        ),
    )


def kept_of(host: Host, run: str, inventory: Inventory) -> Known | None:
    """Plan and journal of a run as the host keeps them; None when it keeps none."""
    kept: Sequence[KeptRun] = () if isinstance(host.left.runs, Unknown) else host.left.runs
    names = {host_record.PLAN, host_record.JOURNAL}
    for one in kept:
        if one.run == run and names <= set(one.sizes):
            content = host_record.read_kept(host.session, inventory, one, host_record.PLAN)
            copy = host_record.copy_of(host.session, host.server, inventory, one)
            return sealing.load(content), copy
    return None


def lease_of(known: Known | None) -> int:
    """How long the holder of a run may be silent and live."""
    return LEASE_UNKNOWN_S if known is None else known[0].body.rules.lease_s


def open_records(
    left: LeftOnHost, *, runs: Collection[str], guids: Collection[str] | None
) -> tuple[RecoveryRecord, ...]:
    """The open records of these runs on a host; of these databases alone where they are named."""
    known = () if isinstance(left.recoveries, Unknown) else left.recoveries
    return tuple(
        each
        for each in known
        if each.is_open and each.run in runs and (guids is None or each.database_guid in guids)
    )


def _look(session: HostSession, server: str, inventory: Inventory) -> LeftOnHost:
    """Raises: NotNow when the host cannot say what it keeps."""
    left = host_record.look(session, server, inventory)
    for part in (left.recoveries, left.runs, left.sentinels, left.jobs):
        if isinstance(part, Unknown):
            raise NotNow(f"what runs have left there is not known: {part.reason}")
    return left


def _guests(
    home: Host, runs: Collection[str], inventory: Inventory
) -> Mapping[str, Known]:
    """Runs that home keeps and that were there for another server's database: no record of theirs
    lies at home, and their journal has no end.
    """
    return {run: known for run, known in _kept_without_record(home, runs, inventory)
            if not known[1].has_ended}  # fmt: skip


def _kept_without_record(
    home: Host, runs: Collection[str], inventory: Inventory
) -> Iterator[tuple[str, Known]]:
    left = home.left
    records = () if isinstance(left.recoveries, Unknown) else left.recoveries
    recorded = {*runs, *(each.run for each in records)}
    for one in () if isinstance(left.runs, Unknown) else left.runs:
        known = None if one.run in recorded else kept_of(home, one.run, inventory)
        if known is not None and known[1].reading.records:
            yield one.run, known


def _is_over(hosts: Sequence[Host], run: str, known: Known, *, is_patient: bool) -> bool:
    """Whether a guest's controller is dead, as far as all hosts that were seen can tell; where
    nothing else is left at home, its sign of life is what there is to say. One that was released
    where its record lay is over, and owes nothing.
    """
    if any(run in host.left.released for host in hosts):
        return False
    try:
        for host in hosts:
            host_record.require_dead(host.left, run, lease_s=lease_of(known))
    except Locked:
        if not is_patient:
            raise
        return False
    return True
