"""A clustered server over the real protocols: a night on it, a plan that a move makes stale, and a
move in the middle of a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.site import Site, lab, steps

pytestmark = pytest.mark.long  # each of them is played in every run, by the simulation


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    options = ("--cluster", "--pace", "2", "--scale", "0.5")
    with lab(tmp_path_factory.mktemp("cluster"), *options) as s:
        planned = {width: s.run("plan", COLUMNS=width).out for width in ("80", "160")}
        plan = s.planned()
        moved = s.run("lab", "move", "MAIL1", ".")
        await_node(s, "NODE2")
        stale = s.run("apply", "plan.json")
        elsewhere = s.run("plan", COLUMNS="160")
        back_to_first(s)
        broken = played(s, moves=True)
        back_to_first(s)
        whole = played(s, moves=False)
        again = s.run("plan", "--out", "again.json")
        refused = s.run("lab", "move", "EX01", ".")
        yield {
            "site": s, "planned": planned, "plan": plan, "moved": moved, "stale": stale,
            "elsewhere": elsewhere, "broken": broken, "whole": whole, "again": again,
            "refused": refused,
        }  # fmt: skip


def await_node(site: Site, node: str) -> None:
    site.wait_until(lambda: f'"{node}"' in site.run("observe", "--json").out)


def back_to_first(site: Site) -> None:
    """To the node whose event log has what the store has told of free space."""
    assert site.run("lab", "move", "MAIL1", ".").code == 0
    await_node(site, "NODE1")


def played(site: Site, *, moves: bool) -> dict[str, Any]:
    """Plan, approve, apply; the server moves once the rebuild has begun."""
    site.planned()
    running = site.start("apply", "plan.json")
    if moves:
        site.wait_for(lambda found: bool(steps(found, "intent", "rebuild")))
        assert site.control("move", host="MAIL1")["moves_to"] == "NODE2"
    out, _ = running.communicate(timeout=600)
    return {
        "code": running.returncode, "out": out.decode(), "records": site.journal(),
        "report": {w: site.run("report", COLUMNS=w).out for w in ("80", "160")},
        "effects": site.control("effects")["effects"],
        "observed": site.run("observe", "--json").document,
    }  # fmt: skip


def test_the_plan_names_cluster_and_node_at_every_width(seen: dict[str, Any]) -> None:
    for width, text in seen["planned"].items():
        said = " ".join(text.split())
        assert "MAIL1 is a clustered server (single-copy cluster, now on NODE1" in said
        assert "guard same-node MAIL1 is on NODE1" in said
        assert max(map(len, text.splitlines())) <= int(width)


def test_a_move_between_plan_and_apply_makes_the_plan_stale(seen: dict[str, Any]) -> None:
    assert seen["moved"].code == 0 and "NODE2" in seen["moved"].out
    said = seen["stale"].out + seen["stale"].err
    assert seen["stale"].code == 12
    assert "NODE1" in said and "NODE2" in said


def test_free_space_that_the_other_node_was_told_is_unknown(seen: dict[str, Any]) -> None:
    said = " ".join(seen["elsewhere"].out.split())
    assert "its white space is unknown" in said


def test_a_move_during_the_rebuild_ends_with_the_original_in_service(seen: dict[str, Any]) -> None:
    one = seen["broken"]
    assert one["code"] == 21, one["out"]
    assert not steps(one["records"], "intent", "swap")
    assert steps(one["records"], "outcome", "mount-original")
    for width, text in one["report"].items():
        said = " ".join(text.split())
        assert "the clustered server is on NODE2, before it was on NODE1" in said
        assert max(map(len, text.splitlines())) <= int(width)
    (server,) = [each for each in one["observed"]["servers"] if each["name"] == "MAIL1"]
    (database,) = [each for each in server["databases"] if each["name"] == "DB40"]
    assert database["is_mounted"] is True and database["is_mount_at_startup"] is True


def test_a_night_without_a_move_is_done_and_a_second_plan_is_empty(seen: dict[str, Any]) -> None:
    assert seen["whole"]["code"] == 0, seen["whole"]["out"]
    assert seen["again"].code == 0 and "nothing to do" in seen["again"].out.lower()


def test_what_is_no_cluster_is_not_moved(seen: dict[str, Any]) -> None:
    assert seen["refused"].code == 64 and "no server EX01" in seen["refused"].err
