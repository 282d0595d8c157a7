"""Both channels of a server, with the real clients, against the lab: what is asked is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from goexchange.app.observing import observe_server
from goexchange.errors import HostRefused
from goexchange.facts.observation import exchange_statements
from goexchange.lab import kerberos
from goexchange.model.configuration import (
    ExchangeAuthentication,
    Scheme,
    ServerEntry,
    WindowsTransport,
)
from goexchange.model.plan import ExchangeCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.cmdlets import CmdletRefused
from goexchange.transport.session import RemoteSession
from tests.bench.fixed_site import ODD_NAME
from tests.bench.inventory import an_inventory
from tests.transport.conftest import served
from tests.transport.connections import SECRET_VARIABLE, entry, windows_over_tls
from tests.transport.lab.lab_process import Lab

pytestmark = pytest.mark.lab
READ = ExchangeCall(cmdlet="Get-MailboxDatabase", parameters={"Server": "EX001", "Status": True})
ARGUMENTS = {
    "root": "C:\\ProgramData\\goexchange",
    "paths": ["D:\\Müller & Söhne\\€.edb"],
    "log_folders": [],
    "events_since": "2026-11-01T00:00:00Z",
}
CLAIM = {"root": "C:\\gx", "fence": 7, "holder": "ünïque", "claimed_at": "2026-11-22T10:00:00Z"}


@pytest.fixture
def session(site: Lab) -> Iterator[RemoteSession]:
    """An open session to EX001."""
    with closing(RemoteSession(entry(site))) as opened:
        opened.open()
        yield opened


def test_exchange_answers_with_plain_values(session: RemoteSession) -> None:
    answer = session.exchange([READ], time_limit_s=10)
    first = answer["objects"][0]
    assert first["$type"].endswith("MailboxDatabase")
    assert first["Name"] == ODD_NAME
    assert first["DatabaseSize"] == "10.5 GB (11,274,289,152 bytes)"
    assert first["EdbFilePath"] == "D:\\001\\001.edb"
    assert first["Servers"] == ["EX001"]
    assert (first["Mounted"], first["Recovery"]) == (True, False)
    assert answer["errors"] == []


def test_error_of_one_statement_leaves_the_others(session: RemoteSession) -> None:
    missing = ExchangeCall(cmdlet="Get-MailboxDatabase", parameters={"Identity": "nowhere"})
    answer = session.exchange([missing, READ], time_limit_s=10)
    assert len(answer["objects"]) == 2
    (error,) = answer["errors"]
    assert "nowhere" in error["message"]
    assert error["id"].endswith("GetMailboxDatabase")


def test_cmdlet_off_the_list_is_not_sent(session: RemoteSession, site: Lab) -> None:
    site.control("reset")
    with pytest.raises(CmdletRefused):
        session.exchange([ExchangeCall(cmdlet="Remove-Mailbox", parameters={})], time_limit_s=5)
    assert "http" not in site.counted("EX001")


def test_script_carries_any_character_both_ways(session: RemoteSession) -> None:
    result = session.script("observe-host", ARGUMENTS, time_limit_s=10)
    assert result["files"][0]["path"] == ARGUMENTS["paths"][0]
    assert session.script("claim-fence", CLAIM, time_limit_s=10)["holder"] == "ünïque"


def test_refusal_of_a_script_has_its_code(session: RemoteSession) -> None:
    arguments = {"path": "D:\\none.edb", "eseutil": "eseutil.exe", "log_folder": None,
                 "log_prefix": None, "page_bytes": 32768}  # fmt: skip
    with pytest.raises(HostRefused, match="none.edb") as refused:
        session.script("read-header", arguments, time_limit_s=10)
    assert refused.value.code == "file-not-found"


def test_windows_over_tls(site: Lab) -> None:
    server = entry(site, windows=windows_over_tls(site))
    with closing(RemoteSession(server)) as session:
        assert session.script("observe-host", ARGUMENTS, time_limit_s=10)["fence"] == 0


def test_ntlm_seals_what_it_sends(session: RemoteSession, site: Lab) -> None:
    """The lab refuses a readable message on a connection that could seal it."""
    site.control("reset")
    session.script("observe-host", ARGUMENTS, time_limit_s=10)
    assert site.counted("EX001")["http"] == 3


def test_kerberos_on_both_channels(
    site: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if (missing := kerberos.available()) is not None:
        pytest.skip(f"no Kerberos here: {missing}")
    import subprocess

    config = str(site.where["kerberos_config"])
    monkeypatch.setenv("KRB5_CONFIG", config)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'tickets'}")
    subprocess.run(["kinit", "admin@LAB.TEST"], input=b"Correct horse 1\n", check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    with closing(RemoteSession(with_kerberos(site))) as session:
        session.open()
        assert len(session.exchange([READ], time_limit_s=10)["objects"]) == 2
        assert session.script("observe-host", ARGUMENTS, time_limit_s=10)["fence"] == 0


def with_kerberos(lab: Lab) -> ServerEntry:
    """Tickets on both channels, sealed over HTTP."""
    server = entry(lab, username="admin@LAB.TEST", password=None)
    profile = server.connection
    exchange = evolve(profile.exchange, authentication=ExchangeAuthentication.KERBEROS,
                      scheme=Scheme.HTTP, port=lab.port("exchange_http"))  # fmt: skip
    windows = evolve(profile.windows, transport=WindowsTransport.KERBEROS)
    return evolve(server, connection=evolve(profile, exchange=exchange, windows=windows))


def test_finished_commands_do_not_pile_up(site: Lab) -> None:
    """Signals are deferred, and sent: a shell takes 25 commands, the lab counts them."""
    with closing(RemoteSession(entry(site, windows=windows_over_tls(site)))) as session:
        session.open()
        for _ in range(30):
            session.script("claim-fence", CLAIM, time_limit_s=10)
        for _ in range(30):
            session.exchange([READ], time_limit_s=10)
        assert site.counted("EX001")["Signal"] >= 25 + 10


@pytest.mark.parametrize("databases", [1, 100])
def test_observing_costs_six_requests_at_most(
    databases: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "Correct horse 1")
    with served(tmp_path, f"databases={databases}") as lab:
        with closing(RemoteSession(entry(lab))) as session:
            session.open()
            costs = []
            for _ in range(6):  # the sixth has a deferred signal
                lab.control("reset")
                seen = observe_server(session, "EX001", an_inventory([session.server]))
                costs.append(lab.counted("EX001")["http"])
        assert not isinstance(seen.databases, Unknown)
        assert not isinstance(seen.host, Unknown)
        assert not isinstance(seen.host.files, Unknown)
        assert len(seen.databases) == len(seen.host.files) == databases
        assert max(costs) <= 6
        assert min(costs) == 5  # a slow answer may take one poll more


def test_statements_are_those_that_the_decoder_reads(session: RemoteSession) -> None:
    since = datetime.now(UTC) - timedelta(minutes=5)
    seen = observe_server(session, "EX001", an_inventory([session.server]))
    assert seen.observed_at_utc > since
    assert seen.build == "15.2.1544.4"
    assert len(exchange_statements("EX001")) == 4
