"""A small site with defaults: specification, inventory and facts, each part replaceable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve

from goexchange.errors import Place
from goexchange.model import actual, configuration, copies, desired

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
IN_WINDOW = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
GIB = 1024**3
PLACE = Place(file="specs/weekly.yaml", line=1, column=1)


def at(line: int) -> Place:
    return Place(file="specs/weekly.yaml", line=line, column=3)


def guid(number: int) -> str:
    return f"{number:08x}-1111-2222-3333-444455556666"


def database(name: str = "DB05", server: str = "EX01", **differs: Any) -> actual.ActualDatabase:
    number = sum(ord(letter) * 31**index for index, letter in enumerate(server + name)) % 2**32
    values: dict[str, Any] = {
        "name": name,
        "guid": guid(number),
        "server": server,
        "edb_path": f"D:\\{name}\\{name}.edb",
        "log_folder": f"L:\\{name}",
        "log_prefix": "E05",
        "is_mounted": True,
        "mounted_on": f"{server}.contoso.example",
        "is_recovery": False,
        "copies": (server,),
        "is_replicated": False,
        "is_circular_logging": False,
        "is_mount_at_startup": True,
        "is_backup_running": False,
        "last_full_backup_utc": NOW - timedelta(days=2),
        "size_bytes": 98 * GIB,
        "white_space_bytes": 41 * GIB,
        "has_moves": False,
        "has_repair_requests": False,
    }
    return actual.ActualDatabase(**{**values, **differs})


def record(
    of: actual.ActualDatabase, *, verified_days_ago: int | None = 3, **differs: Any
) -> actual.DatabaseRecord:
    verified = None if verified_days_ago is None else NOW - timedelta(days=verified_days_ago)
    values: dict[str, Any] = {
        "database_guid": of.guid,
        "database": of.name,
        "run": "r-1",
        "signature": "ab" * 28,
        "verified_at_utc": verified,
        "rebuilt_at_utc": None,
        "rebuild_gain_bytes": None,
        "rebuild_goal_met": None,
        "set_folder": None,
        "set_digest": None,
        "set_taken_at_utc": None,
        "protected_at_utc": None,
    }
    return actual.DatabaseRecord(**{**values, **differs})


def volume(mount_point: str, *, free_gib: int = 600, size_gib: int = 2000) -> actual.Volume:
    return actual.Volume(
        mount_point=mount_point,
        label="",
        size_bytes=size_gib * GIB,
        free_bytes=free_gib * GIB,
        is_local=True,
    )


def host(name: str = "EX01", **differs: Any) -> actual.ActualHost:
    values: dict[str, Any] = {
        "observed_at_utc": NOW,
        "name": name,
        "boot_id": "boot-1",
        "booted_at_utc": NOW - timedelta(days=20),
        "clock_utc": NOW,
        "powershell_version": "5.1",
        "is_elevated": True,
        "exsetup_version": "15.02.1544.009",
        "eseutil_version": "15.02.1544.009",
        "eseutil_path": "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\Bin\\eseutil.exe",
        "volumes": (volume("C:\\"), volume("D:\\"), volume("E:\\"), volume("L:\\")),
        "services": (actual.Service(name="MSExchangeIS", state="Running", start_type="Automatic"),),
        "tasks": (),
        "processes": (),
        "files": (),
        "log_folders": (),
        "storage_events": (),
        "backup_events": (),
        "windows_backup": actual.WindowsBackup(
            is_installed=True,
            is_running=False,
            last_success_utc=None,
            last_result=None,
            next_scheduled_utc=None,
        ),
        "is_reboot_pending": False,
        "fencing_number": 0,
        "records": (),
        "open_recoveries": (),
    }
    return actual.ActualHost(**{**values, **differs})


def server(
    name: str = "EX01",
    *,
    databases: tuple[actual.ActualDatabase, ...] | None = None,
    **differs: Any,
) -> actual.ActualServer:
    values: dict[str, Any] = {
        "name": name,
        "fqdn": f"{name}.contoso.example",
        "observed_at_utc": NOW,
        "generation": actual.Generation.EXCHANGE_2019,
        "build": "15.2.1544.4",
        "edition": "Standard",
        "availability_group": None,
        "databases": (database(server=name),) if databases is None else databases,
        "host": host(name),
    }
    return actual.ActualServer(**{**values, **differs})


def state(*servers: actual.ActualServer, observed_at: datetime = NOW) -> actual.ActualState:
    return actual.ActualState(observed_at_utc=observed_at, servers=servers or (server(),))


def inventory(*names: str, **differs: Any) -> configuration.Inventory:
    servers = tuple(_entry(name) for name in (names or ("EX01",)))
    values: dict[str, Any] = {
        "document_digest": "0" * 64,
        "sites": (),
        "servers": servers,
        "machines": (),
        "availability_groups": (),
        "groups": (
            configuration.ServerGroup(
                name="all", servers=tuple(each.name for each in servers), place=PLACE
            ),
        ),
        "windows": (
            configuration.Window(
                name="berlin-night",
                zone="Europe/Berlin",
                days=(configuration.Weekday.SATURDAY,),
                opens=configuration.TimeOfDay(hour=22, minute=0),
                closes=configuration.TimeOfDay(hour=6, minute=0),
                place=PLACE,
            ),
        ),
        "shares": (
            configuration.Share(
                path="\\\\backup01\\exchange$", mounted_at="/mnt/backup01", place=PLACE
            ),
        ),
        "verifier": None,
        "mount_confirm_after_s": 60,
        "low_space_threshold_bytes": 180 * GIB,
        "host_root": "C:\\ProgramData\\goexchange",
        "rates": configuration.Rates(
            copy_bytes_per_s=200 * 1024**2,
            rebuild_bytes_per_s=40 * 1024**2,
            verify_bytes_per_s=400 * 1024**2,
            repair_bytes_per_s=400 * 1024**2,
            backup_bytes_per_s=200 * 1024**2,
        ),
    }
    return configuration.Inventory(**{**values, **differs})


def spec(name: str = "weekly", **differs: Any) -> desired.DesiredState:
    values: dict[str, Any] = {
        "name": name,
        "owner": None,
        "description": None,
        "document_digest": "1" * 64,
        "targets": targets(),
        "conditions": conditions(),
        "script": script(),
        "backup_before": desired.BackupActions(offline=offline_backup(), online=None, place=at(20)),
        "backup_after": desired.BackupActions(offline=None, online=online_backup(), place=at(24)),
        "conflicts": desired.BackupConflicts(
            running=desired.ConflictPolicy.REFUSE,
            scheduled=desired.ConflictPolicy.REFUSE,
            wait_max_s=2700,
            suspend=None,
            resume=None,
            declared=(),
            place=at(27),
        ),
        "processes_before": (),
        "processes_after": (),
        "schedule": schedule(),
        "strategy": desired.Strategy(
            canary=None,
            canary_place=at(35),
            servers_at_once=1,
            servers_at_once_place=at(35),
            batches=(),
            failures_max=0,
            place=at(35),
        ),
        "notifications": (),
        "reports": desired.Reports(formats=(desired.ReportFormat.HTML,), place=at(40)),
        "place": PLACE,
    }
    return desired.DesiredState(**{**values, **differs})


def targets(*include: str, servers: tuple[str, ...] = ("group:all",)) -> desired.Targets:
    patterns = include or ("*",)
    return desired.Targets(
        servers=servers,
        server_places=(at(4),) * len(servers),
        include=patterns,
        include_places=(at(5),) * len(patterns),
        exclude=(),
        exclude_places=(),
        place=at(3),
    )


def conditions(**differs: Any) -> desired.Conditions:
    values: dict[str, Any] = {
        "mounted": True,
        "mounted_place": at(7),
        "white_space_max": 0.2,
        "white_space_max_place": at(8),
        "verified_within_s": 30 * 86400,
        "verified_within_place": at(9),
        "online_full_backup_within_s": 7 * 86400,
        "online_full_backup_within_place": at(10),
        "measured_within_s": None,
        "measured_within_place": at(11),
        "offline_backup_within_s": None,
        "offline_backup_within_place": at(11),
        "place": at(6),
    }
    return desired.Conditions(**{**values, **differs})


def script(**differs: Any) -> desired.ScriptChoice:
    values: dict[str, Any] = {
        "script": desired.Script.PREVENTATIVE_MAINTENANCE,
        "error_correction": desired.ErrorCorrection(
            primary_passes_max=2,
            defragmented_passes_max=2,
            treat_warnings_as_errors=False,
            place=at(13),
        ),
        "verify": desired.VerifyMode.ONLINE,
        "rebuild": desired.RebuildBrake(
            not_again_within_s=180 * 86400, gain_min_bytes=10 * GIB, place=at(15)
        ),
        "forbid": (),
        "forbid_place": at(16),
        "place": at(12),
    }
    return desired.ScriptChoice(**{**values, **differs})


def offline_backup(**differs: Any) -> desired.OfflineBackup:
    values: dict[str, Any] = {
        "target": desired.BackupTarget(
            path="\\\\backup01\\exchange$", credential=None, place=at(21)
        ),
        "parts": (desired.BackupPart.REGISTRY,),
        "paths": (),
        "keep_last": 3,
        "timeout_s": 6 * 3600,
        "place": at(21),
    }
    return desired.OfflineBackup(**{**values, **differs})


def online_backup(**differs: Any) -> desired.OnlineBackup:
    values: dict[str, Any] = {
        "method": desired.OnlineBackupMethod.WINDOWS_SERVER_BACKUP,
        "target": desired.BackupTarget(path="E:", credential=None, place=at(25)),
        "agent": None,
        "timeout_s": 6 * 3600,
        "place": at(25),
    }
    return desired.OnlineBackup(**{**values, **differs})


def schedule(**differs: Any) -> desired.Schedule:
    values: dict[str, Any] = {
        "window": "berlin-night",
        "window_place": at(30),
        "due": None,
        "due_place": at(30),
        "every_s": None,
        "every_place": at(30),
        "missed": desired.MissedPolicy.NEXT_WINDOW,
        "missed_place": at(30),
        "run_time_max_s": None,
        "overrun": desired.OverrunPolicy.BACK_TO_ORIGINAL,
        "resource_check": None,
        "place": at(30),
    }
    return desired.Schedule(**{**values, **differs})


def with_record(of: actual.ActualServer, *records: actual.DatabaseRecord) -> actual.ActualServer:
    assert isinstance(of.host, actual.ActualHost)
    return evolve(of, host=evolve(of.host, records=records))


def _entry(name: str) -> configuration.ServerEntry:
    profile = configuration.ConnectionProfile(
        name="default",
        exchange=configuration.ExchangeChannel(
            authentication=configuration.ExchangeAuthentication.KERBEROS,
            scheme=configuration.Scheme.HTTP,
            port=80,
            path="/PowerShell/",
        ),
        windows=configuration.WindowsChannel(
            transport=configuration.WindowsTransport.KERBEROS,
            scheme=configuration.Scheme.HTTPS,
            port=5986,
            path="/wsman",
        ),
        username=None,
        password=None,
        ca_file=None,
        timeouts=configuration.Timeouts(connect_s=10, read_s=60, operation_s=60),
        place=PLACE,
    )
    return configuration.ServerEntry(
        name=name,
        address=f"{name}.contoso.example",
        site=None,
        availability_group=None,
        generation=None,
        connection=profile,
        place=PLACE,
    )


def copy(database: str = "DB05", server: str = "EX02", **differs: Any) -> copies.ActualCopy:
    """A passive copy that is well."""
    values: dict[str, Any] = {
        "database": database,
        "server": server,
        "status": "Healthy",
        "is_active": False,
        "is_activation_suspended": False,
        "suspend_comment": None,
        "copy_queue_logs": 0,
        "replay_queue_logs": 2,
        "content_index": "NotApplicable",
        "activation_preference": 2,
        "replay_lag_s": 0.0,
    }
    return copies.ActualCopy(**{**values, **differs})


def active(database: str = "DB05", server: str = "EX01", **differs: Any) -> copies.ActualCopy:
    """The active copy."""
    values = {"status": "Mounted", "is_active": True, "activation_preference": 1}
    return copy(database, server, **{**values, **differs})


def group(*servers: str, **differs: Any) -> copies.ActualGroup:
    """A group whose members are all up."""
    names = servers or ("EX01", "EX02")
    values: dict[str, Any] = {
        "name": "DAG1",
        "servers": names,
        "operational": names,
        "in_maintenance": (),
        "primary_active_manager": names[0],
        "witness_server": "fs01.contoso.example",
    }
    return copies.ActualGroup(**{**values, **differs})


def members(*held: copies.ActualCopy, **differs: Any) -> tuple[actual.ActualServer, ...]:
    """EX01 with DB05 active, and EX02 with its passive copy; `differs` are of EX01."""
    replicated = database(copies=("EX01", "EX02"), is_replicated=True)
    every = held or (active(), copy())
    own: dict[str, Any] = {
        "availability_group": "DAG1",
        "group": group(),
        "copies": tuple(each for each in every if each.server == "EX01"),
        "databases": (replicated,),
    }
    return (
        server("EX01", **{**own, **differs}),
        server(
            "EX02",
            databases=(),
            availability_group="DAG1",
            group=group(),
            copies=tuple(each for each in every if each.server == "EX02"),
        ),
    )


def replicated_rebuild(
    *held: copies.ActualCopy, **differs: Any
) -> tuple[desired.DesiredState, configuration.Inventory, actual.ActualState]:
    """A specification that asks for a rebuild by consent, and DB05 active on EX01 with copies on
    EX02 and EX03; `differs` are of the database.
    """
    names = ("EX01", "EX02", "EX03")
    every = held or (active(), copy(), copy(server="EX03", activation_preference=3))
    brake = evolve(script().rebuild, replicated=desired.ReplicatedRebuild.BY_CONSENT)
    replicated = database(**{"copies": names, "is_replicated": True, **differs})
    servers = tuple(
        server(
            name,
            databases=(replicated,) if name == "EX01" else (),
            availability_group="DAG1",
            group=group(*names),
            copies=tuple(each for each in every if each.server == name),
        )
        for name in names
    )
    return spec(script=script(rebuild=brake)), inventory(), state(*servers)
