"""The verb `check` and the scheduled resource check: a plan that is thrown away, and its facts.

A server that does not answer is a finding among the others; it hides no other server's verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, frozen

from goexchange.app.due import past_of, unprotected
from goexchange.app.loading import Specification
from goexchange.app.observing import Seen, observe_each, state_of, together
from goexchange.app.planning import PlanRequest, make_plan, services_to_stop
from goexchange.errors import AuthenticationRefused, ExitCode, GoexchangeError
from goexchange.guard.resources import resource_check
from goexchange.model.resource_check import ResourceCheck, ResourceFinding, Subject, Weight
from goexchange.spec.machines import machines_of
from goexchange.spec.selection import select_servers


def check_resources(request: PlanRequest) -> tuple[ResourceCheck, ...]:
    """Check each specification by itself, in the order of their names; nothing is written.

    Raises: Unreachable or AuthenticationRefused when no server answers; InvalidDocument.
    """
    bare = tuple(each.address for each in unprotected(past_of(Path(request.settings.store))))
    specifications = sorted(request.specifications, key=lambda each: each.desired.name)
    if request.facts_file is not None:
        return tuple(_whole(request, each, bare) for each in specifications)
    wanted = {name for each in specifications for name in _hosts(request, each)}
    services = services_to_stop([each.desired for each in specifications], request.inventory)
    seen = observe_each(request.inventory, sorted(wanted), services=services, has_certificates=True)
    if not seen.servers and seen.failures:
        raise together(list(seen.failures.values()))
    about = _About(request=request, bare=bare, seen=seen)
    return tuple(_check(about, each) for each in specifications)


def exit_code_of(checks: Iterable[ResourceCheck]) -> ExitCode:
    """The most severe end: refused credentials, a silent server, something that would keep a run
    from starting (14).
    """
    every = list(checks)
    if any(each.refused for each in every):
        return ExitCode.AUTH
    if any(each.silent for each in every):
        return ExitCode.UNREACHABLE
    return ExitCode.NOT_NOW if any(each.problems for each in every) else ExitCode.OK


@frozen(kw_only=True)
class _About:
    request: PlanRequest
    bare: tuple[str, ...]
    seen: Seen


def _servers(request: PlanRequest, specification: Specification) -> tuple[str, ...]:
    wanted = set(select_servers(specification.desired.targets, request.inventory))
    return tuple(sorted(wanted & set(request.servers) if request.servers else wanted))


def _hosts(request: PlanRequest, specification: Specification) -> tuple[str, ...]:
    """The servers, and the machines that their backup agents run on."""
    return (*_servers(request, specification), *machines_of([specification.desired]))


def _check(about: _About, specification: Specification) -> ResourceCheck:
    request = about.request
    mine = _servers(request, specification)
    hosts = _hosts(request, specification)
    failures = {name: about.seen.failures[name] for name in hosts if name in about.seen.failures}
    answered = tuple(each for each in about.seen.servers if each.name in hosts)
    names = tuple(each.name for each in answered if each.name in mine)
    if names or not mine:
        narrowed = evolve(request, observed=state_of(answered) if answered else None)
        if failures:
            narrowed = evolve(narrowed, servers=names)
        found = _whole(narrowed, specification, about.bare)
    else:
        found = ResourceCheck(
            specification=specification.desired.name,
            checked_at_utc=request.at or datetime.now(UTC),
            servers=(),
            findings=(),
        )
    return _with_silent(found, failures)


def _with_silent(check: ResourceCheck, failures: Mapping[str, GoexchangeError]) -> ResourceCheck:
    if not failures:
        return check
    is_refused = {name: isinstance(failures[name], AuthenticationRefused) for name in failures}
    rows = tuple(
        ResourceFinding(
            address=name,
            subject=Subject.SERVER,
            weight=Weight.UNKNOWN,
            text=f"nothing of it could be read: {failures[name]}",
            remedy=f"goexchange doctor {name}",
        )
        for name in sorted(failures)
    )
    return evolve(
        check,
        servers=tuple(sorted({*check.servers, *failures})),
        findings=(*rows, *check.findings),
        silent=tuple(sorted(name for name in failures if not is_refused[name])),
        refused=tuple(sorted(name for name in failures if is_refused[name])),
    )


def _whole(
    request: PlanRequest, specification: Specification, bare: tuple[str, ...]
) -> ResourceCheck:
    plan = make_plan(evolve(request, specifications=(specification,)))
    return resource_check(
        plan.body,
        specification.desired,
        low_space_threshold_bytes=request.inventory.low_space_threshold_bytes,
        certificates_end_within_s=request.inventory.certificates_end_within_s,
        unprotected=bare,
    )
