"""The verb `plan`: specifications and an observation to a sealed plan."""

from __future__ import annotations

import getpass
import socket
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, frozen

from goexchange import codec
from goexchange.app.loading import Specification
from goexchange.app.observing import observe_servers
from goexchange.app.policies import policy_inputs
from goexchange.errors import InvalidDocument, UsageError
from goexchange.guard.evaluate import at_plan
from goexchange.model.actual import ActualServer, ActualState
from goexchange.model.configuration import Configuration, Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.history import Measurement
from goexchange.model.pilot import PilotRecord
from goexchange.model.plan import Plan, PlanInput, VerdictKind
from goexchange.model.unknown import Unknown
from goexchange.plan.context import Pilots
from goexchange.plan.planner import Pace, make_draft
from goexchange.plan.sealing import dump, load, seal
from goexchange.schema import suggestion
from goexchange.spec.machines import machines_of
from goexchange.spec.selection import select_servers
from goexchange.store.pilots import read_pilots

PLAN_BYTES_MAX = 256 * 1024 * 1024


@frozen(kw_only=True)
class PlanRequest:
    """What to plan.

    Shape: `servers` and `databases` make the plan partial when they are not empty; `facts_file` or
    `observed` replaces the observation; `repair` is the one database that is to be repaired, with
    possible loss; `at` replaces the newest fact's time as the only *now* of
    the planner.
    """

    specifications: tuple[Specification, ...]
    inventory: Inventory
    settings: Configuration
    servers: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    facts_file: str | None = None
    at: datetime | None = None
    observed: ActualState | None = None
    repair: str | None = None


def make_plan(request: PlanRequest) -> Plan:
    """Observe, plan, guard, seal.

    Raises: Unreachable, AuthenticationRefused, InvalidDocument; nothing is changed anywhere.
    """
    desired = tuple(each.desired for each in request.specifications)
    wanted = {name for spec in desired for name in select_servers(spec.targets, request.inventory)}
    names = sorted(wanted & set(request.servers) if request.servers else wanted)
    others = members_beside(request.inventory, names)
    machines = machines_of(desired)
    actual = request.observed
    if actual is None and request.facts_file:
        actual = read_facts(request.facts_file)
    actual = actual or observe_servers(
        request.inventory,
        [*names, *machines],
        also=others,
        services=services_to_stop(desired, request.inventory),
    )
    seen = {*names, *others, *machines}
    actual = evolve(actual, servers=tuple(each for each in actual.servers if each.name in seen))
    needed = {*names, *(machines if request.facts_file else ())}
    missing = sorted(needed - {each.name for each in actual.servers})
    if missing:
        raise InvalidDocument(
            f"{request.facts_file} has no facts of {', '.join(missing)}: observe again, or name"
            " the servers that are to be planned with --server"
        )
    now = request.at or actual.observed_at_utc
    history = _history(request, [*names, *others])
    pilots = read_pilots(Path(request.settings.store))
    scope = _scope(request, [each for each in actual.servers if each.name in names])
    if request.repair is not None and len(scope) != 1:
        raise UsageError(
            f"--repair: {request.repair} is there on {len(scope)} of the selected servers; name one"
            " with --server"
        )
    body = make_draft(
        desired,
        request.inventory,
        actual,
        now=now,
        scope=scope,
        repairs=scope if request.repair is not None else (),
        inputs=(
            *map(_input, request.specifications),
            *policy_inputs(),
            *_history_input(history),
            *_pilots_input(pilots),
        ),
        history=history,
        pilots=Pilots(records=pilots),
        commit=_commit(),
        pace=Pace(
            lease_s=request.settings.lease_expires_after_s,
            heartbeat_s=request.settings.heartbeat_every_s,
        ),
    )
    body = evolve(body, guards=at_plan(body, actual, now))
    return seal(body, created_at=datetime.now(UTC), created_by=who())


