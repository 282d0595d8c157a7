from __future__ import annotations

from typing import Any

import pytest

from goexchange.guard.premises import diagnostics, failures, verdicts
from goexchange.model import actual
from goexchange.model.plan import VerdictKind
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import GIB, NOW, database, host, inventory, server, spec, state


def failed(seen: actual.ActualState, planned_on: actual.ActualState | None = None) -> list[str]:
    body = make_draft([spec()], inventory(), planned_on or state(), now=NOW)
    return [each.premise.fact for each in failures(body, seen)]


def of_database(**differs: Any) -> actual.ActualState:
    return state(server(databases=(database(**differs),)))


def test_nothing_changed_nothing_fails() -> None:
    assert failed(state()) == []


def test_a_little_movement_of_white_space_does_not_void_the_plan() -> None:
    assert failed(of_database(white_space_bytes=39 * GIB, size_bytes=99 * GIB)) == []


@pytest.mark.parametrize(
    ("differs", "fact"),
    [
        ({"guid": "ffffffff-1111-2222-3333-444455556666"}, "database.guid"),
        ({"edb_path": "D:\\moved\\DB05.edb"}, "database.edb_path"),
        ({"log_folder": "D:\\moved"}, "database.log_folder"),
        ({"copies": ("EX01", "EX02")}, "database.copies_count"),
        ({"is_recovery": True}, "database.is_recovery"),
        ({"is_mounted": False}, "database.is_mounted"),
        ({"white_space_bytes": 5 * GIB}, "database.white_space_ratio"),
        ({"white_space_bytes": Unknown("no answer")}, "database.white_space_ratio"),
    ],
)
def test_what_changed_is_named(differs: dict[str, Any], fact: str) -> None:
    assert failed(of_database(**differs)) == [fact]


def test_a_database_that_is_gone_fails_every_premise_about_it() -> None:
    assert len(failed(state(server(databases=())))) == 8


def test_another_build_voids_the_plan() -> None:
    patched = state(server(host=host(exsetup_version="15.02.1544.011")))
    assert failed(patched) == ["host.exsetup_version"]


def test_a_need_that_is_satisfied_meanwhile_is_fine() -> None:
    down = of_database(is_mounted=False)
    assert failed(state(), planned_on=down) == []


def test_the_message_names_predicate_value_then_and_value_now() -> None:
    body = make_draft([spec()], inventory(), state(), now=NOW)
    found = diagnostics(failures(body, of_database(white_space_bytes=5 * GIB)))
    assert [each.address for each in found] == ["EX01/DB05"]
    assert found[0].detail == (
        "EX01/DB05: database.white_space_ratio > 0.2 no longer holds; then 0.4184, now 0.05102."
        " Plan again: goexchange plan."
    )


def test_premises_are_verdicts_at_start() -> None:
    body = make_draft([spec()], inventory(), state(), now=NOW)
    assert [each.kind for each in verdicts(body, state())] == [VerdictKind.PASS]
    moved = verdicts(body, of_database(edb_path="D:\\moved\\DB05.edb"))
    assert [(each.guard, each.address, each.kind) for each in moved] == [
        ("premises", "EX01/DB05", VerdictKind.BLOCK)
    ]
    blind = verdicts(body, of_database(is_recovery=Unknown("no answer")))
    assert [each.kind for each in blind] == [VerdictKind.UNKNOWN]
