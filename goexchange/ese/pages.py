"""Page checksums: verifying pages of a database in bulk, sealing pages that we write.

Shape: page numbers start at 1; page n lies at (n + 1) * page_size, behind the two header slots.
Source: ESE source, checksum.cxx; numbers and layouts confirmed on real files of 4 to 32 KiB pages.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from goexchange.ese.structures import MAGIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

Buffer = bytes | bytearray | memoryview

NEW_CHECKSUM_FLAG = 0x2000
BIG_PAGE = 16384
FLAGS_OFFSET = 36
EXTRA_CHECKSUMS_OFFSET = 40
PAGE_NUMBER_OFFSET = 64
FINDINGS_KEPT = 100

_HEAD_WORDS = FLAGS_OFFSET // 8 + 1
_FORMAT_BIT = 301
_CHECKSUM_BITS = 64
_SPECIAL_DBTIME = 0xFFFFFFFFFFFFFFFC


class Sifted(Enum):
    """What a sieve says of a page; of a suspect one nothing is known yet."""

    SUSPECT = 0
    GOOD = 1
    BLANK = 2


Sieve = Callable[["NDArray[Any]", int], "NDArray[Any]"]
"""From pages, a row of words each, and the number of the first: a value of `Sifted` for each."""


class PageFault(Enum):
    """What is wrong with a page."""

    BAD = "bad"
    CORRECTABLE = "correctable"
    MISPLACED = "misplaced"


@frozen(kw_only=True)
class PageFinding:
    """One page that is not as it should be.

    Shape: `bit` is the flipped bit of a correctable page, counted from the start of the page;
    `belongs_at` the page number that the content of a misplaced page was written for.
    """

    page: int
    fault: PageFault
    bit: int | None = None
    belongs_at: int | None = None


@frozen(kw_only=True)
class PageVerdicts:
    """Counts over a run of pages, and the first faulty ones (at most FINDINGS_KEPT).

    `bad` counts neither correctable nor misplaced pages; blank pages (every byte zero) are no
    fault.
    """

    pages: int = 0
    good: int = 0
    blank: int = 0
    bad: int = 0
    correctable: int = 0
    misplaced: int = 0
    highest_dbtime: int = 0
    highest_dbtime_page: int = 0
    findings: tuple[PageFinding, ...] = field(default=())

    def joined(self, later: PageVerdicts) -> PageVerdicts:
        """The verdicts of this run and of a later one together."""
        newest = max((self, later), key=lambda each: each.highest_dbtime)
        return PageVerdicts(
            pages=self.pages + later.pages,
            good=self.good + later.good,
            blank=self.blank + later.blank,
            bad=self.bad + later.bad,
            correctable=self.correctable + later.correctable,
            misplaced=self.misplaced + later.misplaced,
            highest_dbtime=newest.highest_dbtime,
            highest_dbtime_page=newest.highest_dbtime_page,
            findings=(self.findings + later.findings)[:FINDINGS_KEPT],
        )

    @property
    def faulty(self) -> int:
        return self.bad + self.correctable + self.misplaced

    @property
    def first_bad_pages(self) -> tuple[int, ...]:
        return tuple(each.page for each in self.findings)


def block_size(page_size: int) -> int:
    """Bytes under one checksum: the whole of a small page, a quarter of a big one."""
    return page_size // 4 if page_size >= BIG_PAGE else page_size


@frozen(kw_only=True)
class Examination:
    """Verdicts on a run of pages, and which of them are good or blank (one entry per page).

    Shape: `heads` are the first words of each page, next to each other: checksum, dbtime, siblings,
    and flags.
    """

    verdicts: PageVerdicts
    heads: NDArray[Any] = field(eq=False)
    is_good: NDArray[Any] = field(eq=False)
    is_blank: NDArray[Any] = field(eq=False)


def verify_pages(
    buffer: Buffer, first_page_number: int, page_size: int, sifted: NDArray[Any] | None = None
) -> PageVerdicts:
    """Judge every page of a buffer that holds whole pages in order.

    Shape: `sifted` is what a sieve said of them: only its suspects are looked at.
    Memory: about a third of the buffer beside it. No Python per page but for faulty ones that are
    reported.
    """
    return examine_pages(buffer, first_page_number, page_size, sifted).verdicts


def examine_pages(
    buffer: Buffer, first_page_number: int, page_size: int, sifted: NDArray[Any] | None = None
) -> Examination:
    """The same, and for each page whether it may be believed."""
    import numpy as np

    pages, faults = rows(buffer, page_size), None
    if sifted is None:
        sifted = np.full(len(pages), Sifted.SUSPECT.value, dtype=np.uint8)
    is_good, is_blank = sifted == Sifted.GOOD.value, sifted == Sifted.BLANK.value
    left = np.flatnonzero(sifted == Sifted.SUSPECT.value)
    if len(left):
        unsure = pages if len(left) == len(pages) else pages[left]
        checked = _checked(unsure, left.astype(np.uint64) + np.uint64(first_page_number))
        is_good[left] = checked.matches
        failed = np.flatnonzero(~checked.matches)
        is_zero = ~unsure[failed].any(axis=1)
        is_blank[left[failed]] = is_zero
        faults = checked.only(failed[~is_zero])
    heads = pages[:, :_HEAD_WORDS].copy()  # one look at each page, whatever is asked of it later
    dbtime, dbtime_page = _highest_dbtime(heads[:, 1], is_good, first_page_number)
    verdicts = PageVerdicts(
        pages=len(pages),
        good=int(np.count_nonzero(is_good)),
        blank=int(np.count_nonzero(is_blank)),
        highest_dbtime=dbtime,
        highest_dbtime_page=dbtime_page,
    )
    if faults is not None and len(faults.numbers):
        verdicts = _with_faults(verdicts, faults)
    return Examination(verdicts=verdicts, heads=heads, is_good=is_good, is_blank=is_blank)


def rows(buffer: Buffer, page_size: int) -> NDArray[Any]:
    """The pages of a buffer as a row of words each; nothing is copied."""
    import numpy as np

    return np.frombuffer(buffer, dtype="<u8").reshape(-1, page_size // 8)


def seal_pages(buffer: bytearray, first_page_number: int, page_size: int) -> None:
    """Write checksums (and, on big pages, page numbers) into whole pages, in place.

    Each page gets the kind of checksum that its own flags name; blank pages stay blank.
    """
    import numpy as np

    pages = np.frombuffer(buffer, dtype="<u8").reshape(-1, page_size // 8)
    used = pages.any(axis=1)
    numbers = np.arange(first_page_number, first_page_number + len(pages), dtype=np.uint64)
    is_new = _flags(pages) & NEW_CHECKSUM_FLAG != 0
    extra = slice(EXTRA_CHECKSUMS_OFFSET // 8, EXTRA_CHECKSUMS_OFFSET // 8 + 3)
    if page_size >= BIG_PAGE:
        # The number in clear and the checksums of blocks 1-3 lie in block 0, so they come before
        # its checksum.
        pages[used & is_new, PAGE_NUMBER_OFFSET // 8] = numbers[used & is_new]
        computed = checksums_of(pages, numbers)[1]
        pages[used & is_new, extra] = computed[used & is_new, 1:]
        pages[used & ~is_new, extra] = 0
    pages[used & ~is_new, 0] = numbers[used & ~is_new] << np.uint64(32)
    computed = checksums_of(pages, numbers)[1]
    pages[used, 0] = computed[used, 0]


def seal_page(page: Buffer, page_number: int) -> bytes:
    """One page with its checksum; the kind is the one that the page's own flags name."""
    sealed = bytearray(page)
    seal_pages(sealed, page_number, len(sealed))
    return bytes(sealed)


