"""Ways back by the real command line over the lab: by itself, by a set, by a person's word."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site, lab, steps

NOT_CLEAN = -550


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with lab(tmp_path, "--pace", "20") as found:
        yield found


def kept(site: Site) -> list[Path]:
    return list(site.disk("EX01", "D", "DB05").glob("DB05.edb.before-*"))


def test_a_rebuilt_file_that_does_not_mount_gives_the_original_back(site: Site) -> None:
    site.planned("--database", "DB05")
    site.control("fail-mount", database="DB05", error=NOT_CLEAN, leaves_logs=True)
    logs = {path.name for path in site.disk("EX01", "L", "DB05").glob("E04*")}
    done = site.run("apply", "plan.json")
    assert done.code == 21, done.out + done.err
    assert "swap-back" in " ".join(steps(site.journal(), "outcome", "swap-back"))
    assert not kept(site), "it is in its place again"
    moved = {path.name for path in site.disk("EX01", "L", "DB05").glob("gx-logs-*/E04*")}
    assert logs <= moved, "logs and checkpoint of the tried mount are aside"
    assert mounted(site)


@pytest.mark.long
def test_with_the_original_destroyed_the_set_is_copied_back(site: Site) -> None:
    site.planned("--database", "DB05")
    site.control("fail-mount", database="DB05", error=NOT_CLEAN, leaves_logs=True)

    def destroy() -> None:
        site.wait_until(lambda: bool(kept(site)))
        with kept(site)[0].open("r+b") as original:
            original.write(b"\xff" * 100_000)

    vandal = threading.Thread(target=destroy)
    vandal.start()
    done = site.run("apply", "plan.json")
    vandal.join()
    assert done.code == 21, done.out + done.err
    assert steps(site.journal(), "outcome", "copy-back")
    assert "the copy of the set is in its place" in done.out
    assert mounted(site)


@pytest.mark.long
def test_a_night_is_restored_beside_and_then_rolled_back(site: Site) -> None:
    site.planned("--database", "DB05")
    assert site.run("apply", "plan.json").code == 0
    run = next((site.folder / ".goexchange" / "runs").iterdir()).name
    folder = next(site.disk("backup01", "exchange$").rglob("backup-set.json")).parent

    planned = site.run("restore", str(folder), "--name", "RDB01x", "--out", "restore.json")
    assert planned.code == 0, planned.err
    done = site.run("apply", "restore.json")
    assert done.code == 0 and "EX01/RDB01x" in done.out, done.out + done.err

    told = site.run("rollback", run, "--database", "DB05")
    assert told.code == 14 and "--discard-mail-since" in told.err
    since = told.err.split("--discard-mail-since ")[1].split()[0]
    wrong = site.run(
        "rollback", run, "--database", "DB05", "--discard-mail-since", "2026-01-01T00:00:00Z"
    )
    assert wrong.code == 64 and since in wrong.err
    made = site.run(
        "rollback", run, "--database", "DB05", "--discard-mail-since", since, "--out", "back.json"
    )
    assert made.code == 0 and "Add-ResubmitRequest" in made.out, made.err
    assert site.run("apply", "back.json").code == 13, "it needs the consent to lose mail"
    assert site.run("approve", "back.json", "--consent", "all").code == 0
    done = site.run("apply", "back.json")
    assert done.code == 0, done.out + done.err
    assert not kept(site) and mounted(site)
    assert list(site.disk("EX01", "D", "DB05").glob("DB05.edb.rebuilt-*")), "it is kept"

    back = site.run("restore", str(folder), "--to", "original", "--out", "back2.json")
    assert back.code == 0 and "discard-mail" in back.out, back.err
    assert site.run("approve", "back2.json", "--consent", "discard-mail").code == 0
    assert site.run("apply", "back2.json").code == 25, "no specification says how to back it up"
    assert mounted(site)


def mounted(site: Site) -> bool:
    """Whether Exchange says that DB05 is mounted, as an observation sees it."""
    done = site.run("observe", "--server", "EX01", "--json")
    (server,) = [each for each in done.document["servers"] if each["name"] == "EX01"]
    return any(each["is_mounted"] is True for each in server["databases"] if each["name"] == "DB05")


@pytest.mark.long
def test_a_dead_run_that_is_rolled_back_takes_its_own_way_back(site: Site) -> None:
    site.planned("--database", "DB05")
    process = site.start("apply", "plan.json")
    site.wait_for(lambda journal: bool(steps(journal, "intent", "rebuild")))
    process.kill()
    process.communicate(timeout=120)
    run = next((site.folder / ".goexchange" / "runs").iterdir()).name
    done = site.run("rollback", run)
    assert done.code == 21 and "the way back" in done.out, done.out + done.err
    assert mounted(site)
    undone = [one for one in site.journal() if one["kind"] == "lane-ended"]
    assert undone[-1]["data"]["lane"] == "EX01:after", "what undoes a process has run"
    again = site.run("rollback", run)
    assert again.code == 14 and "can be rolled back" in again.err
