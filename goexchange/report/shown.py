"""Text from anywhere made safe to show: control characters visible, widths in columns."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_ZERO_WIDTH = frozenset({"Mn", "Me"})
_ELLIPSIS = "..."


def shown(text: object, *, limit: int = 2_000) -> str:
    """The text on one line; what a terminal or browser would obey or hide is written out (`\\x1b`).

    Shape: letters of every script stay; control characters, escapes, line breaks, marks of
    direction and characters without width become visible; a cut after `limit` characters is said.
    """
    source = str(text)
    kept = source[:limit]
    result = kept if kept.isascii() and kept.isprintable() else "".join(map(_visible, kept))
    return (
        result if len(source) <= limit else f"{result}... ({len(source) - limit} more characters)"
    )


def shown_lines(text: str, *, limit: int = 8_000) -> str:
    """The end of several lines, safe to show: line breaks stay, the rest is as in `shown`."""
    tail = text[-limit:]
    lines = tail.replace("\r", "\n").split("\n") if "\r" in tail else tail.split("\n")
    rows = [shown(line.replace("\t", "    "), limit=limit).rstrip() for line in lines]
    kept = [row for at, row in enumerate(rows) if row or (at and rows[at - 1])]
    body = "\n".join(kept).strip("\n")
    return (
        body if len(text) <= limit else f"({len(text) - limit} earlier characters left out)\n{body}"
    )


def columns(text: str) -> int:
    """How many columns of a terminal the text takes (wide letters two, combining marks none)."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


def fit(text: str, width: int) -> str:
    """The text cut to at most `width` columns; a cut ends in `...` where there is room for it."""
    if columns(text) <= width:
        return text
    ending = _ELLIPSIS if width > len(_ELLIPSIS) + 3 else ""
    return _head(text, width - len(ending)) + ending


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled with spaces to `width` columns, at the end (or at the start when `right`)."""
    fill = " " * max(0, width - columns(text))
    return fill + text if right else text + fill


def wrap(text: str, width: int) -> tuple[str, ...]:
    """The text in lines of at most `width` columns, broken inside words only if it must."""
    assert width >= 2, "a wide letter takes two columns"
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and columns(line) + 1 + columns(word) <= width:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(line)
        while columns(word) > width:
            head = _broken(word, width)
            lines.append(head)
            word = word[len(head) :]
        line = word
    return (*lines, line) if line or not lines else tuple(lines)


def _visible(letter: str) -> str:
    if unicodedata.category(letter) not in _HIDDEN:
        return letter
    code = ord(letter)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


@lru_cache(maxsize=4096)
def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def _head(text: str, width: int) -> str:
    taken = 0
    for at, letter in enumerate(text):
        taken += _columns_of(letter)
        if taken > width:
            return text[:at]
    return text


def _broken(word: str, width: int) -> str:
    """The head of a word too long for a line: paths break after a separator, if late enough."""
    head = _head(word, width)
    at = max(head.rfind("\\"), head.rfind("/")) + 1
    return head[:at] if at > width // 2 else head
