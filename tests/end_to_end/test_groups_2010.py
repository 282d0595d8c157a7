"""A group of Exchange 2010 over the real protocols: a passive copy is looked at, and a member is
taken down whose controller dies while the command restarts it.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab
from tests.end_to_end.test_server_maintenance import SPECIFICATION, is_down

pytestmark = pytest.mark.long  # the simulation plays it at every boundary

LOOK = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: look}
targets: {servers: ['dag:DAG2'], databases: {include: [DB40]}}
desired: {verified_within: 30d}
script: {name: offline-diagnostic-report}
schedule: {window: always}
"""
UPDATES = SPECIFICATION.replace("[EX02]", "[EX08]")


def written(site: Site, text: str) -> None:
    for path in (site.folder / "specs").glob("*.yaml"):
        path.unlink()
    (site.folder / "specs" / "wanted.yaml").write_text(text, "utf-8")


def standing(site: Site) -> tuple[Any, ...]:
    """Copies, activation policies and who is in maintenance mode, as the members tell it."""
    done = site.run("observe", "--server", "EX08", "--server", "EX09", "--json")
    assert done.code == 0, done.err
    servers = done.document["servers"]
    return (
        sorted(
            (each["database"], each["server"], each["status"])
            for server in servers
            for each in server["copies"]
        ),
        [server["mode"]["activation_policy"] for server in servers],
        [server["group"]["in_maintenance"] for server in servers],
    )


def test_a_passive_copy_is_looked_at_and_a_member_comes_back_from_maintenance(
    tmp_path: Path,
) -> None:
    with lab(tmp_path, "--old", "--pace", "10", "--scale", "0.05") as site:
        before = standing(site)
        assert ("DB40", "EX08", "Mounted") in before[0] and before[2] == [[], []]
        written(site, LOOK)
        site.planned()
        looked = site.run("apply", "plan.json")
        assert looked.code == 0, looked.out + looked.err
        assert standing(site) == before

        written(site, UPDATES)
        unapproved = site.run("plan", "--out", "unapproved.json")
        assert "transport is not drained" in " ".join(unapproved.out.split())
        assert site.run("apply", "unapproved.json").code == 13
        site.planned()
        process = site.start("apply", "plan.json")
        site.wait_for(is_down)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
        assert is_down(site.journal()), "the kill missed the command"
        assert standing_of_cluster(site) == ["EX08"]
        resumed = site.run("resume", "last")
        assert resumed.code == 0, resumed.out + resumed.err
        assert standing(site) == before
        kinds = [each["kind"] for each in site.control("effects")["effects"]]
        assert kinds.count("reboot") == kinds.count("node-resumed") == 1
        assert kinds.count("activated") == 2 and "component-set" not in kinds
        assert "nothing to do" in site.run("plan", "--out", "again.json").out


def standing_of_cluster(site: Site) -> list[str]:
    """Who is in maintenance mode, as the other member tells it."""
    done = site.run("observe", "--server", "EX09", "--json")
    (server,) = done.document["servers"]
    away: list[str] = server["group"]["in_maintenance"]
    return away
