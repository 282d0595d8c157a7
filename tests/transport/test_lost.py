"""What a session does when connections are lost, the host forgets it, or nobody answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from goexchange.errors import AnswerLost, Unreachable
from goexchange.model.configuration import Timeouts
from goexchange.model.plan import ExchangeCall
from goexchange.transport import exchange, repeating, windows
from goexchange.transport.session import RemoteSession
from tests.transport.connections import entry, windows_over_tls
from tests.transport.lab.lab_process import Lab
from tests.transport.test_channels import ARGUMENTS, CLAIM, ODD_NAME, READ

pytestmark = pytest.mark.lab
MOUNT = ExchangeCall(cmdlet="Mount-Database", parameters={"Identity": ODD_NAME})
SLOW = {**CLAIM, "holder": "slow"}


@pytest.fixture(params=["sealed", "tls"])
def session(request: pytest.FixtureRequest, site: Lab) -> Iterator[RemoteSession]:
    """An open session, its Windows channel sealed by NTLM or inside TLS."""
    changed: dict[str, Any] = {} if request.param == "sealed" else {
        "windows": windows_over_tls(site)}  # fmt: skip
    with closing(RemoteSession(entry(site, **changed))) as opened:
        opened.open()
        site.control("reset")
        yield opened


@pytest.mark.parametrize("when", ["before", "after"])
def test_lost_receive_is_repeated_and_nothing_runs_twice(
    session: RemoteSession, site: Lab, when: str
) -> None:
    site.control("disturb", action="Receive", when=when, count=2)
    assert session.script("claim-fence", CLAIM, time_limit_s=10)["fence"] == 7
    site.control("disturb", action="Receive", when=when, count=2)
    assert session.exchange([MOUNT], time_limit_s=10)["errors"] == []
    assert site.counted("EX001")["Command"] == 2


@pytest.mark.parametrize("action", ["Command", "Send"])
def test_lost_command_of_a_change_is_in_doubt(
    session: RemoteSession, site: Lab, action: str
) -> None:
    site.control("disturb", action=action, when="after")
    with pytest.raises(AnswerLost, match="EX001, Windows channel"):
        session.script("claim-fence", CLAIM, time_limit_s=10)
    assert site.counted("EX001")["Command"] == 1
    assert session.script("claim-fence", CLAIM, time_limit_s=10)["fence"] == 7


def test_lost_cmdlet_is_in_doubt_and_the_session_goes_on(
    session: RemoteSession, site: Lab
) -> None:
    site.control("disturb", action="Command", when="after")
    with pytest.raises(AnswerLost, match="EX001, Exchange channel"):
        session.exchange([MOUNT], time_limit_s=10)
    assert len(session.exchange([READ], time_limit_s=10)["objects"]) == 2
    assert "Create" not in site.counted("EX001")


def test_lost_command_that_only_reads_is_asked_again(session: RemoteSession, site: Lab) -> None:
    site.control("disturb", action="Command", when="after", count=2)
    assert session.script("observe-host", ARGUMENTS, time_limit_s=10)["fence"] == 0
    site.control("disturb", action="Command", when="before", count=2)
    assert len(session.exchange([READ], time_limit_s=10)["objects"]) == 2
    assert site.counted("EX001")["Command"] == 6


def test_idle_limit_gives_a_fresh_session(session: RemoteSession, site: Lab) -> None:
    site.control("advance", seconds=8000)
    assert session.exchange([MOUNT], time_limit_s=10)["errors"] == []
    assert session.script("claim-fence", CLAIM, time_limit_s=10)["fence"] == 7
    assert site.counted("EX001")["Create"] == 2


def test_restart_between_two_calls_gives_fresh_sessions(session: RemoteSession, site: Lab) -> None:
    site.control("restart", host="EX001")
    assert session.script("claim-fence", CLAIM, time_limit_s=10)["fence"] == 7
    assert session.exchange([MOUNT], time_limit_s=10)["errors"] == []


def test_restart_under_a_change_is_in_doubt_and_under_a_read_is_not(
    session: RemoteSession, site: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart_after_the_first_send(site, monkeypatch)
    with pytest.raises(AnswerLost):
        session.script("claim-fence", SLOW, time_limit_s=10)
    restart_after_the_first_send(site, monkeypatch)
    assert session.script("observe-host", ARGUMENTS, time_limit_s=10)["fence"] == 0


def restart_after_the_first_send(site: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's service restarts when a script has got its input, once."""
    start = windows._start

    def start_then_restart(*given: Any) -> str:
        monkeypatch.setattr(windows, "_start", start)
        command = start(*given)
        site.control("restart", host="EX001")
        return command

    monkeypatch.setattr(windows, "_start", start_then_restart)


