"""What a host keeps of a run, as the world's host scripts answer it."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest

from goexchange.world.refusals import ScriptFailed
from tests.simulation.world.hands import EDB, ROOT, Hands

RUN = "20261128T213000-0001"


def keep(hands: Hands, *parts: tuple[int, bytes | None]) -> list[int]:
    sent = [
        {
            "name": "journal.jsonl",
            "offset": offset,
            "content": None
            if content is None
            else base64.b64encode(gzip.compress(content)).decode(),
        }
        for offset, content in parts
    ]
    answer = hands.change("keep-run", run=RUN, holder="admin01:7", parts=sent)
    return [one["size_bytes"] for one in answer["kept"]]


def looked(hands: Hands, *paths: str, folders: tuple[str, ...] = ()) -> dict[str, Any]:
    return hands.script("read-runs", root=ROOT, paths=list(paths), folders=list(folders))


def test_pieces_are_put_together_and_a_gap_is_not_written(hands: Hands) -> None:
    assert keep(hands, (0, b"one\n"), (4, b"two\n")) == [4, 8]
    assert keep(hands, (100, b"later\n"), (0, None)) == [8, 8]
    assert keep(hands, (4, b"2\n")) == [6]
    piece = hands.script("read-run", root=ROOT, run=RUN, name="journal.jsonl", offset=2)
    assert (piece["size_bytes"], base64.b64decode(piece["content"])) == (6, b"e\n2\n")
    seen = looked(hands)
    assert [(one["run"], one["holder"]) for one in seen["runs"]] == [(RUN, "admin01:7")]
    assert seen["runs"][0]["alive_at"] == seen["clock"]


def test_an_old_holder_keeps_nothing_more(hands: Hands) -> None:
    hands.change("claim-fence", holder="b", claimed_at="2026-11-28T21:30:00Z")
    hands.fence = 0
    with pytest.raises(ScriptFailed, match="fencing number 1"):
        keep(hands, (0, b"one\n"))


def test_an_open_file_says_nothing_of_its_header(hands: Hands) -> None:
    (mounted,) = looked(hands, EDB, EDB + ".gone")["looked_at"]
    assert (mounted["is_open"], mounted["header_sha256"], mounted["start"]) == (True, None, None)
    hands.cmdlet("Dismount-Database", Identity="DB05", Confirm=False)
    (closed,) = looked(hands, EDB)["looked_at"]
    assert not closed["is_open"]
    assert closed["header_sha256"] == hands.header_digest(EDB)


def test_jobs_and_what_lies_beside_a_database_are_listed(hands: Hands) -> None:
    hands.cmdlet("Dismount-Database", Identity="DB05", Confirm=False)
    copied = "D:\\DB05\\gx-1\\copy.edb"
    hands.copy(EDB, copied)
    seen = looked(hands, folders=("D:\\DB05",))
    assert [(one["kind"], one["state"]) for one in seen["jobs"]] == [("copy-files", "ended")]
    listed = {one["path"]: one for one in seen["listed"]}
    assert not listed[EDB]["is_folder"]
    folder = listed["D:\\DB05\\gx-1"]
    assert (folder["is_folder"], folder["files"]) == (True, 1)
    assert folder["size_bytes"] == listed[EDB]["size_bytes"]
