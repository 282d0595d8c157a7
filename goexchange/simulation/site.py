"""The site of a simulated night: one server, one small database, fast enough to die a thousand
times.
"""

from __future__ import annotations

from attrs import evolve

from goexchange.world.site import SiteDescription, default_site

PAGES = 48
FREE_PAGES = 30
SLOWER = 0.02


def one_database(*, pages: int = PAGES, free_pages: int = FREE_PAGES) -> SiteDescription:
    """DB05 of the default site alone, as few pages as make sense."""
    site = default_site(scale=0.01)
    database = next(each for each in site.databases if each.name == "DB05")
    server = next(each for each in site.servers if each.name == database.copies[0])
    return evolve(
        site,
        servers=(server,),
        databases=(evolve(database, pages=pages, free_pages=free_pages),),
        groups=(),
        log_bytes=64 * 1024,
        rates=site.rates.scaled(SLOWER),  # so that a kill can hit the middle of a job
    )
