"""Availability groups and copies of databases, as Get-DatabaseAvailabilityGroup -Status,
Get-MailboxDatabaseCopyStatus and Get-MailboxDatabase describe them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from goexchange.facts.answer import ExchangeAnswer
from goexchange.facts.server_mode import SINCE
from goexchange.model.actual import ActualHost
from goexchange.model.copies import ActualCopy, ActualGroup
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.powershell import cmdlets
from goexchange.powershell.cmdlets_server import get_components
from goexchange.powershell.sizes import generation_of, parse_server_version

Json = Mapping[str, Any]

_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?\Z")
_PAUSED = "Paused"
_NODE_STATES = (_PAUSED, "Up", "Down")  # one that is down is no operational member either
_PAIR = re.compile(r"\[(.*), ([^,\]]*)\]\Z")


def group_statements(
    exchange: Json | Unknown, server: str, known: Sequence[str] = ()
) -> tuple[ExchangeCall, ...]:
    """The statements of a second Exchange pipeline: the group, the copies on the server, every
    copy of the databases (GUIDs) in `known`, and the server's components; none for a server that
    belongs to no group.
    """
    if isinstance(exchange, Unknown):
        return ()
    answer = ExchangeAnswer(exchange)
    group = answer.text(answer.one("MailboxServer"), "DatabaseAvailabilityGroup")
    if isinstance(group, Unknown):
        return ()
    guids = [answer.text(each, "Guid") for each in answer.of_type("MailboxDatabase")]
    there = {each.lower() for each in guids if not isinstance(each, Unknown)}
    asked = (guid for guid in known if guid.lower() in there)
    return (
        cmdlets.get_group(group),
        cmdlets.get_copies_on(server),
        *(cmdlets.get_copies(guid) for guid in asked),
        *_components(answer, server),
    )


def _components(answer: ExchangeAnswer, server: str) -> tuple[ExchangeCall, ...]:
    """The statement about the server's components; a version without it would end the pipeline."""
    text = answer.text(answer.one("ExchangeServer"), "AdminDisplayVersion")
    version = text if isinstance(text, Unknown) else parse_server_version(text)
    generation = version if isinstance(version, Unknown) else generation_of(version)
    return (get_components(server),) if generation in SINCE else ()


def together(first: Json | Unknown, second: Json | Unknown) -> Json | Unknown:
    """Both answers as one; where the second channel call gave nothing, an error says so."""
    if isinstance(first, Unknown):
        return first
    if isinstance(second, Unknown):
        words = {"message": second.reason, "category": "", "target": ""}
        names = (
            "Get-DatabaseAvailabilityGroup",
            "Get-MailboxDatabaseCopyStatus",
            "Get-ServerComponentState",
        )
        missing = [{**words, "id": f"x,{name.replace('-', '')}"} for name in names]
        return {**first, "errors": [*first["errors"], *missing]}
    return {name: [*first[name], *second[name]] for name in ("objects", "errors", "warnings")}


def decode_group(
    answer: ExchangeAnswer, name: str | None | Unknown
) -> ActualGroup | None | Unknown:
    """The server's group; None for a server that belongs to none."""
    if name is None or isinstance(name, Unknown):
        return name
    plain = answer.one("DatabaseAvailabilityGroup")
    if isinstance(plain, Unknown):
        return plain
    return ActualGroup(
        name=name,
        servers=answer.texts(plain, "Servers"),
        operational=answer.texts(plain, "OperationalServers"),
        in_maintenance=_maybe_none(answer, plain, "ServersInMaintenance"),
        primary_active_manager=answer.text(plain, "PrimaryActiveManager"),
        witness_server=answer.text(plain, "WitnessServer"),
    )


def paused_members(group: ActualGroup, host: ActualHost | Unknown) -> tuple[str, ...] | Unknown:
    """The members whose cluster node is paused, which is what the vendor's scripts of Exchange 2010
    do with a member in maintenance mode.

    Unknown: all of them, where a member has no node there, or a node a state that is not known.
    """
    nodes = host if isinstance(host, Unknown) else host.cluster_nodes
    if nodes is None:
        return Unknown("the host was not asked for the nodes of its cluster")
    if isinstance(nodes, Unknown) or isinstance(group.servers, Unknown):
        return nodes if isinstance(nodes, Unknown) else group.servers
    states = {each.name.lower(): each.state for each in nodes}
    for name in group.servers:
        state = states.get(name.lower(), "not told")
        if state not in _NODE_STATES:
            return Unknown(f"the state of the cluster node {name} is {state}")
    return tuple(each for each in group.servers if states[each.lower()] == _PAUSED)


