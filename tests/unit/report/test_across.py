"""Across runs: the trend, the site's first page; one run's figures for Prometheus."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.model.plan import Plan
from goexchange.model.report import Report
from goexchange.model.run import Record
from goexchange.report.model import build_report
from goexchange.report.outlook import Coming
from goexchange.report.report_prometheus import render_prometheus
from goexchange.report.site_html import render_site
from goexchange.report.trend import make_trend, render_trend, render_trend_csv
from tests.unit.report.conftest import OPENS
from tests.unit.report.test_html import agree, outline

Nights = Mapping[str, Callable[[Plan], tuple[Record, ...]]]
LINE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\} (-?[0-9.]+)')


@pytest.fixture
def reports(plan: Plan, nights: Nights) -> tuple[Report, ...]:
    """Three nights, a month between each."""
    made = []
    for at, name in enumerate(("way-back", "clean", "unprotected")):
        report = build_report(plan, nights[name](plan))
        assert report.run.started_at_utc is not None
        moment = report.run.started_at_utc + timedelta(days=30 * at)
        run = evolve(report.run, run=f"run{at}", started_at_utc=moment)
        made.append(evolve(report, run=run))
    return tuple(made)


def test_the_trend_is_in_the_order_of_time_however_it_comes(reports: tuple[Report, ...]) -> None:
    assert make_trend(reports) == make_trend(reversed(reports))
    trend = make_trend(reports)
    assert [one.run for one in trend.runs] == ["run0", "run1", "run2"]
    assert [(one.month, one.runs, one.done) for one in trend.months] == [
        ("2026-11", 1, 0),
        ("2026-12", 1, 1),
        ("2027-01", 1, 0),
    ]
    offline = {one.month: one.offline_s for one in trend.months}
    assert offline["2026-12"] == 8_686


def test_what_is_unprotected_stands_until_a_later_run_mends_it(
    reports: tuple[Report, ...],
) -> None:
    (standing,) = make_trend(reports).standing
    assert (standing.database, standing.state, standing.run) == ("DB05", "unprotected", "run2")
    first = reports[1].run
    assert first.started_at_utc is not None
    mended = evolve(
        reports[1],
        run=evolve(first, run="run3", started_at_utc=first.started_at_utc + timedelta(days=90)),
    )
    assert make_trend((*reports, mended)).standing == ()


def test_only_a_proved_backup_makes_a_database_protected_again(plan: Plan, nights: Nights) -> None:
    """A later run that did something else, and did it well, is no proof."""

    def later(name: str, day: int, **changes: object) -> Report:
        report = build_report(plan, nights[name](plan))
        moment = OPENS + timedelta(days=day)
        run = evolve(report.run, run=f"{name}{day}", started_at_utc=moment)
        return evolve(report, run=run, **changes)

    bare, down = later("unprotected", 0), later("offline", 1)
    well_but_no_backup = later("clean", 2, online_backups=())
    assert [one.state for one in make_trend((bare, down)).standing] == [
        "left offline",
        "unprotected",
    ]
    (still,) = make_trend((bare, down, well_but_no_backup)).standing
    assert (still.state, still.run) == ("unprotected", "unprotected0")
    assert make_trend((bare, down, well_but_no_backup, later("clean", 3))).standing == ()


def test_a_run_without_an_end_hides_no_database_that_is_down(plan: Plan, nights: Nights) -> None:
    """Its controller died with the database dismounted, after another run had left it offline."""
    (alone,) = make_trend([build_report(plan, nights["dead"](plan))]).standing
    assert (alone.database, alone.state) == ("DB05", "out of service")
    assert "A PERSON IS NEEDED" in render_site(
        make_trend([build_report(plan, nights["dead"](plan))])
    )


def coming(name: str, **changes: object) -> Coming:
    values: dict[str, object] = {
        "specification": name,
        "standing": "waiting",
        "zone": "Europe/Berlin",
        "due_at_utc": OPENS,
        "begins_at_utc": OPENS,
        "missed_at_utc": None,
        "plan": None,
        "is_approved": False,
    }
    return Coming(**{**values, **changes})  # type: ignore[arg-type]


def test_what_is_due_next_is_said_by_both(reports: tuple[Report, ...]) -> None:
    trend = make_trend(
        reports,
        (
            coming("never", due_at_utc=None, begins_at_utc=None, standing="no due time"),
            coming("weekly", plan="plans/weekly.json", is_approved=True),
            coming("late", missed_at_utc=OPENS - timedelta(days=7), standing="missed"),
        ),
    )
    assert trend.coming is not None
    assert [one.specification for one in trend.coming] == ["late", "weekly", "never"]
    text, page = render_trend(trend, width=160), outline(render_site(trend)).text
    for words in (
        "Sat 21 Nov 22:00 was missed; next Sat 28 Nov 22:00 Europe/Berlin",
        "plans/weekly.json (approved)",
        "no due time",
    ):
        assert words in text and words in page
    assert text.index("unprotected") < text.index("Sat 21 Nov") < text.index("month")
    for unknown in (render_trend(make_trend(reports)), render_site(make_trend(reports))):
        assert "no specifications" in unknown


def test_a_database_that_is_still_down_was_never_offline_for_no_time(
    plan: Plan, nights: Nights
) -> None:
    trend = make_trend([build_report(plan, nights["offline"](plan))])
    assert trend.runs[0].offline_s is None and trend.months[0].offline_s is None
    assert render_trend(trend).count("not mounted again") == 2
    assert render_site(trend).count("not mounted again") == 2


def test_golden_trend(reports: tuple[Report, ...]) -> None:
    text = render_trend(make_trend(reports))
    assert max(map(len, text.splitlines())) <= 80
    agree("trend.txt", text)


def test_the_trend_as_a_table(reports: tuple[Report, ...]) -> None:
    rows = list(csv.DictReader(io.StringIO(render_trend_csv(make_trend(reports)), newline="")))
    assert [row["run"] for row in rows] == ["run0", "run1", "run2"]
    assert rows[1]["offline_s"] == "8686" and rows[1]["at_utc"].endswith("Z")


def test_no_runs_are_a_trend_too() -> None:
    assert render_trend(make_trend((), ())) == "0 runs, 0 done\n"
    outline(render_site(make_trend(())))


def test_the_first_page_links_every_report_and_names_who_needs_a_person(
    reports: tuple[Report, ...],
) -> None:
    html = render_site(make_trend(reports))
    parser = outline(html)
    links = [value for tag, name, value in parser.attributes if (tag, name) == ("a", "href")]
    assert links[-3:] == ["run2/report.html", "run1/report.html", "run0/report.html"]
    assert links[:-3] == ["run2/report.html"]  # from what stands, to the run that left it so
    assert "EX01/DB05: unprotected" in parser.text and "A PERSON IS NEEDED" in parser.text
    assert "<script" not in html and "url(" not in html
    assert html.count("<table") == html.count("<caption>")


@pytest.mark.parametrize("night", ["clean", "way-back", "offline", "unprotected", "dead"])
def test_figures_for_prometheus_can_be_read(plan: Plan, nights: Nights, night: str) -> None:
    lines = render_prometheus(build_report(plan, nights[night](plan))).splitlines()
    seen = set()
    for line in lines:
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            assert (match[1], match[2]) not in seen
            seen.add((match[1], match[2]))
            assert f"# TYPE {match[1]} gauge" in lines


def test_golden_prometheus(plan: Plan, nights: Nights) -> None:
    agree("report-clean.prom", render_prometheus(build_report(plan, nights["clean"](plan))))


def test_a_name_from_a_host_cannot_leave_its_label(
    plan: Plan, make_plan: Callable[..., Plan]
) -> None:
    odd = evolve(plan.body.decisions[1], database='DB"} 1\nx{a="\\')
    text = render_prometheus(build_report(make_plan(decisions=(odd,)), ()))
    (line,) = [one for one in text.splitlines() if "needs_person{" in one]
    assert LINE.fullmatch(line)
