"""Model types to plain JSON and back: what is written is read, what does not fit is refused with
its place.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import frozen

from goexchange.codec import canonical_json, digest, from_plain, parse_time, time_text, to_plain
from goexchange.errors import InvalidDocument
from goexchange.model.actual import Generation
from goexchange.model.plan import (
    Condition,
    ControllerCall,
    ExchangeCall,
    Operator,
    Poll,
)
from goexchange.model.unknown import Unknown


@frozen(kw_only=True)
class Sample:
    count: int
    ratio: float
    moment: datetime | None | Unknown
    generation: Generation | Unknown
    names: tuple[str, ...] = ()


MOMENT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SAMPLE = Sample(count=1, ratio=2, moment=MOMENT, generation=Generation.EXCHANGE_2019, names=("ä",))


@pytest.mark.parametrize(
    "value",
    [
        SAMPLE,
        Sample(count=0, ratio=0.5, moment=None, generation=Unknown("why")),
        Sample(count=0, ratio=0.5, moment=Unknown("never asked"), generation=Unknown("why")),
    ],
)
def test_what_is_written_is_read(value: Sample) -> None:
    assert from_plain(Sample, to_plain(value)) == value


def test_members_of_a_union_say_what_they_are() -> None:
    done = Condition(path="a", operator=Operator.EQUAL, value=[1, {"b": None}])
    for call in (
        ExchangeCall(cmdlet="Get-X", parameters={"Identity": "x"}),
        ControllerCall(work="observe", arguments={}),
    ):
        poll = Poll(call=call, until=done, failed=None, interval_s=1.5)
        plain = to_plain(poll)
        assert plain["call"]["is"] == type(call).__name__
        assert from_plain(Poll, plain) == poll


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"count": "1"}, "count"),
        ({"count": True}, "count"),
        ({"generation": "2021"}, "generation"),
        ({"moment": "2026-11-22T10:00:00"}, "moment"),
        ({"names": [1]}, "names"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(change: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidDocument, match=word):
        from_plain(Sample, {**to_plain(SAMPLE), **change})


def test_missing_members_are_refused_and_newer_ones_ignored() -> None:
    plain = to_plain(SAMPLE)
    assert from_plain(Sample, {**plain, "newer": 1}) == SAMPLE
    del plain["count"]
    with pytest.raises(InvalidDocument, match="count"):
        from_plain(Sample, plain)


def test_canonical_json_is_one_text_for_equal_values() -> None:
    assert canonical_json({"b": 1, "a": "ä"}) == '{"a":"ä","b":1}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    with pytest.raises(ValueError):
        canonical_json({"a": float("nan")})


def test_times_are_utc_with_a_zone() -> None:
    local = MOMENT.astimezone(timezone(timedelta(hours=1)))
    assert time_text(local) == "2026-11-22T10:00:00Z"
    assert parse_time(time_text(local)) == MOMENT
    with pytest.raises(ValueError, match="without a zone"):
        parse_time("2026-11-22T10:00:00")


def test_unknown_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="truth value"):
        assert Unknown("why")
