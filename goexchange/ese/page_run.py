"""The pages of one database file, examined piece by piece and put together again.

Pure: whoever reads the file hands in buffers, in any threads, and adds the parts up in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from goexchange.ese.flush_map import FlushTypes
from goexchange.ese.header import HEADER_SLOTS
from goexchange.ese.pages import PageVerdicts, Sieve, examine_pages, rows, verify_pages
from goexchange.ese.witness import Court, NamedPages, Testimony, testimony_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

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

    def sift(self, chunk: memoryview, offset: int) -> SiftedPages:
        """Take a first look at the whole pages in a piece of the file, which starts with a page or
        before one. Most of it happens without the interpreter where there is a sieve.
        """
        size = self.page_size
        first = max(0, HEADER_SLOTS - offset // size)
        number = offset // size + first - HEADER_SLOTS + 1
        count = max(0, min(len(chunk) // size - first, self.pages - number + 1))
        whole = chunk[first * size : (first + count) * size]
        found = self.sieve(rows(whole, size), number) if self.sieve and count else None
        return SiftedPages(whole=whole, number=number, count=count, found=found)

    def examine(self, sifted: SiftedPages) -> PagePart:
        """Judge what the first look left, and hear what the good pages say of others."""
        size, number, count = self.page_size, sifted.number, sifted.count
        owned = count if self.owned is None else min(count, max(0, self.owned - number + 1))
        inside, testimony = NOTHING, None
        if owned:
            buffer = sifted.whole[: owned * size]
            examination = examine_pages(buffer, number, size, sifted.of(0, owned))
            inside = examination.verdicts
            testimony = testimony_of(buffer, number, examination, self.flush_types)
        beyond = NOTHING
        if owned < count:
            rest = sifted.whole[owned * size :]
            beyond = verify_pages(rest, number + owned, size, sifted.of(owned, count))
        return PagePart(inside=inside, beyond=beyond, testimony=testimony)


@frozen(kw_only=True)
class SiftedPages:
    """Whole pages of a piece, the number of the first, and what a sieve says of each, if any."""

    whole: memoryview
    number: int
    count: int
    found: NDArray[Any] | None = field(eq=False)

    def of(self, first: int, end: int) -> NDArray[Any] | None:
        """What is said of some of them."""
        return None if self.found is None else self.found[first:end]


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
