"""A sheet as JSON, CSV and JUnit: the forms that programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping

from goexchange.codec import to_plain
from goexchange.model.sheet import Case, Cell, Heading, Mark, Sheet
from goexchange.report.junit_xml import JunitCase, JunitSuite, render_suites
from goexchange.report.reading import cut_texts
from goexchange.report.report_csv import cell

_MARKS: Mapping[Mark, str] = {
    Mark.PASSED: "",
    Mark.FAILED: "failure",
    Mark.UNDECIDED: "error",
    Mark.SKIPPED: "skipped",
}


def render_sheet_json(sheet: Sheet) -> str:
    """The sheet by `schemas/sheet.v1.json`: indented, keys sorted, very long texts cut."""
    plain = cut_texts(to_plain(sheet))
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def render_sheet_csv(sheet: Sheet) -> str:
    """The table with a heading line, as RFC 4180 says; figures are exact, in the heading's unit."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["kind", "subject", "verdict", *map(_column, sheet.table.headings)])
    for row in sheet.table.rows:
        pairs = zip(row, sheet.table.headings, strict=True)
        figures = [cell(_value(one, heading)) for one, heading in pairs]
        writer.writerow(
            [cell(one) for one in (sheet.kind.value, sheet.subject, sheet.word)] + figures
        )
    return text.getvalue()


def _column(heading: Heading) -> str:
    name = heading.text.lower().replace(" ", "_") or "mark"
    return f"{name}_{heading.unit}" if heading.unit else name


def _value(one: Cell, heading: Heading) -> int | str | None:
    """The figure of a column that has a unit, empty where it is not known; else the words."""
    if heading.unit or one.value is not None:
        return one.value
    return f"{one.text}: {one.note}" if one.note else one.text


def render_sheet_junit(sheet: Sheet) -> str:
    """A suite per address; what failed is a failure, what could not be decided an error."""
    properties = (("kind", sheet.kind.value), ("subject", sheet.subject), ("verdict", sheet.word))
    name = f"goexchange {sheet.kind.value} {sheet.subject}"
    return render_suites(name, tuple(_suites(sheet)), properties)


def _suites(sheet: Sheet) -> Iterator[JunitSuite]:
    by_suite: dict[str, list[Case]] = {}
    for case in sheet.cases:
        by_suite.setdefault(case.suite, []).append(case)
    for suite, cases in by_suite.items():
        classname = f"goexchange.{suite.replace('/', '.')}"
        yield JunitSuite(name=suite, classname=classname, cases=tuple(map(_case, cases)))


def _case(case: Case) -> JunitCase:
    mark = _MARKS[case.mark]
    return JunitCase(
        name=case.name,
        seconds=case.seconds or 0.0,
        mark=mark,
        message=(case.text or case.mark.value) if mark else "",
        output="" if mark else case.text,
    )
