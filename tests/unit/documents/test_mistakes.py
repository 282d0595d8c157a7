"""Mistakes in YAML: the right place, the right words, never a traceback."""

from __future__ import annotations

import pytest

from goexchange.documents import MAX_BYTES, parse_documents, shown_line

TABLE = [
    ("a: 1\na: 2\n", "yaml-duplicate-key", 2, 1, "line 1, column 1"),
    ("x:\n  {a: 1, b: 2, 'a': 3}\n", "yaml-duplicate-key", 2, 16, "line 2, column 4"),
    ("a:\n\tb: 1\n", "yaml-tab", 2, 1, "two per level"),
    ("a:\n  b: 1\n \tc: 2\n", "yaml-tab", 3, 2, "two per level"),
    ("a: b: c\n", "yaml-syntax", 1, 5, "second ': '"),
    ("a: [1, 2\nb: 3\n", "yaml-syntax", 2, 2, "']' or ',' is missing"),
    ("a: {b: 1\nc: 3\n", "yaml-syntax", 2, 2, "'}' or ',' is missing"),
    ("a: @x\n", "yaml-syntax", 1, 4, "'@' cannot begin"),
    ("a: %x\n", "yaml-syntax", 1, 4, "'%' cannot begin"),
    ("a: * \n", "yaml-syntax", 1, 5, "in quotes"),
    ("a: 'x\nb: 2\n", "yaml-syntax", 3, 1, "not closed"),
    ('p: "C:\\ops"\n', "yaml-syntax", 1, 7, "single quotes"),
    ('p: "C:\\Program"\n', "yaml-escape", 1, 4, "single quotes"),
    ("a:\n  - b\n c: d\n", "yaml-syntax", 3, 2, "not indented like"),
    ("- a\nb: 1\n", "yaml-syntax", 2, 1, "not indented like the list"),
    ("a: 1\n...\nb\n", "yaml-syntax", 3, 1, "where the document has ended"),
    ("a: &x 1\n", "yaml-anchor", 1, 4, "'&x'"),
    ("a: &x 1\nb: [*x]\n", "yaml-alias", 2, 5, "Write the value out"),
    ("a: !!int '3'\n", "yaml-tag", 1, 4, "Delete it"),
    ("a: !secret x\n", "yaml-tag", 1, 4, "'!secret'"),
    ("%YAML 1.1\n---\na: no\n", "yaml-directive", 1, 1, "YAML 1.2"),
    ("%TAG ! tag:x,2000:\n---\na: 1\n", "yaml-directive", 1, 1, "Delete the line"),
    ("2019: x\n", "yaml-key", 1, 1, "'2019':"),
    ("a:\n  null: x\n", "yaml-key", 2, 3, "'null':"),
    ("? [a]\n: b\n", "yaml-key", 1, 3, "a key is one word"),
    ("a: .inf\n", "yaml-number", 1, 4, "'.inf'"),
    ("a: 1e999\n", "yaml-number", 1, 4, "in quotes"),
    ("a: x\x07y\n", "yaml-character", 1, 5, "U+0007"),
    ("# ok\na: x\u202ey\n", "yaml-character", 2, 5, "U+202E"),
    ("a: \ud800\n", "yaml-character", 1, 4, "U+D800"),
    (b"a: 1\nb: \xe4\n", "yaml-encoding", 2, 4, "0xe4"),
    (b"\xff\xfea\0:\0", "yaml-encoding", 1, 1, "UTF-16"),
    (b"\xef\xbb\xbf# \xc3\xa4\nb: \xff\n", "yaml-encoding", 2, 4, "0xff"),
    ("", "yaml-empty", 1, 1, "no document"),
    ("# only a remark\n", "yaml-empty", 1, 1, "no document"),
    ("a: " + "[" * 60, "yaml-too-deep", 1, 54, "50 levels"),
    ("a:" * 3000, "yaml-syntax", 1, None, ""),
    (b" " * (MAX_BYTES + 1), "yaml-too-large", 1, 1, "Split it"),
]


@pytest.mark.parametrize(("content", "id", "line", "column", "words"), TABLE)
def test_a_mistake_is_reported_at_its_place(
    content: str | bytes, id: str, line: int, column: int | None, words: str
) -> None:
    diagnostics = parse_documents(content, file="dir/f.yaml").diagnostics
    found = [each for each in diagnostics if each.id == id]
    assert found, diagnostics
    place = found[0].place
    assert place is not None
    assert (place.file, place.line) == ("dir/f.yaml", line)
    assert column is None or place.column == column
    assert words.lower() in found[0].detail.lower()


def test_all_mistakes_beyond_the_syntax_are_reported_together() -> None:
    text = "a: &x 1\na: 2\nb: *x\nc: !t 3\n1: d\n"
    diagnostics = parse_documents(text, file="f").diagnostics
    assert [each.id for each in diagnostics] == [
        "yaml-anchor",
        "yaml-duplicate-key",
        "yaml-alias",
        "yaml-tag",
        "yaml-key",
    ]
    assert diagnostics[1].source_line == "a: 2"


def test_many_aliases_cost_nothing() -> None:
    rows = ["a0: &a0 [x, x]"]
    rows += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    parsed = parse_documents("\n".join(rows), file="f")
    assert len(parsed.diagnostics) == 40 + 2 * 39


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  password: hunter2", "  password: ***"),
        ("{user: a, Passwd: 'x y', b: 1}", "{user: a, Passwd: ***"),
        ("  api_token:   abc", "  api_token:   ***"),
        ("  password: env:NAME", "  password: env:NAME"),
        ("  credential: 'keyring:a/b'", "  credential: 'keyring:a/b'"),
        ("  primary_passes_max: 2", "  primary_passes_max: 2"),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(line: str, shown: str) -> None:
    assert shown_line(line) == shown
