"""What pages and flush map say about other pages: zeroed pages, and writes that were lost.

A page whose every byte is zero is no fault by itself, and an older version of a page passes its own
checksum. Against the first speak the links of other pages (siblings, children); against the second
the flush map, which keeps two bits of each page's last write. The engine keeps nothing more.
Source: ESE source, cpage.cxx and flushmap.cxx; no clean real database at hand links to a blank
page, and all its maps agree with every page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from goexchange.ese.flush_map import FlushTypes
from goexchange.ese.pages import BIG_PAGE, FINDINGS_KEPT, FLAGS_OFFSET, Buffer, Examination
from goexchange.ese.space import FLAG_LEAF, page_header_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLUSH_TYPE_SHIFT = 15

_FLAG_PREINITIALISED = 0x20000
_TAG_BYTES = 4
_CHILD_BYTES = 4


@frozen(kw_only=True)
class NamedPages:
    """How many pages, and the first of them (at most FINDINGS_KEPT)."""

    count: int = 0
    first: tuple[int, ...] = ()


@frozen(kw_only=True)
class Testimony:
    """What a run of pages says: those that are blank, those linked to, those of an older write."""

    blank: NDArray[Any] = field(eq=False)
    linked: NDArray[Any] = field(eq=False)
    stale: NDArray[Any] = field(eq=False)


def testimony_of(
    buffer: Buffer,
    first_page_number: int,
    examination: Examination,
    flush_types: FlushTypes | None = None,
) -> Testimony:
    """Hear the pages of a buffer; only those that are good are believed."""
    import numpy as np

    page_size = len(buffer) // max(1, len(examination.is_good))
    words = np.frombuffer(buffer, dtype="<u4").reshape(len(examination.is_good), page_size // 4)
    heads = examination.heads.view("<u4")
    numbers = np.arange(first_page_number, first_page_number + len(words), dtype=np.int64)
    flags = heads[:, FLAGS_OFFSET // 4]
    is_used = examination.is_good & (flags & _FLAG_PREINITIALISED == 0)
    is_inner = is_used & (flags & FLAG_LEAF == 0)
    siblings = heads[is_used, 4:6].ravel()
    children = _children(words[is_inner], page_size)
    stale = np.zeros(0, dtype=np.int64)
    if flush_types is not None:
        noted = flush_types.of(numbers, examination.heads[:, 1])
        kept = (flags >> FLUSH_TYPE_SHIFT) & 3
        stale = numbers[(noted > 0) & examination.is_good & (noted != kept)]
        # A blank page has no type of its own, so a noted write of it was lost, or it was zeroed.
        stale = np.union1d(stale, numbers[(noted > 0) & examination.is_blank])
    return Testimony(
        blank=numbers[examination.is_blank],
        linked=np.concatenate([siblings, children]),
        stale=stale,
    )


class Court:
    """Collects what all runs of pages say. Memory: two bytes per page of the file."""

    def __init__(self, pages: int) -> None:
        import numpy as np

        self._is_blank = np.zeros(pages + 1, dtype=bool)
        self._is_linked = np.zeros(pages + 1, dtype=bool)
        self._stale = NamedPages()

    def hear(self, testimony: Testimony) -> None:
        """Take a run into account; runs come in the order of their pages."""
        linked = testimony.linked[testimony.linked < len(self._is_linked)]
        self._is_linked[linked] = True
        self._is_blank[testimony.blank] = True
        self._stale = _joined(self._stale, testimony.stale)

    @property
    def zeroed(self) -> NamedPages:
        """Blank pages that another page links to."""
        import numpy as np

        both = np.flatnonzero(self._is_blank & self._is_linked)
        return _joined(NamedPages(), both[both > 0])

    @property
    def stale(self) -> NamedPages:
        """Pages that are not the version that the flush map knows as the last one written."""
        return self._stale


def _children(words: NDArray[Any], page_size: int) -> NDArray[Any]:
    """Child pages of inner pages: the last four bytes of each node but the external header.

    A tag that points outside its page is left out: it testifies nothing.
    """
    import numpy as np

    nothing = np.zeros(0, dtype="<u4")
    if not len(words):
        return nothing
    start, end = page_header_bytes(page_size), page_size
    mask = 0x7FFF if page_size >= BIG_PAGE else 0x1FFF
    counts = (words[:, 8] >> 16) & 0xFFF
    counts = np.minimum(counts, (page_size - start) // _TAG_BYTES)
    most = int(counts.max())
    if most < 2:
        return nothing
    tags = words[:, -1 : -most - 1 : -1][:, 1:]
    is_tag = np.arange(1, most) < counts[:, None]
    sizes = (tags & mask).astype(np.int64)
    offsets = ((tags >> 16) & mask).astype(np.int64)
    ends = start + offsets + sizes
    is_tag &= (sizes >= _CHILD_BYTES) & (ends <= end)
    rows, columns = np.nonzero(is_tag)
    places = rows * page_size + ends[rows, columns] - _CHILD_BYTES
    content = np.ascontiguousarray(words).view(np.uint8).ravel()
    found = np.zeros(len(places), dtype="<u4")
    for index in range(_CHILD_BYTES):
        found |= content[places + index].astype("<u4") << np.uint32(8 * index)
    return found


def _joined(named: NamedPages, more: NDArray[Any]) -> NamedPages:
    room = FINDINGS_KEPT - len(named.first)
    return NamedPages(
        count=named.count + len(more), first=named.first + tuple(int(each) for each in more[:room])
    )
