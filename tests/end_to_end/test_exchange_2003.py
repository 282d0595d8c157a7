"""MTA Error Correction on Exchange 2003 over the real protocols: refused without the consents, done
with them, dead in the middle and gone on with, and planned again: nothing is left to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from goexchange.errors import ExitCode
from tests.end_to_end.site import Site, lab, steps
from tests.end_to_end.test_scripts import of

pytestmark = pytest.mark.long  # played in every run, by the simulation

SPECIFICATION = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: agents}
targets: {servers: [EX07]}
desired: {verified_within: 30d}
script: {name: mta-error-correction}
backup: {before: {offline: {target: {path: 'E:\evidence'}}}}
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with lab(tmp_path_factory.mktemp("old"), "--old", "--pace", "20", "--scale", "0.2") as site:
        (site.folder / "specs" / "preventative.yaml").write_text(SPECIFICATION, "utf-8")
        site.run("plan", "--out", "unapproved.json")
        refused = site.run("apply", "unapproved.json")
        plan = site.planned()
        applied = site.start("apply", "plan.json")
        site.wait_for(lambda records: bool(steps(records, "intent", "check-mta")))
        applied.kill()
        applied.communicate(timeout=20)
        resumed = site.run("resume", "last")
        yield {
            "site": site,
            "body": plan["body"],
            "refused": refused,
            "resumed": resumed,
            "records": site.journal(),
            "report": site.run("report", "--json").document,
            "observed": site.run("observe"),
            "again": site.run("plan", "--out", "again.json"),
        }


def test_it_needs_both_consents_and_the_stores_are_left_alone(seen: dict[str, Any]) -> None:
    consents = {(each["consent"], each["address"]) for each in seen["body"]["consents"]}
    assert consents == {("unconfirmed-generation", "EX07"), ("repair-may-lose-data", "EX07/MTA")}
    assert seen["refused"].code == 13 and "repair-may-lose-data" in seen["refused"].out
    (lane,) = seen["body"]["lanes"]
    assert not {each["action"] for each in lane["steps"]} & {"dismount", "mount"}


def test_a_controller_that_died_with_it_stopped_is_gone_on_with(seen: dict[str, Any]) -> None:
    assert seen["resumed"].code == 0, seen["resumed"].out + seen["resumed"].err
    assert of(seen["report"], "MTA")["state"] == "done"
    kinds = [each["kind"] for each in seen["site"].control("effects")["effects"]]
    assert [each for each in kinds if each.startswith("mta-")] == ["mta-stopped", "mta-started"]
    assert "MTA: Running, Automatic" in seen["observed"].out


def test_what_was_found_is_told_and_what_was_taken_out_is_kept(seen: dict[str, Any]) -> None:
    (passes,) = of(seen["report"], "MTA")["passes"]
    assert passes["errors"] == 2 and passes["pass_name"] == "primary"
    assert "Object 300596 invalid" in json.dumps(seen["report"])
    kept = list(seen["site"].disk("EX07").rglob("db300596.dat.1"))
    assert len(kept) == 1


def test_planned_again_nothing_is_left_to_do(seen: dict[str, Any]) -> None:
    assert seen["again"].code == 0 and "nothing to do" in seen["again"].out.lower()


def test_other_scripts_are_refused_there_with_the_reason(seen: dict[str, Any]) -> None:
    site: Site = seen["site"]
    text = SPECIFICATION.replace("mta-error-correction", "online-error-diagnostic")
    (site.folder / "specs" / "preventative.yaml").write_text(text, "utf-8")
    said = site.run("plan", "--out", "other.json")
    assert said.code == ExitCode.INVALID, said.out + said.err
    told = " ".join(said.err.split())
    assert "does not apply to the version" in told and "offline-diagnostic-report" in told
