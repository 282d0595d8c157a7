"""The verb `check` and the scheduled resource check: a plan that is thrown away, and its facts."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from goexchange.app.due import past_of, unprotected
from goexchange.app.loading import Specification
from goexchange.app.planning import PlanRequest, make_plan
from goexchange.errors import ExitCode
from goexchange.guard.resources import resource_check
from goexchange.model.resource_check import ResourceCheck


def check_resources(request: PlanRequest) -> tuple[ResourceCheck, ...]:
    """Check each specification by itself, in the order of their names; nothing is written.

    Raises: Unreachable, AuthenticationRefused, InvalidDocument.
    """
    bare = tuple(each.address for each in unprotected(past_of(Path(request.settings.store))))
    specifications = sorted(request.specifications, key=lambda each: each.desired.name)
    return tuple(_check(request, each, bare) for each in specifications)


def exit_code_of(checks: tuple[ResourceCheck, ...]) -> ExitCode:
    """14 when something would keep a run from starting."""
    return ExitCode.NOT_NOW if any(each.problems for each in checks) else ExitCode.OK


def _check(
    request: PlanRequest, specification: Specification, bare: tuple[str, ...]
) -> ResourceCheck:
    plan = make_plan(evolve(request, specifications=(specification,)))
    return resource_check(
        plan.body,
        specification.desired,
        low_space_threshold_bytes=request.inventory.low_space_threshold_bytes,
        unprotected=bare,
    )
