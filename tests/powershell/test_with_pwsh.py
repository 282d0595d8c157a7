"""The scripts run by a real PowerShell with stubbed Windows cmdlets, wherever there is one."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from goexchange.errors import HostRefused
from goexchange.powershell import bootstrap, envelope

PWSH = shutil.which("pwsh") or shutil.which("powershell")
RUNNER = Path(__file__).with_name("run_with_stubs.ps1")
GUID = "0a1b2c3d-0000-4000-8000-00000000000d"

pytestmark = pytest.mark.skipif(PWSH is None, reason="there is no pwsh on this machine")


def run(script: str, **arguments: Any) -> dict[str, Any]:
    assert PWSH is not None
    done = subprocess.run(
        [PWSH, "-NoProfile", "-NonInteractive", "-File", str(RUNNER)],
        input=bootstrap.standard_input(script, arguments),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return envelope.decode(script, done.stdout, done.returncode, done.stderr)


def database_file(path: Path, fill: int) -> str:
    content = bytearray([fill]) * 16384
    content[236:240] = (4096).to_bytes(4, "little")
    path.write_bytes(content)
    return hashlib.sha256(content[:8192]).hexdigest()


def test_claims_the_fence_and_refuses_a_lower_one(tmp_path: Path) -> None:
    root = str(tmp_path)
    claim = {"root": root, "claimed_at": "2026-11-22T10:00:00Z"}
    assert run("claim-fence", fence=5, holder="a:1", **claim) == {"fence": 5, "holder": "a:1"}
    for fence, holder in ((4, "a:1"), (5, "b:1")):
        with pytest.raises(HostRefused) as refused:
            run("claim-fence", fence=fence, holder=holder, **claim)
        assert refused.value.code == "fenced"


def test_swaps_goes_on_from_the_middle_and_back(tmp_path: Path) -> None:
    original, kept = tmp_path / "DB.edb", tmp_path / "DB.edb.before-1"
    temporary = tmp_path / "DB.tmp.edb"
    files = {
        "original": str(original),
        "temporary": str(temporary),
        "kept": str(kept),
        "original_sha256": database_file(original, 1),
        "temporary_sha256": database_file(temporary, 2),
    }
    assert run("swap-state", **files)["state"] == "before"
    original.rename(kept)
    assert run("swap-state", **files)["state"] == "between"
    temporary.rename(original)
    assert run("swap-state", **files)["state"] == "after"


def test_seals_a_set(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    sealed = run(
        "seal-set",
        root=str(tmp_path),
        fence=1,
        folder=str(folder),
        manifest=base64.b64encode(b"{}\n").decode(),
    )
    assert sealed["sha256"] == hashlib.sha256(b"{}\n").hexdigest()
    assert Path(sealed["path"]).read_bytes() == b"{}\n"


def test_starts_a_job_once_and_polls_it(tmp_path: Path) -> None:
    request = {
        "root": str(tmp_path),
        "fence": 1,
        "job": "r1-11-1",
        "kind": "command",
        "request": {"command": ["hostname"], "follow": None},
        "runner": bootstrap.runner_argument(),
    }
    assert run("start-job", **request)["state"] == "started"
    assert run("start-job", **request)["state"] == "exists"
    asked = {"root": str(tmp_path), "offset": 0, "watch": []}
    assert run("poll-job", job="r1-11-1", **asked)["state"] == "requested"
    assert run("poll-job", job="r2-11-1", **asked)["state"] == "absent"


def test_observes_what_it_can_and_names_what_it_cannot(tmp_path: Path) -> None:
    seen = run(
        "observe-host",
        root=str(tmp_path),
        paths=[str(tmp_path / "none.edb")],
        log_folders=[],
        events_since="2026-11-15T00:00:00Z",
    )
    assert seen["files"][0]["exists"] is False
    assert seen["asked_services"] == {"asked": [], "told": []}
    assert {one["part"] for one in seen["failures"]} <= set(seen)


def test_writes_the_records_that_observe_reads(tmp_path: Path) -> None:
    common = {"root": str(tmp_path), "fence": 1, "database_guid": GUID}
    run(
        "write-recovery",
        run="r1",
        state="open",
        content={"phase": "before"},
        text="mount it",
        **common,
    )
    run("write-database-record", record={"database_guid": GUID}, **common)
    asked: dict[str, Any] = {"root": str(tmp_path), "paths": [], "log_folders": []}
    seen = run("observe-host", events_since="2026-11-15T00:00:00Z", **asked)
    assert seen["recoveries"][0]["phase"] == "before" and len(seen["records"]) == 1
