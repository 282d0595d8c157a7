"""The transaction logs of one database: real log files that follow each other."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from goexchange.ese.checkpoint import Checkpoint, write_checkpoint
from goexchange.ese.logs import (
    Attachment,
    BuiltLog,
    LogHeader,
    build_log,
    log_name,
    read_log_header,
)
from goexchange.ese.structures import LogPosition, LogTime, Signature
from goexchange.world.files import HostFiles, join

SECTOR_BYTES = 4096
_LIVE_SEGMENTS = 3
_RESERVE_LOGS = 2
OLD_DIGITS = 5  # of a generation in the name of a log, before Exchange 2007


@define(kw_only=True)
class LogStream:
    """State of a stream: `generation` is that of the current log (`E00.log`)."""

    folder: str
    prefix: str
    signature: Signature
    log_bytes: int
    database_path: str
    database_signature: Signature
    generation: int
    created: LogTime
    previous_created: LogTime = LogTime()
    previous_checksum: int = 0
    current_checksum: int = 0
    digits: int = 8
    users: set[str] = field(factory=set)  # holders of the databases that are mounted on it

    @property
    def current_path(self) -> str:
        return join(self.folder, f"{self.prefix}.log")

    @property
    def checkpoint_path(self) -> str:
        return join(self.folder, f"{self.prefix}.chk")

    @property
    def position(self) -> LogPosition:
        """The end of what has been written."""
        return LogPosition(generation=self.generation, sector=_LIVE_SEGMENTS, byte=0)

    def path_of(self, generation: int) -> str:
        """The file of a closed generation."""
        return join(self.folder, log_name(self.prefix, generation, digits=self.digits))

    def start(self, files: HostFiles) -> None:
        """Write the first current log, the reserve logs and the checkpoint."""
        self._write_current(files)
        for number in range(1, _RESERVE_LOGS + 1):
            is_old = self.digits == OLD_DIGITS
            name = f"res{number}.log" if is_old else f"{self.prefix}res{number:05d}.jrs"
            reserve = join(self.folder, name)
            files.write(reserve, bytes(self.log_bytes))
        self.write_checkpoint(files)

    def look(self, files: HostFiles) -> None:
        """Somebody may have put the logs of another sequence there: go on where they end."""
        if not files.exists(self.current_path):
            return
        header = read_log_header(files.read(self.current_path, 0, SECTOR_BYTES)).header
        if header is None or (header.signature, header.generation) == (
            self.signature,
            self.generation,
        ):
            return
        self.signature, self.generation = header.signature, header.generation
        self.created, self.previous_created = header.created, header.previous_created

    def restart(self, now: datetime) -> None:
        """No log is there any more: a new sequence with a signature of its own begins."""
        random = (self.signature.random * 31 + self.generation) & 0xFFFFFFFF
        self.signature = Signature(random=random, created=LogTime.at(now))
        self.generation = 0
        self.created, self.previous_created = LogTime(), LogTime()
        self.current_checksum = self.previous_checksum = 0

    def roll(self, files: HostFiles, now: datetime) -> None:
        """Close the current log and begin the next generation."""
        if files.exists(self.current_path):
            files.let_go(self.current_path)  # it is the store's own, whichever database uses it
            files.rename(self.current_path, self.path_of(self.generation))
        self.previous_created, self.previous_checksum = self.created, self.current_checksum
        self.generation += 1
        self.created = LogTime.at(now)
        self._write_current(files)

    def hold(self, files: HostFiles) -> None:
        """The store has the current log open for every database that is mounted on the stream."""
        for user in self.users:
            files.hold(self.current_path, user)

    def write_checkpoint(self, files: HostFiles) -> None:
        """Write the checkpoint file: everything before the current generation is in the
        database.
        """
        checkpoint = Checkpoint(
            position=LogPosition(generation=self.generation, sector=1),
            signature=self.signature,
            system_path=self.folder + "\\",
            log_path=self.folder + "\\",
            attachments=(self._attachment(),),
        )
        files.write(self.checkpoint_path, write_checkpoint(checkpoint))

    def truncate(self, files: HostFiles) -> tuple[int, int] | None:
        """Delete the closed logs that the database does not need; the first and last generation
        deleted.
        """
        names = {path.lower(): path for path in files.names_in(self.folder)}
        closed = [
            generation
            for generation in range(1, self.generation)
            if self.path_of(generation).lower() in names
        ]
        for generation in closed:
            files.delete(self.path_of(generation))
        return (closed[0], closed[-1]) if closed else None

    def holds_required(self, files: HostFiles, low: int, high: int) -> bool:
        """Whether every generation of a range is there."""
        return all(
            files.exists(self.current_path if each == self.generation else self.path_of(each))
            for each in range(low, high + 1)
        )

    def _write_current(self, files: HostFiles) -> None:
        built = self._build()
        self.current_checksum = built.accumulated_checksum
        files.write(self.current_path, built.content)

    def _build(self) -> BuiltLog:
        header = LogHeader(
            generation=self.generation,
            file_sectors=self.log_bytes // SECTOR_BYTES,
            created=self.created,
            previous_created=self.previous_created,
            previous_checksum=self.previous_checksum,
            signature=self.signature,
            system_path=self.folder + "\\",
            log_path=self.folder + "\\",
            attachments=(self._attachment(),),
        )
        return build_log(header, live_segments=_LIVE_SEGMENTS)

    def _attachment(self) -> Attachment:
        return Attachment(path=self.database_path, signature=self.database_signature)
