"""What mtacheck writes: the lines of the vendor's articles, and nothing beside them."""

from __future__ import annotations

import pytest

from goexchange.model.unknown import Unknown
from goexchange.powershell.mtacheck import MtaReport, MtaVerdict, parse_mtacheck

CLEAN = "Database clean, no errors detected\r\n"
REPAIRED = (
    "Queue 'xxx' required reconstruction\r\n- corrupted queue file\r\n"
    "23 messages recovered to the queue\r\n\r\n"
    "Object 300596 invalid\r\n- missing object file\r\nObject removed from queue 'x'\r\n"
    "MTS-ID: c=US;a= ;p=Contoso;l=EX07-980101\r\n"
    "1 queue(s) required repair out of 12 detected\r\n"
    "1 object(s) damaged out of 340 detected\r\n"
    "Database repaired, some data may have been lost\r\n"
)
SERIOUS = "Database has serious errors and cannot be reconstructed.\r\n"


def read(text: str) -> MtaReport:
    found = parse_mtacheck(text)
    assert isinstance(found, MtaReport), found
    return found


def test_a_clean_database() -> None:
    found = read(CLEAN)
    assert (found.verdict, found.repaired, found.details) == (MtaVerdict.CLEAN, 0, ())


def test_what_was_repaired_is_counted_and_named() -> None:
    found = read(REPAIRED)
    assert found.verdict is MtaVerdict.REPAIRED
    assert (found.queues_repaired, found.objects_damaged, found.messages_recovered) == (1, 1, 23)
    assert found.repaired == 2 and "Object 300596 invalid" in found.details


@pytest.mark.parametrize("more", ["", "Some objects missing from the Boot Environment...\r\n"])
def test_one_that_cannot_be_reconstructed(more: str) -> None:
    assert read(more + SERIOUS).verdict is MtaVerdict.SERIOUS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no verdict"),
        ("1 queue(s) required repair out of 12 detected\r\n", "no verdict"),
        (CLEAN + SERIOUS, "two verdicts"),
        (CLEAN + "Starting object integrity checks\r\n", "not known"),
        ("Database clean, no errors detected.\r\n", "not known"),
        ("database clean, no errors detected\r\n", "not known"),
        ("Base de datos limpia\r\n", "not known"),
        ("Object 300596 invalid\r\n" + CLEAN, "calls the database clean and names"),
        ("2 object(s) damaged out of 9 detected\r\n" + CLEAN, "calls the database clean"),
        (REPAIRED.replace("queue(s) required", "queues required"), "not known"),
    ],
)
def test_everything_else_is_unknown(text: str, why: str) -> None:
    found = parse_mtacheck(text)
    assert isinstance(found, Unknown) and why in found.reason


def test_the_same_verdict_twice_is_one() -> None:
    assert read(CLEAN + CLEAN).verdict is MtaVerdict.CLEAN
