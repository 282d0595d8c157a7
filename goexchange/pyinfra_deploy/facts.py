"""Facts for pyinfra deploy files: the same observations that goexchange itself plans with.

Unknown: what a host could not say is `{"unknown": <reason>}`, never False or zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pyinfra.api.facts import FactBase
from pyinfra.context import host

from goexchange import codec
from goexchange.codec import time_text
from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.databases import decode_databases
from goexchange.facts.host import decode_host
from goexchange.facts.observation import Asked, decode_server
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.transport.commands import CmdletCommand, HostScriptCommand

PREFIX = "@goexchange/"
ROOT = "C:\\ProgramData\\goexchange"


class ServerFacts(FactBase[dict[str, Any]]):
    """What Exchange says of the server: fqdn, generation, build, edition, availability group."""

    def command(self) -> CmdletCommand:
        """Two cmdlets as statements of one pipeline."""
        return CmdletCommand(
            ExchangeCall(cmdlet="Get-ExchangeServer", parameters={"Identity": _server()}),
            ExchangeCall(cmdlet="Get-MailboxServer", parameters={"Identity": _server()}),
        )

    def process(self, output: Iterable[str]) -> dict[str, Any]:
        """One dictionary."""
        not_asked = Unknown("this fact does not ask for it")
        server = decode_server(
            _answer(output), not_asked, asked=Asked(server=_server()), observed_at=_now()
        )
        plain = codec.to_plain(server)
        names = ("name", "fqdn", "generation", "build", "edition", "availability_group")
        return {name: plain[name] for name in names}


class MailboxDatabases(FactBase[dict[str, Any]]):
    """The mailbox databases of the server by name, live state included."""

    def command(self) -> CmdletCommand:
        """One cmdlet for all databases."""
        parameters = {"Server": _server(), "Status": True}
        return CmdletCommand(ExchangeCall(cmdlet="Get-MailboxDatabase", parameters=parameters))

    def process(self, output: Iterable[str]) -> dict[str, Any]:
        """Database by name."""
        servers = frozenset({_server().lower()})
        found = decode_databases(ExchangeAnswer(_answer(output)), servers=servers, known=())
        if isinstance(found, Unknown):
            raise ValueError(f"{_server()}: the databases are not known: {found.reason}")
        return {database.name: codec.to_plain(database) for database in found}


class HostFacts(FactBase[dict[str, Any]]):
    """Volumes, services, tasks, processes, events and backups of the server, in one answer.

    `root` is where goexchange keeps its records on the hosts.
    """

    def command(self, root: str = ROOT, events_of_days: int = 7) -> HostScriptCommand:
        """One host script, which changes nothing."""
        since = time_text(_now() - timedelta(days=events_of_days))
        arguments = {"root": root, "paths": [], "log_folders": [], "events_since": since}
        return HostScriptCommand("observe-host", arguments)

    def process(self, output: Iterable[str]) -> dict[str, Any]:
        """One dictionary."""
        plain: dict[str, Any] = codec.to_plain(decode_host(json.loads("".join(output)), _now()))
        return plain


def _server() -> str:
    return str(host.name).removeprefix(PREFIX)


def _answer(output: Iterable[str]) -> dict[str, Any]:
    """The answer as it was before pyinfra made lines of it; a failed cmdlet fails the fact."""
    return {"objects": [json.loads(line) for line in output], "errors": [], "warnings": []}


def _now() -> datetime:
    return datetime.now(UTC)
