"""The plain answer of an Exchange pipeline: its objects by type, its errors by the cmdlet that
raised them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from goexchange.codec import parse_time
from goexchange.model.unknown import Unknown

Json = Mapping[str, Any]


@frozen
class ExchangeAnswer:
    """`{"objects": [...], "errors": [...], "warnings": [...]}` of all statements of one pipeline
    together.

    Unknown: nil, an empty text, a missing property and another type than the property's are all
    Unknown.
    """

    plain: Json

    def of_type(self, short_name: str) -> tuple[Json, ...]:
        """The objects whose .NET type ends with that name, in the order in which they came."""
        return tuple(
            member
            for member in self.plain["objects"]
            if "$type" in member and str(member["$type"]).rsplit(".", 1)[-1] == short_name
        )

    def databases(self) -> tuple[Json, ...]:
        """Mailbox databases, then those with public folders."""
        return (*self.of_type("MailboxDatabase"), *self.of_type("PublicFolderDatabase"))

    def one(self, short_name: str) -> Json | Unknown:
        """The only object of that type."""
        found = self.of_type(short_name)
        if len(found) == 1:
            return found[0]
        words = "; ".join(str(error["message"])[:200] for error in self.plain["errors"])
        return Unknown(
            f"Exchange gave {len(found)} {short_name} objects instead of one. {words}".rstrip()
        )

    def failure_of(self, cmdlet: str) -> Unknown | None:
        """Why the output of a cmdlet cannot be trusted to be complete; None when it can.

        Unknown: an error that names no cmdlet counts against every cmdlet.
        """
        for error in self.plain["errors"]:
            if cmdlet_of(error) in (cmdlet, None):
                return Unknown(f"{cmdlet} failed: {str(error['message'])[:200]}")
        return None

    def text(self, source: Json | Unknown, name: str) -> str | Unknown:
        """A property that is a text and not empty."""
        value = _property(source, name)
        if isinstance(value, Unknown):
            return value
        return value if isinstance(value, str) and value else Unknown(f"{name} is not a text")

    def flag(self, source: Json | Unknown, name: str) -> bool | Unknown:
        """A property that is true or false."""
        value = _property(source, name)
        if isinstance(value, Unknown):
            return value
        return value if isinstance(value, bool) else Unknown(f"{name} is neither true nor false")

    def texts(self, source: Json | Unknown, name: str) -> tuple[str, ...] | Unknown:
        """A property that is a list of texts, not empty."""
        value = _property(source, name)
        if isinstance(value, Unknown):
            return value
        if not isinstance(value, list | tuple) or not value:
            return Unknown(f"{name} is not a list with members")
        if not all(isinstance(member, str) and member for member in value):
            return Unknown(f"{name} has members that are not texts")
        return tuple(value)

    def moment(self, source: Json | Unknown, name: str) -> datetime | Unknown:
        """A property that is a time with a zone."""
        value = _property(source, name)
        if isinstance(value, Unknown):
            return value
        try:
            return parse_time(value)
        except (AttributeError, TypeError, ValueError):
            return Unknown(f"{name} is not a time with a zone")


def cmdlet_of(error: Json) -> str | None:
    """The cmdlet an error comes from, or None.

    Source: Exchange's error ids end with the class of the cmdlet
    (`...RecipientTasks.GetMoveRequest`); a cmdlet that the account may not use is named by the
    record's target.
    """
    tail = str(error["id"]).rsplit(",", 1)[-1].strip().rsplit(".", 1)[-1]
    target = str(error["target"])
    for cmdlet in _STATEMENTS:
        if tail == cmdlet.replace("-", "") or target.lower() == cmdlet.lower():
            return cmdlet
    return None


_STATEMENTS = (
    "Get-ExchangeServer",
    "Get-MailboxServer",
    "Get-ExchangeCertificate",
    "Get-MailboxDatabase",
    "Get-PublicFolderDatabase",
    "Get-StorageGroup",
    "Get-MoveRequest",
    "Get-MailboxRepairRequest",
    "Get-DatabaseAvailabilityGroup",
    "Get-MailboxDatabaseCopyStatus",
    "Get-ServerComponentState",
)


def _property(source: Json | Unknown, name: str) -> Any:
    if isinstance(source, Unknown):
        return source
    if name not in source:
        return Unknown(f"Exchange did not give {name}")
    return Unknown(f"Exchange left {name} empty") if source[name] is None else source[name]
