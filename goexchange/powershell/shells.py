"""What an enumeration of a host's WinRM shells says: which of them are open beside our own.

A controller that dies leaves its shell, and the quota counts it, until the host's idle limit ends
it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml

from attrs import frozen

from goexchange.model.left import ShellLeft
from goexchange.model.unknown import Unknown

SHELLS = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
_QUESTION = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"
 xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">
<s:Header>
<a:To>http://windows-host:5985/wsman</a:To>
<a:ReplyTo><a:Address s:mustUnderstand="true"
>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
<a:Action s:mustUnderstand="true">{action}</a:Action>
<a:MessageID>uuid:{message}</a:MessageID>
<w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>
<w:MaxEnvelopeSize s:mustUnderstand="true">153600</w:MaxEnvelopeSize>
<w:OperationTimeout>PT{seconds}S</w:OperationTimeout>
</s:Header>
<s:Body><n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements></n:Enumerate>
</s:Body></s:Envelope>"""
_SHELL = f"{{{SHELLS}}}"
_WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


@frozen(kw_only=True)
class Enumerated:
    """The host's answer as it came, and the id of the shell that we hold ourselves."""

    envelope: str
    own: str


def enumeration(message: str, seconds: int) -> str:
    """The request for the list; `message` is an identity of its own."""
    return _QUESTION.format(action=ENUMERATE, message=message, resource=SHELLS, seconds=seconds)


def other_shells(enumerated: Enumerated) -> tuple[ShellLeft, ...] | Unknown:
    """The shells of our own account, but for the one that we hold.

    Unknown: an answer that is cut off, or that does not name our own shell: it is not the list
    that was asked for.
    """
    try:
        root = xml.fromstring(enumerated.envelope)
    except xml.ParseError as error:
        return Unknown(f"the list of shells cannot be read: {error}")
    if next(root.iter(f"{_WSMAN}EndOfSequence"), None) is None:
        return Unknown("the host gave only a part of its list of shells")
    shells = [_shell(each) for each in root.iter(f"{_SHELL}Shell")]
    own = [each for each in shells if each.shell.casefold() == enumerated.own.casefold()]
    if not own or not own[0].owner:
        return Unknown("the host's list of shells does not say whose ours is")
    owner = own[0].owner.casefold()
    mine = (each for each in shells if each not in own and each.owner.casefold() == owner)
    return tuple(sorted(mine, key=lambda each: each.shell))


def _shell(element: xml.Element) -> ShellLeft:
    return ShellLeft(
        shell=element.findtext(f"{_SHELL}ShellId", ""),
        owner=element.findtext(f"{_SHELL}Owner", ""),
        idle_limit_s=_seconds(element.findtext(f"{_SHELL}IdleTimeOut", "")),
    )


def _seconds(text: str) -> float | None:
    """Of a duration such as PT7200.000S; None when it is none."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    units = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
    return sum(float(found[name] or 0) * unit for name, unit in units.items())
