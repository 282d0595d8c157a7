"""What is going to go wrong: faults that tests and the simulation lay out in advance, each used up
when it fires.

Shape: `fired` names those that did, in order.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TypeVar

from attrs import define, field, frozen

T = TypeVar("T")


@frozen(kw_only=True)
class PlannedReboot:
    """A host loses power at a moment."""

    host: str
    at: datetime


@frozen(kw_only=True)
class PlannedBackup:
    """Somebody else starts a backup of some volumes at a moment."""

    host: str
    at: datetime
    volumes: tuple[str, ...]


class Damage(Enum):
    """What happens to a copy without anybody noticing."""

    FLIPPED_BIT = "flipped-bit"
    TORN = "torn-copy"  # its second half never reached the disk


class AgentTrouble(Enum):
    """What a vendor's agent does instead of a backup."""

    RUNNING = "agent-runs-already"
    REFUSES = "agent-refuses"
    FAILS = "agent-fails"
    STRANGE_WORD = "agent-strange-word"  # a state that no mapping names, for ever
    NEVER_ENDS = "agent-never-ends"
    FAKE_STAMP = "agent-fakes-stamp"  # the time stamp moves, and nothing else
    FAKE_COPY = "agent-fakes-copy"  # the writer's whole trail, and no copy
    LEAVES_OUT = "agent-leaves-out"  # it succeeds, without the databases of the host


class ShadowTrouble(Enum):
    """What a backup by diskshadow comes to instead."""

    WRITER_FAILS = "shadow-writer-fails"  # nothing is created
    COPY_FAILS = "shadow-copy-fails"  # half-way, the target takes no more
    NOT_ENDED = "shadow-not-ended"  # copied, and the writer refuses the end
    FAKE_STAMP = "shadow-fakes-stamp"  # the time stamp moves, and no event of the engine
    LEAVES_OUT = "shadow-leaves-out"  # all goes well, without the databases of the host
    STAYS = "shadow-stays"  # its shadow copies cannot be deleted


class NtbackupTrouble(Enum):
    """What a backup by ntbackup comes to instead."""

    RUNNING = "ntbackup-runs-already"
    FAILS = "ntbackup-fails"  # half-way, with a part of its file
    FAKE_FILE = "ntbackup-fakes-file"  # a file of the right size, and no event of the engine
    NO_FILE = "ntbackup-leaves-no-file"  # the engine's whole trail, and no file
    SHORT_FILE = "ntbackup-leaves-short-file"
    FOREIGN = "ntbackup-of-somebody-else"  # whose trail is whole, and ours never came to the engine
    LEAVES_OUT = "ntbackup-leaves-out"  # the streaming files are not read
    NEVER_ENDS = "ntbackup-never-ends"  # a window waits for somebody


@frozen(kw_only=True)
class FailedMount:
    """A mount that fails; it may have begun to write logs by then."""

    error: int
    leaves_logs: bool


