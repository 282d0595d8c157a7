"""The database engine of each version: what it writes into files and prints of itself.

Source: ESE file format notes (revision 17 and engine 14.0x for Exchange 2010); the shape of what
its tool prints is a captured header of Exchange 2010 SP1 as far as that goes, and the later field
order without the later fields beyond it.
"""

from __future__ import annotations

from goexchange.ese.rendering import DEFAULT_ENGINE, EngineVersion
from goexchange.model.actual import Generation

ENGINE_2010 = EngineVersion(
    logo="14.03", update_major=17, update_minor=0, engine_format_version=0
)


def engine_of(generation: Generation) -> EngineVersion:
    """The engine of a version; those from 2013 on are one here."""
    return ENGINE_2010 if generation is Generation.EXCHANGE_2010 else DEFAULT_ENGINE


def has_flush_maps(generation: Generation) -> bool:
    """Whether the engine keeps a flush map beside a database file."""
    return generation is not Generation.EXCHANGE_2010
