"""How PowerShell binds the parameters of a cmdlet: names, abbreviations, switches, sets, and the
words of its refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

from attrs import frozen

from goexchange.world.values import CmdletError, ErrorCategory


class ParameterKind(Enum):
    """What a parameter takes."""

    SWITCH = "SwitchParameter"
    BOOLEAN = "Boolean"
    TEXT = "String"
    TEXTS = "String[]"


@frozen
class Parameter:
    """One parameter; `group` names its parameter set when it belongs to one only."""

    name: str
    kind: ParameterKind = ParameterKind.TEXT
    is_mandatory: bool = False
    group: str | None = None


class BindingFailed(Exception):
    """The call cannot be bound; `error` is what PowerShell says."""

    def __init__(self, error: CmdletError) -> None:
        super().__init__(error.message)
        self.error = error


COMMON = (
    Parameter("ErrorAction"),
    Parameter("WarningAction"),
    Parameter("Verbose", ParameterKind.SWITCH),
    Parameter("Debug", ParameterKind.SWITCH),
    Parameter("DomainController"),
)


def bind(cmdlet: str, known: tuple[Parameter, ...], given: Mapping[str, object]) -> dict[str, Any]:
    """Values by the parameters' full names.

    Raises: BindingFailed for an unknown or ambiguous name, a wrong type, a null where none may be,
    sets that exclude each other, or a mandatory parameter that is missing.
    """
    bound: dict[str, Any] = {}
    groups: set[str] = set()
    for name, value in given.items():
        parameter = _find(cmdlet, (*known, *COMMON), name)
        bound[parameter.name] = _convert(cmdlet, parameter, value)
        if parameter.group is not None:
            groups.add(parameter.group)
    if len(groups) > 1:
        raise _failed(
            "Parameter set cannot be resolved using the specified named parameters.",
            f"AmbiguousParameterSet,{cmdlet}",
        )
    missing = [each.name for each in known if each.is_mandatory and each.name not in bound]
    if missing:
        raise _failed(
            "Cannot process command because of one or more missing mandatory parameters:"
            f" {' '.join(missing)}.",
            f"MissingMandatoryParameter,{cmdlet}",
        )
    return bound


def _find(cmdlet: str, known: tuple[Parameter, ...], name: str) -> Parameter:
    wanted = name.lower().lstrip("-").rstrip(":")
    exact = [each for each in known if each.name.lower() == wanted]
    if exact:
        return exact[0]
    matches = [each for each in known if wanted and each.name.lower().startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        possible = " ".join(f"-{each.name}" for each in matches)
        raise _failed(
            f"Parameter cannot be processed because the parameter name '{name}' is ambiguous."
            f" Possible matches include: {possible}.",
            f"AmbiguousParameter,{cmdlet}",
        )
    raise _failed(
        f"A parameter cannot be found that matches parameter name '{name}'.",
        f"NamedParameterNotFound,{cmdlet}",
    )


def _convert(cmdlet: str, parameter: Parameter, value: object) -> Any:
    if parameter.kind is ParameterKind.SWITCH:
        if value is None:
            return True
        if isinstance(value, bool):
            return value
        raise _transformation(cmdlet, parameter, value)
    if value is None:
        if parameter.is_mandatory:
            raise _failed(
                f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
                f"ParameterArgumentValidationErrorNullNotAllowed,{cmdlet}",
                category=ErrorCategory.INVALID_DATA,
            )
        return None
    if parameter.kind is ParameterKind.BOOLEAN:
        if isinstance(value, bool):
            return value
        raise _transformation(cmdlet, parameter, value)
    if parameter.kind is ParameterKind.TEXTS and isinstance(value, tuple | list):
        return tuple(str(each) for each in value)
    if isinstance(value, str | UUID | int) and not isinstance(value, bool):
        return (str(value),) if parameter.kind is ParameterKind.TEXTS else str(value)
    raise _transformation(cmdlet, parameter, value)


def _transformation(cmdlet: str, parameter: Parameter, value: object) -> BindingFailed:
    kind = "System.Boolean" if parameter.kind is not ParameterKind.TEXT else "System.String"
    return _failed(
        f"Cannot process argument transformation on parameter '{parameter.name}'."
        f' Cannot convert value "{value}" to type "{kind}".',
        f"ParameterArgumentTransformationError,{cmdlet}",
        category=ErrorCategory.INVALID_DATA,
    )


def _failed(
    message: str, error_id: str, *, category: ErrorCategory = ErrorCategory.INVALID_ARGUMENT
) -> BindingFailed:
    return BindingFailed(
        CmdletError(
            message=message,
            exception_type="ParameterBindingException",
            category=category,
            error_id=error_id,
        )
    )
