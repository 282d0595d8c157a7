"""What a simulated site is made of, and the default one.

Units: sizes in bytes unless the name says otherwise, rates in bytes per second, times in seconds.
"""

from __future__ import annotations

from uuid import UUID

from attrs import evolve, field, frozen

from goexchange.model.actual import Generation
from goexchange.world.sharing import Shared

GIB = 1024**3
MIB = 1024**2
PAGE_BYTES = 32768
DOMAIN = "lab.example"


@frozen(kw_only=True)
class VolumeDescription(Shared):
    """A volume by the folder it is mounted at, with the size it claims to have."""

    mount_point: str
    label: str
    size_bytes: int = 600 * GIB
    free_bytes: int = 311 * GIB


@frozen(kw_only=True)
class ShareDescription(Shared):
    """A share that hosts can write to (`\\\\backup01\\exchange$\\`); None as `writers`: every
    account of the site can.
    """

    path: str
    free_bytes: int = 900 * GIB
    writers: tuple[str, ...] | None = None


@frozen(kw_only=True)
class MtaDescription(Shared):
    """The queue database of a message transfer agent at the start: names of queues, numbers of
    objects, and which of them are damaged; `folder` and `tool` where they are not the usual ones.
    """

    queues: tuple[str, ...] = ("XAPI", "X400 Zürich", "MTA.WORKQUEUE")
    objects: tuple[int, ...] = (300596, 300597, 300598)
    broken_queues: tuple[str, ...] = ()
    damaged_objects: tuple[int, ...] = ()
    is_beyond_repair: bool = False
    is_running: bool = True
    folder: str | None = None
    tool: str | None = None


@frozen(kw_only=True)
class ServerDescription(Shared):
    """An Exchange server: `version` is major, minor, build and revision of the installed build;
    `installed_in` its folder when that is not the usual one. Of a machine without Exchange
    (`has_exchange`) neither counts; `programs` are files that lie there.
    """

    name: str
    address: str
    generation: Generation
    version: tuple[int, int, int, int]
    edition: str
    volumes: tuple[VolumeDescription, ...]
    availability_group: str | None = None
    powershell: str = "5.1.20348.2849"  # empty: there is none
    installed_in: str | None = None
    cluster_kind: str = "Disabled"  # of Exchange 2007; Shared and NonShared are clusters
    nodes: tuple[str, ...] = ()  # of a cluster, the owner first; C: is each node's own
    mounts_all_after_move: bool = False  # whatever was dismounted, or is not mounted at startup
    mta: MtaDescription | None = None  # of Exchange 2003
    # component, requester and state, beside what every server has
    components: tuple[tuple[str, str, str], ...] = ()
    activation_policy: str = "Unrestricted"
    node_state: str = "Up"
    has_exchange: bool = True
    programs: tuple[str, ...] = ()

    @property
    def fqdn(self) -> str:
        return f"{self.name.lower()}.{DOMAIN}"

    @property
    def install_folder(self) -> str:
        folder = "C:\\Program Files\\Microsoft\\Exchange Server\\"
        # Source: the vendor's default folders; that of Exchange 2007 has no number.
        later = f"V{self.version[0]}\\" if self.version[0] > 8 else ""
        return self.installed_in or f"{folder}{later}"

    @property
    def eseutil_path(self) -> str:
        return f"{self.install_folder}Bin\\eseutil.exe"

    @property
    def file_version(self) -> str:
        major, minor, build, revision = self.version
        return f"{major}.{minor}.{build}.{revision}"


