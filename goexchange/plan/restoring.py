"""Plans that nobody's specification asked for: a set to a recovery database or to its original
place, and an ended run rolled back. Pure; what cannot be done is refused by name.
"""

from __future__ import annotations

from datetime import datetime
from ntpath import dirname, join
from typing import Any

from attrs import evolve, frozen

from goexchange.backup.manifest import SealedSet
from goexchange.backup.replay import Replay
from goexchange.errors import Damaged, Diagnostic, NotNow, Severity, UsageError
from goexchange.facts.generations import page_bytes_of
from goexchange.facts.places import volume_of
from goexchange.model.accounts import account_at
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualServer,
    ActualState,
)
from goexchange.model.backup_set import BackupSet, FileRole, SetFile, SetMethod
from goexchange.model.configuration import Inventory
from goexchange.model.history import Work
from goexchange.model.plan import (
    Consent,
    ConsentNeed,
    Decision,
    FactClass,
    Lane,
    Need,
    Operator,
    PlanBody,
    PlanInput,
    Premise,
)
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.asked_for import decision_asked_for
from goexchange.plan.bodies import body_without_specification, run_rules
from goexchange.plan.clusters import refuse_other_work
from goexchange.plan.context import Pace
from goexchange.plan.lane_recovery import recovery_lane
from goexchange.plan.lane_return import Returning, return_lane, tried_folder
from goexchange.plan.ordering import ordered
from goexchange.plan.paths import stamp_text
from goexchange.plan.planner import VALID_FOR
from goexchange.plan.premises import premises_of_server
from goexchange.plan.public_folders import as_public_folder
from goexchange.plan.restore_files import HeaderTool, Staged, database_of
from goexchange.plan.return_pair import refuse_pair, refuse_set_of_pair, unconfirmed_pair
from goexchange.powershell.seam import is_carried
from goexchange.schedule.history import History, Where
from goexchange.schedule.rates import Duration
from goexchange.spec.scripts import OLD


@frozen(kw_only=True)
class Wanted:
    """A set that is to be restored, as the server sees it.

    Shape: `folder` is the host's path of the set; `stage` the folder that is written, None for the
    default; `replay` the logs that the database is brought up to, None when it is clean as it is.
    """

    sealed: SealedSet
    folder: str
    replay: Replay | None
    name: str | None = None
    stage: str | None = None


@frozen(kw_only=True)
class Setting:
    """What every such plan rests on."""

    inventory: Inventory
    actual: ActualState
    server: str
    now: datetime
    pace: Pace


