"""Values that copies of a world have in common: nothing can change them."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T", bound="Shared")


class Shared:
    """Base of frozen values: a copy of a world (the fork of a night) keeps the same ones."""

    __slots__ = ()

    def __deepcopy__(self: T, memo: dict[int, Any]) -> T:
        return self
