"""The totals of `eseutil /ms`: literal output, cut anywhere, in other code pages and locales, and
fuzzed: *unknown* or right.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import decode_output, parse_space, space_arguments

# Laid out by the format strings of the ESE source (dbspacedump.cxx); the figures are invented.
SAMPLE = """
Extensible Storage Engine Utilities for Microsoft(R) Exchange Server
Version 15.02
Copyright (C) Microsoft Corporation. All Rights Reserved.

Initiating FILE DUMP mode...
        Database: D:\\DB 01\\Müller's [VIP].edb

Name                        Type  Owned(MB)  O%OfDb O%OfTable Avail(MB) Avail%Tbl AutoInc
=========================== ====  ========= ======= ========= ========= ========= =======
Db                          Db      98304.0 100.00%              41984.0    42.71%
    MSysObjects             Tbl         2.1   0.00%   100.00%       0.4    19.05%
    Pages 1                 Tbl         2.1   0.00%   100.00%       0.4    19.05%
Note: Some small tables/indices were not printed (use /v option to see those smaller than 0.1%)
-----------------------------------------------------------------------------------------

    Enumerated 4711 Tables ( 9201 Internal Trees, 310 Long Value Trees, 8231 Secondary Indices )

    Pages 3145728 ( 1802240 Used (57.3%), 1343488 Available (42.7%) ) + 16 Shelved

    Note: This database is over 20% empty, an offline defragmentation can be used to shrink\
 the file.


Operation completed successfully in 21.7 seconds.

"""


def captured(text: str, *, codec: str = "cp437", end: str = "\r\r\n") -> str:
    return decode_output(text.replace("\n", end).encode(codec, "replace"))


@pytest.mark.parametrize("codec", ["cp437", "cp850", "cp1252", "utf-8", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_the_totals_are_read_in_every_code_page(codec: str, end: str) -> None:
    found = parse_space(captured(SAMPLE, codec=codec, end=end))
    assert not isinstance(found, Unknown)
    assert (found.pages_owned, found.pages_used, found.pages_available) == (
        3145728,
        1802240,
        1343488,
    )
    assert (found.pages_shelved, found.tables, found.is_complete) == (16, 4711, True)


def test_a_decimal_comma_and_a_missing_tail_of_older_builds_are_read() -> None:
    text = SAMPLE.replace("57.3%", "57,3%").replace("42.7%) ) + 16 Shelved", "42,7%) )")
    found = parse_space(captured(text))
    assert not isinstance(found, Unknown) and found.pages_shelved == 0 and found.is_complete


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Initiating FILE DUMP mode", "Initialisiere DATEIABBILD-Modus", "not the output"),
        ("Pages 3145728", "Seiten 3145728", "0 lines"),
        ("Operation completed successfully", "Vorgang erfolgreich beendet", "last line"),
        ("    Note: This", " There are 7 overbooked pages.\n    Note: This", "overlap"),
        ("\n    Note:", "\n    Pages 2 ( 1 Used (50.0%), 1 Available (50.0%) )\n  ", "2 lines"),
        ("Pages 3145728 (", "Pages 3145728 ( 9 Leaked (0.0%),", "0 lines"),
    ],
)
def test_what_is_not_understood_is_unknown(old: str, new: str, words: str) -> None:
    found = parse_space(captured(SAMPLE.replace(old, new)))
    assert isinstance(found, Unknown) and words in found.reason


def test_figures_that_contradict_each_other_are_not_complete() -> None:
    found = parse_space(captured(SAMPLE.replace("1802240 Used", "1802241 Used")))
    assert not isinstance(found, Unknown) and not found.is_complete
    failed = SAMPLE.replace(
        "completed successfully in 21.7 seconds.",
        "terminated with error -1206 (JET_errDatabaseCorrupted, corrupt) after 21.7 seconds.",
    )
    found = parse_space(captured(failed))
    assert not isinstance(found, Unknown) and not found.is_complete


@given(st.integers(min_value=0, max_value=len(SAMPLE) - 3))
def test_cut_output_is_unknown(length: int) -> None:
    """Anything before the last line of the tool says nothing."""
    assert isinstance(parse_space(captured(SAMPLE[:length])), Unknown)


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=len(SAMPLE) - 1), st.characters(codec="utf-8"))
def test_a_changed_letter_is_unknown_or_the_figures_that_stand_there(at: int, letter: str) -> None:
    text = captured(SAMPLE[:at] + letter + SAMPLE[at + 1 :], codec="utf-8")
    found = parse_space(text)
    if not isinstance(found, Unknown):
        assert f"Pages {found.pages_owned} ( {found.pages_used} Used" in text
        assert f" {found.pages_available} Available" in text


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_it(content: bytes) -> None:
    parse_space(decode_output(content))


def test_the_command_line_only_reads_one_local_file() -> None:
    assert space_arguments("D:\\DB 01\\DB01.edb") == ("/ms", "D:\\DB 01\\DB01.edb")
