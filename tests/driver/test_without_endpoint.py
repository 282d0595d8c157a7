"""A server without an Exchange endpoint: the same plan, its cmdlets by host script and fenced."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver import effects as to_do
from goexchange.driver.calls import changed_scripts, generation_of
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualState, Generation
from goexchange.model.plan import ExchangeCall, Plan, ScriptCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.seam import carrier_digests
from tests.driver.plans import NOW, SERVER, plan_of, verify_lane
from tests.driver.twin import Twin, drive, machine_of

OLD = Generation.EXCHANGE_2007


def plan_for(generation: Generation | Unknown, **rules: Any) -> Plan:
    plan = plan_of(verify_lane(), **rules)
    server = evolve(Twin().observe(), generation=generation)
    facts = ActualState(observed_at_utc=NOW, servers=(server,))
    return evolve(plan, body=evolve(plan.body, facts=facts))


class Snapin(Twin):
    """A host that answers for its cmdlets by script; what came by which way."""

    def __init__(self) -> None:
        super().__init__()
        self.cmdlets: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.says_no = False

    def cmdlet(self, call: ExchangeCall) -> list[dict[str, Any]]:
        self.cmdlets.append(call.cmdlet)
        return super().cmdlet(call)

    def _ask_snapin(self, arguments: dict[str, Any]) -> dict[str, Any]:
        (call,) = arguments["calls"]
        parameters = {"Identity": call["identity"], "Status": call["status"]}
        found = Twin.cmdlet(self, ExchangeCall(cmdlet=call["cmdlet"], parameters=parameters))
        return {"objects": found, "errors": [], "warnings": []}

    def _tell_snapin(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.told.append(arguments)
        parameters = {"Identity": arguments["identity"]}
        if arguments["mount_at_startup"] is not None:
            parameters["MountAtStartup"] = arguments["mount_at_startup"]
        refusal = {"message": "no", "id": "refused", "category": "", "target": ""}
        if self.says_no:
            return {"objects": [], "errors": [refusal], "warnings": []}
        Twin.cmdlet(self, ExchangeCall(cmdlet=arguments["cmdlet"], parameters=parameters))
        return {"objects": [], "errors": [], "warnings": []}


def test_every_cmdlet_goes_by_script_with_the_number_of_the_lease() -> None:
    twin = Snapin()
    plan = plan_for(OLD, carriers=carrier_digests([OLD]))
    assert changed_scripts(plan) == ()
    assert drive(machine_of(plan, twin), twin).exit_code == ExitCode.OK
    assert twin.cmdlets == []
    names = [each["cmdlet"] for each in twin.told]
    assert "Dismount-Database" in names and "Mount-Database" in names
    assert {each["fence"] for each in twin.told} == {twin.number}


def test_an_error_of_the_cmdlet_is_a_refusal_there_too() -> None:
    twin = Snapin()
    twin.says_no = True
    assert drive(machine_of(plan_for(OLD), twin), twin).exit_code != ExitCode.OK
    assert twin.is_mounted


@pytest.mark.parametrize("generation", [Generation.EXCHANGE_2019, Unknown("not asked")])
def test_other_versions_are_asked_at_their_endpoint(generation: Generation | Unknown) -> None:
    twin = Snapin()
    assert drive(machine_of(plan_for(generation), twin), twin).exit_code == ExitCode.OK
    assert twin.told == [] and "Mount-Database" in twin.cmdlets


def test_a_host_that_saw_a_higher_number_refuses_the_cmdlet() -> None:
    twin = Snapin()

    def overtaken(number: int, send: to_do.Send) -> str | None:
        if isinstance(send.call, ScriptCall) and send.call.script == "tell-snapin":
            twin.claimed = twin.number + 1
        return None

    twin.lose = overtaken
    result = drive(machine_of(plan_for(OLD), twin), twin)
    assert result.exit_code not in (ExitCode.OK, ExitCode.PARTIAL)
    assert twin.is_mounted and twin.told == []


def test_another_text_of_a_carrier_is_seen_before_anything_is_sent() -> None:
    plan = plan_for(OLD, carriers={"tell-snapin": "0" * 64})
    assert changed_scripts(plan) == ("tell-snapin",)


def test_a_server_that_the_plan_did_not_see_has_no_version() -> None:
    assert generation_of(plan_of(verify_lane()), SERVER) is None