def test_host_that_is_away_for_a_while_is_waited_for_by_reads_only(
    session: RemoteSession, site: Lab
) -> None:
    site.control("restart", host="EX001")
    site.control("disturb", host="EX001", when="refuse", count=3)
    cut_connections(session)
    assert len(session.exchange([READ], time_limit_s=10)["objects"]) == 2
    site.control("disturb", host="EX001", when="refuse", count=1000)
    cut_connections(session)
    with pytest.raises((AnswerLost, Unreachable)):
        session.exchange([MOUNT], time_limit_s=10)
    started = time.monotonic()
    with pytest.raises((AnswerLost, Unreachable)):
        session.script("observe-host", ARGUMENTS, time_limit_s=1)
    assert time.monotonic() - started < 3
    site.control("calm")


def cut_connections(session: RemoteSession) -> None:
    """A lab that refuses connections leaves the open ones alone."""
    session._exchange.drop_connection()
    session._windows.drop_connection()


def test_sealed_connection_that_was_silent_for_long_is_not_trusted(
    session: RemoteSession, site: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host closes it; stale keys would make the next command fail, or worse, be in doubt."""
    before = site.counted("EX001").get("connections", 0)
    for module in (exchange, windows):
        monkeypatch.setattr(module, "IDLE_CONNECTION_S", 0.0)
    assert session.script("claim-fence", CLAIM, time_limit_s=10)["fence"] == 7
    assert session.exchange([MOUNT], time_limit_s=10)["errors"] == []
    assert site.counted("EX001")["connections"] == before + 2
    assert "Create" not in site.counted("EX001")


def test_time_limit_ends_the_wait_but_not_the_session(session: RemoteSession, site: Lab) -> None:
    with pytest.raises(AnswerLost, match="time limit"):
        session.script("claim-fence", SLOW, time_limit_s=0.2)
    assert session.script("claim-fence", CLAIM, time_limit_s=10)["fence"] == 7


def test_answer_that_the_host_does_not_repeat(
    site: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the replay of known messages output is gone: reads are asked again, changes not."""
    with closing(RemoteSession(entry(site))) as session:
        session.open()
        lose_the_next_output(session, monkeypatch)
        assert session.script("observe-host", ARGUMENTS, time_limit_s=10)["fence"] == 0
        lose_the_next_output(session, monkeypatch)
        with pytest.raises(AnswerLost, match="part of the answer was lost"):
            session.script("claim-fence", CLAIM, time_limit_s=10)


def lose_the_next_output(session: RemoteSession, monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = session._windows._protocol
    assert protocol is not None
    receive = type(protocol).get_command_output_raw

    def receive_nothing(shell: str, command: str) -> tuple[bytes, bytes, int, bool]:
        output, errors, code, is_done = receive(protocol, shell, command)
        if output:
            monkeypatch.setattr(protocol, "get_command_output_raw", receive.__get__(protocol))
            session._windows._receives.lost += 1
            output = b""
        return output, errors, code, is_done

    monkeypatch.setattr(protocol, "get_command_output_raw", receive_nothing)


def test_pauses_double_up_to_a_maximum() -> None:
    pauses = repeating.pauses()
    assert [next(pauses) for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_libraries_print_no_tracebacks(site: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    """pypsrp logs one for every time-out that it repeats."""
    server = entry(site, timeouts=Timeouts(connect_s=2, read_s=2, operation_s=1))
    with closing(RemoteSession(server)) as session:
        session.open()
        site.control("disturb", action="Receive", when="stall", seconds=2.2)
        assert len(session.exchange([READ], time_limit_s=20)["objects"]) == 2
    assert site.counted("EX001")["replayed"] == 1
    assert logging.getLogger("pypsrp").handlers
    assert capfd.readouterr().err == ""
