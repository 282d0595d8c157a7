"""A machine without Exchange: its host alone is asked, and everything says so."""

from __future__ import annotations

from attrs import evolve

from goexchange.codec import from_plain, to_plain
from goexchange.facts.examination import looks_at_host, looks_at_trial
from goexchange.facts.machines import decode_machine, machine_arguments
from goexchange.guard.resources import resource_check
from goexchange.model.actual import ActualHost, ActualServer
from goexchange.model.examination import Health
from goexchange.model.machines import is_machine, machine_as_seen
from goexchange.model.resource_check import Subject, Weight
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import CONTRACTS
from goexchange.report.facts_text import render_facts
from tests.unit.facts.test_examination import TRIAL, host
from tests.unit.plan import builders
from tests.unit.plan.builders import NOW


def seen(**differs: object) -> ActualServer:
    found = decode_machine(host(), name="BKUP01", observed_at=NOW)
    assert isinstance(found.host, ActualHost)
    return evolve(found, host=evolve(found.host, **differs))


def test_only_the_host_is_asked_and_nothing_of_exchange_is_made_up() -> None:
    arguments = machine_arguments("C:\\gx", NOW)
    assert not list(problems(arguments, CONTRACTS["observe-host"].arguments))
    assert (arguments["paths"], arguments["log_folders"]) == ([], [])
    found = seen()
    assert is_machine(found) and found.databases == ()
    assert isinstance(found.generation, Unknown)
    assert is_machine(from_plain(ActualServer, to_plain(found)))
    assert not is_machine(builders.server())
    assert not is_machine(builders.server(generation=Unknown("silent")))


def test_a_host_that_gave_nothing_is_unknown() -> None:
    found = decode_machine(Unknown("refused"), name="BKUP01", observed_at=NOW)
    assert found.host == Unknown("refused") and is_machine(found)


def test_doctor_looks_for_nothing_of_exchange_there() -> None:
    checks = [look.check for look in looks_at_host(seen(), now=NOW)]
    assert "Exchange endpoint" not in checks and "eseutil" not in checks
    assert len(checks) >= 3
    assert [look.check for look in looks_at_trial(TRIAL, "C:\\gx", seen())] == ["job root"]
    [look] = looks_at_host(machine_as_seen("B", Unknown("no"), observed_at=NOW), now=NOW)
    assert look.health is Health.UNKNOWN


def test_facts_are_shown_as_those_of_a_machine() -> None:
    for found, words in (
        (seen(), " administrator rights"),
        (seen(is_elevated=False), "no administrator rights"),
        (machine_as_seen("BKUP01", Unknown("refused"), observed_at=NOW), "host: unknown (refused)"),
    ):
        text = " ".join(render_facts(builders.state(found), width=160).split())
        assert "BKUP01 · a machine without Exchange" in text and words in text
        assert "eseutil" not in text and "database" not in text


def test_the_resource_check_asks_for_what_a_job_needs() -> None:
    def check(machine: ActualServer) -> list[tuple[Weight, str]]:
        wanted = builders.spec()
        made = make_draft(
            [wanted], builders.inventory(), builders.state(builders.server(), machine), now=NOW
        )
        found = resource_check(made, wanted, low_space_threshold_bytes=1)
        assert "BKUP01" in found.servers
        mine = [each for each in found.findings if each.address == "BKUP01"]
        assert {each.subject for each in mine} == {Subject.SERVER}
        return [(each.weight, each.text) for each in mine]

    assert check(seen(is_elevated=True))[0][0] is Weight.GOOD
    assert check(seen(is_elevated=False))[0][0] is Weight.PROBLEM
    blind = machine_as_seen("BKUP01", Unknown("silent"), observed_at=NOW)
    [(weight, text)] = check(blind)
    assert weight is Weight.UNKNOWN and "silent" in text
