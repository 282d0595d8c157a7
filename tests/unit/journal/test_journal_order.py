"""Records whose chain fits and whose numbers do not: damage, whoever made them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from goexchange.codec import canonical_json, digest
from goexchange.journal.chain import Draft, first_damage, line_of, read_lines, seal
from goexchange.model.run import Record, RecordKind

AT = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)


def made(sequence: int, previous: str, **differs: Any) -> bytes:
    plain = {
        "sequence": sequence,
        "at_utc": "2026-11-28T22:00:00Z",
        "kind": "notice",
        "data": {},
        "previous": previous,
        **differs,
    }
    return canonical_json({**plain, "sha256": digest(plain)}) + b"\n"


def test_a_number_that_does_not_follow_is_damage() -> None:
    first = made(1, "0" * 64)
    head = read_lines(first).records[0].sha256
    assert not read_lines(first + made(2, head)).damage
    found = read_lines(first + made(3, head))
    assert found.damage is not None and len(found.records) == 1
    assert (found.damage.line, found.damage.reason) == (2, "its number does not follow")


def test_a_record_of_no_kind_we_know_is_damage_and_named() -> None:
    found = read_lines(made(1, "0" * 64, kind="miracle"))
    assert found.damage is not None and "not a record of this version" in found.damage.reason
    found = read_lines(made(1, "0" * 64, at_utc="yesterday"))
    assert found.damage is not None and "not a record of this version" in found.damage.reason


def test_records_in_hand_are_checked_like_lines() -> None:
    drafts = [Draft(RecordKind.NOTICE, {"number": number}) for number in range(3)]
    whole = seal(drafts, after=None, at=AT)
    assert first_damage(whole) is None and first_damage(()) is None
    assert read_lines(b"".join(map(line_of, whole))).records == whole

    def reason(records: tuple[Record, ...]) -> str:
        found = first_damage(records)
        assert found is not None
        return found.reason

    assert reason((whole[1],)) == "it does not follow the record before"
    assert reason((whole[0], whole[2])) == "it does not follow the record before"
    (numbered,) = read_lines(made(1, "0" * 64)).records
    plain = {
        "sequence": 7,
        "at_utc": "2026-11-28T22:00:00Z",
        "kind": "notice",
        "data": {},
        "previous": "0" * 64,
    }
    seven = Record(
        sequence=7,
        at_utc=AT,
        kind=RecordKind.NOTICE,
        data={},
        previous="0" * 64,
        sha256=digest(plain),
    )
    assert reason((seven,)) == "its number does not follow"
    assert first_damage((numbered,)) is None
