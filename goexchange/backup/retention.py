"""Which sets may go: a pure decision with a reason for every set, kept or removed.

Shape: decided per database (by its GUID). Sets that are damaged, that were taken as evidence, or
whose database has no proved backup since, are never removed, whatever the policy says; only proved
sets count for it.
Source: procedure of an offline backup: original and set may go only when a backup of the present
file is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from itertools import groupby

from attrs import frozen

from goexchange.model.backup_set import BackupSet, FileRole, FileVerdict, SetMethod


class Standing(Enum):
    """What is known of a set without reading it all."""

    PROVED = "proved"  # its database was checked when it was made, and every file is there
    NOT_CHECKED = "not-checked"  # every file is there; nobody checked the copy
    EVIDENCE = "evidence"  # taken before a repair: not a way back, and nobody's to remove
    DAMAGED = "damaged"


@frozen(kw_only=True)
class ShelvedSet:
    """A set where it lies. Shape: `folder` is where it was found; `total_bytes` what it takes."""

    folder: str
    set_id: str
    set_sha256: str
    server: str
    database: str
    database_guid: str
    taken_at_utc: datetime
    total_bytes: int
    standing: Standing
    damage: str | None = None


@frozen(kw_only=True)
class RetentionPolicy:
    """How many sets of each database are kept.

    Shape: the newest `last`; the newest of each of the last `daily` days and `weekly` weeks (UTC,
    weeks from Monday) that have a set.
    """

    last: int = 3
    daily: int = 0
    weekly: int = 0


@frozen(kw_only=True)
class Decision:
    """What happens to one set, and why."""

    set: ShelvedSet
    is_kept: bool
    reason: str


def standing_of(body: BackupSet, damage: str | None) -> Standing:
    """The standing of a set that its manifest describes and whose files were looked at."""
    if damage is not None:
        return Standing.DAMAGED
    if body.method is SetMethod.EVIDENCE:
        return Standing.EVIDENCE
    databases = [each for each in body.files if each.role is FileRole.DATABASE]
    is_proved = bool(databases) and all(each.verdict is FileVerdict.SOUND for each in databases)
    return Standing.PROVED if is_proved else Standing.NOT_CHECKED


def decide(
    sets: Sequence[ShelvedSet], policy: RetentionPolicy, proved_at_utc: Mapping[str, datetime]
) -> tuple[Decision, ...]:
    """A decision for each set, by database and from the newest on.

    Shape: `proved_at_utc` holds the time of the last proved backup by the GUID of the database, in
    lower case; a database that is not in it has none that is known.
    """
    decisions: list[Decision] = []
    for key, group in groupby(sorted(sets, key=_database_key), key=_database_key):
        newest_first = sorted(group, key=lambda each: each.taken_at_utc, reverse=True)
        proved_at = proved_at_utc.get(key)
        reasons = _policy_reasons(newest_first, policy)
        decisions += [_decide(each, reasons, proved_at) for each in newest_first]
    return tuple(decisions)


def _database_key(one: ShelvedSet) -> str:
    """The GUID stays when a database changes its name or its server."""
    return one.database_guid.lower() or f"{one.server}/{one.database}".lower()


def _decide(one: ShelvedSet, reasons: Mapping[str, str], proved_at: datetime | None) -> Decision:
    if one.standing is Standing.DAMAGED:
        return Decision(set=one, is_kept=True, reason=f"damaged ({one.damage}): look at it first")
    if one.standing is Standing.EVIDENCE:
        return Decision(set=one, is_kept=True, reason="evidence from before a repair")
    if one.folder in reasons:
        return Decision(set=one, is_kept=True, reason=reasons[one.folder])
    if proved_at is None:
        reason = "no proved backup of its database is known: it may be the only way back"
        return Decision(set=one, is_kept=True, reason=reason)
    if proved_at <= one.taken_at_utc:
        reason = f"no proved backup since it was taken (the last: {proved_at:%Y-%m-%d %H:%M} UTC)"
        return Decision(set=one, is_kept=True, reason=reason)
    reason = f"older than the policy keeps; a proved backup since: {proved_at:%Y-%m-%d %H:%M} UTC"
    return Decision(set=one, is_kept=False, reason=reason)


def _policy_reasons(newest_first: Sequence[ShelvedSet], policy: RetentionPolicy) -> dict[str, str]:
    """By folder, why the policy keeps a set; the first reason that holds."""
    proved = [each for each in newest_first if each.standing is Standing.PROVED]
    # Where nothing is proved the newest sets are all there is, so they count instead.
    counted = proved or [each for each in newest_first if each.standing is Standing.NOT_CHECKED]
    reasons: dict[str, str] = {}
    for index, each in enumerate(counted[: max(1, policy.last)]):
        words = "the newest" if index == 0 else f"one of the last {policy.last}"
        reasons[each.folder] = words
    for each in _newest_of(counted, "%Y-%m-%d", policy.daily):
        reasons.setdefault(each.folder, f"the newest of {each.taken_at_utc:%Y-%m-%d}")
    for each in _newest_of(counted, "%G-W%V", policy.weekly):
        reasons.setdefault(each.folder, f"the newest of week {each.taken_at_utc:%G-W%V}")
    return reasons


def _newest_of(newest_first: Sequence[ShelvedSet], period: str, count: int) -> Iterable[ShelvedSet]:
    found: dict[str, ShelvedSet] = {}
    for each in newest_first:
        found.setdefault(each.taken_at_utc.strftime(period), each)
    return list(found.values())[:count]
