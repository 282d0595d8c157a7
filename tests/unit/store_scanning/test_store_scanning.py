"""One pass over files: digests, page verdicts, lengths, errors; samples agree with their list."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from goexchange.backup.check import judge
from goexchange.backup.findings import Finding, Verdict
from goexchange.errors import UsageError
from goexchange.ese.checkpoint import Checkpoint, write_checkpoint
from goexchange.ese.header import DatabaseHeader, DatabaseState, rebuild
from goexchange.ese.logs import LogHeader, build_log
from goexchange.ese.pages import PageFault, PageFinding
from goexchange.ese.rendering import state_words
from goexchange.ese.scan import FileKind, FileScan
from goexchange.ese.structures import LogPosition, LogTime, Signature
from goexchange.ese.writer import build_database
from goexchange.model.backup_set import MANIFEST_NAME
from goexchange.store import database_files, one_pass
from goexchange.store.scanning import scan_file, scan_path

STREAM = Signature(random=7, created=LogTime.at(datetime(2024, 3, 2, tzinfo=UTC)))
HEADER = DatabaseHeader(
    page_size=4096,
    dbtime=1000,
    signature=Signature(random=1, created=STREAM.created),
    log_signature=STREAM,
    last_consistent=LogPosition(generation=6),
)


def write_database(path: Path, header: DatabaseHeader = HEADER, pages: int = 300) -> bytes:
    content = b"".join(build_database(header, pages=pages, free_pages=90, seed=b"scan"))
    path.write_bytes(content)
    return content


@pytest.fixture(params=[None, 3], ids=["in one piece", "in chunks over threads"])
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int | None:
    """The same tests with files larger than a chunk, without making large files."""
    if request.param is not None:
        monkeypatch.setattr(one_pass, "CHUNK_BYTES", 8 * 4096)
    return request.param


def test_digest_and_pages_come_from_one_pass(tmp_path: Path, chunks: int | None):
    path = tmp_path / "DB01.edb"
    content = write_database(path)
    steps: list[tuple[int, int]] = []
    scan = scan_file(path, workers=chunks, progress=lambda *step: steps.append(step))
    assert scan.sha256 == hashlib.sha256(content).hexdigest()
    assert scan.database is not None and scan.database.reading.header == HEADER
    assert (scan.database.file_pages, scan.database.owned_pages) == (300, 300)
    assert (scan.database.pages.pages, scan.database.pages.faulty) == (300, 0)
    assert steps[-1] == (len(content), len(content)) and steps == sorted(steps)
    assert scan_file(path, digest=False, workers=chunks).sha256 is None


def test_faults_keep_their_page_numbers_and_order(tmp_path: Path, chunks: int | None):
    path = tmp_path / "DB01.edb"
    content = bytearray(write_database(path))
    content[5 * 4096 + 100] ^= 1
    content[200 * 4096 : 201 * 4096] = b"\xff" * 4096
    content[50 * 4096 : 51 * 4096] = content[52 * 4096 : 53 * 4096]
    path.write_bytes(content)
    scan = scan_file(path, workers=chunks)
    assert scan.database is not None
    assert scan.database.pages.findings == (
        PageFinding(page=4, fault=PageFault.CORRECTABLE, bit=800),
        PageFinding(page=49, fault=PageFault.MISPLACED, belongs_at=51),
        PageFinding(page=199, fault=PageFault.BAD),
    )


def test_a_cut_at_a_page_boundary_is_found_by_the_owned_size(tmp_path: Path, chunks: int | None):
    path = tmp_path / "DB01.edb"
    path.write_bytes(write_database(path)[: -10 * 4096])
    scan = scan_file(path, workers=chunks)
    assert scan.database is not None
    assert (scan.database.pages.faulty, scan.database.missing_pages) == (0, 10)
    judgement = judge(scan_path(path))
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    assert {each.finding for each in judgement.findings} == {Finding.TRUNCATED}


def test_what_lies_beyond_the_owned_pages_is_counted_apart(tmp_path: Path, chunks: int | None):
    path = tmp_path / "DB01.edb"
    path.write_bytes(write_database(path) + b"\xff" * 20 * 4096 + b"tail")
    scan = scan_file(path, workers=chunks)
    assert scan.database is not None
    assert (scan.database.pages.pages, scan.database.pages.faulty) == (300, 0)
    assert (scan.database.beyond.pages, scan.database.beyond.bad) == (20, 20)
    assert scan.database.trailing_bytes == 4
    assert {each.finding for each in judge(scan_path(path)).findings} == {
        Finding.JUNK_BEYOND_OWNED,
        Finding.TRAILING_BYTES,
    }


def test_a_database_without_a_header_can_be_read_by_a_page_size_that_is_given(tmp_path: Path):
    path = tmp_path / "DB01.edb"
    content = write_database(path)
    path.write_bytes(b"\xff" * 8192 + content[8192:])
    scan = scan_file(path)
    assert scan.database is not None and scan.database.pages.pages == 0
    scan = scan_file(path, page_size=4096)
    assert scan.database is not None and scan.database.pages.pages == 300
    assert judge(scan_path(path)).verdict is Verdict.NOT_RESTORABLE
    with pytest.raises(UsageError, match="no page size"):
        scan_file(path, page_size=5000)


def write_stream(folder: Path, generations: range) -> None:
    before, total = LogTime(), 0
    for number in generations:
        header = LogHeader(
            generation=number,
            file_sectors=16,
            signature=STREAM,
            created=LogTime.at(datetime(2024, 3, 9, 6, number, tzinfo=UTC)),
            previous_created=before,
            previous_checksum=total,
        )
        log = build_log(header, live_segments=9, seed=b"scan")
        name = "E00.log" if number == generations[-1] else f"E00{number:08X}.log"
        (folder / name).write_bytes(log.content)
        before, total = header.created, log.accumulated_checksum


def test_a_loose_folder_with_its_logs(tmp_path: Path):
    header = rebuild(
        HEADER,
        state=DatabaseState.DIRTY_SHUTDOWN,
        log_required_low=5,
        log_required_high=7,
        log_committed=8,
    )
    write_database(tmp_path / "DB01.edb", header)
    logs = tmp_path / "logs"
    logs.mkdir()
    write_stream(logs, range(4, 9))
    (logs / "E00.chk").write_bytes(write_checkpoint(Checkpoint(signature=STREAM)))
    (logs / "E00tmp.log").write_bytes(b"\xff" * 4096)
    (logs / "E00res00001.jrs").write_bytes(bytes(4096))
    (logs / "iis.log").write_text("plain text", encoding="ascii")
    judgement = judge(scan_path(tmp_path))
    assert (judgement.verdict, judgement.findings) == (Verdict.RESTORABLE_WITH_REPLAY, ())
    kinds = {each.path: each.kind for each in scan_path(tmp_path).files}
    assert kinds["logs/E00tmp.log"] is FileKind.TEMPORARY_LOG
    assert kinds["logs/iis.log"] is FileKind.OTHER
    (logs / "E0000000006.log").unlink()
    judgement = judge(scan_path(tmp_path))
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    assert {each.finding for each in judgement.findings} == {
        Finding.LOG_GAP,
        Finding.REQUIRED_LOG_MISSING,
    }


def test_a_manifest_that_cannot_be_used_is_damage(tmp_path: Path):
    write_database(tmp_path / "DB01.edb")
    (tmp_path / MANIFEST_NAME).write_bytes(b"{}")
    scan = scan_path(tmp_path)
    assert scan.manifest == b"{}"
    assert {each.finding for each in judge(scan).findings} == {Finding.MANIFEST_INVALID}


def test_nothing_there_is_the_users_mistake_and_an_unreadable_file_is_a_result(tmp_path: Path):
    with pytest.raises(UsageError, match="nothing at"):
        scan_path(tmp_path / "absent.edb")
    scan = scan_file(tmp_path / "absent.edb")
    assert scan.read_error == "No such file or directory"
    assert scan.sha256 is None


def test_an_empty_file(tmp_path: Path):
    path = tmp_path / "DB01.edb"
    path.touch()
    judgement = judge(scan_path(path))
    assert {each.finding for each in judgement.findings} == {Finding.HEADER_UNREADABLE}


def test_a_file_that_shrinks_under_the_scan_has_no_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "DB01.edb"
    content = write_database(path)
    monkeypatch.setattr(one_pass, "CHUNK_BYTES", 8 * 4096)

    def cut(done: int, total: int) -> None:
        if done == 8 * 4096:
            os.truncate(path, 100 * 4096)

    scan = scan_file(path, workers=1, progress=cut)
    assert len(content) == scan.size_bytes
    assert scan.read_error == "the file became shorter while it was read"
    assert scan.sha256 is None


ROW = re.compile(r"^\| (?P<file>(?:sets|single)/\S+) \| (?P<size>\d+) \| (?P<sha256>\w{64}) \|")
PAGES = re.compile(r"pages (\d+): ok (\d+), blank (\d+), (?:\*\*)?bad (\d+)(?:\*\*)?.*; owns (\d+)")
SEGMENTS = re.compile(r"segments: live (\d+), zero (\d+), shadow (\d+), left-over (\d+), bad (\d+)")


@pytest.fixture(scope="module")
def samples() -> Path:
    folder = os.environ.get("GOEXCHANGE_ESE_SAMPLES")
    if not folder:
        pytest.skip("GOEXCHANGE_ESE_SAMPLES names no folder with real ESE files")
    return Path(folder)


def test_the_real_samples_are_what_their_manifest_says(samples: Path, tmp_path: Path):
    seen = 0
    for row, columns in rows(samples / "MANIFEST.md"):
        scan = scan_file(plain_file(samples / row["file"], tmp_path))
        assert (scan.size_bytes, scan.sha256) == (int(row["size"]), row["sha256"]), row["file"]
        pages, segments = PAGES.search(columns[-1]), SEGMENTS.search(columns[-1])
        if pages:
            check_pages(scan, tuple(map(int, pages.groups())), columns, row["file"])
            seen += 1
        elif segments and scan.kind is FileKind.LOG:
            assert scan.log is not None and scan.log.body is not None
            body = scan.log.body
            found = (body.live, body.empty, body.shadow, body.leftover, body.bad)
            assert found == tuple(map(int, segments.groups())), row["file"]
            seen += 1
        elif "copies ok/ok" in columns[-1]:
            assert scan.checkpoint is not None and scan.checkpoint.problems == ()
            assert scan.checkpoint.checkpoint is not None
            assert f"checkpoint {scan.checkpoint.checkpoint.position}" == columns[-2]
            seen += 1
    assert seen >= 50


def check_pages(scan: FileScan, counts: tuple[int, ...], columns: list[str], name: str) -> None:
    assert scan.database is not None, name
    header = scan.database.reading.header
    assert header is not None
    every = scan.database.pages.joined(scan.database.beyond)
    found = (every.pages, every.good, every.blank, every.bad, scan.database.owned_pages)
    assert found == counts, name
    assert (every.correctable, every.misplaced) == (0, 0), name
    page_size, revision, state = columns[-4], columns[-3], columns[-2]
    assert header.page_size == int(page_size)
    assert revision.startswith(f"0x620,{header.format_update_major},{header.format_update_minor} ")
    assert f"efv {header.engine_format_version})" in revision
    assert state.startswith(state_words(header.state))
    if "req" in state:
        low, high = header.log_required_low, header.log_required_high
        assert state.endswith(f"req {low}-{high} com {header.log_committed}")
    assert scan.database.reading.are_copies_good_and_alike, name


def rows(manifest: Path) -> Iterator[tuple[re.Match[str], list[str]]]:
    for line in manifest.read_text(encoding="utf-8").splitlines():
        match = ROW.match(line)
        if match:
            yield match, [cell.strip() for cell in line.strip().strip("|").split("|")]


def plain_file(path: Path, folder: Path) -> Path:
    if path.suffix != ".gz":
        return path
    plain = folder / path.stem
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain


@pytest.mark.parametrize(
    ("folder", "verdict", "findings"),
    [
        ("srum-w10-belkasoft-dirty", Verdict.RESTORABLE_WITH_REPLAY, set()),
        ("srum-w10-belkasoft-clean", Verdict.RESTORABLE, {Finding.REPAIRED}),
        ("srum-w10-aptsim-clean", Verdict.RESTORABLE, set()),
        ("srum-s2022-aptsim-day1", Verdict.RESTORABLE, set()),
    ],
)
def test_real_sets_are_judged(samples: Path, folder: str, verdict: Verdict, findings: set[Finding]):
    judgement = judge(scan_path(samples / "sets" / folder))
    assert judgement.verdict is verdict
    assert {each.finding for each in judgement.findings} == findings


def test_a_real_temporary_database_is_not_reported_as_234_errors(samples: Path):
    judgement = judge(scan_path(samples / "single" / "ntds-2012r2-temp.edb"))
    assert {each.finding for each in judgement.findings} == {
        Finding.NO_CHECKSUMS,
        Finding.STATE_UNUSABLE,
    }


def test_a_big_file_goes_through_the_sieve_with_the_same_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "DB01.edb"
    content = bytearray(write_database(path))
    content[5 * 4096 + 77] ^= 1
    path.write_bytes(content)
    plain = scan_file(path)
    used = []

    def nothing_known(pages: NDArray[Any], first: int) -> NDArray[Any]:
        used.append(first)
        return np.zeros(len(pages), dtype=np.uint8)

    monkeypatch.setattr(database_files, "sieve_for", lambda size: nothing_known)
    assert scan_file(path) == plain
    assert used
