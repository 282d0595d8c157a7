"""What a lane looked at and what it found: the looks that the record of its database keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from goexchange.driver.lanes import happened
from goexchange.journal.replay import RunState
from goexchange.model.actual import LOOKS_AT_A_FILE, Look, LookKind
from goexchange.model.plan import Action, ExchangeCall, Lane, Step
from goexchange.model.run import StepRecord

_MODES = {"checksum": LookKind.PAGES, "integrity": LookKind.STRUCTURE}


def looks_of(lane: Lane, state: RunState, *, is_rebuilt: bool) -> tuple[Look, ...]:
    """Every look of the lane that came to a verdict, in the order of the kinds.

    Shape: looks at the file before it was rebuilt do not count for the one that took its place.
    Unknown: a look without a verdict, or a pass that did not go over every kind, is none.
    """
    of_present = (Action.DETECT_ERRORS, Action.FIND_DAMAGE)
    wanted = (Action.DETECT_ERRORS_TEMPORARY,) if is_rebuilt else of_present
    found: list[Look] = []
    for step in lane.steps:
        record = state.step(step.id)
        if step.action in wanted:
            found += _of_file(record)
        if step.action is Action.MEASURE_SPACE and not is_rebuilt:
            found += _of_space(record)
        if step.action is Action.CHECK_MTA:
            found += _of_queues(record)
    found += _of_server(lane, state)
    found += _of_passes(lane, state)
    return _last_of_each(found)


def kept_looks(
    before: Iterable[Look], now: Iterable[Look], *, is_new_file: bool
) -> tuple[Look, ...]:
    """What the record keeps: the last look of each kind; of an earlier file none at a file."""
    earlier = [one for one in before if not is_new_file or one.kind not in LOOKS_AT_A_FILE]
    return _last_of_each([*earlier, *now])


def _last_of_each(looks: Iterable[Look]) -> tuple[Look, ...]:
    last: dict[LookKind, Look] = {}
    for one in looks:
        if one.kind not in last or one.at_utc >= last[one.kind].at_utc:
            last[one.kind] = one
    return tuple(last[kind] for kind in LookKind if kind in last)


def _of_file(record: StepRecord) -> Iterator[Look]:
    result = record.result or {}
    if record.ended_at_utc is None or "mode" not in result or result["mode"] not in _MODES:
        return
    found = result.get("damage")  # of a look that was to find some
    errors = found or 0 if happened(record) else _errors(result)
    if errors is None:
        return
    yield Look(
        kind=_MODES[result["mode"]],
        at_utc=record.ended_at_utc,
        errors=errors,
        warnings=int(result.get("correctable", 0)),
    )


def _errors(result: Mapping[str, Any]) -> int | None:
    """How many errors a failed look has found; None when it did not come to say so."""
    if result["mode"] == "checksum" and "bad_checksums" in result:
        return int(result["bad_checksums"] + result["wrong_page_numbers"]) or None
    is_corrupted = result["mode"] == "integrity" and result.get("is_corrupted") is True
    return 1 if is_corrupted else None


def _of_space(record: StepRecord) -> Iterator[Look]:
    result = record.result or {}
    if happened(record) and record.ended_at_utc is not None and "recoverable_bytes" in result:
        yield Look(
            kind=LookKind.SPACE,
            at_utc=record.ended_at_utc,
            errors=0,
            recoverable_bytes=result["recoverable_bytes"],
        )


def _of_queues(record: StepRecord) -> Iterator[Look]:
    """The last check of the queue database that came to a verdict."""
    result = record.result or {}
    if record.ended_at_utc is not None and "verdict" in result and "repaired" in result:
        errors = 0 if result["verdict"] == "clean" else max(1, int(result["repaired"]))
        yield Look(kind=LookKind.QUEUES, at_utc=record.ended_at_utc, errors=errors)


def _of_server(lane: Lane, state: RunState) -> Iterator[Look]:
    """When the last of the commands that take the server down had ended well, and the server was
    itself again after each.
    """
    wanted = (Action.TAKE_SERVER_DOWN, Action.AWAIT_SERVER)
    records = [state.step(step.id) for step in lane.steps if step.action in wanted]
    ends = [each.ended_at_utc for each in records if happened(each)]
    if records and len(ends) == len(records) and None not in ends:
        at = max(end for end in ends if end is not None)
        yield Look(kind=LookKind.SERVER, at_utc=at, errors=0)


def _of_passes(lane: Lane, state: RunState) -> Iterator[Look]:
    """One look for all the kinds of a pass together: it is as old as the first of them."""
    by_pass: dict[str, list[Step]] = {}
    for step in lane.steps:
        if step.action in (Action.REPAIR_REQUEST, Action.STORE_INTEGRITY):
            by_pass.setdefault(step.pass_name or "", []).append(step)
    for steps in by_pass.values():
        records = [state.step(step.id) for step in steps]
        told = [_ours(record) for record in records]
        ends = [record.ended_at_utc for record in records]
        errors = [one["errors"] for one in told if one is not None and "errors" in one]
        if None in ends or len(errors) < len(steps) or None in errors:
            continue
        warnings = [one["warnings"] or 0 for one in told if one is not None]
        at = min(end for end in ends if end is not None)
        kinds = [LookKind.LOGICAL] if _detects(steps[0]) else [LookKind.LOGICAL, LookKind.CORRECTED]
        for kind in kinds:
            yield Look(kind=kind, at_utc=at, errors=sum(errors), warnings=sum(warnings))


def _ours(record: StepRecord) -> Mapping[str, Any] | None:
    result = record.result or {}
    ours = result.get("ours")
    return ours if isinstance(ours, dict) and ours.get("is_over") is True else None


def _detects(step: Step) -> bool:
    return isinstance(step.call, ExchangeCall) and step.call.parameters.get("DetectOnly") is True
