"""Plans of many databases, partial plans, GitLab's widget, and two plans compared."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from goexchange.model.plan import Need, Plan, VerdictKind
from goexchange.report.plan_diff import (
    DIFF_MARKER,
    Part,
    compare_plans,
    render_diff,
    render_diff_markdown,
    verdict_of,
)
from goexchange.report.plan_folding import LANES_IN_FULL, LINES_IN_FULL, lane_groups
from goexchange.report.plan_markdown import render_plan_markdown
from goexchange.report.plan_text import PlanLayout, render_plan
from goexchange.report.plan_words import widget_counts
from goexchange.report.shown import columns


def many(plan: Plan, make_plan: Callable[..., Plan], count: int) -> Plan:
    """The plan's lane for many databases, with a row, a consent and a backup each."""
    lane, decision, consent = plan.body.lanes[0], plan.body.decisions[0], plan.body.consents[0]
    names = [f"DB{number:03}" for number in range(count)]
    lanes = tuple(evolve(lane, id=f"EX01/{name}", database=name) for name in names)
    verdict = evolve(plan.body.guards[0], address="EX01/DB003", kind=VerdictKind.BLOCK)
    return make_plan(
        lanes=lanes,
        decisions=tuple(evolve(decision, address=f"EX01/{name}", database=name) for name in names),
        consents=tuple(evolve(consent, address=f"EX01/{name}") for name in names),
        backups=tuple(f"EX01/{name}: a set" for name in names),
        guards=(evolve(verdict, due_at_step=None),),
    )


def test_lanes_with_the_same_steps_are_shown_once_and_all_named(
    plan: Plan, make_plan: Callable[..., Plan]
) -> None:
    made = many(plan, make_plan, 20)
    text = render_plan(made, PlanLayout(width=80))
    assert text.count("EX01 / DB000 ---") == 1 and "EX01 / DB001 ---" not in text
    assert "for 19 more" in text and "DB019" in text
    assert "says no to 1 of them, for example EX01/DB003" in text
    assert max(map(columns, text.splitlines())) <= 80
    assert text.count("  ~  DB0") == 20, "the table is never folded"
    assert f"and {20 - LINES_IN_FULL} more of the kind" in text
    assert "20 addresses" in text
    full = render_plan(made, PlanLayout(width=80, is_full=True))
    assert "EX01 / DB019 ---" in full and "more of the kind" not in full
    assert len(full.splitlines()) > 3 * len(text.splitlines())


def test_few_lanes_and_unlike_lanes_are_never_folded(
    plan: Plan, make_plan: Callable[..., Plan]
) -> None:
    few = many(plan, make_plan, LANES_IN_FULL)
    assert all(not group.same for group in lane_groups(few.body))
    made = many(plan, make_plan, LANES_IN_FULL + 1)
    last = made.body.lanes[-1]
    unlike = evolve(last, steps=last.steps[:-1])
    groups = lane_groups(evolve(made.body, lanes=(*made.body.lanes[:-1], unlike)))
    assert [group.shown.id for group in groups] == ["EX01/DB000", unlike.id]


def test_markdown_of_many_databases_keeps_verdict_and_table_whole(
    plan: Plan, make_plan: Callable[..., Plan]
) -> None:
    made = many(plan, make_plan, 150)
    limit = len(render_plan_markdown(made).encode()) - 2_000
    text = render_plan_markdown(made, max_bytes=limit)
    assert len(text.encode()) <= limit
    assert all(f"| `~` | DB{number:03} |" in text for number in range(150))
    assert f"left out to stay within {limit:,} bytes" in text


def test_a_partial_plan_says_so_loudly(plan: Plan, make_plan: Callable[..., Plan]) -> None:
    partial = make_plan(is_partial=True, scope=("EX01/DB05",))
    text = render_plan(partial, PlanLayout(width=100))
    assert "\nPARTIAL   ONLY EX01/DB05: everything else" in text
    markdown = render_plan_markdown(partial)
    assert markdown.index("PARTIAL PLAN") < markdown.index("database")
    assert "PARTIAL" not in render_plan(plan, PlanLayout())


def test_gitlab_counts_created_and_updated(plan: Plan, make_plan: Callable[..., Plan]) -> None:
    assert widget_counts(plan.body) == {"create": 0, "update": 1, "delete": 0}
    needs = (Need.REBUILD, Need.ONLINE_BACKUP, Need.MOUNT, Need.NOT_POSSIBLE, Need.NOTHING)
    decisions = tuple(
        evolve(each, need=need) for each, need in zip(plan.body.decisions, needs, strict=True)
    )
    made = make_plan(decisions=decisions)
    assert widget_counts(made.body) == {"create": 1, "update": 2, "delete": 0}


def test_a_plan_does_not_differ_from_itself(plan: Plan) -> None:
    assert compare_plans(plan, plan) == ()
    assert verdict_of(()) == "the plans ask for the same"
    assert "the plans ask for the same" in render_diff(plan, plan)


def test_every_part_that_differs_is_told(plan: Plan, make_plan: Callable[..., Plan]) -> None:
    lane = plan.body.lanes[0]
    step = evolve(lane.steps[0], summary="something else")
    other = make_plan(
        decisions=(
            evolve(plan.body.decisions[0], need=Need.NOTHING, explanation="all well"),
            *plan.body.decisions[1:-1],
        ),
        lanes=(evolve(lane, steps=(step, *lane.steps[1:-1])),),
        consents=(),
        guards=(evolve(plan.body.guards[0], kind=VerdictKind.BLOCK, evidence="no room"),),
        window=None,
        premises=(),
        inputs=(evolve(plan.body.inputs[0], sha256="f" * 64), *plan.body.inputs[1:]),
    )
    found = compare_plans(plan, other)
    assert {each.part for each in found} == set(Part)
    text = render_diff(plan, other, width=80)
    assert max(map(columns, text.splitlines())) <= 80
    assert "nothing: all well" in text and "no room" in text
    symbols = {each.symbol for each in found}
    assert symbols == {"~", "-"}
    assert {each.symbol for each in compare_plans(other, plan)} == {"~", "+"}


def test_the_markdown_of_a_difference_keeps_its_decisions(
    plan: Plan, make_plan: Callable[..., Plan]
) -> None:
    other = many(plan, make_plan, 60)
    text = render_diff_markdown(plan, other, max_bytes=20_000)
    assert text.startswith(DIFF_MARKER)
    assert len(text.encode()) <= 20_000
    assert all(f"EX01/DB{number:03}" in text for number in range(60))
    assert "further differences left out" in text