def decode_copies(
    answer: ExchangeAnswer, group: str | None | Unknown
) -> tuple[ActualCopy, ...] | Unknown:
    """The copies in order of database and server; none for a server that belongs to no group.

    Unknown: all of them when one does not say what it is a copy of, or the cmdlet failed.
    """
    if group is None:
        return ()
    if isinstance(group, Unknown):
        return group
    failure = answer.failure_of("Get-MailboxDatabaseCopyStatus")
    if failure is not None:
        return failure
    rows = answer.of_type("DatabaseCopyStatusEntry")
    if not rows:
        return Unknown("Exchange told of no copy on a member of an availability group")
    found: dict[tuple[str, str], ActualCopy] = {}
    for row in rows:
        database, server = answer.text(row, "DatabaseName"), answer.text(row, "MailboxServer")
        if isinstance(database, Unknown) or isinstance(server, Unknown):
            return Unknown("Exchange gave a copy without its database or server")
        found[database.lower(), server.lower()] = _decode(answer, row, database, server)
    return tuple(found[key] for key in sorted(found))


def _decode(answer: ExchangeAnswer, row: Json, database: str, server: str) -> ActualCopy:
    described = _described(answer, database)
    return ActualCopy(
        database=database,
        server=server,
        status=answer.text(row, "Status"),
        is_active=answer.flag(row, "ActiveCopy"),
        is_activation_suspended=answer.flag(row, "ActivationSuspended"),
        suspend_comment=_comment(row),
        copy_queue_logs=_count(row, "CopyQueueLength"),
        replay_queue_logs=_count(row, "ReplayQueueLength"),
        content_index=answer.text(row, "ContentIndexState"),
        activation_preference=_paired(described, "ActivationPreference", server, _number),
        replay_lag_s=_paired(described, "ReplayLagTimes", server, span_seconds),
    )


def span_seconds(value: Any) -> float | Unknown:
    """The seconds of a time span as .NET writes it, `[d.]hh:mm:ss[.fffffff]`."""
    found = _SPAN.match(value) if isinstance(value, str) else None
    if found is None:
        return Unknown(f"{value!r} is not a time span")
    days, hours, minutes, seconds, ticks = found.groups()
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return whole + int((ticks or "0").ljust(7, "0")) / 10**7


def _described(answer: ExchangeAnswer, database: str) -> Json | Unknown:
    for plain in answer.of_type("MailboxDatabase"):
        name = answer.text(plain, "Name")
        if not isinstance(name, Unknown) and name.lower() == database.lower():
            return plain
    return Unknown(f"the database {database} itself was not described")


def _paired(
    described: Json | Unknown, name: str, server: str, read: Callable[[Any], Any]
) -> Any | Unknown:
    """The value of a server in a list of pairs.

    Source: such a list comes as text, `[EX01, 1]`, or as Key and Value.
    """
    if isinstance(described, Unknown):
        return described
    if name not in described:
        return Unknown(f"the database was described without {name}")
    pairs = described[name]
    if not isinstance(pairs, list | tuple):
        return Unknown(f"{name} is not a list")
    for pair in pairs:
        key, value = _both(pair)
        if key.lower() == server.lower():
            return read(value)
    return Unknown(f"{name} does not name {server}")


def _both(pair: Any) -> tuple[str, Any]:
    if isinstance(pair, str):
        found = _PAIR.match(pair)
        return (found.group(1), found.group(2)) if found else ("", None)
    if isinstance(pair, Mapping) and {"Key", "Value"} <= set(pair):
        return str(pair["Key"]), pair["Value"]
    return "", None


def _number(value: Any) -> int | Unknown:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    return int(value) if is_digits else Unknown(f"{value!r} is not a number")


def _count(row: Json, name: str) -> int | Unknown:
    if name not in row:
        return Unknown(f"Exchange gave a copy without {name}")
    value = row[name]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return Unknown(f"{name} is not a number of logs")


def _comment(row: Json) -> str | None | Unknown:
    """Nil is rightly none here: a copy that nobody suspended has no comment."""
    if "SuspendComment" not in row:
        return Unknown("Exchange gave a copy without SuspendComment")
    value = row["SuspendComment"]
    if value in (None, ""):
        return None
    return value if isinstance(value, str) else Unknown("SuspendComment is not a text")


def _maybe_none(answer: ExchangeAnswer, plain: Json, name: str) -> tuple[str, ...] | Unknown:
    """A list that may rightly be empty, but not missing or nil."""
    if name in plain and plain[name] == []:
        return ()
    return answer.texts(plain, name)
