"""What a plain scalar means: YAML 1.2, core schema."""

from __future__ import annotations

import math
import re

MAX_DIGITS = 100

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUES = frozenset(("true", "True", "TRUE"))
_FALSES = frozenset(("false", "False", "FALSE"))
_DECIMAL = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")


def resolve_plain(text: str) -> None | bool | int | float | str:
    """Return what a plain (unquoted) scalar means in YAML 1.2's core schema.

    Raises: OverflowError for a number that is too long or not finite; documents have no use for
    one.
    """
    if text in _NULLS:
        return None
    if text in _TRUES or text in _FALSES:
        return text in _TRUES
    if text[0] not in "+-.0123456789":
        return text
    return _resolve_number(text)


def _resolve_number(text: str) -> int | float | str:
    if _NOT_FINITE.match(text):
        raise OverflowError(text)
    for pattern, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEXADECIMAL, 16)):
        if pattern.match(text):
            if len(text) > MAX_DIGITS:
                raise OverflowError(text)
            return int(text if base == 10 else text[2:], base)
    if not _FLOAT.match(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        raise OverflowError(text)
    return number
