"""Saved plans: the same facts give the same bytes; a premise that fails refuses, a figure that
moves does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.end_to_end.clients import exchange_cmdlet
from tests.end_to_end.site import Site, lab


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with lab(tmp_path_factory.mktemp("premises"), "--pace", "20", "--scale", "0.3") as running:
        assert running.run("observe", "--out", "facts.json").code == 0
        yield running


def test_two_plans_from_the_same_facts_have_the_same_body(site: Site) -> None:
    bodies = []
    for name, seed in (("a.json", "1"), ("b.json", "2")):
        done = site.run("plan", "--facts", "facts.json", "--out", name, PYTHONHASHSEED=seed)
        assert done.code == 0, done.err
        bodies.append(json.loads((site.folder / name).read_bytes())["body"])
    first, second = (json.dumps(body, sort_keys=True).encode() for body in bodies)
    assert first == second


def test_a_tampered_plan_is_refused(site: Site) -> None:
    assert site.run("plan", "--facts", "facts.json", "--out", "t.json").code == 0
    path = site.folder / "t.json"
    path.write_bytes(path.read_bytes().replace(b'"failures_max":0', b'"failures_max":9'))
    done = site.run("show", "t.json")
    assert done.code == 10
    assert "digest" in done.err


def test_white_space_that_moved_a_little_does_not_make_a_plan_stale(site: Site) -> None:
    facts = json.loads((site.folder / "facts.json").read_text("utf-8"))
    for server in facts["servers"]:
        for database in server["databases"]:
            if database["name"] == "DB05":
                database["white_space_bytes"] -= 32768 * 3
    (site.folder / "moved.json").write_text(json.dumps(facts), "utf-8")
    made = site.run("plan", "--facts", "moved.json", "--out", "m.json", "--database", "DB05")
    assert made.code == 0, made.err
    refused = site.run("apply", "m.json")
    assert refused.code == 13, refused.out  # past the premises: only the approval is missing
    assert "white_space" not in refused.out


def test_a_premise_that_no_longer_holds_refuses_with_then_and_now(site: Site) -> None:
    assert site.run("plan", "--out", "p.json", "--database", "DB05").code == 0
    assert site.run("approve", "p.json", "--consent", "all").code == 0
    exchange_cmdlet(site, "Dismount-Database", Identity="DB05", Confirm=False)
    try:
        done = site.run("apply", "p.json")
    finally:
        exchange_cmdlet(site, "Mount-Database", Identity="DB05")
    assert done.code == 12, done.out
    assert "is_mounted" in done.out
    assert "true" in done.out.lower() and "false" in done.out.lower()
