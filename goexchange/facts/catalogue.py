"""The only list of facts: each id with its class, what it means, and how it is read from the actual
state.

Planner, guards, driver and messages name facts by these ids; they are stable in plan files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import frozen

from goexchange.codec import time_text
from goexchange.errors import GoexchangeError
from goexchange.facts.places import file_facts_of, log_folder_of, volume_of
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualMta,
    ActualServer,
    ActualState,
    DatabaseRecord,
)
from goexchange.model.copies import ailment
from goexchange.model.plan import FactClass
from goexchange.model.server import ServerMode
from goexchange.model.unknown import Unknown

Json = Any


class NoSuchFact(GoexchangeError):
    """A fact id that the catalogue does not have: our mistake, or a plan of a newer version."""

    id = "no-such-fact"


@frozen(kw_only=True)
class Subject:
    """What a fact is read from: a server, and one of its databases for facts about databases."""

    server: ActualServer
    database: ActualDatabase | None = None


@frozen(kw_only=True)
class Fact:
    """One thing that can be known.

    Shape: `docs` is one sentence for people; `read` gives a value of the model, or Unknown.
    """

    id: str
    fact_class: FactClass
    docs: str
    read: Callable[[Subject], object]

    @property
    def is_about_database(self) -> bool:
        """Whether it needs an address with a database."""
        return self.id.startswith("database.")


def value_of(state: ActualState, address: str, fact: str) -> Json | Unknown:
    """The value of a fact at `EX01` or `EX01/DB05`, as plain JSON: enums by value, times as text,
    tuples as lists.

    Unknown: also when the server was not observed, or has no such database.
    Raises: NoSuchFact.
    """
    definition = definition_of(fact)
    server_name, _, database_name = address.partition("/")
    server = _named(state.servers, server_name)
    if server is None:
        return Unknown(f"{server_name} was not observed")
    if not definition.is_about_database:
        return _plain(definition.read(Subject(server=server)))
    if isinstance(server.databases, Unknown):
        return server.databases
    database = _named(server.databases, database_name)
    if fact == "database.exists":
        return database is not None
    if database is None:
        return Unknown(f"{server.name} holds no database {database_name}")
    return _plain(definition.read(Subject(server=server, database=database)))


def definition_of(fact: str) -> Fact:
    """The entry of the catalogue.

    Raises: NoSuchFact.
    """
    if fact not in FACTS:
        raise NoSuchFact(f"There is no fact '{fact}'.")
    return FACTS[fact]


def white_space_ratio(database: ActualDatabase) -> float | Unknown:
    """The part of the file that is free in its root: a floor of what a rebuild gives back."""
    for part in (database.white_space_bytes, database.size_bytes):
        if isinstance(part, Unknown):
            return part
    white_space, size = database.white_space_bytes, database.size_bytes
    assert isinstance(white_space, int) and isinstance(size, int)
    return white_space / size if size > 0 else Unknown("the database has no size")


def record_of(server: ActualServer, guid: str) -> DatabaseRecord | None | Unknown:
    """What our last run left about a database; None (no record) means *not met*."""
    if isinstance(server.host, Unknown):
        return server.host
    if isinstance(server.host.records, Unknown):
        return server.host.records
    found = [one for one in server.host.records if one.database_guid.lower() == guid.lower()]
    return found[0] if found else None


def _named(members: tuple[Any, ...], name: str) -> Any:
    return next((one for one in members if one.name.lower() == name.lower()), None)


def _plain(value: object) -> Json:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return time_text(value)
    return list(value) if isinstance(value, tuple) else value


def _server(name: str) -> Callable[[Subject], object]:
    return lambda subject: getattr(subject.server, name)


def _host(name: str) -> Callable[[Subject], object]:
    def read(subject: Subject) -> object:
        host = subject.server.host
        return host if isinstance(host, Unknown) else getattr(host, name)

    return read


def _of_host(compute: Callable[[ActualHost], object]) -> Callable[[Subject], object]:
    def read(subject: Subject) -> object:
        host = subject.server.host
        return host if isinstance(host, Unknown) else compute(host)

    return read


def _database(name: str) -> Callable[[Subject], object]:
    return lambda subject: getattr(_database_of(subject), name)


def _record(name: str) -> Callable[[Subject], object]:
    def read(subject: Subject) -> object:
        record = record_of(subject.server, _database_of(subject).guid)
        return record if record is None or isinstance(record, Unknown) else getattr(record, name)

    return read


def _database_of(subject: Subject) -> ActualDatabase:
    assert subject.database is not None
    return subject.database


def _part(value: object, name: str) -> object:
    return value if isinstance(value, Unknown) else getattr(value, name)


def _file(name: str) -> Callable[[Subject], object]:
    return lambda subject: _part(
        file_facts_of(subject.server.host, _database_of(subject).edb_path), name
    )


def _volume(place: str, name: str) -> Callable[[Subject], object]:
    return lambda subject: _part(
        volume_of(subject.server.host, getattr(_database_of(subject), place)), name
    )


def _logs(name: str) -> Callable[[Subject], object]:
    return lambda subject: _part(
        log_folder_of(subject.server.host, _database_of(subject).log_folder), name
    )


def _windows_backup(name: str) -> Callable[[Subject], object]:
    return _of_host(lambda host: _part(host.windows_backup, name))


def _clock_skew_s(host: ActualHost) -> float:
    return (host.clock_utc - host.observed_at_utc).total_seconds()


def _copies_count(subject: Subject) -> int | Unknown:
    copies = _database_of(subject).copies
    return copies if isinstance(copies, Unknown) else len(copies)


def _ratio(subject: Subject) -> float | Unknown:
    return white_space_ratio(_database_of(subject))


def _has_open_recovery(subject: Subject) -> bool | Unknown:
    host = subject.server.host
    if isinstance(host, Unknown):
        return host
    if isinstance(host.open_recoveries, Unknown):
        return host.open_recoveries
    guid = _database_of(subject).guid.lower()
    # A record without a database is about the whole server, and so about this database too.
    return any(
        one.database_guid is None or one.database_guid.lower() == guid
        for one in host.open_recoveries
    )


def _of_group(name: str) -> Callable[[Subject], object]:
    def read(subject: Subject) -> object:
        group = subject.server.group
        return group if group is None or isinstance(group, Unknown) else getattr(group, name)

    return read


def _copies_ailing(subject: Subject) -> tuple[str, ...] | Unknown:
    copies, name = subject.server.copies, subject.server.name.lower()
    if isinstance(copies, Unknown):
        return copies
    here = [one for one in copies if one.server.lower() == name and one.is_active is not True]
    told = [(one.database, ailment(one)) for one in here]
    return tuple(f"{database}: {why}" for database, why in told if why is not None)


def _of_mta(compute: Callable[[ActualMta], object]) -> Callable[[Subject], object]:
    def read(subject: Subject) -> object:
        mta = subject.server.mta
        return mta if mta is None or isinstance(mta, Unknown) else compute(mta)

    return read


def _of_mode(compute: Callable[[ServerMode], object]) -> Callable[[Subject], object]:
    def read(subject: Subject) -> object:
        mode = subject.server.mode
        return mode if mode is None or isinstance(mode, Unknown) else compute(mode)

    return read


def _set_by_maintenance(mode: ServerMode) -> tuple[str, ...] | Unknown:
    if isinstance(mode.components, Unknown):
        return mode.components
    return tuple(
        f"{one.component}: {one.maintenance}"
        for one in mode.components
        if not one.is_ours_to_take
    )


def _active_replicated(subject: Subject) -> tuple[str, ...] | Unknown:
    databases = subject.server.databases
    if isinstance(databases, Unknown):
        return databases
    for one in databases:
        if isinstance(one.is_replicated, Unknown):
            return one.is_replicated
    return tuple(sorted(one.name for one in databases if one.is_replicated is True))


_IDENTITY, _HEALTH, _SHOWN = FactClass.IDENTITY, FactClass.HEALTH, FactClass.INFORMATIONAL

_ENTRIES: tuple[tuple[str, FactClass, Callable[[Subject], object], str], ...] = (
    ("server.name", _IDENTITY, _server("name"), "The server's short name."),
    ("server.fqdn", _IDENTITY, _server("fqdn"), "The server's full DNS name."),
    ("server.generation", _IDENTITY, _server("generation"), "The Exchange product generation."),
    ("server.build", _SHOWN, _server("build"),
     "The build Exchange shows; it does not move with security updates."),
    ("server.edition", _SHOWN, _server("edition"),
     "Standard, Enterprise or an evaluation of them."),
    ("server.availability_group", _IDENTITY, _server("availability_group"),
     "The availability group the server belongs to; null for a standalone server."),
    ("server.group_members", _IDENTITY, _of_group("servers"),
     "The members of its availability group; null for a standalone server."),
    ("server.group_operational", _HEALTH, _of_group("operational"),
     "The members of its availability group that are up; null for a standalone server."),
    ("server.group_in_maintenance", _HEALTH, _of_group("in_maintenance"),
     "The members that are known to be in maintenance; null for a standalone server."),
    ("server.copies_ailing", _HEALTH, _copies_ailing,
     "The passive copies that the server holds and that are not well, each with the reason."),
    ("server.mta_state", _HEALTH, _of_mta(lambda mta: mta.service.state),
     "The state of the message transfer agent's service; null where there is none."),
    ("server.mta_tool", _IDENTITY, _of_mta(lambda mta: mta.tool),
     "Where mtacheck.exe is; null where there is no message transfer agent."),
    ("server.mta_data_folder", _IDENTITY, _of_mta(lambda mta: mta.data_folder),
     "The folder of the message transfer agent's queue database; null where there is none."),
    ("server.mta_bytes", _SHOWN, _of_mta(lambda mta: mta.size_bytes),
     "What the files of that queue database need; null where there is none."),
    ("server.activation_policy", _HEALTH, _of_mode(lambda mode: mode.activation_policy),
     "Whether copies on it may be activated by themselves; null for a standalone server."),
    ("server.set_by_maintenance", _HEALTH, _of_mode(_set_by_maintenance),
     "What the requester Maintenance has taken out of service; null for a standalone server."),
    ("server.active_replicated", _HEALTH, _active_replicated,
     "The replicated databases whose active copy it holds."),
    ("host.name", _IDENTITY, _host("name"), "The host's own name."),
    ("host.boot_id", _HEALTH, _host("boot_id"), "Identifies the present start of Windows."),
    ("host.booted_at_utc", _SHOWN, _host("booted_at_utc"), "When Windows was started."),
    ("host.clock_skew_s", _HEALTH, _of_host(_clock_skew_s),
     "Seconds by which the host's clock is ahead of the controller's."),
    ("host.powershell_version", _SHOWN, _host("powershell_version"),
     "The Windows PowerShell version."),
    ("host.is_elevated", _HEALTH, _host("is_elevated"),
     "Whether our session has administrator rights."),
    ("host.exsetup_version", _IDENTITY, _host("exsetup_version"),
     "The version of ExSetup.exe: the reliable build, security updates included."),
    ("host.eseutil_version", _IDENTITY, _host("eseutil_version"), "The version of eseutil.exe."),
    ("host.eseutil_path", _SHOWN, _host("eseutil_path"), "Where eseutil.exe is."),
    ("host.is_reboot_pending", _HEALTH, _host("is_reboot_pending"),
     "Whether Windows waits for a restart."),
    ("host.fencing_number", _HEALTH, _host("fencing_number"),
     "The highest fencing number the host has accepted."),
    ("host.windows_backup.is_installed", _HEALTH, _windows_backup("is_installed"),
     "Whether Windows Server Backup is installed."),
    ("host.windows_backup.is_running", _HEALTH, _windows_backup("is_running"),
     "Whether Windows Server Backup is running a job."),
    ("host.windows_backup.next_scheduled_utc", _SHOWN, _windows_backup("next_scheduled_utc"),
     "When Windows Server Backup runs next; null when nothing is scheduled."),
    ("database.exists", _IDENTITY, _database("name"),
     "Whether the server holds a database of that name."),
    ("database.name", _IDENTITY, _database("name"), "The database's name."),
    ("database.guid", _IDENTITY, _database("guid"), "The database's GUID: what every call uses."),
    ("database.server", _IDENTITY, _database("server"), "The server that holds the active copy."),
    ("database.edb_path", _IDENTITY, _database("edb_path"), "The path of the database file."),
    ("database.log_folder", _IDENTITY, _database("log_folder"), "The folder of its log stream."),
    ("database.log_prefix", _IDENTITY, _database("log_prefix"), "The prefix of its log files."),
    ("database.is_mounted", _HEALTH, _database("is_mounted"), "Whether it is mounted."),
    ("database.mounted_on", _HEALTH, _database("mounted_on"),
     "The server it is mounted on; null when it is not mounted."),
    ("database.is_recovery", _IDENTITY, _database("is_recovery"),
     "Whether it is a recovery database."),
    ("database.copies", _IDENTITY, _database("copies"), "The servers with a copy of it."),
    ("database.copies_count", _IDENTITY, _copies_count, "How many copies it has."),
    ("database.is_replicated", _IDENTITY, _database("is_replicated"),
     "Whether it has more than one copy."),
    ("database.is_circular_logging", _HEALTH, _database("is_circular_logging"),
     "Whether old log files are overwritten, so that nothing can be rolled forward."),
    ("database.is_mount_at_startup", _HEALTH, _database("is_mount_at_startup"),
     "Whether the store mounts it when it starts."),
    ("database.is_backup_running", _HEALTH, _database("is_backup_running"),
     "Whether the store sees a backup of it under way."),
    ("database.last_full_backup_utc", _HEALTH, _database("last_full_backup_utc"),
     "When Exchange last recorded a full backup; null for never. A time stamp proves no backup."),
    ("database.size_bytes", _SHOWN, _database("size_bytes"), "The size Exchange gives."),
    ("database.white_space_bytes", _HEALTH, _database("white_space_bytes"),
     "Free space in the root of the file: the least that a rebuild gives back."),
    ("database.white_space_ratio", _HEALTH, _ratio, "White space as a part of the size, 0 to 1."),
    ("database.has_moves", _HEALTH, _database("has_moves"),
     "Whether a mailbox move into or out of it is under way."),
    ("database.has_repair_requests", _HEALTH, _database("has_repair_requests"),
     "Whether a repair request of it waits or runs."),
    ("database.file_exists", _HEALTH, _file("exists"), "Whether the file is where Exchange says."),
    ("database.file_size_bytes", _SHOWN, _file("size_bytes"), "The file's size on the volume."),
    ("database.file_created_at_utc", _SHOWN, _file("created_at_utc"), "When the file was created."),
    ("database.volume", _SHOWN, _volume("edb_path", "mount_point"), "The volume of the file."),
    ("database.volume_free_bytes", _SHOWN, _volume("edb_path", "free_bytes"),
     "Free space on the file's volume."),
    ("database.volume_is_local", _HEALTH, _volume("edb_path", "is_local"),
     "Whether the file's volume is local."),
    ("database.log_volume_free_bytes", _SHOWN, _volume("log_folder", "free_bytes"),
     "Free space on the volume of the log folder."),
    ("database.log_count", _SHOWN, _logs("count"), "How many log files lie in the log folder."),
    ("database.log_bytes", _SHOWN, _logs("total_bytes"), "What the log files need."),
    ("database.has_open_recovery", _HEALTH, _has_open_recovery,
     "Whether an earlier run left a recovery record open."),
    ("database.signature", _SHOWN, _record("signature"),
     "The database signature our last run saw; null without a record."),
    ("database.verified_at_utc", _HEALTH, _record("verified_at_utc"),
     "When our last error detection on it ended well; null without a record."),
    ("database.rebuilt_at_utc", _HEALTH, _record("rebuilt_at_utc"),
     "When we last rebuilt it; null without a record."),
    ("database.rebuild_goal_met", _HEALTH, _record("rebuild_goal_met"),
     "Whether that rebuild reached its goal; null without a record."),
    ("database.protected_at_utc", _HEALTH, _record("protected_at_utc"),
     "When a backup of the present file was last proved; null without a record."),
    ("database.set_folder", _SHOWN, _record("set_folder"), "Where its last backup set is."),
    ("database.set_taken_at_utc", _SHOWN, _record("set_taken_at_utc"),
     "When its last backup set was taken."),
)  # fmt: skip

FACTS: Mapping[str, Fact] = {
    fact_id: Fact(id=fact_id, fact_class=fact_class, docs=docs, read=read)
    for fact_id, fact_class, read, docs in _ENTRIES
}
