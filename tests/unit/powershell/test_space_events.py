"""The store's event about free space: one form, and nothing in any other."""

from __future__ import annotations

import pytest

from goexchange.powershell.space_events import free_space

TEXT = (
    'The database "First Storage Group\\Mailbox Database" has 87 megabytes of free space after'
    " online defragmentation has terminated."
)


def said(*texts: str, number: int = 1221) -> dict[str, object]:
    events = [
        {"id": number, "at": f"2026-11-22T0{hour}:00:00Z", "text": text}
        for hour, text in enumerate(texts, start=1)
    ]
    return {"clock": "2026-11-22T10:00:00Z", "events": events}


def test_the_newest_figure_of_the_database_counts() -> None:
    newer = TEXT.replace("87", "12")
    other = TEXT.replace("Mailbox Database", "DB06")
    found = free_space(
        said(TEXT, newer, other), group="first storage group", name="mailbox database"
    )
    assert found is not None and found.free_bytes == 12 * 1024**2
    assert found.at_utc.hour == 2


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("First Storage Group", "Second Storage Group"),
        TEXT.replace("First Storage Group\\", ""),
        TEXT.replace("megabytes", "Megabyte"),
        TEXT.replace("terminated.", "begun."),
        TEXT.replace("87", "-1"),
        "Die Datenbank hat 87 Megabyte frei.",
        "",
    ],
)
def test_another_form_says_nothing(text: str) -> None:
    assert free_space(said(text), group="First Storage Group", name="Mailbox Database") is None


def test_another_event_says_nothing() -> None:
    answer = said(TEXT, number=1222)
    assert free_space(answer, group="First Storage Group", name="Mailbox Database") is None
