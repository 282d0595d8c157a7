"""A plan as text and Markdown."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.model.plan import Need, Plan, Reason, VerdictKind
from goexchange.report.plan_markdown import MARKER, render_plan_markdown
from goexchange.report.plan_text import PlanLayout, render_plan
from goexchange.report.shown import columns

GOLDEN = Path(__file__).parents[2] / "golden" / "report"
NEXT = (
    "goexchange rehearse plan.json",
    "goexchange approve plan.json",
    "goexchange apply plan.json",
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def agree(name: str, text: str) -> None:
    """Compare with the golden file; GOEXCHANGE_REWRITE_GOLDEN=1 writes it instead."""
    path = GOLDEN / name
    if os.environ.get("GOEXCHANGE_REWRITE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [80, 160])
def test_golden_text(plan: Plan, width: int) -> None:
    layout = PlanLayout(width=width, saved_as="plan.json", next_commands=NEXT)
    agree(f"plan-{width}.txt", render_plan(plan, layout))


def test_golden_markdown(plan: Plan) -> None:
    agree("plan.md", render_plan_markdown(plan))


@pytest.mark.parametrize("width", [20, 60, 80, 100, 119, 120, 160, 400])
def test_no_line_is_wider_than_the_layout(plan: Plan, width: int) -> None:
    text = render_plan(plan, PlanLayout(width=width))
    assert max(map(columns, text.splitlines())) <= min(160, max(60, width))


def test_colour_only_adds_to_the_text(plan: Plan) -> None:
    coloured = render_plan(plan, PlanLayout(colour=True))
    plain = render_plan(plan, PlanLayout())
    assert "\x1b[" in coloured and "\x1b[" not in plain
    stripped = ANSI.sub("", coloured)
    assert [line.rstrip() for line in stripped.splitlines()] == plain.splitlines()


def test_the_verdict_comes_first_and_counts_what_is_not_possible(plan: Plan) -> None:
    lines = render_plan(plan, PlanLayout(width=160)).splitlines()
    assert lines[1] == (
        "VERDICT   1 of 5 databases will be rebuilt · down 3 h 10 m (DB05) · 3 need nothing"
        " · 1 is not possible"
    )


def test_a_summary_has_the_table_and_the_consents_but_no_steps(plan: Plan) -> None:
    text = render_plan(plan, PlanLayout(is_summary=True))
    assert "DB01 DB03 DB04" in text and "outage-without-history" in text
    assert "open recovery record" not in text


def test_a_guard_that_says_no_leads_the_verdict_with_its_remedy(
    plan: Plan, make_plan: Callable[..., Plan]
) -> None:
    blocked = evolve(
        plan.body.guards[0],
        kind=VerdictKind.BLOCK,
        evidence="D: 12 GiB free",
        remedy="free 231 GiB on D:",
    )
    text = render_plan(make_plan(guards=(blocked, *plan.body.guards[1:])), PlanLayout(width=160))
    assert text.splitlines()[1].startswith("VERDICT   BLOCKED: free-space · 1 of 5")
    assert (
        "D: 12 GiB free · rule: the rule of free-space · to change it: free 231 GiB on D:" in text
    )
    later = evolve(blocked, is_time_only=True)
    text = render_plan(make_plan(guards=(later,)), PlanLayout())
    assert "VERDICT   not now: free-space" in text


def test_a_due_guard_stands_before_its_step(plan: Plan) -> None:
    lines = render_plan(plan, PlanLayout()).splitlines()
    at = next(i for i, line in enumerate(lines) if "guard clean-shutdown" in line)
    assert lines[at].split()[0] == "?" and lines[at].endswith("due")
    assert "9  >  detect errors" in lines[at + 1]


def test_ways_back_and_the_point_of_no_return_are_named(plan: Plan) -> None:
    text = render_plan(plan, PlanLayout())
    assert "^  no automatic way back from here" in text
    assert "Way back if it fails before the swap" in text
    assert re.search(r"24  \?  swap back", text)


def test_an_unchanged_database_with_a_reason_worth_reading_has_its_own_row(
    plan: Plan, make_plan: Callable[..., Plan]
) -> None:
    brake = evolve(
        plan.body.decisions[1],
        reasons=(Reason.REBUILT_RECENTLY,),
        explanation="rebuilt 20 days ago, not again within 180",
    )
    text = render_plan(
        make_plan(decisions=(brake, *plan.body.decisions[2:])), PlanLayout(width=120)
    )
    assert "rebuilt 20 days ago, not again within 180" in text
    assert "DB03 DB04 · 2 databases meet the specification" in text


def test_a_plan_without_need_says_so(plan: Plan, make_plan: Callable[..., Plan]) -> None:
    well = tuple(one for one in plan.body.decisions if one.need is Need.NOTHING)
    empty = make_plan(decisions=well, lanes=(), guards=(), consents=(), diagnostics=(), notices=())
    text = render_plan(empty, PlanLayout())
    assert "VERDICT   nothing to do: 3 databases, all as specified" in text
    assert "Plan: 3 unchanged. 0 steps." in text


HOSTILE = "DB<script>\x1b[31m\u202e|`@all`\n# データ"


def test_hostile_names_stay_one_cell(plan: Plan, make_plan: Callable[..., Plan]) -> None:
    decisions = (evolve(plan.body.decisions[0], database=HOSTILE), *plan.body.decisions[1:])
    hostile = make_plan(decisions=decisions)
    text = render_plan(hostile, PlanLayout(width=80))
    assert "\x1b" not in text and "\u202e" not in text
    assert max(map(columns, text.splitlines())) <= 80
    markdown = render_plan_markdown(hostile)
    assert "<script>" not in markdown and "@all" not in markdown
    row = next(line for line in markdown.splitlines() if "データ" in line and line.startswith("|"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 9


def test_markdown_drops_details_from_the_end_never_the_table(plan: Plan) -> None:
    whole = render_plan_markdown(plan)
    assert whole.startswith(MARKER) and whole.count("<details>") == 2
    short = render_plan_markdown(plan, max_bytes=3_000)
    assert len(short.encode()) <= 3_000
    assert "Warnings and errors" in short and "open recovery record" not in short
    assert "1 of 2 details left out to stay within 3,000 bytes" in short
    tiny = render_plan_markdown(plan, max_bytes=10)
    assert "| `~` | DB05 |" in tiny and "2 of 2 details left out" in tiny
