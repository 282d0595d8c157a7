"""The resource check: the guards of a plan made now, and what the next night rests on beside them.

Space, services, event logs, age of backups, open recoveries and tools, of every database that the
specification means, whether it needs anything now or not; and the certificates of its servers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from attrs import frozen

from goexchange.facts.places import volume_of
from goexchange.guard.certificates import certificate_findings
from goexchange.guard.space import MARGIN
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, Volume
from goexchange.model.configuration import CERTIFICATES_END_WITHIN_S
from goexchange.model.desired import DesiredState
from goexchange.model.machines import is_machine
from goexchange.model.plan import Need, PlanBody, Verdict, VerdictKind
from goexchange.model.resource_check import ResourceCheck, ResourceFinding, Subject, Weight
from goexchange.model.unknown import Unknown

GIB = 1024**3
_ORDER = tuple(Weight)
# Services without MSExchange in their names that Exchange 2013 and later need.
_ALSO_NEEDED = frozenset({"w3svc", "iisadmin", "hostcontrollerservice"})


def resource_check(
    body: PlanBody,
    desired: DesiredState,
    *,
    low_space_threshold_bytes: int,
    certificates_end_within_s: int = CERTIFICATES_END_WITHIN_S,
    unprotected: Iterable[str] = (),
) -> ResourceCheck:
    """Every finding of a plan's body and its facts; `unprotected` are what runs have left bare,
    `certificates_end_within_s` is how long before its end a certificate is warned of.

    Unknown: a fact that could not be read is a finding of its own, never none.
    """
    now = body.evaluated_at_utc
    meant = {(each.server, each.database) for each in body.decisions}
    found = [*_of_plan(body), *_bare(unprotected, meant)]
    for server in body.facts.servers:
        if is_machine(server):
            found += _of_machine(server)
            continue
        found += _of_server(server, now)
        found += certificate_findings(server, now=now, within_s=certificates_end_within_s)
        if isinstance(server.databases, Unknown):
            continue  # the plan says so, as a decision that is not possible
        mine = [each for each in server.databases if (server.name, each.name) in meant]
        found += _volumes(server, mine, low_space_threshold_bytes)
        for database in mine:
            found += _backup(server, database, desired, now)
    once = tuple(dict.fromkeys(found))
    return ResourceCheck(
        specification=desired.name,
        checked_at_utc=now,
        servers=tuple(each.name for each in body.facts.servers),
        findings=tuple(sorted(once, key=lambda each: (each.address, _ORDER.index(each.weight)))),
    )


def _of_plan(body: PlanBody) -> Iterator[ResourceFinding]:
    """What the plan's own guards say, and what it cannot do."""
    for each in body.decisions:
        if each.need is Need.NOT_POSSIBLE:
            yield _About(each.address, Subject.SCRIPT).say(
                Weight.WARNING, each.explanation, each.instead
            )
    for verdict in body.guards:
        if verdict.kind in (VerdictKind.BLOCK, VerdictKind.UNKNOWN):
            yield _of_guard(verdict)


def _of_guard(verdict: Verdict) -> ResourceFinding:
    weight = Weight.PROBLEM if verdict.kind is VerdictKind.BLOCK else Weight.UNKNOWN
    if verdict.is_time_only:
        weight = Weight.GOOD  # a check is not a start: the window opens when it opens
    subject = Subject.WINDOW if verdict.is_time_only else Subject.GUARD
    text = f"{verdict.guard}: {verdict.evidence}"
    return _About(verdict.address, subject).say(weight, text, verdict.remedy)


def _bare(addresses: Iterable[str], meant: set[tuple[str, str]]) -> Iterator[ResourceFinding]:
    known = {f"{server}/{database}" for server, database in meant}
    for address in addresses:
        if address in known:
            text = "unprotected: in service without a proved backup of the present file"
            remedy = "goexchange status names the run; resume it"
            yield _About(address, Subject.PROTECTION).say(Weight.PROBLEM, text, remedy)


