"""The database engine of each version: what it writes into files and prints of itself.

Source: ESE file format notes (revision 17 and engine 14.0x for Exchange 2010); the shape of what
its tool prints is a captured header of Exchange 2010 SP1 as far as that goes, and the later field
order without the later fields beyond it.
"""

from __future__ import annotations

from goexchange.ese.rendering import DEFAULT_ENGINE, EngineVersion
from goexchange.model.actual import Generation
from goexchange.world.site import PAGE_BYTES

ENGINE_2010 = EngineVersion(
    logo="14.03", update_major=17, update_minor=0, engine_format_version=0
)


# Its revision was seen on other files of that time; pages of 8 KiB are the vendor's figure.
ENGINE_2007 = EngineVersion(
    logo="08.03", update_major=12, update_minor=0, engine_format_version=0
)
_OLD = {Generation.EXCHANGE_2007: ENGINE_2007, Generation.EXCHANGE_2010: ENGINE_2010}


def engine_of(generation: Generation) -> EngineVersion:
    """The engine of a version; those from 2013 on are one here."""
    return _OLD.get(generation, DEFAULT_ENGINE)


def has_flush_maps(generation: Generation) -> bool:
    """Whether the engine keeps a flush map beside a database file."""
    return generation not in _OLD


def page_bytes_of(generation: Generation) -> int:
    """The size of the pages that a version writes."""
    return 8192 if generation is Generation.EXCHANGE_2007 else PAGE_BYTES
