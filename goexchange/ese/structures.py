"""The small structures that ESE headers are made of, and how each lies in a buffer.

Shape: little-endian, packed. Decoding never fails on odd values (a damaged header is still shown),
only on short buffers.
Source: ESE source, daedef.hxx and log.hxx; month numbers are 1-12 in real files, whatever the
comment there says.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from attrs import field, frozen
from attrs.validators import max_len, min_len

MAGIC = 0x89ABCDEF
TIME_BYTES = 8


def xor_of_dwords(buffer: bytes | bytearray | memoryview) -> int:
    """XOR of all little-endian 32-bit words of a buffer.

    Raises: ValueError unless the length is a power of two from 4 on.
    """
    width = len(buffer) * 8
    if width < 32 or width & (width - 1):
        raise ValueError(f"length must be a power of two from 4 bytes on, not {len(buffer)}")
    folded = int.from_bytes(buffer, "little")
    while width > 32:
        width //= 2
        folded = (folded >> width) ^ (folded & ((1 << width) - 1))
    return folded


def header_checksum(slot: bytes | bytearray | memoryview) -> int:
    """Checksum of a header slot: every word of the whole slot but the first, seeded with the magic.

    Source: ESE source, fileu.cxx. The slot is as long as a page, not as the structure in it.
    """
    return xor_of_dwords(slot) ^ int.from_bytes(slot[:4], "little") ^ MAGIC


def seal_header(slot: bytearray) -> bytes:
    """The slot with its checksum in place."""
    struct.pack_into("<I", slot, 0, header_checksum(slot))
    return bytes(slot)


@frozen(kw_only=True, order=True)
class LogPosition:
    """A place in the log stream; ordered by generation, sector, byte."""

    generation: int = 0
    sector: int = 0
    byte: int = 0

    def __str__(self) -> str:
        return f"(0x{self.generation:X},{self.sector:X},{self.byte:X})"


@frozen
class LogTime:
    """A time as ESE writes it; kept as its eight bytes, by which chains of logs are compared."""

    raw: bytes = field(default=bytes(TIME_BYTES), validator=[min_len(8), max_len(8)])

    @classmethod
    def at(cls, moment: datetime, *, is_os_snapshot: bool = False) -> LogTime:
        """The structure for a time with a zone (written as UTC, to the millisecond)."""
        utc = moment.astimezone(UTC)
        milliseconds = utc.microsecond // 1000
        low = 1 | (milliseconds & 0x7F) << 1
        high = int(is_os_snapshot) | (milliseconds >> 7) << 1
        fields = (utc.second, utc.minute, utc.hour, utc.day, utc.month, utc.year - 1900, low, high)
        return cls(bytes(fields))

    @property
    def is_set(self) -> bool:
        return any(self.raw)

    @property
    def is_utc(self) -> bool:
        return bool(self.raw[6] & 1)

    @property
    def milliseconds(self) -> int:
        return (self.raw[6] >> 1) | ((self.raw[7] >> 1) & 7) << 7

    def to_datetime(self) -> datetime | None:
        """The time, in UTC when it says so and without a zone when it is local.

        Unknown: None when unset or not a date.
        """
        second, minute, hour, day, month, year = self.raw[:6]
        zone = UTC if self.is_utc else None
        try:
            return datetime(
                year + 1900, month, day, hour, minute, second, self.milliseconds * 1000, zone
            )
        except ValueError:
            return None


UNSET_TIME = LogTime()
NO_POSITION = LogPosition()


@frozen(kw_only=True)
class Signature:
    """Random number, creation time and computer name that mark one file or one log stream."""

    random: int = 0
    created: LogTime = UNSET_TIME
    computer: str = ""

    @property
    def is_set(self) -> bool:
        return self != Signature()


NO_SIGNATURE = Signature()


@frozen(kw_only=True)
class BackupRecord:
    """One line of a database's backup history."""

    mark: LogPosition = NO_POSITION
    marked_at: LogTime = UNSET_TIME
    first_generation: int = 0
    last_generation: int = 0

    @property
    def is_set(self) -> bool:
        return self != BackupRecord()


NO_BACKUP = BackupRecord()


@frozen(kw_only=True)
class Tally:
    """A count, the time of its last increase, and the count before the last defragmentation."""

    count: int = 0
    last_time: LogTime = UNSET_TIME
    old_count: int = 0


