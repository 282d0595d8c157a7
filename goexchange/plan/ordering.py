"""Observed facts in one order, so that the order in which hosts answered never reaches a plan."""

from __future__ import annotations

from typing import Any

from attrs import evolve, fields_dict

from goexchange.codec import canonical_json, to_plain
from goexchange.model.actual import ActualHost, ActualServer, ActualState


def ordered(actual: ActualState) -> ActualState:
    """The same facts: servers and databases by name, everything a host lists by its content."""
    servers = sorted(actual.servers, key=lambda each: each.name)
    return evolve(actual, servers=tuple(_server(each) for each in servers))


def _server(server: ActualServer) -> ActualServer:
    databases, host = server.databases, server.host
    if isinstance(databases, tuple):
        databases = tuple(sorted(databases, key=lambda each: (each.name, each.guid)))
    return evolve(
        server, databases=databases, host=_host(host) if isinstance(host, ActualHost) else host
    )


def _host(host: ActualHost) -> ActualHost:
    lists: dict[str, Any] = {
        name: tuple(sorted(getattr(host, name), key=_content))
        for name in fields_dict(ActualHost)
        if isinstance(getattr(host, name), tuple) and len(getattr(host, name)) > 1
    }
    return evolve(host, **lists)


def _content(value: object) -> bytes:
    return canonical_json(to_plain(value))
