"""Which databases the plan is about: specifications and scope against what was observed, in one
total order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from goexchange.errors import Diagnostic, InvalidDocument, Place, Severity
from goexchange.model.actual import ActualDatabase, ActualServer, ActualState
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.unknown import Unknown
from goexchange.spec.selection import database_is_meant, select_servers


@frozen(kw_only=True)
class Candidate:
    """A database that one specification or more mean, or a server whose databases could not be
    seen.

    Unknown: `database` is Unknown for a whole server that was not observed.
    """

    server_name: str
    server: ActualServer | None
    database: ActualDatabase | Unknown
    specifications: tuple[DesiredState, ...]

    @property
    def address(self) -> str:
        """`EX01/DB05`, or `EX01` for a server."""
        if isinstance(self.database, Unknown):
            return self.server_name
        return f"{self.server_name}/{self.database.name}"


@frozen(kw_only=True)
class Scope:
    """What the operator narrowed the plan to: servers (`EX01`) and databases (`EX01/DB05`); empty
    is everything.
    """

    addresses: tuple[str, ...]

    def has_server(self, server: str) -> bool:
        """Whether something of the server is in scope."""
        return not self.addresses or any(
            each.partition("/")[0].lower() == server.lower() for each in self.addresses
        )

    def has(self, server: str, database: str) -> bool:
        """Whether the database is in scope."""
        wanted = {server.lower(), f"{server}/{database}".lower()}
        return not self.addresses or any(each.lower() in wanted for each in self.addresses)


def candidates(
    specifications: Sequence[DesiredState],
    inventory: Inventory,
    *,
    actual: ActualState,
    scope: Scope,
) -> tuple[Candidate, ...]:
    """Return every candidate by server and name, whatever the order of the inputs.

    Raises: InvalidDocument when a database that is named literally exists nowhere.
    """
    meant: dict[str, list[DesiredState]] = {}
    for spec in specifications:
        for server in select_servers(spec.targets, inventory):
            if scope.has_server(server):
                meant.setdefault(server, []).append(spec)
    seen = {each.name.lower(): each for each in actual.servers}
    found: list[Candidate] = []
    for name in sorted(meant):
        found += _of_server(name, seen.get(name.lower()), meant[name], scope)
    _refuse_missing(specifications, found, scope)
    return tuple(found)


def unmatched(
    specifications: Iterable[DesiredState], found: Sequence[Candidate]
) -> tuple[Diagnostic, ...]:
    """Warnings for specifications that mean no database at all."""
    return tuple(
        Diagnostic(
            id="nothing-selected",
            summary="a specification selects no database",
            detail=f"No observed database is meant by {spec.name}: nothing is planned for it."
            " Widen `targets`, or delete the specification.",
            severity=Severity.WARNING,
            place=spec.targets.place,
        )
        for spec in specifications
        if not any(spec in each.specifications for each in found)
    )


def _of_server(
    name: str, server: ActualServer | None, specs: list[DesiredState], scope: Scope
) -> list[Candidate]:
    databases = Unknown(f"{name} was not observed") if server is None else server.databases
    if isinstance(databases, Unknown):
        return [
            Candidate(
                server_name=name, server=server, database=databases, specifications=tuple(specs)
            )
        ]
    found = []
    for database in sorted(databases, key=lambda each: (each.name, each.guid)):
        mine = tuple(each for each in specs if database_is_meant(each.targets, database.name))
        if mine and scope.has(name, database.name):
            found.append(
                Candidate(server_name=name, server=server, database=database, specifications=mine)
            )
    return found


def _refuse_missing(
    specifications: Sequence[DesiredState], found: Sequence[Candidate], scope: Scope
) -> None:
    if scope.addresses or any(isinstance(each.database, Unknown) for each in found):
        return  # what was not looked at may well hold it
    names = {each.address.rpartition("/")[2].casefold() for each in found}
    missing = [
        _missing(name, place)
        for spec in specifications
        for name, place in zip(spec.targets.include, spec.targets.include_places, strict=True)
        if not set(name) & set("*?")
        and name.casefold() not in names
        and database_is_meant(spec.targets, name)
    ]
    if missing:
        raise InvalidDocument(
            "A database that a specification names exists on none of its servers.",
            diagnostics=tuple(missing),
        )


def _missing(name: str, place: Place) -> Diagnostic:
    return Diagnostic(
        id="unknown-database",
        summary="a named database exists nowhere",
        detail=f"None of the servers that `targets.servers` means holds a database '{name}'."
        " See `goexchange observe` for those that exist.",
        place=place,
    )
