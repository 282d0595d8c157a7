"""Read a tree that agrees with its schema as typed values; only the schema holds defaults.

Units: durations become whole seconds, sizes bytes, percentages ratios of 0 to 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeVar

from attrs import frozen

from goexchange.documents import Document, Mapping, Node, Scalar, Sequence, to_plain
from goexchange.errors import Diagnostic, Place, Severity
from goexchange.model.configuration import SecretKind, SecretReference, TimeOfDay
from goexchange.schema import Schema, file_kind, load_schema, resolve

Choice = TypeVar("Choice", bound=Enum)

_UNITS_S = (604800, 86400, 3600, 60, 1)
_SHORT_DURATION = re.compile(
    "(?=[0-9])(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?"
)
_ISO_DURATION = re.compile(
    "P(?=[0-9T])(?:([0-9]+)W)?(?:([0-9]+)D)?"
    "(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?"
)
_UNITS_BYTES = {
    "B": 1,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
    "TiB": 1 << 40,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}


def duration_s(text: str) -> int:
    """Return the seconds of `15m`, `1h30m`, `30d`, `PT15M` or `P1DT2H`.

    Raises: ValueError when it is not a duration.
    """
    match = _SHORT_DURATION.fullmatch(text) or _ISO_DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    parts = zip(match.groups(default="0"), _UNITS_S, strict=True)
    return sum(int(number) * unit_s for number, unit_s in parts)


def size_bytes(text: str) -> int:
    """Return the bytes of `10GiB`, `1.5 TB` or `512B`; a fraction of a byte is dropped.

    Raises: ValueError when it is not a size.
    """
    match = re.fullmatch(r"([0-9]+)(?:\.([0-9]+))? ?([KMGT]i?B|B)", text)
    if match is None:
        raise ValueError(f"not a size: {text!r}")
    whole, fraction, unit = match[1], match[2] or "", _UNITS_BYTES[match[3]]
    return int(whole + fraction) * unit // int(10 ** len(fraction))


def rate_bytes_per_s(text: str) -> int:
    """Return the bytes per second of `100MiB/s`. Raises: ValueError when it is not a rate."""
    if not text.endswith("/s"):
        raise ValueError(f"not a rate: {text!r}")
    return size_bytes(text.removesuffix("/s"))


def ratio(text: str) -> float:
    """Return the ratio of `20%`. Raises: ValueError when it is not a percentage."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?%", text)
    if match is None or float(match[1]) > 100:
        raise ValueError(f"not a percentage: {text!r}")
    return float(match[1]) / 100


def time_of_day(text: str) -> TimeOfDay:
    """Return the time of `22:00`. Raises: ValueError when it is not a time of day."""
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if match is None:
        raise ValueError(f"not a time of day: {text!r}")
    return TimeOfDay(hour=int(match[1]), minute=int(match[2]))


def secret_reference(text: str, *, place: Place | None = None) -> SecretReference:
    """Return the reference that a text is.

    Raises: ValueError when it is not one; the message never holds the text, which may be the
    secret itself.
    """
    word, _, rest = text.partition(":")
    try:
        kind = SecretKind(word)
    except ValueError:
        raise ValueError("not a reference to a secret") from None
    if kind is SecretKind.COMMAND:
        return SecretReference(kind=kind, command=_command(rest), place=place)
    is_complete = {
        SecretKind.PROMPT: rest == "",
        SecretKind.KEYRING: re.fullmatch(r"[^/]+/.+", rest),
        SecretKind.VAULT: re.fullmatch(r"[^#]+#.+", rest),
        SecretKind.ENVIRONMENT: re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rest),
        SecretKind.FILE: rest,
    }[kind]
    if not is_complete:
        raise ValueError("not a complete reference to a secret")
    return SecretReference(kind=kind, locator=rest, place=place)


