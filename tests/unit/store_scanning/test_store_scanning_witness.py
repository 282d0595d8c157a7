"""What scanning finds beyond checksums: flush maps, trailers, zeroed pages, samples, odd names."""

from __future__ import annotations

import os
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.backup.check import judge
from goexchange.backup.findings import Finding, Judgement, Verdict, Weight
from goexchange.ese.flush_map import FlushMapHeader, write_flush_map
from goexchange.ese.header import DatabaseHeader, DatabaseState, rebuild
from goexchange.ese.logs import LogHeader, build_record_log
from goexchange.ese.pages import seal_page
from goexchange.ese.scan import FileKind, MapUse
from goexchange.ese.structures import BackupRecord, LogPosition, LogTime, Signature
from goexchange.ese.trailer import Trailer, write_trailer
from goexchange.ese.writer import build_database
from goexchange.store import one_pass
from goexchange.store.scanning import scan_file, scan_path

PAGE = 4096
MADE = LogTime.at(datetime(2024, 3, 2, tzinfo=UTC))
STREAM = Signature(random=7, created=MADE)
FLUSH = Signature(random=99, created=MADE)
HEADER = DatabaseHeader(
    page_size=PAGE,
    dbtime=1000,
    signature=Signature(random=1, created=MADE),
    log_signature=STREAM,
    map_flush_signature=FLUSH,
    last_consistent=LogPosition(generation=6),
)
PAGES = 300


def database(path: Path, header: DatabaseHeader = HEADER) -> bytearray:
    content = bytearray(b"".join(build_database(header, pages=PAGES, free_pages=90, seed=b"w")))
    path.write_bytes(content)
    return content


def with_flush_type(content: bytearray, number: int, kind: int) -> None:
    start = (number + 1) * PAGE
    page = bytearray(content[start : start + PAGE])
    flags = int.from_bytes(page[36:40], "little") & ~0x18000 | kind << 15
    struct.pack_into("<I", page, 36, flags)
    content[start : start + PAGE] = seal_page(page, number)


def ids(judgement: Judgement) -> set[Finding]:
    return {each.finding for each in judgement.findings}


def first_used(content: bytearray) -> int:
    return next(n for n in range(50, 200) if any(content[(n + 1) * PAGE : (n + 2) * PAGE]))


def test_the_flush_map_beside_a_database_names_a_lost_write(tmp_path: Path):
    path = tmp_path / "DB01.edb"
    content = database(path)
    page = first_used(content)
    with_flush_type(content, page, 2)
    path.write_bytes(content)
    types = [0] * (PAGES + 1)
    types[page] = 2
    own = FlushMapHeader(map_flush_signature=FLUSH)
    beside = path.with_suffix(".jfm")
    beside.write_bytes(write_flush_map(own, types))
    judgement = judge(scan_path(tmp_path))
    assert (judgement.verdict, judgement.findings) == (Verdict.RESTORABLE, ())
    assert "flush map agrees" in judgement.files[0].summary
    with_flush_type(content, page, 1)
    path.write_bytes(content)
    judgement = judge(scan_path(path))
    assert (judgement.verdict, ids(judgement)) == (Verdict.NOT_RESTORABLE, {Finding.PAGES_STALE})
    assert f"page {page}" in judgement.findings[0].detail
    beside.write_bytes(write_flush_map(evolve(own, map_flush_signature=STREAM), types))
    assert ids(judge(scan_path(path))) == {Finding.FLUSH_MAP_FOREIGN}
    beside.write_bytes(write_flush_map(evolve(own, flags=0), types))
    scan = scan_file(path)
    assert scan.database is not None and scan.database.flush_map is MapUse.NOT_CLEAN
    beside.write_bytes(b"\1" * 8192)
    judgement = judge(scan_path(tmp_path))
    assert (judgement.verdict, ids(judgement)) == (
        Verdict.RESTORABLE,
        {Finding.FLUSH_MAP_DAMAGED},
    )


def link(content: bytearray, number: int, following: int) -> None:
    start = (number + 1) * PAGE
    page = bytearray(content[start : start + PAGE])
    struct.pack_into("<I", page, 20, following)
    content[start : start + PAGE] = seal_page(page, number)


