"""Online error correction: which of the store's requests are ours, and how they stand.

The store lists every request of a database, old ones and other people's too. Ours are of the kind
that was asked for, not older than the asking, and counted by no earlier pass. Exchange 2010 has no
such list: there the events that its store has written since count, and what an event does not tell
stays unknown. An error is a
corruption that a pass detected, corrected or not: correcting one may uncover another. Source: the
vendor's reference of Get-MailboxRepairRequest; one request for a database may become several jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from goexchange.codec import parse_time
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, ExchangeCall, Step
from goexchange.model.unknown import Unknown
from goexchange.powershell.repair_events import repair_events, without

UNCLEAR = "unclear"  # a member that says why no later answer can be told apart either
OBSERVING_TAKES = timedelta(seconds=5)
_UNDER_WAY = ("Queued", "Running")
_STATES = (*_UNDER_WAY, "Succeeded", "Failed")
_BUSY = "allowed number"  # Source: the store's refusal of a second request of a server


def with_ours(
    step: Step,
    state: RunState,
    answer: Mapping[str, Any],
    *,
    accepted: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The answer with a member `ours`, for steps that ask for repair requests.

    Shape: `accepted` is what the store said to the request itself. Its identity finds it whatever
    the clocks do meanwhile; without it, after a lost answer or a resume, the time has to do.
    Unknown: `ours` is missing when an object does not tell its kind or its time, or has a state
    that is none of the known words.
    """
    if step.action is not Action.REPAIR_REQUEST or not isinstance(step.call, ExchangeCall):
        return dict(answer)
    if "events" in answer:
        return _with_events(step, state, answer)
    sent = state.step(step.id).last_sent_at_utc
    kind = str(step.call.parameters["CorruptionType"])
    if sent is None or not all(_tells(one) for one in answer["objects"]):
        return dict(answer)
    since = _not_older_than(state, step.server, sent).replace(microsecond=0)
    counted = {each for record in state.steps.values() for each in record.requests}
    named = {_request(one) for one in (accepted or {}).get("objects", ())} - {None}
    by_name = [one for one in answer["objects"] if _request(one) in named]
    mine = by_name or [one for one in answer["objects"] if _is_ours(one, kind, since)]
    return {**answer, "ours": _standing([one for one in mine if _identity(one) not in counted])}


def is_busy(answer: Mapping[str, Any] | None, message: str) -> bool:
    """Whether a request was refused because another one is under way: it may be sent later."""
    if answer is not None and "events" in answer:
        return _BUSY in message or bool(answer.get("ours", {}).get("is_open"))
    found = answer["objects"] if answer is not None else []
    return _BUSY in message or any("JobState" in one and _is_open(one) for one in found)


def _with_events(step: Step, state: RunState, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The same figures, out of the store's events. One request for a database is under way on a
    server at a time, so what begins after the asking is ours. Whether something was left out is not
    told: warnings are unknown.
    """
    assert isinstance(step.call, ExchangeCall)
    sent = state.step(step.id).last_sent_at_utc
    if sent is None or step.database is None:
        return dict(answer)
    since = _not_older_than(state, step.server, sent).replace(microsecond=0)
    guid = str(step.call.parameters["Database"])
    found = repair_events(answer, name=step.database, guid=guid, since=since)
    if isinstance(found, Unknown):
        return {**answer, UNCLEAR: found.reason}
    counted = {each for record in state.steps.values() for each in record.requests}
    mine = without(found, counted)
    is_over = mine.starts > 0 and not mine.is_open
    ours = {
        "requests": list(mine.identities),
        "count": mine.starts,
        "is_open": mine.is_open,
        "is_over": is_over,
        "has_failed": is_over and mine.failures > 0,
        "corruptions_detected": mine.corruptions,
        "corruptions_fixed": None,
        "errors": mine.corruptions,
        "warnings": None,
        "troubles": None,
    }
    return {**answer, "ours": ours}


def _standing(mine: list[Mapping[str, Any]]) -> dict[str, Any]:
    is_over = bool(mine) and not any(_is_open(one) for one in mine)
    found, warnings = _sum(mine, "CorruptionsDetected"), _not_whole(mine)
    return {
        "requests": sorted(each for one in mine if (each := _identity(one)) is not None),
        "count": len(mine),
        "is_over": is_over,
        "has_failed": is_over and any(one["JobState"] == "Failed" for one in mine),
        "corruptions_detected": found,
        "corruptions_fixed": _sum(mine, "CorruptionsFixed"),
        "errors": found,
        "warnings": warnings,
        "troubles": None if found is None or warnings is None else found + warnings,
    }


def _sum(mine: list[Mapping[str, Any]], name: str) -> int | None:
    """A figure of all jobs together; None when one does not tell it as a number."""
    figures = [one[name] for one in mine if name in one and type(one[name]) is int]
    return int(sum(figures)) if len(figures) == len(mine) and mine else None


def _not_whole(mine: list[Mapping[str, Any]]) -> int | None:
    """Warnings: jobs that ended well and tell an error code, so that something was left out."""
    if _sum(mine, "ErrorCode") is None:
        return None
    return len([one for one in mine if one["ErrorCode"] != 0 and one["JobState"] != "Failed"])


def _tells(one: Mapping[str, Any]) -> bool:
    if not all(name in one and one[name] for name in ("Tasks", "CreationTime", "JobState")):
        return False
    if one["JobState"] not in _STATES or not isinstance(one["CreationTime"], str):
        return False
    try:
        return parse_time(one["CreationTime"]).tzinfo is not None
    except ValueError:
        return False


def _is_ours(one: Mapping[str, Any], kind: str, since: datetime) -> bool:
    tasks = one["Tasks"] if isinstance(one["Tasks"], list) else str(one["Tasks"]).split(",")
    kinds = {str(each).strip().lower() for each in tasks}
    return kind.lower() in kinds and parse_time(one["CreationTime"]) >= since


def _identity(one: Mapping[str, Any]) -> str | None:
    return str(one["Identity"]) if "Identity" in one and one["Identity"] else None


def _request(one: Mapping[str, Any]) -> str | None:
    """The request that a job belongs to; None where its identity does not tell.

    Source: the identity is the database's, the request's and the job's GUID, with backslashes.
    """
    parts = (_identity(one) or "").lower().split("\\")
    return parts[1] if len(parts) == 3 else None


def _is_open(one: Mapping[str, Any]) -> bool:
    return one["JobState"] in _UNDER_WAY


def _not_older_than(state: RunState, server: str, sent: datetime) -> datetime:
    """What the host's clock surely did not yet show when the request was sent.

    By our clock and how far the host's is ahead; and no later than what the host's clock showed
    when it was last observed, before the request, because ours may have jumped since.
    """
    host = state.facts[server]["host"] if server in state.facts else None
    if not isinstance(host, dict) or "clock_utc" not in host:
        return sent
    if not isinstance(host["clock_utc"], str) or not isinstance(host["observed_at_utc"], str):
        return sent
    clock = parse_time(host["clock_utc"])
    ahead = clock - parse_time(host["observed_at_utc"])
    surely = ahead if ahead < timedelta(0) else max(timedelta(0), ahead - OBSERVING_TAKES)
    return min(sent + surely, clock)