@frozen(kw_only=True)
class DatabaseDescription(Shared):
    """A mailbox database at the start: `copies` are the servers that hold one, the active one
    first.
    """

    name: str
    copies: tuple[str, ...]
    edb_path: str
    log_folder: str
    log_prefix: str
    pages: int
    free_pages: int
    full_backup_hours_ago: float | None = 20.0
    age_days: int = 400
    is_mounted: bool = True
    is_recovery: bool = False
    is_mount_at_startup: bool = True
    is_circular_logging: bool = False
    closed_logs: int = 4
    corruptions: tuple[tuple[str, tuple[int, ...]], ...] = ()  # by kind, what each pass finds
    mailboxes_left_out: int = 0
    replay_lags_s: tuple[tuple[str, int], ...] = ()  # by server; the others replay at once
    activations_suspended: tuple[tuple[str, str], ...] = ()  # by server somebody's comment
    mailboxes: int = 12
    storage_group: str | None = None  # of Exchange 2007, 2003: one of its own when not given
    is_public_folder: bool = False  # of Exchange 2003, 2007 and 2010
    replication_waiting: int | None = 0  # messages, of such a database; None: nobody counts them
    has_local_copy: bool = False  # local continuous replication of its storage group
    guid: UUID | None = None  # made from the seed when not given


@frozen(kw_only=True)
class GroupDescription(Shared):
    """A database availability group."""

    name: str
    servers: tuple[str, ...]
    witness_server: str


@frozen(kw_only=True)
class UserDescription(Shared):
    """An account; whoever may not use Exchange may still be an administrator of the hosts."""

    name: str
    domain: str = "LAB"
    may_use_exchange: bool = True


VAULT_PASSWORD = "lab-vault-7q"


@frozen(kw_only=True)
class AccountDescription(Shared):
    """An account that jobs may run as.

    Shape: `password` is None for a group managed service account; `logs_on_at` are the hosts where
    it may log on as a batch job, or is installed; only an administrator reads database files.
    """

    user: str
    password: str | None = None
    logs_on_at: tuple[str, ...] = ()
    is_administrator: bool = True


@frozen(kw_only=True)
class Rates(Shared):
    """How fast the hosts work; DB05 of the default site is rebuilt in about six seconds."""

    rebuild: float = 8.0 * MIB
    copy: float = 20.0 * MIB
    checksum: float = 24.0 * MIB
    integrity: float = 20.0 * MIB
    hash: float = 48.0 * MIB
    backup: float = 32.0 * MIB

    def scaled(self, factor: float) -> Rates:
        """All of them faster (or slower) by one factor."""
        return Rates(
            rebuild=self.rebuild * factor,
            copy=self.copy * factor,
            checksum=self.checksum * factor,
            integrity=self.integrity * factor,
            hash=self.hash * factor,
            backup=self.backup * factor,
        )


@frozen(kw_only=True)
class TimeConstants(Shared):
    """How long what has no size takes."""

    cmdlet: float = 0.02
    mount: float = 0.4
    dismount: float = 0.3
    job_start: float = 0.1
    job_floor: float = 0.2
    backup_completion: float = 0.5
    repair_request: float = 0.5
    boot: float = 90.0
    failover: float = 25.0
    copy_resume: float = 1.0
    queues: float = 4.0

    def scaled(self, factor: float) -> TimeConstants:
        """All of them shorter (or longer) by one factor."""
        return TimeConstants(
            cmdlet=self.cmdlet / factor,
            mount=self.mount / factor,
            dismount=self.dismount / factor,
            job_start=self.job_start / factor,
            job_floor=self.job_floor / factor,
            backup_completion=self.backup_completion / factor,
            repair_request=self.repair_request / factor,
            boot=self.boot / factor,
            failover=self.failover / factor,
            copy_resume=self.copy_resume / factor,
            queues=self.queues / factor,
        )


@frozen(kw_only=True)
class SiteDescription(Shared):
    """A whole site at the start; `machines` are hosts without Exchange."""

    servers: tuple[ServerDescription, ...]
    databases: tuple[DatabaseDescription, ...]
    groups: tuple[GroupDescription, ...] = ()
    shares: tuple[ShareDescription, ...] = ()
    users: tuple[UserDescription, ...] = (UserDescription(name="gxadmin"),)
    accounts: tuple[AccountDescription, ...] = ()
    machines: tuple[ServerDescription, ...] = ()
    rates: Rates = field(factory=Rates)
    times: TimeConstants = field(factory=TimeConstants)
    log_bytes: int = MIB
    root: str = "C:\\ProgramData\\goexchange"


