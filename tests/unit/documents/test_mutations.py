"""Damaged documents: never a traceback, every message at a place that exists."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from goexchange.documents import Document, parse_documents
from goexchange.errors import Diagnostic
from goexchange.inventory import load_inventory
from goexchange.settings import load_configuration
from goexchange.settings.policy import load_policy
from goexchange.settings.specification_test import load_specification_test
from goexchange.spec import check_against_inventory, load_specification, unsupported_parts
from tests.unit.documents.examples import EXAMPLES, SPECS, documents_of

VALUES = (
    "no",
    "5",
    "''",
    "[]",
    "{}",
    "null",
    "'",
    "[x",
    "\\x",
    "*a",
    "&a b",
    "!t c",
    "9e999",
    "0x",
    "é",
    "~",
    "-1",
)
SIGNS = (
    "\t",
    "\x00",
    "\u2028",
    ":",
    "#",
    "'",
    '"',
    "{",
    "]",
    "%",
    "@",
    "-",
    "\ud7ff",
    "ä",
    "\n",
    "\r",
)
INVENTORY, _ = load_inventory(documents_of(SPECS / "inventory" / "berlin.yaml"))


def damaged(text: str, chance: random.Random) -> str:
    """Return the text with one line damaged, one sign put in, or its end cut off."""
    lines = text.split("\n")
    index = chance.randrange(len(lines))
    line = lines[index]
    act = chance.randrange(7)
    if act == 0:
        del lines[index]
    elif act == 1:
        lines.insert(index, line)
    elif act == 2:
        lines[index] = "  " + line
    elif act == 3:
        lines[index] = re.sub(r"(\w+):", r"\1x:", line, count=1)
    elif act == 4:
        lines[index] = re.sub(r": .*", lambda _: ": " + chance.choice(VALUES), line, count=1)
    elif act == 5:
        column = chance.randint(0, len(line))
        lines[index] = line[:column] + chance.choice(SIGNS) + line[column:]
    else:
        return text[: chance.randrange(len(text))]
    return "\n".join(lines)


def load(document: Document) -> tuple[object, Iterable[Diagnostic]]:
    if document.kind == "Inventory":
        return load_inventory([document])
    if document.kind == "Configuration":
        return load_configuration(document, flags={}, environment={})
    if document.kind == "Policy":
        return load_policy(document)
    if document.kind == "SpecificationTest":
        return load_specification_test(document)
    desired, found = load_specification(document)
    if desired is None or INVENTORY is None:
        return desired, found
    unsupported_parts(desired)
    return desired, (*found, *check_against_inventory(desired, INVENTORY, document))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_damaged_document_is_loaded_or_explained(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    chance = random.Random(path.name)
    explained = 0
    for _ in range(120):
        changed = damaged(text, chance)
        parsed = parse_documents(changed, file="f")
        found = list(parsed.diagnostics)
        for document in parsed.documents:
            value, more = load(document)
            found += more
            assert value is not None or found
        lines = len(re.split(r"\r\n|\n|\r", changed))
        for each in found:
            assert each.place is not None
            assert each.place.file == "f"
            assert 1 <= each.place.line <= lines + 1
            assert each.place.column >= 1
            assert each.detail.strip()
        explained += bool(found)
    assert explained > 50


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_renamed_key_is_reported_where_it_stands(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    named = re.compile(
        r"(?: {0,2}(?:store|output|desired|script|strategy|backup|servers|windows|approvals"
        r"|roles|given|expect|needs)):"
    )
    indexes = [index for index, line in enumerate(lines) if named.match(line)]
    assert indexes
    for index in indexes:
        changed = list(lines)
        changed[index] = re.sub(r"(\w+):", r"\1x:", changed[index], count=1)
        parsed = parse_documents("\n".join(changed), file="f")
        assert parsed.diagnostics == ()
        found = [each for one in parsed.documents for each in load(one)[1]]
        column = len(lines[index]) - len(lines[index].lstrip()) + 1
        unknown = [each.place for each in found if each.id == "unknown-key"]
        assert [(place.line, place.column) for place in unknown if place] == [(index + 1, column)]


def test_random_bytes_are_never_a_traceback() -> None:
    chance = random.Random(7)
    whole = (SPECS / "weekly-preventative.yaml").read_bytes()
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        parsed = parse_documents(bytes(content), file="f")
        assert parsed.documents or parsed.diagnostics
