"""The planner and the table of scripts by version agree, cell by cell."""

from __future__ import annotations

import pytest

from goexchange.model.actual import Generation
from goexchange.model.desired import Script
from goexchange.model.plan import Decision, Need, Reason
from goexchange.plan.planner import make_draft
from goexchange.spec.scripts import SCRIPTS, Standing, cell_of, versions_of
from tests.unit.plan.builders import NOW, inventory, script, server, spec, state

CELLS = [(one, generation) for one in Script for generation in Generation]


def decided(one: Script, generation: Generation) -> Decision:
    want = spec(script=script(script=one))
    (found,) = make_draft(
        [want], inventory(), state(server(generation=generation)), now=NOW
    ).decisions
    return found


def test_every_script_has_a_cell_for_every_version() -> None:
    assert set(SCRIPTS) == set(Script)
    assert all(set(cells) == set(Generation) for cells in SCRIPTS.values())


@pytest.mark.parametrize(("one", "generation"), CELLS)
def test_the_plan_says_what_the_table_says(one: Script, generation: Generation) -> None:
    cell, found = cell_of(one, generation), decided(one, generation)
    is_refused = Reason.SCRIPT_NOT_FOR_VERSION in found.reasons
    assert is_refused == (cell.standing is not Standing.APPLIES)
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
    runs = cell.standing is Standing.APPLIES
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
