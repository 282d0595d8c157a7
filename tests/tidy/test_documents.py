"""The documents say what the code says: generated ones byte for byte; links, verbs, rooms."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from goexchange.cli.help import EXIT_CODES
from goexchange.cli.main import VERBS
from goexchange.documents import parse_documents
from goexchange.driver.invariants import _CHECKS
from goexchange.errors import ExitCode
from goexchange.powershell.cmdlets import CMDLETS
from goexchange.schema import check_document
from tests.tidy.sources import REPOSITORY, modules
from tests.tidy.test_imports import BASE, MAY_IMPORT

DOCS = REPOSITORY / "docs"
DOCUMENTS = (REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))
LINK = re.compile(r"\[[^\]\n]*\]\(([^()\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(rf"{FENCE.pattern}|`[^`\n]*`", re.MULTILINE | re.DOTALL)
# Paths of machines that built it, and words of what is not finished.
FORBIDDEN = re.compile(r"/root\b|/home/|/tmp/|\bTODO\b|\bFIXME\b|\bXXX\b|\btbd\b", re.I)
INVARIANTS = tuple(f"I{number}" for number in range(1, 19))


@cache
def generator() -> ModuleType:
    """`docs/generate.py`, which is run by hand and belongs to no package."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    for line in FENCE.sub("", text).split("\n"):
        if re.match(r"#{1,6} ", line):
            title = unicodedata.normalize("NFC", line.lstrip("#").strip().lower())
            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return found


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading."""
    lines = f"\n{text}".split(f"\n{heading}\n", 1)[1].strip().split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_generated_documents_are_those_of_the_code() -> None:
    made = generator().documents()
    assert {path.name for path in (DOCS / "reference").iterdir()} == set(made)
    for name, text in made.items():
        written = (DOCS / "reference" / name).read_bytes()
        assert written == text.encode("utf-8"), f"{name}: run python docs/generate.py"


def test_every_exit_code_is_explained() -> None:
    assert set(EXIT_CODES) == set(ExitCode)
    rows = table((DOCS / "reference" / "exit-codes.md").read_text("utf-8"), "# Exit codes")
    assert [int(row[0]) for row in rows] == sorted(int(code) for code in ExitCode)
    assert all(all(row) for row in rows)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(CODE.sub("", path.read_text("utf-8"))):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), f"{path.name}: {link}"
        assert target.is_relative_to(REPOSITORY), f"{path.name}: {link} leads outside"
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), f"{path.name}: {link}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_documents_name_no_workplace_and_nothing_unfinished(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not FORBIDDEN.search(text), FORBIDDEN.search(text)
    assert "\r" not in text and "\t" not in text
    assert text.startswith("# "), "a document begins with its title"


def test_examples_in_documents_are_valid() -> None:
    checked = 0
    for path in DOCUMENTS:
        for block in re.findall(r"^```yaml\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S):
            parsed = parse_documents(block.encode("utf-8"), file=path.name)
            assert not parsed.diagnostics, path.name
            for document in parsed.documents:
                assert check_document(document) == (), path.name
                checked += 1
    assert checked


def test_files_that_documents_name_exist() -> None:
    named = re.compile(r"`((?:docs|tests|specs|schemas|reports)/[\w./-]+[\w/])`")
    for path in DOCUMENTS:
        for name in named.findall(path.read_text("utf-8")):
            assert (REPOSITORY / name).exists(), f"{path.name} names {name}"


def test_every_verb_appears_where_people_read() -> None:
    text = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
    shown = set(re.findall(r"goexchange ([a-z-]+)", text)) | set(re.findall(r"`([a-z-]+)`", text))
    assert set(VERBS) <= shown, sorted(set(VERBS) - shown)


def test_no_document_shows_a_verb_that_is_not_there() -> None:
    for path in DOCUMENTS:
        code = "\n".join(CODE.findall(path.read_text("utf-8")))
        for verb in re.findall(r"(?:^|[`/ ])goexchange ([a-z][a-z-]+)", code, re.MULTILINE):
            assert verb in VERBS, f"{path.name}: goexchange {verb}"


def test_the_rooms_table_is_what_the_import_rules_say() -> None:
    rows = table((DOCS / "architecture.md").read_text("utf-8"), "## Rooms")
    written = {row[0].strip("`"): row[2] for row in rows}
    assert set(written) == set(MAY_IMPORT)
    for room, may in MAY_IMPORT.items():
        assert written[room] == (", ".join(sorted(may - BASE)) or "-"), room
    wired = {"app", "cli", "__init__", "__main__"}
    assert {module.room for module in modules()} <= set(written) | wired


def test_every_invariant_is_listed_with_where_it_is_checked() -> None:
    text = (DOCS / "invariants.md").read_text("utf-8")
    assert tuple(row[0] for row in table(text, "# What must never happen")) == INVARIANTS
    checked = {row[0]: row[1] for row in table(text, "## Where they are checked")}
    assert tuple(checked) == INVARIANTS
    asserted = {name for checks in _CHECKS.values() for name, _ in checks} | {"I7", "I8"}
    assert all(checked[name] != "-" and "not yet" not in checked[name] for name in asserted)


def test_every_cmdlet_that_may_be_sent_is_named_for_the_administrator() -> None:
    text = (DOCS / "first-real-server.md").read_text("utf-8")
    assert [name for name in CMDLETS if f"`{name}`" not in text] == []


def test_the_checks_notice_what_they_are_for() -> None:
    assert FORBIDDEN.search("see /home/x") and FORBIDDEN.search("TODO") and FORBIDDEN.search("tbd")
    assert not FORBIDDEN.search("network, /PowerShell, workplace")
    assert LINK.findall("a [b](c.md#d) e") == ["c.md#d"]
    assert anchors("# A b, c\n## `x` y") == {"a-b-c", "x-y"}
