"""Statements read from a pipeline: cmdlets with typed parameters, and nothing else.

The runspace is in no-language mode: scripts, script blocks and expressions are refused with the
text of the real one; what a real one takes and the lab does not know is refused as not simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import psrpcore
from attrs import evolve, frozen

from goexchange.lab import faults
from goexchange.lab.psrp_values import ScriptBlockRefused, parameter
from goexchange.world.values import CmdletError, ErrorCategory

_SELECT = "select-object"


class Action(Enum):
    """What a caller wants done with errors or warnings (-ErrorAction, -WarningAction)."""

    CONTINUE = "continue"
    SILENTLY_CONTINUE = "silentlycontinue"
    STOP = "stop"


class CmdletFailed(Exception):
    """A statement ends with this error."""

    def __init__(self, error: CmdletError, *, command: str) -> None:
        super().__init__(error.message)
        self.error = error
        self.command = command


@frozen(kw_only=True)
class Statement:
    """One cmdlet, and the properties to select from what it puts out (None: whole objects)."""

    cmdlet: str
    parameters: Mapping[str, object]
    properties: tuple[str, ...] | None
    error_action: Action
    warning_action: Action


def read_statements(powershell: psrpcore.PowerShell) -> tuple[Statement, ...]:
    """The statements of a pipeline.

    Raises: CmdletFailed for anything but cmdlets, alone or into Select-Object.
    """
    statements: list[Statement] = []
    is_new = True
    for command in powershell.commands:
        name = str(command.command_text)
        if command.is_script:
            raise CmdletFailed(_no_language(), command=name)
        parameters = _read_parameters(command)
        if is_new:
            statements.append(_statement(name, parameters))
        elif name.lower() == _SELECT:
            statements[-1] = evolve(statements[-1], properties=_properties(parameters))
        else:
            raise CmdletFailed(_not_simulated(f"a pipeline into {name}"), command=name)
        is_new = bool(command.end_of_statement)
    return tuple(statements)


def _statement(name: str, parameters: dict[str, object]) -> Statement:
    return Statement(
        cmdlet=name,
        error_action=_taken_action(name, parameters, "ErrorAction"),
        warning_action=_taken_action(name, parameters, "WarningAction"),
        parameters=parameters,
        properties=None,
    )


def _taken_action(name: str, parameters: dict[str, object], preference: str) -> Action:
    """A preference taken out of the parameters: it is PowerShell's, not the cmdlet's."""
    for key in tuple(parameters):
        if key.lower() == preference.lower():
            wanted = str(parameters.pop(key))
            try:
                return Action(wanted.lower())
            except ValueError:
                raise CmdletFailed(_not_simulated(f"-{key} {wanted}"), command=name) from None
    return Action.CONTINUE


def _read_parameters(command: psrpcore.Command) -> dict[str, object]:
    name = str(command.command_text)
    read: dict[str, object] = {}
    for key, value in command.parameters:
        if key is None:
            raise CmdletFailed(_not_simulated("a positional parameter"), command=name)
        try:
            read[str(key).strip("-:")] = parameter(value)
        except ScriptBlockRefused as error:
            raise CmdletFailed(_no_language(), command=name) from error
        except TypeError as error:
            raise CmdletFailed(_not_simulated(str(error)), command=name) from error
    return read


def _properties(parameters: Mapping[str, object]) -> tuple[str, ...]:
    for key, value in parameters.items():
        if key.lower() != "property":
            raise CmdletFailed(_not_simulated(f"Select-Object -{key}"), command="Select-Object")
        values = value if isinstance(value, tuple) else (value,)
        if all(isinstance(each, str) for each in values):
            return tuple(str(each) for each in values)
    raise CmdletFailed(_not_simulated("Select-Object without property names"),
                       command="Select-Object")


def _no_language() -> CmdletError:
    return CmdletError(
        message="The syntax is not supported by this runspace. This can occur if the runspace is "
                "in no-language mode.",
        exception_type="ParseException", category=ErrorCategory.PARSER_ERROR,
        error_id="ScriptsNotAllowed")


def _not_simulated(what: str) -> CmdletError:
    return CmdletError(
        message=faults.not_simulated(what).message, exception_type="NotSupportedException",
        category=ErrorCategory.INVALID_OPERATION, error_id="LabNotSimulated")
