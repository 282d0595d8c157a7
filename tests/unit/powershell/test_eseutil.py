"""The command lines of eseutil, and its printed words under abuse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.model.unknown import Unknown
from goexchange.powershell import eseutil, header_dump, sizes, wbadmin

DATABASE, TEMPORARY = "D:\\DB 01\\DB01.edb", "D:\\DB 01\\gx-6f9619ff\\DB01.tmp.edb"
DONE = "Operation completed successfully in 1.31 seconds."


def test_arguments() -> None:
    assert eseutil.header_arguments(DATABASE) == ("/mh", DATABASE, "/o")
    assert eseutil.checksum_arguments(DATABASE) == ("/k", DATABASE, "/o")
    assert eseutil.integrity_arguments(DATABASE, temporary=TEMPORARY) == (
        "/g", DATABASE, f"/t{TEMPORARY}", "/o",
    )  # fmt: skip
    assert eseutil.defragmentation_arguments(DATABASE, temporary=TEMPORARY) == (
        "/d", DATABASE, f"/t{TEMPORARY}", "/p", "/o",
    )  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["", "DB01.edb", "\\\\server\\share\\DB01.edb", "D:DB01.edb", "D:\\a\"b.edb", "D:\\DB01\\",
     "D:\\a\\..\\DB01.edb", "D:\\DB01.edb\n/p", "/p"],
)  # fmt: skip
def test_only_absolute_local_paths(path: str) -> None:
    with pytest.raises(eseutil.EseutilRefused):
        eseutil.checksum_arguments(path)
    with pytest.raises(eseutil.EseutilRefused):
        eseutil.defragmentation_arguments(DATABASE, temporary=path)


def test_the_temporary_file_is_never_the_database() -> None:
    with pytest.raises(eseutil.EseutilRefused):
        eseutil.defragmentation_arguments(DATABASE, temporary=DATABASE.upper())


@pytest.mark.parametrize(
    ("unsigned", "signed"),
    [(0, 0), (4294966090, -1206), (4294966746, -550), (4294967295, -1), (-1032, -1032)],
)
def test_exit_codes_are_signed(unsigned: int, signed: int) -> None:
    assert eseutil.signed_exit_code(unsigned) == signed


def test_success_needs_code_and_words() -> None:
    assert eseutil.has_succeeded(0, eseutil.parse_end(DONE))
    assert not eseutil.has_succeeded(-1, eseutil.parse_end(DONE))
    assert not eseutil.has_succeeded(0, Unknown("cut"))
    lossy = (
        "Operation completed successfully with 595 (JET_wrnDatabaseRepaired, x) after 1.0 seconds."
    )
    assert not eseutil.has_succeeded(0, eseutil.parse_end(lossy))


def test_words_after_the_end_are_no_end() -> None:
    assert isinstance(eseutil.parse_end(f"{DONE}\nOperation"), Unknown)


def test_a_tool_that_waits_for_a_key() -> None:
    assert eseutil.is_waiting_for_key("<<<<<  Press a key for more help  >>>>>\n=> ")
    assert eseutil.is_waiting_for_key("DESCRIPTION\n=> ")
    assert not eseutil.is_waiting_for_key(DONE)


def test_progress() -> None:
    assert eseutil.progress_percent("   ..........................") == 50
    assert isinstance(eseutil.progress_percent("nothing yet"), Unknown)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_a_parser(content: bytes) -> None:
    text = eseutil.decode_output(content)
    assert "\r" not in text
    for parse in (
        eseutil.parse_end,
        eseutil.parse_checksum,
        eseutil.parse_integrity,
        eseutil.parse_defragmentation,
        header_dump.parse_header_dump,
        sizes.parse_size,
        sizes.parse_time_span,
        sizes.parse_server_version,
    ):
        assert isinstance(parse(text), Unknown)
    assert isinstance(wbadmin.parse_backup(text).end, Unknown)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DONE) - 1), st.text(max_size=3))
def test_a_cut_last_line_is_unknown(length: int, tail: str) -> None:
    cut = DONE[:length]
    assert isinstance(eseutil.parse_end(cut), Unknown)
    assert isinstance(eseutil.parse_end(DONE + "\n" + tail), Unknown) or not tail.strip()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**50))
def test_sizes_with_any_grouping(number: int) -> None:
    for mark in (",", ".", "\u00a0", "'"):
        assert sizes.parse_size(f"1 GB ({f'{number:,}'.replace(',', mark)} bytes)") == number
