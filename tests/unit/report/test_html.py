"""The report as HTML and as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.model.plan import Plan
from goexchange.model.run import Record, RecordKind
from goexchange.report.html import render_html
from goexchange.report.model import build_report
from goexchange.report.report_text import render_text
from goexchange.report.shown import columns

Nights = Mapping[str, Callable[[Plan], tuple[Record, ...]]]
ALL = ["clean", "way-back", "offline", "unprotected", "dead"]
NAMED = {"h1", "h2", "h3", "caption", "summary", "th"}
VOID = {"meta", "br", "link", "img", "hr", "input"}
GOLDEN = Path(__file__).parents[2] / "golden" / "report"


class Outline(HTMLParser):
    """Checks that every element is closed in order; keeps headings, captions and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.lines: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.extend((tag, name, value) for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in NAMED | {"svg"}:
            self.lines.append("  " * len(self.open) + tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in NAMED and data.strip():
            self.lines[-1] += f" {data.strip()}"


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def agree(name: str, text: str) -> None:
    """Compare with the golden file; GOEXCHANGE_REWRITE_GOLDEN=1 writes it instead."""
    import os

    path = GOLDEN / name
    if os.environ.get("GOEXCHANGE_REWRITE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("night", ALL)
def test_golden_text(plan: Plan, nights: Nights, night: str) -> None:
    agree(f"report-{night}.txt", render_text(build_report(plan, nights[night](plan))))


@pytest.mark.parametrize("night", ["clean", "offline"])
def test_golden_outline(plan: Plan, nights: Nights, night: str) -> None:
    parser = outline(render_html(build_report(plan, nights[night](plan))))
    agree(f"report-{night}.outline", "\n".join(parser.lines) + "\n")


@pytest.mark.parametrize("night", ALL)
def test_no_script_and_nothing_from_elsewhere(plan: Plan, nights: Nights, night: str) -> None:
    html = render_html(build_report(plan, nights[night](plan)))
    parser = outline(html)
    names = {name for _, name, _ in parser.attributes}
    assert not names & {"src", "href", "onclick", "onload", "style", "srcset", "action"}
    assert not any(name.startswith("on") for name in names)
    assert "<script" not in html and "@import" not in html and "url(" not in html
    assert re.findall(r"https?://[^\"]*", html) == ["http://www.w3.org/2000/svg"] * html.count(
        "<svg"
    )


@pytest.mark.parametrize("night", ALL)
def test_tables_can_be_read_aloud(plan: Plan, nights: Nights, night: str) -> None:
    html = render_html(build_report(plan, nights[night](plan)))
    assert html.count("<table") == html.count("<caption>") == html.count("<thead>")
    assert all("scope=" in tag for tag in re.findall(r"<th[ >][^>]*>?", html) if "thead" not in tag)
    assert html.count("<svg") == html.count('role="img" aria-label=')


def test_the_commands_stand_before_everything_else(plan: Plan, nights: Nights) -> None:
    report = build_report(plan, nights["offline"](plan))
    text = outline(render_html(report)).text
    assert text.index("Mount-Database -Identity 'DB05'") < text.index("Specification")
    lines = render_text(report).splitlines()
    assert lines[0].startswith("LEFT OFFLINE") and "    goexchange release EX01/DB05" in lines[:6]


HOSTILE = "</pre><script>alert('x')</script>\x1b[31m\u202e{{ 7 * 7 }}\x00"


def test_hostile_values_are_text_in_every_format(
    plan: Plan,
    make_plan: Callable[..., Plan],
    nights: Nights,
    rechained: Callable[..., tuple[Record, ...]],
) -> None:
    lane = plan.body.lanes[0]
    steps = tuple(evolve(step, summary=HOSTILE, undo=HOSTILE) for step in lane.steps)
    hostile = make_plan(
        decisions=(evolve(plan.body.decisions[0], explanation=HOSTILE), *plan.body.decisions[1:]),
        lanes=(evolve(lane, steps=steps),),
        diagnostics=(evolve(plan.body.diagnostics[0], detail=HOSTILE),),
    )

    def poisoned(record: Record) -> Record:
        if record.kind is RecordKind.OUTCOME:
            data = {**record.data, "output_tail": HOSTILE * 3, "findings": [HOSTILE]}
            return evolve(record, data=data)
        if record.kind in (RecordKind.LANE_ENDED, RecordKind.LOOKED):
            return evolve(record, data={**record.data, "why": HOSTILE, "evidence": HOSTILE})
        return record

    report = build_report(hostile, rechained(nights["way-back"](plan), poisoned))
    html = render_html(report)
    parser = outline(html)
    assert "<script" not in html and "alert('x')" in parser.text
    assert "{{ 7 * 7 }}" in parser.text
    text = render_text(report)
    for shown_text in (html, text):
        assert not {"\x1b", "\u202e", "\x00"} & set(shown_text)
    assert max(map(columns, text.splitlines())) <= 80


def test_very_long_output_is_bounded(
    plan: Plan, nights: Nights, rechained: Callable[..., tuple[Record, ...]]
) -> None:
    def chatty(record: Record) -> Record:
        if record.kind is RecordKind.OUTCOME:
            return evolve(record, data={**record.data, "output_tail": "x" * 1_000_000 + "THE END"})
        return record

    html = render_html(build_report(plan, rechained(nights["clean"](plan), chatty)))
    assert len(html) < 600_000
    assert "THE END" in html and "earlier characters left out" in html


def test_twenty_servers_with_a_hundred_databases(large: tuple[Plan, tuple[Record, ...]]) -> None:
    plan, records = large
    html = render_html(build_report(plan, records))
    assert len(html.encode()) < 2_000_000
    assert html.count('<details class="lane"') == 100 == html.count('data-label="Result"')