def services_to_stop(
    specifications: Sequence[DesiredState], inventory: Inventory
) -> Mapping[str, Sequence[str]]:
    """The services that are to be stopped, by server."""
    found: dict[str, dict[str, None]] = {}
    for spec in specifications:
        for server in select_servers(spec.targets, inventory) if spec.services_stopped else ():
            found.setdefault(server, {}).update(dict.fromkeys(spec.services_stopped))
    return {server: tuple(names) for server, names in found.items()}


def members_beside(inventory: Inventory, names: Sequence[str]) -> tuple[str, ...]:
    """The other members of the availability groups of these servers: their copies are seen too."""
    found = {
        member
        for group in inventory.availability_groups
        if set(group.servers) & set(names)
        for member in group.servers
    }
    return tuple(sorted(found - set(names)))


def read_plan(path: str) -> Plan:
    """A saved plan, its digest checked.

    Raises: InvalidDocument.
    """
    file = Path(path)
    try:
        if file.stat().st_size > PLAN_BYTES_MAX:
            raise InvalidDocument(f"{path} is too large to be a plan")
        return load(file.read_bytes())
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error


def save_plan(plan: Plan, path: str) -> None:
    """Write a plan as canonical JSON."""
    Path(path).write_bytes(dump(plan))


def who() -> str:
    """The person or account that runs this process, as `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user id
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def _scope(request: PlanRequest, servers: Sequence[ActualServer]) -> tuple[str, ...]:
    """The addresses of a partial plan; databases by the servers that have one of the name.

    Raises: UsageError for a database that exists nowhere.
    """
    found: list[str] = []
    repaired = () if request.repair is None else (request.repair,)
    for name in repaired or request.databases:
        addresses = [
            f"{server.name}/{database.name}"
            for server in servers
            if not isinstance(server.databases, Unknown)
            for database in server.databases
            if database.name.casefold() == name.casefold()
        ]
        if not addresses:
            known = [
                database.name
                for server in servers
                if not isinstance(server.databases, Unknown)
                for database in server.databases
            ]
            hint = suggestion(name, known)
            option = "--repair" if repaired else "--database"
            raise UsageError(f"{option}: no selected server has a database '{name}'. {hint}")
        found += addresses
    return tuple(found or request.servers)


def _history(request: PlanRequest, servers: Sequence[str]) -> tuple[Measurement, ...]:
    from goexchange.app.history import stored_history

    return stored_history(Path(request.settings.store), servers)


def _history_input(history: Sequence[Measurement]) -> tuple[PlanInput, ...]:
    """What earlier runs measured is an input like a document: another history, another plan."""
    if not history:
        return ()
    return (PlanInput(kind="History", path="store", sha256=codec.digest(codec.to_plain(history))),)


def _pilots_input(pilots: Sequence[PilotRecord]) -> tuple[PlanInput, ...]:
    """Pilots on record decide about a consent: another record, another plan."""
    if not pilots:
        return ()
    sha256 = codec.digest([each.transcript_sha256 for each in pilots])
    return (PlanInput(kind="Pilots", path="store", sha256=sha256),)


def _input(specification: Specification) -> PlanInput:
    return PlanInput(kind="Specification", path=specification.file, sha256=specification.sha256)


def read_facts(path: str) -> ActualState:
    """Saved facts. Raises: InvalidDocument."""
    try:
        plain = codec.parse_json(Path(path).read_bytes())
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidDocument(f"{path} is not JSON: {error}") from error
    return codec.from_plain(ActualState, plain)


def _commit() -> str | None:
    """The commit that the working folder is at; None outside git or with changes that are not
    committed.
    """
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=False
        )
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--", "."],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0 or changed.returncode != 0 or changed.stdout.strip():
        return None
    return done.stdout.strip()


def blocked(plan: Plan) -> Sequence[str]:
    """The addresses that something other than time or a missing consent blocks."""
    return tuple(
        f"{each.address}: {each.guard}"
        for each in plan.body.guards
        if each.kind in (VerdictKind.BLOCK, VerdictKind.UNKNOWN) and not each.is_time_only
    )
