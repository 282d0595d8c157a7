"""A backup server's agent by the command line over the lab: the controller dies while it works."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site, lab, steps

WBADMIN = "{method: windows-server-backup, target: {path: 'F:'}, timeout: 1h}"
MACHINE = "BKUP01"
AGENT = (
    r"{method: agent, timeout: 10m, agent: {start: ['C:\agent\backup.cmd', start, '%server%'],"
    r" state: ['C:\agent\backup.cmd', state], copies: ['C:\agent\backup.cmd', copies],"
    f" runs_on: {MACHINE}, poll_every: 45s,"
    " states: {Running: running, Success: succeeded, Failed: failed}}}"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with lab(tmp_path, "--pace", "20") as found:
        path = found.folder / "specs" / "preventative.yaml"
        text = path.read_text("utf-8")
        assert f"    online: {WBADMIN}" in text
        path.write_text(text.replace(f"    online: {WBADMIN}", f"    online: {AGENT}"), "utf-8")
        settings = found.folder / "goexchange.yaml"
        settings.write_text(
            settings.read_text("utf-8") + "lease_expires_after: 22s\nheartbeat_every: 2s\n", "utf-8"
        )
        yield found


def jobs_on(site: Site, machine: str) -> list[str]:
    """The jobs of runs that have begun on a machine, by the lab's own account."""
    effects = site.control("effects")["effects"]
    return [
        each["detail"]
        for each in effects
        if (each["kind"], each["host"]) == ("job-started", machine)
        and not each["detail"].startswith("doctor-")
    ]


@pytest.mark.long
def test_the_agent_on_a_backup_server_is_found_again_after_a_kill_and_proved(site: Site) -> None:
    seen = site.run("doctor", MACHINE)
    assert seen.code == 0, seen.out + seen.err
    assert "Exchange endpoint" not in seen.out and "job root" in seen.out
    assert f"{MACHINE}, EX01" in site.run("check").out
    site.planned("--database", "DB05")
    assert_an_unreachable_machine_stops_before_anything(site)

    running = site.start("apply", "plan.json")
    site.wait_until(lambda: len(jobs_on(site, MACHINE)) == 2)  # the trial, and the agent
    running.kill()
    running.communicate(timeout=60)
    assert not steps(site.journal(), "outcome", "online-backup")
    begun = jobs_on(site, MACHINE)
    left = site.run("leftovers", MACHINE)
    assert left.code == 0 and "has not ended" in left.out, left.out + left.err

    shutil.rmtree(site.folder / ".goexchange")  # all that is left is what the machine keeps
    early = site.run("resume", "--from-host", MACHINE)
    assert early.code == 11 and "sign of life" in early.err, early.out + early.err
    site.wait_until(lambda: site.run("resume", "--from-host", MACHINE).code != 11)
    records = site.journal()
    resumed = [one["data"] for one in records if one["kind"] == "run-resumed"]
    assert [one["rebuilt_from"] for one in resumed] == [MACHINE]
    ended = [one["data"] for one in records if one["kind"] == "run-ended"]
    assert [one["exit_code"] for one in ended] == [0]
    assert jobs_on(site, MACHINE) == begun, "found again, not started twice"
    proofs = [
        one["data"]["result"]["proved"]
        for one in records
        if one["kind"] == "outcome" and one["data"]["step"].endswith("-prove-backup")
    ]
    assert proofs == [True]
    assert f"on {MACHINE}" in " ".join(site.run("report").out.split())
    checked = site.run("journal", "verify", "last", "--on-hosts")
    assert checked.code == 0 and f"the copy that {MACHINE} keeps" in checked.out, checked.out


def assert_an_unreachable_machine_stops_before_anything(site: Site) -> None:
    """The plan is not made, and one that was made is not begun: as for a server."""
    inventory = site.folder / "inventory" / "lab.yaml"
    text = inventory.read_text("utf-8")
    inventory.write_text(text.replace("127.71.0.21", "127.71.0.99"), "utf-8")
    for words in (("plan", "--database", "DB05"), ("apply", "plan.json")):
        away = site.run(*words)
        assert away.code == 15, away.out + away.err
        assert MACHINE in away.err and "nothing was changed" in away.err
    assert site.journal() == []
    inventory.write_text(text, "utf-8")
