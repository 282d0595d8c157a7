"""Observations: the Exchange channel first, then the Windows channel with the paths just
learned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from goexchange.errors import (
    AnswerLost,
    AuthenticationRefused,
    GoexchangeError,
    HostRefused,
    UnexpectedOutput,
    Unreachable,
)
from goexchange.facts import groups
from goexchange.facts.certificates import certificate_calls, decode_certificates
from goexchange.facts.machines import decode_machine, machine_arguments
from goexchange.facts.mta import (
    OldAnswers,
    decode_old_server,
    is_asked_without_cmdlets,
    mta_arguments,
    old_host_arguments,
)
from goexchange.facts.observation import (
    Asked,
    decode_server,
    events_asked,
    exchange_statements,
    host_arguments,
)
from goexchange.model.actual import ActualServer, ActualState, Generation
from goexchange.model.configuration import Inventory
from goexchange.model.machines import is_machine
from goexchange.model.unknown import Unknown
from goexchange.powershell.space_events import SPACE_OF_HOURS

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.transport.session import HostSession, RemoteSession

READ_LIMIT_S = 300
EVENTS_OF_DAYS = 7  # what the guard on storage errors looks back


@frozen(kw_only=True)
class Seen:
    """Servers that answered, and why the others did not, by name."""

    servers: tuple[ActualServer, ...]
    failures: Mapping[str, GoexchangeError]


def observe_server(
    session: HostSession,
    server: str,
    inventory: Inventory,
    *,
    databases: tuple[str, ...] = (),
    services: Sequence[str] = (),
) -> ActualServer:
    """What a server is now: two requests on the Exchange channel (two more for a member of an
    availability group), three on the Windows channel. Of a machine the host alone is asked.

    Shape: `services` are those whose state and start type are asked for by name.
    Unknown: a channel that answered with an error of its own leaves all that it would have said
    unknown.
    Raises: Unreachable when a channel does not answer; nothing was changed.
    """
    now = datetime.now(UTC)
    if inventory.is_machine(server):
        return _machine(session, server, inventory)
    if is_asked_without_cmdlets(_hint(inventory, server)):
        return _without_cmdlets(session, server, inventory, services=services)
    exchange = _read(
        lambda: session.exchange(
            exchange_statements(server, databases, generation=_hint(inventory, server)),
            time_limit_s=READ_LIMIT_S,
        )
    )
    more = groups.group_statements(exchange, server, databases)
    if more:
        said = _read(lambda: session.exchange(more, time_limit_s=READ_LIMIT_S))
        exchange = groups.together(exchange, said)
    arguments = host_arguments(
        exchange,
        root=inventory.host_root,
        events_since=now - timedelta(days=EVENTS_OF_DAYS),
        services=services,
    )
    host = _read(lambda: session.script("observe-host", arguments, time_limit_s=READ_LIMIT_S))
    events, asked = None, events_asked(exchange)
    if asked is not None:
        script, given = asked
        events = _read(lambda: session.script(script, given, time_limit_s=READ_LIMIT_S))
    return decode_server(
        exchange,
        host,
        asked=Asked(server=server, known=databases),
        observed_at=now,
        events=events,
    )


def _without_cmdlets(
    session: HostSession, server: str, inventory: Inventory, *, services: Sequence[str]
) -> ActualServer:
    """What the Windows channel alone tells of a server with Exchange 2003."""
    now = datetime.now(UTC)
    since = now - timedelta(days=EVENTS_OF_DAYS)
    statements = exchange_statements(server, generation=_hint(inventory, server))
    stores = _read(lambda: session.exchange(statements, time_limit_s=READ_LIMIT_S))
    arguments = old_host_arguments(
        stores, root=inventory.host_root, events_since=since, services=services
    )
    host = _read(lambda: session.script("observe-host", arguments, time_limit_s=READ_LIMIT_S))
    wanted = mta_arguments(since)
    mta = _read(lambda: session.script("observe-mta", wanted, time_limit_s=READ_LIMIT_S))
    hours = {"hours": SPACE_OF_HOURS}
    events = _read(lambda: session.script("read-space", hours, time_limit_s=READ_LIMIT_S))
    answers = OldAnswers(stores=stores, host=host, mta=mta, events=events)
    return decode_old_server(answers, name=server, observed_at=now)


def _machine(session: HostSession, name: str, inventory: Inventory) -> ActualServer:
    """What the Windows channel tells of a machine without Exchange; it has no other."""
    now = datetime.now(UTC)
    asked = machine_arguments(inventory.host_root, now - timedelta(days=EVENTS_OF_DAYS))
    host = _read(lambda: session.script("observe-host", asked, time_limit_s=READ_LIMIT_S))
    return decode_machine(host, name=name, observed_at=now)


def _with_certificates(session: HostSession, server: ActualServer) -> ActualServer:
    """The same with what one more request on the Exchange channel tells of its certificates."""
    if is_machine(server):
        return server
    calls = certificate_calls(server.name, server.generation)
    answer = None
    if calls:
        answer = _read(lambda: session.exchange(calls, time_limit_s=READ_LIMIT_S))
    return evolve(server, certificates=decode_certificates(answer))


def _hint(inventory: Inventory, server: str) -> Generation | None:
    return next((each.generation for each in inventory.servers if each.name == server), None)


def _read(ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any] | Unknown:
    try:
        return ask()
    except (HostRefused, UnexpectedOutput) as error:
        return Unknown(str(error))
    except AnswerLost as error:  # a read has no effect to be in doubt about
        raise Unreachable(str(error)) from error


def observe_servers(
    inventory: Inventory,
    names: Sequence[str],
    *,
    also: Sequence[str] = (),
    services: Mapping[str, Sequence[str]] | None = None,
) -> ActualState:
    """The actual state of several servers, asked at once; those in `also` only as far as they
    answer.

    Raises: Unreachable or AuthenticationRefused naming every server that could not be read.
    """
    seen = observe_each(inventory, [*names, *also], services=services or {})
    failures = [failure for name, failure in seen.failures.items() if name in names]
    if failures:
        raise together(failures)
    return state_of(seen.servers)


def observe_each(
    inventory: Inventory,
    names: Sequence[str],
    *,
    services: Mapping[str, Sequence[str]] = MappingProxyType({}),
    has_certificates: bool = False,
) -> Seen:
    """Ask several servers at once; one that does not answer keeps nobody else's answer back.

    Shape: `services` are those that are asked for by name, by server; `has_certificates` asks for
    certificates too, in a request of their own.
    """
    from goexchange.app.worker import Fleet

    def look(session: RemoteSession) -> ActualServer:
        name = session.server.name
        found = observe_server(session, name, inventory, services=services.get(name, ()))
        return _with_certificates(session, found) if has_certificates else found

    entries = [host for host in inventory.hosts if host.name in names]
    with Fleet(entries) as fleet:
        answers = fleet.map(look)
    failures: dict[str, GoexchangeError] = {}
    servers: list[ActualServer] = []
    for name in sorted(answers):
        answer = answers[name]
        if isinstance(answer, GoexchangeError):
            failures[name] = answer
        else:
            servers.append(answer)
    return Seen(servers=tuple(servers), failures=failures)


def state_of(servers: Sequence[ActualServer]) -> ActualState:
    """The state that one or more observed servers make."""
    newest = max(server.observed_at_utc for server in servers)
    return ActualState(observed_at_utc=newest, servers=tuple(servers))


def together(failures: Sequence[GoexchangeError]) -> GoexchangeError:
    """One error for several hosts; refused credentials weigh more than a host that is away."""
    refused = any(isinstance(failure, AuthenticationRefused) for failure in failures)
    kind = AuthenticationRefused if refused else Unreachable
    lines = [str(failure) for failure in failures]
    if len(lines) == 1:
        return kind(lines[0] + "; nothing was changed")
    listed = "\n  ".join(lines)
    return kind(f"{len(lines)} servers could not be read; nothing was changed:\n  {listed}")