def default_site(*, scale: float = 1.0, pace: float = 1.0) -> SiteDescription:
    """Four servers and nine databases of laptop size.

    Shape: `scale` makes the databases smaller (never under 40 pages) and, below 1, the log files
    too; `pace` makes the hosts work faster.
    """
    databases = tuple(_scaled(each, scale) for each in _DATABASES)
    return SiteDescription(
        servers=_SERVERS,
        databases=databases,
        groups=(
            GroupDescription(
                name="DAG1", servers=("EX02", "EX03"), witness_server="fs01.lab.example"
            ),
        ),
        shares=(ShareDescription(path="\\\\backup01\\exchange$\\"),),
        users=(
            UserDescription(name="gxadmin"),
            UserDescription(name="hostadmin", may_use_exchange=False),
        ),
        rates=Rates().scaled(pace),
        times=TimeConstants().scaled(pace),
        log_bytes=MIB if scale >= 1 else 64 * 1024,
    )


def with_old_server(site: SiteDescription, *, scale: float = 1.0) -> SiteDescription:
    """The site with five servers more, all with Windows PowerShell 2.0: EX05 with Exchange 2010,
    EX06 with 2007, EX07 with 2003, EX08 and EX09 with 2010 and members of one availability group.
    """
    return evolve(
        site,
        servers=(*site.servers, *_OLD_SERVERS, SERVER_2003, *_OLD_MEMBERS),
        groups=(*site.groups, _OLD_GROUP),
        databases=(
            *site.databases,
            *(
                _scaled(each, scale)
                for each in (*_OLD_DATABASES, *_DATABASES_2003, *_REPLICATED_2010)
            ),
        ),
    )


def clustered_site(*, scale: float = 1.0, pace: float = 1.0) -> SiteDescription:
    """Two clustered servers of two nodes each: MAIL1 with Exchange 2007, MAIL2 with 2003. Their
    shared disks are D: and L:.
    """
    site = default_site(scale=scale, pace=pace)
    databases = tuple(_scaled(each, scale) for each in _CLUSTERED_DATABASES)
    return evolve(site, servers=_CLUSTERED, databases=databases, groups=())


def with_vault(site: SiteDescription) -> SiteDescription:
    """The site with a share that no host's own account may write to: `LAB\\gx-backup` may, whose
    password a task stores, and the managed account `LAB\\gx-jobs$`. Neither logs on at EX04.
    """
    hosts = tuple(each.name for each in site.servers if each.name != "EX04")
    stored = AccountDescription(
        user="LAB\\gx-backup", password=VAULT_PASSWORD, logs_on_at=hosts
    )
    managed = AccountDescription(user="LAB\\gx-jobs$", logs_on_at=hosts)
    writers = (stored.user, managed.user)
    vault = ShareDescription(path="\\\\backup02\\vault$\\", writers=writers)
    return evolve(site, shares=(*site.shares, vault), accounts=(stored, managed))


def with_backup_server(site: SiteDescription) -> SiteDescription:
    """The site with BKUP01, a machine without Exchange that has a vendor's backup agent."""
    return evolve(site, machines=(*site.machines, BACKUP_SERVER))


def machine(name: str, *, address: str, programs: tuple[str, ...]) -> ServerDescription:
    """A machine without Exchange."""
    volume = VolumeDescription(
        mount_point="C:\\", label="System", size_bytes=200 * GIB, free_bytes=92 * GIB
    )
    return ServerDescription(
        name=name,
        address=address,
        generation=Generation.SUBSCRIPTION_EDITION,  # nobody asks
        version=(0, 0, 0, 0),
        edition="",
        volumes=(volume,),
        has_exchange=False,
        programs=programs,
    )


AGENT_PROGRAM = "C:\\agent\\backup.cmd"
BACKUP_SERVER = machine("BKUP01", address="127.71.0.21", programs=(AGENT_PROGRAM,))


def _scaled(database: DatabaseDescription, scale: float) -> DatabaseDescription:
    pages = max(40, round(database.pages * scale))
    free = pages * database.free_pages // database.pages
    return evolve(database, pages=pages, free_pages=free)


