"""What the lab answers to clients that speak badly, spoken over a bare socket."""

from __future__ import annotations

import base64
import socket

import pytest
import requests

from tests.transport.lab.lab_process import ADMIN, ADMIN_PASSWORD, Lab

ENVELOPE = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>
<a:Action>{action}</a:Action><a:MessageID>uuid:1</a:MessageID>
<w:ResourceURI>{uri}</w:ResourceURI></s:Header><s:Body/></s:Envelope>"""
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"


def posted(lab: Lab, body: str) -> requests.Response:
    return requests.post(lab.url("windows_https"), data=body.encode(), timeout=5,
                         auth=(ADMIN, ADMIN_PASSWORD), verify=lab.ca_file)


@pytest.mark.parametrize(("sent", "status"), [
    (b"nonsense\r\n\r\n", b"400"),
    (b"POST /wsman HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
    (b"POST /wsman HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
    (b"POST /wsman HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
    (b"GET /wsman HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
    (b"GET /wsman HTTP/1.1\r\n\r\n", b"405"),
])
def test_bad_http_gets_its_status(lab: Lab, sent: bytes, status: bytes) -> None:
    with socket.create_connection((lab.address(), lab.port("windows_http")), 5) as connection:
        connection.sendall(sent)
        assert connection.recv(64).split(b" ")[1] == status


@pytest.mark.parametrize(("body", "message"), [
    ("<broken", "not XML"),
    ("<a/>", "no SOAP header"),
    (ENVELOPE.format(action="urn:unknown", uri=f"{SHELL}/cmd"), "was not found"),
    (ENVELOPE.format(action="http://schemas.xmlsoap.org/ws/2004/09/transfer/Create",
                     uri="urn:elsewhere"), "was not found in the WS-Management catalog"),
    (ENVELOPE.format(action="http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate",
                     uri="urn:elsewhere"), "not simulated"),
])
def test_bad_envelope_gets_a_fault(lab: Lab, body: str, message: str) -> None:
    answer = posted(lab, body)
    assert answer.status_code == 500
    assert "WSManFault" in answer.text
    assert message in answer.text


def test_unknown_action_on_an_open_shell_is_refused(lab: Lab) -> None:
    from tests.transport.lab.clients import shell, winrm

    with shell(winrm(lab)) as opened:
        body = ENVELOPE.format(action=f"{SHELL}/Disconnect", uri=f"{SHELL}/cmd").replace(
            "</s:Header>", f'<w:SelectorSet><w:Selector Name="ShellId">{opened}</w:Selector>'
            "</w:SelectorSet></s:Header>")
        assert "Disconnect is not simulated" in posted(lab, body).text


def test_connection_is_kept_and_authenticated_anew_with_basic(lab: Lab) -> None:
    with requests.Session() as session:
        token = base64.b64encode(f"{ADMIN}:{ADMIN_PASSWORD}".encode()).decode()
        url = lab.url("windows_https")
        good, bad = {"Authorization": f"Basic {token}"}, {"Authorization": "Basic YTpi"}
        statuses = [session.post(url, headers=each, verify=lab.ca_file, timeout=5).status_code
                    for each in (good, bad, {}, good)]
    assert statuses == [200, 401, 401, 200]
    assert lab.counted()["connections"] == 1
