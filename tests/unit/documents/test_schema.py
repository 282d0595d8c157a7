"""Trees against schemas: words and places, and verdicts compared with jsonschema's."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest

from goexchange.documents import parse_documents, to_plain
from goexchange.errors import Diagnostic
from goexchange.schema import Schema, check, check_document, did_you_mean, load_schema, suggestion
from tests.unit.documents.examples import EXAMPLES, documents_of

SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {
            "type": "string",
            "pattern": "^[a-z]+$",
            "description": "Letters.",
            "examples": ["ab"],
        },
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "examples": [3]},
        "share": {"type": "number"},
        "on": {"type": "boolean", "examples": [True]},
        "kind": {"type": "string", "enum": ["alpha-beta", "gamma"], "examples": ["gamma"]},
        "words": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "inner": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"deep_key": {"type": ["string", "null"]}},
        },
        "named": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Z]+$", "description": "Capitals."},
            "additionalProperties": {"type": "integer"},
        },
        "secret": {
            "type": "string",
            "writeOnly": True,
            "pattern": "^env:",
            "description": "Where.",
        },
    },
    "if": {"properties": {"kind": {"enum": ["gamma"]}}, "required": ["kind"]},
    "then": {"required": ["count"], "description": "gamma needs a count."},
    "else": {"properties": {"count": {"maximum": 5}}},
}


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    parsed = parse_documents(text, file="f")
    assert parsed.diagnostics == ()
    return check(parsed.documents[0], SCHEMA)


TABLE = [
    ("name: ab\n", None, None, None),
    ("count: 2\n", "missing-key", (1, 1), "'name' is missing. Letters. For example: name: ab"),
    ("name: ab\ncuont: 2\n", "unknown-key", (2, 1), "Did you mean 'count'?"),
    ("nmae: ab\n", "unknown-key", (1, 1), "Did you mean 'name'?"),
    ("name: ab\nzzzzzz: 2\n", "unknown-key", (2, 1), "Possible: count, inner"),
    ("name: ab\ndeep_key: x\n", "unknown-key", (2, 1), "It belongs to inner.deep_key."),
    ("name: ab\ndeepKey: x\ninner: {}\n", "unknown-key", (2, 1), "Possible:"),
    (
        "name: AB\n",
        "wrong-form",
        (1, 7),
        "'AB' does not fit 'name'. Letters. For example: name: ab",
    ),
    ("name: 'ab\n\n  '\n", "wrong-form", (1, 7), "Letters."),
    ("name: 5\n", "wrong-type", (1, 7), "is the number 5; text is expected. For example: name: ab"),
    ("name:\n", "no-value", (1, 6), "Write one, or delete the key."),
    ("name: null\n", "wrong-type", (1, 7), "is null; text is expected"),
    ("name: ab\ncount: '2'\n", "wrong-type", (2, 8), "Write it without quotes."),
    ("name: ab\ncount: 2.5\n", "wrong-type", (2, 8), "a whole number is expected"),
    ("name: ab\ncount: 0\n", "out-of-range", (2, 8), "1 or more"),
    ("name: ab\ncount: 10\nkind: gamma\n", "out-of-range", (2, 8), "9 or less"),
    ("name: ab\ncount: 6\n", "out-of-range", (2, 8), "5 or less"),
    ("name: ab\nshare: x\n", "wrong-type", (2, 8), "a number is expected"),
    ("name: ab\non: yes\n", "wrong-type", (2, 5), "Write true."),
    ("name: ab\non: 'OFF'\n", "wrong-type", (2, 5), "Write false."),
    ("name: ab\non: 1\n", "wrong-type", (2, 5), "For example: on: true"),
    ("name: ab\nkind: alphabeta\n", "unknown-value", (2, 7), "Did you mean 'alpha-beta'?"),
    ("name: ab\nkind: gamma\n", "missing-key", (1, 1), "'count' is missing. gamma needs a count."),
    ("name: ab\nwords: x\n", "wrong-type", (2, 8), "Write it as a list: [x]"),
    ("name: ab\nwords: 'C:\\x'\n", "wrong-type", (2, 8), "Write it as a list: ['C:\\x']"),
    ("name: ab\nwords: []\n", "wrong-count", (2, 8), "at least 1"),
    ("name: ab\nwords:\n- x\n- y\n- x\n", "repeated", (5, 3), "in line 3 already"),
    ("name: ab\nwords: [a, {b: c}]\n", "wrong-type", (2, 12), "'words[1]' is keys with values"),
    ("name: ab\nnamed: {A: 1, b: 2}\n", "wrong-form", (2, 15), "Capitals."),
    ("name: ab\nnamed:\n  A: x\n", "wrong-type", (3, 6), "'named.A' is 'x'"),
    ("- name\n", "wrong-type", (1, 1), "'the document' is a list; keys with values is expected"),
]


@pytest.mark.parametrize(("text", "id", "place", "words"), TABLE)
def test_a_difference_is_reported_once_at_its_place(
    text: str, id: str | None, place: tuple[int, int] | None, words: str | None
) -> None:
    found = diagnostics(text)
    if id is None or words is None:
        assert found == ()
        return
    assert [each.id for each in found] == [id]
    assert found[0].place is not None
    assert (found[0].place.line, found[0].place.column) == place
    assert words in found[0].detail
    assert found[0].source_line == text.split("\n")[found[0].place.line - 1]


def test_all_differences_are_reported_in_the_order_of_the_text() -> None:
    found = diagnostics("name: 1\nkind: x\nwords: [1, 2]\nfoo: 1\ncount: x\n")
    assert [each.place.line for each in found if each.place] == [1, 2, 3, 3, 4, 5]


def test_a_secret_is_never_shown() -> None:
    found = diagnostics("{name: AB, secret: hunter2, foo: 1}\n")
    assert [each.id for each in found] == ["wrong-form", "wrong-form", "unknown-key"]
    assert "hunter2" not in repr(found)


def test_kinds_are_told_apart() -> None:
    def ids(text: str, kind: str | None = None) -> list[str]:
        document = parse_documents(text, file="f").documents[0]
        return [each.id + " " + each.detail for each in check_document(document, kind=kind)]

    assert "not a kind of document. Did you mean 'Inventory'?" in ids("kind: Inventry\n")[0]
    assert "'kind' is missing. Was it meant by 'Kind'?" in ids("Kind: Inventory\n")[0]
    assert ids("- a\n")[0].startswith("document ")
    wrong = ids("apiVersion: goexchange/v1\nkind: Inventory\n", "Specification")
    assert wrong == ["kind This document is of kind Inventory; Specification is needed here."]
    assert ids("apiVersion: goexchange/v2\nkind: Inventory\n")[0].startswith("unknown-value ")
    assert ids("apiVersion: goexchange/v1\nkind: Inventory\n") == []


def test_places_that_are_known_to_be_wrong_are_not_reported_again() -> None:
    text = "apiVersion: goexchange/v1\nkind: Inventory\nverifier: &a 5\n"
    parsed = parse_documents(text, file="f")
    known = [each.place for each in parsed.diagnostics if each.place is not None]
    assert len(check_document(parsed.documents[0])) == 1
    assert check_document(parsed.documents[0], known=known) == ()


def test_suggestions() -> None:
    assert did_you_mean("WhiteSpaceMax", ["white_space_max", "mounted"]) == "white_space_max"
    assert did_you_mean("prod", ["test", "production"]) == "production"
    assert did_you_mean("qqq", ["white_space_max"]) is None
    assert suggestion("qqq", ["b", "a"]) == "Possible: a, b."
    assert suggestion("x", [str(n) for n in range(30)]) == "Possible: 30 are known."


# --- verdicts compared with jsonschema's

REPLACEMENTS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 11, 1.5, 3.0, "", "x", "EX01", "20%", "15m", "0s", "10GiB",
    "SAT 22:00",
    "C:\\x", "\\\\a\\b$", "env:X", "agent", "suspend", "offline", [], ["EX01"],
    ["EX01", "EX01"], {}, {"path": "C:\\x"},
    {"name": "a"}, "a\nb", "é", "99999999999999999999",
)  # fmt: skip


def _mutated(value: Any, chance: random.Random) -> Any:
    """Return a copy with one random part deleted, renamed, replaced or added."""
    copy = json.loads(json.dumps(value))
    spots: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        parts = node.items() if isinstance(node, dict) else enumerate(node)
        for key, part in list(parts):
            spots.append((node, key))
            if isinstance(part, (dict, list)):
                walk(part)

    walk(copy)
    parent, key = chance.choice(spots)
    act = chance.choice(("delete", "rename", "replace", "replace", "replace", "add"))
    if act == "delete":
        del parent[key]
    elif act == "rename" and isinstance(parent, dict):
        parent[f"{key}x"] = parent.pop(key)
    elif act == "add" and isinstance(parent, list):
        parent.append(chance.choice(REPLACEMENTS))
    else:
        parent[key] = chance.choice(REPLACEMENTS)
    return copy


@pytest.mark.parametrize("kind", ["specification", "inventory", "configuration"])
def test_verdicts_agree_with_jsonschema(kind: str) -> None:
    schema = load_schema(kind)
    oracle = jsonschema.Draft7Validator(schema)
    plains = [
        to_plain(d.root)
        for p in EXAMPLES
        for d in documents_of(p)
        if d.kind and d.kind.lower() == kind
    ]
    chance = random.Random(kind)
    verdicts = []
    for _ in range(100):
        plain = chance.choice(plains)
        for _ in range(chance.randint(1, 2)):
            plain = _mutated(plain, chance)
        document = parse_documents(json.dumps(plain), file="f").documents[0]
        verdict = not check(document, schema)
        assert verdict == oracle.is_valid(plain), plain
        verdicts.append(verdict)
    assert {True, False} == set(verdicts)
