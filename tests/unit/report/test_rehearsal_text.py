"""A rehearsal as text, Markdown and plain values; limits."""

from __future__ import annotations

from goexchange.model.plan import Plan
from goexchange.model.policy import RehearsalLimits
from goexchange.model.rehearsal import CALM, EVERY, Counts, Rehearsal
from goexchange.report.rehearsal_text import (
    passed_limits,
    plain_rehearsal,
    render_rehearsal,
    render_rehearsal_markdown,
    share_of,
)

FOUND = Rehearsal(
    outages={"DB05": tuple(float(each) for each in range(1, 101))},
    classes={
        EVERY: Counts(scenarios=100, left_down=3, unprotected=2, way_back=9, person_needed=3),
        CALM: Counts(scenarios=20),
        "kill": Counts(scenarios=80, left_down=3, unprotected=2, way_back=9, person_needed=3),
    },
)


def test_two_rehearsals_add_up() -> None:
    both = FOUND.plus(FOUND)
    assert both.classes["kill"].scenarios == 160 and both.classes["kill"].left_down == 6
    assert len(both.outages["DB05"]) == 200


def test_shares_are_measured_values() -> None:
    seconds = FOUND.outages["DB05"]
    assert (share_of(seconds, 0.5), share_of(seconds, 0.9), share_of(seconds, 1)) == (51, 91, 100)


def test_text_names_every_class_and_keeps_its_width(plan: Plan) -> None:
    text = render_rehearsal(plan, FOUND, (), width=80)
    assert max(map(len, text.splitlines())) <= 80
    rows = [line.split() for line in text.splitlines()]
    assert ["kill", "80", "3", "2", "0", "9", "3", "0"] in rows
    assert f"rehearsal of plan {plan.id}: 100 runs, all invariants held" in text


def test_what_broke_is_said_with_its_seed(plan: Plan) -> None:
    broken = FOUND.plus(Rehearsal(broken=((7, "I2 DB05: bad"),)))
    text = render_rehearsal(plan, broken, (), width=80)
    assert "an invariant broke" in text and "goexchange rehearse --seed 7" in text
    assert plain_rehearsal(plan, broken, ())["broken"] == [{"seed": 7, "why": "I2 DB05: bad"}]


def test_limits_are_compared_each_by_itself(plan: Plan) -> None:
    assert passed_limits(FOUND, RehearsalLimits()) == ()
    assert passed_limits(FOUND, RehearsalLimits(left_down=3, outage_p90_s=91)) == ()
    passed = passed_limits(
        FOUND, RehearsalLimits(outage_p90_s=90, left_down=2, unprotected=1, person_needed=2)
    )
    assert [each.split(":")[0].split(" in ")[0] for each in passed] == [
        "DB05", "left down", "unprotected", "person needed",
    ]  # fmt: skip
    markdown = render_rehearsal_markdown(plan, FOUND, passed)
    assert "- **limit passed**: left down in 3 of 100 runs, allowed are 2" in markdown
    assert "| kill | 80 | 3 | 2 | 0 | 9 | 3 | 0 |" in markdown
