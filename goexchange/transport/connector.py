"""The pyinfra connector `@goexchange/<server>`: the same session that the tool itself uses.

pyinfra stops every host on an exception it does not know, so only ConnectError and OSError leave
this module.
Commands that change a host are refused: changes go through a plan, there is no door round the
guards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn, TypedDict

from pyinfra.api.exceptions import ConnectError
from pyinfra.connectors.base import BaseConnector, DataMeta
from pyinfra.connectors.util import CommandOutput, OutputLine

from goexchange import codec
from goexchange.errors import GoexchangeError
from goexchange.model.configuration import ServerEntry
from goexchange.powershell.cmdlets import is_change
from goexchange.powershell.contracts import CONTRACTS
from goexchange.transport.commands import CmdletCommand, HostScriptCommand
from goexchange.transport.session import RemoteSession

DEFAULT_TIME_LIMIT_S = 300


class ConnectorData(TypedDict):
    """Host data that the connector reads."""

    goexchange_server: str


class ConnectionFailed(ConnectError):
    """A connection that failed, with our own error for whoever asks."""

    def __init__(self, error: GoexchangeError) -> None:
        super().__init__(str(error))
        self.error = error


class HostError(OSError):
    """Our errors as pyinfra wants them."""


class GoexchangeConnector(BaseConnector):
    """Runs typed commands over the Exchange and the Windows channel of one server."""

    handles_execution = True
    data_cls = ConnectorData
    data_meta = {
        "goexchange_server": DataMeta(
            "the inventory's server entry as JSON (see goexchange.pyinfra_deploy)", ""
        )
    }

    session: RemoteSession | None = None
    failure: GoexchangeError | None = None

    @staticmethod
    def make_names_data(name: str | None = None) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """One host per name; its data come from `goexchange.pyinfra_deploy.hosts`."""
        if not name:
            raise ConnectError("name a server of the inventory: @goexchange/EX01")
        yield f"@goexchange/{name}", {}, ["@goexchange"]

    def connect(self) -> None:
        """Open both channels.

        Raises: ConnectError, with the reason in words; nothing stays open then.
        """
        entry = self.data["goexchange_server"]
        if not entry:
            raise ConnectError(
                "no connection data: make the inventory with goexchange.pyinfra_deploy.hosts(...)"
            )
        session = RemoteSession(codec.from_plain(ServerEntry, json.loads(entry)))
        self.session = session  # before it is open, so that an interrupted start is closed too
        try:
            session.open()
        except GoexchangeError as error:
            self._give_up(error)
        except Exception as error:  # noqa: BLE001 pyinfra would stop all hosts for a surprise on one
            surprise = GoexchangeError(f"{session.server.name}: {type(error).__name__}: {error}")
            self._give_up(surprise)

    def disconnect(self) -> None:
        """Close both channels; never raises."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def run_shell_command(
        self, command: Any, print_output: bool = False, print_input: bool = False, **arguments: Any
    ) -> tuple[bool, CommandOutput]:
        """Run a typed command; plain shell text is refused.

        Raises: OSError for everything that goes wrong between here and the host.
        """
        limit_s = arguments.get("_timeout") or DEFAULT_TIME_LIMIT_S
        try:
            if isinstance(command, CmdletCommand):
                return self._run_cmdlets(command, limit_s)
            if isinstance(command, HostScriptCommand):
                return self._run_script(command, limit_s)
        except GoexchangeError as error:
            raise HostError(str(error)) from error
        raise HostError(
            f"@goexchange takes the facts of goexchange.pyinfra_deploy, not shell text: {command}"
        )

    def put_file(self, *_: Any, **__: Any) -> bool:
        """Refused: files reach a host only as part of a plan."""
        raise HostError("@goexchange does not upload files: use goexchange plan and apply")

    def get_file(self, *_: Any, **__: Any) -> bool:
        """Refused: what is read of a host is read by facts."""
        raise HostError(
            "@goexchange does not download files: use the facts of goexchange.pyinfra_deploy"
        )

    def _give_up(self, error: GoexchangeError) -> NoReturn:
        self.disconnect()
        self.failure = error
        raise ConnectionFailed(error) from error

    def _open_session(self) -> RemoteSession:
        if self.session is None:
            raise HostError("the host is not connected")
        return self.session

    def _run_cmdlets(self, command: CmdletCommand, limit_s: float) -> tuple[bool, CommandOutput]:
        for call in command.calls:
            if is_change(call.cmdlet):
                raise HostError(refusal(call.cmdlet))
        answer = self._open_session().exchange(command.calls, time_limit_s=limit_s)
        lines = [OutputLine("stdout", json.dumps(each)) for each in answer["objects"]]
        errors = [OutputLine("stderr", each["message"]) for each in answer["errors"]]
        return not errors, CommandOutput([*lines, *errors])

    def _run_script(self, command: HostScriptCommand, limit_s: float) -> tuple[bool, CommandOutput]:
        if command.script not in CONTRACTS:
            raise HostError(f"{command.script} is not a packaged host script")
        if CONTRACTS[command.script].changes_host:
            raise HostError(refusal(command.script))
        result = self._open_session().script(
            command.script, command.arguments, time_limit_s=limit_s
        )
        return True, CommandOutput([OutputLine("stdout", json.dumps(result))])


def refusal(what: str) -> str:
    """Why a command that changes something does not run from a deploy file."""
    return (
        f"{what} changes the server: a deploy file holds no lease and no approved plan, so it "
        "would pass the guards by; use goexchange plan and goexchange apply"
    )
