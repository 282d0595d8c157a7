"""Servers that cannot be reached or do not let us in: the class, the words, and no secret."""

from __future__ import annotations

import gc
import socket
import warnings
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import AuthenticationRefused, ExitCode, GoexchangeError, Unreachable
from goexchange.model.configuration import ServerEntry
from goexchange.transport.session import RemoteSession
from tests.transport.conftest import SHELLS_MAX
from tests.transport.connections import SECRET_VARIABLE, entry, windows_over_tls
from tests.transport.lab.lab_process import Lab
from tests.transport.test_channels import ARGUMENTS, READ, with_kerberos

pytestmark = pytest.mark.lab
CANARY = "canary-7f3a-never-shown"


def refusal(server: ServerEntry, kind: type[GoexchangeError], *, windows_only: bool = False) -> str:
    """The message with which a session is refused; of one channel or of both."""
    session = RemoteSession(server)
    with closing(session), pytest.raises(kind) as refused:
        if windows_only:
            session.script("observe-host", ARGUMENTS, time_limit_s=5)
        session.open()
    return str(refused.value)


@pytest.mark.parametrize("over_tls", [True, False])
@pytest.mark.parametrize("windows_only", [True, False])
def test_wrong_password(
    site: Lab, monkeypatch: pytest.MonkeyPatch, over_tls: bool, windows_only: bool
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CANARY)
    changed = {"windows": windows_over_tls(site)} if over_tls else {}
    server = entry(site, **changed)
    words = refusal(server, AuthenticationRefused, windows_only=windows_only)
    channel = "Windows channel" if windows_only else "Exchange channel"
    assert words.startswith(f"EX001, {channel}: not let in")
    assert "check user, secret and rights" in words
    assert CANARY not in words
    assert AuthenticationRefused.exit_code is ExitCode.AUTH


def test_user_without_the_right(site: Lab) -> None:
    words = refusal(entry(site, username="LAB\\clerk"), AuthenticationRefused)
    assert "has no right to this endpoint" in words


@pytest.mark.parametrize("windows_only", [True, False])
def test_untrusted_certificate(site: Lab, windows_only: bool) -> None:
    server = entry(site, ca_file=None, windows=windows_over_tls(site))
    words = refusal(server, Unreachable, windows_only=windows_only)
    assert "the certificate is not trusted" in words
    assert "ca_file" in words
    assert Unreachable.exit_code is ExitCode.UNREACHABLE


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_own_authority_wins_over_the_environment(
    site: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    other = tmp_path / "other.pem"
    import certifi

    other.write_bytes(Path(certifi.where()).read_bytes())
    monkeypatch.setenv(variable, str(other))
    with closing(RemoteSession(entry(site, windows=windows_over_tls(site)))) as session:
        session.open()
        assert len(session.exchange([READ], time_limit_s=5)["objects"]) == 2


@pytest.mark.parametrize("windows_only", [True, False])
def test_nobody_listens(site: Lab, windows_only: bool) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    profile = entry(site).connection
    server = entry(
        site,
        exchange=evolve(profile.exchange, port=port),
        windows=evolve(profile.windows, port=port),
    )
    words = refusal(server, Unreachable, windows_only=windows_only)
    assert "no connection" in words
    assert "refused" in words
    assert "check address and port" in words


def test_wrong_path(site: Lab) -> None:
    profile = entry(site).connection
    server = entry(site, exchange=evolve(profile.exchange, path="elsewhere"))
    assert "no such endpoint" in refusal(server, Unreachable)


def test_host_that_never_answers(site: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        profile = entry(site).connection
        silent_channel = evolve(
            profile.exchange, host="127.0.0.1", port=silent.getsockname()[1]
        )
        timeouts = evolve(profile.timeouts, read_s=1, operation_s=1)
        server = entry(site, exchange=silent_channel, timeouts=timeouts)
        assert "no answer in time" in refusal(server, Unreachable)


def test_quota_of_sessions(site: Lab) -> None:
    with ExitStack() as opened:
        for _ in range(SHELLS_MAX):
            session = opened.enter_context(closing(RemoteSession(entry(site))))
            session.open()
        words = refusal(entry(site), Unreachable)
        assert "quota of sessions" in words
        assert "close other sessions" in words
        assert "quota" in refusal(entry(site), Unreachable, windows_only=True)


@pytest.mark.parametrize("windows_only", [True, False])
def test_kerberos_without_a_ticket(
    site: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, windows_only: bool
) -> None:
    from goexchange.lab import kerberos

    if (missing := kerberos.available()) is not None:
        pytest.skip(f"no Kerberos here: {missing}")
    monkeypatch.setenv("KRB5_CONFIG", str(site.where["kerberos_config"]))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'no-tickets'}")
    with warnings.catch_warnings():  # the libraries leave the challenge's connection to collection
        warnings.simplefilter("ignore", ResourceWarning)
        words = refusal(with_kerberos(site), AuthenticationRefused, windows_only=windows_only)
        gc.collect()
    assert "kinit" in words


def test_secret_is_in_no_representation(site: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CANARY)
    server = entry(site)
    session = RemoteSession(server)
    with closing(session), pytest.raises(AuthenticationRefused) as refused:
        session.open()
    shown: list[Any] = [server, session, vars(session), session._exchange, session._windows]
    error: BaseException | None = refused.value
    while error is not None:
        shown += [error, str(error), error.args]
        error = error.__cause__ or error.__context__
    assert CANARY not in repr(shown)
