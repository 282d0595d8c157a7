"""The canonical form says the same, keeps every comment, and is its own canonical form."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from goexchange.documents import parse_documents, to_plain
from goexchange.documents.canonical import canonical
from tests.unit.documents.examples import EXAMPLES
from tests.unit.documents.test_mutations import damaged

UGLY = (
    "# first\r\n"
    "kind:   Specification   # what it is\r\n"
    "\r\n\r\n\r\n"
    "targets:   \r\n"
    "      servers:\r\n"
    "      - EX01      # one\r\n"
    "      -   'EX02'\r\n"
    "      # before nothing\r\n"
    "script: {name:   x,other: 022}\r\n"
)
TIDY = """\
# first
kind: Specification     # what it is

targets:
  servers:
    - EX01        # one
    - 'EX02'
      # before nothing
script: {name: x, other: 022}
"""


def test_an_ugly_file_is_tidied_and_keeps_its_comments() -> None:
    assert [line.split() for line in canonical(UGLY.encode(), file="f").splitlines()] == [
        line.split() for line in TIDY.splitlines()
    ]
    assert "\n  servers:\n    - EX01" in canonical(UGLY.encode(), file="f")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_canonical(path: Path) -> None:
    assert canonical(path.read_bytes(), file=path.name) == path.read_text("utf-8")


@pytest.mark.parametrize("rounds", [12, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_any_readable_file_says_the_same_afterwards(path: Path, rounds: int) -> None:
    chance = random.Random(path.stem)
    text, tried = path.read_text("utf-8"), 0
    for _ in range(rounds):
        changed = damaged(damaged(text, chance), chance)
        before = parse_documents(changed, file="f")
        if before.diagnostics or "\r" in changed:
            continue
        try:
            made = canonical(changed.encode(), file="f")
        except ValueError:
            continue  # refused, the file stays as it is
        tried += 1
        after = parse_documents(made, file="f")
        assert [to_plain(d.root) for d in after.documents] == [
            to_plain(d.root) for d in before.documents
        ]
        assert canonical(made.encode(), file="f") == made
    assert tried > rounds // 12


def test_block_texts_keep_their_blank_lines() -> None:
    text = "a: |\n  one\n\n\n\n  two  \nb: 1\n"
    assert to_plain(
        parse_documents(canonical(text.encode(), file="f"), file="f").documents[0].root
    ) == {"a": "one\n\n\n\ntwo  \n", "b": 1}


def test_several_documents_stay_several() -> None:
    text = "a: 1 # x\n---\n# y\nb: 2\n"
    made = canonical(text.encode(), file="f")
    assert len(parse_documents(made, file="f").documents) == 2
    assert "# x" in made and "# y" in made


def test_a_list_of_one_key_keeps_its_braces() -> None:
    text = "faults: [{kind: torn-copy}, {a: {b: c}}]\n"
    assert canonical(text.encode(), file="f") == text
