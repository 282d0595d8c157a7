"""Colour by meaning: a role in, ANSI codes out, or nothing. It never carries a meaning alone."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Role(Enum):
    """What a piece of text is, for its colour."""

    PLAIN = ""
    HEADING = "1"
    FAINT = "2"
    GOOD = "32"
    BAD = "1;31"
    ATTENTION = "33"
    REMOVE = "31"
    ACT = "36"


@frozen(kw_only=True)
class Ink:
    """Paints text when colour is on; text is padded and cut before it is painted, never after."""

    is_on: bool = False

    def __call__(self, text: str, role: Role) -> str:
        """The text in the colour of its role."""
        if not self.is_on or role is Role.PLAIN or not text.strip():
            return text
        return f"\x1b[{role.value}m{text}\x1b[0m"


SYMBOL_ROLES = {
    "~": Role.ATTENTION,
    "+": Role.GOOD,
    "-": Role.REMOVE,
    ">": Role.ACT,
    "?": Role.FAINT,
    "=": Role.FAINT,
    "x": Role.BAD,
    "!": Role.ATTENTION,
    "^": Role.ATTENTION,
}
