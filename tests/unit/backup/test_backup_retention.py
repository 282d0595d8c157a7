"""Retention: a reason for every set; what may be the only way back is never removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.backup.retention import (
    Decision,
    RetentionPolicy,
    ShelvedSet,
    Standing,
    decide,
    standing_of,
)
from goexchange.model.backup_set import BackupSet, FileRole, FileVerdict, SetFile, SetMethod

MONDAY = datetime(2024, 3, 4, 3, tzinfo=UTC)
GUID = "6f6a2d2e-0f4d-4f0e-9f11-000000000005"


def shelved(
    day: float, standing: Standing = Standing.PROVED, guid: str = GUID, hour: int = 0
) -> ShelvedSet:
    taken = MONDAY + timedelta(days=day, hours=hour)
    return ShelvedSet(
        folder=f"/sets/{guid[-1]}/{day}/{hour}/{standing.value}",
        set_id=f"EX01/DB05/{day}",
        set_sha256="d" * 64,
        server="EX01",
        database="DB05",
        database_guid=guid,
        taken_at_utc=taken,
        total_bytes=1000,
        standing=standing,
        damage="DB05.edb is not there" if standing is Standing.DAMAGED else None,
    )


def kept(decisions: tuple[Decision, ...]) -> list[float]:
    found = [each.set.taken_at_utc - MONDAY for each in decisions if each.is_kept]
    return sorted(each / timedelta(days=1) for each in found)


def proved(day: float) -> dict[str, datetime]:
    return {GUID: MONDAY + timedelta(days=day)}


def test_the_newest_proved_sets_are_kept_and_the_rest_goes():
    sets = [shelved(day) for day in range(6)]
    decisions = decide(sets, RetentionPolicy(last=2), proved(30))
    assert kept(decisions) == [4, 5]
    reasons = {each.set.set_id: each.reason for each in decisions}
    assert reasons["EX01/DB05/5"] == "the newest"
    assert reasons["EX01/DB05/4"] == "one of the last 2"
    assert "a proved backup since" in reasons["EX01/DB05/0"]


def test_days_and_weeks_keep_the_newest_of_each():
    sets = [shelved(day, hour=hour) for day in range(20) for hour in (0, 6)]
    policy = RetentionPolicy(last=1, daily=3, weekly=3)
    decisions = decide(sets, policy, proved(60))
    # Week one ends with day 6, week two with day 13; days 17 to 19 are the last ones with a set.
    assert kept(decisions) == [6.25, 13.25, 17.25, 18.25, 19.25]
    reasons = [each.reason for each in decisions if each.is_kept]
    assert "the newest of week 2024-W10" in reasons and "the newest of 2024-03-21" in reasons


@pytest.mark.parametrize("known", [{}, proved(2), proved(3)])
def test_a_set_without_a_proved_backup_since_stays_whatever_the_policy(
    known: dict[str, datetime],
):
    decisions = decide([shelved(3), shelved(4)], RetentionPolicy(last=1), known)
    assert kept(decisions) == [3, 4]
    assert "no proved backup" in decisions[1].reason


def test_damaged_sets_and_evidence_stay_and_do_not_count():
    sets = [
        shelved(1),
        shelved(2, Standing.NOT_CHECKED),
        shelved(3, Standing.EVIDENCE),
        shelved(4, Standing.DAMAGED),
    ]
    decisions = decide(sets, RetentionPolicy(last=1), proved(30))
    assert kept(decisions) == [1, 3, 4]
    assert [each.set.standing for each in decisions if not each.is_kept] == [Standing.NOT_CHECKED]


def test_where_nothing_is_proved_the_newest_is_all_there_is():
    sets = [shelved(day, Standing.NOT_CHECKED) for day in (1, 2)]
    assert kept(decide(sets, RetentionPolicy(last=1), proved(30))) == [2]


def test_a_database_keeps_its_sets_under_its_guid():
    other = GUID.replace("5", "6")
    sets = [shelved(1), shelved(2), shelved(1, guid=other), shelved(3, guid=GUID.upper())]
    decisions = decide(sets, RetentionPolicy(last=1), proved(30) | {other: MONDAY})
    removed = {(each.set.database_guid, each.set.set_id) for each in decisions if not each.is_kept}
    assert len(decisions) == 4 and (other, "EX01/DB05/1") not in removed and len(removed) == 2


SETS = st.lists(
    st.builds(
        shelved,
        st.integers(0, 40),
        st.sampled_from(Standing),
        st.sampled_from([GUID, GUID.replace("5", "6")]),
        st.integers(0, 23),
    ),
    max_size=25,
    unique_by=lambda each: each.folder,
)


@settings(database=None, deadline=None, max_examples=50)
@given(SETS, st.integers(1, 5), st.integers(0, 5), st.integers(-1, 45))
def test_whatever_is_on_the_shelf_a_way_back_stays(
    sets: list[ShelvedSet], last: int, daily: int, proof: int
):
    policy = RetentionPolicy(last=last, daily=daily, weekly=1)
    decisions = decide(sets, policy, proved(proof))
    assert {each.set.folder for each in decisions} == {each.folder for each in sets}
    assert all(each.reason for each in decisions)
    for each in decisions:
        if each.is_kept:
            continue
        own = [one for one in decisions if one.set.database_guid == each.set.database_guid]
        assert each.set.database_guid == GUID
        assert each.set.taken_at_utc < MONDAY + timedelta(days=proof)
        assert any(one.is_kept and one.set.standing is not Standing.DAMAGED for one in own)


def test_the_standing_of_a_set():
    def body(verdict: FileVerdict, method: SetMethod = SetMethod.OFFLINE_COPY) -> BackupSet:
        file = SetFile(
            role=FileRole.DATABASE,
            path="DB05.edb",
            source_path="",
            size_bytes=1,
            sha256="",
            reason="",
            verdict=verdict,
        )
        return BackupSet(
            set_id="s",
            server="EX01",
            database="DB05",
            database_guid=GUID,
            taken_at_utc=MONDAY,
            run="",
            plan="",
            method=method,
            files=(file,),
            restores=None,  # type: ignore[arg-type]
        )

    assert standing_of(body(FileVerdict.SOUND), None) is Standing.PROVED
    assert standing_of(body(FileVerdict.NOT_CHECKED), None) is Standing.NOT_CHECKED
    assert standing_of(body(FileVerdict.SOUND), "short") is Standing.DAMAGED
    evidence = body(FileVerdict.SOUND, SetMethod.EVIDENCE)
    assert standing_of(evidence, None) is Standing.EVIDENCE
