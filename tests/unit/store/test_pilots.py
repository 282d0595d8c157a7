"""Pilots on record: written whole, read back, never guessed at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.errors import GoexchangeError
from goexchange.model.pilot import ParserMark, ParserVerdict, Stage, StageKind
from goexchange.store.pilots import read_pilots, write_pilot
from tests.unit.plan.test_pilot import VERSIONS, record_of

FULL = evolve(
    record_of(VERSIONS),
    stages=(
        Stage(
            kind=StageKind.WAY_BACK,
            run=None,
            is_as_wanted=True,
            exit_code=21,
            processes=2,
            seconds=1.5,
            words="back",
        ),
    ),
    parsers=(
        ParserVerdict(
            parser="eseutil /k",
            mark=ParserMark.REMARKS,
            inputs=1,
            unknown=0,
            reasons=(),
            lines=("Zeile",),
            is_needed=True,
        ),
    ),
)


def test_they_come_back_as_they_were_in_the_order_of_their_ends(tmp_path: Path) -> None:
    later = evolve(FULL, id="gx-pilot-0", ended_at_utc=FULL.ended_at_utc + timedelta(hours=1))
    assert read_pilots(tmp_path) == ()
    for each in (later, FULL):
        write_pilot(tmp_path, each)
    assert read_pilots(tmp_path) == (FULL, later)


def test_a_record_of_another_format_is_no_proof(tmp_path: Path) -> None:
    write_pilot(tmp_path, evolve(FULL, format="goexchange/pilot/v9"))
    assert read_pilots(tmp_path) == ()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"is_good": true}', "\x00"])
def test_one_that_cannot_be_read_stops_everything(tmp_path: Path, text: str) -> None:
    path = write_pilot(tmp_path, FULL)
    path.write_text(text, "utf-8")
    with pytest.raises(GoexchangeError, match=r"pilot\.json"):
        read_pilots(tmp_path)
