"""The report as Markdown, JUnit and CSV; hostile text in every format."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from attrs import evolve

from goexchange.model.plan import Need, Plan
from goexchange.model.report import Figure, Report
from goexchange.model.run import Record, RecordKind
from goexchange.report.html import render_html
from goexchange.report.model import build_report
from goexchange.report.report_csv import COLUMNS, render_csv
from goexchange.report.report_json import render_json
from goexchange.report.report_junit import render_junit
from goexchange.report.report_markdown import MARKER, render_markdown
from goexchange.report.report_text import render_text
from tests.unit.report.test_html import ALL, agree, outline

junitparser = pytest.importorskip("junitparser", reason="the extra 'test' has junitparser")

Nights = Mapping[str, Callable[[Plan], tuple[Record, ...]]]
GIB = 1024**3
HOSTILE = "</pre><script>alert('x')</script>\x1b[31m\u202e\r\n| ``` =cmd|' /C calc'!A0 & \x00"
FORBIDDEN = {"\x1b", "\u202e", "\x00", "\r"}


def suites(report: Report) -> dict[str, Any]:
    text = render_junit(report)
    return {suite.name: suite for suite in junitparser.JUnitXml.fromstring(text.encode())}


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(report), newline="")))


@pytest.mark.parametrize("night", ["clean", "offline"])
def test_golden_markdown(plan: Plan, nights: Nights, night: str) -> None:
    agree(f"report-{night}.md", render_markdown(build_report(plan, nights[night](plan))))


@pytest.mark.parametrize("night", ["clean", "way-back"])
def test_golden_junit(plan: Plan, nights: Nights, night: str) -> None:
    agree(f"report-{night}.junit.xml", render_junit(build_report(plan, nights[night](plan))))


def test_golden_csv(plan: Plan, nights: Nights) -> None:
    text = render_csv(build_report(plan, nights["clean"](plan)))
    assert "\r\n" in text
    agree("report-clean.csv", text.replace("\r\n", "\n"))


def test_a_night_that_went_well_has_no_failure_in_junit(plan: Plan, nights: Nights) -> None:
    found = suites(build_report(plan, nights["clean"](plan)))
    assert set(found) == {"run", "EX01/DB05", "EX01/DB01", "EX01/DB03", "EX01/DB04", "EX02/DB07"}
    assert all(suite.failures == suite.errors == 0 for suite in found.values())
    lane = {case.name: case for case in found["EX01/DB05"]}
    assert lane["guard verified-set of EX01/DB05, before step 19 swap"].result == []
    assert lane["step 12 rebuild: eseutil /d to D:\\DB05\\gx-5c6f2a7e\\DB05.tmp.edb"].time == 4_100
    assert {case.classname for case in found["EX01/DB05"]} == {"goexchange.EX01.DB05"}
    (not_possible,) = found["EX02/DB07"]
    assert isinstance(not_possible.result[0], junitparser.Skipped)


def test_failures_doubts_and_steps_not_reached_are_told_apart(plan: Plan, nights: Nights) -> None:
    offline = suites(build_report(plan, nights["offline"](plan)))
    cases = {case.name.split(":")[0]: case for case in offline["EX01/DB05"]}
    assert isinstance(cases["step 20 mount"].result[0], junitparser.Failure)
    assert isinstance(cases["step 29 online backup"].result[0], junitparser.Skipped)
    verdict = next(iter(offline["run"]))
    assert isinstance(verdict.result[0], junitparser.Failure)
    assert "Mount-Database -Identity 'DB05'" in (verdict.system_out or "")
    dead = suites(build_report(plan, nights["dead"](plan)))["EX01/DB05"]
    assert isinstance(
        {case.name[:7]: case for case in dead}["step 12"].result[0], junitparser.Error
    )


def test_a_step_that_may_fail_fails_no_suite_of_a_lane_that_is_done(
    plan: Plan, nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    def fails(record: Record) -> Record:
        is_notice = record.kind is RecordKind.OUTCOME and record.data["step"].endswith("05-notify")
        return evolve(record, data={**record.data, "outcome": "failed"}) if is_notice else record

    report = build_report(plan, rechained(nights["clean"](plan), fails))
    suite = suites(report)["EX01/DB05"]
    assert suite.failures == 0
    case = next(case for case in suite if case.name.startswith("step 05"))
    assert "failed, and the lane went on" in (case.system_out or "")


def test_the_csv_has_figures_that_can_be_added_up(plan: Plan, nights: Nights) -> None:
    table = rows(build_report(plan, nights["clean"](plan)))
    assert [row["database"] for row in table] == ["DB05", "DB01", "DB03", "DB04", "DB07"]
    first = table[0]
    assert int(first["size_after_bytes"]) == 57 * GIB + 32_768
    assert first["offline_seconds"] == "8686" and first["backup_after_utc"].endswith("Z")
    assert first["errors_primary"] == "0" and table[1]["errors_primary"] == ""
    assert tuple(first) == COLUMNS


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\n="])
def test_no_text_of_the_csv_is_a_formula(
    plan: Plan, make_plan: Callable[..., Plan], start: str
) -> None:
    first = evolve(plan.body.decisions[1], explanation=f'{start}HYPERLINK("http://x";"y")')
    table = rows(build_report(make_plan(decisions=(first,)), ()))
    assert not table[0]["why"].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\n"))
    assert "HYPERLINK" in table[0]["why"]


def test_markdown_is_bounded_and_says_what_it_left_out(
    large: tuple[Plan, tuple[Record, ...]],
) -> None:
    report = build_report(*large)
    text = render_markdown(report, max_bytes=65_000)
    assert len(text.encode()) <= 65_000 and text.startswith(MARKER)
    assert "chapters left out to stay within 65,000 bytes" in text
    assert text.count("| `✔` | EX") == 100
    assert len(render_markdown(report).encode()) <= 990_000


@pytest.fixture
def hostile(
    plan: Plan,
    make_plan: Callable[..., Plan],
    nights: Nights,
    rechained: Callable[..., tuple[Record, ...]],
) -> Report:
    """A way back in which names, tools and hosts say the worst."""
    lane = plan.body.lanes[0]
    steps = tuple(evolve(step, summary=HOSTILE, undo=HOSTILE) for step in lane.steps)
    odd = make_plan(
        decisions=(
            evolve(plan.body.decisions[0], explanation=HOSTILE),
            evolve(plan.body.decisions[1], database=HOSTILE, address=f"EX01/{HOSTILE}"),
        ),
        lanes=(evolve(lane, steps=steps),),
        diagnostics=(evolve(plan.body.diagnostics[0], detail=HOSTILE, address=HOSTILE),),
    )

    def poisoned(record: Record) -> Record:
        data = record.data
        if record.kind is RecordKind.OUTCOME:
            big = HOSTILE + "x" * 10_000_000 + "THE END" if data["step"].endswith("rebuild") else ""
            return evolve(
                record,
                data={
                    **data,
                    "output_tail": big or HOSTILE * 3,
                    "findings": [HOSTILE],
                    "result": {"why": HOSTILE, "text": HOSTILE},
                },
            )
        if record.kind in (RecordKind.LANE_ENDED, RecordKind.LOOKED):
            return evolve(record, data={**data, "why": HOSTILE, "evidence": HOSTILE})
        if record.kind is RecordKind.RUN_STARTED:
            return evolve(record, data={**data, "started_by": HOSTILE, "controller": HOSTILE})
        return record

    return build_report(odd, rechained(nights["way-back"](plan), poisoned))


@pytest.mark.parametrize(
    "render", [render_html, render_markdown, render_text, render_junit, render_csv, render_json]
)
def test_hostile_text_is_text_and_bounded_everywhere(
    hostile: Report, render: Callable[[Report], str]
) -> None:
    text = render(hostile)
    assert len(text) < 700_000
    if render is render_json:  # JSON escapes controls by itself; marks of direction are data there
        assert not {"\x1b", "\x00", "\r"} & set(text)
        return
    assert not FORBIDDEN & set(text.replace("\r\n", "\n"))
    if render is not render_text and render is not render_csv:
        assert "<script" not in text
    if render is render_junit:
        assert ElementTree.fromstring(text).tag == "testsuites"
    if render is render_html:
        assert "alert('x')" in outline(text).text


def test_the_end_of_a_very_long_output_is_kept(hostile: Report) -> None:
    for text in (render_html(hostile), render_json(hostile)):
        assert "THE END" in text and "earlier characters left out" in text


@pytest.mark.parametrize("night", ALL)
def test_no_line_of_markdown_leaves_its_table(plan: Plan, nights: Nights, night: str) -> None:
    """Every row of a table has as many cells as its heading."""
    width = None
    for line in render_markdown(build_report(plan, nights[night](plan))).splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = line.replace("\\|", "").count("|")
        width = width or cells
        assert cells == width, line


def of_servers(report: Report, *, also: bool = False) -> Report:
    """The same of servers that were worked on as such; with a database beside them where asked."""
    nothing = Figure(size_bytes=None, source=None, read_at_utc=None)
    first, *_ = report.databases
    server = evolve(
        first, database="Server", need=Need.MAINTAIN, passes=(), offline=(), is_database=False,
        state="done", size_before=nothing, size_after=nothing, white_space_before=nothing,
        white_space_after=nothing,
    )  # fmt: skip
    return evolve(report, databases=(server, first) if also else (server,))


def test_a_report_of_servers_has_neither_sizes_nor_backups(plan: Plan, nights: Nights) -> None:
    report = of_servers(build_report(plan, nights["clean"](plan)))
    text = render_text(report).partition("Rates --")[0]
    assert "Servers ---" in text and "not looked for" in text
    for label in ("  size  ", "  white space  ", "  backup ", "Databases"):
        assert not [each for each in text.splitlines() if each.startswith(label)]
    assert "|  | server | result | errors and warnings | offline |" in render_markdown(report)
    page = render_html(report)
    assert "<h2>Servers</h2>" in page and 'data-label="Size"' not in page
    assert 'data-label="Backup before"' not in page and "Size and white space" not in page
    (row,) = csv.DictReader(io.StringIO(render_csv(report)))
    assert not [name for name, cell in row.items() if cell and ("size" in name or "back" in name)]


def test_beside_a_database_a_server_has_empty_cells(plan: Plan, nights: Nights) -> None:
    report = of_servers(build_report(plan, nights["clean"](plan)), also=True)
    (line,) = [each for each in render_markdown(report).splitlines() if "/Server |" in each]
    assert line.count("| - ") == 5  # four, and no time offline
    page = render_html(report)
    assert '<td data-label="Size">-</td>' in page and "<h2>Databases</h2>" in page
    server, database = csv.DictReader(io.StringIO(render_csv(report)))
    assert not server["backup_after"] and database["backup_after"]
    assert "  size" in render_text(report)
