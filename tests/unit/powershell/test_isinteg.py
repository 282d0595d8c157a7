"""What isinteg prints, on the lines that are known; anything else says nothing."""

from __future__ import annotations

import pytest

from goexchange.model.unknown import Unknown
from goexchange.powershell.expectations import read_isinteg
from goexchange.powershell.isinteg import StoreIntegrity, parse_isinteg

SAMPLE = """\
Databases for server EX06:
Only databases marked as Offline can be checked

Index  Status       Database-Name
Storage Group Name: First Storage Group
  1    Offline      DB20
  2    Online       DB21
Enter a number to select a database or press Return to exit.
You have selected First Storage Group / DB20.
Continue?(Y/N)
Test Folder result: 0 error(s); 0 warning(s); 0 fix(es); 12 row(s); time: 0h:0m:0s
Now in test  1(Folder) of total 2 tests; 50% complete.
Test Message result: 3 error(s); 1 warning(s); 2 fix(es); 900 row(s); time: 1h:20m:9s
Now in test  2(Message) of total 2 tests; 100% complete.
"""


def test_the_counts_of_every_test_are_added() -> None:
    found = parse_isinteg(SAMPLE.replace("\n", "\r\n"))
    assert isinstance(found, StoreIntegrity)
    assert (found.group, found.database) == ("First Storage Group", "DB20")
    assert [each.name for each in found.tests] == ["Folder", "Message"]
    assert (found.errors, found.warnings, found.fixes) == (3, 1, 2)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("You have selected First Storage Group / DB20.\n", ""),
        ("You have selected", "Sie haben"),
        ("Continue?(Y/N)", "You have selected First Storage Group / DB21."),
        ("3 error(s)", "3 errors"),
        ("3 error(s)", "-3 error(s)"),
        ("Test Message result", "Test Message ergab"),
        ("Now in test  2(Message) of total 2 tests; 100% complete.\n", ""),
        ("of total", "von"),
        ("Test Folder", "Pruefung Folder"),
    ],
)
def test_another_form_is_unknown_or_counts_nothing(was: str, now: str) -> None:
    found = parse_isinteg(SAMPLE.replace(was, now))
    if was == "Test Folder":  # a line that is no result at all: the others still count
        assert isinstance(found, StoreIntegrity) and len(found.tests) == 1
    else:
        assert isinstance(found, Unknown)


@pytest.mark.parametrize("length", range(0, len(SAMPLE), 7))
def test_an_output_that_is_cut_is_never_taken_for_a_whole_one(length: int) -> None:
    assert isinstance(parse_isinteg(SAMPLE[: min(length, SAMPLE.index("Now in test  2"))]), Unknown)


def test_a_pilot_knows_every_line_of_the_sample() -> None:
    assert (read_isinteg(SAMPLE).reasons, read_isinteg(SAMPLE).lines) == ((), ())
    assert read_isinteg("Fertig.").reasons and read_isinteg("Fertig.").lines == ("Fertig.",)
