"""Services that were asked for by name, as the host told them."""

from __future__ import annotations

from goexchange.facts.host import decode_host
from goexchange.facts.mta import old_host_arguments
from goexchange.facts.observation import host_arguments
from goexchange.facts.services import decode_asked
from goexchange.model.actual import AskedService, Service
from goexchange.model.unknown import Unknown
from tests.unit.facts.samples import NOW, host

SCAN = {
    "name": "AcmeScan",
    "display_name": "Acme On-Access Scanner",
    "state": "Running",
    "start_type": "Automatic",
}
SPOOLER = {
    "name": "Spooler",
    "display_name": "Print Spooler",
    "state": "Stopped",
    "start_type": "Disabled",
}


def test_names_are_asked_for_only_where_there_are_any() -> None:
    silent = Unknown("not asked")
    for build in (old_host_arguments, host_arguments):
        assert "services" not in build(silent, root="C:\\r", events_since=NOW)
        asked = build(silent, root="C:\\r", events_since=NOW, services=("AcmeScan",))
        assert asked["services"] == ["AcmeScan"]


def test_a_service_is_found_whatever_the_case_of_its_letters() -> None:
    (found,) = decode_asked(["acmescan"], [SCAN])
    service = Service(name="AcmeScan", state="Running", start_type="Automatic")
    assert found == AskedService(name="acmescan", service=service)


def test_one_that_is_not_there_comes_with_what_may_be_meant() -> None:
    assert [
        (each.service, each.near)
        for each in decode_asked(["AcmeScn", "print spooler", "Nothing alike"], [SCAN, SPOOLER])
    ] == [(None, ("AcmeScan",)), (None, ("Spooler",)), (None, ())]


def test_a_host_that_was_not_asked_says_nothing_of_them() -> None:
    assert decode_host(host(), NOW).asked_services == ()
    told = {**host(), "asked_services": {"asked": ["Spooler"], "told": [SPOOLER]}}
    (found,) = decode_host(told, NOW).asked_services  # type: ignore[misc]
    assert found.service is not None and found.service.start_type == "Disabled"


def test_a_host_that_could_not_look_leaves_them_unknown() -> None:
    failed = {**host(), "failures": [{"part": "asked_services", "message": "access denied"}]}
    found = decode_host(failed, NOW).asked_services
    assert isinstance(found, Unknown) and "access denied" in found.reason
