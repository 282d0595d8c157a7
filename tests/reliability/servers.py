"""The servers of a scenario: each generation with its build, its PowerShell, its pages."""

from __future__ import annotations

from attrs import evolve

from goexchange.model.actual import Generation
from goexchange.world.site import SERVER_2003, ServerDescription, SiteDescription

_POWERSHELL = dict.fromkeys(
    (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007, Generation.EXCHANGE_2010), "2.0"
)
SMALL_PAGES = {Generation.EXCHANGE_2003: 16, Generation.EXCHANGE_2007: 8}
_INSTALLED_IN = {Generation.EXCHANGE_2003: SERVER_2003.installed_in}
_VERSIONS = {
    Generation.EXCHANGE_2003: SERVER_2003.version,
    Generation.EXCHANGE_2007: (8, 3, 83, 6),
    Generation.EXCHANGE_2010: (14, 3, 513, 0),
    Generation.EXCHANGE_2013: (15, 0, 1497, 48),
    Generation.EXCHANGE_2016: (15, 1, 2507, 66),
    Generation.EXCHANGE_2019: (15, 2, 1544, 39),
    Generation.SUBSCRIPTION_EDITION: (15, 2, 2562, 37),
}


def generation_of(generations: tuple[Generation, ...], index: int) -> Generation:
    """The second server is of another version than the others."""
    return generations[index == 1 and len(generations) > 1]


def server_of(
    base: SiteDescription, index: int, generations: tuple[Generation, ...]
) -> ServerDescription:
    """The server of that place, on a host like one of the lab's."""
    model = base.servers[0] if index != 1 else base.servers[3]
    name = f"EX{index + 1:02d}"
    generation = generation_of(generations, index)
    return evolve(
        model,
        name=name,
        address=f"127.71.1.{index + 1}",
        generation=generation,
        version=_VERSIONS[generation],
        powershell=_POWERSHELL.get(generation, model.powershell),
        installed_in=_INSTALLED_IN.get(generation),
    )
