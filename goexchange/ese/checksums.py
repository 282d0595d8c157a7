"""The ECC+XOR checksum of ESE pages and log segments, for many blocks at once.

A checksum is linear over the bits of a block, so all of it comes from parities: one XOR over the
words of a block, one parity per word, and a few operations on what is left of them (an eighth of
the data and less).
Source: ESE source, checksum.cxx and checksum_amd64.cxx; checked against real files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

BlockSums = tuple[Words, Words]
"""Of each block: the XOR of its words, and the XOR of the indices of its odd words."""

_LOW_HALF = np.uint64(0xFFFFFFFF)
_BIT_MASKS = np.array(
    [
        0xAAAAAAAAAAAAAAAA,
        0xCCCCCCCCCCCCCCCC,
        0xF0F0F0F0F0F0F0F0,
        0xFF00FF00FF00FF00,
        0xFFFF0000FFFF0000,
        0xFFFFFFFF00000000,
    ],
    dtype=np.uint64,
)
_BIT_WEIGHTS = np.uint64(1) << np.arange(6, dtype=np.uint64)


def fold(blocks: Words) -> Words:
    """XOR of the words of each block (one row per block)."""
    folded: Words = np.bitwise_xor.reduce(blocks, axis=1)
    return folded


def word_sums(blocks: Words) -> BlockSums:
    """The two sums of each block that its checksum is made of; this is their definition.

    Shape: one row of words per block. The second is the XOR of the indices of those words that have
    an odd number of bits; word 0 never changes it.
    """
    is_odd = np.bitwise_count(blocks)
    is_odd &= 1
    parities = np.packbits(is_odd, axis=1, bitorder="little").view("<u8")
    odd = _bit_location(fold(parities))
    if parities.shape[1] > 1:
        above = np.arange(parities.shape[1], dtype=np.uint64) << np.uint64(6)
        odd ^= fold(_parity(parities) * above)
    return fold(blocks), odd


def ecc_checksums(sums: BlockSums, block_bytes: int, numbers: NDArray[Any]) -> Words:
    """The 64-bit checksum of each block from its sums and its page's number.

    Shape: of a block that starts with its own checksum the first word must already be taken out of
    the folded sum; that suffices, since it touches no other.
    """
    folded, odd = sums
    location = _bit_location(folded) | odd << np.uint64(6)
    mask = np.uint64(block_bytes * 8 - 1)
    complement = location ^ (_parity(folded) * mask)
    ecc = (complement << np.uint64(16)) | location
    xor = ((folded >> np.uint64(32)) ^ folded) & _LOW_HALF
    checksums: Words = (ecc << np.uint64(32)) | (xor ^ numbers.astype(np.uint64))
    return checksums


def single_bits(stored: Words, computed: Words, block_bytes: int) -> NDArray[np.int64]:
    """The flipped bit of each block whose checksum is off by exactly one bit's share, else -1."""
    mask = block_bytes * 8 - 1
    apart = stored ^ computed
    ecc = apart >> np.uint64(32)
    is_one = ((ecc >> np.uint64(16)) ^ ecc) & np.uint64(mask) == np.uint64(mask)
    is_one &= np.bitwise_count(apart & _LOW_HALF) == 1
    bit = (ecc & np.uint64(0xFFFF)).astype(np.int64)
    return np.where(is_one & (bit <= mask), bit, -1)


def _parity(words: Words) -> Words:
    return np.bitwise_count(words).astype(np.uint64) & np.uint64(1)


def _bit_location(words: Words) -> Words:
    """XOR of the positions (0-63) of the set bits of each word."""
    location: Words = (_parity(words[:, None] & _BIT_MASKS) * _BIT_WEIGHTS).sum(
        axis=1, dtype=np.uint64
    )
    return location
