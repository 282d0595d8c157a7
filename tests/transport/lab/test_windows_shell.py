"""pywinrm against the lab's Windows shell."""

from __future__ import annotations

import pytest
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from tests.transport.lab.clients import receive, run, shell, winrm
from tests.transport.lab.lab_process import Lab

SHELL_NOT_FOUND, TOO_MANY_SHELLS, TOO_LARGE = 2150858843, 2150859173, 2150859025


def test_command_gives_output_and_exit_code(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        assert run(protocol, opened, "hostname") == (b"EX01\r\n", b"", 0)
        assert run(protocol, opened, "fail") == (b"", b"no\r\n", 5)
        assert run(protocol, opened, "whoami")[0] == b"lab\\admin\r\n"


def test_every_host_has_its_own_address_and_name(lab: Lab) -> None:
    protocol = winrm(lab)
    protocol.transport.endpoint = lab.url("windows_https", "WIN02")
    with shell(protocol) as opened:
        assert run(protocol, opened, "hostname")[0] == b"WIN02\r\n"
    assert lab.counted("WIN02")["Command"] == 1
    assert "Command" not in lab.counted("EX01")


def test_output_streams_as_it_comes(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "ticks 3 0.15")
        received = []
        is_over = False
        while not is_over:
            out, code, is_over = receive(protocol, opened, command)
            received.append(out)
        protocol.cleanup_command(opened, command)
    assert b"".join(received) == b"tick 0\r\ntick 1\r\ntick 2\r\n"
    assert len([each for each in received if each]) == 3
    assert code == 3


def test_silent_command_answers_with_operation_timeout(lab: Lab) -> None:
    protocol = winrm(lab, operation_timeout_sec=1)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "sleep 1.2")
        with pytest.raises(WinRMOperationTimeoutError):
            protocol.get_command_output_raw(opened, command)
        assert receive(protocol, opened, command) == (b"woke\r\n", 0, True)


def test_standard_input_reaches_the_command_when_it_has_ended(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "cat")
        protocol.send_command_input(opened, command, "gr\u00fc\u00dfe ".encode())
        protocol.send_command_input(opened, command, b"\x00\xff", end=True)
        assert protocol.get_command_output(opened, command)[0] == "gr\u00fc\u00dfe ".encode(
            ) + b"\x00\xff"


def test_character_may_be_split_between_receives(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "split")
        first, _, _ = receive(protocol, opened, command)
        with pytest.raises(UnicodeDecodeError):
            first.decode()
        rest, _, _ = receive(protocol, opened, command)
        assert (first + rest).decode() == "pr\u00fcfe"


def test_big_output_comes_in_envelopes_that_fit(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        out, _, code = run(protocol, opened, "big 150000")
    assert (out.decode(), code) == ("\u00e9" * 150_000, 0)
    assert lab.counted()["Receive"] >= 3


def test_other_code_page_cannot_show_everything(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol, codepage=437) as opened:
        assert run(protocol, opened, "echo \u20ac\u00e9")[0] == b"?\x82\r\n"


def test_terminate_ends_a_command_and_forgets_it(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "sleep 60")
        protocol.cleanup_command(opened, command)
        with pytest.raises(WSManFaultError, match="command was not found"):
            protocol.get_command_output_raw(opened, command)


def test_command_line_has_cmd_limit(lab: Lab) -> None:
    protocol = winrm(lab)
    fits = 8191 - len("cmd.exe /c echo ")
    with shell(protocol) as opened:
        assert run(protocol, opened, "echo " + "x" * fits)[2] == 0
        out, error, code = run(protocol, opened, "echo " + "x" * (fits + 1))
    assert (out, error, code) == (b"", b"The command line is too long.\r\n", 1)


def test_unknown_command_is_refused_loudly(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        _, error, code = run(protocol, opened, "format c:")
    assert (error, code) == (b"goexchange lab: LookupError: format c:\r\n", 255)


def test_shell_is_gone_after_the_idle_limit(lab: Lab) -> None:
    protocol = winrm(lab)
    opened = protocol.open_shell()
    lab.control("advance", seconds=7100)
    command = protocol.run_command(opened, "hostname")
    protocol.cleanup_command(opened, command)
    lab.control("advance", seconds=7300)
    with pytest.raises(WSManFaultError) as refusal:
        protocol.run_command(opened, "hostname")
    assert refusal.value.wsman_fault_code == SHELL_NOT_FOUND
    with shell(protocol) as fresh:
        assert run(protocol, fresh, "hostname")[0] == b"EX01\r\n"


def test_user_may_have_thirty_shells(lab: Lab) -> None:
    protocol = winrm(lab)
    opened = [protocol.open_shell() for _ in range(30)]
    with pytest.raises(WSManFaultError, match="maximum number of 30 concurrent") as refusal:
        protocol.open_shell()
    assert refusal.value.wsman_fault_code == TOO_MANY_SHELLS
    protocol.close_shell(opened.pop())
    opened.append(protocol.open_shell())
    for each in opened:
        protocol.close_shell(each)


def test_shell_may_have_twenty_five_commands(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        for _ in range(25):
            protocol.run_command(opened, "hostname")
        with pytest.raises(WSManFaultError, match="concurrent commands per shell"):
            protocol.run_command(opened, "hostname")


def test_envelope_has_a_maximum_size(lab: Lab) -> None:
    protocol = winrm(lab)
    with shell(protocol) as opened:
        command = protocol.run_command(opened, "cat")
        with pytest.raises(WSManFaultError) as refusal:
            protocol.send_command_input(opened, command, b"x" * 500_000)
        assert refusal.value.wsman_fault_code == TOO_LARGE


def test_shell_of_someone_else_is_not_found(lab: Lab) -> None:
    protocol = winrm(lab)
    clerk = winrm(lab, username="clerk", password="Battery staple 2")
    with shell(protocol) as opened, pytest.raises(WSManFaultError, match="was not found"):
        clerk.run_command(opened, "hostname")


@pytest.mark.parametrize("option", [{"env_vars": {"A": "1"}}, {"working_directory": "C:\\"}])
def test_what_is_not_simulated_is_refused(lab: Lab, option: dict[str, object]) -> None:
    with pytest.raises(WSManFaultError, match="not simulated"):
        winrm(lab).open_shell(**option)
