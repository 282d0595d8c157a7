"""The database header: its fields, reading it from its two copies, writing one.

Source: ESE source, daedef.hxx (layout), fileu.cxx (choice between the copies), dbdump.cxx (names of
states).
"""

from __future__ import annotations

from enum import Enum, IntEnum

from attrs import asdict, fields, frozen

from goexchange.ese.structures import (
    BACKUP,
    FILE_TYPE,
    I32,
    MAGIC,
    NO_BACKUP,
    NO_POSITION,
    NO_SIGNATURE,
    NO_TALLY,
    POSITION,
    SIGNATURE,
    TALLY,
    TIME,
    U32,
    U64,
    UNSET_TIME,
    BackupRecord,
    Fields,
    FileType,
    LogPosition,
    LogTime,
    Signature,
    Tally,
    decode_fields,
    encode_fields,
    enumeration,
    header_checksum,
    seal_header,
)

PAGE_SIZES = (2048, 4096, 8192, 16384, 32768)
HEADER_SLOTS = 2
LEGACY_PAGE_SIZE = 4096
FORMAT_VERSION = 0x620


class DatabaseState(IntEnum):
    """Shutdown state; only CLEAN_SHUTDOWN may be copied, defragmented or moved."""

    ILLEGAL = 0
    JUST_CREATED = 1
    DIRTY_SHUTDOWN = 2
    CLEAN_SHUTDOWN = 3
    BEING_CONVERTED = 4
    FORCE_DETACH = 5
    INCREMENTAL_RESEED = 6
    DIRTY_AND_PATCHED_SHUTDOWN = 7
    REVERT_IN_PROGRESS = 8


class BackupKind(IntEnum):
    """How a backup in the history was made."""

    NORMAL = 0
    OS_SNAPSHOT = 1
    SNAPSHOT = 2
    ILLEGAL = -1


_STATE = enumeration(DatabaseState, otherwise=DatabaseState.ILLEGAL)
_KIND = enumeration(BackupKind, otherwise=BackupKind.ILLEGAL)


@frozen(kw_only=True)
class DatabaseHeader:
    """What a database says about itself.

    Shape: the page count is not in it. `log_*` generations are 0 when clean. `log_committed_time`
    and `log_required_time` are the creation times of those two generations, a proof that logs and
    database belong together.
    """

    magic: int = MAGIC
    format_version: int = FORMAT_VERSION
    attribute: int = 0
    dbtime: int = 0
    signature: Signature = NO_SIGNATURE
    state: DatabaseState = DatabaseState.CLEAN_SHUTDOWN
    last_consistent: LogPosition = NO_POSITION
    last_consistent_time: LogTime = UNSET_TIME
    last_attach_time: LogTime = UNSET_TIME
    last_attach: LogPosition = NO_POSITION
    last_detach_time: LogTime = UNSET_TIME
    last_detach: LogPosition = NO_POSITION
    dbid: int = 1
    log_signature: Signature = NO_SIGNATURE
    previous_full_backup: BackupRecord = NO_BACKUP
    previous_incremental_backup: BackupRecord = NO_BACKUP
    current_full_backup: BackupRecord = NO_BACKUP
    flags: int = 0
    last_objid: int = 0
    os_major: int = 0
    os_minor: int = 0
    os_build: int = 0
    os_service_pack: int = 0
    format_update_major: int = 20
    page_size: int = 32768
    repair_count: int = 0
    repair_time: LogTime = UNSET_TIME
    scrub_dbtime: int = 0
    scrub_time: LogTime = UNSET_TIME
    log_required_low: int = 0
    log_required_high: int = 0
    upgrade_pages: int = 0
    upgrade_pages_freed: int = 0
    upgrade_pages_space_map: int = 0
    current_snapshot_backup: BackupRecord = NO_BACKUP
    created_version: int = FORMAT_VERSION
    created_update_major: int = 20
    log_committed_time: LogTime = UNSET_TIME
    previous_full_backup_kind: BackupKind = BackupKind.NORMAL
    previous_incremental_backup_kind: BackupKind = BackupKind.NORMAL
    old_repair_count: int = 0
    ecc_fix_success: Tally = NO_TALLY
    ecc_fix_failure: Tally = NO_TALLY
    bad_checksum: Tally = NO_TALLY
    log_committed: int = 0
    previous_copy_backup: BackupRecord = NO_BACKUP
    previous_differential_backup: BackupRecord = NO_BACKUP
    previous_copy_backup_kind: BackupKind = BackupKind.NORMAL
    previous_differential_backup_kind: BackupKind = BackupKind.NORMAL
    reseed: Tally = NO_TALLY
    patch: Tally = NO_TALLY
    nls_version: int = 0xFFFFFFFFFFFFFFFF
    scan_finished_time: LogTime = UNSET_TIME
    scan_started_time: LogTime = UNSET_TIME
    scan_continuous_page: int = 0
    log_recovering: int = 0
    extend_count: int = 0
    extend_time: LogTime = UNSET_TIME
    shrink_count: int = 0
    shrink_time: LogTime = UNSET_TIME
    last_reattach_time: LogTime = UNSET_TIME
    last_reattach: LogPosition = NO_POSITION
    trim_count: int = 0
    header_flush_signature: Signature = NO_SIGNATURE
    map_flush_signature: Signature = NO_SIGNATURE
    log_consistent: int = 0
    format_update_minor: int = 0
    engine_format_version: int = 0
    scan_page: int = 0
    last_resize: LogPosition = NO_POSITION
    file_type: FileType = FileType.DATABASE
    log_required_time: LogTime = UNSET_TIME
    log_consistent_before_redo: int = 0
    log_required_before_redo: int = 0
    snapshot_flush_signature: Signature = NO_SIGNATURE

    @property
    def is_clean(self) -> bool:
        """Clean shutdown with no log required."""
        return self.state is DatabaseState.CLEAN_SHUTDOWN and self.log_required_high == 0

    @property
    def is_temporary(self) -> bool:
        """A temporary database, whose pages carry no checksums."""
        just_created = self.state is DatabaseState.JUST_CREATED and self.dbid == 0
        return self.file_type is FileType.TEMPORARY_DATABASE or just_created

    @property
    def is_repaired(self) -> bool:
        """`eseutil /p` was run on it, or on what it was defragmented from."""
        return self.repair_count > 0 or self.old_repair_count > 0

    @property
    def has_shadow(self) -> bool:
        return not self.flags & 1


