"""What happens to the hosts by somebody else's hand: reboots, full disks, other people's backups,
operators who mean well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from attrs import frozen

from goexchange.model.mta import MTA_NAME
from goexchange.model.server import MAINTENANCE, SERVER_NAME
from goexchange.simulation.faults import Fault, FaultKind
from goexchange.world.copies import activate, fail_copy, status_of
from goexchange.world.databases import MailboxDatabase
from goexchange.world.faults import AgentTrouble
from goexchange.world.files import FileRefused, folder_of, name_of
from goexchange.world.hosts import Host
from goexchange.world.mounting import lose
from goexchange.world.refusals import HostDown
from goexchange.world.site import PAGE_BYTES
from goexchange.world.world import MoveRequest, World

OPERATOR = "operator"
MOUNT_ERRORS = (-550, -1811, -1206, -1018)
TOOL_ERRORS = (-1018, -1206, -1808, -550)
TOOL_MODES = ("/d", "/k", "/g", "/k", "/d")
NEARLY_FULL_BYTES = 256 * 1024
TAKEN = (("HubTransport", "Draining"), ("ServerWideOffline", "Inactive"))
STUCK = ("HubTransport", "ServerWideOffline")
STOPPING = ("MSExchangeRepl", "MSExchangeIS", "MSExchangeTransport")


@frozen(kw_only=True)
class Victim:
    """What a fault happens to: the host of its step, and the step's database (or the host's
    first).
    """

    world: World
    host: Host
    database: MailboxDatabase | None
    fault: Fault
    root: str


def disturb(world: World, fault: Fault, *, server: str, root: str) -> bool:
    """Let it happen on that server; False when there is nothing that it can happen to."""
    parts = fault.step.split("/")
    host = world.hosts[server]
    database = None
    if len(parts) > 2 and parts[1] not in (MTA_NAME, SERVER_NAME):
        database = world.database_named(parts[1])
    else:
        mine = [each for each in world.databases.values() if each.active_server == host.name]
        database = mine[0] if mine else None
    return _DISTURBANCES[fault.kind](
        Victim(world=world, host=host, database=database, fault=fault, root=root)
    )


def _reboot(victim: Victim) -> bool:
    if victim.host.down_until is not None:
        return False
    victim.world.reboot(victim.host.name)
    return True


def _fill_database_volume(victim: Victim) -> bool:
    if victim.database is None:
        return False
    path = victim.database.edb_path
    victim.world.leave_free(victim.host.name, path, free_bytes=NEARLY_FULL_BYTES)
    return True


def _fill_set_volume(victim: Victim) -> bool:
    for volume in (*victim.host.files.volumes, *victim.host.files.shares):
        if volume.label == "Sets" or not volume.is_local:
            volume.free_bytes = NEARLY_FULL_BYTES
    return True


def _destroy_original(victim: Victim) -> bool:
    """The kept original, where there is one, loses its header; else the file in place loses a page
    of a database that is down.
    """
    database, files = victim.database, victim.host.files
    if database is None:
        return False
    kept = kept_originals(victim.host, database)
    if kept and victim.fault.number % 2:
        files.delete(kept[0])
        return True
    path = kept[0] if kept else database.edb_path
    if not files.exists(path) or files.is_open(path):
        return False
    offset = 0 if kept else files.size(path) // PAGE_BYTES // 2 * PAGE_BYTES
    files.write_at(path, offset, bytes([0x5A]) * 2 * PAGE_BYTES)
    return True


def _foreign_backup(victim: Victim) -> bool:
    at = victim.world.now()
    volumes = tuple(
        each.mount_point.rstrip("\\")
        for each in victim.host.files.volumes
        if each.label not in ("System", "Sets", "Backup")
    )
    if any(run.host == victim.host.name and run.is_running for run in victim.world.backups):
        return False
    if victim.host.down_until is not None:
        return False
    victim.world.faults.start_foreign_backup(victim.host.name, at=at, volumes=volumes)
    before = len(victim.world.backups)
    victim.world.advance()
    for run in victim.world.backups[before:]:  # a big site's backup, as long as they are
        run.ends_at = run.started_at + timedelta(minutes=1 + victim.fault.number % 120)
    return True


def _damage_rebuilt(victim: Victim) -> bool:
    """A page of the rebuilt file goes bad before it is in its place."""
    database, files = victim.database, victim.host.files
    if database is None:
        return False
    for path in files.below(folder_of(database.edb_path)):
        is_rebuilt = "\\gx-" in path.lower() and path.lower().endswith(".edb")
        if is_rebuilt and not files.is_open(path) and files.size(path) > 8 * PAGE_BYTES:
            files.write_at(path, 5 * PAGE_BYTES, bytes([0x5A]) * PAGE_BYTES)
            return True
    return False


def _store_crashes(victim: Victim) -> bool:
    """The store lets a mounted database fall, as after an I/O error; nobody has asked for it."""
    database = victim.database
    if database is None or database.mounted_on is None:
        return False
    victim.host.files.release(database.holder)
    lose(database)
    victim.world.note("crash", host=victim.host.name, database=database.name)
    return True


def _foreign_move(victim: Victim) -> bool:
    """Somebody moves a mailbox out of the database."""
    if victim.database is None:
        return False
    name = victim.database.name
    victim.world.moves.append(MoveRequest(alias="somebody", source=name, target="elsewhere"))
    victim.world.note("move-started", host=victim.host.name, database=name)
    return True


def _operator_dismounts(victim: Victim) -> bool:
    database = victim.database
    if database is None or database.mounted_on is None:
        return False
    return _by_hand(victim, "Dismount-Database", {"Identity": database.name, "Confirm": False})


def _operator_mounts(victim: Victim) -> bool:
    database = victim.database
    if database is None or database.mounted_on is not None:
        return False
    return _by_hand(victim, "Mount-Database", {"Identity": database.name})


def _operator_moves(victim: Victim) -> bool:
    """Somebody renames a file of the database that nobody has open: the original back to its place
    where one was kept, else a file in our folder aside.
    """
    database, files = victim.database, victim.host.files
    if database is None:
        return False
    kept = kept_originals(victim.host, database)
    try:
        if kept and not files.is_open(database.edb_path):
            if files.exists(database.edb_path):
                files.rename(database.edb_path, kept[0].replace(".before-", ".rebuilt-"))
            files.rename(kept[0], database.edb_path)
            return True
        for path in files.below(folder_of(database.edb_path)):
            if "\\gx-" in path.lower() and path.lower().endswith(".edb"):
                files.rename(path, f"{path}.moved")
                return True
    except FileRefused:
        return False
    return False


def _by_hand(victim: Victim, cmdlet: str, parameters: Mapping[str, object]) -> bool:
    try:
        answer = victim.world.cmdlet(victim.host.name, OPERATOR, cmdlet, parameters)
    except HostDown:
        return False
    return not answer.errors and answer.terminating is None


def _mount_fails(victim: Victim) -> bool:
    if victim.database is None:
        return False
    times = 1 + victim.fault.number // 7 % 3
    error = MOUNT_ERRORS[victim.fault.number % len(MOUNT_ERRORS)]
    for _ in range(times):
        victim.world.faults.fail_next_mount(victim.database.name, error=error)
    return True


def _tool_fails(victim: Victim) -> bool:
    number = victim.fault.number
    mode = TOOL_MODES[number % len(TOOL_MODES)]
    victim.world.faults.fail_next_eseutil(mode, error=TOOL_ERRORS[number // 5 % len(TOOL_ERRORS)])
    return True


def _flip(victim: Victim) -> bool:
    victim.world.faults.flip_bit_in_next_copy()
    return True


def _tear(victim: Victim) -> bool:
    victim.world.faults.tear_next_copy()
    return True


def _backup_fails(victim: Victim) -> bool:
    troubles = tuple(AgentTrouble)
    victim.world.faults.fail_next_backup(troubles[victim.fault.number % len(troubles)])
    return True


def _replicated(victim: Victim) -> MailboxDatabase | None:
    """The victim's database when it has copies, else the first one of the site that has."""
    every = ([victim.database] if victim.database else []) + list(victim.world.databases.values())
    return next((each for each in every if each.passive), None)


