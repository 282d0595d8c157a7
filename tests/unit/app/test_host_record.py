"""Runs read back from hosts: pieces of one chain, and what the store does with them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.app.host_record import HostCopy, longest
from goexchange.errors import Damaged, InvalidDocument, NotNow
from goexchange.journal.chain import Draft, line_of, read_lines, seal
from goexchange.model.left import KeptRun
from goexchange.model.run import RecordKind
from goexchange.store.journal_file import read_journal
from goexchange.store.runs import Runs

NOW = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
RUN = "20261128T213000-0a1b"


def journal(*lanes: str) -> bytes:
    drafts = [Draft(RecordKind.LANE_STARTED, {"lane": lane}) for lane in lanes]
    return b"".join(line_of(record) for record in seal(drafts, after=None, at=NOW))


def copy(server: str, content: bytes) -> HostCopy:
    kept = KeptRun(run=RUN, holder=None, alive_at_utc=None, sizes={})
    return HostCopy(server=server, kept=kept, journal=content, reading=read_lines(content))


def test_the_longest_of_several_hosts_counts() -> None:
    copies = [copy("EX01", journal("a")), copy("EX02", journal("a", "b", "c"))]
    assert longest(copies).server == "EX02"


def test_hosts_that_keep_different_journals_are_damage() -> None:
    with pytest.raises(Damaged, match="EX01 and EX02"):
        longest([copy("EX01", journal("a", "x")), copy("EX02", journal("a", "b", "c"))])


def adopt(store: Path, content: bytes) -> Runs:
    runs = Runs(store)
    runs.adopt(RUN, plan=b"{}", approval=b"{}", journal=content)
    return runs


def test_a_new_store_takes_the_run_under_its_own_id(tmp_path: Path) -> None:
    folder = adopt(tmp_path, journal("a", "b")).find("last")
    assert folder.id == RUN
    assert folder.journal_path.read_bytes() == journal("a", "b")
    assert (folder.plan_path.read_bytes(), folder.approval_path.read_bytes()) == (b"{}", b"{}")


def test_a_store_that_has_as_much_is_left_alone(tmp_path: Path) -> None:
    adopt(tmp_path, journal("a", "b"))
    for content in (journal("a"), journal("a", "b")):
        with pytest.raises(NotNow, match=f"goexchange resume {RUN}"):
            adopt(tmp_path, content)


@pytest.mark.parametrize("older", [("a",), ("a", "x", "y", "z")])
def test_an_older_or_other_copy_is_set_aside_not_removed(
    tmp_path: Path, older: tuple[str, ...]
) -> None:
    adopt(tmp_path, journal(*older))
    runs = adopt(tmp_path, journal("a", "b"))
    assert [each.id for each in runs.list()] == [RUN]
    assert len(read_journal(runs.find(RUN).journal_path).records) == 2
    aside = tmp_path / "runs" / f"{RUN}.set-aside-1" / "journal.jsonl"
    assert aside.read_bytes() == journal(*older)


def test_a_name_that_leads_elsewhere_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument):
        Runs(tmp_path).adopt("..\\evil", plan=b"", approval=None, journal=b"")
