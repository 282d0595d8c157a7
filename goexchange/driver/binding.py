"""What is known only on the way: values from plan and journal for the calls of later steps."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from ntpath import basename, join
from typing import Any

from goexchange.codec import time_text
from goexchange.driver.lanes import happened, step_of
from goexchange.driver.pairs import with_streaming
from goexchange.driver.records import (
    MANIFESTS,
    database_record,
    seal_folder,
    sealing_of,
    selection_of,
)
from goexchange.errors import GoexchangeError
from goexchange.journal.replay import RunState
from goexchange.model.plan import Binding, BindingKind, Lane, Plan, Step


class Unbound(GoexchangeError):
    """An outcome that a binding rests on is not in the journal: the step cannot be sent."""

    id = "unbound"


def value_of(binding: Binding, plan: Plan, state: RunState, *, of: Step) -> Any:
    """Return the value of a binding of a step.

    Raises: Unbound when plan and journal do not hold it.
    """
    try:
        return _KINDS[binding.kind](binding, plan, state, of)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Unbound(
            f"{binding.argument} of {of.id} is not known: {type(error).__name__}: {error}"
        ) from error


def result_of(state: RunState, step: str) -> Mapping[str, Any]:
    """The judged result of a step that took effect.

    Raises: Unbound when it did not.
    """
    record = state.step(step)
    if not happened(record) or record.result is None:
        raise Unbound(f"step {step} has no result")
    return record.result


def lane_of(plan: Plan, step: Step) -> Lane:
    """The lane of a step."""
    return next(lane for lane in plan.body.lanes if any(one.id == step.id for one in lane.steps))


def _of_result(name: str) -> Callable[[Binding, Plan, RunState, Step], Any]:
    def read(binding: Binding, plan: Plan, state: RunState, of: Step) -> Any:
        return result_of(state, binding.step)[name]

    return read


def _started_at(binding: Binding, plan: Plan, state: RunState, of: Step) -> Any:
    record = state.step(binding.step)
    if record.result is not None and "started_at_utc" in record.result:
        return record.result["started_at_utc"]  # by the host's clock
    if record.first_sent_at_utc is None:
        raise Unbound(f"step {binding.step} was not sent")
    return time_text(record.first_sent_at_utc)


def _files_by_rule(binding: Binding, plan: Plan, state: RunState, of: Step) -> Any:
    """The files of the set, each with its place in the set's folder."""
    header_step = step_of(plan, binding.step)
    if header_step is None:
        raise Unbound(f"the plan has no step {binding.step}")
    is_evidence = binding.kind is not BindingKind.FILES_BY_RULE
    result = result_of(state, binding.step)
    lane = lane_of(plan, of)
    selection = with_streaming(
        selection_of(header_step, result, is_evidence=is_evidence), lane, state
    )
    folder = _set_folder(lane)
    return [
        {"source": one.path, "destination": join(folder, basename(one.path))}
        for one in selection.files
    ]


def _set_folder(lane: Lane) -> str:
    for step in lane.steps:
        if step.action is sealing_of(lane).seal:
            return seal_folder(step)
    raise Unbound(f"lane {lane.id} seals no set")


def _source_files(binding: Binding, plan: Plan, state: RunState, of: Step) -> Any:
    """Where the evidence was copied from: the files of its rule once more."""
    pairs = _files_by_rule(binding, plan, state, of)
    return [one["source"] for one in pairs]


def _set_files(binding: Binding, plan: Plan, state: RunState, of: Step) -> Any:
    return [one["path"] for one in result_of(state, binding.step)["files"]]


def _set_manifest(binding: Binding, plan: Plan, state: RunState, of: Step) -> Any:
    content = MANIFESTS[of.action](plan, lane_of(plan, of), state)
    return base64.b64encode(content).decode("ascii")


def _database_record(binding: Binding, plan: Plan, state: RunState, of: Step) -> Any:
    return database_record(plan, lane_of(plan, of), state)


_KINDS: Mapping[BindingKind, Callable[[Binding, Plan, RunState, Step], Any]] = {
    BindingKind.SIGNATURE: _of_result("signature"),
    BindingKind.HEADER_DIGEST: _of_result("slots_sha256"),
    BindingKind.FILES_BY_RULE: _files_by_rule,
    BindingKind.EVIDENCE_FILES: _files_by_rule,
    BindingKind.SOURCE_FILES: _source_files,
    BindingKind.SET_FILES: _set_files,
    BindingKind.SET_MANIFEST: _set_manifest,
    BindingKind.SET_DIGEST: _of_result("set_sha256"),
    BindingKind.STARTED_AT: _started_at,
    BindingKind.DATABASE_RECORD: _database_record,
}
