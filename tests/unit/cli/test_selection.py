"""Servers and machines on a command line."""

from __future__ import annotations

import pytest
from attrs import evolve

from goexchange.cli.selection import chosen_servers, named_hosts
from goexchange.errors import UsageError
from goexchange.model.configuration import MachineEntry
from tests.unit.plan.builders import PLACE, inventory


def machine(name: str) -> MachineEntry:
    connection = inventory().servers[0].connection
    return MachineEntry(name=name, address=name, connection=connection, place=PLACE)


SITE = evolve(
    inventory("EX01", "EX02"), machines=(machine("BKUP01"), machine("VERIFY01")),
    verifier="VERIFY01",
)  # fmt: skip


def test_hosts_are_those_named_or_all_but_the_one_that_only_verifies() -> None:
    assert named_hosts(SITE, (), ()) == ("EX01", "EX02", "BKUP01")
    assert named_hosts(SITE, ("bkup01",), ("verify01", "BKUP01")) == ("BKUP01", "VERIFY01")
    with pytest.raises(UsageError, match=r"SERVER: the inventory has no server 'BKUP1'.*BKUP01"):
        named_hosts(SITE, ("BKUP1",), ())


def test_servers_are_never_machines() -> None:
    assert chosen_servers(SITE, ()) == ("EX01", "EX02")
    assert chosen_servers(SITE, ("ex02",)) == ("EX02",)
    with pytest.raises(UsageError, match="--server: the inventory has no server 'BKUP01'"):
        chosen_servers(SITE, ("BKUP01",))
