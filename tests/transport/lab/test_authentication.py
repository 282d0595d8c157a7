"""Who is let in where, by the real clients."""

from __future__ import annotations

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.shell import Process, SignalCode, WinRS
from winrm.exceptions import InvalidCredentialsError
from winrm.exceptions import WinRMTransportError as WinrmTransportError

from tests.transport.lab.clients import cmdlet, exchange, pool, run, shell, winrm
from tests.transport.lab.lab_process import ADMIN, ADMIN_PASSWORD, Lab


@pytest.mark.parametrize("name", ["admin", "LAB\\admin", "lab\\ADMIN", "admin@lab.test"])
def test_basic_over_tls_takes_every_form_of_the_name(lab: Lab, name: str) -> None:
    protocol = winrm(lab, username=name)
    with shell(protocol) as opened:
        assert run(protocol, opened, "whoami")[0] == b"lab\\admin\r\n"


@pytest.mark.parametrize(("listener", "encryption"), [
    ("windows_http", "auto"), ("windows_https", "auto"), ("windows_https", "always")])
def test_ntlm_seals_over_http_and_binds_to_the_channel_over_tls(
    lab: Lab, listener: str, encryption: str
) -> None:
    protocol = winrm(lab, "ntlm", listener=listener, message_encryption=encryption)
    with shell(protocol) as opened:
        assert run(protocol, opened, "whoami")[0] == b"lab\\admin\r\n"


@pytest.mark.parametrize("listener", ["windows_http", "windows_https"])
@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_pypsrp_runs_commands_with_ntlm(lab: Lab, auth: str, listener: str) -> None:
    wsman = exchange(lab, auth=auth, ssl=listener == "windows_https", port=lab.port(listener),
                     path="wsman")
    with wsman, WinRS(wsman, codepage=65001) as opened:
        process = Process(opened, "whoami")
        process.invoke()
        process.signal(SignalCode.CTRL_C)
    assert (process.stdout, process.rc) == (b"lab\\admin\r\n", 0)


@pytest.mark.parametrize("transport", ["ssl", "ntlm"])
def test_wrong_password_is_refused(lab: Lab, transport: str) -> None:
    protocol = winrm(lab, transport, password="wrong")
    with pytest.raises(InvalidCredentialsError):
        protocol.open_shell()
    assert lab.counted()["refused_logons"] >= 1
    assert "Create" not in lab.counted()


def test_unsealed_messages_over_plain_http_are_refused(lab: Lab) -> None:
    protocol = winrm(lab, "ntlm", message_encryption="never")
    with pytest.raises(WinrmTransportError, match="500"):
        protocol.open_shell()
    assert "Create" not in lab.counted()


def test_basic_is_not_offered_over_plain_http(lab: Lab) -> None:
    answer = requests.post(lab.url("windows_http"), auth=("admin", ADMIN_PASSWORD), timeout=5)
    assert answer.status_code == 401
    assert "Basic" not in answer.headers["WWW-Authenticate"]


def test_untrusted_certificate_is_noticed_by_the_client(lab: Lab) -> None:
    protocol = winrm(lab, ca_trust_path=requests.certs.where())
    with pytest.raises(requests.exceptions.SSLError):
        protocol.open_shell()


@pytest.mark.parametrize("is_tls", [True, False])
@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_ntlm_is_refused_by_exchange(lab: Lab, auth: str, is_tls: bool) -> None:
    refusals = (AuthenticationError, WinRMTransportError)
    with pytest.raises(refusals), pool(exchange(lab, auth=auth, ssl=is_tls)):
        pass
    assert "Create" not in lab.counted()


@pytest.mark.parametrize("header", [
    "Negotiate", "Negotiate AAAA", "Negotiate !", "NTLM TlRMTVNTUAAB", "Kerberos YIIB", "Basic",
    "Basic YWRtaW4=", "Digest x"])
def test_malformed_credentials_are_refused(lab: Lab, header: str) -> None:
    answer = requests.post(lab.url("windows_https"), headers={"Authorization": header},
                           verify=lab.ca_file, timeout=5)
    assert answer.status_code == 401


def test_exchange_lets_in_only_whom_it_may(lab: Lab) -> None:
    clerk = exchange(lab, username="clerk", password="Battery staple 2")
    with pytest.raises(Exception, match="Access is denied"), pool(clerk):
        pass


def test_exchange_is_only_where_exchange_is(lab: Lab) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.post(f"https://{lab.address('WIN02')}:{lab.port('exchange_https')}/PowerShell",
                      verify=lab.ca_file, timeout=5)


@pytest.mark.parametrize(("listener", "path"), [
    ("windows_https", "PowerShell"), ("exchange_https", "wsman")])
def test_path_of_the_other_endpoint_is_not_found(lab: Lab, listener: str, path: str) -> None:
    url = f"https://{lab.address()}:{lab.port(listener)}/{path}"
    assert requests.post(url, auth=(ADMIN, ADMIN_PASSWORD), verify=lab.ca_file,
                         timeout=5).status_code == 404


def test_basic_over_tls_opens_exchange(lab: Lab) -> None:
    with pool(exchange(lab)) as opened:
        assert len(cmdlet(opened, "Get-MailboxDatabase")[0]) == 3
