"""A server of an old generation that is spoken with outside TLS: said in the plan."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.model.actual import Generation
from goexchange.model.configuration import (
    ExchangeAuthentication,
    Inventory,
    Scheme,
    WindowsTransport,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.channels import sealed_over_http
from goexchange.plan.planner import make_draft
from goexchange.spec.scripts import OLD
from tests.unit.plan.builders import NOW, database, inventory, server, state
from tests.unit.plan.test_exchange_2007 import DEFRAG


def reached(windows: Scheme, exchange: Scheme, **of_windows: Any) -> Inventory:
    one = inventory()
    entry = one.servers[0]
    connection = entry.connection
    changed = evolve(
        connection,
        windows=evolve(connection.windows, scheme=windows, **of_windows),
        exchange=evolve(
            connection.exchange, scheme=exchange, authentication=ExchangeAuthentication.KERBEROS
        ),
    )
    return evolve(one, servers=(evolve(entry, connection=changed),))


def said(of: Inventory, generation: Any) -> str:
    found = sealed_over_http(of, [server(generation=generation)], OLD)
    return " ".join(each.detail for each in found)


def test_each_channel_is_said_with_what_seals_it() -> None:
    both = reached(Scheme.HTTP, Scheme.HTTP, transport=WindowsTransport.NTLM)
    text = said(both, Generation.EXCHANGE_2010)
    assert "WinRM over http, its messages sealed by NTLM" in text
    assert "the Exchange endpoint over http, its messages sealed by Kerberos" in text
    inside = reached(Scheme.HTTPS, Scheme.HTTP)
    assert "WinRM" not in said(inside, Generation.EXCHANGE_2010)
    assert inside.servers[0].connection.windows.protection == "inside TLS"


@pytest.mark.parametrize("generation", [Generation.EXCHANGE_2007, Generation.EXCHANGE_2003])
def test_a_version_without_an_endpoint_has_one_channel(generation: Generation) -> None:
    both = reached(Scheme.HTTP, Scheme.HTTP)
    assert "WinRM" in said(both, generation) and "endpoint" not in said(both, generation)
    assert said(reached(Scheme.HTTPS, Scheme.HTTP), generation) == ""


def test_nothing_is_said_of_others() -> None:
    both = reached(Scheme.HTTP, Scheme.HTTP)
    for generation in (Generation.EXCHANGE_2019, Unknown("?")):
        assert said(both, generation) == ""
    unlisted = server("EX99", generation=Generation.EXCHANGE_2010)
    assert sealed_over_http(both, [unlisted], OLD) == ()


def test_a_plan_with_work_there_says_it_and_one_without_does_not() -> None:
    both = reached(Scheme.HTTP, Scheme.HTTP)
    for white, wanted in ((41, ["sealed-http"]), (0, [])):
        one = server(
            generation=Generation.EXCHANGE_2010, build="14.3.513.0",
            databases=(database(white_space_bytes=white * 1024**3),),
        )  # fmt: skip
        body = make_draft([DEFRAG], both, state(one), now=NOW)
        assert [each.id for each in body.diagnostics] == wanted
