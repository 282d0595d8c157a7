"""The plan of `leftovers --remove`: one step for each thing that may go, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import evolve

from goexchange.codec import time_text
from goexchange.model.actual import ActualState
from goexchange.model.configuration import Inventory
from goexchange.model.plan import (
    Action,
    Lane,
    PlanBody,
    PlanInput,
    Reason,
    ScriptCall,
)
from goexchange.plan.bodies import body_without_specification, run_rules
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_script
from goexchange.plan.context import Pace
from goexchange.plan.host_records import sentinel_removed
from goexchange.plan.leftovers import Leftover, LeftoverKind

_KINDS = {
    LeftoverKind.ORIGINAL: "file",
    LeftoverKind.SET_ASIDE: "file",
    LeftoverKind.WORK_FOLDER: "work-folder",
    LeftoverKind.JOB: "job",
    LeftoverKind.RECORD: "recovery-record",
    LeftoverKind.RUN: "kept-run",
}


def tidying_body(
    found: Sequence[Leftover],
    inventory: Inventory,
    actual: ActualState,
    *,
    pace: Pace,
    inputs: Sequence[PlanInput] = (),
) -> PlanBody:
    """The plan's body; `actual` is the look at the one server that the reasons rest on."""
    (server,) = (each.name for each in actual.servers)
    going = [each for each in found if each.may_go]
    return body_without_specification(
        actual,
        run_rules(inventory, pace, overrun="finish"),
        at=actual.observed_at_utc,
        lanes=[_lane(server, going, inventory.host_root)],
        estimate="removing needs no estimate",
        inputs=tuple(inputs),
        scope=(server,),
    )


def _lane(server: str, going: Sequence[Leftover], root: str) -> Lane:
    lane = LaneBuilder(f"{server}:leftovers", server, database=None, database_guid=None)
    for each in going:
        lane.add(
            Action.REMOVE_LEFTOVER,
            _call(each, root),
            summary=f"remove {each.kind.value} {each.what}: {each.reason}",
            reason=Reason.ASKED_FOR,
            may_fail=True,
        )
    return lane.lane()


def _call(each: Leftover, root: str) -> ScriptCall:
    if each.kind is LeftoverKind.SENTINEL:
        call = sentinel_removed(root, guid=each.what, database=each.database or "")
        return evolve(call, arguments={**call.arguments, "run": each.run or ""})
    modified: datetime | None = each.modified_at_utc
    return host_script(
        "remove-leftover",
        {
            "root": root,
            "kind": _KINDS[each.kind],
            "what": each.what,
            "size_bytes": each.size_bytes,
            "modified_at": None if modified is None else time_text(modified),
        },
    )