@frozen(kw_only=True)
class Draft:
    """What differs between such plans."""

    lanes: tuple[Lane, ...]
    decisions: tuple[Decision, ...]
    premises: tuple[Premise, ...]
    inputs: tuple[PlanInput, ...]
    consents: tuple[ConsentNeed, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    backups: tuple[str, ...] = ()


def recovery_draft(wanted: Wanted, setting: Setting) -> PlanBody:
    """The plan that mounts the set's database as a recovery database.

    Raises: UsageError, Damaged, NotNow: why it cannot be done.
    """
    server, host = seen_server(setting)
    refuse_without_endpoint(server, "a recovery database is made")
    body = wanted.sealed.body
    _refuse_public_folders(server, body.database_guid)
    file = _database_file(body)
    stamp = stamp_text(setting.now)
    name = wanted.name or f"RDB-{body.database}-{stamp}"
    known = () if isinstance(server.databases, Unknown) else server.databases
    if any(each.name.casefold() == name.casefold() for each in known):
        raise UsageError(f"--name: {server.name} has a database {name} already")
    folder = wanted.stage or join(_roomiest(host), "gx-recovery", name)
    staged = _staged(wanted, setting, host, folder=folder, file=file)
    lane = recovery_lane(server.name, name, staged, root=setting.inventory.host_root)
    decision = decision_asked_for(
        f"{server.name}/{name}",
        need=Need.RESTORE,
        text=f"set {body.set_id} to a recovery database; no database in service is touched",
        size_bytes=file.size_bytes,
    )
    draft = Draft(
        lanes=(lane,),
        decisions=(decision,),
        premises=premises_of_server(server),
        inputs=(_input(wanted),),
        diagnostics=(_restart_hint(server.name, name),),
    )
    return body_of(draft, setting)


def original_draft(wanted: Wanted, setting: Setting) -> PlanBody:
    """The plan that puts the set's database in place of the present file.

    Raises: UsageError, Damaged, NotNow: why it cannot be done.
    """
    server, host = seen_server(setting)
    body, file = wanted.sealed.body, _database_file(wanted.sealed.body)
    database = database_by_guid(server, body.database_guid)
    refuse_pair(server, database)
    refuse_set_of_pair(body, database, has_replay=wanted.replay is not None)
    stamp = stamp_text(setting.now)
    folder = join(dirname(database.edb_path), f"gx-restore-{stamp}")
    staged = _staged(wanted, setting, host, folder=folder, file=file)
    returning = Returning(
        server=server,
        host=host,
        database=database,
        inventory=setting.inventory,
        pace=setting.pace,
        eseutil=_eseutil(host),
        at_text=stamp,
        what="the database of the set",
        source=staged.database,
        header=None,
        staged=staged,
        aside=f"{database.edb_path}.replaced-{stamp}",
        logs_aside=join(database.log_folder, f"gx-logs-{stamp}"),
        tried_logs=tried_folder(database.log_folder, stamp),
        mount_at_startup=_known_flag(database.is_mount_at_startup),
    )
    since = body.restores.clean_point_at_utc or body.taken_at_utc
    return returning_body(
        returning,
        setting,
        Draft(
            lanes=(as_public_folder(return_lane(returning), returning.database),),
            decisions=(
                decision_asked_for(
                    f"{server.name}/{database.name}",
                    need=Need.RESTORE,
                    text=f"set {body.set_id} to its original place: mail since"
                    f" {since:%Y-%m-%d %H:%M} UTC is discarded",
                    size_bytes=file.size_bytes,
                ),
            ),
            premises=(),
            inputs=(_input(wanted),),
            diagnostics=resubmission(server, database, since),
        ),
        since=since,
    )


def returning_body(
    returning: Returning, setting: Setting, draft: Draft, *, since: datetime
) -> PlanBody:
    """The body of a plan that returns an earlier file: its premises, and the consent to lose mail.

    Raises: NotNow where the database may not be taken down.
    """
    database, server = returning.database, returning.server
    _require_single(database)
    refuse_other_work(server, "goexchange restore SET --to PATH, and by hand from there")
    consents = list(draft.consents)
    if database.is_mounted is True:
        finding = f"the mail that came into {database.name} since {since:%Y-%m-%d %H:%M:%S} UTC"
        consents.append(
            ConsentNeed(
                consent=Consent.DISCARD_MAIL,
                address=f"{server.name}/{database.name}",
                finding=f"{finding} is not in the file that is put in place; the file and the logs"
                " that hold it are kept",
            )
        )
    consents += unconfirmed_pair(server, database)
    premises = (*premises_of_server(server), *_premises(database, server.name))
    return body_of(evolve(draft, premises=premises, consents=tuple(consents)), setting)


def body_of(draft: Draft, setting: Setting) -> PlanBody:
    """A whole body; it is held to the contract of every plan."""
    pace, inventory = setting.pace, setting.inventory
    return body_without_specification(
        ordered(setting.actual),
        run_rules(inventory, pace, overrun="back-to-original"),
        at=setting.now,
        lanes=draft.lanes,
        estimate="by the rates of the inventory",
        valid_until_utc=setting.now + VALID_FOR,
        is_partial=False,
        inputs=draft.inputs,
        decisions=draft.decisions,
        premises=draft.premises,
        consents=draft.consents,
        backups=draft.backups,
        diagnostics=draft.diagnostics,
    )


def seen_server(setting: Setting) -> tuple[ActualServer, ActualHost]:
    """The server and its host as observed.

    Raises: NotNow when either is not known.
    """
    server = next((each for each in setting.actual.servers if each.name == setting.server), None)
    if server is None or isinstance(server.host, Unknown):
        why = "it was not observed" if server is None else str(server.host)
        raise NotNow(f"the host of {setting.server} is not known: {why}")
    return server, server.host


def refuse_without_endpoint(server: ActualServer, what: str) -> None:
    """Databases are made over an Exchange endpoint alone.

    Raises: NotNow on a version that has none.
    """
    generation = server.generation
    if not isinstance(generation, Unknown) and is_carried(generation):
        raise NotNow(
            f"{what} on Exchange {generation.value} by hand alone: how its cmdlets make one, in a"
            " storage group for recovery, is not executed; restore the set to a folder instead"
        )


def _refuse_public_folders(server: ActualServer, guid: str) -> None:
    """Recovery databases are for mailbox databases alone.

    Raises: NotNow for a set of public folders.
    """
    databases = () if isinstance(server.databases, Unknown) else server.databases
    if any(each.is_public_folder and each.guid.lower() == guid.lower() for each in databases):
        raise NotNow(
            "a database with public folders cannot be mounted as a recovery database; restore the"
            " set to its original, or to a folder"
        )


def database_by_guid(server: ActualServer, guid: str) -> ActualDatabase:
    """The database of a server with that GUID.

    Raises: NotNow when the server does not have it.
    """
    databases = () if isinstance(server.databases, Unknown) else server.databases
    found = next((each for each in databases if each.guid.lower() == guid.lower()), None)
    if found is None:
        raise NotNow(
            f"{server.name} has no database {guid}: a set is put back only into the database that"
            " it was taken of; --to recovery-database needs none"
        )
    return found


def resubmission(
    server: ActualServer, database: ActualDatabase, since: datetime
) -> tuple[Diagnostic, ...]:
    """The mail of the missing hours, from the safety net (2013 and later).

    Source: the vendor's reference of Add-ResubmitRequest; the net reaches back as far as
    SafetyNetHoldTime of the transport configuration says.
    """
    if server.generation in OLD:
        return ()
    command = (
        f"Add-ResubmitRequest -Destination {database.guid}"
        f" -StartTime '{since:%Y-%m-%dT%H:%M:%SZ}' -EndTime (Get-Date)"
    )
    return (
        Diagnostic(
            id="resubmit-from-safety-net",
            severity=Severity.WARNING,
            summary="mail of the missing hours has to be resubmitted",
            detail=f"Once {database.name} is mounted again: {command}. The safety net holds what"
            " was delivered, as long as its hold time says; what people wrote, moved or deleted is"
            " only in the file that is moved aside: restore it to a recovery database.",
            address=f"{database.server}/{database.name}",
        ),
    )


def decision_of_return(database: ActualDatabase, text: str) -> Decision:
    """The decision of a rollback."""
    size = database.size_bytes if isinstance(database.size_bytes, int) else None
    address = f"{database.server}/{database.name}"
    return decision_asked_for(address, need=Need.ROLL_BACK, text=text, size_bytes=size)


def _database_file(body: BackupSet) -> SetFile:
    if body.method is SetMethod.EVIDENCE:
        raise UsageError(f"{body.set_id} was taken as evidence before a repair: it is no way back")
    file = database_of(body)
    if file is None or file.database is None:
        raise Damaged(f"{body.set_id} does not hold exactly one database")
    return file


def _staged(
    wanted: Wanted, setting: Setting, host: ActualHost, *, folder: str, file: SetFile
) -> Staged:
    """What is copied, after it is known that there is room for it."""
    replay, body = wanted.replay, wanted.sealed.body
    logs = () if replay is None else replay.files
    files = (file, *(each for each in body.files if each.role is FileRole.STREAMING), *logs)
    size = sum(each.size_bytes for each in files)
    volume = volume_of(host, folder)
    if isinstance(volume, Unknown):
        raise NotNow(f"{folder}: {volume.reason}")
    needed = size + setting.inventory.low_space_threshold_bytes
    if volume.free_bytes < needed:
        raise NotNow(
            f"{volume.mount_point} of {host.name} has {words.size(volume.free_bytes)} free, and"
            f" {words.size(needed)} are needed (the low space threshold included)"
        )
    return Staged(
        source=wanted.folder,
        folder=folder,
        files=files,
        replays=None if replay is None else replay.base,
        last_log=None if replay is None else replay.last,
        tool=HeaderTool(eseutil=_eseutil(host), page_bytes=_page_bytes(setting)),
        lasts=_copy_time(size, host, setting.inventory),
        account=account_at(wanted.folder, setting.inventory),
    )


def _page_bytes(setting: Setting) -> int:
    return page_bytes_of(seen_server(setting)[0].generation)


def _copy_time(size: int, host: ActualHost, inventory: Inventory) -> Duration:
    stated = History(measurements=(), rates=inventory.rates)
    where = Where(server=host.name, volume="")
    return stated.estimate(Work.COPY, size, where=where).duration


def _roomiest(host: ActualHost) -> str:
    """The local volume with most room."""
    volumes = () if isinstance(host.volumes, Unknown) else host.volumes
    local = [each for each in volumes if each.is_local]
    if not local:
        raise NotNow(f"no local volume of {host.name} is known; name a folder with --folder")
    best = max(local, key=lambda each: (each.free_bytes, each.mount_point))
    return best.mount_point


def _eseutil(host: ActualHost) -> str:
    if isinstance(host.eseutil_path, Unknown):
        raise NotNow(f"where eseutil is on {host.name} is not known: {host.eseutil_path.reason}")
    return host.eseutil_path


def _known_flag(value: bool | Unknown | None) -> bool | None:
    return value if isinstance(value, bool) else None


def _require_single(database: ActualDatabase) -> None:
    if isinstance(database.copies, Unknown) or len(database.copies) != 1:
        raise NotNow(
            f"{database.name} has more than one copy, or it is not known: no file of it is"
            " replaced; restore to a recovery database instead"
        )
    if not isinstance(database.is_mounted, bool):
        raise NotNow(f"whether {database.name} is mounted is not known: {database.is_mounted}")
    if not isinstance(database.log_prefix, str):
        raise NotNow(f"the base name of the logs of {database.name} is not known")


def _premises(database: ActualDatabase, server: str) -> tuple[Premise, ...]:
    address = f"{server}/{database.name}"
    identity = {
        "database.guid": database.guid,
        "database.server": database.server,
        "database.edb_path": database.edb_path,
        "database.log_folder": database.log_folder,
        "database.is_recovery": False,
    }
    found = [_premise(address, fact, value) for fact, value in identity.items()]
    mounted = _premise(address, "database.is_mounted", database.is_mounted)
    return (*found, evolve(mounted, fact_class=FactClass.HEALTH))


def _premise(address: str, fact: str, value: Any) -> Premise:
    return Premise(
        address=address,
        fact=fact,
        operator=Operator.EQUAL,
        value=value,
        seen=value,
        fact_class=FactClass.IDENTITY,
    )


def _input(wanted: Wanted) -> PlanInput:
    return PlanInput(kind="BackupSet", path=wanted.folder, sha256=wanted.sealed.sha256)


def _restart_hint(server: str, name: str) -> Diagnostic:
    return Diagnostic(
        id="no-restart-of-the-store",
        severity=Severity.WARNING,
        summary="Exchange asks for a restart of its store after a database was made",
        detail=f"The tool restarts no service: that would dismount every database of {server}."
        f" Where {name} cannot be mounted without it, it stays dismounted and the report says so.",
        address=f"{server}/{name}",
    )
