"""The checkpoint of a log stream: where recovery has to start, in two copies.

Source: ESE source, log.hxx; confirmed on ten real files. A hint only: the database's own required
range decides.
"""

from __future__ import annotations

from enum import Enum

from attrs import asdict, evolve, frozen

from goexchange.ese.attachments import Attachment, read_attachments, write_attachments
from goexchange.ese.structures import (
    FILE_TYPE,
    NO_POSITION,
    NO_SIGNATURE,
    POSITION,
    SIGNATURE,
    TIME,
    U8,
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

CHECKPOINT_BYTES = 8192

_COPY_BYTES = 4096
_ATTACHMENTS_OFFSET = 679
_HAS_ATTACHMENTS = 1


@frozen(kw_only=True)
class Checkpoint:
    """What a checkpoint says. `consistency` unset means: the same as `position`."""

    full_backup_checkpoint: LogPosition = NO_POSITION
    position: LogPosition = NO_POSITION
    signature: Signature = NO_SIGNATURE
    system_path: str = ""
    log_path: str = ""
    full_backup: LogPosition = NO_POSITION
    full_backup_time: LogTime = UNSET_TIME
    incremental_backup: LogPosition = NO_POSITION
    incremental_backup_time: LogTime = UNSET_TIME
    version: int = _HAS_ATTACHMENTS
    consistency: LogPosition = NO_POSITION
    file_type: FileType = FileType.CHECKPOINT
    attachments: tuple[Attachment, ...] = ()


_FIELDS: Fields = (
    ("full_backup_checkpoint", 4, POSITION),
    ("position", 12, POSITION),
    ("signature", 20, SIGNATURE),
    ("system_path", 48, text(261)),
    ("log_path", 309, text(261)),
    ("full_backup", 615, POSITION),
    ("full_backup_time", 623, TIME),
    ("incremental_backup", 631, POSITION),
    ("incremental_backup_time", 639, TIME),
    ("version", 647, U8),
    ("consistency", 648, POSITION),
    ("file_type", 667, FILE_TYPE),
)


class CheckpointProblem(Enum):
    """What is wrong with a checkpoint; the first two still leave one good copy."""

    FIRST_BAD = "first-bad"
    SECOND_BAD = "second-bad"
    COPIES_DIFFER = "copies-differ"
    TOO_SHORT = "too-short"
    UNREADABLE = "unreadable"
    NOT_A_CHECKPOINT = "not-a-checkpoint"


@frozen(kw_only=True)
class CheckpointReading:
    """What reading a checkpoint gave. Unknown: `checkpoint` is None when no copy is good."""

    checkpoint: Checkpoint | None
    problems: tuple[CheckpointProblem, ...] = ()


def read_checkpoint(content: bytes) -> CheckpointReading:
    """Read a checkpoint from the start of its file; the copy is chosen as in databases."""
    first, second = content[:_COPY_BYTES], content[_COPY_BYTES:CHECKPOINT_BYTES]
    if len(first) < _COPY_BYTES:
        return _nothing(CheckpointProblem.TOO_SHORT)
    is_first_good, is_second_good = _is_good(first), _is_good(second)
    if not (is_first_good or is_second_good):
        return _nothing(CheckpointProblem.UNREADABLE)
    slot = bytes(first if is_first_good else second)
    checkpoint = Checkpoint(**decode_fields(slot, _FIELDS))
    if checkpoint.file_type not in (FileType.CHECKPOINT, FileType.UNKNOWN):
        return _nothing(CheckpointProblem.NOT_A_CHECKPOINT)
    if checkpoint.version & _HAS_ATTACHMENTS:
        checkpoint = evolve(checkpoint, attachments=read_attachments(slot, _ATTACHMENTS_OFFSET))
    problems = []
    if not is_first_good:
        problems.append(CheckpointProblem.FIRST_BAD)
    elif not is_second_good:
        problems.append(CheckpointProblem.SECOND_BAD)
    elif first != second:
        problems.append(CheckpointProblem.COPIES_DIFFER)
    return CheckpointReading(checkpoint=checkpoint, problems=tuple(problems))


def write_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The 8192 bytes of a checkpoint file: two copies."""
    slot = bytearray(_COPY_BYTES)
    encode_fields(asdict(checkpoint, recurse=False), _FIELDS, into=slot)
    write_attachments(slot, _ATTACHMENTS_OFFSET, checkpoint.attachments)
    return seal_header(slot) * 2


def _is_good(slot: bytes) -> bool:
    is_whole = len(slot) == _COPY_BYTES
    return is_whole and int.from_bytes(slot[:4], "little") == header_checksum(slot)


def _nothing(problem: CheckpointProblem) -> CheckpointReading:
    return CheckpointReading(checkpoint=None, problems=(problem,))
