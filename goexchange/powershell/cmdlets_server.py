"""The calls of maintenance mode: components, messages, activation, active copies.

Each names one server, one component or one database. Only the requester *Maintenance* is ever sent,
and no check of Exchange is ever skipped. Source: the vendor's cmdlet reference.
"""

from __future__ import annotations

import re

from goexchange.model.plan import ExchangeCall
from goexchange.model.server import (
    ACTIVE,
    CALL_ROUTER,
    DRAINING,
    HUB_TRANSPORT,
    INACTIVE,
    MAINTENANCE,
    WHOLE_SERVER,
)
from goexchange.powershell.cmdlets import CmdletRefused, check_call

POLICIES = ("Unrestricted", "IntrasiteOnly", "Blocked")
_COMPONENTS = {
    HUB_TRANSPORT: (ACTIVE, DRAINING),
    CALL_ROUTER: (ACTIVE, DRAINING),
    WHOLE_SERVER: (ACTIVE, INACTIVE),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}\Z")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def get_components(server: str) -> ExchangeCall:
    """Read every component of a server, with what each requester says."""
    return _call("Get-ServerComponentState", Identity=_server(server))


def get_component(server: str, component: str) -> ExchangeCall:
    """Read one component of a server."""
    return _call("Get-ServerComponentState", Identity=_server(server), Component=component)


def set_component(server: str, component: str, state: str) -> ExchangeCall:
    """Say for the requester Maintenance what a component shall be."""
    if state not in _COMPONENTS.get(component, ()):
        raise CmdletRefused(f"the component {component} is not set to {state}.")
    return _call(
        "Set-ServerComponentState",
        Identity=_server(server),
        Component=component,
        State=state,
        Requester=MAINTENANCE,
    )


def redirect_messages(server: str, target: str) -> ExchangeCall:
    """Hand the messages that wait on a server over to another one, by its full name."""
    if server.casefold() == target.casefold():
        raise CmdletRefused("messages are handed over to another server.")
    return _call(
        "Redirect-Message", Server=_server(server), Target=_server(target), Confirm=False
    )


def get_queues(server: str) -> ExchangeCall:
    """Read the queues of a server's transport."""
    return _call("Get-Queue", Server=_server(server))


def get_mailbox_server(server: str) -> ExchangeCall:
    """Read a Mailbox server, its activation policy among its properties."""
    return _call("Get-MailboxServer", Identity=_server(server))


def set_activation(server: str, policy: str) -> ExchangeCall:
    """Say whether copies on a server may be activated by themselves."""
    if policy not in POLICIES:
        raise CmdletRefused(f"'{policy}' is not an activation policy.")
    return _call(
        "Set-MailboxServer", Identity=_server(server), DatabaseCopyAutoActivationPolicy=policy
    )


def move_active(guid: str, server: str, comment: str) -> ExchangeCall:
    """Activate the copy of one database on a named server, without any loss, all checks made."""
    if not _GUID.match(guid):
        raise CmdletRefused(f"'{guid}' is not the GUID of a database.")
    return _call(
        "Move-ActiveMailboxDatabase",
        Identity=guid.lower(),
        ActivateOnServer=_server(server),
        MountDialOverride="Lossless",
        MoveComment=comment,
        Confirm=False,
    )


def _call(name: str, **parameters: str | bool) -> ExchangeCall:
    return check_call(ExchangeCall(cmdlet=name, parameters=parameters))


def _server(name: str) -> str:
    """Exactly one server: a wildcard, or a blank, would mean something else."""
    if not _NAME.match(name):
        raise CmdletRefused(f"'{name}' does not name one server.")
    return name
