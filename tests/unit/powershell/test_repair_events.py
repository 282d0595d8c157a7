"""Events of the store of Exchange 2010: a database's own, or unknown; never a guess."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goexchange.model.unknown import Unknown
from goexchange.powershell.repair_events import (
    CORRUPTION,
    ENDED_WELL,
    FAILED,
    STARTED,
    RepairEvents,
    repair_events,
    without,
)

GUID = "0a1b2c3d-0000-4000-8000-00000000000d"


def event(number: int, minute: int, text: str = 'database "DB01"') -> dict[str, Any]:
    return {"id": number, "at": f"2026-11-28T22:{minute:02d}:00Z", "text": text}


def found(*events: dict[str, Any], since: datetime | None = None) -> RepairEvents:
    answer = repair_events({"events": list(events)}, name="DB01", guid=GUID, since=since)
    assert isinstance(answer, RepairEvents)
    return answer


def test_a_request_begins_finds_and_ends() -> None:
    seen = found(event(STARTED, 1), event(CORRUPTION, 2), event(CORRUPTION, 2))
    assert (seen.starts, seen.corruptions, seen.is_open) == (1, 2, True)
    assert len(set(seen.identities)) == 3
    over = found(event(ENDED_WELL, 3), event(STARTED, 1))
    assert (over.ends, over.is_open) == (1, False)


@pytest.mark.parametrize("number", FAILED)
def test_each_of_the_bad_ends_is_an_end(number: int) -> None:
    seen = found(event(STARTED, 1), event(number, 2))
    assert (seen.failures, seen.is_open) == (1, False)


@pytest.mark.parametrize(
    "text", ['database "db01"', "Datenbank 'DB01'", f"({GUID.upper()})", "\u201cDB01\u201d wurde"]
)
def test_a_database_is_named_by_its_guid_or_between_quotes(text: str) -> None:
    assert found(event(STARTED, 1, text)).starts == 1


def test_another_database_and_another_number_say_nothing() -> None:
    assert found(event(STARTED, 1, 'database "DB02"'), event(9999, 1, "nothing")).starts == 0
    assert found(event(STARTED, 1), since=datetime(2026, 11, 28, 23, tzinfo=UTC)).starts == 0


@pytest.mark.parametrize("text", ["", "database DB01 was started", '"unended DB01'])
def test_an_event_that_names_nothing_in_a_known_way_makes_all_unknown(text: str) -> None:
    answer = {"events": [event(STARTED, 1, text), event(STARTED, 2)]}
    assert isinstance(repair_events(answer, name="DB01", guid=GUID), Unknown)


def test_what_an_earlier_pass_has_counted_is_left_out() -> None:
    first = found(event(STARTED, 1), event(ENDED_WELL, 2))
    both = found(event(STARTED, 1), event(ENDED_WELL, 2), event(STARTED, 2))
    left = without(both, first.identities)
    assert (left.starts, left.ends, left.is_open) == (1, 0, True)


@given(st.lists(st.tuples(st.sampled_from((STARTED, ENDED_WELL, CORRUPTION, 1)), st.text())))
def test_whatever_a_text_is_the_answer_is_counted_or_unknown(
    events: list[tuple[int, str]],
) -> None:
    plain = [event(number, index % 60, text) for index, (number, text) in enumerate(events)]
    answer = repair_events({"events": plain}, name="DB01", guid=GUID)
    if isinstance(answer, RepairEvents):
        named = [text for number, text in events if number != 1 and "db01" in text.lower()]
        assert answer.starts + answer.ends + answer.corruptions <= len(named)
