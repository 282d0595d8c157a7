"""What every plan body has in common, whatever asked for it: rules of the run, an empty frame."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import goexchange
from goexchange.model.actual import ActualState
from goexchange.model.configuration import Inventory
from goexchange.model.plan import EstimateSource, Lane, PlanBody, RunRules
from goexchange.plan.check import check_body
from goexchange.plan.context import Pace
from goexchange.plan.sealing import FORMAT
from goexchange.powershell.seam import carrier_digests

OUTPUT_TAIL_BYTES = 8192
_EMPTY = (
    "inputs",
    "specifications",
    "scope",
    "decisions",
    "premises",
    "guards",
    "consents",
    "notices",
    "report_formats",
    "backups",
    "diagnostics",
)


def run_rules(
    inventory: Inventory,
    pace: Pace,
    *,
    overrun: str,
    failures_max: int = 0,
    run_time_max_s: int | None = None,
) -> RunRules:
    """The rules of a run at this site."""
    return RunRules(
        failures_max=failures_max,
        overrun=overrun,
        run_time_max_s=run_time_max_s,
        poll_interval_s=pace.poll_interval_s,
        lease_s=pace.lease_s,
        heartbeat_s=pace.heartbeat_s,
        mount_confirm_after_s=inventory.mount_confirm_after_s,
        output_tail_bytes=OUTPUT_TAIL_BYTES,
        host_root=inventory.host_root,
        carriers=carrier_digests([each.generation for each in inventory.servers]),
    )


def body_without_specification(
    actual: ActualState,
    rules: RunRules,
    *,
    at: datetime,
    lanes: Sequence[Lane],
    estimate: str,
    **differs: Any,
) -> PlanBody:
    """The checked body of a plan that a verb asked for, not a specification: no window, no guards,
    no notices; `differs` are members that are not empty.
    """
    empty: dict[str, Any] = dict.fromkeys(_EMPTY, ())
    frame: dict[str, Any] = {
        **empty,
        "format": FORMAT,
        "tool": f"goexchange {goexchange.__version__}",
        "evaluated_at_utc": at,
        "valid_until_utc": None,
        "commit": None,
        "is_partial": True,
        "window": None,
        "rules": rules,
        "lanes": tuple(lanes),
        "estimate": EstimateSource(earlier_runs=0, text=estimate),
        "facts": actual,
    }
    body = PlanBody(**{**frame, **differs})
    check_body(body)
    return body
