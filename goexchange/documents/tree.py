"""Trees that know where all was written: scalars, mappings, sequences, documents."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection

from attrs import evolve, field, frozen

from goexchange.errors import Diagnostic, Place

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


@frozen(kw_only=True)
class Scalar:
    """One value; `text` is what was written, without quotes."""

    value: None | bool | int | float | str
    text: str
    place: Place


@frozen(kw_only=True)
class Entry:
    """A key with its value."""

    key: Scalar
    value: Node

    @property
    def name(self) -> str:
        return self.key.text


@frozen(kw_only=True)
class Mapping:
    """Keys with values, in the order written; no key twice."""

    entries: tuple[Entry, ...]
    place: Place
    _index: dict[str, Node] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_index", {entry.name: entry.value for entry in self.entries})

    def find(self, name: str) -> Node | None:
        """Return the value of a key. Unknown: None when the key is not written."""
        return self._index.get(name)

    def key_place(self, name: str) -> Place:
        """Return where the key was written, or where the mapping begins when it was not."""
        return next((e.key.place for e in self.entries if e.name == name), self.place)


@frozen(kw_only=True)
class Sequence:
    """Values in order."""

    elements: tuple[Node, ...]
    place: Place


Node = Scalar | Mapping | Sequence


@frozen(kw_only=True)
class Document:
    """One document of a file; `lines` are the lines of the whole file."""

    file: str
    root: Node
    lines: tuple[str, ...] = field(repr=False, eq=False)

    def source_line(self, place: Place) -> str | None:
        """Return the line a place is on. Unknown: None when the place is in another file."""
        if place.file != self.file or not 0 < place.line <= len(self.lines):
            return None
        return shown_line(self.lines[place.line - 1])

    @property
    def kind(self) -> str | None:
        """What the document says that it is. Unknown: None when it does not say, or not in text."""
        node = self.root.find("kind") if isinstance(self.root, Mapping) else None
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


@frozen(kw_only=True)
class Parsed:
    """The documents of one file, with what is wrong in them as YAML; usable only without errors."""

    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]


def to_plain(node: Node) -> Plain:
    """Return the tree as plain values, without places."""
    if isinstance(node, Mapping):
        return {entry.name: to_plain(entry.value) for entry in node.entries}
    if isinstance(node, Sequence):
        return [to_plain(element) for element in node.elements]
    return node.value


def without(document: Document, places: Collection[Place]) -> Document:
    """The document without the keys and elements that begin, or whose value begins, at a place.

    What is left of a document with mistakes can be asked what it says of others.
    """
    return evolve(document, root=_without(document.root, places))


def _without(node: Node, places: Collection[Place]) -> Node:
    if isinstance(node, Mapping):
        kept = tuple(
            Entry(key=each.key, value=_without(each.value, places))
            for each in node.entries
            if each.key.place not in places and each.value.place not in places
        )
        return Mapping(entries=kept, place=node.place)
    if isinstance(node, Sequence):
        rest = tuple(_without(each, places) for each in node.elements if each.place not in places)
        return Sequence(elements=rest, place=node.place)
    return node


_SECRET_VALUE = re.compile(
    r"(?i)((?:pass?w\w*|pwd|secrets?|tokens?|credentials?)['\"]?\s*:\s+)"
    r"(?!['\"]?(?:(?:env|keyring|file|vault|exec):|prompt\b))(.*)"
)


def shown_line(line: str) -> str:
    """Return a line as messages may show it: what looks like a secret is blotted out."""
    return _SECRET_VALUE.sub(r"\1***", line)


def digest(*documents: Document) -> str:
    """Return the SHA-256 (hex) of what documents say.

    Comments, layout, the order of keys and the order of the documents do not move it.
    """
    texts = sorted(
        json.dumps(to_plain(document.root), sort_keys=True, separators=(",", ":"))
        for document in documents
    )
    return hashlib.sha256("\n".join(texts).encode("ascii")).hexdigest()
