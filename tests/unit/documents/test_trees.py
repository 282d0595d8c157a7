"""Text becomes trees: values, places of keys and values, several documents, digests."""

from __future__ import annotations

import pytest

from goexchange.documents import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    digest,
    parse_documents,
    resolve_plain,
    to_plain,
)


def document(text: str) -> Document:
    parsed = parse_documents(text, file="f.yaml")
    assert parsed.diagnostics == ()
    return parsed.documents[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("022", 22),
        ("0o22", 18),
        ("0x1F", 31),
        ("-7", -7),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1.", 1.0),
        (".", "."),
        ("-", "-"),
        ("+", "+"),
        ("22:00", "22:00"),
        ("190:20:30", "190:20:30"),
        ("2026-11-22", "2026-11-22"),
        ("20%", "20%"),
        ("15m", "15m"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    resolved = resolve_plain(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * 101, "0x" + "f" * 100])
def test_numbers_that_no_document_holds_are_refused(text: str) -> None:
    with pytest.raises(OverflowError):
        resolve_plain(text)


def test_quoted_scalars_are_text() -> None:
    plain = to_plain(document("a: '1'\nb: \"true\"\nc: |\n  null\n").root)
    assert plain == {"a": "1", "b": "true", "c": "null\n"}


def test_every_key_and_value_knows_its_place() -> None:
    root = document("a: 1\nlist:\n  - x\n  - {k: v}\nüber:   'ä'  # ä\n").root
    assert isinstance(root, Mapping)
    places = [str(entry.key.place) + "/" + str(entry.value.place) for entry in root.entries]
    assert places == ["f.yaml:1:1/f.yaml:1:4", "f.yaml:2:1/f.yaml:3:3", "f.yaml:5:1/f.yaml:5:9"]
    listed = root.find("list")
    assert isinstance(listed, Sequence)
    assert [str(place) for place in map(_place, listed.elements)] == ["f.yaml:3:5", "f.yaml:4:5"]
    flow = listed.elements[1]
    assert isinstance(flow, Mapping)
    assert str(flow.key_place("k")) == "f.yaml:4:6"
    assert str(flow.key_place("absent")) == "f.yaml:4:5"


def _place(node: Node) -> object:
    return node.place


def test_a_byte_order_mark_and_windows_line_ends_do_not_move_places() -> None:
    parsed = parse_documents(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", file="f")
    root = parsed.documents[0].root
    assert isinstance(root, Mapping)
    assert str(root.key_place("b")) == "f:2:1"
    assert parsed.documents[0].source_line(root.key_place("b")) == "b: 2"


def test_a_file_holds_several_documents() -> None:
    parsed = parse_documents("kind: A\n---\nkind: B\n--- 5\n", file="f")
    assert [each.kind for each in parsed.documents] == ["A", "B", None]
    last = parsed.documents[2].root
    assert isinstance(last, Scalar)
    assert last.value == 5


def test_the_digest_moves_with_values_only() -> None:
    first = digest(document("a: 1\nb: [x, 'y']\n"))
    assert digest(document("# note\nb:\n  - x\n  - y\na:   1\n")) == first
    assert digest(document("a: '1'\nb: [x, y]\n")) != first
    assert digest(document("a: 1\nb: [y, x]\n")) != first
