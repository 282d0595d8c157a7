"""Plans of a pilot: a scratch database made and removed, and what an operator's specification asks
for, asked of it alone. No database with anybody's mail is ever in them.
"""

from __future__ import annotations

from datetime import datetime
from ntpath import basename, join

from attrs import evolve, frozen

from goexchange.errors import Diagnostic, NotNow, Severity
from goexchange.facts.of_2007 import NOT_TOLD
from goexchange.facts.places import volume_of
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, Generation, Volume
from goexchange.model.desired import (
    BackupActions,
    BackupTarget,
    DesiredState,
    Script,
    Strategy,
    VerifyMode,
)
from goexchange.model.plan import (
    Action,
    Decision,
    ExchangeCall,
    FactClass,
    Lane,
    Need,
    Operator,
    PlanBody,
    PlanInput,
    Premise,
    Probe,
    Reason,
    ScriptCall,
)
from goexchange.model.streaming_file import streaming_beside
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.asked_for import decision_asked_for
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, host_script, property_probe
from goexchange.plan.paths import comparable, stamp_text
from goexchange.plan.pilot_groups import (
    add_group,
    add_removal_of_group,
    group_of,
    has_groups,
    refuse_without_room,
)
from goexchange.plan.premises import premises_of_server
from goexchange.plan.restoring import (
    Draft,
    Setting,
    body_of,
    seen_server,
)
from goexchange.powershell import cmdlets, cmdlets_scratch

ROOM_BYTES = 4 * 1024**3
"""A new database with its logs, the rebuilt one, the original beside it and the set; a new file has
some hundred megabytes.
"""
LOOK_AFTER_S = 10


@frozen(kw_only=True)
class Scratch:
    """The scratch database of a pilot: everything of it lies in one folder."""

    name: str
    folder: str

    @property
    def edb_path(self) -> str:
        """Its file."""
        return join(self.folder, "database", f"{self.name}.edb")

    @property
    def log_folder(self) -> str:
        """Its logs."""
        return join(self.folder, "logs")

    @property
    def set_target(self) -> str:
        """Where its backup sets go: they vanish with it."""
        return join(self.folder, "sets")


def scratch_at(now: datetime, mount_point: str) -> Scratch:
    """A fresh name and folder on a volume."""
    name = f"gx-pilot-{stamp_text(now)}"
    return Scratch(name=name, folder=join(mount_point, name))


def chosen_volume(
    server: ActualServer, *, wanted: str | None, targets: tuple[str, ...], low_space_bytes: int
) -> Volume:
    """The volume of the scratch database: the wanted one, else the roomiest that holds nobody's
    database and takes no backups; where every volume holds one, the roomiest of those.

    Raises: NotNow when what there is cannot be told, or has no room.
    """
    if isinstance(server.databases, Unknown):
        raise NotNow(f"which databases {server.name} holds is not known: {server.databases.reason}")
    if isinstance(server.host, Unknown) or isinstance(server.host.volumes, Unknown):
        raise NotNow(f"the volumes of {server.name} are not known")
    host = server.host
    if wanted is not None:
        found = volume_of(host, comparable(wanted).rstrip("\\") + "\\")
        if isinstance(found, Unknown):
            raise NotNow(f"--volume: {found.reason}")
        return _with_room(found, host, low_space_bytes)
    local = [each for each in _local(host) if comparable(each.mount_point) not in _places(targets)]
    free = [each for each in local if not _holds_mail(each, server)]
    best = max(free or local, key=lambda one: (one.free_bytes, one.mount_point), default=None)
    if best is None:
        raise NotNow(f"{server.name} has no local volume for a scratch database; name --volume")
    return _with_room(best, host, low_space_bytes)


