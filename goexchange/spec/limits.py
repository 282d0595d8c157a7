"""What specifications may not exceed, by the policies in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goexchange.errors import Diagnostic, Place
from goexchange.model.desired import DesiredState
from goexchange.model.policy import Policy
from goexchange.reading import Findings
from goexchange.spec.across import Loaded

_Breach = tuple[str, Place]


def check_limits(loaded: Sequence[Loaded], policies: Sequence[Policy]) -> tuple[Diagnostic, ...]:
    """Return where specifications exceed what a policy allows."""
    findings = Findings(each.document for each in loaded)
    for each in loaded:
        for policy in policies:
            for what, place in _breaches(each.desired, policy):
                detail = f"{what} by the policy '{policy.name}' ({policy.file})."
                findings.add("over-limit", detail=detail, place=place)
    return findings.all()


def _breaches(desired: DesiredState, policy: Policy) -> Iterator[_Breach]:
    limits, strategy, schedule = policy.limits, desired.strategy, desired.schedule
    script = desired.script.script
    if limits.scripts is not None and script not in limits.scripts:
        allowed = ", ".join(each.value for each in limits.scripts) or "none"
        yield f"The script {script.value} is not allowed ({allowed})", desired.script.place
    for name, value, highest, place in (
        (
            "servers_at_once",
            strategy.servers_at_once,
            limits.servers_at_once,
            strategy.servers_at_once_place,
        ),
        ("failures_max", strategy.failures_max, limits.failures, strategy.place),
    ):
        if highest is not None and value > highest:
            yield f"'{name}' is {value}; {highest} is the most that is allowed", place
    offline = desired.backup_before.offline
    fewest = limits.keep_last
    if fewest is not None and offline is not None and offline.keep_last < fewest:
        yield f"'keep.last' is {offline.keep_last}; {fewest} is the fewest", offline.place
    if limits.needs_window and schedule.window is None:
        yield "A window is required", schedule.place
    if limits.run_time_max_s is not None:
        longest = f"{limits.run_time_max_s // 60} minutes are the most that is allowed"
        if schedule.run_time_max_s is None:
            yield f"'run_time_max' is required; {longest}", schedule.place
        elif schedule.run_time_max_s > limits.run_time_max_s:
            yield (
                f"'run_time_max' is {schedule.run_time_max_s // 60} minutes; {longest}",
                schedule.place,
            )