def _of_server(server: ActualServer, now: datetime) -> Iterator[ResourceFinding]:
    host = server.host
    if isinstance(host, Unknown):
        yield _unknown(server.name, Subject.SERVER, "its host", host)
        return
    yield from _services(host, server.name)
    yield from _events(host, server.name, now)
    yield from _recoveries(host, server.name)
    yield from _tools(host, server.name)


def _of_machine(machine: ActualServer) -> Iterator[ResourceFinding]:
    """A machine without Exchange is asked for what a job of ours needs there, and no more."""
    host = machine.host
    if isinstance(host, Unknown):
        yield _unknown(machine.name, Subject.SERVER, "its host", host)
        return
    about = _About(machine.name, Subject.SERVER)
    if host.is_elevated is not True:
        remedy = "use an account that is administrator of the machine"
        yield about.say(Weight.PROBLEM, "our session has no administrator rights", remedy)
    else:
        text = f"it answers: PowerShell {host.powershell_version}, administrator rights"
        yield about.say(Weight.GOOD, text)


def _services(host: ActualHost, address: str) -> Iterator[ResourceFinding]:
    if isinstance(host.services, Unknown):
        yield _unknown(address, Subject.SERVICES, "the state of its services", host.services)
        return
    stopped = [
        each.name
        for each in host.services
        if each.start_type == "Automatic" and each.state != "Running" and _is_exchange(each.name)
    ]
    if stopped:
        text = f"started by Windows, and not running: {', '.join(sorted(stopped))}"
        remedy = f"Start-Service {','.join(sorted(stopped))}, and look why they ended"
        yield _About(address, Subject.SERVICES).say(Weight.WARNING, text, remedy)
    else:
        text = f"every Exchange service that Windows starts is running ({len(host.services)} seen)"
        yield _About(address, Subject.SERVICES).say(Weight.GOOD, text)


def _is_exchange(name: str) -> bool:
    return name.lower().startswith("msexchange") or name.lower() in _ALSO_NEEDED


def _events(host: ActualHost, address: str, now: datetime) -> Iterator[ResourceFinding]:
    if isinstance(host.storage_events, Unknown):
        yield _unknown(address, Subject.EVENTS, "its event logs", host.storage_events)
        return
    if not host.storage_events:
        yield _About(address, Subject.EVENTS).say(Weight.GOOD, "no storage event in 7 days")
        return
    newest = max(host.storage_events, key=lambda each: each.at_utc)
    text = (
        f"{len(host.storage_events)} storage events in 7 days, the newest {newest.provider}"
        f" {newest.event_id} at {newest.at_utc:%Y-%m-%d %H:%M} UTC"
    )
    remedy = "look at disk, controller and paths before anything is rebuilt there"
    yield _About(address, Subject.EVENTS).say(Weight.WARNING, text, remedy)


def _recoveries(host: ActualHost, address: str) -> Iterator[ResourceFinding]:
    if isinstance(host.open_recoveries, Unknown):
        yield _unknown(address, Subject.RECOVERY, "its recovery records", host.open_recoveries)
        return
    for each in host.open_recoveries:
        text = f"run {each.run} has not ended there (phase {each.phase})"
        remedy = f"goexchange resume {each.run}, or goexchange release {address}"
        yield _About(address, Subject.RECOVERY).say(Weight.PROBLEM, text, remedy)


def _tools(host: ActualHost, address: str) -> Iterator[ResourceFinding]:
    if not host.is_elevated:
        remedy = "goexchange doctor says how this is mended"
        text = "the session has no administrator rights"
        yield _About(address, Subject.TOOLS).say(Weight.PROBLEM, text, remedy)
    if isinstance(host.eseutil_version, Unknown):
        yield _unknown(address, Subject.TOOLS, "the version of eseutil", host.eseutil_version)
    else:
        yield _About(address, Subject.TOOLS).say(Weight.GOOD, f"eseutil {host.eseutil_version}")
    if isinstance(host.is_reboot_pending, Unknown):
        yield _unknown(address, Subject.TOOLS, "a pending restart", host.is_reboot_pending)
    elif host.is_reboot_pending:
        text, remedy = "a restart is pending", "restart the server before its window"
        yield _About(address, Subject.TOOLS).say(Weight.WARNING, text, remedy)


