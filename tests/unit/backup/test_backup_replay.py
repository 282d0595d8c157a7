"""Which logs bring a set's database up to a time, and what is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from goexchange.backup.manifest import content_digest
from goexchange.backup.replay import SeenLog, choose_logs
from goexchange.errors import NotNow, UsageError
from goexchange.ese.logs import LogHeader
from goexchange.ese.rendering import signature_words
from goexchange.ese.structures import LogTime, Signature
from goexchange.model.backup_set import DatabaseFacts, FileRole, SetFile

BEGAN = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
LOGS = Signature(random=7, created=LogTime.at(BEGAN))
FIRST = 0x4C0


def log(number: int, *, signature: Signature = LOGS) -> SeenLog:
    """The n-th log: one an hour."""
    generation = FIRST + number
    created = LogTime.at(BEGAN + timedelta(hours=number))
    before = LogTime.at(BEGAN + timedelta(hours=number - 1))
    header = LogHeader(
        generation=generation,
        file_sectors=256,
        created=created,
        previous_created=before,
        previous_checksum=0,
        signature=signature,
        system_path="L:\\",
        log_path="L:\\",
        attachments=(),
    )
    file = SetFile(
        role=FileRole.LOG,
        path=f"E05{generation:08X}.log",
        source_path=f"L:\\E05{generation:08X}.log",
        size_bytes=1024,
        sha256="aa",
        reason="needed",
    )
    return SeenLog(file=file, header=header)


DIRTY = DatabaseFacts(
    signature="any",
    log_signature=signature_words(LOGS),
    state="Dirty Shutdown",
    page_size=32768,
    dbtime=1,
    last_consistent="(0x4C0,1,0)",
    last_consistent_generation=FIRST,
    last_consistent_at_utc=BEGAN,
    log_required_low=FIRST + 1,
    log_required_high=FIRST + 2,
    log_committed=FIRST + 2,
    repair_count=0,
    are_header_copies_alike=True,
)
CLEAN = evolve(DIRTY, log_required_low=0, log_required_high=0, state="Clean Shutdown")
CHAIN = tuple(log(number) for number in range(5))


def generations(facts: DatabaseFacts, logs: tuple[SeenLog, ...], **until: int) -> list[int]:
    moment = BEGAN + timedelta(hours=until["hours"], minutes=30) if until else None
    chosen = choose_logs(facts, logs, until=moment)
    assert chosen is not None and chosen.last == chosen.files[-1].path
    assert chosen.base == "E05"
    return [int(each.path[3:11], 16) - FIRST for each in chosen.files]


def test_a_clean_database_wants_no_log() -> None:
    assert choose_logs(CLEAN, CHAIN, until=None) is None


def test_a_dirty_one_takes_every_log_from_the_first_that_it_requires() -> None:
    assert generations(DIRTY, CHAIN) == [1, 2, 3, 4]


def test_a_time_takes_the_logs_that_were_begun_by_then() -> None:
    assert generations(DIRTY, CHAIN, hours=3) == [1, 2, 3]
    assert generations(CLEAN, CHAIN, hours=2) == [0, 1, 2]


def test_a_time_before_the_shutdown_needs_an_older_set() -> None:
    with pytest.raises(UsageError, match="needs an older set"):
        choose_logs(CLEAN, CHAIN, until=BEGAN - timedelta(hours=1))


def test_a_time_before_what_the_database_requires_is_not_reached() -> None:
    with pytest.raises(NotNow, match="do not reach generation 0x4C2"):
        choose_logs(DIRTY, CHAIN, until=BEGAN + timedelta(hours=1))


@pytest.mark.parametrize(
    ("logs", "why"),
    [
        ((*CHAIN[:2], *CHAIN[3:]), "chain of logs is broken between E05000004C1"),
        ((*CHAIN[:4], log(4, signature=evolve(LOGS, random=8))), "another log sequence"),
        (CHAIN[2:], "no log of generation 0x4C1"),
        ((), "no log of generation 0x4C1"),
    ],
)
def test_no_chain_no_replay(logs: tuple[SeenLog, ...], why: str) -> None:
    with pytest.raises(NotNow, match=why):
        choose_logs(DIRTY, logs, until=None)


def test_a_log_that_does_not_follow_the_one_before_breaks_the_chain() -> None:
    stranger = evolve(CHAIN[3], header=evolve(CHAIN[3].header, previous_created=LogTime()))
    with pytest.raises(NotNow, match="broken"):
        choose_logs(DIRTY, (*CHAIN[:3], stranger, CHAIN[4]), until=None)


def test_the_digest_of_files_knows_no_order_and_no_folder() -> None:
    one, other = ("D:\\a\\DB.edb", 1, "aa"), ("D:\\a\\E05.log", 2, "bb")
    moved = ("F:\\x\\db.EDB", 1, "aa")
    assert content_digest([one, other]) == content_digest([other, moved])
    assert content_digest([one]) != content_digest([("D:\\a\\DB.edb", 1, "ab")])
