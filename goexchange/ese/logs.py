"""Transaction logs: names, header, and the segments of format 8 with their accumulated checksum.

Source: ESE source, log.hxx and _log/; numbers confirmed on 33 real logs and 25 neighbouring pairs
of them. Of format 7 (Exchange 2010 and older) no real body was at hand: see log_records.
"""

from __future__ import annotations

import hashlib
import re
import struct
from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen

from goexchange.ese.attachments import Attachment as Attachment
from goexchange.ese.attachments import read_attachments, write_attachments
from goexchange.ese.log_records import LogGeometry, build_records, check_records
from goexchange.ese.pages import NEW_CHECKSUM_FLAG, checksums_of, seal_pages
from goexchange.ese.space import Reader
from goexchange.ese.structures import (
    FILE_TYPE,
    I32,
    NO_POSITION,
    NO_SIGNATURE,
    POSITION,
    SIGNATURE,
    TIME,
    U8,
    U16,
    U32,
    U64,
    UNSET_TIME,
    Fields,
    FileType,
    LogPosition,
    LogTime,
    Signature,
    decode_fields,
    encode_fields,
    header_checksum,
    seal_header,
    text,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOG_HEADER_BYTES = 4096
SEGMENT_BYTES = 4096
SEGMENTED_MAJOR = 8
RECORDS_MAJOR = 7

_ATTACHMENTS_OFFSET = 671
_SEGMENT_HEADER_BYTES = 40
_CHUNK_SEGMENTS = 1024
_CIRCULAR_FLAG = 2


@frozen(kw_only=True)
class LogHeader:
    """What a log says about itself.

    Shape: `previous_created` is the raw creation time of the generation before; `previous_checksum`
    its accumulated checksum, 0 where not recorded (format 8 before update 13, and the first log).
    """

    generation: int
    sector_bytes: int = 4096
    header_sectors: int = 1
    file_sectors: int = 256
    database_page_size: int = 32768
    created: LogTime = UNSET_TIME
    previous_created: LogTime = UNSET_TIME
    major: int = SEGMENTED_MAJOR
    minor: int = 4000
    update_major: int = 60
    signature: Signature = NO_SIGNATURE
    system_path: str = ""
    log_path: str = ""
    parameter_flags: int = 0
    sessions: int = 0
    open_tables: int = 0
    version_pages: int = 0
    cursors: int = 0
    log_buffers: int = 0
    log_file_sectors: int = 0
    cache_pages: int = 0
    flags: int = 0
    checkpoint: LogPosition = NO_POSITION
    update_minor: int = 140
    sector_note: int = 0
    previous_checksum: int = 0
    engine_format_version: int = 9160
    file_type: FileType = FileType.LOG
    attachments: tuple[Attachment, ...] = ()

    @property
    def file_bytes(self) -> int:
        """The size that the file must have."""
        return self.file_sectors * self.sector_bytes

    @property
    def is_segmented(self) -> bool:
        """Body of format 8 (Exchange 2013 on)."""
        return self.major == SEGMENTED_MAJOR and self.sector_bytes == SEGMENT_BYTES

    @property
    def geometry(self) -> LogGeometry:
        """What a body of format 7 is checked against."""
        return LogGeometry(
            generation=self.generation,
            sector_bytes=self.sector_bytes,
            header_bytes=self.header_sectors * self.sector_bytes,
            file_bytes=self.file_bytes,
        )

    @property
    def is_circular(self) -> bool:
        return bool(self.flags & _CIRCULAR_FLAG)


_FIELDS: Fields = (
    ("generation", 4, I32),
    ("sector_bytes", 8, U16),
    ("header_sectors", 10, U16),
    ("file_sectors", 12, U16),
    ("database_page_size", 14, U16),
    ("created", 16, TIME),
    ("previous_created", 24, TIME),
    ("major", 32, U32),
    ("minor", 36, U32),
    ("update_major", 40, U32),
    ("signature", 44, SIGNATURE),
    ("system_path", 72, text(261)),
    ("log_path", 333, text(261)),
    ("parameter_flags", 594, U8),
    ("sessions", 595, U32),
    ("open_tables", 599, U32),
    ("version_pages", 603, U32),
    ("cursors", 607, U32),
    ("log_buffers", 611, U32),
    ("log_file_sectors", 615, U32),
    ("cache_pages", 619, U32),
    ("flags", 639, U8),
    ("checkpoint", 640, POSITION),
    ("update_minor", 648, U32),
    ("sector_note", 652, U8),
    ("previous_checksum", 653, U64),
    ("engine_format_version", 661, U32),
    ("file_type", 667, FILE_TYPE),
)


class LogProblem(Enum):
    """What is wrong with a log header."""

    TOO_SHORT = "too-short"
    CHECKSUM = "checksum"
    NOT_A_LOG = "not-a-log"


@frozen(kw_only=True)
class LogReading:
    """What reading a log header gave.

    Unknown: `header` is None unless its checksum is right and it is one of a log.
    """

    header: LogHeader | None
    problem: LogProblem | None = None
    checksum_stored: int = 0
    checksum_computed: int = 0


@frozen(kw_only=True)
class LogBody:
    """The segments of a log of format 8, or the checksum records of one of format 7.

    Shape: of segments, `live` carry data of this generation (`correctable` of them after one bit is
    turned back); `empty`, `shadow` and `leftover` (of an older generation, in a recycled file)
    carry none.
    `accumulated_checksum` is what the next log's header must state. Of records, `live` are good,
    `first_bad_segment` is the sector where their chain breaks, nothing else is counted. Unknown:
    with `is_checked` false nothing but the header was judged.
    """

    is_checked: bool = True
    is_of_records: bool = False
    live: int = 0
    correctable: int = 0
    empty: int = 0
    shadow: int = 0
    leftover: int = 0
    bad: int = 0
    is_repairable: bool = False
    is_out_of_order: bool = False
    accumulated_checksum: int = 0
    first_bad_segment: int | None = None

    @property
    def is_good(self) -> bool:
        """Usable for replay as it is, or after the engine's own repair of its last write."""
        return self.is_checked and not self.is_out_of_order and (not self.bad or self.is_repairable)


class LogFileKind(Enum):
    """What a file name says about a file of a log stream."""

    ARCHIVED = "archived"
    CURRENT = "current"
    TEMPORARY = "temporary"
    RESERVE = "reserve"


@frozen
class LogName:
    """A name in a log stream, taken apart; only archived logs have a generation in their name."""

    base: str
    kind: LogFileKind
    generation: int | None = None


_NAMES = (
    (LogFileKind.RESERVE, re.compile(r"(res)[12]\.log|(...)res[0-9a-f]{5}\.jrs", re.IGNORECASE)),
    (LogFileKind.TEMPORARY, re.compile(r"(...)tmp\.(?:log|jtx)", re.IGNORECASE)),
    (
        LogFileKind.ARCHIVED,
        re.compile(r"(...)([0-9a-f]{8}|[0-9a-f]{5})\.(?:log|jtx)", re.IGNORECASE),
    ),
    (LogFileKind.CURRENT, re.compile(r"(...)\.(?:log|jtx)", re.IGNORECASE)),
)


def parse_log_name(name: str) -> LogName | None:
    """The parts of a log's file name, or None when it is not one."""
    for kind, pattern in _NAMES:
        match = pattern.fullmatch(name)
        if match is None:
            continue
        base = next(each for each in match.groups() if each is not None)
        generation = int(match.group(2), 16) if kind is LogFileKind.ARCHIVED else None
        return LogName(base, kind, generation)
    return None


def log_name(base: str, generation: int, *, digits: int = 8) -> str:
    """Name of an archived log: of eight digits since Exchange 2007, of five before."""
    return f"{base}{generation:0{digits}X}.log"


def read_log_header(start: bytes) -> LogReading:
    """Read the header from the first 4096 bytes of a log; there is no second copy of it."""
    slot = bytes(start[:LOG_HEADER_BYTES])
    if len(slot) < LOG_HEADER_BYTES:
        return LogReading(header=None, problem=LogProblem.TOO_SHORT)
    stored, computed = int.from_bytes(slot[:4], "little"), header_checksum(slot)
    attachments = read_attachments(slot, _ATTACHMENTS_OFFSET)
    header = LogHeader(**decode_fields(slot, _FIELDS), attachments=attachments)
    problem = None
    if stored != computed:
        problem = LogProblem.CHECKSUM
    elif header.file_type not in (FileType.LOG, FileType.UNKNOWN) or header.major not in (7, 8):
        problem = LogProblem.NOT_A_LOG
    return LogReading(
        header=None if problem else header,
        problem=problem,
        checksum_stored=stored,
        checksum_computed=computed,
    )


def write_log_header(header: LogHeader) -> bytes:
    """The 4096 bytes of a log header."""
    slot = bytearray(LOG_HEADER_BYTES)
    encode_fields(asdict(header, recurse=False), _FIELDS, into=slot)
    write_attachments(slot, _ATTACHMENTS_OFFSET, header.attachments)
    return seal_header(slot)


def check_log_body(read: Reader, header: LogHeader) -> LogBody:
    """Judge the body of a log, which may be shorter than its header says.

    Source: ESE source, _log/logread.cxx: what each segment may be, and in which order.
    """
    if header.major == RECORDS_MAJOR and header.geometry.is_possible:
        return _body_of_records(read, header)
    if not header.is_segmented:
        return LogBody(is_checked=False)
    import numpy as np

    kinds, accumulated, correctable = [np.zeros(0, dtype=np.uint8)], 0, 0
    segment = 1
    while segment < header.file_sectors:
        wanted = min(_CHUNK_SEGMENTS, header.file_sectors - segment)
        content = read(segment * SEGMENT_BYTES, wanted * SEGMENT_BYTES)
        whole = len(content) // SEGMENT_BYTES
        if whole:
            judged = _judge_segments(content[: whole * SEGMENT_BYTES], segment, header.generation)
            kinds.append(judged.kinds)
            accumulated ^= judged.accumulated
            correctable += judged.correctable
        if whole < wanted:
            break
        segment += whole
    return _body_of(np.concatenate(kinds), accumulated, correctable)


@frozen(kw_only=True)
class BuiltLog:
    """A complete log file, and what the next log's header has to state about it."""

    content: bytes
    accumulated_checksum: int


def build_record_log(header: LogHeader, ranges: tuple[int, ...], *, seed: bytes = b"") -> BuiltLog:
    """A log file of format 7 with one checksum record for each range of so many sectors.

    Raises: ValueError when they do not fit.
    """
    body = build_records(header.geometry, ranges, seed=seed)
    slot = write_log_header(header).ljust(header.geometry.header_bytes, b"\0")
    return BuiltLog(content=slot + body, accumulated_checksum=0)


def build_log(header: LogHeader, *, live_segments: int = 0, seed: bytes = b"") -> BuiltLog:
    """A log file of format 8 with so many segments of filler; the rest is empty.

    Raises: ValueError when the segments do not fit; the last segment of a file never holds data.
    """
    if not 0 <= live_segments <= header.file_sectors - 2:
        raise ValueError(f"{live_segments} segments do not fit into {header.file_sectors} sectors")
    room = SEGMENT_BYTES - _SEGMENT_HEADER_BYTES
    noise = hashlib.shake_128(b"log" + struct.pack("<i", header.generation) + seed)
    content = noise.digest(room * live_segments)
    body = bytearray()
    for index in range(live_segments):
        position = LogPosition(generation=header.generation, sector=index + 1)
        body += bytes(8) + POSITION.encode(position) + header.created.raw + bytes(12)
        body += struct.pack("<I", NEW_CHECKSUM_FLAG) + content[index * room : (index + 1) * room]
    if body:
        seal_pages(body, 1, SEGMENT_BYTES)
    accumulated = 0
    for start in range(0, len(body), SEGMENT_BYTES):
        accumulated ^= int.from_bytes(body[start : start + 8], "little")
    whole = write_log_header(header) + bytes(body)
    return BuiltLog(content=whole.ljust(header.file_bytes, b"\0"), accumulated_checksum=accumulated)


def _body_of_records(read: Reader, header: LogHeader) -> LogBody:
    chain = check_records(read, header.geometry)
    return LogBody(
        is_of_records=True,
        live=chain.records,
        bad=0 if chain.first_bad_sector is None else 1,
        is_repairable=chain.is_repairable,
        first_bad_segment=chain.first_bad_sector,
    )


_LIVE, _EMPTY, _SHADOW, _LEFTOVER, _BAD, _BEYOND = range(6)


@frozen(kw_only=True)
class _Judged:
    kinds: NDArray[Any] = field(eq=False)
    accumulated: int
    correctable: int


def _judge_segments(content: bytes, first: int, generation: int) -> _Judged:
    import numpy as np

    from goexchange.ese.checksums import single_bits

    words = np.frombuffer(content, dtype="<u8").reshape(-1, SEGMENT_BYTES // 8)
    indices = np.arange(first, first + len(words), dtype=np.uint64)
    stored, computed, _ = checksums_of(words, indices)
    own, other = stored[:, 0], computed[:, 0]
    bits = single_bits(own, other, SEGMENT_BYTES)
    corrected = (bits >= _SEGMENT_HEADER_BYTES * 8) & (own != other)
    is_good = (own == other) | corrected
    generations = words[:, 1] >> np.uint64(32)
    sectors = (words[:, 1] >> np.uint64(16)) & np.uint64(0xFFFF)
    # The number is part of the XOR half only, so a shadow of the segment before differs by exactly
    # those two numbers.
    is_shadow = own == other ^ indices ^ (indices - np.uint64(1))
    is_blank = ~words.any(axis=1)
    kinds = np.full(len(words), _BAD, dtype=np.uint8)
    kinds[is_shadow] = _SHADOW
    kinds[is_blank] = _EMPTY
    kinds[is_good & ~is_blank] = _LEFTOVER
    is_live = is_good & ~is_blank & (generations == np.uint64(generation & 0xFFFFFFFF))
    kinds[is_live] = _LIVE
    kinds[is_live & (sectors > indices)] = _BEYOND
    live = kinds == _LIVE
    return _Judged(
        kinds=kinds,
        accumulated=int(np.bitwise_xor.reduce(own[live])) if live.any() else 0,
        correctable=int(np.count_nonzero(live & corrected)),
    )


def _body_of(kinds: NDArray[Any], accumulated: int, correctable: int) -> LogBody:
    import numpy as np

    def count(kind: int) -> int:
        return int(np.count_nonzero(kinds == kind))

    bad = np.flatnonzero(kinds == _BAD)
    # The engine repairs a torn last write from the shadow that follows it.
    has_next = len(bad) > 0 and int(bad[-1]) + 1 < len(kinds)
    is_repairable = bool(has_next and (kinds[bad + 1] == _SHADOW).all())
    idle = np.flatnonzero(np.isin(kinds, (_EMPTY, _SHADOW, _LEFTOVER)))
    live = np.flatnonzero(kinds == _LIVE)
    resumes = bool(len(idle) and len(live) and live[-1] > idle[0])
    return LogBody(
        live=len(live),
        correctable=correctable,
        empty=count(_EMPTY),
        shadow=count(_SHADOW),
        leftover=count(_LEFTOVER),
        bad=len(bad),
        is_repairable=is_repairable,
        is_out_of_order=resumes or count(_BEYOND) > 0,
        accumulated_checksum=accumulated,
        first_bad_segment=int(bad[0]) + 1 if len(bad) else None,
    )
