"""The set of the rebuilt file (`backup.after.offline`) over the real protocols: made before the
swap, verified by page, and the very file that is in service afterwards.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.site import lab, steps

SPECIFICATION = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: shrink}
targets: {servers: [EX01], databases: {include: [DB05]}}
desired: {white_space_max: 20%}
script: {name: offline-defrag, rebuild: {gain_min: 1MiB}}
backup:
  before: {offline: {target: {path: '\\backup01\exchange$'}}}
  after:
    offline: {target: {path: '\\backup01\exchange$'}}
    online: {method: windows-server-backup, target: {path: 'F:'}}
"""


@pytest.mark.long
def test_the_set_of_the_rebuilt_file_restores_the_file_in_service(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "20") as site:
        for path in (site.folder / "specs").glob("*.yaml"):
            path.unlink()
        (site.folder / "specs" / "shrink.yaml").write_text(SPECIFICATION, "utf-8")
        site.planned()
        applied = site.run("apply", "plan.json")
        assert applied.code == 0, applied.out + applied.err
        (sealed,) = steps(site.journal(), "outcome", "seal-rebuilt")
        (swapped,) = steps(site.journal(), "outcome", "swap")
        assert int(sealed.split("/")[2][:2]) < int(swapped.split("/")[2][:2])
        manifests = sorted(site.disk("backup01", "exchange$").rglob("backup-set.json"))
        assert len(manifests) == 2
        (rebuilt,) = [one for one in manifests if one.parent.name.endswith("-rebuilt")]

        (judged,) = site.run("verify", str(rebuilt.parent), "--json").document["paths"]
        assert judged["verdict"] == "restorable"
        body = json.loads(rebuilt.read_bytes())["body"]
        (file,) = body["files"]
        assert (file["role"], file["verdict"]) == ("database", "sound")
        (original,) = [one for one in manifests if one != rebuilt]
        before = json.loads(original.read_bytes())["body"]["files"][0]
        assert file["size_bytes"] < before["size_bytes"]
        assert file["database"]["signature"] != before["database"]["signature"]

        restored = tmp_path / "restored"
        done = site.run("restore", str(rebuilt.parent), "--to", str(restored))
        assert done.code == 0, done.out + done.err
        assert (restored / "DB05.edb").stat().st_size == file["size_bytes"]
        present = site.disk("EX01", "D", "DB05", "DB05.edb").stat().st_size
        assert present == file["size_bytes"]
