"""The sites of simulated nights: small databases, one on each server, fast enough to die a thousand
times.
"""

from __future__ import annotations

from attrs import evolve

from goexchange.world.site import GroupDescription, SiteDescription, default_site

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


def several_servers(count: int, *, group: tuple[str, ...] = ()) -> SiteDescription:
    """Servers EX01, EX02 and on, each with one small database of its own (DB01, DB02 and on).

    Shape: the servers named in `group` are members of one availability group; no database has more
    than one copy.
    """
    alone = one_database()
    server, database = alone.servers[0], alone.databases[0]
    names = tuple(f"EX{number:02d}" for number in range(1, count + 1))
    return evolve(
        alone,
        servers=tuple(
            evolve(
                server,
                name=name,
                address=f"127.72.0.{number}",
                availability_group="DAG1" if name in group else None,
            )
            for number, name in enumerate(names, start=1)
        ),
        databases=tuple(
            evolve(
                database,
                name=f"DB{number:02d}",
                copies=(name,),
                edb_path=f"D:\\DB{number:02d}\\DB{number:02d}.edb",
                log_folder=f"L:\\DB{number:02d}",
            )
            for number, name in enumerate(names, start=1)
        ),
        groups=(GroupDescription(name="DAG1", servers=group, witness_server="fs01.lab.example"),)
        if group
        else (),
    )