def _server_volumes(*data: tuple[str, str]) -> tuple[VolumeDescription, ...]:
    return (
        VolumeDescription(
            mount_point="C:\\", label="System", size_bytes=200 * GIB, free_bytes=92 * GIB
        ),
        *(VolumeDescription(mount_point=point, label=label) for point, label in data),
        VolumeDescription(
            mount_point="E:\\", label="Sets", size_bytes=2048 * GIB, free_bytes=1400 * GIB
        ),
        VolumeDescription(
            mount_point="F:\\", label="Backup", size_bytes=4096 * GIB, free_bytes=3100 * GIB
        ),
    )


_DATA = (("D:\\", "Data"), ("L:\\", "Logs"))
_SERVERS = (
    ServerDescription(
        name="EX01",
        address="127.71.0.1",
        generation=Generation.EXCHANGE_2019,
        version=(15, 2, 1544, 39),
        edition="Enterprise",
        volumes=_server_volumes(("D:\\", "Data"), ("D:\\Mounts\\DB02\\", "DB02"), ("L:\\", "Logs")),
    ),
    ServerDescription(
        name="EX02",
        address="127.71.0.2",
        generation=Generation.SUBSCRIPTION_EDITION,
        version=(15, 2, 2562, 37),
        edition="Enterprise",
        volumes=_server_volumes(*_DATA),
        availability_group="DAG1",
    ),
    ServerDescription(
        name="EX03",
        address="127.71.0.3",
        generation=Generation.SUBSCRIPTION_EDITION,
        version=(15, 2, 2562, 37),
        edition="Enterprise",
        volumes=_server_volumes(*_DATA),
        availability_group="DAG1",
    ),
    ServerDescription(
        name="EX04",
        address="127.71.0.4",
        generation=Generation.EXCHANGE_2016,
        version=(15, 1, 2507, 66),
        edition="Standard",
        volumes=_server_volumes(*_DATA),
        powershell="5.1.14393.7606",
    ),
)


def _plain(
    name: str, number: int, *copies: str, pages: int, free_pages: int
) -> DatabaseDescription:
    """A database in folders of its own name."""
    return DatabaseDescription(
        name=name,
        copies=copies,
        edb_path=f"D:\\{name}\\{name}.edb",
        log_folder=f"L:\\{name}",
        log_prefix=f"E{number:02d}",
        pages=pages,
        free_pages=free_pages,
    )


