"""What `eseutil /p` prints, as it ends well, and everything else, which is unknown."""

from __future__ import annotations

import pytest

from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import (
    EseutilRefused,
    RepairEnd,
    decode_output,
    parse_repair,
    repair_arguments,
)

HEAD = (
    "Extensible Storage Engine Utilities for Microsoft(R) Exchange Server\r\r\n\r\r\n"
    "Initiating REPAIR mode...\r\r\n"
    "        Database: D:\\DB05\\gx-1\\repair-DB05.edb\r\r\n"
    "  Temp. Database: D:\\DB05\\gx-1\\repair.tmp.edb\r\r\n\r\r\n"
    "Checking database integrity.\r\r\n\r\r\n"
)
REPAIRED = (
    "Scanning the database catalog.\r\r\nRepairing damaged tables.\r\r\n"
    "Repair completed. Database corruption has been repaired!\r\r\n\r\r\n"
)
WARNED = (
    "Operation completed successfully with 595 (JET_wrnDatabaseRepaired, Database corruption has"
    " been repaired) after 12.7 seconds.\r\r\n"
)
SOUND = "Integrity check successful.\r\r\n\r\r\n"
DONE = "Operation completed successfully in 2.31 seconds.\r\r\n"
FAILED = (
    "Operation terminated with error -1206 (JET_errDatabaseCorrupted, Non database file or"
    " corrupted db) after 1.2 seconds.\r\r\n"
)


def parsed(text: str) -> object:
    return parse_repair(decode_output(text.encode("cp437")))


def test_a_file_that_was_changed_and_one_that_was_not() -> None:
    report = parse_repair(decode_output((HEAD + REPAIRED + WARNED).encode()))
    assert not isinstance(report, Unknown)
    assert (report.outcome, report.end.error) == (RepairEnd.REPAIRED, 595)
    report = parse_repair(decode_output((HEAD + SOUND + DONE).encode()))
    assert not isinstance(report, Unknown)
    assert report.outcome is RepairEnd.NOTHING_TO_REPAIR


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        HEAD + REPAIRED,  # cut before its last line
        HEAD + REPAIRED + DONE,  # says repaired, and ends without the warning
        HEAD + SOUND + WARNED,  # ends with the warning, and says that nothing was wrong
        HEAD + REPAIRED + SOUND + DONE,
        HEAD + WARNED.replace("595", "596"),
        HEAD + REPAIRED + WARNED.replace("595", "596"),
        HEAD + REPAIRED + FAILED,
        HEAD + FAILED,
        HEAD + DONE,
        (HEAD + REPAIRED + WARNED).replace("REPAIR mode", "INTEGRITY mode"),
        HEAD + "<<<<<  Press a key for more help  >>>>>\r\r\n=> ",
    ],
)
def test_every_other_end_is_unknown(text: str) -> None:
    assert isinstance(parsed(text), Unknown)


def test_the_only_command_line_of_a_repair() -> None:
    working, scratch = "D:\\DB05\\gx-1\\repair-DB05.edb", "D:\\DB05\\gx-1\\repair.tmp.edb"
    assert repair_arguments(working, temporary=scratch) == ("/p", working, f"/t{scratch}", "/o")
    for bad in (working, "\\\\share\\x.edb", "x.edb"):
        with pytest.raises(EseutilRefused):
            repair_arguments(working, temporary=bad)