def _some_copy(victim: Victim, *statuses: str) -> tuple[MailboxDatabase, str] | None:
    """A passive copy, by the fault's number; of those in one of these states where any is given."""
    database = _replicated(victim)
    if database is None:
        return None
    fit = [
        server
        for server in sorted(database.passive)
        if not statuses or status_of(victim.world, database, server) in statuses
    ]
    return (database, fit[victim.fault.number % len(fit)]) if fit else None


def _copy_fails(victim: Victim) -> bool:
    found = _some_copy(victim, "Healthy", "Initializing", "Suspended", "Seeding")
    if found is None:
        return False
    fail_copy(victim.world, *found)
    return True


def _seed_fails(victim: Victim) -> bool:
    found = _some_copy(victim)
    if found is None:
        return False
    victim.world.faults.fail_next_seed(found[1])
    return True


def _active_moves(victim: Victim) -> bool:
    """Active Manager moves the active copy to one that can be activated."""
    found = _some_copy(victim, "Healthy")
    if found is None or found[0].mounted_on is None or found[0].is_backup_running:
        return False
    if victim.world.host_of(found[0]).down_until is not None:
        return False
    activate(victim.world, *found)
    return True


def _operator_resumes(victim: Victim) -> bool:
    """Somebody finds a suspended copy, and resumes it."""
    found = _some_copy(victim, "Suspended")
    if found is None:
        return False
    identity = f"{found[0].name}\\{found[1]}"
    return _by_hand(
        victim, "Resume-MailboxDatabaseCopy", {"Identity": identity, "Confirm": False}
    )