@pytest.mark.parametrize("chunk", [8 * PAGE, 4 * 1024 * 1024])
def test_a_zeroed_page_is_damage_when_linked_and_a_count_when_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
):
    monkeypatch.setattr(one_pass, "CHUNK_BYTES", chunk)
    path = tmp_path / "DB01.edb"
    content = database(path)
    page = first_used(content)
    blanks = scan_file(path).database
    content[(page + 1) * PAGE : (page + 2) * PAGE] = bytes(PAGE)
    path.write_bytes(content)
    judgement = judge(scan_path(path))
    assert (judgement.verdict, judgement.findings) == (Verdict.RESTORABLE, ())
    assert blanks is not None and f"{blanks.pages.blank + 1} blank" in judgement.files[0].summary
    link(content, 250 if any(content[251 * PAGE : 252 * PAGE]) else 290, page)
    path.write_bytes(content)
    judgement = judge(scan_path(path))
    assert (judgement.verdict, ids(judgement)) == (Verdict.NOT_RESTORABLE, {Finding.PAGES_ZEROED})
    assert f"page {page}" in judgement.findings[0].detail


def test_in_a_repaired_database_a_link_proves_nothing_and_says_so(tmp_path: Path):
    path = tmp_path / "DB01.edb"
    content = database(path, rebuild(HEADER, repair_count=2))
    page = first_used(content)
    content[(page + 1) * PAGE : (page + 2) * PAGE] = bytes(PAGE)
    link(content, 290, page)
    path.write_bytes(content)
    judgement = judge(scan_path(path))
    assert judgement.verdict is Verdict.UNDECIDED
    (found,) = [each for each in judgement.findings if each.finding is Finding.PAGES_ZEROED]
    assert found.weight is Weight.UNKNOWN and "eseutil /g" in found.detail


def test_in_a_dirty_database_a_linked_blank_page_is_no_damage(tmp_path: Path):
    path = tmp_path / "DB01.edb"
    content = database(path, rebuild(HEADER, state=DatabaseState.DIRTY_SHUTDOWN))
    page = first_used(content)
    content[(page + 1) * PAGE : (page + 2) * PAGE] = bytes(PAGE)
    link(content, 290, page)
    path.write_bytes(content)
    assert Finding.PAGES_NOT_WRITTEN_YET in ids(judge(scan_path(path)))


def test_the_dbtimes_of_header_and_pages_are_compared(tmp_path: Path):
    path = tmp_path / "DB01.edb"
    database(path)
    assert ids(judge(scan_path(path))) == set()
    content = database(path)
    lower, higher = rebuild(HEADER, dbtime=900), rebuild(HEADER, dbtime=1100)
    for header, finding in (
        (lower, Finding.DBTIME_BEYOND_HEADER),
        (higher, Finding.DBTIME_NOT_REACHED),
    ):
        slots = b"".join(build_database(header, pages=10))[: 2 * PAGE]
        path.write_bytes(slots + content[2 * PAGE :])
        judgement = judge(scan_path(path))
        assert (judgement.verdict, ids(judgement)) == (Verdict.RESTORABLE, {finding})


MARK = LogPosition(generation=4, sector=8, byte=22)


def streaming(folder: Path, trailer: Trailer | None) -> Judgement:
    header = rebuild(
        HEADER,
        state=DatabaseState.DIRTY_SHUTDOWN,
        log_required_low=1,
        log_required_high=1,
        current_full_backup=BackupRecord(mark=MARK, first_generation=4),
    )
    content = database(folder / "DB01.edb", header)
    if trailer is not None:
        content += write_trailer(trailer, PAGE)
    (folder / "DB01.edb").write_bytes(content)
    return judge(scan_path(folder))


def write_old_log(folder: Path, generation: int, previous: LogTime) -> LogTime:
    header = LogHeader(
        generation=generation,
        major=7,
        minor=3704,
        update_major=12,
        sector_bytes=512,
        header_sectors=8,
        file_sectors=64,
        signature=STREAM,
        created=LogTime.at(datetime(2024, 3, 9, 6, generation, tzinfo=UTC)),
        previous_created=previous,
    )
    content = build_record_log(header, (3, 1, 2), seed=b"old").content
    (folder / f"E00{generation:08X}.log").write_bytes(content)
    return header.created