@define
class Faults:
    """Faults that wait for their occasion."""

    _mounts: dict[str, list[FailedMount]] = field(factory=dict, alias="mounts")
    _eseutil: dict[str, list[int]] = field(factory=dict, alias="eseutil")
    _copies: list[Damage] = field(factory=list, alias="copies")
    _backups: list[AgentTrouble] = field(factory=list, alias="backups")
    _agents: list[AgentTrouble] = field(factory=list, alias="agents")
    _copy_failures: list[str] = field(factory=list, alias="copy_failures")
    _seed_failures: list[str] = field(factory=list, alias="seed_failures")
    _shadows: list[ShadowTrouble] = field(factory=list, alias="shadows")
    _ntbackups: list[NtbackupTrouble] = field(factory=list, alias="ntbackups")
    _move_refusals: list[str] = field(factory=list, alias="move_refusals")
    stuck_components: set[tuple[str, str]] = field(factory=set)  # host, component
    stuck_queues: set[str] = field(factory=set)
    reboots: list[PlannedReboot] = field(factory=list)
    foreign_backups: list[PlannedBackup] = field(factory=list)
    fired: list[str] = field(factory=list)
    other_words: dict[str, tuple[str, str]] = field(factory=dict)  # by mode of eseutil

    def fail_next_mount(self, database: str, *, error: int, leaves_logs: bool = False) -> None:
        """The next mount of a database (by name) fails with a JET error (-550, -1811, ...), after
        it has written its attachment into the logs when it `leaves_logs`.
        """
        planned = FailedMount(error=error, leaves_logs=leaves_logs)
        self._mounts.setdefault(database, []).append(planned)

    def fail_next_eseutil(self, mode: str, *, error: int) -> None:
        """The next run of a mode (`/d`, `/k`, `/g`) ends with a JET error half way through."""
        self._eseutil.setdefault(mode, []).append(error)

    def flip_bit_in_next_copy(self) -> None:
        """The next copied database has one bit turned in its middle, unnoticed by the copy."""
        self._copies.append(Damage.FLIPPED_BIT)

    def tear_next_copy(self) -> None:
        """The second half of the next copied database never reaches the disk, unnoticed by the
        copy.
        """
        self._copies.append(Damage.TORN)

    def fail_next_backup(self, agent: AgentTrouble = AgentTrouble.FAILS) -> None:
        """The next backup fails; of a vendor's agent, it goes wrong in that way."""
        self._backups.append(agent)

    def trouble_next_agent(self, trouble: AgentTrouble) -> None:
        """The next backup of a vendor's agent goes like this."""
        self._agents.append(trouble)

    def fail_next_resume(self, server: str) -> None:
        """The next passive copy that is resumed on a server cannot be opened, and fails."""
        self._copy_failures.append(server)

    def take_copy_failure(self, server: str) -> bool:
        """Whether this resumed copy is to fail."""
        if server not in self._copy_failures:
            return False
        self._copy_failures.remove(server)
        self.fired.append("copy-fails")
        return True

    def refuse_next_move(self, database: str) -> None:
        """Active Manager refuses the next move of a database's active copy."""
        self._move_refusals.append(database)

    def take_move_refusal(self, database: str) -> bool:
        """Whether this move is refused."""
        if database not in self._move_refusals:
            return False
        self._move_refusals.remove(database)
        self.fired.append("move-refused")
        return True

    def fail_next_seed(self, server: str) -> None:
        """The next seed of a passive copy on a server stops half-way."""
        self._seed_failures.append(server)

    def take_seed_failure(self, server: str) -> bool:
        """Whether this seed is to fail."""
        if server not in self._seed_failures:
            return False
        self._seed_failures.remove(server)
        self.fired.append("seed-fails")
        return True

    def trouble_next_shadow(self, trouble: ShadowTrouble) -> None:
        """The next backup by diskshadow comes to this."""
        self._shadows.append(trouble)

    def trouble_next_ntbackup(self, trouble: NtbackupTrouble) -> None:
        """The next backup by ntbackup comes to this."""
        self._ntbackups.append(trouble)

    def reboot(self, host: str, *, at: datetime) -> None:
        """A host reboots at a moment."""
        self.reboots.append(PlannedReboot(host=host, at=at))

    def start_foreign_backup(self, host: str, *, at: datetime, volumes: tuple[str, ...]) -> None:
        """Somebody else's backup starts at a moment."""
        self.foreign_backups.append(PlannedBackup(host=host, at=at, volumes=volumes))

    def take_mount(self, database: str) -> FailedMount | None:
        """How this mount is to fail."""
        planned = _take(self._mounts, database)
        if planned is not None:
            self.fired.append("mount-fails")
        return planned

    def take_eseutil(self, mode: str) -> int | None:
        """The error that this run is to end with."""
        error = _take(self._eseutil, mode)
        if error is not None:
            self.fired.append("eseutil-error")
        return error

    def take_copy(self) -> Damage | None:
        """How this copy is to be damaged."""
        damage = self._copies.pop(0) if self._copies else None
        if damage is not None:
            self.fired.append(damage.value)
        return damage

    def take_agent(self) -> AgentTrouble | None:
        """What the agent does instead of this backup."""
        if self._agents:
            trouble = self._agents.pop(0)
            self.fired.append(trouble.value)
            return trouble
        if self._backups:
            self.fired.append("backup-fails")
            return self._backups.pop(0)
        return None

    def take_shadow(self) -> ShadowTrouble | None:
        """What a backup by diskshadow comes to instead."""
        if self._shadows:
            trouble = self._shadows.pop(0)
            self.fired.append(trouble.value)
            return trouble
        return ShadowTrouble.COPY_FAILS if self.take_backup() else None

    def take_ntbackup(self) -> NtbackupTrouble | None:
        """What a backup by ntbackup comes to instead."""
        if self._ntbackups:
            trouble = self._ntbackups.pop(0)
            self.fired.append(trouble.value)
            return trouble
        return NtbackupTrouble.FAILS if self.take_backup() else None

    def take_backup(self) -> bool:
        """Whether this backup is to fail."""
        if not self._backups:
            return False
        self._backups.pop(0)
        self.fired.append("backup-fails")
        return True


def _take(planned: dict[str, list[T]], key: str) -> T | None:
    waiting = planned.get(key)
    return waiting.pop(0) if waiting else None