def _move_refused(victim: Victim) -> bool:
    database = _replicated(victim)
    if database is None:
        return False
    victim.world.faults.refuse_next_move(database.name)
    return True


def _component_stuck(victim: Victim) -> bool:
    """A component stays active, whatever is said of it."""
    name = STUCK[victim.fault.number % len(STUCK)]
    victim.world.faults.stuck_components.add((victim.host.name, name))
    return True


def _queues_stuck(victim: Victim) -> bool:
    victim.world.faults.stuck_queues.add(victim.host.name)
    return True


def _service_stops(victim: Victim) -> bool:
    """A service does not run any more, and nobody starts it again."""
    names = [each for each in STOPPING if each in victim.host.services]
    name = names[victim.fault.number % len(names)]
    victim.host.services[name].state = "Stopped"
    victim.world.note("service-stopped", host=victim.host.name, detail=name)
    return True


def _member_goes(victim: Victim) -> bool:
    """Somebody takes another member of the group out of service by hand, or begins to."""
    group = victim.host.description.availability_group
    others = [
        each
        for each in victim.world.hosts.values()
        if each is not victim.host and each.description.availability_group == group
    ]
    if group is None or not others:
        return False
    other = others[victim.fault.number % len(others)]
    component, state = TAKEN[victim.fault.number // 3 % len(TAKEN)]
    given = {
        "Identity": other.name, "Component": component, "State": state, "Requester": MAINTENANCE,
    }  # fmt: skip
    return _by_hand(victim, "Set-ServerComponentState", given)


def _node_moves(victim: Victim) -> bool:
    """The next node takes the clustered server over."""
    return victim.world.move_group(victim.host.name)


def _nothing(victim: Victim) -> bool:
    return True


_DISTURBANCES: Mapping[FaultKind, Callable[[Victim], bool]] = {
    FaultKind.HOST_REBOOT: _reboot,
    FaultKind.DISK_FULL_DATABASE: _fill_database_volume,
    FaultKind.DISK_FULL_SET: _fill_set_volume,
    FaultKind.ORIGINAL_DESTROYED: _destroy_original,
    FaultKind.FOREIGN_BACKUP: _foreign_backup,
    FaultKind.FOREIGN_MOVE: _foreign_move,
    FaultKind.REBUILT_DAMAGED: _damage_rebuilt,
    FaultKind.STORE_CRASH: _store_crashes,
    FaultKind.OPERATOR_DISMOUNT: _operator_dismounts,
    FaultKind.OPERATOR_MOUNT: _operator_mounts,
    FaultKind.OPERATOR_MOVE: _operator_moves,
    FaultKind.MOUNT_FAILS: _mount_fails,
    FaultKind.ESEUTIL_ERROR: _tool_fails,
    FaultKind.FLIPPED_BIT: _flip,
    FaultKind.TORN_COPY: _tear,
    FaultKind.BACKUP_FAILS: _backup_fails,
    FaultKind.COPY_FAILS: _copy_fails,
    FaultKind.SEED_FAILS: _seed_fails,
    FaultKind.ACTIVE_MOVES: _active_moves,
    FaultKind.OPERATOR_RESUMES: _operator_resumes,
    FaultKind.MOVE_REFUSED: _move_refused,
    FaultKind.COMPONENT_STUCK: _component_stuck,
    FaultKind.QUEUES_STUCK: _queues_stuck,
    FaultKind.SERVICE_STOPS: _service_stops,
    FaultKind.MEMBER_GOES: _member_goes,
    FaultKind.NODE_MOVES: _node_moves,
    FaultKind.DAYLIGHT_SAVING: _nothing,
}


def kept_originals(host: Host, database: MailboxDatabase) -> list[str]:
    """Paths of the originals beside a database."""
    start = f"{name_of(database.edb_path)}.before-".lower()
    return [
        path
        for path in host.files.names_in(folder_of(database.edb_path))
        if name_of(path).lower().startswith(start) and not path.lower().endswith(".jfm")
    ]
