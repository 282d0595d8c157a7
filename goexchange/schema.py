"""Compare a tree with a JSON Schema: all differences, with places and what to write instead.

The schemas are a subset of draft-07 without `anyOf` and `oneOf`, so that every message has one
cause. It is evaluated here, on the tree: a general validator has no places, costs more than the
rest of the program's start, and its words are not for operators. A test compares the verdicts
with `jsonschema`'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Any

from attrs import evolve, frozen

from goexchange.documents import Document, Mapping, Node, Scalar, Sequence, to_plain
from goexchange.errors import Diagnostic, Place
from goexchange.resources import schema_kinds, schema_text

API_VERSION = "goexchange/v1"
DOCUMENT_KINDS = ("Specification", "Inventory", "Configuration", "Policy", "SpecificationTest")

Schema = dict[str, Any]

# fmt: off
KEYWORDS = frozenset([
    "$schema", "$id", "$ref", "title", "description", "default", "examples", "definitions",
    "writeOnly", "type", "enum", "const", "pattern", "minLength", "maxLength", "minimum",
    "maximum", "minItems", "maxItems", "uniqueItems", "items", "properties", "required",
    "additionalProperties", "propertyNames", "allOf", "if", "then", "else",
])
# fmt: on
CONDITION_KEYWORDS = frozenset(["type", "enum", "required", "properties"])

_SUMMARIES = {
    "document": "not a document of goexchange",
    "kind": "a document of another kind",
    "missing-key": "a required key is missing",
    "no-value": "a key has no value",
    "out-of-range": "a number out of range",
    "repeated": "the same twice",
    "unknown-key": "an unknown key",
    "unknown-value": "not a possible value",
    "wrong-count": "too few or too many in a list",
    "wrong-form": "a value of the wrong form",
    "wrong-type": "a value of the wrong type",
}
_TYPE_WORDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "keys with values",
    "null": "null",
}
_BOOLEAN_WORDS = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
}


def file_kind(document_kind: str) -> str:
    """Return a document kind as file names have it (`specification-test`)."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", document_kind).lower()


@cache
def load_schema(kind: str) -> Schema:
    """Return the packaged schema of a kind (`specification`)."""
    schema: Schema = json.loads(schema_text(kind))
    return schema


def check_document(
    document: Document, *, kind: str | None = None, known: Collection[Place] = ()
) -> tuple[Diagnostic, ...]:
    """Compare a document with the schema of its own kind; differences in the order of the text.

    `kind` is what the document has to be, when the caller needs one; `known` are places that
    other diagnostics speak of already, about which nothing is said twice.
    """
    wrong_kind = _check_kind(document, kind)
    if wrong_kind is not None:
        return () if wrong_kind.place in known else (wrong_kind,)
    assert document.kind is not None
    found = check(document, load_schema(file_kind(document.kind)))
    return tuple(diagnostic for diagnostic in found if diagnostic.place not in known)


def check(document: Document, schema: Schema) -> tuple[Diagnostic, ...]:
    """Compare a document with a schema; all differences, in the order of the text."""
    comparison = _Comparison(document, schema)
    comparison.visit(document.root, schema, _Subject(path="", examples=(), is_secret=False))
    return comparison.diagnostics()


def did_you_mean(word: str, choices: Collection[str]) -> str | None:
    """Return the choice that a misspelt word most likely meant. Unknown: None when none is near."""
    import difflib  # only here: documents without mistakes do not pay for it

    by_form = {_form(choice): choice for choice in sorted(choices, reverse=True)}
    form = _form(word)
    near = difflib.get_close_matches(form, by_form, n=1, cutoff=0.65)
    if not near and len(form) > 2:
        near = [known for known in by_form if known.startswith(form)][:1]
    return by_form[near[0]] if near else None


def suggestion(word: str, choices: Collection[str]) -> str:
    """Return `Did you mean '...'? ` with the choices, or the choices alone."""
    near = did_you_mean(word, choices)
    if near and len(choices) == 1:
        return f"Did you mean '{near}'?"
    question = f"Did you mean '{near}'? " if near else ""
    listed = ", ".join(sorted(choices)) if len(choices) <= 20 else f"{len(choices)} are known"
    return f"{question}Possible: {listed}."


