"""Maintenance mode of a server in a world: components by requester, activation policy, cluster
node, messages that wait.

Source: exports of Get-ServerComponentState; a component is active only when every requester that
ever set it says so, and ServerWideOffline takes all but two with it.
"""

from __future__ import annotations

from datetime import datetime

from attrs import define, field

from goexchange.model.actual import Generation

FUNCTIONAL = "Functional"
WHOLE_SERVER = "ServerWideOffline"
_COMPONENTS = (
    "ServerWideOffline", "HubTransport", "FrontendTransport", "EdgeTransport", "Monitoring",
    "RecoveryActionsEnabled", "HighAvailability", "ActiveSyncProxy", "AutoDiscoverProxy",
    "EcpProxy", "EwsProxy", "ImapProxy", "MapiProxy", "OabProxy", "OwaProxy", "PopProxy",
    "PushNotificationsProxy", "RestProxy", "RpcProxy", "RpsProxy", "RwsProxy", "XropProxy",
    "DefaultProxy", "MailboxDeliveryProxy", "HttpProxyAvailabilityGroup", "ForwardSyncDaemon",
    "ProvisioningRps", "SharedCache", "RoutingService", "RoutingUpdates", "LogExportProvider",
    "Lsass",
)  # fmt: skip
_INACTIVE = ("ForwardSyncDaemon", "ProvisioningRps")
_ALWAYS = ("Monitoring", "RecoveryActionsEnabled")
_WITHOUT_COMPONENTS = (
    Generation.EXCHANGE_2003, Generation.EXCHANGE_2007, Generation.EXCHANGE_2010,
)  # fmt: skip
_WITH_CALL_ROUTER = (Generation.EXCHANGE_2013, Generation.EXCHANGE_2016)


@define(kw_only=True)
class ModeState:
    """What maintenance mode is made of.

    Shape: `by` is what each requester says of a component; `messages` wait until `empty_from`, None
    where nobody hands them over.
    """

    by: dict[str, dict[str, str]] = field(factory=dict)
    policy: str = "Unrestricted"
    node: str = "Up"
    messages: int = 0
    empty_from: datetime | None = None

    def state_of(self, component: str) -> str:
        """What a component is by all its requesters together."""
        said = set(self.by.get(component, {}).values())
        whole = set(self.by.get(WHOLE_SERVER, {}).values())
        if "Inactive" in said or ("Inactive" in whole and component not in _ALWAYS):
            return "Inactive"
        return "Draining" if "Draining" in said else "Active"

    def waiting(self, now: datetime) -> int:
        """How many messages wait now."""
        is_empty = self.empty_from is not None and now >= self.empty_from
        return 0 if is_empty else self.messages


def first_mode(
    generation: Generation, described: tuple[tuple[str, str, str], ...], *, policy: str, node: str
) -> ModeState:
    """The mode at the start; `described` is component, requester and state beside the usual."""
    later = () if generation in _WITHOUT_COMPONENTS else _COMPONENTS
    names = [*later, *(("UMCallRouter",) if generation in _WITH_CALL_ROUTER else ())]
    by = {
        name: {FUNCTIONAL: "Inactive" if name in _INACTIVE else "Active"} for name in names
    }
    for component, requester, state in described:
        by[component][requester] = state
    return ModeState(by=by, policy=policy, node=node, messages=7)