def creation_draft(scratch: Scratch, setting: Setting, inputs: tuple[PlanInput, ...]) -> PlanBody:
    """The plan that makes the scratch database and mounts it.

    Raises: NotNow when the server cannot be told, or has a database of that name.
    """
    server, _ = seen_server(setting)
    if isinstance(server.databases, Unknown):
        raise NotNow(f"which databases {server.name} holds is not known: {server.databases.reason}")
    if has_groups(server):
        refuse_without_room(server, scratch.name)
    if any(each.name.casefold() == scratch.name.casefold() for each in server.databases):
        raise NotNow(f"{server.name} has a database {scratch.name} already")
    draft = Draft(
        lanes=(_creation_lane(scratch, server, setting.inventory.host_root),),
        decisions=(_decision(scratch, server.name, "made for a pilot: empty, nobody's mail"),),
        premises=premises_of_server(server),
        inputs=inputs,
        diagnostics=(_restart_hint(server.name, scratch.name),),
    )
    return body_of(draft, setting)


def removal_draft(scratch: Scratch, setting: Setting, inputs: tuple[PlanInput, ...]) -> PlanBody:
    """The plan that removes the scratch database, when it is there, and its folder with everything
    in it. It goes no further than the first mailbox that it finds.

    Raises: NotNow when the server cannot be told, or the database of that name is another one.
    """
    if not cmdlets.is_scratch_name(scratch.name) or basename(scratch.folder) != scratch.name:
        raise NotNow(f"{scratch.name} is not the name of a pilot's database: nothing is removed")
    server, _ = seen_server(setting)
    if isinstance(server.databases, Unknown):
        raise NotNow(f"which databases {server.name} holds is not known: {server.databases.reason}")
    wanted = scratch.name.casefold()
    database = next((each for each in server.databases if each.name.casefold() == wanted), None)
    if database is not None and comparable(database.edb_path) != comparable(scratch.edb_path):
        raise NotNow(f"{scratch.name} has its file at {database.edb_path}: it is not the pilot's")
    lane = _removal_lane(scratch, server, database, setting.inventory.host_root)
    draft = Draft(
        lanes=(lane,),
        decisions=(_decision(scratch, server.name, "the pilot is over: removed with its files"),),
        premises=(*premises_of_server(server), *_identity(server.name, database)),
        inputs=inputs,
    )
    return body_of(draft, setting)


def specification_for(scratch: Scratch, like: DesiredState, server: str) -> DesiredState:
    """The operator's specification, asked of the scratch database alone: rebuilt whatever it gains,
    set into the pilot's own folder, nobody told, no program of the operator's started.
    """
    place = like.targets.place
    offline = like.backup_before.offline
    if offline is not None:
        target = BackupTarget(path=scratch.set_target, credential=None, place=offline.place)
        offline = evolve(offline, target=target, paths=(), keep_last=1)
    script = evolve(
        like.script,
        script=Script.PREVENTATIVE_MAINTENANCE,
        verify=VerifyMode.OFFLINE,
        rebuild=evolve(like.script.rebuild, not_again_within_s=0, gain_min_bytes=0),
        forbid=(),
    )
    return evolve(
        like,
        name=f"pilot-of-{like.name}",
        targets=evolve(
            like.targets,
            servers=(server,),
            server_places=(place,),
            include=(scratch.name,),
            include_places=(place,),
            exclude=(),
            exclude_places=(),
        ),
        conditions=evolve(
            like.conditions,
            mounted=True,
            white_space_max=0.0,
            verified_within_s=None,
            online_full_backup_within_s=None,
            measured_within_s=None,
            offline_backup_within_s=None,
        ),
        script=script,
        backup_before=BackupActions(offline=offline, online=None, place=like.backup_before.place),
        processes_before=(),
        processes_after=(),
        services_stopped=(),
        schedule=evolve(like.schedule, window=None, run_time_max_s=None, resource_check=None),
        strategy=_strategy(like.strategy),
        notifications=(),
    )


def hypothetical(scratch: Scratch, server: ActualServer) -> ActualServer:
    """The server as it will be once the scratch database is there: what its plans will ask for is
    known before anything is made.
    """
    assert not isinstance(server.databases, Unknown)
    is_2003 = server.generation is Generation.EXCHANGE_2003
    made = ActualDatabase(
        name=scratch.name,
        guid="00000000-0000-0000-0000-000000000000",
        server=server.name,
        edb_path=scratch.edb_path,
        log_folder=scratch.log_folder,
        log_prefix="E00",
        storage_group=scratch.name if has_groups(server) else None,
        streaming_path=streaming_beside(scratch.edb_path) if is_2003 else None,
        is_mounted=True,
        mounted_on=server.fqdn,
        is_recovery=False,
        copies=(server.name,),
        is_replicated=False,
        is_circular_logging=False,
        is_mount_at_startup=True,
        is_backup_running=False,
        last_full_backup_utc=None,
        size_bytes=256 * 1024**2,
        white_space_bytes=NOT_TOLD if has_groups(server) else 128 * 1024**2,
        has_moves=False,
        has_repair_requests=False,
    )
    return evolve(server, databases=(*server.databases, made))


