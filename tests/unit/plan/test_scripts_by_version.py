"""The planner and the table of scripts by version agree, cell by cell."""

from __future__ import annotations

import pytest

from goexchange.model.actual import Generation
from goexchange.model.desired import Consent, Script
from goexchange.model.plan import Decision, Need, PlanBody, Reason
from goexchange.plan import needs
from goexchange.plan.planner import make_draft
from goexchange.spec.scripts import SCRIPTS, Standing, cell_of, versions_of
from tests.unit.plan.builders import (
    NOW,
    conditions,
    database,
    inventory,
    script,
    server,
    spec,
    state,
)

CELLS = [(one, generation) for one in Script for generation in Generation]


def draft(
    one: Script,
    generation: Generation,
    *,
    build: str = "14.3.123.4",
    forbid: tuple[Consent, ...] = (),
) -> PlanBody:
    want = spec(
        script=script(script=one, forbid=forbid), conditions=conditions(verified_within_s=86_400)
    )
    seen = state(server(generation=generation, build=build))
    return make_draft([want], inventory(), seen, now=NOW)


def decided(one: Script, generation: Generation, *, build: str = "14.3.123.4") -> Decision:
    (found,) = draft(one, generation, build=build).decisions
    return found


def test_every_script_has_a_cell_for_every_version() -> None:
    assert set(SCRIPTS) == set(Script)
    assert all(set(cells) == set(Generation) for cells in SCRIPTS.values())


@pytest.mark.parametrize(("one", "generation"), CELLS)
def test_the_plan_says_what_the_table_says(one: Script, generation: Generation) -> None:
    cell, found = cell_of(one, generation), decided(one, generation)
    is_refused = Reason.SCRIPT_NOT_FOR_VERSION in found.reasons
    assert is_refused == (not cell.is_executed)
    if is_refused:
        assert found.need is Need.NOT_POSSIBLE
        assert one.value in found.explanation and generation.value in found.explanation
        assert cell.why is not None and cell.why in found.explanation
        assert found.instead == cell.instead != ""


@pytest.mark.parametrize(("one", "generation"), CELLS)
def test_what_does_not_run_has_a_reason_and_something_else(
    one: Script, generation: Generation
) -> None:
    cell = cell_of(one, generation)
    runs = cell.is_executed
    assert (cell.why is None) == (cell.instead is None) == runs


def test_the_transfer_agents_script_is_for_2003_alone_and_names_what_applies() -> None:
    assert versions_of(Script.MTA_ERROR_CORRECTION) == (Generation.EXCHANGE_2003,)
    found = decided(Script.MTA_ERROR_CORRECTION, Generation.EXCHANGE_2019)
    assert "does not apply to Exchange 2019" in found.explanation
    assert "no message transfer agent" in found.explanation
    assert found.instead == "online-error-correction for the mailbox databases"


def test_what_is_said_to_be_instead_runs_or_is_for_that_version() -> None:
    """A script that is named instead is one of the same version."""
    for one, generation in CELLS:
        instead = cell_of(one, generation).instead or ""
        for other in Script:
            if other.value in instead:
                assert cell_of(other, generation).standing is not Standing.NEVER


@pytest.mark.parametrize("build", ["14.0.639.21", "14.3.123.4"])
@pytest.mark.parametrize("one", [Script.STORE_ERROR_CORRECTION, Script.OFFLINE_DEFRAG])
def test_2010_takes_repair_requests_from_its_first_service_pack_on(
    one: Script, build: str
) -> None:
    found = decided(one, Generation.EXCHANGE_2010, build=build)
    is_refused = Reason.SCRIPT_NOT_FOR_VERSION in found.reasons
    assert is_refused == (build.startswith("14.0.") and one is Script.STORE_ERROR_CORRECTION)
    if is_refused:
        assert "before Exchange 2010 SP1" in found.explanation


@pytest.mark.parametrize("generation", Generation)
def test_a_generation_that_is_not_confirmed_needs_the_consent(generation: Generation) -> None:
    body = draft(Script.ONLINE_ERROR_DIAGNOSTIC, generation)
    needed = {each.consent: each for each in body.consents}
    is_by_consent = cell_of(Script.ONLINE_ERROR_DIAGNOSTIC, generation).standing is (
        Standing.BY_CONSENT
    )
    assert (Consent.UNCONFIRMED_GENERATION in needed) == is_by_consent
    if is_by_consent:
        need = needed[Consent.UNCONFIRMED_GENERATION]
        assert need.address == "EX01" and generation.value in need.finding


def test_a_specification_can_forbid_generations_that_are_not_confirmed() -> None:
    closed = (Consent.UNCONFIRMED_GENERATION,)
    body = draft(Script.ONLINE_ERROR_DIAGNOSTIC, Generation.EXCHANGE_2010, forbid=closed)
    assert not body.lanes and not body.consents
    assert "unconfirmed-generation" in body.decisions[0].explanation


@pytest.mark.parametrize("generation", [Generation.EXCHANGE_2010, Generation.EXCHANGE_2019])
def test_copies_on_an_old_generation_are_refused_whatever_else_would_allow_them(
    generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "_refused_for_copies", lambda *_args, **_named: None)
    replicated = database(is_replicated=True, copies=("EX01", "EX02"))
    seen = state(server(generation=generation, build="14.3.123.4", databases=(replicated,)))
    (found,) = make_draft([spec()], inventory(), seen, now=NOW).decisions
    is_refused = "on Exchange 2010 a seed ends with the session" in found.explanation
    assert is_refused == (generation is Generation.EXCHANGE_2010)
