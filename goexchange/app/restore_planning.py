"""Plans of the verbs `restore` and `rollback`: the set or the run looked at, the server observed,
the plan guarded and sealed. Nothing is changed; `apply` carries them out like any other.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, frozen

from goexchange.app.backups import instead_of_restore
from goexchange.app.observing import observe_servers, together
from goexchange.app.planning import read_plan, who
from goexchange.app.policies import policy_inputs
from goexchange.app.running import Site
from goexchange.backup.manifest import SealedSet, parse_manifest
from goexchange.backup.replay import Replay, SeenLog, choose_logs
from goexchange.codec import parse_time
from goexchange.driver.lanes import facts_of
from goexchange.driver.undoing import kept_original
from goexchange.errors import HostRefused, NotNow, UsageError
from goexchange.ese.logs import read_log_header
from goexchange.guard.evaluate import at_plan
from goexchange.journal.replay import RunState, replay
from goexchange.model.backup_set import MANIFEST_NAME, FileRole
from goexchange.model.configuration import Inventory
from goexchange.model.kept_original import KeptOriginal
from goexchange.model.plan import Lane, Plan, PlanBody
from goexchange.model.run import LaneState
from goexchange.plan.context import Pace
from goexchange.plan.restore_files import database_of
from goexchange.plan.restoring import Setting, Wanted, original_draft, recovery_draft
from goexchange.plan.rolling_back import rollback_draft
from goexchange.plan.sealing import seal
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import Runs
from goexchange.store.scanning import MANIFEST_BYTES_MAX

RECOVERY_DATABASE, ORIGINAL = "recovery-database", "original"
HEADER_BYTES = 4096
READ_LIMIT_S = 120


@frozen(kw_only=True)
class RestoreRequest:
    """What to restore where.

    Shape: `set_folder` is a path of this machine or of a host; `server`, `name` and `stage` are
    None for the set's own server and for the defaults.
    """

    set_folder: str
    target: str
    until: datetime | None = None
    server: str | None = None
    name: str | None = None
    stage: str | None = None


@frozen(kw_only=True)
class Standing:
    """How a database of a run stands, for a rollback.

    Shape: `kept` is there where the rebuilt file was mounted; `is_open` where the run itself still
    has a way back, or has not ended.
    """

    lane: Lane
    is_open: bool
    kept: KeptOriginal | None


@frozen
class _FoundSet:
    sealed: SealedSet
    host_folder: str
    local: Path | None


def plan_restore(request: RestoreRequest, site: Site) -> Plan:
    """The sealed plan that restores a set to a server.

    Raises: UsageError, Damaged, NotNow, Unreachable; nothing is changed anywhere.
    """
    found = _find_set(request, site)
    body = found.sealed.body
    server = request.server or body.server
    is_elsewhere = server.casefold() != body.server.casefold()
    if is_elsewhere and not found.host_folder.startswith("\\\\"):
        raise UsageError(
            f"--server: {found.host_folder} is a set of {body.server}; only one on a share can be"
            " restored elsewhere"
        )
    wanted = Wanted(
        sealed=found.sealed,
        folder=found.host_folder,
        replay=_replay(found, request.until),
        name=request.name,
        stage=request.stage,
    )
    draft = recovery_draft if request.target == RECOVERY_DATABASE else original_draft
    return _sealed(lambda setting: draft(wanted, setting), server, site)


def standings(name: str, site: Site, *, database: str | None) -> tuple[str, list[Standing]]:
    """The run's id, and how each database of it stands.

    Raises: InvalidDocument for a run that is not there; UsageError for a database it did not touch.
    """
    folder = Runs(site.store).find(name)
    plan = read_plan(str(folder.plan_path))
    state = replay(read_journal(folder.journal_path).records)
    lanes = [
        lane
        for lane in plan.body.lanes
        if lane.database is not None
        and (database is None or lane.database.casefold() == database.casefold())
    ]
    if not lanes:
        raise UsageError(f"--database: run {folder.id} has no database {database}")
    return folder.id, [_standing(plan, lane, state) for lane in lanes]


def plan_rollback(kept: KeptOriginal, site: Site) -> Plan:
    """The sealed plan that puts the kept original back.

    Raises: NotNow, Unreachable; nothing is changed anywhere.
    """
    return _sealed(lambda setting: rollback_draft(kept, setting), kept.lane.server, site)


def require_moment(kept: KeptOriginal, run: str, given: str | None) -> None:
    """The moment that a person names is that of the run's own record, to the second.

    Raises: UsageError saying what is lost, and what to type.
    """
    mounted = kept.mounted_at_utc.astimezone(UTC).replace(microsecond=0)
    text = f"{mounted:%Y-%m-%dT%H:%M:%SZ}"
    command = (
        f"goexchange rollback {run} --database {kept.lane.database} --discard-mail-since {text}"
    )
    if given is None:
        raise NotNow(
            f"the rebuilt file of {kept.lane.id} was mounted at {text} and has taken mail since:"
            f" what came in after that is not in the original. Who wants that types: {command}"
        )
    try:
        moment = parse_time(given).astimezone(UTC).replace(microsecond=0)
    except ValueError as error:
        raise UsageError(f"--discard-mail-since: {error}; write it like {text}") from error
    if moment != mounted:
        raise UsageError(
            f"--discard-mail-since: the run's own record says {text}, and not {given}: {command}"
        )


def _standing(plan: Plan, lane: Lane, state: RunState) -> Standing:
    facts = facts_of(lane, state)
    reached = state.lane(lane.id).state
    is_under_way = reached is LaneState.RUNNING or (
        state.ended is None and reached is LaneState.WAITING
    )
    is_open = not facts.is_new_file_mounted and (facts.is_away or is_under_way)
    return Standing(lane=lane, is_open=is_open, kept=kept_original(plan, lane, state))


def _sealed(make: Callable[[Setting], PlanBody], server: str, site: Site) -> Plan:
    known = [each.name for each in site.inventory.servers]
    if server not in known:
        raise UsageError(f"the inventory has no server {server}; it has {', '.join(known)}")
    actual = observe_servers(site.inventory, [server])
    now = actual.observed_at_utc
    body = make(
        Setting(
            inventory=site.inventory,
            actual=actual,
            server=server,
            now=now,
            pace=Pace(
                lease_s=site.settings.lease_expires_after_s,
                heartbeat_s=site.settings.heartbeat_every_s,
            ),
        )
    )
    inputs = (*body.inputs, *policy_inputs())
    body = evolve(body, inputs=inputs, guards=at_plan(body, actual, now))
    return seal(body, created_at=datetime.now(UTC), created_by=who())


def _find_set(request: RestoreRequest, site: Site) -> _FoundSet:
    """The set by its manifest: read here where this machine reaches it, else by the host that has
    it.
    """
    given = request.set_folder
    local = _local(given, site.inventory)
    if local is not None and (local / MANIFEST_NAME).is_file():
        with (local / MANIFEST_NAME).open("rb") as file:
            sealed = parse_manifest(file.read(MANIFEST_BYTES_MAX))
        return _FoundSet(sealed, _host_path(given, local, site.inventory), local)
    if not _is_windows(given):
        why = f"{given} is not a backup set: there is no {MANIFEST_NAME} in it"
        raise UsageError(f"{why}{instead_of_restore(Path(given))}")
    if given.startswith("\\\\"):
        raise UsageError(
            f"{given} is on a share, and a session on a server has no rights there to read the set:"
            " declare where this machine sees the share (`shares[].mounted_at` in the inventory),"
            " or restore from a machine that does"
        )
    if request.server is None and len(site.inventory.servers) > 1:
        raise UsageError(f"{given} is a folder of a server: name the server with --server")
    server = request.server or site.inventory.servers[0].name
    return _FoundSet(parse_manifest(_manifest_on(server, given, site)), given, None)


def _manifest_on(server: str, folder: str, site: Site) -> bytes:
    from goexchange.app.worker import Fleet

    entries = [each for each in site.inventory.servers if each.name == server]
    with Fleet(entries) as fleet:
        if fleet.failures:
            raise together(list(fleet.failures.values()))
        try:
            answer = fleet.session(server).script(
                "read-set", {"folder": folder}, time_limit_s=READ_LIMIT_S
            )
        except HostRefused as refused:
            raise UsageError(f"{folder} on {server} is not a backup set: {refused}") from refused
    return base64.b64decode(answer["manifest"])


def _replay(found: _FoundSet, until: datetime | None) -> Replay | None:
    """The logs that the database wants, or that the wanted time asks for."""
    body = found.sealed.body
    file = database_of(body)
    facts = None if file is None else file.database
    if facts is None:
        return None  # refused where the plan is made
    if facts.log_required_low == 0 and until is None:
        return None
    if found.local is None:
        raise NotNow(
            f"{found.host_folder}: its logs have to be read for a replay, and this machine does not"
            " reach it: declare the share in the inventory (`shares`), or restore it to a folder"
        )
    logs = []
    for each in body.files:
        if each.role is not FileRole.LOG:
            continue
        with (found.local / each.path).open("rb") as log:
            reading = read_log_header(log.read(HEADER_BYTES))
        if reading.header is None:
            raise NotNow(f"{each.path} of the set cannot be read as a log; `verify` says why")
        logs.append(SeenLog(file=each, header=reading.header))
    return choose_logs(facts, tuple(logs), until=until)


def _local(given: str, inventory: Inventory) -> Path | None:
    """Where this machine sees the folder; None when it does not."""
    if not _is_windows(given):
        return Path(given)
    for share in sorted(inventory.shares, key=lambda each: -len(each.path)):
        prefix = share.path.rstrip("\\").lower() + "\\"
        if share.mounted_at is not None and given.lower().startswith(prefix):
            return Path(share.mounted_at, *given[len(prefix) :].strip("\\").split("\\"))
    return None


def _host_path(given: str, local: Path, inventory: Inventory) -> str:
    """How the servers see a folder of this machine.

    Raises: UsageError when no share of the inventory says so.
    """
    if _is_windows(given):
        return given.rstrip("\\")
    here = [(Path(each.mounted_at), each) for each in inventory.shares if each.mounted_at]
    for mounted, share in sorted(here, key=lambda each: -len(str(each[0]))):
        root = mounted.resolve()
        if local.resolve().is_relative_to(root):
            below = local.resolve().relative_to(root).parts
            return "\\".join([share.path.rstrip("\\"), *below])
    raise UsageError(
        f"{given} lies on no share that the servers see: declare it in the inventory (`shares`),"
        " or restore to a folder with --to PATH"
    )


def _is_windows(path: str) -> bool:
    return path.startswith("\\\\") or path[1:3] == ":\\"