_VIP = "Müller & Söhne's Mail [VIP]"
_DATABASES = (
    _plain("DB01", 0, "EX01", pages=382, free_pages=12),
    evolve(
        _plain("DB02", 1, "EX01", pages=254, free_pages=6),
        edb_path="D:\\Mounts\\DB02\\DB02.edb",
        log_folder="D:\\Mounts\\DB02\\Logs",
        full_backup_hours_ago=44.0,
    ),
    evolve(_plain("DB03", 2, "EX01", pages=318, free_pages=25), full_backup_hours_ago=26.0),
    evolve(_plain(_VIP, 3, "EX01", pages=510, free_pages=20), full_backup_hours_ago=21.5),
    evolve(
        _plain("DB05", 4, "EX01", pages=1534, free_pages=690),
        full_backup_hours_ago=22.0,
        age_days=900,
    ),
    evolve(
        _plain("RDB01", 5, "EX01", pages=254, free_pages=0),
        is_mounted=False,
        is_recovery=True,
        is_mount_at_startup=False,
        full_backup_hours_ago=None,
        closed_logs=0,
    ),
    _plain("DB07", 0, "EX02", "EX03", pages=510, free_pages=190),
    _plain("DB08", 1, "EX03", "EX02", pages=254, free_pages=8),
    evolve(_plain("DB09", 0, "EX04", pages=254, free_pages=10), full_backup_hours_ago=30.0),
)
_OLD_SERVERS = (
    ServerDescription(
        name="EX05",
        address="127.71.0.5",
        generation=Generation.EXCHANGE_2010,
        version=(14, 3, 513, 0),
        edition="Standard",
        volumes=_server_volumes(*_DATA),
        powershell="2.0",
    ),
    ServerDescription(
        name="EX06",
        address="127.71.0.6",
        generation=Generation.EXCHANGE_2007,
        version=(8, 3, 83, 6),
        edition="Enterprise",
        volumes=_server_volumes(*_DATA),
        powershell="2.0",
    ),
)
_OLD_GROUP = GroupDescription(
    name="DAG2", servers=("EX08", "EX09"), witness_server="fs02.lab.example"
)
_OLD_MEMBERS = tuple(
    evolve(
        _OLD_SERVERS[0],
        name=name,
        address=f"127.71.0.{number}",
        edition="Enterprise",
        availability_group=_OLD_GROUP.name,
    )
    for number, name in enumerate(_OLD_GROUP.servers, start=8)
)
_REPLICATED_2010 = (
    _plain("DB40", 0, "EX08", "EX09", pages=254, free_pages=9),
    _plain("DB41", 1, "EX09", "EX08", pages=254, free_pages=9),
)
SERVER_2003 = ServerDescription(
    name="EX07",
    address="127.71.0.7",
    generation=Generation.EXCHANGE_2003,
    version=(6, 5, 7638, 1),
    edition="Enterprise",
    volumes=_server_volumes(*_DATA),
    powershell="2.0",
    installed_in="C:\\Program Files\\Exchsrvr\\",
    mta=MtaDescription(broken_queues=("X400 Zürich",), damaged_objects=(300596,)),
)
_SHARED = "Second Storage Group"  # two databases, one log stream
_OLD_DATABASES = (
    evolve(
        _plain("DB10", 0, "EX05", pages=510, free_pages=230),
        corruptions=(("FolderView", (2,)),),
        age_days=900,
    ),
    _plain("DB11", 1, "EX05", pages=254, free_pages=9),
    _plain("DB12", 2, "EX05", pages=254, free_pages=110),
    evolve(
        _plain("DB20", 0, "EX06", pages=4000, free_pages=1900),
        corruptions=(("FolderView", (2,)),),
        storage_group="First Storage Group",
        age_days=1200,
    ),
    evolve(_plain("DB21", 1, "EX06", pages=3000, free_pages=1400), storage_group=_SHARED),
    evolve(
        _plain("DB22", 1, "EX06", pages=1500, free_pages=20),
        log_folder="L:\\DB21",
        storage_group=_SHARED,
    ),
    _plain("DB23", 2, "EX06", pages=1500, free_pages=20),
    evolve(_plain("PF10", 3, "EX05", pages=254, free_pages=110), is_public_folder=True),
    evolve(
        _plain("PF20", 3, "EX06", pages=1500, free_pages=20),
        is_public_folder=True,
        replication_waiting=17,
    ),
)
_DATABASES_2003 = (
    evolve(
        _plain("DB30", 0, "EX07", pages=8000, free_pages=3800),
        corruptions=(("FolderView", (2,)),),
        storage_group="First Storage Group",
        age_days=1500,
    ),
    evolve(_plain("DB31", 1, "EX07", pages=3000, free_pages=40), storage_group=_SHARED),
    evolve(
        _plain("PUB31", 1, "EX07", pages=3000, free_pages=40),
        log_folder="L:\\DB31",
        storage_group=_SHARED,
        is_public_folder=True,
        replication_waiting=None,
    ),
    _plain("DB32", 2, "EX07", pages=3000, free_pages=1400),
)
_CLUSTERED = (
    evolve(
        _OLD_SERVERS[1],
        name="MAIL1",
        address="127.71.0.8",
        cluster_kind="Shared",
        nodes=("NODE1", "NODE2"),
    ),
    evolve(SERVER_2003, name="MAIL2", address="127.71.0.9", nodes=("NODE3", "NODE4"), mta=None),
)
_CLUSTERED_DATABASES = (
    _plain("DB40", 0, "MAIL1", pages=4000, free_pages=1900),
    _plain("DB41", 1, "MAIL1", pages=1500, free_pages=20),
    _plain("DB50", 0, "MAIL2", pages=3000, free_pages=40),
)
