"""The outbox: nothing twice, in order, tried again, never lost in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.model.notice import DeliveryState, Event
from goexchange.store.outbox import CLAIM_S, GIVE_UP_AFTER, Outbox, OutboxUnusable

NOW = datetime(2026, 11, 28, 22, tzinfo=UTC)
Made = Callable[..., Event]


def event(name: str, *, due: datetime = NOW, **changes: object) -> Event:
    made = Event(
        id=name,
        event="storage-offline",
        audience="operators",
        recipients=("ops@contoso.example",),
        channels=("mail",),
        template=None,
        variables={"database": "DB05"},
        at_utc=due,
        due_at_utc=due,
        run="r1",
    )
    return evolve(made, **changes)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "store" / "outbox.sqlite")


def states(outbox: Outbox) -> dict[str, str]:
    return {one.event.id: one.state.value for one in outbox.list()}


def test_the_same_event_is_kept_once(outbox: Outbox) -> None:
    assert outbox.add([(event("a"), "mail"), (event("a"), "pager")]) == 2
    assert outbox.add([(event("a"), "mail"), (event("b"), "mail")]) == 1
    assert [(one.event.id, one.channel) for one in outbox.list()] == [
        ("a", "mail"),
        ("a", "pager"),
        ("b", "mail"),
    ]
    assert outbox.list()[0].event == event("a")


def test_one_that_was_delivered_is_never_sent_again(outbox: Outbox) -> None:
    outbox.add([(event("a"), "mail")])
    claimed = outbox.claim(NOW)
    assert claimed is not None and claimed.attempts == 1
    outbox.settle(claimed, DeliveryState.DELIVERED, "taken", now=NOW)
    outbox.add([(event("a"), "mail")])
    assert outbox.claim(NOW + timedelta(days=1)) is None
    (found,) = outbox.list("r1")
    assert (found.state, found.words, found.settled_at_utc) == (
        DeliveryState.DELIVERED,
        "taken",
        NOW,
    )


def test_a_channel_that_is_away_keeps_its_order_and_holds_back_only_its_own(
    outbox: Outbox,
) -> None:
    outbox.add([(event("a"), "mail"), (event("b"), "mail"), (event("b"), "pager")])
    first = outbox.claim(NOW)
    assert first is not None and (first.event.id, first.channel) == ("a", "mail")
    outbox.settle(first, DeliveryState.WAITING, "away", now=NOW)
    second = outbox.claim(NOW)
    assert second is not None and (second.event.id, second.channel) == ("b", "pager")
    outbox.settle(second, DeliveryState.DELIVERED, "", now=NOW)
    assert outbox.claim(NOW) is None
    due = outbox.next_at(NOW)
    assert due is not None and NOW < due <= NOW + timedelta(seconds=10)
    again = outbox.claim(due)
    assert again is not None and again.event.id == "a" and again.attempts == 2


def test_the_waits_grow_and_have_a_limit(outbox: Outbox) -> None:
    outbox.add([(event("a"), "mail")])
    now, waits = NOW, []
    for _ in range(12):
        claimed = outbox.claim(now)
        assert claimed is not None
        outbox.settle(claimed, DeliveryState.WAITING, "away", now=now)
        due = outbox.next_at(now + timedelta(hours=1))
        assert due is not None
        waits.append((due - now).total_seconds())
        now = due
    assert waits == sorted(waits) and waits[0] == 2 and waits[-1] == 600


def test_a_refusal_lets_the_next_one_pass(outbox: Outbox) -> None:
    outbox.add([(event("a"), "mail"), (event("b"), "mail")])
    first = outbox.claim(NOW)
    assert first is not None
    outbox.settle(first, DeliveryState.REFUSED, "550", now=NOW)
    second = outbox.claim(NOW)
    assert second is not None and second.event.id == "b"


def test_a_sender_that_died_is_followed_by_another_when_its_claim_is_over(outbox: Outbox) -> None:
    outbox.add([(event("a"), "mail")])
    assert outbox.claim(NOW) is not None
    assert outbox.claim(NOW + timedelta(seconds=CLAIM_S - 1)) is None
    assert outbox.next_at(NOW) == NOW + timedelta(seconds=CLAIM_S)
    again = outbox.claim(NOW + timedelta(seconds=CLAIM_S + 1))
    assert again is not None and again.attempts == 2


def test_two_senders_never_have_the_same_one(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    Outbox(path).add([(event(f"e{n}"), f"channel{n}") for n in range(20)])
    taken: list[str] = []

    def take() -> None:
        mine = Outbox(path)
        while (one := mine.claim(NOW)) is not None:
            taken.append(one.event.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"e{n}" for n in range(20))


def test_nothing_is_sent_before_its_time_and_nothing_useless_after_it(outbox: Outbox) -> None:
    opens = NOW + timedelta(days=3)
    for lead in (72, 24, 2):
        due = opens - timedelta(hours=lead)
        made = event(f"lead{lead}", due=due, group="g", expires_at_utc=opens, run=None)
        outbox.add([(made, "mail")])
    assert outbox.claim(NOW - timedelta(minutes=1)) is None
    first = outbox.claim(NOW)
    assert first is not None and first.event.id == "lead72"
    outbox.settle(first, DeliveryState.DELIVERED, "", now=NOW)
    late = opens - timedelta(minutes=30)
    last = outbox.claim(late)
    assert last is not None and last.event.id == "lead2"
    assert states(outbox)["lead24"] == "missed"
    outbox.settle(last, DeliveryState.WAITING, "away", now=late)
    outbox.sort_out(opens + timedelta(minutes=1))
    assert states(outbox)["lead2"] == "given-up"
    words = {one.event.id: one.words for one in outbox.list()}
    assert words["lead24"].startswith("nothing ran when it was due, at 2026-11-30T22:00:00Z")


def test_what_is_never_taken_is_given_up_in_the_end(outbox: Outbox) -> None:
    outbox.add([(event("a"), "mail")])
    later = NOW + GIVE_UP_AFTER + timedelta(minutes=1)
    claimed = outbox.claim(later)
    assert claimed is not None
    outbox.settle(claimed, DeliveryState.WAITING, "mail is away", now=later)
    (found,) = outbox.list()
    assert (found.state, found.words) == (DeliveryState.GIVEN_UP, "mail is away")


def test_journals_are_read_again_only_when_they_have_grown(outbox: Outbox) -> None:
    assert not outbox.has_read("r1", 10)
    outbox.note_read("r1", 10)
    assert outbox.has_read("r1", 10) and not outbox.has_read("r1", 11)


def test_an_outbox_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutboxUnusable):
        Outbox(tmp_path / "file" / "outbox.sqlite")
    (tmp_path / "broken").write_bytes(b"not a database at all" * 100)
    with pytest.raises(OutboxUnusable):
        Outbox(tmp_path / "broken")
