"""What happens to the real clients when connections are lost, stall, or are refused."""

from __future__ import annotations

import pytest
import requests
from pypsrp.powershell import PowerShell, PSInvocationState
from winrm.exceptions import WinRMTransportError, WSManFaultError

from tests.transport.lab.clients import exchange, pool, receive, run, shell, winrm
from tests.transport.lab.lab_process import Lab


@pytest.mark.parametrize("transport", ["ssl", "ntlm"])
def test_receive_repeated_after_a_lost_connection_goes_on(lab: Lab, transport: str) -> None:
    protocol = winrm(lab, transport)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "ticks 2 0.05")
        lab.control("disturb", action="Receive", when="before")
        with pytest.raises(requests.ConnectionError):
            protocol.get_command_output_raw(opened, command)
        protocol.transport.close_session()
        output, is_over = b"", False
        while not is_over:
            out, _, is_over = receive(protocol, opened, command)
            output += out
        protocol.cleanup_command(opened, command)
    assert output == b"tick 0\r\ntick 1\r\n"


def test_sealed_session_is_dead_until_its_keys_are_dropped(lab: Lab) -> None:
    protocol = winrm(lab, "ntlm")
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "hostname")
        lab.control("disturb", action="Receive", when="before")
        with pytest.raises(requests.ConnectionError):
            protocol.get_command_output_raw(opened, command)
        with pytest.raises(WinRMTransportError):
            protocol.get_command_output_raw(opened, command)
        protocol.transport.close_session()
        assert receive(protocol, opened, command) == (b"EX01\r\n", 0, True)


def test_lost_answer_takes_its_output_with_it(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "hostname")
        lab.control("disturb", action="Receive", when="after")
        with pytest.raises(requests.ConnectionError):
            protocol.get_command_output_raw(opened, command)
        assert receive(protocol, opened, command) == (b"", 0, True)


def test_command_with_a_lost_answer_has_run(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        lab.control("disturb", action="Command", when="after")
        with pytest.raises(requests.ConnectionError):
            protocol.run_command(opened, "hostname")
        assert lab.counted()["Command"] == 1


def test_late_answer_is_replayed_to_the_same_message(lab: Lab) -> None:
    wsman = exchange(lab, read_timeout=2, operation_timeout=1, reconnection_retries=3,
                     reconnection_backoff=0.05)
    with pool(wsman) as opened:
        powershell = PowerShell(opened)
        powershell.add_cmdlet("Get-MailboxDatabase")
        lab.control("disturb", action="Receive", when="stall", seconds=2.5)
        found = powershell.invoke()
    assert powershell.state == PSInvocationState.COMPLETED
    assert len(found) == 3
    assert lab.counted()["replayed"] == 1


def test_frozen_answer_comes_when_the_lab_is_calm(lab: Lab) -> None:
    protocol = winrm(lab, operation_timeout_sec=1, read_timeout_sec=2)
    with shell(protocol) as opened:
        lab.control("disturb", action="Command", when="freeze")
        with pytest.raises(requests.ReadTimeout):
            protocol.run_command(opened, "hostname")
        lab.control("calm")
        assert run(protocol, opened, "hostname")[0] == b"EX01\r\n"


def test_restarted_host_has_no_shells(lab: Lab) -> None:
    protocol = winrm(lab)
    opened = protocol.open_shell()
    assert lab.control("restart", host="EX01")["shells"]["EX01"]["windows"] == 0
    with pytest.raises(WSManFaultError, match="was not found"):
        protocol.run_command(opened, "hostname")


def test_refused_host_cannot_be_reached(lab: Lab) -> None:
    lab.control("disturb", host="EX01", when="refuse", count=1000)
    with pytest.raises(requests.ConnectionError):
        winrm(lab).open_shell()
    lab.control("calm")
    with shell(winrm(lab)):
        pass


def test_delay_is_added_to_every_request(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        lab.control("delay", ms=200)
        command = protocol.run_command(opened, "hostname")
        assert protocol.transport.session.adapters  # the kept session, so no new handshake
        answer = requests.post(lab.url("windows_https"), verify=lab.ca_file, timeout=5)
        assert answer.elapsed.total_seconds() >= 0.2
        lab.control("delay", ms=0)
        protocol.cleanup_command(opened, command)


@pytest.mark.parametrize("body", [{"when": "never"}, {"when": "after", "colour": 1}, {}])
def test_control_refuses_what_it_does_not_know(lab: Lab, body: dict[str, object]) -> None:
    answer = requests.post(f"http://127.0.0.1:{lab.port('control')}/disturb", json=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
