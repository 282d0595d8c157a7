"""WS-Management envelopes: requests read, answers and faults written."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from attrs import frozen

from goexchange.lab.faults import Fault, malformed

SHELL_NAMESPACE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "rsp": SHELL_NAMESPACE,
    "pwsh": "http://schemas.microsoft.com/powershell",
}
WINDOWS_SHELL_URI = SHELL_NAMESPACE + "/cmd"
POWERSHELL_URI = "http://schemas.microsoft.com/powershell/"

_TRANSFER, _ENUMERATION = NAMESPACES["x"], NAMESPACES["n"]
_ACTIONS = {
    f"{_TRANSFER}/Create": "Create",
    f"{_TRANSFER}/Delete": "Delete",
    f"{_TRANSFER}/Get": "Get",
    f"{_ENUMERATION}/Enumerate": "Enumerate",
    **{
        f"{SHELL_NAMESPACE}/{name}": name
        for name in ("Command", "Send", "Receive", "Signal", "Connect", "Disconnect", "Reconnect")
    },
}
_DURATION = re.compile(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$")
_DECLARATIONS = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())


@frozen(kw_only=True)
class WsmanRequest:
    """A request as the endpoints need it.

    Shape: `action` is the short name ("Receive"); an action the lab does not know keeps its URI.
    `body` is the s:Body element.
    """

    action: str
    action_uri: str
    message_id: str
    resource_uri: str
    shell_id: str
    options: Mapping[str, str]
    operation_timeout_s: float
    envelope_bytes_max: int
    body: Element


def read_request(envelope: bytes) -> WsmanRequest:
    """Take a request apart.

    Raises: Fault when it is not a WS-Management envelope.
    """
    try:
        root = ElementTree.fromstring(envelope)
    except ElementTree.ParseError as error:
        raise malformed(f"not XML ({error})") from error
    header, body = root.find("s:Header", NAMESPACES), root.find("s:Body", NAMESPACES)
    if header is None or body is None:
        raise malformed("no SOAP header or no body")
    action_uri = _text(header, "a:Action")
    selectors = {element.get("Name", ""): element.text or ""
                 for element in header.iterfind("w:SelectorSet/w:Selector", NAMESPACES)}
    options = {element.get("Name", ""): element.text or ""
               for element in header.iterfind("w:OptionSet/w:Option", NAMESPACES)}
    return WsmanRequest(
        action=_ACTIONS.get(action_uri, action_uri),
        action_uri=action_uri,
        message_id=_text(header, "a:MessageID"),
        resource_uri=_text(header, "w:ResourceURI"),
        shell_id=selectors.get("ShellId", "").upper(),
        options=options,
        operation_timeout_s=duration_s(header.findtext("w:OperationTimeout", "PT60S", NAMESPACES)),
        envelope_bytes_max=int(header.findtext("w:MaxEnvelopeSize", "153600", NAMESPACES)),
        body=body,
    )


def duration_s(text: str) -> float:
    """The seconds of an XML duration such as PT60S or PT2H."""
    match = _DURATION.match(text.strip())
    if match is None:
        raise malformed(f"duration {text!r}")
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)


def answer_envelope(request: WsmanRequest, body: str) -> bytes:
    """The answer to a request; `body` is XML that uses the prefixes of NAMESPACES."""
    return _envelope(f"{request.action_uri}Response", request.message_id, body)


def fault_envelope(message_id: str, fault: Fault, *, machine: str) -> bytes:
    """A fault as the real service writes it, WSManFault detail included."""
    text = escape(fault.message)
    return _envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        message_id,
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value>"
        f"<s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault Code="{fault.code}" Machine="{escape(machine)}">'
        f"<f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>",
    )


def required(element: Element | None, path: str) -> Element:
    """The child at a path of a request, which must be there."""
    found = None if element is None else element.find(path, NAMESPACES)
    if found is None:
        raise malformed(f"{path} is missing")
    return found


def _text(header: Element, path: str) -> str:
    return (required(header, path).text or "").strip()


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" {_DECLARATIONS}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()
