"""Hands on a running night, and two controllers on one host: real processes against one lab.

Every test gives the database back as it found it: its run is ended by the way back.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.clients import exchange_cmdlet
from tests.end_to_end.site import Done, Site, lab, steps

LEASE_S = 16
Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # a lease that a test can wait for; written into the plan, so the file is the place for it
    with lab(tmp_path_factory.mktemp("operators"), "--pace", "1", "--scale", "1") as found:
        with (found.folder / "goexchange.yaml").open("a") as settings:
            settings.write(f"heartbeat_every: 4s\nlease_expires_after: {LEASE_S}s\n")
        yield found


def is_mounted(site: Site) -> bool:
    seen = site.run("observe", "--server", "EX01", "--json")
    assert seen.code == 0, seen.err
    databases = seen.document["servers"][0]["databases"]
    return bool(next(one for one in databases if one["name"] == "DB05")["is_mounted"])


def newest(site: Site) -> str:
    return sorted(each.name for each in (site.folder / ".goexchange" / "runs").iterdir())[-1]


@contextmanager
def applied(site: Site, until: Callable[[Records], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """A run of the rebuild, up to a moment; killed at the end if it still is there."""
    site.planned("--database", "DB05")
    before = set((site.folder / ".goexchange").glob("runs/*"))
    process = site.start("apply", "plan.json")
    try:
        deadline = time.monotonic() + 240
        while set((site.folder / ".goexchange").glob("runs/*")) == before:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        site.wait_for(until)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(timeout=60)


def is_rebuilding(records: Records) -> bool:
    begun = steps(records, "intent", "rebuild")
    return bool(begun) and not steps(records, "outcome", "rebuild")


def is_preparing(records: Records) -> bool:
    return any(record["kind"] == "lane-started" for record in records)


def ended(done: Done, code: int) -> Done:
    assert done.code == code, done.out + done.err
    return done


def text_of(process: subprocess.Popen[bytes], *, within_s: float = 120) -> str:
    return process.communicate(timeout=within_s)[0].decode()


def freeze(site: Site, process: subprocess.Popen[bytes]) -> None:
    """Stop a process, but not while it writes the leases: SQLite would keep them locked."""
    path = site.folder / ".goexchange" / "leases.sqlite"
    for _ in range(20):
        process.send_signal(signal.SIGSTOP)
        leases = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            leases.execute("BEGIN IMMEDIATE")
            leases.execute("ROLLBACK")
            return
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            time.sleep(0.05)
        finally:
            leases.close()
    raise AssertionError("it always writes its leases")


def free_lease(site: Site) -> bool:
    held = ended(site.run("lock", "list", "--json"), 0).document
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return all(one["free_at_utc"] is None or one["free_at_utc"] < now for one in held)


def test_pause_status_proceed_abort(site: Site) -> None:
    with applied(site, is_preparing) as process:
        run = newest(site)
        assert "taken it up: pause" in ended(site.run("pause", run), 0).out
        site.wait_for(lambda records: not in_doubt(records))
        count = len(steps_begun(site.journal()))
        seen = ended(site.run("status"), 0).out
        assert f"{run}   PAUSED" in seen and f"goexchange proceed {run}" in seen
        assert "EX01" in seen and "held" in seen
        assert max(len(line) for line in seen.splitlines()) <= 100
        assert ended(site.run("status", "--json"), 0).document["runs"][0]["is_paused"] is True
        assert len(steps_begun(site.journal())) == count, "no new step while it is paused"
        ended(site.run("proceed", run), 0)
        site.wait_for(is_rebuilding)
        asked = time.monotonic()
        ended(site.run("abort", run), 0)
        text = text_of(process)
        assert process.returncode == 21, text
        assert "abort: an operator asked for the way back" in text
        assert time.monotonic() - asked < 60
    assert is_mounted(site)
    words = [one["data"]["request"] for one in site.journal() if one["kind"] == "request"]
    assert words == ["pause", "proceed", "abort"]
    ended(site.run("abort", run), 14)
    ended(site.run("journal", "verify", run), 0)
    ended(site.run("watch", run), 0)


def steps_begun(records: Records) -> list[str]:
    return [str(one["data"]["step"]) for one in records if one["kind"] == "intent"]


def in_doubt(records: Records) -> set[str]:
    ends = {str(one["data"]["step"]) for one in records if one["kind"] == "outcome"}
    return set(steps_begun(records)) - ends


def test_a_hold_refuses_what_is_new(site: Site) -> None:
    site.planned("--database", "DB05")
    ended(site.run("hold", "on", "--why", "patch night"), 0)
    try:
        refused = ended(site.run("apply", "plan.json"), 14)
        assert "patch night" in refused.err and "goexchange hold off" in refused.err
        assert "HOLD" in ended(site.run("status"), 0).out
    finally:
        ended(site.run("hold", "off"), 0)


def test_of_two_controllers_one_works_and_the_other_is_told_who_and_until_when(
    site: Site, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    ended(site.run("plan", "--out", str(other), "--database", "DB01"), 0)
    ended(site.run("approve", str(other), "--consent", "all"), 0)
    with applied(site, is_rebuilding) as process:
        run, count = newest(site), len(site.journal())
        ended(site.run("pause", run), 0)  # so that there is a way back when we are done
        refused = ended(site.run("apply", str(other)), 11)
        said = refused.out + refused.err
        assert f"EX01 is held by {os.uname().nodename}:{process.pid}:{run}" in said
        assert re.search(r"since \S+Z until \S+Z; nobody else can take it before \S+Z", said)
        assert newest(site) == run, "a run that was refused leaves nothing behind"
        again = ended(site.run("resume", run), 11)
        assert f"{process.pid}:{run}" in again.err and "at work in another process" in again.err
        assert len(site.journal()) >= count
        ended(site.run("journal", "verify", run), 0)
        ended(site.run("abort", run), 0)
        text_of(process)
        assert process.returncode == 21
    assert is_mounted(site)


@pytest.mark.long
@pytest.mark.parametrize("moment", ["in the outage", "before it"])
def test_a_frozen_controller_is_taken_over_and_does_nothing_more(site: Site, moment: str) -> None:
    """`procedure` 9: what runs on the host runs on; nothing that the first sends is carried out."""
    with applied(site, is_rebuilding if moment == "in the outage" else is_preparing) as first:
        run = newest(site)
        if moment == "before it":
            ended(site.run("pause", run), 0)
            site.wait_for(lambda found: not in_doubt(found))
        freeze(site, first)
        refused = ended(site.run("resume", run), 11)
        assert f"{first.pid}:{run}" in refused.err
        deadline = time.monotonic() + 4 * LEASE_S
        while not free_lease(site):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        for word in ("proceed", "abort") if moment == "before it" else ("abort",):
            ended(site.run(word, run, "--wait", "0"), 0)  # both of them will hear it
        second = site.start("resume", run)
        said = text_of(second, within_s=300)
        assert second.returncode == 21, said
        after = site.journal()
        assert is_mounted(site)
        calls = site.control("state")["counters"]["EX01"]
        first.send_signal(signal.SIGCONT)
        said = text_of(first)
        assert "lease lost" in said and first.returncode in (21, 22), said
        assert site.journal() == after, "it writes nothing into the journal that goes on"
        ended(site.run("journal", "verify", run), 0)
        now = site.control("state")["counters"]["EX01"]
        assert now.get("Create", 0) == calls.get("Create", 0), "no new shell on the host"
    assert is_mounted(site)
    assert not jobs_running(site)
    assert exchange_cmdlet(site, "Get-MailboxDatabase", Identity="DB05")["objects"]


def jobs_running(site: Site) -> list[str]:
    root = site.disk("EX01", "C", "ProgramData", "goexchange", "jobs")
    return [
        each.name
        for each in root.iterdir()
        if (each / "started.json").exists() and not (each / "exit.json").exists()
    ]


def test_status_is_one_document(site: Site) -> None:
    plain = json.loads(ended(site.run("status", "--json"), 0).out)
    assert plain["databases"] == [] and plain["runs"] == []
