"""The body of a log of format 7 (Exchange 2000 to 2010): a chain of checksum records.

Shape: the first record lies right behind the header. Each covers the bytes before it in its sector
and those after it up to the end of its range, which is a part of one sector or any number of whole
ones, and says where the next record is.
Source: ESE source, _log/logread_legacy.cxx. No real file of the format was at hand: the rules are
those of the published source, tried on our own writer only.
"""

from __future__ import annotations

import hashlib
import struct

from attrs import frozen

from goexchange.ese.space import Reader

SECTOR_SIZES = (512, 1024, 2048, 4096)
HEADER_BYTES_MIN = 4096
RECORD_BYTES = 22

_LAYOUT = struct.Struct("<BIIIIIB")
_TYPE = 42
_SHORT_IN_USE, _SHORT_NOT_IN_USE = 0x9A, 0xD1
_SEED, _SHORT_SEED, _SHADOW_SEED = 0xFEEDBEAF, 0xDEADC0DE, 0x5AD05EC7
_CHUNK_BYTES = 1024 * 1024
_FILL = b"\xda"


@frozen(kw_only=True)
class LogGeometry:
    """What the header says that the body is checked against."""

    generation: int
    sector_bytes: int
    header_bytes: int
    file_bytes: int

    @property
    def is_possible(self) -> bool:
        """A sector size that the format has, and a header that fits into whole sectors."""
        return self.sector_bytes in SECTOR_SIZES and self.header_bytes >= HEADER_BYTES_MIN


@frozen(kw_only=True)
class RecordChain:
    """How far the chain holds.

    Shape: `records` that are good; `first_bad_sector` where it breaks, None when it reaches its
    end; `is_repairable` when the broken record is a torn last write with a good shadow behind it.
    """

    records: int
    first_bad_sector: int | None = None
    is_repairable: bool = False


@frozen
class _Record:
    """A checksum record and where it lies; the values are as in the file."""

    offset: int
    kind: int
    backward: int
    forward: int
    distance: int
    checksum: int
    short_checksum: int
    flag: int

    def range_bytes(self, sector_bytes: int) -> int:
        """From the start of its sector to the end of its range."""
        return self.offset % sector_bytes + RECORD_BYTES + self.forward


def check_records(read: Reader, geometry: LogGeometry) -> RecordChain:
    """Follow the chain to its end or its first break.

    Time: that of the bytes that are there; each record lies in a later sector than the one before.
    """
    good, offset = 0, geometry.header_bytes
    while True:
        record = _record_at(read, offset)
        if record is None or not _is_good(read, record, geometry):
            sector = offset // geometry.sector_bytes
            return RecordChain(
                records=good,
                first_bad_sector=sector,
                is_repairable=_has_shadow(read, offset, geometry),
            )
        good += 1
        if record.distance == 0:
            return RecordChain(records=good)
        offset += RECORD_BYTES + record.distance