def _strategy(of: Strategy) -> Strategy:
    return evolve(of, canary=None, servers_at_once=1, batches=())


def _creation_lane(scratch: Scratch, of: ActualServer, root: str) -> Lane:
    server = of.name
    lane = LaneBuilder(f"{server}/{scratch.name}", server, database=scratch.name,
                       database_guid=None)  # fmt: skip
    lane.add(
        Action.MAKE_SCRATCH_FOLDER,
        _folder(scratch, root, state="made", guid=None),
        summary=f"folder {scratch.folder}, for the scratch database and everything of it",
        reason=Reason.ASKED_FOR,
        undo="removed with the pilot",
        estimate_s=2,
    )
    if has_groups(of):
        add_group(lane, server, name=scratch.name, log_folder=scratch.log_folder)
    look = cmdlets.get_databases(server)
    lane.add(
        Action.NEW_SCRATCH_DATABASE,
        _new_database(scratch, of),
        summary=f"scratch database {scratch.name}, empty: Exchange puts no mailbox into it",
        reason=Reason.ASKED_FOR,
        undo="removed with the pilot",
        probe=Probe(call=look, done=equals("named.count", 1), not_done=equals("named.count", 0)),
        estimate_s=10,
    )
    mounted = property_probe(cmdlets.get_scratch(scratch.name), "Mounted", wanted=True)
    lane.add(
        Action.MOUNT_SCRATCH,
        cmdlets.mount_scratch(scratch.name),
        summary=f"{scratch.name}: dismounted -> mounted, never forced",
        reason=Reason.ASKED_FOR,
        probe=mounted,
        estimate_s=30,
    )
    lane.add(
        Action.LOOK_AT_SCRATCH,
        cmdlets.get_scratch(scratch.name),
        summary=f"seen mounted again after {LOOK_AFTER_S} s",
        reason=Reason.ASKED_FOR,
        postcondition=equals("objects.0.Mounted", True),
        delay_s=LOOK_AFTER_S,
        estimate_s=LOOK_AFTER_S + 1,
    )
    return lane.lane()


def _new_database(scratch: Scratch, of: ActualServer) -> ExchangeCall:
    if has_groups(of):
        return cmdlets_scratch.new_in_group(scratch.name, of.name, edb_path=scratch.edb_path)
    return cmdlets.new_scratch_database(
        scratch.name,
        of.name,
        edb_path=scratch.edb_path,
        log_folder=scratch.log_folder,
        is_monitored=of.generation is not Generation.EXCHANGE_2010,  # it has none that would
    )


def _removal_lane(
    scratch: Scratch, of: ActualServer, database: ActualDatabase | None, root: str
) -> Lane:
    server = of.name
    guid = None if database is None else database.guid
    lane = LaneBuilder(f"{server}/{scratch.name}", server, database=scratch.name,
                       database_guid=guid)  # fmt: skip
    has_group = has_groups(of) and group_of(of, scratch.name) is not None
    if database is not None or has_group:
        lane.add(
            Action.MAKE_SCRATCH_FOLDER,
            _folder(scratch, root, state="made", guid=None),
            summary=f"{scratch.folder} carries this pilot's mark; without it nothing is removed",
            reason=Reason.ASKED_FOR,
            estimate_s=2,
        )
    if database is not None:
        _add_removal(lane, database, kinds=cmdlets.mailbox_kinds(of.generation))
    if has_group:
        add_removal_of_group(lane, server, name=scratch.name)
    lane.add(
        Action.REMOVE_SCRATCH_FOLDER,
        _folder(scratch, root, state="removed", guid=guid),
        summary=f"remove {scratch.folder} with everything in it, where it carries the pilot's mark",
        reason=Reason.ASKED_FOR,
        attempts_max=3,
        estimate_s=10,
    )
    return lane.lane()


