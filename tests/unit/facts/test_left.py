"""What runs have left on a host, decoded; what cannot be read is Unknown, never empty."""

from __future__ import annotations

from typing import Any

import pytest

from goexchange.facts.left import decode_left
from goexchange.model.unknown import Unknown

AT = "2026-11-28T21:30:00.1234567Z"
CONTENT = {
    "database": "DB05",
    "original": "D:\\DB05\\DB05.edb",
    "kept": "D:\\DB05\\DB05.edb.before-20261128T213000Z",
    "temporary": "D:\\DB05\\gx-11111111\\DB05.tmp.edb",
    "set_aside": "D:\\DB05\\DB05.edb.rebuilt-20261128T213000Z",
    "set_folder": None,
    "is_mount_at_startup": True,
}
RECORD = {
    "run": "20261128T213000-0001",
    "database_guid": "A026E9D8-EA0B-437F-A2D3-EE6349F57F3F",
    "state": "open",
    "phase": "open",
    "opened_at": AT,
    "written_at": AT,
    "content": CONTENT,
}


def answer(**parts: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        name: []
        for name in (
            "recoveries",
            "runs",
            "sentinels",
            "jobs",
            "looked_at",
            "listed",
            "failures",
        )
    }
    named = {"clock": AT, "boot_id": "b", "fence": 3, "fence_holder": None}
    return {**named, **nothing, **parts}


def test_a_record_is_read_with_its_state_and_what_it_names() -> None:
    (found,) = decode_left("EX01", answer(recoveries=[RECORD])).recoveries  # type: ignore[misc]
    assert found.is_open and found.database_guid == RECORD["database_guid"].lower()
    assert found.content == CONTENT
    closed = decode_left("EX01", answer(recoveries=[{**RECORD, "state": "closed"}]))
    assert [each.is_open for each in closed.recoveries] == [False]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(CONTENT))
def test_a_record_without_what_a_release_needs_is_unknown(name: str) -> None:
    content = {key: value for key, value in CONTENT.items() if key != name}
    found = decode_left("EX01", answer(recoveries=[{**RECORD, "content": content}])).recoveries
    assert isinstance(found, Unknown) and RECORD["run"] in found.reason


def test_a_part_that_the_host_could_not_say_is_unknown() -> None:
    failed = [{"part": "jobs", "message": "access denied"}]
    left = decode_left("EX01", answer(failures=failed))
    assert isinstance(left.jobs, Unknown) and "access denied" in left.jobs.reason
    assert left.runs == ()


def test_a_file_has_its_header_only_when_it_is_closed() -> None:
    file = {"path": "D:\\a.edb", "size_bytes": 1, "modified_at": AT, "is_open": True}
    opened = {**file, "header_sha256": None, "start": None}
    seen = decode_left("EX01", answer(looked_at=[opened])).seen("d:\\A.EDB")
    assert seen is not None and seen.is_open and seen.start is None
