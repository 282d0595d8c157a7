"""A repair with possible loss as an operator does it, over the real protocols: damage found, asked
for by name, consented to, evidence kept, the database in service, and what is never a way back.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.site import Site, lab, steps

PAGE = 32768
SPECIFICATION = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: look}
targets: {servers: [EX01], databases: {include: [DB05]}}
desired: {verified_within: 30d}
script: {name: offline-diagnostic-report, verify: offline}
backup:
  before: {offline: {target: {path: '\\backup01\exchange$'}}}
  after: {online: {method: windows-server-backup, target: {path: '\\backup01\exchange$'}}}
"""
ADDRESS = "EX01/DB05"


def _damaged(site: Site) -> Path:
    """Two pages of the file go bad, and nobody has noticed yet."""
    path = site.disk("EX01", "D", "DB05", "DB05.edb")
    content = bytearray(path.read_bytes())
    for page in (9, 30):
        content[(page + 1) * PAGE + 1000] ^= 0x5A
        content[(page + 1) * PAGE + 1001] ^= 0x33
    path.write_bytes(content)
    return path


def _code(site: Site, *words: str) -> int:
    return site.run(*words).code


@pytest.mark.long
def test_a_repair_is_asked_for_consented_to_and_leaves_evidence(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "20") as site:
        for path in (site.folder / "specs").glob("*.yaml"):
            path.unlink()
        (site.folder / "specs" / "look.yaml").write_text(SPECIFICATION, "utf-8")
        file = _damaged(site)
        refused = site.run("plan", "--repair", "DB05")
        assert "no damage of its file is on record" in refused.out

        site.planned()
        assert _code(site, "apply", "plan.json") == 21
        planned = site.run("plan", "--repair", "DB05", "--out", "plan.json")
        assert planned.code == 0, planned.out + planned.err
        assert "will be repaired, with possible loss" in planned.out
        assert "move its mailboxes out" in " ".join(planned.out.split())

        others = ("unproven-build", "backup-covers-others", "outage-without-history")
        given = [word for name in others for word in ("--consent", name)]
        assert "MISSING  repair-may-lose-data" in site.run("approve", "plan.json", *given).out
        assert _code(site, "apply", "plan.json") == 13
        assert _code(site, "approve", "plan.json", "--consent", "all", "--valid-for", "2h") == 0
        applied = site.run("apply", "plan.json")
        assert applied.code == 0, applied.out + applied.err

        done = steps(site.journal(), "outcome", "repair")
        assert f"{ADDRESS}/19-repair" in done
        [manifest] = site.disk("backup01", "exchange$").rglob("backup-set.json")
        assert manifest.parent.name.endswith("-evidence")
        assert json.loads(manifest.read_bytes())["body"]["method"] == "evidence"
        evidence = str(manifest.parent)
        kept = [one for one in file.parent.iterdir() if ".edb.before-" in one.name]
        assert len(kept) == 1
        assert kept[0].read_bytes() == (manifest.parent / "DB05.edb").read_bytes()

        written = site.folder / "out" / _run(site) / "report.txt"
        report = " ".join(written.read_text("utf-8").split())
        assert "not a sound way back" in report and "Offline set" not in report
        for target in (str(tmp_path / "elsewhere"), "original", "recovery-database"):
            words = site.run("restore", evidence, "--to", target)
            assert words.code == 64 and "taken as evidence" in words.err
        assert "evidence from before a repair" in site.run("backups", "prune", "--last", "1").out
        again = site.run("plan", "--out", "again.json")
        assert again.code == 0, again.out + again.err
        (decision,) = json.loads((site.folder / "again.json").read_bytes())["body"]["decisions"]
        assert "it was repaired with possible loss on" in decision["explanation"]


def _run(site: Site) -> str:
    return sorted((site.folder / ".goexchange" / "runs").glob("*"))[-1].name
