"""What the tool is told about the site and about itself: inventory, connections, configuration.

Units: durations are seconds (`_s`), sizes are bytes, rates are bytes per second. No secret is
ever held here, only references to where one is kept.
"""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen

from goexchange.errors import Place
from goexchange.model.actual import Generation as Generation  # one list for hints and facts


class SecretKind(Enum):
    """Where a secret is kept."""

    ENVIRONMENT = "env"
    KEYRING = "keyring"
    FILE = "file"
    COMMAND = "exec"
    VAULT = "vault"
    PROMPT = "prompt"


@frozen(kw_only=True)
class SecretReference:
    """Where a secret is kept; its value is resolved by the transport and never enters the model.

    Shape: `locator` is what follows the colon (`NAME`, `service/user`, `/path`, `path#field`); it
    is empty for `prompt` and for `exec`, whose program and arguments are `command`.
    """

    kind: SecretKind
    locator: str = ""
    command: tuple[str, ...] = ()
    place: Place | None = field(default=None, eq=False, repr=False)

    def __str__(self) -> str:
        if self.kind is SecretKind.PROMPT:
            return "prompt"
        if self.kind is SecretKind.COMMAND:
            return f"exec:{self.command[0]}"
        return f"{self.kind.value}:{self.locator}"


class Scheme(Enum):
    """Whether a channel is inside TLS."""

    HTTP = "http"
    HTTPS = "https"


class ExchangeAuthentication(Enum):
    """How the Exchange endpoint knows us."""

    KERBEROS = "kerberos"
    BASIC = "basic"


class WindowsTransport(Enum):
    """How the Windows channel knows us."""

    KERBEROS = "kerberos"
    NTLM = "ntlm"
    BASIC = "basic"
    CERTIFICATE = "certificate"


@frozen(kw_only=True)
class ExchangeChannel:
    """How the Exchange endpoint is reached; `host` None means the server's address."""

    authentication: ExchangeAuthentication
    scheme: Scheme
    port: int
    path: str
    host: str | None = None

    @property
    def protection(self) -> str:
        """What keeps its messages from being read; plain ones are refused in the inventory."""
        return _protection(self.scheme, self.authentication.value)


@frozen(kw_only=True)
class WindowsChannel:
    """How WinRM is reached.

    Shape: `host` is None when it is the server's address; certificate and key are files of the
    controller, needed for the transport `certificate` only.
    """

    transport: WindowsTransport
    scheme: Scheme
    port: int
    path: str
    host: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None

    @property
    def protection(self) -> str:
        """What keeps its messages from being read; plain ones are refused in the inventory."""
        return _protection(self.scheme, self.transport.value)


def _protection(scheme: Scheme, known_by: str) -> str:
    """TLS, or the sealing of messages that Kerberos and NTLM bring along."""
    if scheme is Scheme.HTTPS:
        return "inside TLS"
    name = known_by.upper() if known_by == "ntlm" else known_by.capitalize()
    return f"over http, its messages sealed by {name}"


@frozen(kw_only=True)
class Timeouts:
    """How long the transport waits to connect, for bytes, and for one operation."""

    connect_s: int
    read_s: int
    operation_s: int


@frozen(kw_only=True)
class ConnectionProfile:
    """How a server is reached and as whom; without a username by Kerberos ticket."""

    name: str
    exchange: ExchangeChannel
    windows: WindowsChannel
    username: str | None
    password: SecretReference | None
    ca_file: str | None
    timeouts: Timeouts
    place: Place


@frozen(kw_only=True)
class ServerEntry:
    """A server of the inventory and how it is reached.

    Shape: `connection` is complete: the server's own settings over its profile's over the built-in
    ones; `generation` is a hint for before the first observation, None when not given. A machine
    has no Exchange, so no endpoint of it is ever asked.
    """

    name: str
    address: str
    site: str | None
    availability_group: str | None
    generation: Generation | None
    connection: ConnectionProfile
    place: Place
    has_exchange: bool = True


@frozen(kw_only=True)
class MachineEntry:
    """A machine that is no Exchange server (a backup server, a verifier), and how it is reached."""

    name: str
    address: str
    connection: ConnectionProfile
    place: Place

    @property
    def as_host(self) -> ServerEntry:
        """The machine as whoever speaks with hosts takes it."""
        return ServerEntry(
            name=self.name,
            address=self.address,
            site=None,
            availability_group=None,
            generation=None,
            connection=self.connection,
            place=self.place,
            has_exchange=False,
        )


class Weekday(Enum):
    """Days on which a window opens."""

    MONDAY = "MON"
    TUESDAY = "TUE"
    WEDNESDAY = "WED"
    THURSDAY = "THU"
    FRIDAY = "FRI"
    SATURDAY = "SAT"
    SUNDAY = "SUN"


@frozen(kw_only=True)
class TimeOfDay:
    """A wall-clock time, minutes precise."""

    hour: int
    minute: int

    def __str__(self) -> str:
        return f"{self.hour:02}:{self.minute:02}"


CERTIFICATES_END_WITHIN_S = 30 * 86400  # how long before its end the check warns of one

EVERY_WEEK = (1, 2, 3, 4, 5)


