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
# Its revision is that of the format notes for Exchange 2000 and 2003; pages of 4 KiB.
ENGINE_2003 = EngineVersion(logo="6.5", update_major=9, update_minor=0, engine_format_version=0)
_OLD = {
    Generation.EXCHANGE_2003: ENGINE_2003,
    Generation.EXCHANGE_2007: ENGINE_2007,
    Generation.EXCHANGE_2010: ENGINE_2010,
}
_PAGES = {Generation.EXCHANGE_2003: 4096, Generation.EXCHANGE_2007: 8192}


def engine_of(generation: Generation) -> EngineVersion:
    """The engine of a version; those from 2013 on are one here."""
    return _OLD.get(generation, DEFAULT_ENGINE)


def has_flush_maps(generation: Generation) -> bool:
    """Whether the engine keeps a flush map beside a database file."""
    return generation not in _OLD


def page_bytes_of(generation: Generation) -> int:
    """The size of the pages that a version writes."""
    return _PAGES.get(generation, PAGE_BYTES)


def has_streaming_files(generation: Generation) -> bool:
    """Whether a database of the version is a pair of files."""
    return generation is Generation.EXCHANGE_2003
