"""Operations for pyinfra deploy files. Only what reads may run; changes need a plan."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api.exceptions import OperationError
from pyinfra.api.operation import operation

from goexchange.errors import GoexchangeError
from goexchange.model.plan import ExchangeCall
from goexchange.powershell.cmdlets import check_call, is_change
from goexchange.transport.commands import CmdletCommand
from goexchange.transport.connector import refusal


@operation(is_idempotent=False)
def exchange_cmdlet(
    cmdlet: str, parameters: dict[str, Any]
) -> Generator[CmdletCommand, None, None]:
    """Run a cmdlet that reads; pyinfra prints its objects as JSON lines.

    Raises: OperationError for a cmdlet that changes something, or that is not on the closed list.
    """
    try:
        call = check_call(ExchangeCall(cmdlet=cmdlet, parameters=parameters))
        if is_change(cmdlet):
            raise OperationError(refusal(cmdlet))
    except GoexchangeError as error:
        raise OperationError(str(error)) from error
    yield CmdletCommand(call)
