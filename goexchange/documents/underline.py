"""How much of a line a message is about: the text that begins at its column."""

from __future__ import annotations

import re
import unicodedata

_QUOTED = re.compile(r"'(?:[^']|'')*'?|\"(?:[^\"\\]|\\.)*\"?")
_KEY = re.compile(r"[^\s:,{}\[\]#'\"][^:,{}\[\]#]*(?=:(?:\s|$))")
_FLOW = re.compile(r"(?:[^\s,{}\[\]#]|(?<=\S) (?=[^#,{}\[\]]))+")
_BLOCK = re.compile(r"\S+(?:\s+(?!#)\S+)*")
_OPEN, _CLOSE = "[{", "]}"


def underline(line: str, column: int) -> str:
    """Return spaces and marks that, below the line, stand under the text at a column (from 1)."""
    before, rest = line[: column - 1], line[column - 1 :]
    return _blank(before) + "^" + "~" * (_width(_offending(before, rest)) - 1)


def _offending(before: str, rest: str) -> str:
    if rest[:1] in ("'", '"'):
        found = _QUOTED.match(rest)
        return found.group() if found else rest[:1]
    if rest[:1] and rest[0] in _OPEN:
        return _bracketed(rest)
    key = _KEY.match(rest)
    if key:
        return key.group().rstrip()
    is_flow = _depth(before) > 0
    found = (_FLOW if is_flow else _BLOCK).match(rest)
    return found.group().rstrip() if found else rest[:1]


def _bracketed(rest: str) -> str:
    """A list or mapping up to its end, or to the end of the line."""
    depth, position = 0, 0
    while position < len(rest):
        sign = rest[position]
        quoted = _QUOTED.match(rest, position) if sign in "'\"" else None
        position = quoted.end() if quoted else position + 1
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if depth == 0:
            return rest[:position]
    return rest.split(" #", 1)[0].rstrip()


def _depth(before: str) -> int:
    text = _QUOTED.sub("", before)
    return sum(text.count(sign) for sign in _OPEN) - sum(text.count(sign) for sign in _CLOSE)


def _blank(text: str) -> str:
    return "".join("\t" if sign == "\t" else " " * _width(sign) for sign in text)


def _width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )
