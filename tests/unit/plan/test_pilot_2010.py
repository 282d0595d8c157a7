"""A pilot on Exchange 2010 asks for nothing that came later."""

from __future__ import annotations

from goexchange.model.actual import Generation
from goexchange.model.plan import Action, ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.plan.context import Pace
from goexchange.plan.pilot import creation_draft, removal_draft
from goexchange.plan.restoring import Setting
from goexchange.powershell import cmdlets
from tests.unit.plan.builders import NOW, database, inventory, server, state
from tests.unit.plan.test_pilot import SCRATCH


def setting(generation: Generation, *databases: object) -> Setting:
    seen = server(generation=generation, build="14.3.513.0", databases=databases)
    return Setting(
        inventory=inventory(), actual=state(seen), server="EX01", now=NOW, pace=Pace()
    )


def test_neither_monitoring_nor_mailboxes_of_public_folders_are_named() -> None:
    body = creation_draft(SCRATCH, setting(Generation.EXCHANGE_2010), ())
    (made,) = [s.call for s in body.lanes[0].steps if s.action is Action.NEW_SCRATCH_DATABASE]
    assert isinstance(made, ExchangeCall)
    assert "AutoDagExcludeFromMonitoring" not in made.parameters
    assert made.parameters["IsExcludedFromProvisioning"] is True
    mine = database(SCRATCH.name, edb_path=SCRATCH.edb_path)
    gone = removal_draft(SCRATCH, setting(Generation.EXCHANGE_2010, mine), ())
    asked = [s.call for s in gone.lanes[0].steps if s.action is Action.COUNT_MAILBOXES]
    kinds = [set(call.parameters) for call in asked if isinstance(call, ExchangeCall)]
    assert len(kinds) == 3 and not any("PublicFolder" in each for each in kinds)


def test_later_versions_and_unknown_ones_are_asked_for_every_kind() -> None:
    for generation in (Generation.EXCHANGE_2013, Unknown("?")):
        assert cmdlets.mailbox_kinds(generation) == cmdlets.MAILBOX_KINDS
    for older in (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007):
        assert cmdlets.mailbox_kinds(older) == (None,)
