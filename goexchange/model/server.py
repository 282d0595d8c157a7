"""What the maintenance of a whole server is called, and what is seen of its maintenance mode."""

from __future__ import annotations

from attrs import frozen

from goexchange.model.mta import MTA_ID
from goexchange.model.unknown import Unknown

SERVER_NAME = "Server"
"""What the work on the server itself is called in addresses."""
SERVER_ID = "73727600-0000-4000-8000-000000002013"
"""The identity of its records on a host: it is no database, and has no GUID."""
SAME_NODE = "same-node"  # the guard of whatever is sent to a clustered server
NO_DATABASES = (MTA_ID, SERVER_ID)
"""Identities of records that are of no database, and that Exchange is never asked for."""

MAINTENANCE = "Maintenance"
HUB_TRANSPORT = "HubTransport"
CALL_ROUTER = "UMCallRouter"
WHOLE_SERVER = "ServerWideOffline"
ACTIVE, DRAINING, INACTIVE = "Active", "Draining", "Inactive"
BLOCKED = "Blocked"
TRANSPORT_SERVICES = ("MSExchangeTransport", "MSExchangeFrontEndTransport")


@frozen(kw_only=True)
class Said:
    """What one requester says of a component."""

    requester: str
    state: str


@frozen(kw_only=True)
class ComponentState:
    """One component: what it is by all its requesters together, and what each of them says.

    Shape: `by` is in order of the requesters, each once.
    """

    component: str
    state: str
    by: tuple[Said, ...]

    @property
    def maintenance(self) -> str | None:
        """What the requester Maintenance says; None where it never said anything."""
        return next((each.state for each in self.by if each.requester == MAINTENANCE), None)

    @property
    def is_ours_to_take(self) -> bool:
        """Whether Maintenance has not taken it out of service already."""
        return self.maintenance in (None, ACTIVE)


@frozen(kw_only=True)
class ServerMode:
    """What maintenance mode of a member of an availability group is made of, as far as Exchange
    says it.

    Shape: `components` is empty where the version has none.
    """

    components: tuple[ComponentState, ...] | Unknown
    activation_policy: str | Unknown

    def component(self, name: str) -> ComponentState | None | Unknown:
        """One component; None where the version has none of that name."""
        if isinstance(self.components, Unknown):
            return self.components
        return next((each for each in self.components if each.component == name), None)
