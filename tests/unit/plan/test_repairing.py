"""A repair with possible loss: only by name, for damage on record, on a copy, behind a consent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import Place
from goexchange.model import actual, desired
from goexchange.model.desired import Script
from goexchange.model.plan import Action, Consent, JobCall, Lane, Need, PlanBody, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.check import breaches
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import (
    NOW,
    at,
    database,
    host,
    inventory,
    record,
    script,
    server,
    spec,
    state,
)

LOOK = actual.LookKind


def look(kind: actual.LookKind, errors: int) -> actual.Look:
    return actual.Look(kind=kind, at_utc=NOW - timedelta(days=1), errors=errors, warnings=0)


def seen(
    *looks: actual.Look,
    records: tuple[actual.DatabaseRecord, ...] | Unknown | None = None,
    generation: actual.Generation = actual.Generation.EXCHANGE_2019,
    **differs: Any,
) -> actual.ActualState:
    of = database(**differs)
    found = (record(of, looks=looks),) if records is None else records
    return state(server(databases=(of,), host=host(records=found), generation=generation))


DAMAGED = look(LOOK.PAGES, 3)


def draft(
    of: actual.ActualState | None = None, wanted: desired.DesiredState | None = None
) -> PlanBody:
    return make_draft(
        [wanted or spec()],
        inventory(),
        of or seen(DAMAGED),
        now=NOW,
        repairs=("EX01/DB05",),
    )


def lane_of(body: PlanBody) -> Lane:
    [lane] = [one for one in body.lanes if one.database is not None]
    return lane


def actions(body: PlanBody) -> list[Action]:
    return [step.action for step in lane_of(body).steps]


def test_the_plan_names_the_finding_and_what_follows() -> None:
    body = draft()
    [decision] = body.decisions
    assert decision.need is Need.REPAIR
    assert "page checksums of the file had 3 errors" in decision.explanation
    assert "move its mailboxes out to a fresh database" in str(decision.instead)
    assert "57 GiB to move" in str(decision.instead)
    [need] = [one for one in body.consents if one.consent is Consent.REPAIR_MAY_LOSE_DATA]
    assert (need.address, "3 errors" in need.finding) == ("EX01/DB05", True)
    assert any("evidence of the damaged file" in line for line in body.backups)
    assert not any("set of the present file" in line for line in body.backups)


def test_evidence_comes_before_the_repair_and_a_rebuild_after_it() -> None:
    found = actions(draft())
    order = [
        Action.DISMOUNT,
        Action.FIND_DAMAGE,
        Action.COPY_EVIDENCE,
        Action.REREAD_SOURCE,
        Action.CHECK_EVIDENCE,
        Action.HASH_EVIDENCE,
        Action.SEAL_EVIDENCE,
        Action.COPY_FOR_REPAIR,
        Action.HASH_FOR_REPAIR,
        Action.REPAIR,
        Action.REBUILD,
        Action.DETECT_ERRORS_TEMPORARY,
        Action.SWAP,
        Action.MOUNT,
        Action.ONLINE_BACKUP,
        Action.PROVE_BACKUP,
    ]
    assert [found.index(one) for one in order] == sorted(found.index(one) for one in order)
    assert not {Action.COPY_SET, Action.SEAL_SET, Action.DETECT_ERRORS} & set(found)


def test_the_repair_and_its_rebuild_work_on_a_copy() -> None:
    steps = {step.action: step for step in lane_of(draft()).steps}
    repair, rebuild = steps[Action.REPAIR].call, steps[Action.REBUILD].call
    assert isinstance(repair, JobCall) and isinstance(rebuild, JobCall)
    working = repair.request["arguments"][1]
    assert repair.request["arguments"][0] == "/p" and repair.request["arguments"][-1] == "/o"
    assert working == rebuild.request["arguments"][1] != database().edb_path
    assert "evidence" in steps[Action.REPAIR].guards and "evidence" in steps[Action.SWAP].guards


def test_its_outage_is_longer_than_that_of_a_rebuild() -> None:
    rebuild = make_draft([spec()], inventory(), seen(), now=NOW).decisions[0]
    repair = draft().decisions[0]
    assert rebuild.outage_s is not None and repair.outage_s is not None
    assert repair.outage_s > 1.5 * rebuild.outage_s


REFUSED = {
    "recovery": ({"is_recovery": True}, Reason.RECOVERY_DATABASE, "maintenance never touches"),
    "identity": ({"copies": Unknown("?")}, Reason.FACT_UNKNOWN, "the list of its copies"),
    "down": ({"is_mounted": False}, Reason.DISMOUNTED, "it is dismounted"),
    "copies": (
        {"copies": ("EX01", "EX02"), "is_replicated": True},
        Reason.MORE_THAN_ONE_COPY,
        "another copy still has",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_repaired(name: str) -> None:
    differs, reason, text = REFUSED[name]
    [decision] = draft(seen(DAMAGED, **differs)).decisions
    assert (decision.need, decision.reasons) == (Need.NOT_POSSIBLE, (reason,))
    assert text in decision.explanation and decision.instead


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (seen(), "no damage of its file is on record"),
        (seen(look(LOOK.PAGES, 0), look(LOOK.LOGICAL, 7)), "no damage of its file is on record"),
        (seen(records=()), "no damage of its file is on record"),
        (seen(records=Unknown("no answer")), "what earlier looks at it found is unknown"),
        (seen(DAMAGED, generation=actual.Generation.EXCHANGE_2010), "not confirmed"),
    ],
)
def test_nothing_is_repaired_on_suspicion(of: actual.ActualState, text: str) -> None:
    [decision] = draft(of).decisions
    assert decision.need is Need.NOT_POSSIBLE and text in decision.explanation


def test_a_repaired_database_is_named_as_long_as_it_is_used() -> None:
    of = database(white_space_bytes=0)
    written = record(of, repaired_at_utc=NOW - timedelta(days=9))
    now = state(server(databases=(of,), host=host(records=(written,))))
    [decision] = make_draft([spec()], inventory(), now, now=NOW).decisions
    assert (decision.need, decision.reasons) == (Need.NOTHING, (Reason.REPAIRED,))
    assert "repaired with possible loss on 2026-11-16: move its mailboxes" in decision.explanation


def test_damage_of_the_structure_alone_is_damage() -> None:
    [decision] = draft(seen(look(LOOK.PAGES, 0), look(LOOK.STRUCTURE, 1))).decisions
    assert decision.need is Need.REPAIR and "integrity of the file had 1 error" in (
        decision.explanation
    )


def test_a_specification_may_forbid_it_and_must_say_where_evidence_and_backup_go() -> None:
    forbidden = spec(script=evolve(script(), forbid=(Consent.REPAIR_MAY_LOSE_DATA,)))
    [decision] = draft(wanted=forbidden).decisions
    assert decision.need is Need.NOT_POSSIBLE and "specification forbids" in decision.explanation
    none = desired.BackupActions(offline=None, online=None, place=at(20))
    [decision] = draft(wanted=spec(backup_before=none)).decisions
    assert "place for the evidence" in decision.explanation
    [decision] = draft(wanted=spec(backup_after=none)).decisions
    assert "online full backup at once after it" in decision.explanation


def test_no_script_plans_one_by_itself() -> None:
    for name in Script:
        body = make_draft([spec(script=evolve(script(), script=name))], inventory(), seen(DAMAGED),
                          now=NOW)  # fmt: skip
        assert all(
            step.action is not Action.REPAIR for lane in body.lanes for step in lane.steps
        ), name


def test_the_contract_of_a_plan_knows_repairs() -> None:
    body = draft()
    assert list(breaches(body)) == []

    def broken(of: Action, **differs: Any) -> str:
        lane = lane_of(body)
        steps = tuple(
            evolve(step, **differs) if step.action is of else step for step in lane.steps
        )
        return "; ".join(breaches(evolve(body, lanes=(evolve(lane, steps=steps),))))

    assert "without evidence as its guard" in broken(Action.REPAIR, guards=())
    assert "without evidence as its guard" in broken(Action.SWAP, guards=("verified-set",))
    assert "no verified set" in broken(Action.SWAP, guards=())
    repair = next(step for step in lane_of(body).steps if step.action is Action.REPAIR)
    assert isinstance(repair.call, JobCall)
    on_it = {**repair.call.request, "arguments": ["/p", database().edb_path, "/tD:\\x.edb", "/o"]}
    assert "own file" in broken(Action.REPAIR, call=evolve(repair.call, request=on_it))
    assert "does not delete it" in broken(
        Action.DELETE_WORKING_COPY, action=Action.DELETE_TEMPORARY
    )


def test_a_swap_without_a_repair_never_rests_on_evidence() -> None:
    body = make_draft([spec()], inventory(), seen(), now=NOW)
    lane = lane_of(body)
    steps = tuple(
        evolve(step, guards=("evidence",)) if step.action is Action.SWAP else step
        for step in lane.steps
    )
    said = "; ".join(breaches(evolve(body, lanes=(evolve(lane, steps=steps),))))
    assert "swaps without a verified set" in said
    assert isinstance(body.decisions[0].origin, Place)
