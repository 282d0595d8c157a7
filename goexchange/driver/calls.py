"""Calls as they are sent: the plan's calls with what only the run knows.

The plan's arguments are never changed: fence, run, job and runner are added where the contract asks
for them, and the
step's bindings are filled from outcomes in the journal. All of it is a pure function of plan,
journal and lease.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve

from goexchange.codec import time_text, to_plain
from goexchange.driver.binding import value_of
from goexchange.driver.lanes import step_of
from goexchange.journal.replay import RunState
from goexchange.model.accounts import is_managed
from goexchange.model.actual import Generation
from goexchange.model.plan import (
    Call,
    ControllerCall,
    ExchangeCall,
    JobCall,
    Plan,
    Probe,
    ScriptCall,
    Step,
)
from goexchange.model.server import SAME_NODE
from goexchange.model.unknown import Unknown
from goexchange.powershell.bootstrap import digest, runner_argument
from goexchange.powershell.contracts import CONTRACTS


def scope_servers(plan: Plan) -> tuple[str, ...]:
    """Every server that a step of the plan acts on, in the one order in which leases are taken."""
    return tuple(sorted({step.server for lane in plan.body.lanes for step in lane.steps}))


def scope_leases(plan: Plan) -> tuple[str, ...]:
    """The leases of a run: its servers, and the availability groups that they belong to."""
    servers = scope_servers(plan)
    groups = {
        group_lease(server.availability_group)
        for server in plan.body.facts.servers
        if server.name in servers and isinstance(server.availability_group, str)
    }
    return (*sorted(groups), *servers)


def group_lease(group: str) -> str:
    """The name of an availability group's lease."""
    return f"dag:{group}"


def longest_cmdlet_s(plan: Plan) -> int:
    """How long a cmdlet of the plan that changes something may be under way at most: its limit, and
    never longer than the lease that it is sent under.
    """
    limits = [
        step.time_limit_s
        for lane in plan.body.lanes
        for step in lane.steps
        if isinstance(step.call, ExchangeCall) and changes(step.call)
    ]
    return min(max(limits, default=0), plan.body.rules.lease_s)


def changes(call: ExchangeCall) -> bool:
    """Whether a cmdlet changes anything."""
    return not call.cmdlet.startswith("Get-")


def root_of(plan: Plan, server: str) -> str | None:
    """The tool's folder on the host, as the plan's own calls name it; a plan that only mounts names
    it in its rules.
    """
    for lane in plan.body.lanes:
        for step in lane.steps:
            if (
                step.server == server
                and isinstance(step.call, ScriptCall)
                and "root" in step.call.arguments
            ):
                return str(step.call.arguments["root"])
    return plan.body.rules.host_root


def node_of(plan: Plan, step: str) -> str | None:
    """The node of a clustered server that a step is bound to; None where it is bound to none."""
    found = step_of(plan, step)
    if found is None or SAME_NODE not in found.guards:
        return None
    seen = next(one for one in plan.body.facts.servers if one.name == found.server)
    return None if isinstance(seen.host, Unknown) else seen.host.name


def generation_of(plan: Plan, server: str) -> Generation | None:
    """The version of a server as the plan saw it; None where it is not known."""
    seen = next((each for each in plan.body.facts.servers if each.name == server), None)
    known = None if seen is None else seen.generation
    return known if isinstance(known, Generation) else None


def changed_scripts(plan: Plan) -> tuple[str, ...]:
    """Host scripts whose packaged text has another digest than the plan says."""
    named = set(plan.body.rules.carriers.items())
    named |= {
        ("start-job" if isinstance(step.call, JobCall) else step.call.script, step.call.digest)
        for lane in plan.body.lanes
        for step in lane.steps
        if isinstance(step.call, JobCall | ScriptCall)
    }
    return tuple(sorted(script for script, planned in named if digest(script) != planned))


def job_id(run: str, step: Step, attempt: int) -> str:
    """The id of a host job: run, step and attempt, fit for a folder and a task name."""
    return f"{run}-{step.number:02d}-{hashlib.sha256(step.id.encode()).hexdigest()[:6]}-{attempt}"