NO_TALLY = Tally()


class FileType(IntEnum):
    """What a file says it is (byte 667 of each header)."""

    UNKNOWN = 0
    DATABASE = 1
    STREAMING = 2
    LOG = 3
    CHECKPOINT = 4
    TEMPORARY_DATABASE = 5
    TRACE = 6
    FLUSH_MAP = 7
    CACHED = 8
    CACHING = 9
    SNAPSHOT = 10
    REVERT_CHECKPOINT = 11
    ILLEGAL = -1


@frozen
class Layout:
    """How one kind of value lies in a buffer."""

    size: int
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]

    def read(self, buffer: bytes, offset: int) -> Any:
        """The value at an offset."""
        return self.decode(bytes(buffer[offset : offset + self.size]))


def _number(code: str) -> Layout:
    packer = struct.Struct("<" + code)
    return Layout(packer.size, lambda raw: packer.unpack(raw)[0], packer.pack)


def _read_position(raw: bytes) -> LogPosition:
    byte, sector, generation = struct.unpack("<HHi", raw)
    return LogPosition(generation=generation, sector=sector, byte=byte)


def _write_position(position: LogPosition) -> bytes:
    return struct.pack("<HHi", position.byte, position.sector, position.generation)


def _read_signature(raw: bytes) -> Signature:
    return Signature(
        random=int.from_bytes(raw[:4], "little"),
        created=LogTime(raw[4:12]),
        computer=raw[12:28].rstrip(b"\0").decode("latin-1"),
    )


def _write_signature(signature: Signature) -> bytes:
    computer = signature.computer.encode("latin-1", "replace")[:16].ljust(16, b"\0")
    return struct.pack("<I", signature.random) + signature.created.raw + computer


def _read_backup(raw: bytes) -> BackupRecord:
    first, last = struct.unpack("<II", raw[16:])
    return BackupRecord(
        mark=_read_position(raw[:8]),
        marked_at=LogTime(raw[8:16]),
        first_generation=first,
        last_generation=last,
    )


def _write_backup(record: BackupRecord) -> bytes:
    generations = struct.pack("<II", record.first_generation, record.last_generation)
    return _write_position(record.mark) + record.marked_at.raw + generations


def _read_tally(raw: bytes) -> Tally:
    count, last_time, old_count = struct.unpack("<I8sI", raw)
    return Tally(count=count, last_time=LogTime(last_time), old_count=old_count)


def _write_tally(tally: Tally) -> bytes:
    return struct.pack("<I8sI", tally.count, tally.last_time.raw, tally.old_count)


def _read_text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1")


def text(size: int) -> Layout:
    """Layout of a zero-terminated path of at most `size` bytes."""

    def write(value: str) -> bytes:
        return value.encode("latin-1", "replace")[: size - 1].ljust(size, b"\0")

    return Layout(size, _read_text, write)


def enumeration(kind: type[IntEnum], *, otherwise: IntEnum) -> Layout:
    """Layout of a 32-bit number with names; a number without one reads as `otherwise`."""

    def decode(raw: bytes) -> IntEnum:
        try:
            return kind(int.from_bytes(raw, "little"))
        except ValueError:
            return otherwise

    return Layout(4, decode, lambda value: struct.pack("<i", value))


U8 = _number("B")
U16 = _number("H")
U32 = _number("I")
I32 = _number("i")
U64 = _number("Q")
POSITION = Layout(8, _read_position, _write_position)
TIME = Layout(8, LogTime, lambda moment: moment.raw)
SIGNATURE = Layout(28, _read_signature, _write_signature)
BACKUP = Layout(24, _read_backup, _write_backup)
TALLY = Layout(16, _read_tally, _write_tally)
FILE_TYPE = enumeration(FileType, otherwise=FileType.ILLEGAL)

Fields = tuple[tuple[str, int, Layout], ...]


def decode_fields(buffer: bytes, fields: Fields) -> dict[str, Any]:
    """Values by name."""
    return {name: layout.read(buffer, offset) for name, offset, layout in fields}


def encode_fields(values: dict[str, Any], fields: Fields, *, into: bytearray) -> None:
    """Write the named values where they belong; fields without a value keep their bytes."""
    for name, offset, layout in fields:
        if name in values:
            into[offset : offset + layout.size] = layout.encode(values[name])
