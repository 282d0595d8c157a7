"""Numbers that look like chance and are not: each depends on the seed and on what it is for, never
on the order of asking.
"""

from __future__ import annotations

import hashlib
from uuid import UUID


def number(seed: int, *names: object, below: int = 2**32) -> int:
    """A number from 0 to `below` - 1 for this seed and these names."""
    return int.from_bytes(_digest(seed, names)[:16], "big") % below


def guid(seed: int, *names: object) -> UUID:
    """A random-looking GUID (version 4) for this seed and these names."""
    return UUID(bytes=_digest(seed, names)[:16], version=4)


def _digest(seed: int, names: tuple[object, ...]) -> bytes:
    text = "\x1f".join([str(seed), *(str(name) for name in names)])
    return hashlib.sha256(text.encode()).digest()
