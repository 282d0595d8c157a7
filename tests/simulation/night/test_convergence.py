"""Generated sites and specifications: applied, then planned again, nothing is left to do; and the
same inputs give the same plan, whatever the process is like.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from attrs import evolve

from goexchange.plan.planner import make_draft
from tests.reliability.rows import what_is_left
from tests.reliability.scenarios import SATURDAY, documents_of, night_of, scenario_of

SEEDS = [seed for seed in range(16) if scenario_of(seed).at == SATURDAY][:10]
PROGRAM = """
import sys
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.reliability.rows import what_is_left
from tests.reliability.scenarios import night_of, scenario_of
for seed in range(4):
    print(night_of(scenario_of(seed)).plan.sha256)
"""


@pytest.mark.parametrize("seed", SEEDS)
def test_planning_again_after_an_apply_finds_nothing_to_do(seed: int) -> None:
    scenario = scenario_of(seed)
    assert night_of(scenario).plan.body.lanes
    assert what_is_left(scenario) == ""


def test_the_order_of_hosts_and_documents_does_not_matter() -> None:
    scenario = next(one for one in map(scenario_of, range(99)) if one.servers == 3)
    inventory, specifications = documents_of(scenario)
    actual = night_of(scenario).plan.body.facts
    turned = evolve(actual, servers=tuple(reversed(actual.servers)))
    first = make_draft(specifications, inventory, actual, now=SATURDAY)
    second = make_draft(tuple(reversed(specifications)), inventory, turned, now=SATURDAY)
    assert first.lanes == second.lanes and first.decisions == second.decisions


def test_hash_seed_locale_and_zone_of_the_process_do_not_matter() -> None:
    def digests(**environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, **environment},
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=120,
        )
        return done.stdout

    first = digests(PYTHONHASHSEED="1", LC_ALL="C", TZ="UTC")
    second = digests(PYTHONHASHSEED="77", LC_ALL="de_DE.UTF-8", TZ="Pacific/Auckland")
    assert first == second and len(first.split()) == 4