def resolve(schema: Schema, root: Schema) -> Schema:
    """Follow a reference into the definitions of the root schema."""
    while "$ref" in schema:
        schema = root["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    return schema


def _form(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()


def _check_kind(document: Document, wanted: str | None) -> Diagnostic | None:
    root = document.root
    if not isinstance(root, Mapping):
        detail = "A document is keys with values and begins with 'apiVersion:' and 'kind:'."
        return _diagnostic("document", detail, place=root.place, document=document)
    written = root.find("kind")
    if written is None:
        near = did_you_mean("kind", [entry.name for entry in root.entries])
        meant = f"Was it meant by '{near}'? " if near else ""
        detail = f"'kind' is missing. {meant}Write, for example, kind: {wanted or 'Specification'}."
        return _diagnostic("missing-key", detail, place=root.place, document=document)
    available = [kind for kind in DOCUMENT_KINDS if file_kind(kind) in schema_kinds()]
    if document.kind not in available:
        text = written.text if isinstance(written, Scalar) else "This"
        detail = f"'{text}' is not a kind of document. {suggestion(text, available)}"
        return _diagnostic("unknown-value", detail, place=written.place, document=document)
    if wanted is not None and document.kind != wanted:
        detail = f"This document is of kind {document.kind}; {wanted} is needed here."
        return _diagnostic("kind", detail, place=written.place, document=document)
    return None


def _diagnostic(id: str, detail: str, *, place: Place, document: Document) -> Diagnostic:
    line = document.source_line(place)
    summary = _SUMMARIES[id]
    return Diagnostic(id=id, summary=summary, detail=detail, place=place, source_line=line)


@frozen(kw_only=True)
class _Subject:
    """What messages say of the node in hand: path, examples, whether it may be shown."""

    path: str
    examples: tuple[Any, ...]
    is_secret: bool

    def child(self, name: str, schema: Schema) -> _Subject:
        path = f"{self.path}.{name}" if self.path and name[0] != "[" else self.path + name
        return _Subject(
            path=path,
            examples=tuple(schema.get("examples", ())),
            is_secret=self.is_secret or schema.get("writeOnly", False),
        )

    @property
    def example(self) -> str:
        if not self.examples:
            return ""
        name = self.path.rpartition(".")[2].partition("[")[0]
        return f" For example: {name}: {_yaml_flow(self.examples[0])}"


class _Comparison:
    """One walk over a tree and its schema."""

    def __init__(self, document: Document, root: Schema) -> None:
        self._document = document
        self._root = root
        self._found: list[Diagnostic] = []
        self._secret_lines: set[int] = set()

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return what was found, in the order of the text, without lines that hold a secret."""
        unique = {(d.id, d.place, d.detail): self._without_secret(d) for d in self._found}
        return tuple(sorted(unique.values(), key=_text_order))

    def _without_secret(self, diagnostic: Diagnostic) -> Diagnostic:
        if diagnostic.place is None or diagnostic.place.line not in self._secret_lines:
            return diagnostic
        return evolve(diagnostic, source_line=None)

    def visit(self, node: Node, schema: Schema, subject: _Subject) -> None:
        """Report every difference between a node and a schema."""
        schema = resolve(schema, self._root)
        if schema.get("writeOnly", False):
            subject = evolve(subject, is_secret=True)
        if not self._check_type(node, schema, subject):
            return
        self._check_choice(node, schema, subject)
        if isinstance(node, Mapping):
            self._check_mapping(node, schema, subject)
        elif isinstance(node, Sequence):
            self._check_sequence(node, schema, subject)
        elif isinstance(node.value, str):
            self._check_text(node, schema, subject)
        elif isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            self._check_number(node, schema, subject)
        for part in schema.get("allOf", ()):
            self.visit(node, part, subject)
        if "if" in schema:
            branch = "then" if _matches(node, schema["if"]) else "else"
            if branch in schema:
                self.visit(node, schema[branch], subject)

    def _check_type(self, node: Node, schema: Schema, subject: _Subject) -> bool:
        wanted = schema.get("type", ())
        types = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        is_empty = isinstance(node, Scalar) and node.value is None and node.text == ""
        if types and is_empty:
            detail = (
                f"'{subject.path}' has no value. Write one, or delete the key.{subject.example}"
            )
            self._report("no-value", detail, node, subject)
            return False
        if not types or any(_is_type(node, name) for name in types):
            return True
        expected = " or ".join(_TYPE_WORDS[name] for name in types if name != "null")
        detail = (
            f"'{subject.path or 'the document'}' is {_shown(node, subject)}; "
            f"{expected} is expected."
            f"{_type_remedy(node, types, schema, subject)}"
        )
        self._report("wrong-type", detail, node, subject)
        return False

    def _check_choice(self, node: Node, schema: Schema, subject: _Subject) -> None:
        choices = (
            schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else None
        )
        if choices is None or any(_equal(to_plain(node), choice) for choice in choices):
            return
        words = [str(choice) for choice in choices if choice is not None]
        text = node.text if isinstance(node, Scalar) else "this"
        shown = _sentence(_shown(node, subject))
        detail = f"{shown} is not possible for '{subject.path}'. {suggestion(text, words)}"
        self._report("unknown-value", detail, node, subject)

    def _check_text(self, node: Scalar, schema: Schema, subject: _Subject) -> None:
        text = str(node.value)
        fits = "pattern" not in schema or _compiled(schema["pattern"]).search(text) is not None
        fits = fits and schema.get("minLength", 0) <= len(text) <= schema.get(
            "maxLength", len(text)
        )
        if fits:
            return
        description = schema.get("description", "It has another form.")
        shown = _sentence(_shown(node, subject))
        detail = f"{shown} does not fit '{subject.path}'. {description}{subject.example}"
        self._report("wrong-form", detail, node, subject)

    def _check_number(self, node: Scalar, schema: Schema, subject: _Subject) -> None:
        assert isinstance(node.value, (int, float))
        lowest, highest = schema.get("minimum"), schema.get("maximum")
        if lowest is not None and node.value < lowest:
            limit = f"{lowest} or more"
        elif highest is not None and node.value > highest:
            limit = f"{highest} or less"
        else:
            return
        detail = f"'{subject.path}' is {node.text}; it has to be {limit}. "
        detail += f"{schema.get('description', '')}{subject.example}".strip()
        self._report("out-of-range", detail, node, subject)

    def _check_sequence(self, node: Sequence, schema: Schema, subject: _Subject) -> None:
        count = len(node.elements)
        lowest, highest = schema.get("minItems", 0), schema.get("maxItems", count)
        if not lowest <= count <= highest:
            limit = f"at least {lowest}" if count < lowest else f"at most {highest}"
            detail = f"'{subject.path}' has {count}; {limit} needed.{subject.example}"
            self._report("wrong-count", detail, node, subject)
        if schema.get("uniqueItems", False):
            self._check_unique(node, subject)
        if "items" in schema:
            for index, element in enumerate(node.elements):
                self.visit(element, schema["items"], subject.child(f"[{index}]", schema["items"]))

    def _check_unique(self, node: Sequence, subject: _Subject) -> None:
        first: dict[str, Place] = {}
        for element in node.elements:
            plain = json.dumps(to_plain(element), sort_keys=True)
            if plain in first:
                detail = (
                    f"The same stands in line {first[plain].line} already. Delete one of the two."
                )
                self._report("repeated", detail, element, subject)
            first.setdefault(plain, element.place)

    def _check_mapping(self, node: Mapping, schema: Schema, subject: _Subject) -> None:
        properties: Schema = schema.get("properties", {})
        for name in _missing(node, schema):
            self._report_missing(name, node, schema, subject)
        others = schema.get("additionalProperties", True)
        for entry in node.entries:
            if "propertyNames" in schema:
                self.visit(
                    entry.key, schema["propertyNames"], subject.child(entry.name or "''", {})
                )
            if entry.name in properties:
                part = properties[entry.name]
                self.visit(entry.value, part, subject.child(entry.name, part))
            elif others is False:
                self._report_unknown_key(entry.key, node, properties, subject)
            elif isinstance(others, dict):
                self.visit(entry.value, others, subject.child(entry.name or "''", others))

    def _report_missing(self, name: str, node: Mapping, schema: Schema, subject: _Subject) -> None:
        part = resolve(schema.get("properties", {}).get(name, {}), self._root)
        why = part.get("description") or schema.get("description", "")
        where = f" in '{subject.path}'" if subject.path else ""
        example = subject.child(name, part).example
        detail = f"'{name}' is missing{where}. {why}{example}"
        self._report("missing-key", detail, node, subject)

    def _report_unknown_key(
        self, key: Scalar, node: Mapping, properties: Schema, subject: _Subject
    ) -> None:
        unused = [name for name in properties if node.find(name) is None] or list(properties)
        where = f"in '{subject.path}'" if subject.path else "at the top of the document"
        detail = f"'{key.text}' is not a key {where}. "
        homes = () if did_you_mean(key.text, unused) else _homes(self._root, key.text)
        if homes:
            detail += f"It belongs to {' or '.join(homes[:3])}."
        else:
            detail += suggestion(key.text, unused)
        self._report("unknown-key", detail, key, subject)

    def _report(self, id: str, detail: str, node: Node, subject: _Subject) -> None:
        if subject.is_secret:
            self._secret_lines.add(node.place.line)
        found = _diagnostic(id, detail, place=node.place, document=self._document)
        self._found.append(found)


def _matches(node: Node, condition: Schema) -> bool:
    """Tell whether a condition holds; conditions consist of CONDITION_KEYWORDS only."""
    if "type" in condition and not _is_type(node, condition["type"]):
        return False
    if "enum" in condition and not any(_equal(to_plain(node), c) for c in condition["enum"]):
        return False
    if not isinstance(node, Mapping):
        return True
    if any(node.find(name) is None for name in condition.get("required", ())):
        return False
    parts = ((node.find(name), part) for name, part in condition.get("properties", {}).items())
    return all(child is None or _matches(child, part) for child, part in parts)


def _missing(node: Mapping, schema: Schema) -> list[str]:
    """Return the required keys that are not there, but for those that an unknown key means."""
    missing = [name for name in schema.get("required", ()) if node.find(name) is None]
    if not missing or schema.get("additionalProperties", True) is not False:
        return missing
    properties = schema.get("properties", {})
    unused = [name for name in properties if node.find(name) is None]
    unknown = (entry.name for entry in node.entries if entry.name not in properties)
    meant = {did_you_mean(name, unused) for name in unknown}
    return [name for name in missing if name not in meant]


def _text_order(diagnostic: Diagnostic) -> tuple[int, int, str]:
    assert diagnostic.place is not None
    return (diagnostic.place.line, diagnostic.place.column, diagnostic.id)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("$", r"\Z") if pattern.endswith("$") else pattern)


_TYPE_TESTS: dict[str, Callable[[Node], bool]] = {
    "object": lambda node: isinstance(node, Mapping),
    "array": lambda node: isinstance(node, Sequence),
    "string": lambda node: isinstance(node, Scalar) and isinstance(node.value, str),
    "boolean": lambda node: isinstance(node, Scalar) and isinstance(node.value, bool),
    "null": lambda node: isinstance(node, Scalar) and node.value is None,
    "number": lambda node: _number(node) is not None,
    "integer": lambda node: (number := _number(node)) is not None and number == int(number),
}


def _is_type(node: Node, name: str) -> bool:
    return _TYPE_TESTS[name](node)


def _number(node: Node) -> int | float | None:
    if not isinstance(node, Scalar) or isinstance(node.value, bool):
        return None
    return node.value if isinstance(node.value, (int, float)) else None


def _equal(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _shown(node: Node, subject: _Subject) -> str:
    """Return a node as a message may show it."""
    if isinstance(node, Mapping):
        return "keys with values"
    if isinstance(node, Sequence):
        return "a list"
    if subject.is_secret:
        return "what is written (not shown, it may be a secret)"
    shown = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    if node.value is None or isinstance(node.value, bool):
        return node.text or "nothing"
    return f"the number {shown}" if _number(node) is not None else f"'{shown}'"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _type_remedy(node: Node, types: tuple[str, ...], schema: Schema, subject: _Subject) -> str:
    if isinstance(node, Scalar) and not subject.is_secret and node.value is not None:
        word = node.text.lower()
        if "boolean" in types and word in _BOOLEAN_WORDS:
            return f" Write {_BOOLEAN_WORDS[word]}."
        if types[0] in ("integer", "number") and re.fullmatch(r"[0-9]+", word):
            return " Write it without quotes."
        if types[0] == "string" and "\n" not in node.text:
            fits = "pattern" not in schema or _compiled(schema["pattern"]).search(node.text)
            return f" Write it in quotes: '{node.text}'" if fits else subject.example
        if types[0] == "array" and "\n" not in node.text:
            return f" Write it as a list: {_yaml_flow([node.text])}"
    return subject.example


def _yaml_flow(value: Any) -> str:
    """Return an example as an operator would write it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml_flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml_flow(part) for part in value) + "]"
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z/][\w/ .@-]*|[0-9]+[a-zA-Z%]+", value):
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value) if not isinstance(value, str) else value


def _homes(root: Schema, name: str) -> tuple[str, ...]:
    """Return the paths at which a key of this name is known."""
    return tuple(sorted({path for path in _property_paths(root, root, "") if _last(path) == name}))


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _property_paths(schema: Schema, root: Schema, prefix: str) -> Iterator[str]:
    schema = resolve(schema, root)
    for part in schema.get("allOf", ()):
        yield from _property_paths(part, root, prefix)
    for name, part in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield path
        yield from _property_paths(part, root, path)
    for keyword, mark in (("items", "[]"), ("additionalProperties", ".*")):
        if isinstance(schema.get(keyword), dict):
            yield from _property_paths(schema[keyword], root, prefix + mark)
