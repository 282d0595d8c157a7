"""A member is taken down over the real protocols: its controller dies while the command restarts
the server, and the next one brings everything back to what it was.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab, steps
from tests.end_to_end.test_copies import copies

SPECIFICATION = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: updates}
targets: {servers: [EX02]}
desired: {maintained_within: 30d}
script: {name: server-maintenance}
custom_processes:
  takes_server_down:
    - {name: updates, run: ['C:\ops\updates.cmd', install], restarts: true,
       limit: {timeout: 30m}, back_within: 20m}
schedule: {window: always}
"""
pytestmark = pytest.mark.long  # the simulation plays it at every boundary


def mode(site: Site) -> tuple[Any, ...]:
    """Activation policy, what Maintenance has taken out, and who is in maintenance mode."""
    done = site.run("observe", "--server", "EX02", "--json")
    assert done.code == 0, done.err
    (server,) = done.document["servers"]
    taken = {
        each["component"]
        for each in server["mode"]["components"]
        for said in each["by"]
        if said["requester"] == "Maintenance" and said["state"] != "Active"
    }
    return server["mode"]["activation_policy"], taken, server["group"]["in_maintenance"]


def is_down(records: list[dict[str, Any]]) -> bool:
    begun = steps(records, "progress", "take-server-down")
    return bool(begun) and not steps(records, "outcome", "take-server-down")


def test_a_member_comes_out_of_maintenance_mode_after_its_controller_died(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "10", "--scale", "0.05") as site:
        for path in (tmp_path / "specs").glob("*.yaml"):
            path.unlink()
        (tmp_path / "specs" / "updates.yaml").write_text(SPECIFICATION, "utf-8")
        plan = site.planned()
        assert plan["body"]["decisions"][0]["need"] == "maintain"
        before, as_it_was = copies(site), mode(site)
        process = site.start("apply", "plan.json")
        site.wait_for(is_down)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=120)
        assert is_down(site.journal()), "the kill missed the command"
        resumed = site.run("resume", "last")
        assert resumed.code == 0, resumed.out + resumed.err
        assert copies(site) == before and mode(site) == as_it_was
        effects = [each["kind"] for each in site.control("effects")["effects"]]
        assert effects.count("reboot") == effects.count("node-resumed") == 1
        assert effects.count("activated") == 2  # away, and back
        again = site.run("plan", "--out", "again.json")
        assert "nothing to do" in again.out
