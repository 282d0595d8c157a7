"""Resolve the selectors of groups: names, `group:`, `site:` and `dag:`."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from goexchange.errors import Place
from goexchange.reading import Findings
from goexchange.schema import suggestion


@frozen(kw_only=True)
class RawGroup:
    """A group as written: selectors with their places."""

    name: str
    selectors: tuple[str, ...]
    selector_places: tuple[Place, ...]
    place: Place


@frozen(kw_only=True)
class Members:
    """What selectors can name: each server, and the servers of sites and of availability groups."""

    servers: tuple[str, ...]
    sites: Mapping[str, tuple[str, ...]]
    availability_groups: Mapping[str, tuple[str, ...]]


def resolve_groups(
    groups: Mapping[str, RawGroup], members: Members, findings: Findings
) -> dict[str, tuple[str, ...]]:
    """Return the servers of each group, each once, in the order of the inventory."""
    resolution = _Resolution(groups, members, findings)
    return {name: resolution.servers_of(name) for name in groups}


def resolve_selectors(
    one: RawGroup, groups: Mapping[str, RawGroup], members: Members, *, findings: Findings
) -> tuple[str, ...]:
    """Return the servers that the selectors of something else than a group mean, in the order of
    the inventory.
    """
    resolution = _Resolution(groups, members, findings)
    found = {
        server
        for selector, place in zip(one.selectors, one.selector_places, strict=True)
        for server in resolution.select(selector, place)
    }
    return tuple(server for server in members.servers if server in found)


class _Resolution:
    def __init__(
        self, groups: Mapping[str, RawGroup], members: Members, findings: Findings
    ) -> None:
        self._groups = groups
        self._members = members
        self._findings = findings
        self._done: dict[str, tuple[str, ...]] = {}
        self._open: list[str] = []

    def servers_of(self, name: str) -> tuple[str, ...]:
        if name not in self._done:
            group = self._groups[name]
            self._open.append(name)
            found: set[str] = set()
            for selector, place in zip(group.selectors, group.selector_places, strict=True):
                found.update(self.select(selector, place))
            self._open.pop()
            self._done[name] = tuple(server for server in self._members.servers if server in found)
        return self._done[name]

    def select(self, selector: str, place: Place) -> tuple[str, ...]:
        """The servers that one selector means; what it names and is not there is reported."""
        kind, colon, name = selector.partition(":")
        if not colon:
            if selector in self._members.servers:
                return (selector,)
            return self._unknown("server", selector, place)
        if kind == "group":
            return self._select_group(name, place)
        known = self._members.sites if kind == "site" else self._members.availability_groups
        word = "site" if kind == "site" else "availability group"
        return known[name] if name in known else self._unknown(word, name, place)

    def _select_group(self, name: str, place: Place) -> tuple[str, ...]:
        if name not in self._groups:
            return self._unknown("group", name, place)
        if name in self._open:
            path = " -> ".join([*self._open[self._open.index(name) :], name])
            detail = f"A group cannot contain itself: {path}. Delete one of the steps."
            self._findings.add("group-cycle", detail=detail, place=place)
            return ()
        return self.servers_of(name)

    def _unknown(self, word: str, name: str, place: Place) -> tuple[str, ...]:
        known = {
            "server": self._members.servers,
            "group": tuple(self._groups),
            "site": tuple(self._members.sites),
            "availability group": tuple(self._members.availability_groups),
        }[word]
        detail = f"No {word} is called '{name}'. {suggestion(name, known)}"
        self._findings.add("unknown-name", detail=detail, place=place)
        return ()
