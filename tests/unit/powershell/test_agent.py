"""What backup agents print: the operator's words, whatever is around them, and nothing guessed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goexchange.model.desired import BackupState
from goexchange.model.unknown import Unknown
from goexchange.powershell.agent import copies_in, last_line, state_of

# Words of the vendors' references: Veeam (Result), NetBackup (state), Commvault, scheduled tasks.
STATES = {
    "Working": BackupState.RUNNING,
    "Success": BackupState.SUCCEEDED,
    "Failed": BackupState.FAILED,
    "Completed w/ one or more errors": BackupState.FAILED,
    "267009": BackupState.RUNNING,
    "0": BackupState.SUCCEEDED,
}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Success\r\n", BackupState.SUCCEEDED),
        ("\r\r\n  success  \r\r\n\r\r\n", BackupState.SUCCEEDED),  # Windows Server prints \r\r\n
        ("Job 4711\r\nResult\r\n------\r\nWorking\r\n", BackupState.RUNNING),
        ("Completed w/ one or more errors", BackupState.FAILED),
        ("267009\r\n", BackupState.RUNNING),
    ],
)
def test_the_last_line_is_the_word(text: str, state: BackupState) -> None:
    assert state_of(text, 0, STATES) is state


@pytest.mark.parametrize(
    ("text", "code", "why"),
    [
        ("Warning\r\n", 0, "it printed 'Warning', which no mapping names"),
        ("Erfolgreich\r\n", 0, "it printed 'Erfolgreich', which no mapping names"),
        ("Success of job 4711\r\n", 0, "no mapping names"),
        ("Succ", 0, "no mapping names"),  # cut output
        ("Success\r\nlicence expires soon\r\n", 0, "no mapping names"),
        ("", 0, "printed nothing"),
        (" \r\n\r\n", 0, "printed nothing"),
        ("Success\r\n", 1, "ended with 1"),
        ("Success\r\n", None, "could not be started"),
    ],
)
def test_anything_else_is_unknown(text: str, code: int | None, why: str) -> None:
    state = state_of(text, code, STATES)
    assert isinstance(state, Unknown)
    assert why in state.reason


def test_copies_are_lines_that_are_a_time_in_utc() -> None:
    text = (
        "Restore points\r\n2026-11-28T01:00:00Z\r\n 2026-11-21 01:00Z \r\n"
        "2026-13-28T01:00:00Z\r\n28.11.2026 01:00\r\n2026-11-28T01:00:00+01:00\r\n"
        "copy of 2026-11-28T01:00:00Z\r\n"
    )
    assert copies_in(text) == (
        datetime(2026, 11, 21, 1, 0, tzinfo=UTC),
        datetime(2026, 11, 28, 1, 0, tzinfo=UTC),
    )


@given(st.text(), st.one_of(st.none(), st.integers()))
def test_no_text_becomes_success_but_the_word_itself(text: str, code: int | None) -> None:
    state = state_of(text, code, STATES)
    named = {word.casefold() for word in STATES}
    if last_line(text).casefold() in named and code == 0:
        assert isinstance(state, BackupState)
    else:
        assert isinstance(state, Unknown)


@given(st.text())
def test_no_text_breaks_the_reading_of_copies(text: str) -> None:
    found = copies_in(text)
    assert list(found) == sorted(found)
