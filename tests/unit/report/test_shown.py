"""Text from hosts is shown as text, whatever is in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goexchange.report.shown import columns, fit, pad, shown, shown_lines, wrap


def test_control_characters_escapes_and_marks_of_direction_become_visible() -> None:
    assert shown("a\x1b[31mb\nc\x00\u202ed\u2028e\u200bf") == (
        "a\\x1b[31mb\\x0ac\\x00\\u202ed\\u2028e\\u200bf"
    )


def test_letters_of_every_script_and_windows_paths_stay() -> None:
    for text in ("Müller", "データベース", "База", r"D:\new\table", "قاعدة"):
        assert shown(text) == text


def test_long_text_is_cut_and_the_cut_is_said() -> None:
    assert shown("x" * 10, limit=4) == "xxxx... (6 more characters)"


def test_lines_keep_their_breaks_and_show_the_end_of_long_output() -> None:
    assert shown_lines("one\r\r\n\r\r\ntwo\x1b[2J\r\r\n") == "one\n\ntwo\\x1b[2J"
    assert shown_lines("a" * 9 + "\nend", limit=4) == "(9 earlier characters left out)\nend"


def test_width_counts_wide_letters_twice_and_combining_marks_not() -> None:
    assert columns("データ") == 6
    assert columns("e\u0301") == 1
    assert pad("デ", 4) == "デ  "
    assert fit("データベース", 8) == "デー..."


def test_paths_break_after_a_separator() -> None:
    assert wrap(r"\\backup01\exchange$\EX01\DB05", 24) == (
        r"\\backup01\exchange$" + "\\",
        r"EX01\DB05",
    )


@given(st.text(), st.integers(min_value=2, max_value=40))
def test_no_line_is_wider_than_asked_and_no_letter_is_lost(text: str, width: int) -> None:
    visible = shown(text)
    lines = wrap(visible, width)
    assert all(columns(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(visible.split())


@given(st.text())
def test_what_is_shown_is_one_printable_line(text: str) -> None:
    assert all(letter.isprintable() or letter.isspace() for letter in shown(text))
    assert len(shown(text).splitlines()) <= 1
