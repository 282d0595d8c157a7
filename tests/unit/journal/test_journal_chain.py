"""The chain of records: what a reader finds, byte by byte."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from goexchange.journal.chain import FIRST_PREVIOUS, Draft, first_damage, line_of, read_lines, seal
from goexchange.journal.replay import replay
from goexchange.model.run import LaneState, OutcomeKind, RecordKind

NOW = datetime(2026, 11, 22, 20, 0, 1, 250000, tzinfo=UTC)
DRAFTS = (
    Draft(RecordKind.RUN_STARTED, {"run": "r1", "plan_sha256": "ab", "name": "Müller"}),
    Draft(RecordKind.LANE_STARTED, {"lane": "EX01/DB05"}),
    Draft(RecordKind.INTENT, {"step": "s1", "lane": "EX01/DB05", "attempt": 1, "call": {}}),
    Draft(
        RecordKind.OUTCOME,
        {
            "step": "s1",
            "attempt": 1,
            "outcome": "done",
            "result": {"n": 1},
            "findings": [],
            "output_tail": "",
            "seconds": 1.5,
        },
    ),
)


def content() -> bytes:
    return b"".join(map(line_of, seal(DRAFTS, after=None, at=NOW)))


def test_what_was_written_is_read() -> None:
    records = seal(DRAFTS, after=None, at=NOW)
    reading = read_lines(content())
    assert (reading.records, reading.torn_bytes, reading.damage) == (records, 0, None)
    assert records[0].previous == FIRST_PREVIOUS
    assert [record.previous for record in records[1:]] == [record.sha256 for record in records[:-1]]


def test_a_record_continues_the_chain_of_an_earlier_process() -> None:
    first = seal(DRAFTS[:2], after=None, at=NOW)
    second = seal(DRAFTS[2:], after=first[-1], at=NOW)
    assert read_lines(b"".join(map(line_of, (*first, *second)))).records == (*first, *second)


def test_a_tear_at_every_byte_of_the_last_record_loses_only_it() -> None:
    whole = content()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole)):
        reading = read_lines(whole[:end])
        assert (len(reading.records), reading.torn_bytes, reading.damage) == (3, end - last, None)


def test_a_flipped_bit_anywhere_in_a_whole_line_is_damage() -> None:
    whole = content()
    for place in range(0, len(whole), 3):
        for bit in (0, 5):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            reading = read_lines(bytes(changed))
            is_seen = (
                reading.damage is not None
                or reading.torn_bytes
                or len(reading.records) < len(DRAFTS)
            )
            assert is_seen, place


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 2, 3), (0, 1, 1, 2)])
def test_records_out_of_order_or_missing_are_damage(order: tuple[int, ...]) -> None:
    lines = [line_of(record) for record in seal(DRAFTS, after=None, at=NOW)]
    reading = read_lines(b"".join(lines[number] for number in order))
    assert reading.damage is not None


@pytest.mark.parametrize("line", [b"{}", b"[]", b"null", b"\xff\xfe", b'{"a": NaN}'])
def test_lines_that_are_no_records_are_damage(line: bytes) -> None:
    reading = read_lines(line + b"\n")
    assert reading.damage is not None and reading.damage.line == 1


def test_an_empty_journal_has_no_records() -> None:
    assert read_lines(b"").records == ()


def test_replay_folds_steps_and_lanes() -> None:
    records = seal(DRAFTS, after=None, at=NOW)
    state = replay(records)
    assert (state.run, state.lane("EX01/DB05").state) == ("r1", LaneState.RUNNING)
    step = state.step("s1")
    assert (step.outcome, step.result, step.is_in_doubt) == (OutcomeKind.DONE, {"n": 1}, False)
    assert replay(records[:3]).in_doubt == ("s1",)
    assert state.step("never").attempts == 0
    assert state.last == records[-1]


def test_a_resume_opens_what_ended_in_doubt() -> None:
    ended = Draft(RecordKind.LANE_ENDED, {"lane": "EX01/DB05", "state": "undecided", "why": "x"})
    run_ended = Draft(
        RecordKind.RUN_ENDED, {"exit_code": 23, "verdict": "unknown", "databases": []}
    )
    resumed = Draft(RecordKind.RUN_RESUMED, {})
    state = replay(seal((*DRAFTS[:3], ended, run_ended), after=None, at=NOW))
    assert (state.lane("EX01/DB05").state, state.ended is not None) == (LaneState.UNDECIDED, True)
    opened = replay(seal((*DRAFTS[:3], ended, run_ended, resumed), after=None, at=NOW))
    assert (opened.lane("EX01/DB05").state, opened.ended, opened.resumes) == (
        LaneState.RUNNING,
        None,
        1,
    )


def test_a_record_in_hand_that_was_changed_is_named() -> None:
    first, *others = seal(DRAFTS, after=None, at=NOW)
    changed = evolve(first, data={**first.data, "run": "r2"})
    damage = first_damage((changed, *others))
    assert damage is not None
    assert (damage.line, damage.reason) == (1, "its digest does not fit its content")
