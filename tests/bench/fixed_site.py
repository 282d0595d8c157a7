"""A site of any number of Exchange servers that answers from fixed data; run as a program it serves
itself.

Usage: python -m tests.bench.fixed_site FOLDER [--kerberos] [servers=N] [databases=N] [NAME=NUMBER
...], the last with the names of LabLimits. It answers what an observation asks, one changing script
and one changing cmdlet; anything else it does not know, and says so.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from attrs import frozen

from goexchange.lab.server import serve_until_stopped
from goexchange.lab.settings import LabLimits, LabSettings
from goexchange.powershell import bootstrap, envelope
from goexchange.world.values import (
    CmdletAnswer,
    CmdletError,
    CommandAnswer,
    EnumValue,
    ErrorCategory,
    ExchangeObject,
    LongPath,
    Reference,
    ServerVersion,
    SiteHost,
    SiteUser,
    Size,
    Value,
)

USER, PASSWORD = "LAB\\admin", "Correct horse 1"
NAMESPACE = UUID("9a3f5c1e-7d42-4b8e-8a05-3b1f6c2d9e77")
LONG_AGO = "2026-01-05T22:00:00Z"
SERVICES = ("MSExchangeIS", "MSExchangeRepl", "MSExchangeServiceHost", "VSS", "wbengine")
SLOW_MARK = "slow"  # a fence holder of this name lets claim-fence take a while
ODD_NAME = "Müller & Söhne's Mail [VIP] €"


@frozen(kw_only=True)
class FixedSite:
    """Servers EX001, EX002, ..., each with the same number of databases."""

    servers: int
    databases: int

    def hosts(self) -> tuple[SiteHost, ...]:
        return tuple(
            SiteHost(
                name=f"EX{number:03}",
                fqdn=f"ex{number:03}.lab.test",
                address=f"127.73.{number // 250}.{number % 250 + 1}",
                has_exchange=True,
            )
            for number in range(1, self.servers + 1)
        )

    def users(self) -> tuple[SiteUser, ...]:
        return (
            SiteUser(name="admin", domain="LAB", password=PASSWORD, may_use_exchange=True),
            SiteUser(name="clerk", domain="LAB", password=PASSWORD, may_use_exchange=False),
        )

    def check_password(self, user: str, password: str) -> bool:
        return any(each.name == user and each.password == password for each in self.users())

    def cmdlet_names(self, host: str) -> tuple[str, ...]:
        return (
            "Get-ExchangeServer",
            "Get-MailboxServer",
            "Get-MailboxDatabase",
            "Get-MoveRequest",
            "Get-MailboxRepairRequest",
            "Mount-Database",
        )

    def cmdlet(
        self, host: str, user: str, cmdlet: str, parameters: Mapping[str, object]
    ) -> CmdletAnswer:
        match cmdlet:
            case "Get-ExchangeServer":
                return CmdletAnswer(objects=(_server(host),))
            case "Get-MailboxServer":
                return CmdletAnswer(objects=(_mailbox_server(host),))
            case "Get-MailboxDatabase":
                return self._databases(host, parameters)
            case "Get-MoveRequest" | "Get-MailboxRepairRequest":
                return CmdletAnswer()
            case "Mount-Database":
                return CmdletAnswer(duration_s=0.3)
        raise LookupError(cmdlet)

    def reads_standard_input(self, host: str, command_line: str) -> bool:
        return command_line.split() == bootstrap.command_line().split()

    def windows_command(
        self, host: str, user: str, command_line: str, standard_input: bytes
    ) -> CommandAnswer:
        if self.reads_standard_input(host, command_line):
            return self._script(host, standard_input)
        if "hostname" in _decoded(command_line):
            return CommandAnswer(stdout=f"{host}\r\n".encode())
        raise LookupError(command_line)

    def _script(self, host: str, standard_input: bytes) -> CommandAnswer:
        digest, arguments = bootstrap.parse_standard_input(standard_input)
        script = bootstrap.registered_digests()[digest]
        if script == "observe-host":
            return CommandAnswer(stdout=envelope.encode(script, _observed(host, arguments)))
        if script == "claim-fence":
            given = {name: arguments[name] for name in ("fence", "holder")}
            pause_s = 1.5 if SLOW_MARK in given["holder"] else 0.0
            return CommandAnswer(stdout=envelope.encode(script, given), duration_s=pause_s)
        if script == "read-header":
            line = envelope.encode_refusal(script, code="file-not-found", message=arguments["path"])
            return CommandAnswer(stdout=line, exit_code=1)
        raise LookupError(script)

    def _databases(self, host: str, parameters: Mapping[str, object]) -> CmdletAnswer:
        wanted = parameters.get("Identity")
        found = [_database(host, number) for number in range(1, self.databases + 1)]
        if wanted is None:
            return CmdletAnswer(objects=tuple(found))
        chosen = tuple(
            each for each in found if wanted in (each.to_string, str(each.properties["Guid"]))
        )
        if chosen:
            return CmdletAnswer(objects=chosen)
        missing = CmdletError(
            message=f"The operation couldn't be performed because object '{wanted}' couldn't be "
            "found.",
            exception_type="ManagementObjectNotFoundException",
            category=ErrorCategory.OBJECT_NOT_FOUND,
            error_id="5B1D2A3C,Microsoft.Exchange.Management.SystemConfigurationTasks."
            "GetMailboxDatabase",
        )
        return CmdletAnswer(errors=(missing,))


def _server(host: str) -> ExchangeObject:
    return _object("Management.ExchangeServer", host, {
        "Name": host,
        "Fqdn": f"{host.lower()}.lab.test",
        "Edition": "Enterprise",
        "AdminDisplayVersion": ServerVersion(15, 2, 1544, 4),
    })  # fmt: skip


def _mailbox_server(host: str) -> ExchangeObject:
    properties: dict[str, Value] = {"Name": host, "DatabaseAvailabilityGroup": None}
    return _object("Management.MailboxServer", host, properties)


def _database(host: str, number: int) -> ExchangeObject:
    name = ODD_NAME if number == 1 else f"{host}-DB{number:03}"
    server = Reference(host, f"CN={host},CN=Servers,DC=lab,DC=test", uuid5(NAMESPACE, host))
    return _object("SystemConfiguration.MailboxDatabase", name, {
        "Name": name,
        "Guid": uuid5(NAMESPACE, f"{host}/{number}"),
        "Server": server,
        "Servers": (server,),
        "EdbFilePath": LongPath(f"D:\\{number:03}\\{number:03}.edb"),
        "LogFolderPath": LongPath(f"L:\\{number:03}"),
        "LogFilePrefix": f"E{number:02}",
        "Mounted": True,
        "MountedOnServer": f"{host.lower()}.lab.test",
        "Recovery": False,
        "ReplicationType": EnumValue(
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.ReplicationType", "None", 0),
        "CircularLoggingEnabled": False,
        "MountAtStartup": True,
        "BackupInProgress": False,
        "LastFullBackup": datetime(2026, 11, 20, 1, 30, tzinfo=UTC),
        "DatabaseSize": Size.of(11_274_289_152),
        "AvailableNewMailboxSpace": Size.of(1_207_959_552),
    })  # fmt: skip


def _object(short: str, name: str, properties: Mapping[str, Value]) -> ExchangeObject:
    kind = f"Microsoft.Exchange.Data.Directory.{short}"
    return ExchangeObject(type_names=(kind, "System.Object"), to_string=name, properties=properties)


def _observed(host: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "host": {
            "name": host, "boot_id": "a1", "booted_at": LONG_AGO, "clock": _now(),
            "powershell": "5.1.20348.2849", "is_elevated": True,
        },
        "exchange": {
            "exsetup_version": "15.2.1544.4", "eseutil_version": "15.2.1544.4",
            "eseutil_path": "C:\\Exchange\\Bin\\eseutil.exe",
        },
        "volumes": [
            {"mount_point": f"{letter}:\\", "label": letter, "size_bytes": 1 << 40,
             "free_bytes": 1 << 39, "is_local": True}
            for letter in "CDL"
        ],
        "services": [
            {"name": name, "state": "Running", "start_type": "Automatic"} for name in SERVICES
        ],
        "tasks": [],
        "processes": [{"name": "store.exe", "id": 4242, "started_at": LONG_AGO}],
        "files": [
            {"path": path, "exists": True, "size_bytes": 11_274_289_152, "created_at": LONG_AGO,
             "modified_at": LONG_AGO}
            for path in arguments["paths"]
        ],
        "log_folders": [
            {"folder": folder, "count": 120, "total_bytes": 120 << 20}
            for folder in arguments["log_folders"]
        ],
        "storage_events": [],
        "backup_events": [],
        "windows_backup": {
            "is_installed": True, "is_running": False, "last_success": LONG_AGO,
            "last_result": 0, "next_scheduled": None,
        },
        "is_reboot_pending": False,
        "replication_queues": None,
        "fence": 0,
        "records": [],
        "recoveries": [],
        "failures": [],
    }  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _decoded(command_line: str) -> str:
    """A command line with its encoded part readable, as Ansible and pywinrm send PowerShell."""
    last = command_line.split()[-1].strip("'\"")
    if "encodedcommand" not in command_line.lower():
        return command_line
    return base64.b64decode(last).decode("utf-16-le")


def main(folder: str, *given: str) -> None:
    """Serve the site until the process is told to stop."""
    numbers = {name: int(text) for name, sign, text in (each.partition("=") for each in given)
               if sign}  # fmt: skip
    site = FixedSite(servers=numbers.pop("servers", 1), databases=numbers.pop("databases", 1))
    settings = LabSettings(
        folder=Path(folder), limits=LabLimits(**numbers), uses_kerberos="--kerberos" in given
    )
    asyncio.run(serve_until_stopped(site, settings, on_ready=lambda _: None))


if __name__ == "__main__":
    main(*sys.argv[1:])
