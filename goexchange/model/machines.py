"""A machine without Exchange, as observed: a host alone, in the shape of a server that has nothing
of Exchange.
"""

from __future__ import annotations

from datetime import datetime

from goexchange.model.actual import ActualHost, ActualServer
from goexchange.model.unknown import Unknown

NO_EXCHANGE = Unknown("a machine without Exchange: its host alone is asked")


def machine_as_seen(
    name: str, host: ActualHost | Unknown, *, observed_at: datetime
) -> ActualServer:
    """The machine in the shape of a server."""
    return ActualServer(
        name=name,
        fqdn=name,
        observed_at_utc=observed_at,
        generation=NO_EXCHANGE,
        build=NO_EXCHANGE,
        edition=NO_EXCHANGE,
        availability_group=None,
        databases=(),
        host=host,
        group=None,
        copies=(),
        mta=None,
        mode=None,
        certificates=(),
    )


def is_machine(server: ActualServer) -> bool:
    """Whether this is a machine without Exchange, and no server of which nothing is known."""
    return server.generation == NO_EXCHANGE
