"""pypsrp against the lab's Exchange endpoint."""

from __future__ import annotations

import uuid
from contextlib import ExitStack

import pytest
from pypsrp.complex_objects import PSCredential
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import PowerShell, PSInvocationState, RunspacePool

from tests.transport.lab.clients import cmdlet, exchange, pool
from tests.transport.lab.lab_process import Lab
from tests.transport.lab.tiny_site import DATABASES, NAMESPACE

SHELL_NOT_FOUND = 2150858843
NO_LANGUAGE = ("The syntax is not supported by this runspace. This can occur if the runspace is "
               "in no-language mode.")


def test_objects_look_as_exchange_serialises_them(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        found, _ = cmdlet(opened, "Get-MailboxDatabase", Identity="DB02", Status=True)
    (database,) = found
    properties = database.adapted_properties
    assert database.to_string == "DB02"
    assert database.types[0].endswith(".MailboxDatabase")
    assert properties["Name"] == "DB02"
    assert properties["Guid"] == uuid.uuid5(NAMESPACE, "DB02")
    assert properties["DatabaseSize"].to_string == "10.5 GB (11,274,289,152 bytes)"
    assert properties["DatabaseSize"].adapted_properties == {}
    assert properties["EdbFilePath"].to_string == "D:\\DB02\\DB02.edb"
    assert properties["EdbFilePath"].adapted_properties["DriveName"] == "D:"
    assert properties["Server"].to_string == "EX01"
    assert properties["Server"].adapted_properties["ObjectGuid"] == uuid.uuid5(NAMESPACE, "EX01")
    assert properties["Mounted"] is True
    assert properties["CircularLoggingEnabled"] is False
    assert properties["WhenCreated"].startswith("2021-09-28T17:32:01.807198")
    assert properties["DeletedItemRetention"].to_string == "14.00:00:00"
    assert properties["DeletedItemRetention"].adapted_properties["Days"] == 14
    assert database.extended_properties["PSComputerName"] == "ex01.lab.test"


def test_enums_have_text_and_number_and_lists_their_elements(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        found, _ = cmdlet(opened, "Get-MailboxDatabase")
    assert len(found) == 3
    for database in found:
        replication = database.adapted_properties["ReplicationType"]
        assert replication.to_string == "None"
        assert replication.types[:2] == [
            "Microsoft.Exchange.Data.Directory.SystemConfiguration.ReplicationType", "System.Enum"]
        assert database.adapted_properties["MasterType"].to_string == "Server"
        (preference,) = database.adapted_properties["ActivationPreference"]
        assert preference.to_string == "[EX01, 1]"
        assert preference.adapted_properties["Value"] == 1


def test_without_status_the_store_was_not_asked(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        found, _ = cmdlet(opened, "Get-MailboxDatabase")
    assert {each.adapted_properties["Mounted"] for each in found} == {None}
    assert {each.adapted_properties["DatabaseSize"] for each in found} == {None}


def test_select_object_leaves_the_properties_asked_for(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        powershell = PowerShell(opened)
        powershell.add_cmdlet("Get-MailboxDatabase").add_parameter("Status", True)
        powershell.add_cmdlet("Select-Object").add_parameter(
            "Property", ["Name", "DatabaseSize", "Absent"])
        found = powershell.invoke()
    assert [each.extended_properties["Name"] for each in found] == list(DATABASES)
    assert found[0].extended_properties["DatabaseSize"].to_string.startswith("10.5 GB")
    assert found[0].extended_properties["Absent"] is None
    assert "Guid" not in found[0].extended_properties
    assert found[0].types[0].startswith("Selected.Microsoft.Exchange.")


def test_statements_of_one_pipeline_take_two_requests(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        lab.control("reset")
        powershell = PowerShell(opened)
        for name in (*DATABASES, "NOPE", "DB01"):
            powershell.add_cmdlet("Get-MailboxDatabase").add_parameter("Identity", name)
            powershell.add_statement()
        found = powershell.invoke()
        assert lab.counted()["http"] == 2
    assert [each.to_string for each in found] == [*DATABASES, "DB01"]
    assert len(powershell.streams.error) == 1


def test_batch_goes_on_after_a_statement_that_fails(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        powershell = PowerShell(opened)
        powershell.add_cmdlet("Get-Nothing").add_statement()
        powershell.add_cmdlet("Get-MailboxDatabase").add_parameter("Identity", "DB01")
        found = powershell.invoke()
    assert [each.to_string for each in found] == ["DB01"]
    assert powershell.state == PSInvocationState.COMPLETED
    assert "'Get-Nothing' is not recognized" in str(powershell.streams.error[0])


def test_non_terminating_error_keeps_the_pipeline_completed(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        found, powershell = cmdlet(opened, "Get-MailboxDatabase", Identity="NOPE")
    assert (found, powershell.had_errors) == ([], False)
    (error,) = powershell.streams.error
    assert "object 'NOPE' couldn't be found" in str(error)
    assert error.fq_error.startswith("[Server=EX01,RequestId=1")
    assert error.reason == "ManagementObjectNotFoundException"


def test_error_action_of_the_caller_counts(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        _, silent = cmdlet(opened, "Get-MailboxDatabase", Identity="NOPE",
                           ErrorAction="SilentlyContinue")
        assert silent.streams.error == []
        _, stopped = cmdlet(opened, "Get-MailboxDatabase", Identity="NOPE", ErrorAction="Stop")
        assert stopped.state == PSInvocationState.FAILED


@pytest.mark.parametrize(("name", "parameters", "message"), [
    ("Get-Nothing", {}, "The term 'Get-Nothing' is not recognized as the name of a cmdlet"),
    ("Get-MailboxDatabase", {"Colour": 1}, "cannot be found that matches parameter name 'Colour'."),
    ("Test-Login", {}, "goexchange lab: KeyError: 'Credential'"),
])
def test_what_cannot_be_run_fails_the_pipeline(
    lab: Lab, name: str, parameters: dict[str, object], message: str
) -> None:
    with pool(exchange(lab)) as opened:
        _, powershell = cmdlet(opened, name, **parameters)
    assert powershell.state == PSInvocationState.FAILED
    assert message in str(powershell.streams.error[0])


def test_scripts_are_refused(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        powershell = PowerShell(opened)
        powershell.add_script("Get-MailboxDatabase | Where-Object { $_.Mounted }")
        powershell.invoke()
    assert powershell.state == PSInvocationState.FAILED
    assert NO_LANGUAGE in str(powershell.streams.error[0])


def test_pipeline_into_another_cmdlet_is_refused(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        powershell = PowerShell(opened)
        powershell.add_cmdlet("Get-MailboxDatabase").add_cmdlet("Test-Login")
        powershell.invoke()
    assert "not simulated" in str(powershell.streams.error[0])


def test_parameters_arrive_typed(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        (typed,), _ = cmdlet(opened, "Get-Typed", A="x", B=1, C=True, D=["x", "y"],
                             E=uuid.uuid4())
    assert typed.adapted_properties == {
        "A": "str", "B": "int", "C": "bool", "D": "tuple", "E": "UUID"}


def test_credential_is_decrypted_with_the_exchanged_key(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        opened.exchange_keys()
        (login,), _ = cmdlet(opened, "test-login",
                             Credential=PSCredential(username="LAB\\svc", password="s3cret \u20ac"))
    assert login.adapted_properties == {
        "User": "LAB\\svc", "Password": "s3cret \u20ac", "Caller": "admin"}


def test_running_cmdlet_can_be_stopped_and_warns(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        _, quick = cmdlet(opened, "Get-Slowly", Seconds=0)
        assert [str(each.message) for each in quick.streams.warning] == ["slow"]
        powershell = PowerShell(opened)
        powershell.add_cmdlet("Get-Slowly").add_parameter("Seconds", 60)
        powershell.begin_invoke()
        powershell.stop()
        assert powershell.state == PSInvocationState.STOPPED


def test_silent_cmdlet_outlives_the_operation_timeout(lab: Lab) -> None:
    with pool(exchange(lab, operation_timeout=1)) as opened:
        _, powershell = cmdlet(opened, "Get-Slowly", Seconds=1.2)
        assert powershell.state == PSInvocationState.COMPLETED
    assert lab.counted()["Receive"] >= 3


def test_metadata_lists_the_cmdlets_of_the_user(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        found = opened.get_command_metadata("Get-*")
    assert [each.name for each in found] == ["Get-MailboxDatabase", "Get-Slowly", "Get-Typed"]


def test_idle_limit_closes_the_session_and_a_fresh_one_works(lab: Lab) -> None:
    with exchange(lab) as wsman:
        old = RunspacePool(wsman, configuration_name="Microsoft.Exchange")
        old.open()
        lab.control("advance", seconds=901)
        with pytest.raises(WSManFaultError) as refusal:
            cmdlet(old, "Get-MailboxDatabase")
    assert refusal.value.code == SHELL_NOT_FOUND
    with pool(exchange(lab)) as fresh:
        assert len(cmdlet(fresh, "Get-MailboxDatabase")[0]) == 3


def test_user_may_have_eighteen_sessions(lab: Lab) -> None:
    with ExitStack() as stack:
        for _ in range(18):
            stack.enter_context(pool(exchange(lab)))
        with pytest.raises(WSManFaultError, match="maximum of 18 concurrent shells, which has"):
            stack.enter_context(pool(exchange(lab)))
    with pool(exchange(lab)) as opened:
        assert len(cmdlet(opened, "Get-MailboxDatabase")[0]) == 3


def test_plain_powershell_configuration_is_not_here(lab: Lab) -> None:
    with exchange(lab) as wsman, pytest.raises(WSManFaultError, match="was not found in the WS-"):
        RunspacePool(wsman).open()
    windows = exchange(lab, port=lab.port("windows_https"), path="wsman")
    with windows as wsman, pytest.raises(WSManFaultError, match="not simulated"):
        RunspacePool(wsman).open()