def _command(text: str) -> tuple[str, ...]:
    try:
        words = json.loads(text)
    except json.JSONDecodeError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(w, str) and w for w in words):
        raise ValueError('not a command: write exec:["program", "argument"]')
    return tuple(words)


_SUMMARIES = {
    "takes-server-down": "what takes a server down is work of its own",
    "backup-missing": "a required backup is missing",
    "canary": "a canary that is no target",
    "condition-without-effect": "a condition that the script cannot bring about",
    "credentials": "credentials are missing",
    "script-without-condition": "a script that is never due",
    "empty-selection": "nothing is selected",
    "group-cycle": "a group contains itself",
    "longer-than-window": "longer than the window",
    "lease": "a lease shorter than three heartbeats",
    "no-exchange": "an Exchange channel of a machine without Exchange",
    "not-encrypted": "a channel that is not encrypted",
    "notification": "a notification that cannot be told",
    "repeated": "the same twice",
    "retention": "retention that would remove a way back",
    "include-after": "copied after maintenance what is copied before it",
    "over-limit": "over a limit of the policy",
    "scope": "a process and its undoing differ",
    "unsafe-word": "not safe as a word for a batch file",
    "script-not-for-version": "a script that does not apply to the version",
    "service-needed": "a service that is needed while a database is down",
    "share": "a share that is declared by half",
    "share-credential": "a credential that the inventory does not have",
    "signers": "signers that cannot sign",
    "secret-reference": "not a reference to a secret",
    "sentinel": "a mail of the sentinel that is declared by half",
    "test": "a test that cannot be run",
    "timeouts": "time limits that contradict each other",
    "unknown-name": "an unknown name",
    "wrong-form": "a value of the wrong form",
    "zone-missing": "a time without a zone",
}


