"""I13: whatever happens to the bytes of a journal, it opens and says exactly what is lost."""

from __future__ import annotations

import errno
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.errors import Damaged
from goexchange.journal.chain import Draft, line_of, read_lines, seal
from goexchange.model.run import RecordKind
from goexchange.store.journal_file import JournalFile, read_journal, take_over

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def drafts(count: int) -> list[Draft]:
    return [
        Draft(RecordKind.LANE_STARTED, {"lane": f"EX01/Postfächer {number} \\ \n"})
        for number in range(count)
    ]


RECORDS = seal(drafts(4), after=None, at=NOW)
CONTENT = b"".join(line_of(record) for record in RECORDS)
LAST = len(line_of(RECORDS[-1]))


@pytest.mark.parametrize("kept", range(LAST))
def test_torn_at_every_byte_of_the_last_record(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(CONTENT[: len(CONTENT) - LAST + kept])
    reading = read_journal(path)
    assert (reading.records, reading.torn_bytes, reading.damage) == (RECORDS[:-1], kept, None)
    with JournalFile(path) as journal:
        assert (tuple(journal.records), journal.torn_bytes) == (RECORDS[:-1], kept)
        again = journal.append(drafts(1), NOW)
    assert read_journal(path).records == (*RECORDS[:-1], *again)


def test_every_flipped_bit_is_seen_at_its_record_and_none_before_it_is_lost() -> None:
    starts = [0]
    for record in RECORDS:
        starts.append(starts[-1] + len(line_of(record)))
    chance = random.Random(5)
    seen = 0
    for at in range(len(CONTENT)):
        changed = bytearray(CONTENT)
        changed[at] ^= 1 << chance.randrange(8)
        reading = read_lines(bytes(changed))
        line = sum(start <= at for start in starts[:-1])  # from 1
        if at == len(CONTENT) - 1:  # its newline: the record was never acknowledged
            assert (reading.records, reading.damage) == (RECORDS[:-1], None)
            assert reading.torn_bytes == LAST
            continue
        assert reading.damage is not None, (at, bytes(changed[at : at + 1]))
        assert reading.damage.line == line, at
        assert reading.records == RECORDS[: line - 1], at
        seen += 1
    assert seen == len(CONTENT) - 1


@pytest.mark.parametrize("gone", range(len(RECORDS) - 1))
def test_a_record_that_is_taken_out_is_seen(gone: int) -> None:
    lines = [line_of(record) for record in RECORDS]
    reading = read_lines(b"".join(lines[:gone] + lines[gone + 1 :]))
    assert reading.damage is not None and reading.damage.line == gone + 1


def test_records_in_another_order_or_twice_are_seen() -> None:
    lines = [line_of(record) for record in RECORDS]
    for order in ((1, 0, 2, 3), (0, 0, 1, 2), (0, 2, 1, 3), (0, 1, 2, 2)):
        assert read_lines(b"".join(lines[each] for each in order)).damage is not None, order


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("written", [0, 1, 40, LAST - 1, LAST])
def test_no_space_or_a_failing_disk_loses_one_record_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, written: int
) -> None:
    """The write stops after some bytes, or the flush fails after all of them."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(CONTENT[: len(CONTENT) - LAST])
    journal = JournalFile(path)
    real = os.fsync

    def fails(descriptor: int) -> None:
        size = len(CONTENT) - LAST + written
        os.truncate(path, min(size, path.stat().st_size))
        real(descriptor)
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match=os.strerror(code)):
            journal.append([Draft(RecordKind.LANE_STARTED, RECORDS[-1].data)], NOW)
    with pytest.raises(Damaged, match="resume reads it again"):
        journal.append(drafts(1), NOW)
    journal.close()
    reading = read_journal(path)
    assert reading.damage is None and reading.records[:3] == RECORDS[:3]
    with JournalFile(path) as again:
        assert len(again.records) == (4 if written == LAST else 3)
        assert again.torn_bytes == (written if written < LAST else 0)
        again.append(drafts(1), NOW)
    assert read_journal(path).damage is None


def test_what_a_frozen_process_still_writes_goes_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    frozen = JournalFile(path)
    frozen.append(drafts(3), NOW)
    with take_over(path) as journal:
        assert len(journal.records) == 3
        frozen.append(drafts(1), NOW)
        mine = journal.append(drafts(2), NOW)
        frozen.append(drafts(1), NOW)
    frozen.close()
    reading = read_journal(path)
    assert reading.damage is None and reading.records[3:] == mine
    assert [each.name for each in tmp_path.iterdir()] == ["journal.jsonl"]