def _volumes(
    server: ActualServer, databases: Iterable[ActualDatabase], threshold: int
) -> Iterator[ResourceFinding]:
    """Each volume with a database of the specification: is there room for what each would need?"""
    needs: dict[str, list[tuple[int, str]]] = defaultdict(list)
    volumes: dict[str, Volume] = {}
    for each in databases:
        volume = volume_of(server.host, each.edb_path)
        if isinstance(volume, Unknown):
            yield _unknown(f"{server.name}/{each.name}", Subject.SPACE, "its volume", volume)
            continue
        volumes[volume.mount_point] = volume
        size, white = each.size_bytes, each.white_space_bytes
        if isinstance(size, Unknown) or isinstance(white, Unknown):
            unknown = size if isinstance(size, Unknown) else white
            assert isinstance(unknown, Unknown)
            yield _unknown(f"{server.name}/{each.name}", Subject.SPACE, "its size", unknown)
            continue
        needs[volume.mount_point].append((math.ceil(MARGIN * (size - white)), each.name))
    for mount_point in sorted(volumes):
        yield _room(server.name, volumes[mount_point], needs[mount_point], threshold)


def _room(
    address: str, volume: Volume, needs: list[tuple[int, str]], threshold: int
) -> ResourceFinding:
    mount_point, free = volume.mount_point, volume.free_bytes
    stays = f"{_gib(threshold)} stay free"
    if free < threshold:
        text = (
            f"{mount_point} {_gib(free)} free, below the low-space threshold of {_gib(threshold)}"
        )
        return _About(address, Subject.SPACE).say(Weight.PROBLEM, text, "free space on that volume")
    largest, name = max(needs, default=(0, ""))
    text = f"{mount_point} {_gib(free)} free"
    if not needs:
        return _About(address, Subject.SPACE).say(Weight.GOOD, text)
    text += f"; a rebuild of {name}, the largest, would write {_gib(largest)} ({stays})"
    if free - largest >= threshold:
        return _About(address, Subject.SPACE).say(Weight.GOOD, text)
    lacking = [name for need, name in sorted(needs) if free - need < threshold]
    text += f": no room for {', '.join(lacking)}"
    return _About(address, Subject.SPACE).say(Weight.WARNING, text, "free space on that volume")


def _backup(
    server: ActualServer, database: ActualDatabase, desired: DesiredState, now: datetime
) -> Iterator[ResourceFinding]:
    address, last = f"{server.name}/{database.name}", database.last_full_backup_utc
    if database.is_recovery is True:
        return
    if isinstance(last, Unknown):
        yield _unknown(address, Subject.BACKUP, "its last full backup", last)
        return
    remedy = "goexchange plan shows whether the specification brings one"
    if last is None:
        text = "it never had a full backup"
        yield _About(address, Subject.BACKUP).say(Weight.WARNING, text, remedy)
        return
    within = desired.conditions.online_full_backup_within_s
    age = now - last
    text = f"last full backup {last:%Y-%m-%d %H:%M} UTC, {_age(age)} ago"
    if within is not None and age > timedelta(seconds=within):
        text += f"; the specification wants one within {_age(timedelta(seconds=within))}"
        yield _About(address, Subject.BACKUP).say(Weight.WARNING, text, remedy)
    else:
        yield _About(address, Subject.BACKUP).say(Weight.GOOD, text)


@frozen
class _About:
    """A finding that is about to be said of an address."""

    address: str
    subject: Subject

    def say(self, weight: Weight, text: str, remedy: str | None = None) -> ResourceFinding:
        return ResourceFinding(
            address=self.address, subject=self.subject, weight=weight, text=text, remedy=remedy
        )


def _unknown(address: str, subject: Subject, what: str, why: Unknown) -> ResourceFinding:
    return _About(address, subject).say(Weight.UNKNOWN, f"{what} could not be read: {why.reason}")


def _age(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def _gib(size_bytes: int) -> str:
    if size_bytes >= GIB:
        return f"{size_bytes / GIB:.1f} GiB"
    return f"{size_bytes / 1024**2:.1f} MiB"