def _add_removal(
    lane: LaneBuilder, database: ActualDatabase, *, kinds: tuple[str | None, ...]
) -> None:
    for kind in kinds:
        what = "mailbox" if kind is None else f"{kind} mailbox"
        lane.add(
            Action.COUNT_MAILBOXES,
            cmdlets.get_mailboxes(database.guid, kind),
            summary=f"no {what} is in it; with one it is neither dismounted nor removed",
            reason=Reason.ASKED_FOR,
            postcondition=equals("count", 0),
            estimate_s=2,
        )
    read = cmdlets.get_database(database.guid)
    lane.add(
        Action.DISMOUNT_SCRATCH,
        cmdlets.dismount(database.guid),
        summary=f"{database.name}: mounted -> dismounted, for good",
        reason=Reason.ASKED_FOR,
        probe=property_probe(read, "Mounted", wanted=False),
        undo="nothing: it is empty, and nobody's",
        may_fail=database.is_mounted is not True,
        estimate_s=10,
    )
    look = cmdlets.get_databases(database.server)
    lane.add(
        Action.REMOVE_SCRATCH_DATABASE,
        cmdlets.remove_database(database.guid),
        summary=f"remove {database.name} from the directory; its files go next",
        reason=Reason.ASKED_FOR,
        probe=Probe(call=look, done=equals("named.count", 0), not_done=equals("named.count", 1)),
        estimate_s=10,
    )


def _folder(scratch: Scratch, root: str, *, state: str, guid: str | None) -> ScriptCall:
    return host_script(
        "scratch-folder",
        {
            "root": root,
            "folder": scratch.folder,
            "name": scratch.name,
            "state": state,
            "database_guid": guid,
        },
    )


def _identity(server: str, database: ActualDatabase | None) -> tuple[Premise, ...]:
    if database is None:
        return ()
    seen = {
        "database.guid": database.guid,
        "database.server": database.server,
        "database.edb_path": database.edb_path,
        "database.is_recovery": False,
    }
    return tuple(
        Premise(
            address=f"{server}/{database.name}",
            fact=fact,
            operator=Operator.EQUAL,
            value=value,
            seen=value,
            fact_class=FactClass.IDENTITY,
        )
        for fact, value in seen.items()
    )


def _decision(scratch: Scratch, server: str, text: str) -> Decision:
    return decision_asked_for(f"{server}/{scratch.name}", need=Need.PILOT, text=text)


def _restart_hint(server: str, name: str) -> Diagnostic:
    return Diagnostic(
        id="no-restart-of-the-store",
        severity=Severity.WARNING,
        summary="Exchange asks for a restart of its store after a database was made",
        detail=f"The tool restarts no service: that would dismount every database of {server}."
        f" Where {name} cannot be mounted without it, the pilot ends there and says so.",
        address=f"{server}/{name}",
    )


def _local(host: ActualHost) -> list[Volume]:
    assert not isinstance(host.volumes, Unknown)
    return [each for each in host.volumes if each.is_local]


def _places(paths: tuple[str, ...]) -> set[str]:
    return {comparable(path).rstrip("\\") + "\\" for path in paths}


def _holds_mail(volume: Volume, server: ActualServer) -> bool:
    assert not isinstance(server.databases, Unknown)
    paths = [path for each in server.databases for path in (each.edb_path, each.log_folder)]
    return any(_volume(server, path) in (None, volume.mount_point) for path in paths)


def _volume(server: ActualServer, path: str) -> str | None:
    found = volume_of(server.host, path)
    return None if isinstance(found, Unknown) else found.mount_point


def _with_room(volume: Volume, host: ActualHost, low_space_bytes: int) -> Volume:
    needed = ROOM_BYTES + low_space_bytes
    if volume.free_bytes < needed:
        raise NotNow(
            f"{volume.mount_point} of {host.name} has {words.size(volume.free_bytes)} free, and"
            f" {words.size(needed)} are needed (the low space threshold included)"
        )
    return volume
