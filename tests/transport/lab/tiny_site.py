"""A site just big enough to test the lab's protocols; run as a program it serves itself.

Usage: python tiny_site.py FOLDER [--no-kerberos] [NAME=NUMBER ...], with the names of LabLimits.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from goexchange.lab.server import serve_until_stopped
from goexchange.lab.settings import LabLimits, LabSettings
from goexchange.world.values import (
    CmdletAnswer,
    CmdletError,
    CommandAnswer,
    Credential,
    EnumValue,
    ErrorCategory,
    ExchangeObject,
    KeyValuePair,
    LongPath,
    OutputChunk,
    Reference,
    SiteHost,
    SiteUser,
    Size,
    Stream,
    TimeSpan,
    Value,
)

NAMESPACE = UUID("6f2c8d5e-3a7e-4a1b-9d52-0c6a2b7f1e11")
DATABASES = ("DB01", "DB02", "DB03")
DATABASE_TYPES = (
    "Microsoft.Exchange.Data.Directory.SystemConfiguration.MailboxDatabase",
    "Microsoft.Exchange.Data.Directory.SystemConfiguration.Database",
    "System.Object",
)


class TinySite:
    """Two hosts, one of them with Exchange; three databases; commands that show the protocol."""

    def hosts(self) -> tuple[SiteHost, ...]:
        return (
            SiteHost(name="EX01", fqdn="ex01.lab.test", address="127.0.61.1", has_exchange=True),
            SiteHost(name="WIN02", fqdn="win02.lab.test", address="127.0.61.2", has_exchange=False),
        )

    def users(self) -> tuple[SiteUser, ...]:
        return (
            SiteUser(name="admin", domain="LAB", password="Correct horse 1", may_use_exchange=True),
            SiteUser(name="clerk", domain="LAB", password="Battery staple 2",
                     may_use_exchange=False),
        )

    def check_password(self, user: str, password: str) -> bool:
        return any(each.name == user and each.password == password for each in self.users())

    def cmdlet_names(self, host: str) -> tuple[str, ...]:
        return ("Get-MailboxDatabase", "Get-Slowly", "Test-Login", "Get-Typed")

    def cmdlet(
        self, host: str, user: str, cmdlet: str, parameters: Mapping[str, object]
    ) -> CmdletAnswer:
        match cmdlet:
            case "Get-MailboxDatabase":
                return _databases(parameters)
            case "Get-Slowly":
                return CmdletAnswer(duration_s=float(str(parameters["Seconds"])),
                                    warnings=("slow",))
            case "Test-Login":
                credential = parameters["Credential"]
                assert isinstance(credential, Credential)
                return CmdletAnswer(objects=(_thing({
                    "User": credential.user, "Password": credential.password, "Caller": user}),))
            case "Get-Typed":
                return CmdletAnswer(objects=(_thing({
                    name: type(value).__name__ for name, value in parameters.items()}),))
        raise LookupError(cmdlet)

    def reads_standard_input(self, host: str, command_line: str) -> bool:
        return command_line.startswith("cat")

    def windows_command(
        self, host: str, user: str, command_line: str, standard_input: bytes
    ) -> CommandAnswer:
        name, *arguments = command_line.split()
        match name:
            case "hostname":
                return CommandAnswer(stdout=f"{host}\r\n".encode())
            case "whoami":
                return CommandAnswer(stdout=f"lab\\{user}\r\n".encode())
            case "echo":
                return CommandAnswer(stdout=f"{command_line[5:]}\r\n".encode())
            case "cat":
                return CommandAnswer(stdout=standard_input)
            case "ticks":
                return CommandAnswer(exit_code=3, chunks=tuple(
                    OutputChunk(float(arguments[1]), Stream.STDOUT, f"tick {i}\r\n".encode())
                    for i in range(int(arguments[0]))))
            case "split":
                return CommandAnswer(chunks=(
                    OutputChunk(0, Stream.STDOUT, "pr\u00fcfe".encode()[:3]),
                    OutputChunk(0.2, Stream.STDOUT, "pr\u00fcfe".encode()[3:])))
            case "sleep":
                return CommandAnswer(stdout=b"woke\r\n", duration_s=float(arguments[0]))
            case "big":
                return CommandAnswer(stdout="\u00e9".encode() * int(arguments[0]))
            case "fail":
                return CommandAnswer(stderr=b"no\r\n", exit_code=5)
        raise LookupError(command_line)


def _databases(parameters: Mapping[str, object]) -> CmdletAnswer:
    unknown = set(parameters) - {"Identity", "Status"}
    if unknown:
        return CmdletAnswer(terminating=CmdletError(
            message=f"A parameter cannot be found that matches parameter name '{min(unknown)}'.",
            exception_type="ParameterBindingException", category=ErrorCategory.INVALID_ARGUMENT,
            error_id="NamedParameterNotFound,Get-MailboxDatabase"))
    wanted = parameters.get("Identity")
    found = tuple(name for name in DATABASES if wanted in (None, name))
    errors = () if found else (CmdletError(
        message=f"The operation couldn't be performed because object '{wanted}' couldn't be "
                "found on 'dc01.lab.test'.",
        exception_type="ManagementObjectNotFoundException",
        error_id="[Server=EX01,RequestId=1,TimeStamp=1] [FailureCategory=Cmdlet-"
                 "ManagementObjectNotFoundException] 5B1D2A3C,Get-MailboxDatabase"),)
    return CmdletAnswer(
        objects=tuple(_database(name, has_status=bool(parameters.get("Status"))) for name in found),
        errors=errors)


def _database(name: str, *, has_status: bool) -> ExchangeObject:
    server = Reference("EX01", "CN=EX01,CN=Servers,DC=lab,DC=test", uuid5(NAMESPACE, "EX01"))
    return ExchangeObject(type_names=DATABASE_TYPES, to_string=name, properties={
        "Name": name,
        "Guid": uuid5(NAMESPACE, name),
        "Server": server,
        "EdbFilePath": LongPath(f"D:\\{name}\\{name}.edb"),
        "CircularLoggingEnabled": False,
        "ReplicationType": EnumValue(
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.ReplicationType", "None", 0),
        "MasterType": EnumValue(
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.MasterType", "Server", 1),
        "ActivationPreference": (KeyValuePair(server, 1),),
        "DeletedItemRetention": TimeSpan.of(days=14),
        "WhenCreated": datetime(2021, 9, 28, 17, 32, 1, 807198, UTC),
        "Mounted": True if has_status else None,
        "DatabaseSize": Size.of(11_274_289_152) if has_status else None,
    })


def _thing(properties: Mapping[str, Value]) -> ExchangeObject:
    return ExchangeObject(type_names=("Lab.Thing", "System.Object"), to_string="thing",
                          properties=properties)


def main(folder: str, *limits: str) -> None:
    uses_kerberos = "--no-kerberos" not in limits
    changed = {name: int(number)
               for name, _, number in (each.partition("=") for each in limits if "=" in each)}
    settings = LabSettings(folder=Path(folder), limits=LabLimits(**changed),
                           uses_kerberos=uses_kerberos)
    asyncio.run(serve_until_stopped(
        TinySite(), settings, on_ready=lambda _: None))


if __name__ == "__main__":
    main(*sys.argv[1:])
