"""A specification test, from tree to values."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from goexchange.codec import parse_time
from goexchange.documents import Document, Mapping, to_plain
from goexchange.errors import Diagnostic, Place
from goexchange.model.plan import Need
from goexchange.model.specification_test import (
    Fault,
    Final,
    GivenFault,
    GivenSite,
    SpecificationTest,
)
from goexchange.reading import Findings, Section, has_errors, root_section
from goexchange.schema import check_document

_OF_A_RUN = ("exit_code", "events", "final")


def load_specification_test(
    document: Document, *, known: Collection[Place] = ()
) -> tuple[SpecificationTest | None, tuple[Diagnostic, ...]]:
    """Return a test with what is wrong in it. Unknown: None when an error prevents it."""
    found = check_document(document, kind="SpecificationTest", known=known)
    if has_errors(found):
        return None, found
    findings = Findings([document])
    root = root_section(document)
    given, expect = root.section("given"), root.section("expect")
    if given.has("facts") == given.has("site"):
        detail = "Either 'facts' or 'site' says what is there; write one of the two."
        findings.add("test", detail=detail, place=given.place)
    for name in _OF_A_RUN:
        if expect.has(name) and not given.has("site"):
            detail = f"'{name}' is of a run, and only a simulated 'site' has one."
            findings.add("test", detail=detail, place=expect.place_of(name))
    found += findings.all()
    return (None if has_errors(found) else _test(document, root)), found


def _test(document: Document, root: Section) -> SpecificationTest:
    given, expect = root.section("given"), root.section("expect")
    return SpecificationTest(
        name=root.section("metadata").text("name"),
        file=document.file,
        specification=root.text("specification"),
        inventory=root.optional_text("inventory"),
        at=parse_time(given.text("at")),
        facts=given.optional_text("facts"),
        site=_site(given.section("site")) if given.has("site") else None,
        needs=tuple((address, Need(need)) for address, need in expect.words("needs")),
        steps=tuple(
            (address, tuple(names)) for address, names in _plain(document, "steps").items()
        ),
        explanations=expect.words("explanations"),
        plan=expect.texts("plan"),
        blocked_by=expect.optional_texts("blocked_by"),
        exit_code=expect.integer("exit_code") if expect.has("exit_code") else None,
        events=expect.texts("events"),
        final=tuple(
            Final(
                address=address,
                is_mounted=state.get("mounted"),
                is_rebuilt=state.get("rebuilt"),
            )
            for address, state in _plain(document, "final").items()
        ),
        place=root.place,
    )


def _site(part: Section) -> GivenSite:
    return GivenSite(
        databases=part.texts("databases"),
        seed=part.integer("seed"),
        faults=tuple(
            Fault(
                kind=each.choice("kind", GivenFault),
                of=each.optional_text("of"),
                error=each.integer("error"),
            )
            for each in part.sections("faults")
        ),
    )


def _plain(document: Document, name: str) -> dict[str, Any]:
    """A mapping of names below `expect`, as plain values; the schema has agreed to it."""
    root = document.root
    expect = root.find("expect") if isinstance(root, Mapping) else None
    node = expect.find(name) if isinstance(expect, Mapping) else None
    value = to_plain(node) if node is not None else {}
    return value if isinstance(value, dict) else {}
