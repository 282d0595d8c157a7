"""Verdicts of a verifier machine: bound to a set, whole or nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.backup.findings import Finding, Judgement, Verdict, damage, note
from goexchange.backup.verdict import (
    FINDINGS_KEPT,
    VERDICT_BYTES_MAX,
    parse_verdict,
    verdict_bytes,
    verdict_of,
)
from goexchange.errors import InvalidDocument
from goexchange.model.backup_set import SetVerdict

SCHEMA = Path(__file__).parents[3] / "schemas" / "set-verdict.v1.json"
AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def judged(**differs: object) -> Judgement:
    values: dict[str, object] = {
        "path": "/sets/one",
        "verdict": Verdict.NOT_RESTORABLE,
        "findings": (
            damage(Finding.FILE_MISSING, "DB05.edb", "it is not there"),
            note(Finding.SAMPLED, "", "no matter"),
        ),
        "files": (),
        "set_id": "EX01-DB05",
        "set_sha256": "5" * 64,
    }
    return Judgement(**{**values, **differs})  # type: ignore[arg-type]


def left(judgement: Judgement) -> SetVerdict:
    return verdict_of(judgement, is_good=False, at=AT, by="VERIFY01", version="1")


def test_it_says_what_counts_against_the_set_and_comes_back_as_it_was() -> None:
    verdict = left(judged())
    assert verdict.findings == ("DB05.edb: it is not there",)
    assert parse_verdict(verdict_bytes(verdict)) == verdict
    jsonschema.validate(json.loads(verdict_bytes(verdict)), json.loads(SCHEMA.read_text("utf-8")))


def test_every_word_of_a_full_reading_is_in_the_schema() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    words = schema["definitions"]["verdict"]["properties"]["verdict"]["enum"]
    assert set(words) == {each.value for each in Verdict} - {Verdict.SAMPLE_SOUND.value}


def test_it_stays_small_enough_to_be_fetched() -> None:
    every = tuple(damage(Finding.FILE_EXTRA, f"{n}", "x" * 4000) for n in range(500))
    verdict = left(judged(findings=every))
    assert len(verdict.findings) == FINDINGS_KEPT
    assert len(verdict_bytes(verdict)) < VERDICT_BYTES_MAX


def test_there_is_none_over_what_is_no_set() -> None:
    with pytest.raises(InvalidDocument, match="no manifest that a verdict could be bound to"):
        left(judged(set_id=None, set_sha256=None))


@settings(max_examples=200, deadline=None, database=None)
@given(st.data())
def test_no_changed_byte_is_believed(data: st.DataObject) -> None:
    content = bytearray(verdict_bytes(left(judged())))
    place = data.draw(st.integers(0, len(content) - 2))  # the line end may go
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidDocument):
        parse_verdict(bytes(content))


@settings(max_examples=50, deadline=None, database=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_no_verdict_and_no_traceback(content: bytes) -> None:
    with pytest.raises(InvalidDocument):
        parse_verdict(content)