def correct_page(page: Buffer, bit: int) -> bytes:
    """The page with one bit turned back (a correctable finding names it)."""
    corrected = bytearray(page)
    corrected[bit // 8] ^= 1 << bit % 8
    return bytes(corrected)


@frozen(kw_only=True)
class _Checked:
    """Pages with the checksums that they carry and that they should carry, side by side."""

    pages: NDArray[Any]
    numbers: NDArray[Any]
    stored: NDArray[Any]
    computed: NDArray[Any]
    is_new: NDArray[Any]

    @property
    def matches(self) -> NDArray[Any]:
        """Whether each page is good: its checksums, and its number where that is in clear, too."""
        import numpy as np

        matches: NDArray[Any] = (self.stored == self.computed).all(axis=1)
        if self.pages.shape[1] * 8 >= BIG_PAGE:
            in_clear = self.pages[:, PAGE_NUMBER_OFFSET // 8] & np.uint64(0xFFFFFFFF)
            matches &= ~self.is_new | (in_clear == self.numbers)
        return matches

    def only(self, which: NDArray[Any]) -> _Checked:
        """Some of them."""
        return _Checked(
            pages=self.pages[which],
            numbers=self.numbers[which],
            stored=self.stored[which],
            computed=self.computed[which],
            is_new=self.is_new[which],
        )


def _checked(pages: NDArray[Any], numbers: NDArray[Any]) -> _Checked:
    stored, computed, is_new = checksums_of(pages, numbers)
    return _Checked(pages=pages, numbers=numbers, stored=stored, computed=computed, is_new=is_new)


def _flags(pages: NDArray[Any]) -> NDArray[Any]:
    # Byte 36 is the upper half of word 4.
    flags: NDArray[Any] = pages[:, FLAGS_OFFSET // 8] >> 32
    return flags


def checksums_of(
    pages: NDArray[Any], numbers: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Stored and computed checksums (row per page, column per block), and which pages are new."""
    import numpy as np

    from goexchange.ese.checksums import ecc_checksums, fold, word_sums

    count, page_words = pages.shape
    block_words = block_size(page_words * 8) // 8
    per_page = page_words // block_words
    blocks = pages.reshape(-1, block_words)
    folded, odd = word_sums(blocks)
    folded[::per_page] ^= pages[:, 0]
    repeated = np.repeat(numbers, per_page)
    computed = ecc_checksums((folded, odd), block_words * 8, repeated).reshape(count, per_page)
    stored = np.zeros_like(computed)
    stored[:, 0] = pages[:, 0]
    if per_page > 1:
        start = EXTRA_CHECKSUMS_OFFSET // 8
        stored[:, 1:] = pages[:, start : start + per_page - 1]
    is_new = _flags(pages) & NEW_CHECKSUM_FLAG != 0
    old = np.flatnonzero(~is_new)
    if len(old):
        computed[old] = 0
        computed[old, 0] = _old_checksums(pages[old], fold(folded.reshape(count, per_page)[old]))
        computed[old, 0] |= numbers[old] << np.uint64(32)
    return stored, computed, is_new


def _old_checksums(pages: NDArray[Any], folded: NDArray[Any]) -> NDArray[Any]:
    """The old format: XOR of all words but the first; the page number, word 1, takes part."""
    import numpy as np

    number_word = pages[:, 0] >> np.uint64(32)
    both = folded ^ (folded >> np.uint64(32))
    checksum: NDArray[Any] = (both & np.uint64(0xFFFFFFFF)) ^ number_word ^ np.uint64(MAGIC)
    return checksum


def _highest_dbtime(
    dbtimes: NDArray[Any], matches: NDArray[Any], first_page_number: int
) -> tuple[int, int]:
    import numpy as np

    known = np.where(matches & (dbtimes < np.uint64(_SPECIAL_DBTIME)), dbtimes, np.uint64(0))
    index = int(known.argmax()) if len(known) else 0
    highest = int(known[index]) if len(known) else 0
    return (highest, first_page_number + index) if highest else (0, 0)


def _with_faults(verdicts: PageVerdicts, faults: _Checked) -> PageVerdicts:
    import numpy as np

    belongs = _belongs_at(faults)
    bits = _flipped_bits(faults)
    misplaced = belongs >= 0
    correctable = ~misplaced & (bits >= 0)
    findings = tuple(
        PageFinding(
            page=int(faults.numbers[index]),
            fault=_fault(bool(misplaced[index]), bool(correctable[index])),
            bit=int(bits[index]) if correctable[index] else None,
            belongs_at=int(belongs[index]) if misplaced[index] else None,
        )
        for index in range(min(len(belongs), FINDINGS_KEPT))
    )
    return evolve(
        verdicts,
        bad=int(np.count_nonzero(~misplaced & ~correctable)),
        correctable=int(np.count_nonzero(correctable)),
        misplaced=int(np.count_nonzero(misplaced)),
        findings=findings,
    )


def _fault(is_misplaced: bool, is_correctable: bool) -> PageFault:
    if is_misplaced:
        return PageFault.MISPLACED
    return PageFault.CORRECTABLE if is_correctable else PageFault.BAD


def _belongs_at(faults: _Checked) -> NDArray[Any]:
    """Page number that each page was written for when its content is whole, else -1.

    The number is in the XOR half of a checksum only: an equal ECC half with a different XOR half
    tells it.
    """
    import numpy as np

    apart = faults.stored ^ faults.computed
    shift = apart[:, 0] & np.uint64(0xFFFFFFFF)
    claimed = faults.numbers ^ shift
    whole = faults.is_new & (apart == shift[:, None]).all(axis=1)
    if faults.pages.shape[1] * 8 >= BIG_PAGE:
        # Good checksums with another number in clear: the engine calls that a wrong page number,
        # too.
        in_clear = faults.pages[:, PAGE_NUMBER_OFFSET // 8] & np.uint64(0xFFFFFFFF)
        claimed = np.where(shift == 0, in_clear, claimed)
        whole &= claimed == in_clear
    low = np.uint64(0xFFFFFFFF)
    stored_number = faults.stored[:, 0] >> np.uint64(32)
    old = ~faults.is_new & (faults.stored[:, 0] & low == faults.computed[:, 0] & low)
    old &= (faults.stored[:, 1:] == 0).all(axis=1)
    claimed = np.where(old, stored_number, claimed)
    return np.where(whole | old, claimed.astype(np.int64), -1)


def _flipped_bits(faults: _Checked) -> NDArray[Any]:
    """The (first) flipped bit of each page whose failing blocks can all be corrected, else -1."""
    import numpy as np

    from goexchange.ese.checksums import single_bits

    page_bytes = faults.pages.shape[1] * 8
    block_bits = block_size(page_bytes) * 8
    stored = faults.stored.copy()
    bits = single_bits(stored, faults.computed, block_size(page_bytes))
    # A flip in the slots that hold the checksums of blocks 1-3 is a flip in block 0 and a wrong
    # expectation elsewhere.
    slot = bits[:, 0] // _CHECKSUM_BITS - EXTRA_CHECKSUMS_OFFSET // 8
    repaired = np.flatnonzero((bits[:, 0] >= 0) & (slot >= 0) & (slot < stored.shape[1] - 1))
    if len(repaired):
        within = (bits[repaired, 0] % _CHECKSUM_BITS).astype(np.uint64)
        stored[repaired, slot[repaired] + 1] ^= np.uint64(1) << within
        bits = single_bits(stored, faults.computed, block_size(page_bytes))
    fails = stored != faults.computed
    in_header = (bits[:, 0] < _CHECKSUM_BITS) | (bits[:, 0] == _FORMAT_BIT)
    possible = (bits >= 0) & fails
    possible[:, 0] &= ~in_header
    fixable = faults.is_new & fails.any(axis=1) & (possible | ~fails).all(axis=1)
    first = fails.argmax(axis=1)
    page_bits = first * block_bits + np.take_along_axis(bits, first[:, None], axis=1)[:, 0]
    return np.where(fixable, page_bits, -1)
