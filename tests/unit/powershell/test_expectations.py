"""The lines that parsers expect, on the literal samples of the references."""

from __future__ import annotations

from pathlib import Path

import pytest

from goexchange.powershell.eseutil import decode_output
from goexchange.powershell.expectations import read_backup, read_tool

SAMPLES = Path(__file__).parents[2] / "cases" / "facts"


def sample(name: str) -> str:
    return decode_output((SAMPLES / name).read_bytes())


@pytest.mark.parametrize(
    ("switch", "name"),
    [
        ("/mh", "eseutil-header/2019-clean.txt"),
        ("/k", "eseutil-checksum/clean.txt"),
        ("/k", "eseutil-checksum/correctable-only.txt"),
        ("/g", "eseutil-integrity/sound.txt"),
        ("/d", "eseutil-defragmentation/kept.txt"),
        ("/d", "eseutil-defragmentation/2003-instated.txt"),
    ],
)
def test_a_sample_of_the_references_is_known_line_by_line(switch: str, name: str) -> None:
    found = read_tool(switch, sample(name))
    assert found.lines == () and found.parser == f"eseutil {switch}"
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("switch", "name"),
    [
        ("/mh", "eseutil-header/cut.txt"),
        ("/mh", "eseutil-header/unknown-state.txt"),
        ("/k", "eseutil-checksum/count-missing.txt"),
        ("/g", "eseutil-integrity/no-verdict.txt"),
        ("/d", "eseutil-defragmentation/under-way.txt"),
    ],
)
def test_what_a_parser_cannot_read_is_a_reason(switch: str, name: str) -> None:
    assert read_tool(switch, sample(name)).reasons


def test_a_line_that_no_reference_names_is_told_once_and_cut() -> None:
    text = sample("eseutil-checksum/clean.txt")
    odd = "0 Seiten waren kaputt " + "x" * 300
    found = read_tool("/k", f"{odd}\n{odd}\n{text}")
    assert found.reasons == () and found.lines == (odd[:200],)


def test_a_switch_without_a_parser_is_unknown() -> None:
    assert read_tool("/p", "anything").reasons == ("there is no parser for it",)


def test_backups_in_another_language_are_unknown_with_their_lines() -> None:
    assert read_backup(sample("wbadmin/completed.txt")).reasons == ()
    assert read_backup(sample("wbadmin/completed.txt")).lines == ()
    german = read_backup(sample("wbadmin/german.txt"))
    assert german.reasons and german.lines


def test_the_second_file_of_a_pair_has_to_be_named() -> None:
    text = sample("eseutil-checksum/clean.txt")
    pair = text.replace("Initiating", "   Streaming File: D:\\a.stm\r\nInitiating", 1)
    lines = [line for line in pair.splitlines() if "correctable" not in line]
    old = "\r\n".join(lines)
    assert "correctable checksums" in read_tool("/k", old).reasons[0]
    assert read_tool("/k", old, streaming="D:\\a.stm").reasons == ()
    assert "streaming file" in read_tool("/k", text, streaming="D:\\a.stm").reasons[0]
