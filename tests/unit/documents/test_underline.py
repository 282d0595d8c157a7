"""The offending text is underlined, whole and nothing else."""

from __future__ import annotations

import pytest

from goexchange.documents.underline import underline


@pytest.mark.parametrize(
    ("line", "column", "marked"),
    [
        ("kind: Inventroy", 7, "Inventroy"),
        ("kind: Inventroy   # a comment", 7, "Inventroy"),
        ("  nmae: x", 3, "nmae"),
        ("{nmae: x, b: c}", 2, "nmae"),
        ("a: {b: two words, c: d}", 8, "two words"),
        ("a: two words, and more # why", 4, "two words, and more"),
        ("a: 'it''s, so' # x", 4, "'it''s, so'"),
        ('a: "b \\" c", d', 4, '"b \\" c"'),
        ("a: {b: [1, '}'], c: d} # x", 4, "{b: [1, '}'], c: d}"),
        ("a: [1, # x", 4, "[1,"),
        ("a: C:\\ops", 4, "C:\\ops"),
        ("- http://x y", 3, "http://x y"),
        ("a:", 3, ""),
    ],
)
def test_the_text_at_the_column_is_underlined(line: str, column: int, marked: str) -> None:
    marks = underline(line, column)
    assert marks.strip() == "^" + "~" * (len(marked) - 1)
    assert line[len(marks) - max(len(marked), 1) :].startswith(marked)


def test_wide_signs_and_tabs_keep_the_marks_below_the_text() -> None:
    assert underline("日本: wrong", 5) == "      ^~~~~"
    assert underline("\t- x", 2).startswith("\t^")
    assert underline("a: 日本", 4) == "   ^~~~"


@pytest.mark.parametrize("column", [1, 5, 50])
def test_a_column_beyond_the_line_is_a_mark_all_the_same(column: int) -> None:
    assert underline("abc", column).endswith("^") or column == 1
