"""One host of a world: what Windows knows about itself, beside its files."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import define, field

from goexchange.world.certificates import CertificateState
from goexchange.world.chance import guid
from goexchange.world.events import APPLICATION, Event, EventLog
from goexchange.world.files import HostFiles
from goexchange.world.server_mode import ModeState
from goexchange.world.services import ServiceState
from goexchange.world.site import ServerDescription
from goexchange.world.tasks import Sentinel, TaskState

if TYPE_CHECKING:
    from goexchange.world.clusters import Move, NodeState


@define
class ProcessState:
    """A running process; `process_name` as Get-Process has it, without `.exe`."""

    process_name: str
    process_id: int
    started_at: datetime


@define(kw_only=True)
class WindowsBackupState:
    """What Get-WBSummary says."""

    last_success: datetime | None = None
    last_result: int | None = None
    versions: int = 0
    next_scheduled: datetime | None = None


@define(kw_only=True)
class Host:
    """State of one host. A host that is down answers nothing."""

    description: ServerDescription
    seed: int
    files: HostFiles
    booted_at: datetime
    services: dict[str, ServiceState]
    boots: int = 1
    down_until: datetime | None = None
    is_reboot_pending: bool = False
    events: EventLog = field(factory=EventLog)
    tasks: dict[str, TaskState] = field(factory=dict)
    sentinels: dict[str, Sentinel] = field(factory=dict)
    processes: dict[int, ProcessState] = field(factory=dict)
    windows_backup: WindowsBackupState = field(factory=WindowsBackupState)
    loose_folders: set[str] = field(factory=set)
    next_process_id: int = 4712
    mode: ModeState = field(factory=ModeState)
    certificates: list[CertificateState] = field(factory=list)
    node: str = ""  # of a cluster: who owns the server now
    apart: dict[str, NodeState] = field(factory=dict)
    move: Move | None = None

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def machine(self) -> str:
        """The machine's own name: that of the node where the server is clustered."""
        return self.node or self.name

    @property
    def boot_id(self) -> str:
        return str(guid(self.seed, "boot", self.name, self.boots))

    @property
    def is_store_running(self) -> bool:
        return self.services["MSExchangeIS"].state == "Running"

    def start_process(self, process_name: str, now: datetime) -> int:
        """A new process; its id."""
        process_id = self.next_process_id
        self.next_process_id += 4
        self.processes[process_id] = ProcessState(process_name, process_id, now)
        return process_id

    def end_process(self, process_id: int) -> None:
        """A process is gone."""
        self.processes.pop(process_id, None)

    def log(
        self, provider: str, event_id: int, *, at: datetime, text: str, log: str = APPLICATION
    ) -> None:
        """Write to an event log."""
        self.events.write(Event(log=log, provider=provider, event_id=event_id, at=at, text=text))

    def go_down(self, now: datetime, *, boot_s: float) -> None:
        """Power is gone; processes and open files with it."""
        self.down_until = now + timedelta(seconds=boot_s)
        self.processes.clear()
        self.files.release_all()

    def come_up(self, now: datetime) -> None:
        """Windows has started."""
        self.down_until = None
        self.boots += 1
        self.booted_at = now
        self.is_reboot_pending = False
