"""A compiled sieve for pages: it tells at once the good and the blank ones, one look at each.

Shape: numba, the extra `fast`, is imported here and this module only where it pays. What the sieve
does not know to be good is left to the definition in `checksums` and `pages`, pages with the old
checksum among it; a test holds both to the same verdicts.
Effects: numba keeps what it compiled in `__pycache__`, or in the user's cache folder; without
either the import fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, njit, types, uint8, uint64, void

from goexchange.ese.pages import (
    BIG_PAGE,
    EXTRA_CHECKSUMS_OFFSET,
    FLAGS_OFFSET,
    NEW_CHECKSUM_FLAG,
    PAGE_NUMBER_OFFSET,
    Sifted,
)

_FLAGS_WORD = FLAGS_OFFSET // 8  # flags are its upper half
_NUMBER_WORD = PAGE_NUMBER_OFFSET // 8  # the number is its lower half
_EXTRA_WORD = EXTRA_CHECKSUMS_OFFSET // 8
_IS_NEW = np.uint64(NEW_CHECKSUM_FLAG)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_GOOD = Sifted.GOOD.value
_BLANK = Sifted.BLANK.value
_SUSPECT = Sifted.SUSPECT.value


def sift(pages: Any, first_page_number: int) -> Any:
    """What each page (a row of words) is, as values of `Sifted`. Lets go of the interpreter."""
    found = np.empty(len(pages), dtype=np.uint8)
    sift_pages(pages, first_page_number, found)
    return found


@njit(nogil=True, cache=True)
def sums(words, rest):  # type: ignore[no-untyped-def]
    """The two sums that `checksums.word_sums` defines, of one block; `rest` is room to work in.

    Each round lays the four quarters of what is left on each other. The words in the upper half are
    those with the highest bit in their index, those in the second and fourth quarter those with the
    next one: whether their bits are odd in number gives these two bits of the sum.
    """
    odd, count = np.uint64(0), words.shape[0]
    while count >= 4:
        quarter = count // 4
        upper, second = np.uint64(0), np.uint64(0)
        for index in range(quarter):
            b = words[index + quarter]
            d = words[index + 3 * quarter]
            c_xor_d = words[index + 2 * quarter] ^ d
            upper ^= c_xor_d
            second ^= b ^ d
            rest[index] = words[index] ^ b ^ c_xor_d
        odd |= parity(upper) * np.uint64(count // 2) | parity(second) * np.uint64(quarter)
        words, count = rest, quarter
    if count == 2:
        return rest[0] ^ rest[1], odd | parity(rest[1])
    return rest[0], odd


@njit(nogil=True, cache=True)
def checksum(folded, odd, block_bytes, number):  # type: ignore[no-untyped-def]
    """The checksum that `checksums.ecc_checksums` defines."""
    location = odd << np.uint64(6)
    half, mask = _HALF, _LOW_HALF
    for bit in range(5, -1, -1):
        # The bits of a word at places that have this bit: the upper ones of each pair of runs.
        location |= parity(folded & ~mask) << np.uint64(bit)
        half >>= _ONE
        mask ^= mask << half
    complement = location ^ (parity(folded) * np.uint64(block_bytes * 8 - 1))
    ecc = (complement << np.uint64(16)) | location
    return (ecc << _HALF) | (((folded >> _HALF) ^ folded) & _LOW_HALF ^ number)


@njit(nogil=True, cache=True)
def parity(word):  # type: ignore[no-untyped-def]
    """1 when the number of set bits is odd, else 0."""
    for shift in (32, 16, 8, 4, 2, 1):
        word ^= word >> np.uint64(shift)
    return word & _ONE


@njit(nogil=True, cache=True)
def is_blank(words):  # type: ignore[no-untyped-def]
    """Whether every byte is zero."""
    for word in words:  # noqa: SIM110 - what is compiled has no `all`
        if word != 0:
            return False
    return True


_PAGES = types.Array(uint64, 2, "C", readonly=True)


@njit(void(_PAGES, int64, uint8[::1]), nogil=True, cache=True)
def sift_pages(pages, first_page_number, found):  # type: ignore[no-untyped-def]
    """Fill in what each page is."""
    has_number = pages.shape[1] * 8 >= BIG_PAGE
    block_words = pages.shape[1] // 4 if has_number else pages.shape[1]
    rest = np.empty(block_words // 4, dtype=np.uint64)
    for index in range(pages.shape[0]):
        words, number = pages[index], np.uint64(first_page_number + index)
        is_good = (words[_FLAGS_WORD] >> _HALF) & _IS_NEW != 0
        if has_number:
            is_good = is_good and words[_NUMBER_WORD] & _LOW_HALF == number
        for block in range(words.shape[0] // block_words):
            if not is_good:
                break
            folded, odd = sums(words[block * block_words : (block + 1) * block_words], rest)
            stored = words[_EXTRA_WORD + block - 1] if block else words[0]
            if block == 0:  # it holds its own checksum
                folded ^= stored
            is_good = checksum(folded, odd, block_words * 8, number) == stored
        found[index] = _GOOD if is_good else _SUSPECT
        if not is_good and is_blank(words):
            found[index] = _BLANK
