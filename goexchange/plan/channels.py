"""How servers of the old generations are spoken with, where that is not inside TLS: said once in
every plan with work on one, and in its report.
"""

from __future__ import annotations

from collections.abc import Iterable

from goexchange.errors import Diagnostic, Severity
from goexchange.model.actual import ActualServer, Generation
from goexchange.model.configuration import Inventory, Scheme
from goexchange.powershell.seam import is_carried

_WITHOUT_ENDPOINT = (Generation.EXCHANGE_2003,)


def sealed_over_http(
    inventory: Inventory, servers: Iterable[ActualServer], old: tuple[Generation, ...]
) -> tuple[Diagnostic, ...]:
    """A warning for each server of an old generation with a channel that is not inside TLS."""
    entries = {each.name.casefold(): each for each in inventory.servers}
    found = []
    for server in servers:
        generation = server.generation
        entry = entries.get(server.name.casefold())
        if entry is None or not isinstance(generation, Generation) or generation not in old:
            continue
        windows, exchange = entry.connection.windows, entry.connection.exchange
        said = [f"WinRM {windows.protection}"] if windows.scheme is Scheme.HTTP else []
        has_endpoint = not is_carried(generation) and generation not in _WITHOUT_ENDPOINT
        if has_endpoint and exchange.scheme is Scheme.HTTP:
            said.append(f"the Exchange endpoint {exchange.protection}")
        if said:
            found.append(
                Diagnostic(
                    id="sealed-http",
                    summary="an old server is spoken with outside TLS",
                    detail=f"{server.name} (Exchange {generation.value}): {'; '.join(said)}."
                    " Nothing is readable on its way; no certificate says whose host it is.",
                    severity=Severity.WARNING,
                    address=server.name,
                    place=entry.place,
                )
            )
    return tuple(found)
