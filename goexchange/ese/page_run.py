"""The pages of one database file, examined piece by piece and put together again.

Pure: whoever reads the file hands in buffers, in any threads, and adds the parts up in order.
"""

from __future__ import annotations

from attrs import field, frozen

from goexchange.ese.flush_map import FlushTypes
from goexchange.ese.header import HEADER_SLOTS
from goexchange.ese.pages import PageVerdicts, Sieve, examine_pages, verify_pages
from goexchange.ese.witness import Court, NamedPages, Testimony, testimony_of

NOTHING = PageVerdicts()


@frozen(kw_only=True)
class PageLayout:
    """Where the pages of a file lie.

    Shape: `pages` are whole ones, without a trailer; `owned` of them belong to the database, all
    where that is not known. `flush_types` only of a map that can be trusted.
    """

    page_size: int
    pages: int
    owned: int | None = None
    flush_types: FlushTypes | None = None
    sieve: Sieve | None = field(default=None, eq=False)

    def examine(self, chunk: memoryview, offset: int) -> PagePart:
        """Examine the whole pages in a piece of the file that starts with a page or before one."""
        size = self.page_size
        first = max(0, HEADER_SLOTS - offset // size)
        number = offset // size + first - HEADER_SLOTS + 1
        count = max(0, min(len(chunk) // size - first, self.pages - number + 1))
        whole = chunk[first * size : (first + count) * size]
        owned = count if self.owned is None else min(count, max(0, self.owned - number + 1))
        inside, testimony = NOTHING, None
        if owned:
            buffer = whole[: owned * size]
            examination = examine_pages(buffer, number, size, self.sieve)
            inside = examination.verdicts
            testimony = testimony_of(buffer, number, examination, self.flush_types)
        beyond = NOTHING
        if owned < count:
            beyond = verify_pages(whole[owned * size :], number + owned, size, self.sieve)
        return PagePart(inside=inside, beyond=beyond, testimony=testimony)


@frozen(kw_only=True)
class PagePart:
    """What one piece of the file gave: pages owned, pages beyond, what the owned ones say."""

    inside: PageVerdicts
    beyond: PageVerdicts
    testimony: Testimony | None


class PageSum:
    """Adds up the parts of a file; they come in order."""

    def __init__(self, layout: PageLayout) -> None:
        self.layout = layout
        self.inside = NOTHING
        self.beyond = NOTHING
        self._court = Court(layout.pages)

    def add(self, part: PagePart) -> None:
        """Take one more part."""
        self.inside = self.inside.joined(part.inside)
        self.beyond = self.beyond.joined(part.beyond)
        if part.testimony is not None:
            self._court.hear(part.testimony)

    @property
    def zeroed(self) -> NamedPages:
        """Blank pages that another page links to."""
        return self._court.zeroed

    @property
    def stale(self) -> NamedPages:
        """Pages that the flush map knows a later version of."""
        return self._court.stale
