"""A set that is taken for its own sake needs room too."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.guard import evaluate
from goexchange.model import desired
from goexchange.model.actual import Look, LookKind
from goexchange.model.desired import Script
from goexchange.model.plan import Action, VerdictKind
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    conditions,
    database,
    host,
    inventory,
    offline_backup,
    record,
    script,
    server,
    spec,
    state,
    volume,
)


@pytest.mark.parametrize(("free_gib", "kind"), [(40, VerdictKind.BLOCK), (400, VerdictKind.PASS)])
def test_a_local_set_without_a_rebuild_is_measured(free_gib: int, kind: VerdictKind) -> None:
    target = desired.BackupTarget(path="E:\\sets", credential=None, place=spec().place)
    want = spec(
        script=script(script=Script.EXCHANGE_BACKUP),
        conditions=conditions(
            white_space_max=None,
            verified_within_s=None,
            online_full_backup_within_s=None,
            offline_backup_within_s=86400,
        ),
        backup_before=evolve(spec().backup_before, offline=offline_backup(target=target)),
    )
    volumes = (volume("C:\\"), volume("D:\\"), volume("E:\\", free_gib=free_gib), volume("L:\\"))
    seen = state(server(host=host(volumes=volumes)))
    body = make_draft([want], inventory(), seen, now=NOW)
    (verdict,) = [each for each in evaluate.at_plan(body, seen, NOW) if each.guard == "space"]
    assert verdict.kind is kind


@pytest.mark.parametrize(("target", "more"), [("E:\\sets", True), ("\\\\backup01\\sets", False)])
def test_a_set_of_the_rebuilt_file_is_measured_where_it_is_local(target: str, more: bool) -> None:
    """On a share it takes nothing of the host's volumes."""
    folder = desired.BackupTarget(path=target, credential=None, place=spec().place)
    declared = evolve(spec().backup_after, offline=offline_backup(target=folder))
    body = make_draft([spec(backup_after=declared)], inventory(), state(), now=NOW)
    (verdict,) = [each for each in evaluate.at_plan(body, state(), NOW) if each.guard == "space"]
    assert [each.action for each in body.lanes[0].steps].count(Action.SEAL_REBUILT) == 1
    assert ("E:\\" in verdict.evidence) is more


def test_a_repair_is_not_asked_what_it_gains() -> None:
    of = database(white_space_bytes=0)
    look = LookKind.PAGES
    found = Look(kind=look, at_utc=NOW - timedelta(days=1), errors=3, warnings=0)
    seen = state(server(databases=(of,), host=host(records=(record(of, looks=(found,)),))))
    body = make_draft([spec()], inventory(), seen, now=NOW, repairs=("EX01/DB05",))
    assert "REPAIR" in {each.action.name for each in body.lanes[0].steps}
    assert "gain" not in {each.guard for each in evaluate.at_plan(body, seen, NOW)}
