"""Read YAML text into trees that know where all was written; the only YAML reader.

YAML 1.2, core schema: `no` is text, `022` is twenty-two, `22:00` is text. What makes a document
mean something else than it shows is refused with its place: duplicate keys, anchors, aliases,
tags, directives for another YAML.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from attrs import field, frozen

from goexchange.errors import Diagnostic, Place

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 50
MAX_DIGITS = 100

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


def parse_documents(content: bytes | str, *, file: str) -> Parsed:
    """Read the documents of one file.

    A mistake in the syntax ends the reading of the file; every other mistake is collected, and
    the tree then holds what could be read (the first of two equal keys, null for an alias).
    """
    text, diagnostic = _decode(content, file) if isinstance(content, bytes) else (content, None)
    if diagnostic is None:
        diagnostic = _unreadable_character(text, file)
    if diagnostic is not None:
        return Parsed(documents=(), diagnostics=(diagnostic,))
    return _Composer(text, file).parse()


_SUMMARIES = {
    "alias": "aliases are not part of the documents",
    "anchor": "anchors are not part of the documents",
    "character": "a character that cannot be seen",
    "directive": "a directive that documents do not have",
    "duplicate-key": "a key is written twice",
    "empty": "the file is empty",
    "encoding": "the file is not UTF-8",
    "escape": "an escape made a character that cannot be seen",
    "key": "a key is not text",
    "number": "a number that cannot be used",
    "syntax": "the file is not YAML",
    "tab": "a tab in the indentation",
    "tag": "tags are not part of the documents",
    "too-deep": "nested too deeply",
    "too-large": "the file is too large",
}


# --- characters

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
# control characters, and those that hide or reorder what follows
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\ud800-\udfff\ufeff\ufffe\uffff]"
)
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
)


def _decode(content: bytes, file: str) -> tuple[str, Diagnostic | None]:
    start = Place(file=file, line=1, column=1)
    if len(content) > MAX_BYTES:
        detail = f"The file has {len(content)} bytes; a document has at most {MAX_BYTES}. Split it."
        return "", _yaml_error("too-large", detail, start)
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            detail = f"The file is {name}. Save it as UTF-8."
            return "", _yaml_error("encoding", detail, start)
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode("utf-8"), None
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        lines = _LINE_BREAK.split(before)
        place = Place(file=file, line=len(lines), column=len(lines[-1]) + 1)
        detail = f"Byte 0x{content[error.start]:02x} is not UTF-8 here. Save the file as UTF-8."
        return "", _yaml_error("encoding", detail, place)


def _unreadable_character(text: str, file: str) -> Diagnostic | None:
    match = _UNREADABLE.search(text)
    if match is None:
        return None
    lines = _LINE_BREAK.split(text[: match.start()])
    place = Place(file=file, line=len(lines), column=len(lines[-1]) + 1)
    code = f"U+{ord(match.group()):04X}"
    detail = f"The character {code} cannot be seen and hides what the text says. Delete it."
    return _yaml_error("character", detail, place)


# --- scalars: YAML 1.2, core schema

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


# --- events to trees


class _TooDeep(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


class _Composer:
    """Builds the trees of one file from the parser's events."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._lines = tuple(_LINE_BREAK.split(text))
        self._diagnostics: list[Diagnostic] = []
        self._events: Iterator[Any] = iter(())

    def parse(self) -> Parsed:
        import yaml  # only here: verbs that read no document do not pay for it

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents: list[Document] = []
        try:
            self._events = yaml.parse(self._text, Loader=loader)
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    self._check_directives(event)
                    root = self._compose(next(self._events), 0)
                    documents.append(Document(file=self._file, root=root, lines=self._lines))
        except yaml.MarkedYAMLError as error:
            self._report_syntax(error)
        except yaml.YAMLError as error:  # the reader's own errors carry no mark
            self._report("syntax", str(error), self._place(None))
        except _TooDeep as error:
            detail = f"More than {MAX_DEPTH} levels. No document of goexchange is that deep."
            self._report("too-deep", detail, error.place)
        if not documents and not self._diagnostics:
            detail = "The file holds no document. Write one, or delete the file."
            self._report("empty", detail, self._place(None))
        return Parsed(documents=tuple(documents), diagnostics=tuple(self._diagnostics))

    def _compose(self, event: Any, depth: int) -> Node:
        place = self._place(event.start_mark)
        if depth > MAX_DEPTH:
            raise _TooDeep(place)
        kind = type(event).__name__
        if kind == "AliasEvent":
            detail = (
                f"'*{event.anchor}' repeats another part unseen by the reader. Write the value out."
            )
            self._report("alias", detail, place)
            return Scalar(value=None, text="*" + event.anchor, place=place)
        self._check_properties(event, place)
        if kind == "ScalarEvent":
            return self._scalar(event, place)
        if kind == "SequenceStartEvent":
            return Sequence(elements=tuple(self._elements(depth)), place=place)
        return self._mapping(place, depth)

    def _elements(self, depth: int) -> Iterator[Node]:
        for event in self._events:
            if type(event).__name__ == "SequenceEndEvent":
                return
            yield self._compose(event, depth + 1)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        for event in self._events:
            if type(event).__name__ == "MappingEndEvent":
                break
            key = self._compose(event, depth + 1)
            value = self._compose(next(self._events), depth + 1)
            if self._is_usable_key(key, entries) and isinstance(key, Scalar):
                entries[key.text] = Entry(key=key, value=value)
        return Mapping(entries=tuple(entries.values()), place=place)

    def _is_usable_key(self, key: Node, entries: dict[str, Entry]) -> bool:
        if not isinstance(key, Scalar):
            detail = "A key is one word or one quoted text. Was a quote or a colon forgotten?"
            self._report("key", detail, key.place)
            return False
        if not isinstance(key.value, str):
            if key.text.startswith("*"):
                return False  # the alias was reported
            detail = f"'{key.text}' is not text in YAML. Write it in quotes: '{key.text}':"
            self._report("key", detail, key.place)
            return False
        if key.text in entries:
            first = entries[key.text].key.place
            detail = (
                f"'{key.text}' is already written in line {first.line}, column {first.column}. "
                "Only one of the two would count: delete one."
            )
            self._report("duplicate-key", detail, key.place)
            return False
        return True

    def _scalar(self, event: Any, place: Place) -> Scalar:
        text: str = event.value
        if not event.implicit[0]:  # quoted, or a block scalar
            self._check_escapes(text, place)
            return Scalar(value=text, text=text, place=place)
        try:
            return Scalar(value=resolve_plain(text), text=text, place=place)
        except OverflowError:
            shown = text if len(text) < 40 else text[:37] + "..."
            detail = f"'{shown}' is no number that a document holds. Text is written in quotes."
            self._report("number", detail, place)
            return Scalar(value=None, text=text, place=place)

    def _check_escapes(self, text: str, place: Place) -> None:
        """Refuse what an escape made invisible: `"C:\\Program"` holds U+2029."""
        match = _UNREADABLE.search(text)
        if match is not None:
            detail = (
                "Between double quotes '\\' begins an escape; here one became "
                f"U+{ord(match.group()):04X}. Write paths in single quotes."
            )
            self._report("escape", detail, place)

    def _check_properties(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            detail = f"'&{event.anchor}' names a part for repetition elsewhere. Delete it."
            self._report("anchor", detail, place)
        if event.tag is not None:
            detail = f"The tag '{event.tag}' changes what the value means. Delete it."
            self._report("tag", detail, place)

    def _check_directives(self, event: Any) -> None:
        if event.version is not None and tuple(event.version) != (1, 2):
            version = ".".join(str(part) for part in event.version)
            detail = f"%YAML {version} is asked for; documents are YAML 1.2. Delete the line."
            self._report("directive", detail, self._place(event.start_mark))
        if event.tags:
            detail = "%TAG lines are for tags, which documents do not have. Delete the line."
            self._report(
                "directive",
                detail,
                self._place(event.start_mark),
            )

    def _report_syntax(self, error: Any) -> None:
        place = self._place(error.problem_mark or error.context_mark)
        line = self._line(place)
        leading = line[: len(line) - len(line.lstrip())]
        if "\t" in leading:
            place = Place(file=self._file, line=place.line, column=leading.index("\t") + 1)
            detail = (
                "The line is indented with a tab. YAML allows only spaces: write two per level."
            )
            self._report("tab", detail, place)
            return
        detail = _syntax_detail(str(error.problem or error.context), line[place.column - 1 :])
        if error.context_mark is not None and error.context_mark.line + 1 != place.line:
            detail += f" It belongs to what begins in line {error.context_mark.line + 1}."
        self._report("syntax", detail, place)

    def _place(self, mark: Any) -> Place:
        if mark is None:
            return Place(file=self._file, line=1, column=1)
        return Place(file=self._file, line=mark.line + 1, column=mark.column + 1)

    def _line(self, place: Place) -> str:
        return self._lines[place.line - 1] if place.line <= len(self._lines) else ""

    def _report(self, what: str, detail: str, place: Place) -> None:
        line = shown_line(self._line(place))
        self._diagnostics.append(_yaml_error(what, detail, place, source_line=line))


_SYNTAX_DETAILS = (
    (
        "mapping values are not allowed",
        "A second ': ' stands on this line. Quote the text, or begin a new line.",
    ),
    (
        "unknown escape character",
        "Between double quotes '\\' begins an escape. Write paths in single quotes.",
    ),
    (
        "did not find expected hexdecimal number",
        "Between double quotes '\\' begins an escape. Write paths in single quotes.",
    ),
    ("unexpected end of stream", "A quote is opened and not closed."),
    (
        "could not find expected ':'",
        "A key is written without ': ' and a value, or a line is indented too little.",
    ),
    ("did not find expected key", "The line is not indented like the lines that it belongs to."),
    (
        "did not find expected '-' indicator",
        "The line is not indented like the list that it belongs to.",
    ),
    ("did not find expected ',' or ']'", "A ']' or ',' is missing."),
    ("did not find expected ',' or '}'", "A '}' or ',' is missing."),
    (
        "block sequence entries are not allowed",
        "A list cannot begin here. Begin it on a line of its own.",
    ),
    (
        "did not find expected <document start>",
        "Text follows where the document has ended. Check the indentation.",
    ),
    (
        "did not find expected alphabetic",
        "'*' and '&' have a meaning of their own in YAML. Write the text in quotes.",
    ),
)


def _syntax_detail(problem: str, rest: str) -> str:
    if "cannot start any token" in problem and rest:
        return f"'{rest[0]}' cannot begin a plain text. Write the text in quotes."
    for words, detail in _SYNTAX_DETAILS:
        if words in problem:
            return detail
    return problem[:1].upper() + problem[1:] + "."


def _yaml_error(what: str, detail: str, place: Place, source_line: str | None = None) -> Diagnostic:
    return Diagnostic(
        id=f"yaml-{what}",
        summary=_SUMMARIES[what],
        detail=detail,
        place=place,
        source_line=source_line,
    )
