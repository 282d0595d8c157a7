"""Backups by a vendor's agent, and somebody else's backups, by the command line over the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Done, Site, lab, steps

WBADMIN = "{method: windows-server-backup, target: {path: 'F:'}, timeout: 1h}"
AGENT = (
    r"{method: agent, timeout: 10m, agent: {start: ['C:\agent\backup.cmd', start],"
    r" state: ['C:\agent\backup.cmd', state], copies: ['C:\agent\backup.cmd', copies],"
    " poll_every: 1s, states: {Running: running, Success: succeeded, Failed: failed}}}"
)
SHADOW = r"{method: diskshadow, target: {path: 'F:\online'}, timeout: 1h}"
CONFLICTS = (
    "\n  conflicts: {running: suspend, scheduled: wait, wait_max: 5m,"
    r" suspend: ['C:\agent\backup.cmd', hold], resume: ['C:\agent\backup.cmd', release]}"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A lab for each test: a database that one has rebuilt needs nothing in the next."""
    with lab(tmp_path, "--pace", "20") as found:
        yield found


def applied(site: Site, agent: str) -> Done:
    """Plan and apply DB05, backed up by Windows Server Backup before and by the agent after."""
    path = site.folder / "specs" / "preventative.yaml"
    first = path.with_suffix(".first")
    if not first.exists():
        first.write_bytes(path.read_bytes())
    text = first.read_text("utf-8")
    assert f"    online: {WBADMIN}" in text
    text = text.replace(f"    online: {WBADMIN}", f"    online: {agent}{CONFLICTS}")
    text = text.replace("    offline:\n", f"    online: {WBADMIN}\n    offline:\n")
    path.write_text(text, "utf-8")
    site.planned("--database", "DB05")
    return site.run("apply", "plan.json")


def report(site: Site) -> str:
    newest = max((site.folder / "out").glob("*/report.txt"), key=lambda each: each.parent.name)
    return " ".join(newest.read_text("utf-8").split())


@pytest.mark.long
def test_what_the_agent_does_not_back_up_is_unprotected_until_a_backup_succeeds(
    site: Site,
) -> None:
    """The agent refuses a word of its start command first; then only the backup is made good."""
    failed = applied(site, AGENT.replace("backup.cmd', start]", "backup.cmd', begin]"))
    assert failed.code == 25, failed.out + failed.err
    assert "the agent's start command ended with 5" in failed.out
    journal = site.journal()
    assert steps(journal, "outcome", "prove-backup-before"), "the one before was proved"
    assert not steps(journal, "outcome", "prove-backup")
    order = [one["data"]["step"].split("-", 1)[1] for one in journal if one["kind"] == "outcome"
             and one["data"]["step"].startswith("EX01/DB05/")]  # fmt: skip
    wanted = ["suspend-backups", "await-backups", "online-backup-before", "dismount", "mount"]
    assert [each for each in order if each in wanted][:5] == wanted
    assert order.index("resume-backups") > order.index("mount")
    assert "Online backup EX01/DB05: proof not recorded" in report(site)

    proved = applied(site, AGENT)
    assert proved.code == 0, proved.out + proved.err
    assert "Online backup EX01/DB05: proved" in report(site)
    assert "copy that can be fetched: yes" in report(site)
    assert not steps(site.journal(), "outcome", "dismount"), "only the backup was missing"

    nothing = applied(site, AGENT)
    assert nothing.code == 0, nothing.out + nothing.err


@pytest.mark.long
def test_a_backup_by_diskshadow_over_the_real_protocols(site: Site) -> None:
    """A backup that is not of the plan's method leaves a proof of its own."""
    path = site.folder / "specs" / "preventative.yaml"
    text = path.read_text("utf-8")
    assert f"    online: {WBADMIN}" in text
    path.write_text(text.replace(f"    online: {WBADMIN}", f"    online: {SHADOW}"), "utf-8")
    planned = site.planned("--database", "DB05")
    assert "by diskshadow of" in " ".join(planned["body"]["backups"])
    done = site.run("apply", "plan.json")
    assert done.code == 0, done.out + done.err
    said = report(site)
    assert "Online backup EX01/DB05: proved" in said
    assert "copy that can be fetched: yes" in said
