"""A set that is taken for its own sake needs room too."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.guard import evaluate
from goexchange.model import desired
from goexchange.model.desired import Script
from goexchange.model.plan import VerdictKind
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    conditions,
    host,
    inventory,
    offline_backup,
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
