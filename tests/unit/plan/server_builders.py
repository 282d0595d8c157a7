"""Members of a group that is well, with the server that is to be taken down first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve

from goexchange.model import actual, desired
from goexchange.model.plan import Decision, Lane, PlanBody
from goexchange.model.server import ComponentState, Said, ServerMode
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    active,
    at,
    conditions,
    copy,
    database,
    group,
    guid,
    host,
    inventory,
    script,
    server,
    spec,
    state,
)

NAMES = ("EX01", "EX02", "EX03")
SERVICES = tuple(
    actual.Service(name=name, state="Running", start_type="Automatic")
    for name in ("MSExchangeIS", "MSExchangeTransport", "WinRM", "MSExchangeRepl")
)


def component(name: str, state: str = "Active", **by: str) -> ComponentState:
    """A component, Functional with it, and what others say of it."""
    every = {"Functional": "Active", **by}
    said = tuple(Said(requester=each, state=every[each]) for each in sorted(every))
    return ComponentState(component=name, state=state, by=said)


def mode(*components: ComponentState, policy: str = "Unrestricted") -> ServerMode:
    """The usual components, with these in the place of theirs."""
    usual = {each: component(each) for each in ("HubTransport", "ServerWideOffline", "OwaProxy")}
    usual |= {each.component: each for each in components}
    return ServerMode(
        components=tuple(usual[each] for each in sorted(usual)), activation_policy=policy
    )


def down(name: str = "updates", **differs: Any) -> desired.DownProcess:
    """A command that takes the server down."""
    values: dict[str, Any] = {
        "name": name,
        "run": ("C:\\ops\\updates.cmd",),
        "timeout_s": 1800,
        "back_within_s": 1200,
        "restarts": True,
        "success_exit_codes": (0,),
        "follow": None,
        "place": at(30),
    }
    return desired.DownProcess(**{**values, **differs})


def wanted(**differs: Any) -> desired.DesiredState:
    """The specification."""
    nothing = desired.BackupActions(offline=None, online=None, place=at(20))
    due = conditions(
        white_space_max=None, verified_within_s=None, online_full_backup_within_s=None
    )
    values: dict[str, Any] = {
        "script": script(script=desired.Script.SERVER_MAINTENANCE),
        "conditions": evolve(due, maintained_within_s=30 * 86400, maintained_within_place=at(9)),
        "backup_before": nothing,
        "backup_after": nothing,
        "processes_down": (down(),),
    }
    return spec("updates", **{**values, **differs})


def of_group(*held: Any, **differs: Any) -> tuple[actual.ActualServer, ...]:
    """EX01 with DB05 active, copies on EX02 and EX03; `differs` are of EX01."""
    every = held or (active(), copy(), copy(server="EX03", activation_preference=3))
    replicated = database(copies=NAMES, is_replicated=True)
    found = []
    for name in NAMES:
        values: dict[str, Any] = {
            "databases": (replicated,) if name == "EX01" else (),
            "availability_group": "DAG1",
            "group": group(*NAMES),
            "copies": tuple(each for each in every if each.server == name),
            "host": host(name, services=SERVICES),
            "mode": mode(),
        }
        found.append(server(name, **{**values, **(differs if name == "EX01" else {})}))
    return tuple(found)


def drafted(
    seen: Iterable[actual.ActualServer], of: desired.DesiredState | None = None, *names: str
) -> PlanBody:
    """The draft for EX01, or for these servers."""
    chosen = of or wanted()
    return make_draft([chosen], inventory(*(names or ("EX01",))), state(*seen), now=NOW)


def decided(
    seen: Iterable[actual.ActualServer], of: desired.DesiredState | None = None
) -> Decision:
    """The one decision."""
    (found,) = drafted(seen, of).decisions
    return found


def the_lane(
    seen: Iterable[actual.ActualServer], of: desired.DesiredState | None = None
) -> Lane:
    """The one lane."""
    (found,) = drafted(seen, of).lanes
    return found


def single(number: int = 9, name: str = "ALONE", **differs: Any) -> actual.ActualDatabase:
    """A database that nobody else has a copy of."""
    return database(name, guid=guid(number), **differs)
