"""Logs and checkpoints: names, headers, segments, chains; our own and real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.ese.checkpoint import (
    Checkpoint,
    CheckpointProblem,
    read_checkpoint,
    write_checkpoint,
)
from goexchange.ese.logs import (
    Attachment,
    LogFileKind,
    LogHeader,
    LogName,
    LogProblem,
    build_log,
    check_log_body,
    log_name,
    parse_log_name,
    read_log_header,
)
from goexchange.ese.pages import correct_page, seal_page
from goexchange.ese.space import Reader
from goexchange.ese.structures import LogPosition, LogTime, Signature

Readers = Callable[[bytes], Reader]

SIGNATURE = Signature(random=771203311, created=LogTime(bytes((1, 2, 3, 4, 5, 124, 1, 0))))
HEADER = LogHeader(
    generation=0x4C3,
    file_sectors=32,
    created=SIGNATURE.created,
    signature=SIGNATURE,
    log_path="D:\\Logs\\",
    attachments=(Attachment(path="D:\\DB01\\Größe.edb", dbtime=7, signature=SIGNATURE),),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("E00.log", LogName("E00", LogFileKind.CURRENT)),
        ("E0000000012.log", LogName("E00", LogFileKind.ARCHIVED, 0x12)),
        ("SRU0005A.log", LogName("SRU", LogFileKind.ARCHIVED, 0x5A)),
        ("E00tmp.log", LogName("E00", LogFileKind.TEMPORARY)),
        ("E00res00001.jrs", LogName("E00", LogFileKind.RESERVE)),
        ("res1.log", LogName("res", LogFileKind.RESERVE)),
        ("e00.LOG", LogName("e00", LogFileKind.CURRENT)),
        ("E00.chk", None),
        ("setup.log", None),
        ("DB01.edb", None),
    ],
)
def test_names(name: str, expected: LogName | None):
    assert parse_log_name(name) == expected


def test_a_name_is_made_as_exchange_2007_and_later_do():
    assert log_name("E00", 4815) == "E00000012CF.log"


def test_a_log_reads_back_with_its_segments_and_their_sum(reader: Readers):
    built = build_log(HEADER, live_segments=20, seed=b"x")
    assert len(built.content) == HEADER.file_bytes
    assert read_log_header(built.content).header == HEADER
    body = check_log_body(reader(built.content), HEADER)
    assert (body.live, body.empty, body.bad, body.is_good) == (20, 11, 0, True)
    assert body.accumulated_checksum == built.accumulated_checksum


def test_an_empty_log_is_good(reader: Readers):
    built = build_log(HEADER)
    body = check_log_body(reader(built.content), HEADER)
    assert (body.live, body.is_good, body.accumulated_checksum) == (0, True, 0)
    with pytest.raises(ValueError, match="do not fit"):
        build_log(HEADER, live_segments=31)


def test_a_flip_in_the_header_is_seen():
    content = build_log(HEADER).content
    for bit in (3, 4 * 8, 700 * 8, 4095 * 8):
        assert read_log_header(correct_page(content, bit)).problem is LogProblem.CHECKSUM
    assert read_log_header(content[:4000]).problem is LogProblem.TOO_SHORT


def test_damage_in_a_segment_is_told_by_kind(reader: Readers):
    content = build_log(HEADER, live_segments=20).content
    one = check_log_body(reader(correct_page(content, 5 * 4096 * 8 + 999)), HEADER)
    assert (one.correctable, one.bad, one.is_good) == (1, 0, True)
    two = correct_page(correct_page(content, 5 * 4096 * 8 + 999), 5 * 4096 * 8 + 2999)
    body = check_log_body(reader(two), HEADER)
    assert (body.bad, body.first_bad_segment, body.is_good) == (1, 5, False)
    hole = content[: 5 * 4096] + bytes(4096) + content[6 * 4096 :]
    body = check_log_body(reader(hole), HEADER)
    assert (body.bad, body.is_out_of_order, body.is_good) == (0, True, False)
    swapped = content[: 5 * 4096] + content[6 * 4096 : 7 * 4096] + content[6 * 4096 :]
    assert not check_log_body(reader(swapped), HEADER).is_good


def test_a_torn_last_write_is_mended_from_its_shadow(reader: Readers):
    content = build_log(HEADER, live_segments=20).content
    torn = content[: 20 * 4096] + b"\7" * 4096 + seal_page(content[20 * 4096 : 21 * 4096], 20)
    body = check_log_body(reader(torn + content[22 * 4096 :]), HEADER)
    assert (body.bad, body.shadow, body.is_repairable, body.is_good) == (1, 1, True, True)


def test_segments_of_an_older_generation_are_left_over(reader: Readers):
    old = build_log(evolve(HEADER, generation=7), live_segments=30).content
    new = build_log(HEADER, live_segments=10).content
    body = check_log_body(reader(new[: 11 * 4096] + old[11 * 4096 :]), HEADER)
    assert (body.live, body.leftover, body.empty, body.is_good) == (10, 20, 1, True)


def test_a_negative_generation_is_read_as_it_stands(reader: Readers):
    header = evolve(HEADER, generation=-7)
    built = build_log(header, live_segments=3)
    assert read_log_header(built.content).header == header
    assert check_log_body(reader(built.content), header).live == 3


def test_a_log_of_format_seven_is_said_not_to_be_checked(reader: Readers):
    header = evolve(HEADER, major=7, minor=3704, sector_bytes=512)
    body = check_log_body(reader(b""), header)
    assert (body.is_checked, body.is_good) == (False, False)


def test_a_checkpoint_reads_back_and_survives_the_loss_of_a_copy():
    checkpoint = Checkpoint(
        position=LogPosition(generation=0x4C3, sector=8, byte=16),
        signature=SIGNATURE,
        attachments=HEADER.attachments,
    )
    content = write_checkpoint(checkpoint)
    assert read_checkpoint(content).checkpoint == checkpoint
    assert read_checkpoint(content).problems == ()
    lost = read_checkpoint(correct_page(content, 4000 * 8))
    assert (lost.checkpoint, lost.problems) == (checkpoint, (CheckpointProblem.FIRST_BAD,))
    lost = read_checkpoint(correct_page(content, 5000 * 8))
    assert (lost.checkpoint, lost.problems) == (checkpoint, (CheckpointProblem.SECOND_BAD,))
    assert read_checkpoint(b"\1" * 8192).problems == (CheckpointProblem.UNREADABLE,)
    assert read_checkpoint(b"").problems == (CheckpointProblem.TOO_SHORT,)


def test_real_logs_chain_by_time_and_by_sum(samples: Path, reader: Readers):
    compared = 0
    for folder in sorted((samples / "sets").iterdir()):
        logs = []
        for path in folder.glob("*.log"):
            name = parse_log_name(path.name)
            if name is None or name.kind is LogFileKind.TEMPORARY:
                continue
            content = path.read_bytes()
            header = read_log_header(content).header
            assert header is not None and header.file_bytes == len(content), path
            logs.append((header, check_log_body(reader(content), header)))
        logs.sort(key=lambda each: each[0].generation)
        for (before, body), (after, _) in zip(logs, logs[1:], strict=False):
            assert after.generation == before.generation + 1
            assert after.previous_created == before.created
            assert after.previous_checksum in (0, body.accumulated_checksum)
            compared += after.previous_checksum != 0
    assert compared >= 10
