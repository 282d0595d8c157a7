"""The controller dies in the middle of the night: a new one goes on, nothing happens twice."""

from __future__ import annotations

import random
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from goexchange.journal.chain import Draft, line_of, read_lines, seal
from tests.end_to_end.site import Site, lab, steps
from tests.reliability.dying import Moment
from tests.reliability.kills import DATABASES, LAB, Hits, one_run, prepare, report
from tests.reliability.loaded import loaded


def is_rebuilding(records: list[dict[str, Any]]) -> bool:
    begun = steps(records, "intent", "rebuild")
    return bool(begun) and not steps(records, "outcome", "rebuild")


def rebuild_jobs(site: Site) -> list[str]:
    """The folders of the host jobs of the rebuild: run, number of the step, digest, attempt."""
    step = steps(site.journal(), "intent", "rebuild")[0]
    number = step.rsplit("/", 1)[1].split("-")[0]
    root = site.disk("EX01", "C", "ProgramData", "goexchange", "jobs")
    return [each.name for each in root.iterdir() if f"-{number}-" in each.name[15:]]


KILLS = 20  # in nights of other databases, each at every moment once


@pytest.mark.timeout(600)  # some fifty processes, and leases that are waited for
def test_killed_again_and_again_then_resumed(tmp_path: Path) -> None:
    """Each process of a run dies by SIGKILL at another boundary of another step."""
    hits, seed = Hits(), random.randrange(1000)
    with lab(tmp_path, *LAB) as there, loaded(there) as site:
        prepare(site)
        for at, database in enumerate(DATABASES):
            if hits.count < KILLS and not hits.bad:
                hits = hits.plus(one_run(site, seed + at, database, dies=site.die))
    sys.stdout.write("\n".join(report(hits, 0)))
    assert not hits.bad, f"seed {seed}"
    assert hits.count >= KILLS, hits.missed
    assert dict(hits.ends) == {0: hits.runs}
    # A process may end before its moment comes; in another night that moment is another one.
    assert not [each for each in Moment if not hits.moments[each.value]], hits.missed


@pytest.mark.long
def test_terminated_in_the_rebuild_then_resumed(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "1", "--scale", "0.5") as site:
        site.planned("--database", "DB05")
        process = site.start("apply", "plan.json")
        site.wait_for(is_rebuilding)
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=120)[0].decode()
        assert process.returncode == 22, output  # the database is down: never 143
        assert "goexchange resume" in output
        records = site.journal()
        assert is_rebuilding(records), "the signal missed the rebuild"
        resumed = site.run("resume", "last")
        assert resumed.code == 0, resumed.out + resumed.err
        records = site.journal()
        done = Counter(steps(records, "outcome", "rebuild"))
        assert list(done.values()) == [1]
        assert len(rebuild_jobs(site)) == 1
        second = site.run("plan", "--database", "DB05", "--detailed-exitcode")
        assert second.code == 0, second.out


@pytest.mark.long
def test_store_deleted_in_the_rebuild_then_resumed_from_the_host(tmp_path: Path) -> None:
    """The new store knows nothing: plan and journal come from the host, the job is found again."""
    with lab(tmp_path, "--pace", "1", "--scale", "0.5") as site:
        settings = tmp_path / "goexchange.yaml"
        settings.write_text(
            settings.read_text("utf-8") + "lease_expires_after: 22s\nheartbeat_every: 2s\n"
        )
        site.planned("--database", "DB05")
        process = site.start("apply", "plan.json")
        site.wait_for(is_rebuilding)
        process.kill()
        process.communicate(timeout=120)
        killed = site.journal()
        assert is_rebuilding(killed), "the kill missed the rebuild"
        shutil.rmtree(tmp_path / ".goexchange")

        early = site.run("resume", "--from-host", "EX01")
        assert early.code == 11, early.out + early.err
        assert "sign of life" in early.err
        site.wait_until(lambda: site.run("resume", "--from-host", "EX01").code != 11, limit_s=240)
        records = site.journal()
        assert records[0] == killed[0]
        resumed = [one["data"] for one in records if one["kind"] == "run-resumed"]
        assert [one["rebuilt_from"] for one in resumed] == ["EX01"]
        assert records[-1]["kind"] == "lease" and records[-1]["data"]["state"] == "released"
        ended = [one["data"] for one in records if one["kind"] == "run-ended"]
        assert [one["exit_code"] for one in ended] == [0]
        assert list(Counter(steps(records, "outcome", "rebuild")).values()) == [1]
        assert len(rebuild_jobs(site)) == 1
        assert site.run("plan", "--database", "DB05", "--detailed-exitcode").code == 0
        assert_hosts_show_a_new_chain(site)


def assert_hosts_show_a_new_chain(site: Site) -> None:
    """Who writes a whole new chain into the store is shown up by what the host keeps."""
    whole = site.run("journal", "verify", "last", "--on-hosts")
    assert whole.code == 0 and "the copy that EX01 keeps" in whole.out, whole.out + whole.err
    run = max((site.folder / ".goexchange" / "runs").iterdir())
    records = read_lines((run / "journal.jsonl").read_bytes()).records
    drafts = [Draft(record.kind, record.data) for record in records]
    forged = seal(drafts, after=None, at=records[0].at_utc)
    (run / "journal.jsonl").write_bytes(b"".join(map(line_of, forged)))
    shutil.rmtree(site.folder / "out")
    alone = site.run("journal", "verify", "last")
    assert alone.code == 0 and "compared with no published head" in alone.out
    shown = site.run("journal", "verify", "last", "--on-hosts")
    assert shown.code == 30 and "is another one than the copy that EX01 keeps" in shown.out