class Findings:
    """Collects what is wrong in some documents beyond their schemas."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_file = {document.file: document for document in documents}
        self._found: list[Diagnostic] = []

    def add(
        self, id: str, *, detail: str, place: Place, severity: Severity = Severity.ERROR
    ) -> None:
        """Add one; the line of the document is found by its place."""
        document = self._by_file.get(place.file)
        line = document.source_line(place) if document is not None else None
        self._found.append(
            Diagnostic(
                id=id,
                summary=_SUMMARIES[id],
                detail=detail,
                place=place,
                severity=severity,
                source_line=line,
            )
        )

    def all(self) -> tuple[Diagnostic, ...]:
        """Return them in the order of the text."""
        return tuple(sorted(self._found, key=_text_order))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Tell whether one of them is more than a warning."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def _text_order(diagnostic: Diagnostic) -> tuple[str, int, int]:
    place = diagnostic.place
    return (place.file, place.line, place.column) if place is not None else ("", 0, 0)


def root_section(document: Document) -> Section:
    """Return a document that agrees with its schema as a section."""
    assert isinstance(document.root, Mapping) and document.kind is not None
    root = load_schema(file_kind(document.kind))
    return Section(mapping=document.root, schema=root, root=root, place=document.root.place)


@frozen(kw_only=True)
class Section:
    """Keys with values and their schema.

    Shape: `mapping` is None for a section that is not written, which then consists of defaults;
    `place` is where it stands, or the nearest section above that is written.
    """

    mapping: Mapping | None
    schema: Schema
    root: Schema
    place: Place

    def has(self, name: str) -> bool:
        """Tell whether a key is written with a value other than null."""
        node = self._find(name)
        return node is not None and not (isinstance(node, Scalar) and node.value is None)

    def place_of(self, name: str) -> Place:
        """Return where a value is written, or this section when it is left to its default."""
        node = self._find(name)
        return node.place if node is not None else self.place

    def text(self, name: str) -> str:
        """Return a text, or its default."""
        value = self._plain(name)
        assert isinstance(value, str), name
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text. Unknown: None when it is not given and has no default."""
        return self.text(name) if self._plain(name) is not None else None

    def boolean(self, name: str) -> bool:
        """Return true or false, or the default."""
        value = self._plain(name)
        assert isinstance(value, bool), name
        return value

    def integer(self, name: str) -> int:
        """Return a whole number, or the default."""
        value = self._plain(name)
        assert isinstance(value, (int, float)) and not isinstance(value, bool), name
        return int(value)

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        """Return a value of a closed list, or the default."""
        return kind(self._plain(name))

    def duration_s(self, name: str) -> int:
        """Return a duration, or the default."""
        return duration_s(self.text(name))

    def optional_duration_s(self, name: str) -> int | None:
        """Return a duration. Unknown: None when it is not given and has no default."""
        return self.duration_s(name) if self._plain(name) is not None else None

    def size_bytes(self, name: str) -> int:
        """Return a size, or the default."""
        return size_bytes(self.text(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, or the default."""
        return tuple(str(value) for value in self._list(name))

    def optional_texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts. Unknown: None when it is not given and has no default."""
        return self.texts(name) if self._plain(name) is not None else None

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers, or the default."""
        return tuple(int(value) for value in self._list(name))

    def choices(self, name: str, kind: type[Choice]) -> tuple[Choice, ...]:
        """Return a list of values of a closed list, or the default."""
        return tuple(kind(value) for value in self._list(name))

    def places(self, name: str) -> tuple[Place, ...]:
        """Return where each element of a list stands; defaults stand where the section does."""
        node = self._find(name)
        if isinstance(node, Sequence):
            return tuple(element.place for element in node.elements)
        return (self.place,) * len(self._list(name))

    def nodes(self, name: str) -> tuple[Node, ...]:
        """Return the written elements of a list."""
        node = self._find(name)
        return node.elements if isinstance(node, Sequence) else ()

    def section(self, name: str) -> Section:
        """Return the section below a key; one of defaults when it is not written."""
        return self._below(self._find(name), self.schema["properties"][name])

    def sections(self, name: str) -> tuple[Section, ...]:
        """Return the sections of a list."""
        part = self._whole(self.schema["properties"][name])
        return tuple(self._below(node, part["items"]) for node in self.nodes(name))

    def members(self, name: str) -> tuple[tuple[str, Place, Section], ...]:
        """Return name, place and section of each member of a mapping of names."""
        node = self._find(name)
        part = self._whole(self.schema["properties"][name])["additionalProperties"]
        entries = node.entries if isinstance(node, Mapping) else ()
        return tuple((e.name, e.key.place, self._below(e.value, part)) for e in entries)

    def words(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return texts below keys that are names, sorted, or the default."""
        value = self._plain(name)
        assert isinstance(value, dict), name
        return tuple(sorted((key, str(text)) for key, text in value.items()))

    def secret(self, name: str) -> SecretReference | None:
        """Return a reference to a secret. Unknown: None when it is not given."""
        text = self.optional_text(name)
        return None if text is None else secret_reference(text, place=self.place_of(name))

    def _find(self, name: str) -> Node | None:
        assert name in self.schema["properties"], name
        return self.mapping.find(name) if self.mapping is not None else None

    def _plain(self, name: str) -> Any:
        node = self._find(name)
        return self.schema["properties"][name].get("default") if node is None else to_plain(node)

    def _list(self, name: str) -> list[Any]:
        value = self._plain(name)
        assert isinstance(value, list), name
        return value

    def _below(self, node: Node | None, part: Schema) -> Section:
        mapping = node if isinstance(node, Mapping) else None
        place = self.place if mapping is None else mapping.place
        return Section(mapping=mapping, schema=self._whole(part), root=self.root, place=place)

    def _whole(self, part: Schema) -> Schema:
        """Follow references, also the one that `allOf` holds beside a description."""
        part = resolve(part, self.root)
        if "allOf" in part and not {"properties", "items", "additionalProperties"} & part.keys():
            return self._whole(part["allOf"][0])
        return part
