"""Exchange cmdlets of maintenance mode: components, queues, activation policy, active copies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from goexchange.world.cmdlet_errors import exchange_error, needs_confirmation, not_found
from goexchange.world.cmdlets_read import find_database
from goexchange.world.copies import activate, status_of
from goexchange.world.hosts import Host
from goexchange.world.refusals import NotModelled
from goexchange.world.values import (
    CmdletAnswer,
    CmdletError,
    EnumValue,
    ErrorCategory,
    ExchangeObject,
    Value,
)

if TYPE_CHECKING:
    from goexchange.world.world import World

_STATES = {"Inactive": 0, "Active": 1, "Draining": 2}


def get_component_state(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-ServerComponentState, all components or one."""
    host = _host(world, given["Identity"])
    if host is None:
        return _missing(world, "Get-ServerComponentState", given["Identity"])
    wanted = given.get("Component")
    names = [each for each in host.mode.by if wanted is None or each.lower() == wanted.lower()]
    if wanted is not None and not names:
        return _missing(world, "Get-ServerComponentState", wanted)
    return _answer(world, *(_component(world, host, name) for name in names))


def set_component_state(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Set-ServerComponentState for one requester; the same again changes nothing."""
    host = _host(world, given["Identity"])
    component = given["Component"]
    if host is None or component not in host.mode.by:
        return _missing(world, "Set-ServerComponentState", f"{given['Identity']}/{component}")
    said = host.mode.by[component]
    if said.get(given["Requester"]) != given["State"]:
        said[given["Requester"]] = given["State"]
        world.note("component-set", host=host.name, detail=f"{component}/{given['State']}")
    return _answer(world)


def get_queue(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Get-Queue -Server, shadow and poison queues among them."""
    host = _host(world, given["Server"])
    if host is None or host.down_until is not None:
        return _missing(world, "Get-Queue", given["Server"])
    if host.services["MSExchangeTransport"].state != "Running":
        words = f"The Microsoft Exchange Transport service on {host.name} does not answer."
        return _failed(world, "Get-Queue", words, host.name)
    waiting = host.mode.waiting(world.now())
    rows = (("Submission", waiting), ("Shadow\\3", 41), ("Poison", 1))
    return _answer(world, *(_queue(host, name, count) for name, count in rows))


def redirect_message(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Redirect-Message: what waits goes to another server in a while, but shadow messages."""
    host, target = _host(world, given["Server"]), _host(world, given["Target"])
    if host is None or target is None or target is host:
        return _missing(world, "Redirect-Message", given["Target"])
    if given.get("Confirm", True):
        return CmdletAnswer(terminating=needs_confirmation("Redirect-Message", host.name))
    if target.mode.state_of("HubTransport") != "Active":
        words = f"The transport of {target.name} does not take messages over."
        return _failed(world, "Redirect-Message", words, target.name)
    if host.name not in world.faults.stuck_queues and host.mode.empty_from is None:
        host.mode.empty_from = world.now() + timedelta(seconds=world.site.times.queues)
        world.note("messages-redirected", host=host.name, detail=target.name)
    return _answer(world)


def set_mailbox_server(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Set-MailboxServer -DatabaseCopyAutoActivationPolicy."""
    host = _host(world, given["Identity"])
    if host is None:
        return _missing(world, "Set-MailboxServer", given["Identity"])
    policy = given.get("DatabaseCopyAutoActivationPolicy")
    if policy is None:
        raise NotModelled("Set-MailboxServer without -DatabaseCopyAutoActivationPolicy")
    if policy != host.mode.policy:
        host.mode.policy = policy
        world.note("policy-set", host=host.name, detail=policy)
    return _answer(world)


def move_active(world: World, given: Mapping[str, Any]) -> CmdletAnswer:
    """Move-ActiveMailboxDatabase DB -ActivateOnServer, to a healthy copy and without loss."""
    name = "Move-ActiveMailboxDatabase"
    database = find_database(world, given["Identity"])
    target = _host(world, given["ActivateOnServer"])
    if database is None or target is None:
        return _missing(world, name, given["Identity"])
    if given.get("Confirm", True):
        return CmdletAnswer(terminating=needs_confirmation(name, database.name))
    if target.name == database.active_server:
        words = f"The database '{database.name}' is already active on {target.name}."
        return _failed(world, name, words, database.name)
    is_refused = world.faults.take_move_refusal(database.name)
    status = (
        status_of(world, database, target.name) if target.name in database.passive else "absent"
    )
    if is_refused or status != "Healthy" or database.mounted_on is None:
        words = (
            "An Active Manager operation failed. Error: The database action failed. Error: Active"
            f" Manager did not activate '{database.name}' on {target.name}: its copy is {status}."
        )
        return _failed(world, name, words, database.name)
    was = database.active_server
    activate(world, database, target.name)
    database.passive[was].well_from = world.now() + timedelta(seconds=world.site.times.copy_resume)
    return CmdletAnswer(duration_s=world.site.times.dismount + world.site.times.mount)


def _component(world: World, host: Host, name: str) -> ExchangeObject:
    text = host.mode.state_of(name)
    if (host.name, name) in world.faults.stuck_components:
        text = "Active"
    entries = tuple(
        f"Requestor:{requester}; State:{state}; Timestamp:{_stamp(host.booted_at)}"
        for requester, state in sorted(host.mode.by[name].items())
    )
    properties: dict[str, Value] = {
        "ServerFqdn": host.description.fqdn,
        "Component": name,
        "State": EnumValue(
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.ServiceState",
            text,
            _STATES[text],
        ),
        "ServerWideOfflineIsOffline": host.mode.state_of("ServerWideOffline") == "Inactive",
        "RemoteStates": entries,
        "LocalStates": entries,
        "WhenChanged": host.booted_at,
    }
    name_of_type = (
        "Microsoft.Exchange.Management.SystemConfigurationTasks."
        "ServerComponentStatePresentationObject"
    )
    return ExchangeObject(
        type_names=(name_of_type, "System.Object"), to_string=name, properties=properties
    )


def _stamp(moment: datetime) -> str:
    return moment.strftime("%-m/%-d/%Y %-I:%M:%S %p")


def _queue(host: Host, name: str, count: int) -> ExchangeObject:
    identity = f"{host.name}\\{name}"
    properties: dict[str, Value] = {
        "Identity": identity,
        "MessageCount": count,
        "Status": EnumValue("Microsoft.Exchange.Data.QueueViewer.QueueStatus", "Ready", 3),
    }
    return ExchangeObject(
        type_names=("Microsoft.Exchange.Data.QueueViewer.ExtensibleQueueInfo", "System.Object"),
        to_string=identity,
        properties=properties,
    )


def _host(world: World, identity: str) -> Host | None:
    wanted = identity.lower()
    return next(
        (
            each
            for each in world.exchange_hosts
            if wanted in (each.name.lower(), each.description.fqdn)
        ),
        None,
    )


def _answer(world: World, *rows: ExchangeObject) -> CmdletAnswer:
    return CmdletAnswer(objects=rows, duration_s=world.site.times.cmdlet)


def _missing(world: World, cmdlet: str, identity: str) -> CmdletAnswer:
    return CmdletAnswer(
        errors=(not_found(world, cmdlet, identity),), duration_s=world.site.times.cmdlet
    )


def _failed(world: World, cmdlet: str, words: str, target: str) -> CmdletAnswer:
    error: CmdletError = exchange_error(
        world, cmdlet, words,
        exception="InvalidOperationException",
        category=ErrorCategory.INVALID_OPERATION,
        target=target,
    )  # fmt: skip
    return CmdletAnswer(errors=(error,), duration_s=world.site.times.cmdlet)