_FIELDS: Fields = (
    ("magic", 4, U32),
    ("format_version", 8, U32),
    ("attribute", 12, I32),
    ("dbtime", 16, U64),
    ("signature", 24, SIGNATURE),
    ("state", 52, _STATE),
    ("last_consistent", 56, POSITION),
    ("last_consistent_time", 64, TIME),
    ("last_attach_time", 72, TIME),
    ("last_attach", 80, POSITION),
    ("last_detach_time", 88, TIME),
    ("last_detach", 96, POSITION),
    ("dbid", 104, U32),
    ("log_signature", 108, SIGNATURE),
    ("previous_full_backup", 136, BACKUP),
    ("previous_incremental_backup", 160, BACKUP),
    ("current_full_backup", 184, BACKUP),
    ("flags", 208, U32),
    ("last_objid", 212, U32),
    ("os_major", 216, U32),
    ("os_minor", 220, U32),
    ("os_build", 224, U32),
    ("os_service_pack", 228, U32),
    ("format_update_major", 232, U32),
    ("page_size", 236, U32),
    ("repair_count", 240, U32),
    ("repair_time", 244, TIME),
    ("scrub_dbtime", 280, U64),
    ("scrub_time", 288, TIME),
    ("log_required_low", 296, I32),
    ("log_required_high", 300, I32),
    ("upgrade_pages", 304, I32),
    ("upgrade_pages_freed", 308, I32),
    ("upgrade_pages_space_map", 312, I32),
    ("current_snapshot_backup", 316, BACKUP),
    ("created_version", 340, U32),
    ("created_update_major", 344, U32),
    ("log_committed_time", 348, TIME),
    ("previous_full_backup_kind", 356, _KIND),
    ("previous_incremental_backup_kind", 360, _KIND),
    ("old_repair_count", 364, U32),
    ("ecc_fix_success", 368, TALLY),
    ("ecc_fix_failure", 384, TALLY),
    ("bad_checksum", 400, TALLY),
    ("log_committed", 416, I32),
    ("previous_copy_backup", 420, BACKUP),
    ("previous_differential_backup", 444, BACKUP),
    ("previous_copy_backup_kind", 468, _KIND),
    ("previous_differential_backup_kind", 472, _KIND),
    ("reseed", 476, TALLY),
    ("patch", 492, TALLY),
    ("nls_version", 508, U64),
    ("scan_finished_time", 516, TIME),
    ("scan_started_time", 524, TIME),
    ("scan_continuous_page", 532, U32),
    ("log_recovering", 536, I32),
    ("extend_count", 540, U32),
    ("extend_time", 544, TIME),
    ("shrink_count", 552, U32),
    ("shrink_time", 556, TIME),
    ("last_reattach_time", 564, TIME),
    ("last_reattach", 572, POSITION),
    ("trim_count", 580, U32),
    ("header_flush_signature", 584, SIGNATURE),
    ("map_flush_signature", 612, SIGNATURE),
    ("log_consistent", 640, I32),
    ("format_update_minor", 644, U32),
    ("engine_format_version", 648, U32),
    ("scan_page", 652, U32),
    ("last_resize", 656, POSITION),
    ("file_type", 667, FILE_TYPE),
    ("log_required_time", 672, TIME),
    ("log_consistent_before_redo", 680, I32),
    ("log_required_before_redo", 684, I32),
    ("snapshot_flush_signature", 688, SIGNATURE),
)


class HeaderCopy(Enum):
    """Which of the two copies was used."""

    PRIMARY = "primary"
    SHADOW = "shadow"
    NONE = "none"


