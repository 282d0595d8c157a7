"""The parser's events to trees; every mistake is collected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from goexchange.documents.characters import LINE_BREAK, UNREADABLE, decode, unreadable_character
from goexchange.documents.mistakes import syntax_detail, yaml_error
from goexchange.documents.scalars import resolve_plain
from goexchange.documents.tree import (
    Document,
    Entry,
    Mapping,
    Node,
    Parsed,
    Scalar,
    Sequence,
    shown_line,
)
from goexchange.errors import Diagnostic, Place

MAX_DEPTH = 50


def parse_documents(content: bytes | str, *, file: str) -> Parsed:
    """Read the documents of one file.

    A mistake in the syntax ends the reading of the file; every other mistake is collected, and
    the tree then holds what could be read (the first of two equal keys, null for an alias).
    """
    text, diagnostic = decode(content, file) if isinstance(content, bytes) else (content, None)
    if diagnostic is None:
        diagnostic = unreadable_character(text, file)
    if diagnostic is not None:
        return Parsed(documents=(), diagnostics=(diagnostic,))
    return _Composer(text, file).parse()


class _TooDeep(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


class _Composer:
    """Builds the trees of one file from the parser's events."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._lines = tuple(LINE_BREAK.split(text))
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
        match = UNREADABLE.search(text)
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
        detail = syntax_detail(str(error.problem or error.context), line[place.column - 1 :])
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
        self._diagnostics.append(yaml_error(what, detail, place, source_line=line))
