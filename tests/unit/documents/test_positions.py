"""Every key of every example, damaged in every way: the message stands where the damage is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from goexchange.documents import Entry, Mapping, Node, Scalar, Sequence, parse_documents
from goexchange.errors import Diagnostic
from tests.unit.documents.examples import EXAMPLES, documents_of
from tests.unit.documents.test_mutations import load


def entries(node: Node) -> Iterator[tuple[Mapping, Entry]]:
    """Every key with its mapping, from the top down."""
    if isinstance(node, Mapping):
        for entry in node.entries:
            yield node, entry
            yield from entries(entry.value)
    elif isinstance(node, Sequence):
        for element in node.elements:
            yield from entries(element)


def examples() -> Iterator[tuple[Path, list[str], Mapping, Entry]]:
    for path in EXAMPLES:
        lines = path.read_text("utf-8").split("\n")
        for mapping, entry in entries(documents_of(path)[0].root):
            yield path, lines, mapping, entry


def found_in(lines: list[str]) -> list[Diagnostic]:
    parsed = parse_documents("\n".join(lines), file="f")
    found = list(parsed.diagnostics)
    known = {each.place for each in found}
    for document in parsed.documents:
        found += [each for each in load(document)[1] if each.place not in known]
    return found


def places(found: list[Diagnostic], *ids: str) -> list[tuple[int, int]]:
    return [(e.place.line, e.place.column) for e in found if e.place and e.id in ids]


def put(lines: list[str], line: int, column: int, text: str, *, over: int = 0) -> list[str]:
    """The lines with a text put in at a place, over some signs."""
    changed = list(lines)
    old = changed[line - 1]
    changed[line - 1] = old[: column - 1] + text + old[column - 1 + over :]
    return changed


def is_block(mapping: Mapping, lines: list[str]) -> bool:
    return lines[mapping.place.line - 1][mapping.place.column - 1] != "{"


def test_a_repeated_key_is_reported_at_the_second_one() -> None:
    checked = 0
    for _, lines, mapping, entry in examples():
        line, column = entry.key.place.line, entry.key.place.column
        if is_block(mapping, lines):
            indent = " " * (column - 1)
            changed = [*lines[: line - 1], f"{indent}{entry.name}: again", *lines[line - 1 :]]
            if lines[line - 1][: column - 1].strip():
                continue  # the first key of a list's element stands beside its dash
            expected = (line + 1, column)
        else:
            changed = put(lines, line, column, f"{entry.name}: again, ")
            expected = (line, column + len(entry.name) + 9)
        assert expected in places(found_in(changed), "yaml-duplicate-key"), (entry, expected)
        checked += 1
    assert checked > 60


def test_a_value_of_another_type_is_reported_at_the_value() -> None:
    checked = 0
    for _, lines, _, entry in examples():
        value = entry.value
        if not isinstance(value, Scalar) or entry.name in ("kind", "description", "name"):
            continue
        line, column = value.place.line, value.place.column
        rest = lines[line - 1][column - 1 :]
        over = len(value.text) + 2 * (rest[:1] in ("'", '"'))
        wrong = found_in(put(lines, line, column, "[[]]", over=over))
        ids = ("wrong-type", "unknown-value", "wrong-form")
        assert (line, column) in places(wrong, *ids), (entry, wrong)
        checked += 1
    assert checked > 60


@pytest.mark.parametrize(("text", "id"), [("&a ", "yaml-anchor"), ("!t ", "yaml-tag")])
def test_anchors_and_tags_are_reported_where_they_stand(text: str, id: str) -> None:
    for _, lines, _, entry in examples():
        if isinstance(entry.value, Scalar):
            place = entry.value.place
            found = found_in(put(lines, place.line, place.column, text))
            assert (place.line, place.column) in places(found, id), entry


def test_a_tab_is_reported_where_it_stands() -> None:
    for path in EXAMPLES:
        lines = path.read_text("utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if line.startswith("  ") and line.strip() and line.lstrip()[0] not in "#":
                found = found_in(put(lines, number, 1, "\t", over=2))
                assert (number, 1) in places(found, "yaml-tab"), (path, number, found)


@pytest.mark.parametrize("damage", [b"\xff", b"\xc3(", b"\xed\xa0\x80"])
def test_a_byte_that_is_not_utf_8_is_reported_where_it_stands(damage: bytes) -> None:
    for path in EXAMPLES:
        lines = path.read_bytes().split(b"\n")
        for number in range(0, len(lines), 7):
            changed = [*lines[:number], lines[number] + damage, *lines[number + 1 :]]
            parsed = parse_documents(b"\n".join(changed), file="f")
            column = len(lines[number].decode()) + 1
            assert places(list(parsed.diagnostics), "yaml-encoding") == [(number + 1, column)]


@pytest.mark.parametrize("unit", ["[", "{a: "])
def test_deep_nesting_is_refused_and_never_a_traceback(unit: str) -> None:
    for depth in (10, 60, 5_000, 100_000):
        found = found_in(["kind: Specification", "metadata: " + unit * depth])
        assert found and all(each.place is not None for each in found)


def test_all_mistakes_come_in_one_run() -> None:
    for path in EXAMPLES:
        lines = path.read_text("utf-8").split("\n")
        root = documents_of(path)[0].root
        assert isinstance(root, Mapping)
        changed, expected = list(lines), []
        for entry in root.entries:
            if entry.name not in ("apiVersion", "kind"):
                changed = put(changed, entry.key.place.line, 1, "x", over=0)
                expected.append((entry.key.place.line, 1))
        assert set(expected) <= set(places(found_in(changed), "unknown-key", "yaml-syntax"))
