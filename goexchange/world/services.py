"""Windows services of an Exchange server, and the states they are in."""

from __future__ import annotations

from attrs import define

from goexchange.model.actual import Generation

_AUTOMATIC = (
    "ClusSvc",
    "FMS",
    "HostControllerService",
    "IISADMIN",
    "MSExchangeADTopology",
    "MSExchangeAntispamUpdate",
    "MSExchangeCompliance",
    "MSExchangeDagMgmt",
    "MSExchangeDelivery",
    "MSExchangeDiagnostics",
    "MSExchangeEdgeSync",
    "MSExchangeFastSearch",
    "MSExchangeFrontEndTransport",
    "MSExchangeHM",
    "MSExchangeHMRecovery",
    "MSExchangeIS",
    "MSExchangeMailboxAssistants",
    "MSExchangeMailboxReplication",
    "MSExchangeRepl",
    "MSExchangeRPC",
    "MSExchangeServiceHost",
    "MSExchangeSubmission",
    "MSExchangeThrottling",
    "MSExchangeTransport",
    "MSExchangeTransportLogSearch",
    "NetTcpPortSharing",
    "RemoteRegistry",
    "W3SVC",
    "WinRM",
)
_MANUAL = (
    "MSExchangeIMAP4",
    "MSExchangeIMAP4BE",
    "MSExchangePOP3",
    "MSExchangePOP3BE",
    "VSS",
    "WSBExchange",
    "swprv",
    "wbengine",
)
_UNIFIED_MESSAGING = ("MSExchangeUM", "MSExchangeUMCR")

# Source: the vendor's lists of services of Exchange 2007 and 2010.
_AUTOMATIC_2010 = (
    "ClusSvc",
    "IISADMIN",
    "MSExchangeAB",
    "MSExchangeADTopology",
    "MSExchangeAntispamUpdate",
    "MSExchangeEdgeSync",
    "MSExchangeFBA",
    "MSExchangeFDS",
    "MSExchangeIS",
    "MSExchangeMailboxAssistants",
    "MSExchangeMailboxReplication",
    "MSExchangeMailSubmission",
    "MSExchangeProtectedServiceHost",
    "MSExchangeRepl",
    "MSExchangeRPC",
    "MSExchangeSA",
    "MSExchangeSearch",
    "MSExchangeServiceHost",
    "MSExchangeThrottling",
    "MSExchangeTransport",
    "MSExchangeTransportLogSearch",
    "MSFTESQL-Exchange",
    "NetTcpPortSharing",
    "RemoteRegistry",
    "W3SVC",
    "WinRM",
)
_MANUAL_2010 = (
    "MSExchangeIMAP4",
    "MSExchangeMonitoring",
    "MSExchangePOP3",
    "VSS",
    "WSBExchange",
    "swprv",
    "wbengine",
)
_SINCE_2010 = frozenset(
    {
        "MSExchangeAB", "MSExchangeFBA", "MSExchangeMailboxReplication", "MSExchangeRPC",
        "MSExchangeProtectedServiceHost", "MSExchangeThrottling",
    }
)  # fmt: skip
_AUTOMATIC_2007 = tuple(name for name in _AUTOMATIC_2010 if name not in _SINCE_2010)

# Source: the vendor's table of the services of Exchange 2003.
_AUTOMATIC_2003 = (
    "ClusSvc",
    "IISADMIN",
    "MSExchangeIS",
    "MSExchangeMGMT",
    "MSExchangeMTA",
    "MSExchangeSA",
    "RESvc",
    "SMTPSVC",
    "W3SVC",
    "WinRM",
)
_MANUAL_2003 = ("MSExchangeES", "MSExchangeSRS", "IMAP4Svc", "POP3Svc", "VSS")


_OF_GENERATION = {
    Generation.EXCHANGE_2003: (_AUTOMATIC_2003, _MANUAL_2003),
    Generation.EXCHANGE_2007: (_AUTOMATIC_2007, _MANUAL_2010),
    Generation.EXCHANGE_2010: (_AUTOMATIC_2010, _MANUAL_2010),
}


@define
class ServiceState:
    """A service in Windows' own words (Running, Stopped; Automatic, Manual, Disabled)."""

    name: str
    state: str
    start_type: str


def exchange_services(generation: Generation, *, is_clustered: bool) -> dict[str, ServiceState]:
    """The services of a Mailbox server after its start, by name. Source: Exchange services
    overview, 2013-SE; for 2007 and 2010 all roles on one server.
    """
    automatic, manual = _OF_GENERATION.get(generation, (_AUTOMATIC, _MANUAL))
    names = [name for name in automatic if is_clustered or name != "ClusSvc"]
    if generation in (Generation.EXCHANGE_2013, Generation.EXCHANGE_2016):
        names += _UNIFIED_MESSAGING
    running = [ServiceState(name, "Running", "Automatic") for name in names]
    waiting = [ServiceState(name, "Stopped", "Manual") for name in manual]
    return {each.name: each for each in sorted((*running, *waiting), key=lambda each: each.name)}
