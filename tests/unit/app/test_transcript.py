"""What a pilot keeps of a host's answers: everything, without secrets and names, nothing cut."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from goexchange.app.transcript import RecordingSession, transcript_digest, transcript_files
from goexchange.errors import HostRefused
from goexchange.model.configuration import SecretReference
from goexchange.model.plan import ExchangeCall
from goexchange.powershell.cmdlets import get_database
from goexchange.powershell.pseudonyms import Pseudonyms

CANARY = "canary-4711"
PRINTED = f"Initiating CHECKSUM mode...\r\n  Database: D:\\EX01\\x.edb\r\n/password:{CANARY}\r\n"
POLL: dict[str, Any] = {"root": "C:\\gx", "job": "r-1", "offset": 0, "watch": []}


class Host:
    """Answers like a host whose job has ended; its output comes in pieces that cut a name."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        return {"objects": [{"Server": "EX01", "Note": f"token={CANARY}"}], "errors": []}

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        time_limit_s: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        if script == "swap-state":
            raise HostRefused(f"EX01 says no, password={CANARY}", code="internal")
        if script == "start-job":
            return {"job": arguments["job"]}
        offset = arguments["offset"]
        self.asked.append(offset)
        piece = PRINTED.encode()[offset : offset + 41]  # inside `EX01`
        return {
            "state": "ended",
            "output": base64.b64encode(piece).decode(),
            "result": {"error_output": base64.b64encode(b"EX01 failed").decode()},
            "exit_code": 0,
        }

    def close(self) -> None:
        self.asked.append(-1)


def recording(folder: Path) -> tuple[Host, RecordingSession]:
    host = Host()
    return host, RecordingSession(host, folder, Pseudonyms([("EX01", "host")]))


def test_no_name_and_no_secret_gets_into_a_transcript(tmp_path: Path) -> None:
    _, session = recording(tmp_path)
    guid = "00000001-1111-2222-3333-444455556666"
    answer = session.exchange([get_database(guid)], time_limit_s=5)
    assert answer["objects"][0]["Server"] == "EX01", "whoever asked gets it unchanged"
    session.script("start-job", {"job": "r-1", "kind": "eseutil", "request": {
        "arguments": ["/k", "D:\\EX01\\x.edb"]}}, time_limit_s=5)  # fmt: skip
    session.script("poll-job", POLL, time_limit_s=5)
    with pytest.raises(HostRefused, match="EX01"):
        session.script("swap-state", {}, time_limit_s=5)
    texts = [path.read_text("utf-8") for path in transcript_files(tmp_path)]
    assert len(texts) == 5
    for text in texts:
        assert CANARY not in text and "EX01" not in text
        assert base64.b64encode(b"EX01 failed").decode() not in text


def test_the_output_of_a_job_is_kept_whole_and_once(tmp_path: Path) -> None:
    host, session = recording(tmp_path)
    for _ in range(2):
        session.script("poll-job", POLL, time_limit_s=5)
    (kept,) = tmp_path.glob("job-*.json")
    plain = json.loads(kept.read_text("utf-8"))
    assert plain["output"].startswith("Initiating CHECKSUM mode...")
    assert "Database: D:\\host-1\\x.edb" in plain["output"] and plain["exit_code"] == 0
    assert plain["error_output"] == "host-1 failed"
    assert host.asked.count(41) == 1, "the second look reads nothing again"


def test_the_digest_changes_with_every_byte(tmp_path: Path) -> None:
    _, session = recording(tmp_path)
    session.script("poll-job", POLL, time_limit_s=5)
    before = transcript_digest([tmp_path])
    assert before[1] == 2 and transcript_digest([tmp_path]) == before
    path = next(tmp_path.glob("job-*.json"))
    path.write_text(path.read_text("utf-8") + " ", "utf-8")
    assert transcript_digest([tmp_path])[0] != before[0]