@frozen(kw_only=True)
class Window:
    """When maintenance may run.

    Shape: it opens at `opens` on each of `days` and closes at the next `closes`; `zone` is an
    IANA name; a `closes` that is not after `opens` is on the following day. `weeks` are the weeks
    of the month that count: 2 with Tuesday is the second Tuesday of each month.
    """

    name: str
    zone: str
    days: tuple[Weekday, ...]
    opens: TimeOfDay
    closes: TimeOfDay
    place: Place
    weeks: tuple[int, ...] = EVERY_WEEK


class OtherWorkKind(Enum):
    """What somebody else does to servers at known times."""

    PATCHING = "patching"
    REBOOT = "reboot"
    BACKUP = "backup"
    OTHER = "other"


@frozen(kw_only=True)
class OtherWork:
    """Somebody else's work on servers at known times; nothing of ours overlaps it.

    Shape: `when` has the name of the work; `servers` are names, selectors resolved.
    """

    kind: OtherWorkKind
    servers: tuple[str, ...]
    when: Window


@frozen(kw_only=True)
class Site:
    """A named place of servers; its zone is the default of nothing, it is shown beside times."""

    name: str
    zone: str | None
    description: str | None
    place: Place


@frozen(kw_only=True)
class AvailabilityGroup:
    """An availability group and its members' names."""

    name: str
    servers: tuple[str, ...]
    place: Place


@frozen(kw_only=True)
class ServerGroup:
    """A named selection of servers, with other groups, sites and availability groups resolved."""

    name: str
    servers: tuple[str, ...]
    place: Place


@frozen(kw_only=True)
class Share:
    """A backup target as hosts name it.

    Shape: `mounted_at` is where the controller reaches it itself, None where it does not;
    `account` is whom the jobs run as that touch it, None for the computer account of the host; a
    name with `$` at its end is a group managed service account, every other one has a `credential`.
    """

    path: str
    mounted_at: str | None
    place: Place
    account: str | None = None
    credential: SecretReference | None = None


@frozen(kw_only=True)
class Rates:
    """Stated default rates, used until history knows better."""

    copy_bytes_per_s: int
    rebuild_bytes_per_s: int
    verify_bytes_per_s: int
    repair_bytes_per_s: int
    backup_bytes_per_s: int


@frozen(kw_only=True)
class SentinelNotice:
    """Whom a host tells by itself when a controller falls silent with a database down; no secret is
    in it.
    """

    mail_server: str | None = None
    mail_from: str | None = None
    mail_to: tuple[str, ...] = ()
    webhook: str | None = None


@frozen(kw_only=True)
class Inventory:
    """The site: everything that specifications may name.

    Shape: `document_digest` is the SHA-256 (hex) over the normalised trees of all inventory
    documents; `verifier` names one of `machines`, which reaches the backup targets and runs
    `goexchange verify` itself.
    """

    document_digest: str
    sites: tuple[Site, ...]
    servers: tuple[ServerEntry, ...]
    machines: tuple[MachineEntry, ...]
    availability_groups: tuple[AvailabilityGroup, ...]
    groups: tuple[ServerGroup, ...]
    windows: tuple[Window, ...]
    shares: tuple[Share, ...]
    verifier: str | None
    mount_confirm_after_s: int
    low_space_threshold_bytes: int
    host_root: str
    rates: Rates
    other_work: tuple[OtherWork, ...] = ()
    sentinel: SentinelNotice = SentinelNotice()
    certificates_end_within_s: int = CERTIFICATES_END_WITHIN_S

    @property
    def hosts(self) -> tuple[ServerEntry, ...]:
        """Everything that can be spoken with: the servers, and the machines without Exchange."""
        return (*self.servers, *(each.as_host for each in self.machines))

    def is_machine(self, name: str) -> bool:
        """Whether a host of that name is a machine without Exchange."""
        return any(each.name == name for each in self.machines)


class Origin(Enum):
    """Where a setting came from, strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    PROFILE = "profile"
    FILE = "file"
    BUILT_IN = "built-in"


@frozen(kw_only=True)
class Setting:
    """One setting as text; `source` is the flag, variable or place it came from."""

    name: str
    value: str
    origin: Origin
    source: str


class MailSecurity(Enum):
    """How a connection to a mail server is protected."""

    STARTTLS = "starttls"  # refused when the server has none
    TLS = "tls"
    NONE = "none"


@frozen(kw_only=True)
class MailServer:
    """A mail server that takes our messages; without a username it is not asked for one."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    username: str | None
    password: SecretReference | None
    ca_file: str | None


@frozen(kw_only=True)
class NotifyChannel:
    """A way to reach people: a mail server, or an address.

    Shape: exactly one of `url` and `mail`; the address is a secret because such addresses carry
    tokens. `http` and `https` are webhooks, other schemes are sent through apprise.
    """

    name: str
    url: SecretReference | None
    mail: MailServer | None
    place: Place


@frozen(kw_only=True)
class UrgentNotices:
    """Who is told of what must not stay unseen when a specification says nothing about it."""

    to: tuple[str, ...]
    channels: tuple[str, ...]


@frozen(kw_only=True)
class Configuration:
    """The settings of this invocation, every default explicit.

    Shape: `settings` lists the same values with their origins, sorted by name, for `config show
    --origin`.
    """

    profile: str | None
    store: str
    leases: str
    output_folder: str
    inventory: str
    specifications: str
    template_folder: str | None
    report_formats: tuple[str, ...]
    heartbeat_every_s: int
    lease_expires_after_s: int
    notify_channels: tuple[NotifyChannel, ...]
    notify_urgent: UrgentNotices
    settings: tuple[Setting, ...]