def bound(step: Step, plan: Plan, state: RunState) -> Call:
    """The step's call with its bindings filled.

    Raises: Unbound when an outcome that a binding rests on is not in the journal.
    """
    arguments = dict(_arguments(step.call))
    for binding in step.binds:
        if not _takes(step.call, binding.argument):
            continue  # only the probe takes it
        arguments[binding.argument] = value_of(binding, plan, state, of=step)
    return _with_arguments(step.call, arguments)


def bound_probe(step: Step, plan: Plan, state: RunState) -> Probe | None:
    """The step's probe with the bindings that its call takes too."""
    if step.probe is None or isinstance(step.probe.call, ExchangeCall):
        return step.probe
    arguments = dict(step.probe.call.arguments)
    takes = CONTRACTS[step.probe.call.script].arguments["properties"]
    for binding in step.binds:
        if binding.argument in takes:
            arguments[binding.argument] = value_of(binding, plan, state, of=step)
    return evolve(step.probe, call=evolve(step.probe.call, arguments=arguments))


def completed(call: ScriptCall, *, fence: int, run: str, job: str | None = None) -> ScriptCall:
    """A host script's call with what the contract asks for and only the run knows; a run or job of
    somebody else's that the plan names stays.
    """
    takes = CONTRACTS[call.script].arguments["properties"]
    added: dict[str, Any] = {"fence": fence, "run": run, "job": job}
    known = {
        name: value
        for name, value in added.items()
        if name in takes and value is not None and (name == "fence" or name not in call.arguments)
    }
    return evolve(call, arguments={**call.arguments, **known})


def start_call(call: JobCall, *, root: str, fence: int, job: str) -> ScriptCall:
    """The host script that starts a job."""
    arguments: dict[str, Any] = {
        "root": root,
        "fence": fence,
        "job": job,
        "kind": call.kind,
        "request": dict(call.request),
        "runner": runner_argument(),
    }
    if call.account is not None:
        arguments["account"] = {"user": call.account, "is_managed": is_managed(call.account)}
    return ScriptCall(script="start-job", digest=digest("start-job"), arguments=arguments)


def poll_call(call: JobCall, *, root: str, job: str, offset: int) -> ScriptCall:
    """The host script that reads how a job stands."""
    arguments = {"root": root, "job": job, "offset": offset, "watch": list(call.watch)}
    return ScriptCall(script="poll-job", digest=digest("poll-job"), arguments=arguments)


def cancel_call(*, root: str, fence: int, job: str) -> ScriptCall:
    """The host script that ends a job."""
    return ScriptCall(
        script="cancel-job",
        digest=digest("cancel-job"),
        arguments={"root": root, "fence": fence, "job": job},
    )


def claim_call(root: str, fence: int, holder: str, now: datetime) -> ScriptCall:
    """The host script that raises the fencing number."""
    arguments = {"root": root, "fence": fence, "holder": holder, "claimed_at": time_text(now)}
    return ScriptCall(script="claim-fence", digest=digest("claim-fence"), arguments=arguments)


def feed_call(placed: Step, fence: int, run: str) -> ScriptCall:
    """The heartbeat of a sentinel that a step has placed."""
    assert isinstance(placed.call, ScriptCall)
    call = completed(placed.call, fence=fence, run=run)
    return evolve(call, arguments={**call.arguments, "state": "fed"})


def plain_call(call: Call) -> Any:
    """The call as the journal's intent holds it."""
    return {"is": type(call).__name__, **to_plain(call)}


def _takes(call: Call, argument: str) -> bool:
    return (
        not isinstance(call, ScriptCall)
        or argument in CONTRACTS[call.script].arguments["properties"]
    )


def _arguments(call: Call) -> Mapping[str, Any]:
    if isinstance(call, ExchangeCall):
        return call.parameters
    return call.request if isinstance(call, JobCall) else call.arguments


def _with_arguments(call: Call, arguments: Mapping[str, Any]) -> Call:
    if isinstance(call, ExchangeCall):
        return evolve(call, parameters=arguments)
    if isinstance(call, JobCall):
        return evolve(call, request=arguments)
    assert isinstance(call, (ScriptCall, ControllerCall))
    return evolve(call, arguments=arguments)
