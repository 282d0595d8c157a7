"""The actual state: what was observed on the hosts, each value known or Unknown."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen

from goexchange.model.certificates import Certificate
from goexchange.model.copies import ActualCopy, ActualGroup
from goexchange.model.history import Timing
from goexchange.model.server import ServerMode
from goexchange.model.unknown import Unknown


class Generation(Enum):
    """Product generations of Exchange Server, by version number (Source: build table of the
    vendor's documentation).
    """

    EXCHANGE_2003 = "2003"
    EXCHANGE_2007 = "2007"
    EXCHANGE_2010 = "2010"
    EXCHANGE_2013 = "2013"
    EXCHANGE_2016 = "2016"
    EXCHANGE_2019 = "2019"
    SUBSCRIPTION_EDITION = "SE"


WITHOUT_CMDLETS = (Generation.EXCHANGE_2003,)
"""Generations without any Exchange channel: only the host can be asked."""


@frozen(kw_only=True)
class Volume:
    """A volume of a host, by the folder it is mounted at (`D:\\` or a mount point, always with a
    trailing backslash).
    """

    mount_point: str
    label: str
    size_bytes: int
    free_bytes: int
    is_local: bool


@frozen(kw_only=True)
class Service:
    """A Windows service: state and start type in Windows' own words (Running, Stopped; Automatic,
    Manual, Disabled).
    """

    name: str
    state: str
    start_type: str


@frozen(kw_only=True)
class AskedService:
    """A service that was asked for by its name.

    Shape: `service` is None when the host has none of the name; `near` are then names of its
    services that may be meant.
    """

    name: str
    service: Service | None
    near: tuple[str, ...] = ()


@frozen(kw_only=True)
class ScheduledTask:
    """A scheduled task that looks like a backup or is ours; `actions` are command lines."""

    name: str
    state: str
    actions: tuple[str, ...]
    next_run_utc: datetime | None


@frozen(kw_only=True)
class RunningProcess:
    """A process of the closed list we look for (backup engines, eseutil, Exchange setup)."""

    name: str
    process_id: int
    started_at_utc: datetime | None


@frozen(kw_only=True)
class HostEvent:
    """One entry of a Windows event log that a guard or a proof reads; `text` is bounded to 1 000
    characters.
    """

    log: str
    provider: str
    event_id: int
    at_utc: datetime
    text: str


@frozen(kw_only=True)
class FileFacts:
    """What the file system says of one file of interest."""

    path: str
    exists: bool
    size_bytes: int | None
    created_at_utc: datetime | None
    modified_at_utc: datetime | None


@frozen(kw_only=True)
class LogFolder:
    """Log files of one stream: how many, how large, the generations by name."""

    folder: str
    count: int
    total_bytes: int


@frozen(kw_only=True)
class WindowsBackup:
    """Windows Server Backup on the host. `is_running` and times from Get-WBSummary and Get-WBJob.
    """

    is_installed: bool
    is_running: bool
    last_success_utc: datetime | None
    last_result: int | None
    next_scheduled_utc: datetime | None


class LookKind(Enum):
    """What a run of ours looked at; a closed list."""

    PAGES = "pages"  # every page checksum of the dismounted file
    STRUCTURE = "structure"  # the integrity of the dismounted file
    LOGICAL = "logical"  # the store's own detection, mounted
    CORRECTED = "corrected"  # the same, and what was found was corrected
    SPACE = "space"  # the space inside the dismounted file
    QUEUES = "queues"  # the queue database of the message transfer agent
    SERVER = "server"  # no look: maintenance of the whole server, which ended well


LOOKS_AT_A_FILE = (LookKind.PAGES, LookKind.STRUCTURE, LookKind.SPACE)
"""Looks that say nothing of another file that takes the place of the one they were at."""


@frozen(kw_only=True)
class Look:
    """The last look of one kind, and what it found.

    Shape: `recoverable_bytes` is there for the kind SPACE alone: what a rebuild would give back.
    """

    kind: LookKind
    at_utc: datetime
    errors: int
    warnings: int = 0
    recoverable_bytes: int | None = None


@frozen(kw_only=True)
class DatabaseRecord:
    """What the last run of ours left on the host about one database (`procedure` 1: read back as
    facts).
    """

    database_guid: str
    database: str
    run: str
    signature: str | None
    verified_at_utc: datetime | None
    rebuilt_at_utc: datetime | None
    rebuild_gain_bytes: int | None
    rebuild_goal_met: bool | None
    set_folder: str | None
    set_digest: str | None
    set_taken_at_utc: datetime | None
    protected_at_utc: datetime | None
    timings: tuple[Timing, ...] = ()  # of the last runs, oldest first
    looks: tuple[Look, ...] = ()  # the last one of each kind, whatever it found
    repaired_at_utc: datetime | None = None  # mounted after a repair that may have lost data


@frozen(kw_only=True)
class OpenRecovery:
    """A recovery record that still lies open on the host: a run began there and has not closed it.
    """

    run: str
    database_guid: str | None
    opened_at_utc: datetime
    phase: str


@frozen(kw_only=True)
class ReplicationQueue:
    """Replication messages that wait to be worked into a database with public folders, by the name
    of the store's performance counter.
    """

    name: str
    waiting: int


@frozen(kw_only=True)
class ClusterNode:
    """A node of a failover cluster, with the cluster's word for its state: `Up`, `Paused`."""

    name: str
    state: str


