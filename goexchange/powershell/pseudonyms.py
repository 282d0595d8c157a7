"""Names that tell which organisation a transcript comes from are replaced by stable pseudonyms.

The same name is the same pseudonym everywhere in one transcript, so that it can still be read.
Secrets go first, by `redaction`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from goexchange.powershell.redaction import redacted

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("sid", re.compile(r"\bS-1-5-21(?:-\d+){3,4}\b")),
    ("mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("address", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    ("share", re.compile(r"(?<![\\\w])\\\\[\w.-]+\\[\w$.-]+")),
)
_VERSION = re.compile(r"\d+\.\d+\.\d{3,}|15\.\d+\.\d+\.\d+|10\.0\.\d+\.\d+")


class Pseudonyms:
    """Replaces known names, and what looks like an address, a SID, a mail address or a share.

    Shape: `names` are pairs of a name and the kind its pseudonym is called by; longer names are
    replaced before shorter ones, without regard to case.
    """

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        self._given: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        wanted = {name.lower(): kind for name, kind in names if len(name) >= 2}
        for name in sorted(wanted, key=lambda each: (-len(each), each)):
            self._given[name] = self._next(wanted[name])
        escaped = "|".join(re.escape(name) for name in self._given)
        # A name inside a longer word of letters and digits is another word.
        self._known = re.compile(rf"(?i)(?<![A-Za-z0-9])(?:{escaped})(?![A-Za-z0-9])")

    def text(self, text: str) -> str:
        """The text without secrets and names."""
        text = redacted(text)
        if self._given:
            text = self._known.sub(lambda found: self._given[found[0].lower()], text)
        for kind, pattern in _PATTERNS:
            text = pattern.sub(lambda found, kind=kind: self._seen(kind, found[0]), text)  # type: ignore[misc]
        return text

    def plain(self, value: Any) -> Any:
        """The same for every text of a plain value, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.plain(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(each) for each in value]
        return value

    def _seen(self, kind: str, found: str) -> str:
        if kind == "address" and (_VERSION.fullmatch(found) or not _is_address(found)):
            return found
        key = found.lower()
        if key not in self._given:
            self._given[key] = self._next(kind)
        return self._given[key]

    def _next(self, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}-{self._counts[kind]}"


def _is_address(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))
