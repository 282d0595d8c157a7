"""What cannot be executed yet is named, with its place; what can is not."""

from __future__ import annotations

import pytest

from goexchange.spec import unsupported_parts
from goexchange.spec.supported import _ROWS
from tests.unit.documents.examples import SPECS
from tests.unit.spec.specification import MINIMAL, desired

TABLE = [
    (
        MINIMAL.replace("'F:'", "'F:', credential: prompt"),
        "a credential for the online backup to F: (no tool takes one but on its command line)",
        "8:66",
    ),
]


@pytest.mark.parametrize(("text", "name", "place"), TABLE)
def test_what_cannot_be_executed_yet_is_named_with_its_place(
    text: str, name: str, place: str
) -> None:
    found = unsupported_parts(desired(text))
    assert [(each.name, str(each.place)) for each in found] == [(name, f"s.yaml:{place}")]


def test_every_row_is_tested() -> None:
    assert len(TABLE) == len(_ROWS)


def test_the_smallest_specification_can_be_executed() -> None:
    text = (SPECS / "minimal.yaml").read_text(encoding="utf-8")
    assert unsupported_parts(desired(text)) == ()