@frozen(kw_only=True)
class ActualHost:
    """What the Windows channel said of a host, all in one observation."""

    observed_at_utc: datetime
    name: str
    boot_id: str
    booted_at_utc: datetime
    clock_utc: datetime
    powershell_version: str
    is_elevated: bool
    exsetup_version: str | Unknown
    eseutil_version: str | Unknown
    eseutil_path: str | Unknown
    volumes: tuple[Volume, ...] | Unknown
    services: tuple[Service, ...] | Unknown
    tasks: tuple[ScheduledTask, ...] | Unknown
    processes: tuple[RunningProcess, ...] | Unknown
    files: tuple[FileFacts, ...] | Unknown
    log_folders: tuple[LogFolder, ...] | Unknown
    storage_events: tuple[HostEvent, ...] | Unknown
    backup_events: tuple[HostEvent, ...] | Unknown
    windows_backup: WindowsBackup | Unknown
    is_reboot_pending: bool | Unknown
    fencing_number: int | Unknown
    records: tuple[DatabaseRecord, ...] | Unknown
    open_recoveries: tuple[OpenRecovery, ...] | Unknown
    replication_queues: tuple[ReplicationQueue, ...] | Unknown = Unknown("it was not asked for")
    # those that a specification wants stopped; empty when nobody asked
    asked_services: tuple[AskedService, ...] | Unknown = ()
    # every node of its failover cluster; None when nobody asked
    cluster_nodes: tuple[ClusterNode, ...] | None | Unknown = None


@frozen(kw_only=True)
class ActualDatabase:
    """What the Exchange channel said of one mailbox database, or of one with public folders.

    Unknown: a property that Exchange left empty although it was asked with `-Status` is Unknown,
    never False or zero.
    `last_full_backup_utc` is None when Exchange says *never* (mounted, status read, empty) and
    Unknown otherwise.
    `replication_backlog` counts the replication messages that the store has still to work into a
    database with public folders; None for a mailbox database, which has no such thing.
    Units: `size_bytes` is that of all files that make up the database.
    """

    name: str
    guid: str
    server: str
    edb_path: str
    log_folder: str
    log_prefix: str | Unknown
    is_mounted: bool | Unknown
    mounted_on: str | None | Unknown
    is_recovery: bool | Unknown
    copies: tuple[str, ...] | Unknown
    is_replicated: bool | Unknown
    is_circular_logging: bool | Unknown
    is_mount_at_startup: bool | Unknown
    is_backup_running: bool | Unknown
    last_full_backup_utc: datetime | None | Unknown
    size_bytes: int | Unknown
    white_space_bytes: int | Unknown
    has_moves: bool | Unknown
    has_repair_requests: bool | Unknown
    storage_group: str | None = None  # of Exchange 2007 and 2003
    is_public_folder: bool = False  # of Exchange 2010 and 2007; later ones have mailboxes for them
    replication_backlog: int | Unknown | None = None
    streaming_path: str | None = None  # of Exchange 2003: the second file of the same database


NOT_ASKED = Unknown("it was not asked for")


@frozen(kw_only=True)
class StorageGroup:
    """A storage group of Exchange 2007 or 2003, with databases or without: its logs are theirs."""

    name: str
    log_folder: str | Unknown
    is_recovery: bool | Unknown


@frozen(kw_only=True)
class PublicStore:
    """A public folder store of Exchange 2003: it is never worked on, and its logs may be those of a
    mailbox database too.
    """

    name: str
    storage_group: str
    edb_path: str
    log_folder: str
    log_prefix: str | Unknown
    is_mounted: bool | Unknown


@frozen(kw_only=True)
class ActualMta:
    """The message transfer agent of a server, and the folder of its queue database.

    Shape: `dependents` are the services that depend on it; `taken_out` counts what an earlier
    check has left in `mtacheck.out`; `events` are those of the MTA that the vendor names with the
    tool.
    Unknown: a path that was not found where the service's own program says it must be.
    """

    service: Service
    dependents: tuple[Service, ...]
    tool: str | Unknown
    data_folder: str | Unknown
    files: int
    size_bytes: int
    taken_out: int
    events: tuple[HostEvent, ...]


@frozen(kw_only=True)
class Cluster:
    """A failover cluster of Exchange 2007 or 2003: `Shared` storage is a single copy that moves
    from one node to another, `NonShared` is replicated between them.
    """

    kind: str
    nodes: tuple[str, ...]


@frozen(kw_only=True)
class ActualServer:
    """One Exchange server as observed; `databases` are those whose active copy it holds or should
    hold.

    Shape: `copies` are the copies that it holds, active and passive, and all copies of the
    databases that were asked for by name; none, and no `group`, for a standalone server.
    `mta` is None where there is none, `mode` where the server is no member of a group; versions
    from 2010 on have no storage groups.
    Unknown: all of these in facts of versions that did not ask; `certificates` but for
    the resource check.
    """

    name: str
    fqdn: str
    observed_at_utc: datetime
    generation: Generation | Unknown
    build: str | Unknown
    edition: str | Unknown
    availability_group: str | None | Unknown
    databases: tuple[ActualDatabase, ...] | Unknown
    host: ActualHost | Unknown
    group: ActualGroup | None | Unknown = NOT_ASKED
    copies: tuple[ActualCopy, ...] | Unknown = NOT_ASKED
    mta: ActualMta | None | Unknown = NOT_ASKED
    cluster: Cluster | None | Unknown = None
    public_stores: tuple[PublicStore, ...] | Unknown = ()
    mode: ServerMode | None | Unknown = NOT_ASKED
    certificates: tuple[Certificate, ...] | Unknown = NOT_ASKED
    storage_groups: tuple[StorageGroup, ...] | Unknown = ()


@frozen(kw_only=True)
class ActualState:
    """Everything that one observation brought, servers in order of their names."""

    observed_at_utc: datetime
    servers: tuple[ActualServer, ...]