class HeaderProblem(Enum):
    """What is wrong with a database header; the first two still leave one good copy."""

    PRIMARY_BAD = "primary-bad"
    SHADOW_BAD = "shadow-bad"
    COPIES_DIFFER = "copies-differ"
    TOO_SHORT = "too-short"
    UNREADABLE = "unreadable"
    MAGIC_WRONG = "magic-wrong"
    VERSION_UNKNOWN = "version-unknown"
    NOT_A_DATABASE = "not-a-database"


@frozen(kw_only=True)
class HeaderReading:
    """What reading the two header copies gave.

    Unknown: `header` is None when no copy is good; `page_size` is then None too, and nothing else
    may be concluded.
    """

    header: DatabaseHeader | None
    copy_used: HeaderCopy
    page_size: int | None
    checksum_stored: int = 0
    checksum_computed: int = 0
    problems: tuple[HeaderProblem, ...] = ()

    @property
    def are_copies_good_and_alike(self) -> bool:
        lost = {HeaderProblem.PRIMARY_BAD, HeaderProblem.SHADOW_BAD, HeaderProblem.COPIES_DIFFER}
        return self.header is not None and not lost.intersection(self.problems)


def read_database_header(first_two_slots: bytes | memoryview) -> HeaderReading:
    """Read the header from the start of a file.

    Shape: 64 KiB serve every page size; of a shorter file all that there is.
    Source: ESE source, fileu.cxx: each page size is tried; a copy counts when checksum and page-
    size field fit.
    """
    start = bytes(first_two_slots[: HEADER_SLOTS * PAGE_SIZES[-1]])
    for size in PAGE_SIZES:
        primary, shadow = start[:size], start[size : 2 * size]
        is_primary_good, is_shadow_good = _is_good(primary, size), _is_good(shadow, size)
        if not (is_primary_good or is_shadow_good):
            continue
        problems = []
        if not is_primary_good:
            problems.append(HeaderProblem.PRIMARY_BAD)
        elif not is_shadow_good:
            problems.append(HeaderProblem.SHADOW_BAD)
        elif primary != shadow:
            problems.append(HeaderProblem.COPIES_DIFFER)
        slot = primary if is_primary_good else shadow
        header = decode_database_header(slot)
        return HeaderReading(
            header=header,
            copy_used=HeaderCopy.PRIMARY if is_primary_good else HeaderCopy.SHADOW,
            page_size=size,
            checksum_stored=int.from_bytes(slot[:4], "little"),
            checksum_computed=header_checksum(slot),
            problems=(*problems, *_content_problems(header)),
        )
    lost = HeaderProblem.TOO_SHORT if len(start) < 2 * PAGE_SIZES[0] else HeaderProblem.UNREADABLE
    return HeaderReading(header=None, copy_used=HeaderCopy.NONE, page_size=None, problems=(lost,))


def decode_database_header(slot: bytes) -> DatabaseHeader:
    """The fields of one header slot, whatever its checksum says."""
    header = DatabaseHeader(**decode_fields(slot, _FIELDS))
    if header.page_size:
        return header
    return rebuild(header, page_size=LEGACY_PAGE_SIZE)


def rebuild(header: DatabaseHeader, **changes: object) -> DatabaseHeader:
    """A copy of the header with some fields changed.

    Raises: ValueError for a name that is not a field.
    """
    _refuse_unknown(changes)
    values = asdict(header, recurse=False) | changes
    return DatabaseHeader(**values)


def write_database_header(header: DatabaseHeader) -> bytes:
    """One slot with its checksum; a file starts with two of them."""
    slot = bytearray(header.page_size)
    encode_fields(asdict(header, recurse=False), _FIELDS, into=slot)
    return seal_header(slot)


def rewrite_header(slot: bytes, **changes: object) -> bytes:
    """One slot with some fields changed and a new checksum; bytes that no field names stay.

    Raises: ValueError for a name that is not a field.
    """
    _refuse_unknown(changes)
    changed = bytearray(slot)
    encode_fields(dict(changes), _FIELDS, into=changed)
    return seal_header(changed)


def _refuse_unknown(changes: dict[str, object]) -> None:
    unknown = changes.keys() - {each.name for each in fields(DatabaseHeader)}
    if unknown:
        raise ValueError(f"not a field of a database header: {', '.join(sorted(unknown))}")


def _is_good(slot: bytes, size: int) -> bool:
    if len(slot) < size:
        return False
    stated = int.from_bytes(slot[236:240], "little") or LEGACY_PAGE_SIZE
    return stated == size and int.from_bytes(slot[:4], "little") == header_checksum(slot)


def _content_problems(header: DatabaseHeader) -> tuple[HeaderProblem, ...]:
    problems = []
    if header.magic != MAGIC:
        problems.append(HeaderProblem.MAGIC_WRONG)
    if header.format_version != FORMAT_VERSION:
        problems.append(HeaderProblem.VERSION_UNKNOWN)
    accepted = (FileType.UNKNOWN, FileType.DATABASE, FileType.TEMPORARY_DATABASE)
    if header.attribute != 0 or header.file_type not in accepted:
        problems.append(HeaderProblem.NOT_A_DATABASE)
    return tuple(problems)
