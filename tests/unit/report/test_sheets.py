"""Reports of a plan, a verification, a rehearsal, a check: every form, and hostile text in it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import cache

import pytest
from attrs import evolve
from jsonschema import Draft7Validator

from goexchange.codec import from_plain
from goexchange.errors import InvalidDocument
from goexchange.model.plan import Plan
from goexchange.model.sheet import Sheet, SheetKind
from goexchange.report.sheet_forms import render_sheet_csv, render_sheet_json, render_sheet_junit
from goexchange.report.sheet_html import VARIABLES, render_sheet_html
from goexchange.report.sheet_markdown import render_sheet_markdown
from goexchange.report.sheet_of_plan import sheet_of_plan
from goexchange.report.sheet_of_rehearsal import sheet_of_rehearsal
from goexchange.report.sheet_of_verdicts import Subject, sheet_of_verdicts
from goexchange.report.sheet_text import render_sheet_text
from goexchange.report.shown import columns
from goexchange.report.templates import check_variables
from tests.unit.report import sheets
from tests.unit.report.conftest import GIB, body, decision, large_plan, sealed, verdicts
from tests.unit.report.test_html import agree, outline

junitparser = pytest.importorskip("junitparser", reason="the extra 'test' has junitparser")

HOSTILE = "</pre><script>alert('x')</script>\x1b[31m\u202e\r\n| ``` =cmd|' /C calc'!A0 & \x00"
LONG = HOSTILE + "x" * 10_000_000 + "THE END"
FORBIDDEN = {"\x1b", "\u202e", "\x00", "\r"}
FORMS: dict[str, Callable[[Sheet], str]] = {
    "html": render_sheet_html,
    "md": render_sheet_markdown,
    "text": render_sheet_text,
    "json": render_sheet_json,
    "junit": render_sheet_junit,
    "csv": render_sheet_csv,
}
KINDS = ("plan", "refused", "rehearsal", "verification", "check", "resources", "pilot")


@cache
def hostile(text: str) -> dict[str, Sheet]:
    """The same sheets with this text wherever a document, a host or a tool has a say."""
    no = sheets.refused_plan(text)
    plan = sealed(
        body(
            decisions=(decision(text, explanation=text, instead=text, address=text, server=text),),
            guards=tuple(evolve(one, evidence=text, address=text) for one in verdicts()),
            backups=(text,),
            diagnostics=tuple(
                evolve(one, detail=text, summary=text, address=text) for one in body().diagnostics
            ),
            specifications=(text,),
        )
    )
    return {
        "plan": sheet_of_plan(plan),
        "refused": sheet_of_plan(sealed(evolve(plan.body, guards=no.body.guards))),
        "rehearsal": sheet_of_rehearsal(plan, sheets.rehearsal(text), (text,)),
        "verification": sheets.verification(text, text),
        "check": sheets.check(text),
        "resources": sheets.resources(text),
        "pilot": sheets.pilot(text),
    }


def test_the_schema_in_the_repository_is_the_model_s() -> None:
    written = json.loads(sheets.SCHEMA_FILE.read_text("utf-8"))
    assert written == sheets.sheet_schema(), "run python -m tests.unit.report.sheets"
    Draft7Validator.check_schema(written)


@pytest.mark.parametrize("kind", KINDS)
def test_json_fits_its_schema_and_comes_back(kind: str) -> None:
    sheet = sheets.all_sheets()[kind]
    plain = json.loads(render_sheet_json(sheet))
    Draft7Validator(sheets.sheet_schema()).validate(plain)
    assert from_plain(Sheet, plain) == sheet
    del plain["table"]
    assert not Draft7Validator(sheets.sheet_schema()).is_valid(plain)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_is_text_and_bounded(kind: str, form: str) -> None:
    for text in (HOSTILE, LONG):
        made = FORMS[form](hostile(text)[kind])
        assert len(made) < 700_000
        if form == "json":  # JSON escapes controls by itself; marks of direction are data there
            assert not {"\x1b", "\x00", "\r"} & set(made)
            continue
        assert not FORBIDDEN & set(made.replace("\r\n", "\n"))
        assert "alert(" in made
        if form not in ("text", "csv"):
            assert "<script" not in made
        if form == "html":
            assert "alert('x')" in outline(made).text
        if form == "junit":
            junitparser.JUnitXml.fromstring(made.encode())
        if form == "text" and len(text) < 200:
            lines = (line for line in made.splitlines() if not line.startswith("    "))
            assert max(map(columns, lines)) <= 80


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\n="])
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_of_the_csv_is_a_formula(kind: str, start: str) -> None:
    made = render_sheet_csv(hostile(f'{start}HYPERLINK("http://x";"y")')[kind])
    cells = [cell for row in csv.reader(io.StringIO(made, newline="")) for cell in row]
    found = [cell for cell in cells if "HYPERLINK" in cell]
    assert found
    for cell in found:
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\n"))


def test_no_line_of_markdown_leaves_its_table() -> None:
    for kind in KINDS:
        width = None
        for line in render_sheet_markdown(hostile(HOSTILE)[kind]).splitlines():
            if not line.startswith("|"):
                width = None
                continue
            cells = line.replace("\\|", "").count("|")
            width = width or cells
            assert cells == width, line


def test_a_refused_plan_says_what_refuses_it_first() -> None:
    sheet = sheet_of_plan(sheets.refused_plan())
    assert (sheet.word, sheet.tone.value) == ("REFUSED", "bad")
    assert [one.title for one in sheet.mends] == [
        "The guard free-space says no to EX01/DB05",
        "The guard backup-reachable cannot tell to EX01",
    ]
    text = outline(render_sheet_html(sheet)).text
    assert text.index("free 51 GiB on D:") < text.index("Specification")
    lines = render_sheet_text(sheet).splitlines()
    assert lines[0].startswith("REFUSED")
    assert sheet_of_plan(sealed(body())).word == "TO APPROVE"
    assert sheet_of_plan(sealed(body(decisions=(), lanes=()))).word == "NOTHING TO DO"
    guards = sheets.refused_plan().body.guards
    late = tuple(evolve(one, is_time_only=True) for one in guards)
    assert sheet_of_plan(sealed(body(guards=late))).word == "NOT NOW"


def test_the_csv_of_a_plan_has_exact_figures() -> None:
    made = render_sheet_csv(sheets.all_sheets()["plan"])
    first, second, *_ = csv.DictReader(io.StringIO(made, newline=""))
    assert (first["kind"], first["subject"], first["verdict"]) == ("plan", "7f3c9a1e", "TO APPROVE")
    assert int(first["size_bytes"]) == 98 * GIB and int(first["white_space_bytes"]) == 41 * GIB
    assert first["down_s"] == "11400" and second["down_s"] == ""
    assert first["needs"].startswith("rebuild: white space 42%")


def test_junit_tells_failures_doubts_and_what_is_not_due_apart() -> None:
    made = junitparser.JUnitXml.fromstring(
        render_sheet_junit(sheets.all_sheets()["refused"]).encode()
    )
    found = {(suite.name, case.name): case.result for suite in made for case in suite}
    blocked, lost = (
        found[("EX01/DB05", "guard free-space")],
        found[("EX01", "guard backup-reachable")],
    )
    assert isinstance(blocked[0], junitparser.Failure) and "12 GiB free" in blocked[0].message
    assert isinstance(lost[0], junitparser.Error)
    assert isinstance(found[("EX01/DB05", "guard verified-set")][0], junitparser.Skipped)
    assert found[("EX01/DB01", "need: nothing")] == []
    read = junitparser.JUnitXml.fromstring(
        render_sheet_junit(sheets.all_sheets()["verification"]).encode()
    )
    (suite,) = list(read)
    results = {case.name: case.result for case in suite}
    assert isinstance(results["DB05.edb"][0], junitparser.Failure)
    assert isinstance(results["E0500000A1B.log"][0], junitparser.Error)
    assert results["E0500000A1A.log"] == []


@pytest.mark.parametrize("kind", ["refused", "check", "rehearsal"])
def test_golden_text(kind: str) -> None:
    agree(f"sheet-{kind}.txt", render_sheet_text(sheets.all_sheets()[kind]))


def test_nothing_looked_at_is_not_well() -> None:
    subject = Subject(name="EX01", made_by="goexchange", at_utc=None)
    sheet = sheet_of_verdicts(SheetKind.CHECK, subject, ())
    assert (sheet.word, sheet.tone.value) == ("UNKNOWN", "bad")
    passes = verdicts()[:1]
    assert sheet_of_verdicts(SheetKind.PILOT, subject, passes).word == "ALL WELL"


def test_a_pilot_says_what_no_parser_knew_and_what_is_left() -> None:
    sheet = sheets.pilot()
    assert (sheet.kind, sheet.word) == (SheetKind.PILOT, "NOT PROVED")
    for render in FORMS.values():
        assert "fehlerhafte Pruefsummen" in render(sheet)
    for form in ("text", "md", "html"):
        assert "--remove gx-pilot-20261128T220000Z" in FORMS[form](sheet)
    marks = {each.name: each.mark.value for each in sheet.cases if each.suite == "parsers"}
    assert sorted(marks.values()) == ["passed", "passed", "skipped", "undecided"]
    failed = [each for each in sheet.cases if each.mark.value == "failed"]
    assert [each.suite for each in failed] == ["stages"]


@pytest.mark.parametrize("kind", KINDS)
def test_html_needs_no_script_and_nothing_from_elsewhere(kind: str) -> None:
    html = render_sheet_html(sheets.all_sheets()[kind])
    names = {name for _, name, _ in outline(html).attributes}
    assert not names & {"src", "href", "onclick", "onload", "style", "srcset", "action"}
    assert "<script" not in html and "@import" not in html and "url(" not in html
    assert html.count("<table") == html.count("<caption") == html.count("<thead>")


def test_a_large_plan_is_small_enough_to_be_mailed() -> None:
    sheet = sheet_of_plan(large_plan(20, 5))
    assert len(render_sheet_html(sheet).encode()) < 500_000
    bounded = render_sheet_markdown(sheet, max_bytes=20_000)
    assert "chapters left out to stay within 20,000 bytes" in bounded


def test_a_block_of_a_sheet_can_be_overridden_and_a_mistake_is_named(plan: Plan) -> None:
    name = "sheet.html.j2"
    own = {
        name: '{% extends "packaged/sheet.html.j2" %}\n{% block facts %}<p>Contoso'
        " {{ sheet.subject }}</p>{% endblock %}"
    }
    check_variables(name, own, VARIABLES, is_html=True)
    html = render_sheet_html(sheet_of_plan(plan), own)
    assert "<p>Contoso 7f3c9a1e</p>" in html and "sha256:7f3c9a1e" not in html
    with pytest.raises(InvalidDocument, match=rf"{name}:2: .*subjekt"):
        render_sheet_html(sheet_of_plan(plan), {name: own[name].replace("subject", "subjekt")})
