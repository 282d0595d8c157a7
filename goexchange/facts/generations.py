"""What the files of a version are like, where the vendor's documents say so."""

from __future__ import annotations

from goexchange.model.actual import Generation
from goexchange.model.unknown import Unknown

PAGE_BYTES = 32768  # of every database from Exchange 2010 on
_OLD_PAGE_BYTES = {Generation.EXCHANGE_2003: 4096, Generation.EXCHANGE_2007: 8192}


def page_bytes_of(generation: Generation | Unknown) -> int:
    """The size of the pages of a version's databases; whether a file has it is read from its
    header.
    """
    if isinstance(generation, Unknown):
        return PAGE_BYTES
    return _OLD_PAGE_BYTES.get(generation, PAGE_BYTES)


def has_flush_maps(generation: Generation | Unknown) -> bool:
    """Whether the version keeps flush maps beside its databases."""
    return generation not in (
        Generation.EXCHANGE_2003,
        Generation.EXCHANGE_2007,
        Generation.EXCHANGE_2010,
        Generation.EXCHANGE_2013,
    )