def test_a_streaming_backup_needs_the_logs_that_its_trailer_names(tmp_path: Path):
    own = Trailer(
        backup=BackupRecord(mark=MARK, first_generation=4),
        signature=HEADER.signature,
        log_signature=STREAM,
        log_required_low=4,
        log_required_high=5,
        log_committed=5,
    )
    judgement = streaming(tmp_path, own)
    assert ids(judgement) == {Finding.REQUIRED_LOG_MISSING}
    assert "0x4-0x5" in judgement.findings[0].detail
    write_old_log(tmp_path, 5, write_old_log(tmp_path, 4, LogTime()))
    judgement = streaming(tmp_path, own)
    assert judgement.verdict is Verdict.RESTORABLE_WITH_REPLAY
    assert ids(judgement) == {Finding.LOG_BODY_BY_SOURCE}
    log = tmp_path / "E0000000004.log"
    content = bytearray(log.read_bytes())
    content[4096 + 600] ^= 1
    log.write_bytes(content)
    judgement = streaming(tmp_path, own)
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    assert {Finding.LOG_DAMAGED, Finding.REQUIRED_LOG_MISSING} <= ids(judgement)


def test_a_trailer_that_lacks_or_is_not_its_own_is_named(tmp_path: Path):
    assert Finding.TRAILER_MISSING in ids(streaming(tmp_path, None))
    assert Finding.TRAILER_FOREIGN in ids(streaming(tmp_path, Trailer()))


def test_a_sample_reads_parts_and_never_says_restorable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(one_pass, "SAMPLE_BYTES", 16 * PAGE)
    path = tmp_path / "DB01.edb"
    content = database(path)
    judgement = judge(scan_path(path, sample=0.25))
    assert (judgement.verdict, ids(judgement)) == (Verdict.SAMPLE_SOUND, {Finding.SAMPLED})
    scan = scan_path(path, sample=0.25).files[0]
    assert scan.sha256 is None and scan.database is not None
    assert 50 < scan.database.pages.pages < 150
    assert judge(scan_path(path, sample=1.0)).verdict is Verdict.SAMPLE_SOUND
    content[-PAGE + 100] ^= 6
    path.write_bytes(content)
    judgement = judge(scan_path(path, sample=0.25))
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    (tmp_path / "big.bin").write_bytes(bytes(20 * PAGE))
    assert scan_path(tmp_path, sample=0.5).files[1].sha256 is None


def test_names_that_are_no_text_and_files_that_are_no_files(tmp_path: Path):
    with open(os.fsencode(tmp_path) + b"/\xff\x1b[31m.log", "wb") as file:
        file.write(b"x")
    os.mkfifo(tmp_path / "pipe.edb")
    scans = {each.path: each for each in scan_path(tmp_path).files}
    assert set(scans) == {"\ufffd\ufffd[31m.log", "pipe.edb"}
    assert scans["pipe.edb"].read_error == "not an ordinary file"
    assert scans["pipe.edb"].kind is FileKind.DATABASE


def test_the_root_of_the_owned_extents_is_believed_only_when_it_is_good(tmp_path: Path):
    """A page from elsewhere in its place must not make all others count as no part."""
    path = tmp_path / "DB01.edb"
    content = database(path)
    owned = judged_owned(path)
    other = first_used(content)
    root, page = slice(3 * PAGE, 4 * PAGE), slice((other + 1) * PAGE, (other + 2) * PAGE)
    changed = bytearray(content)
    changed[root], changed[page] = content[page], content[root]
    path.write_bytes(changed)
    scan = scan_file(path).database
    assert scan is not None and scan.owned_pages is None
    assert {each.page: each.belongs_at for each in scan.pages.findings} == {2: other, other: 2}
    assert judge(scan_path(path)).verdict is Verdict.NOT_RESTORABLE
    for bit in range(0, PAGE * 8, 97):
        flipped = bytearray(content)
        flipped[3 * PAGE + bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        scan = scan_file(path).database
        assert scan is not None and scan.owned_pages in (owned, None)
        assert [each.page for each in scan.pages.findings] == [2]


def judged_owned(path: Path) -> int:
    scan = scan_file(path).database
    assert scan is not None and scan.owned_pages is not None
    return scan.owned_pages