def build_records(geometry: LogGeometry, ranges: tuple[int, ...], *, seed: bytes = b"") -> bytes:
    """A body of ranges of so many sectors each, filler in them, and a shadow behind the last.

    Raises: ValueError when they do not fit.
    """
    sector, used = geometry.sector_bytes, sum(ranges) * geometry.sector_bytes
    room = geometry.file_bytes - geometry.header_bytes
    if not ranges or min(ranges) < 1 or used + sector > room:
        raise ValueError(f"{ranges} sectors and a shadow do not fit into {room} bytes")
    body = bytearray(hashlib.shake_128(b"records" + seed).digest(used))
    starts = [sum(ranges[:index]) * sector for index in range(len(ranges))]
    # Records move about in their sectors, so that both parts of a range are in use.
    places = [start + index * 40 % (sector // 2) for index, start in enumerate(starts)]
    for index, (place, count) in enumerate(zip(places, ranges, strict=True)):
        following = places[index + 1] - place - RECORD_BYTES if index + 1 < len(places) else 0
        flag = _SHORT_IN_USE if count > 1 else _SHORT_NOT_IN_USE
        forward = starts[index] + count * sector - place - RECORD_BYTES
        record = _Record(place, _TYPE, place % sector, forward, following, 0, 0, flag)
        _write(body, record, geometry)
    last = bytearray(body[starts[-1] : starts[-1] + sector])
    if ranges[-1] == 1:
        at = places[-1] % sector
        (stored,) = struct.unpack_from("<I", last, at + 13)
        struct.pack_into("<I", last, at + 13, stored ^ _SHADOW_SEED)
        body += last
    return bytes(body.ljust(room, _FILL))


def _write(body: bytearray, record: _Record, geometry: LogGeometry) -> None:
    def read(offset: int, length: int) -> bytes:
        return bytes(body[offset : offset + length])

    checksum = _checksum(read, record, geometry, is_short=False)
    has_short = record.flag == _SHORT_IN_USE
    short = _checksum(read, record, geometry, is_short=True) if has_short else 0
    values = (record.backward, record.forward, record.distance, checksum, short, record.flag)
    _LAYOUT.pack_into(body, record.offset, _TYPE, *values)


def _record_at(read: Reader, offset: int) -> _Record | None:
    raw = read(offset, RECORD_BYTES)
    return _Record(offset, *_LAYOUT.unpack(raw)) if len(raw) == RECORD_BYTES else None


def _is_good(read: Reader, record: _Record, geometry: LogGeometry) -> bool:
    if not _is_possible(record, geometry):
        return False
    if record.flag == _SHORT_IN_USE:
        short = _checksum(read, record, geometry, is_short=True)
        if short != record.short_checksum:
            return False
    return _checksum(read, record, geometry, is_short=False) == record.checksum


def _is_possible(record: _Record, geometry: LogGeometry) -> bool:
    """The engine's tests of a record's own numbers, before it believes its checksum."""
    sector = geometry.sector_bytes
    place = record.offset % sector
    covered = record.range_bytes(sector)
    if record.kind != _TYPE or place + RECORD_BYTES > sector:
        return False
    if record.backward not in (0, place) or record.offset + RECORD_BYTES + record.forward > (
        geometry.file_bytes
    ):
        return False
    is_multiple = covered > sector
    if record.flag == _SHORT_IN_USE:
        if not is_multiple or covered % sector:
            return False
    elif record.flag != _SHORT_NOT_IN_USE or record.short_checksum or is_multiple:
        return False
    if record.distance == 0:
        return True
    # Another record follows: in the sector right behind this range, which has to be whole sectors.
    following = record.offset + RECORD_BYTES + record.distance
    is_next = following // sector == record.offset // sector + covered // sector
    return covered >= sector and covered % sector == 0 and is_next


def _has_shadow(read: Reader, offset: int, geometry: LogGeometry) -> bool:
    """The next sector is a copy of a last write of one sector, marked as a copy."""
    behind = offset + geometry.sector_bytes
    shadow = _record_at(read, behind)
    if shadow is None or shadow.flag != _SHORT_NOT_IN_USE or shadow.distance:
        return False
    if not _is_possible(shadow, geometry):
        return False
    return _checksum(read, shadow, geometry, is_short=False) ^ _SHADOW_SEED == shadow.checksum


def _checksum(read: Reader, record: _Record, geometry: LogGeometry, *, is_short: bool) -> int:
    """Over the bytes on both sides of the record and its numbers; the short one ends with the
    record's own sector, whatever its range.
    """
    forward = record.forward
    if is_short:
        forward = geometry.sector_bytes - record.offset % geometry.sector_bytes - RECORD_BYTES
    folded = _xor(read, record.offset - record.backward, record.backward)
    folded ^= _xor(read, record.offset + RECORD_BYTES, forward)
    numbers = record.backward ^ record.forward ^ record.distance ^ record.flag
    seed = _SHORT_SEED if is_short else _SEED
    return seed ^ folded ^ numbers ^ (geometry.generation & 0xFFFFFFFF)


def _xor(read: Reader, offset: int, length: int) -> int:
    """XOR of the 32-bit words of a range, counted from its own start, zeros behind its end.

    Unknown: -1, which no checksum is, when the file ends before the range does.
    """
    import numpy as np

    folded = 0
    while length > 0:
        part = read(offset, min(length, _CHUNK_BYTES))
        if not part:
            return -1
        words = np.frombuffer(part + bytes(-len(part) % 4), dtype="<u4")
        folded ^= int(np.bitwise_xor.reduce(words))
        offset, length = offset + len(part), length - len(part)
    return folded
