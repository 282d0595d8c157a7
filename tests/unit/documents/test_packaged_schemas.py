"""The packaged schemas: in our subset, every key described, examples and defaults possible."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import jsonschema
import pytest

from goexchange.model import configuration, desired
from goexchange.resources import (
    ResourceMissing,
    host_script_text,
    schema_kinds,
    schema_text,
    template_folder,
    template_text,
)
from goexchange.schema import CONDITION_KEYWORDS, KEYWORDS, Schema, load_schema, resolve

OURS = ("specification", "inventory", "configuration")


def subschemas(schema: Schema) -> Iterator[Schema]:
    yield schema
    for keyword in ("properties", "definitions"):
        for part in schema.get(keyword, {}).values():
            yield from subschemas(part)
    for keyword in ("items", "additionalProperties", "propertyNames", "if", "then", "else"):
        if isinstance(schema.get(keyword), dict):
            yield from subschemas(schema[keyword])
    for part in schema.get("allOf", ()):
        yield from subschemas(part)


def properties(root: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Yield every key with its schema and whether it is required; conditions are left out."""

    def walk(schema: Schema) -> Iterator[tuple[str, Schema, bool]]:
        for name, part in schema.get("properties", {}).items():
            yield name, part, name in schema.get("required", ())
            yield from walk(part)
        for keyword in ("items", "additionalProperties", "else"):
            if isinstance(schema.get(keyword), dict):
                yield from walk(schema[keyword])

    yield from walk(root)
    for definition in root["definitions"].values():
        yield from walk(definition)


@pytest.mark.parametrize("kind", OURS)
def test_only_keywords_of_our_subset_are_used(kind: str) -> None:
    schema = load_schema(kind)
    jsonschema.Draft7Validator.check_schema(schema)
    used = {keyword for part in subschemas(schema) for keyword in part}
    assert used <= KEYWORDS
    conditions = [
        inner for part in subschemas(schema) if "if" in part for inner in subschemas(part["if"])
    ]
    assert {keyword for inner in conditions for keyword in inner} <= CONDITION_KEYWORDS


@pytest.mark.parametrize("kind", OURS)
def test_every_key_has_description_default_and_example(kind: str) -> None:
    root = load_schema(kind)
    for name, part, is_required in properties(root):
        whole = {**resolve(part, root), **part}
        assert whole["description"].endswith("."), name
        assert whole["examples"], name
        assert is_required or "default" in whole, name
        oracle = jsonschema.Draft7Validator({**part, "definitions": root["definitions"]})
        assert [e.message for e in oracle.iter_errors(whole["examples"][0])] == [], name
        if "default" in whole:
            assert [e.message for e in oracle.iter_errors(whole["default"])] == [], name


@pytest.mark.parametrize("kind", OURS)
def test_patterns_mean_the_same_to_editors(kind: str) -> None:
    for part in subschemas(load_schema(kind)):
        pattern = part.get("pattern", "^$")
        assert pattern.startswith("^"), pattern
        assert not re.search(r"\\[dwsDWSAZ]|\(\?P|\(\?<", pattern), pattern


def test_closed_lists_are_those_of_the_model() -> None:
    listed = {
        tuple(value for value in part["enum"] if value is not None)
        for kind in OURS
        for part in subschemas(load_schema(kind))
        if "enum" in part
    }
    enums: list[type[Enum]] = [
        value
        for module in (desired, configuration)
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Enum)
        and value.__module__ == module.__name__
    ]
    written = {configuration.SecretKind, configuration.Origin, desired.ProcessLimit}
    for enum in set(enums) - written:
        assert tuple(member.value for member in enum) in listed, enum


def test_packaged_files_are_found_by_name() -> None:
    assert set(OURS) <= set(schema_kinds())
    assert '"title": "goexchange inventory"' in schema_text("inventory")
    for read, name in ((schema_text, "nothing"), (template_text, "nothing.txt")):
        with pytest.raises(ResourceMissing, match="nothing"):
            read(name)
    for name in ("../pyproject", "a/../../b", "/etc/passwd", "a\\b", ""):
        with pytest.raises(ResourceMissing, match="not the name"):
            host_script_text(name)
    assert template_folder().name == "reports"


def test_a_missing_version_is_refused_by_name() -> None:
    with pytest.raises(ResourceMissing, match="inventory.v99.json"):
        schema_text("inventory", version=99)


def test_the_shortest_useful_specification_has_ten_lines() -> None:
    from tests.unit.documents.examples import SPECS

    text: Any = (SPECS / "minimal.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 10
