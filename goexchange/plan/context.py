"""What the steps of one database's lane are made from."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.pilot import PilotRecord
from goexchange.plan.coverage import Coverage
from goexchange.plan.estimates import LaneEstimate, Times
from goexchange.plan.finding import Needed
from goexchange.plan.passive import Passive
from goexchange.plan.paths import LanePaths
from goexchange.plan.replicas import Replicas
from goexchange.plan.treatment import Treatment


@frozen(kw_only=True)
class Pace:
    """How often the run looks and how long its lease lives; from the configuration. Units:
    seconds.
    """

    poll_interval_s: float = 2.0
    lease_s: int = 120
    heartbeat_s: int = 30


@frozen(kw_only=True)
class Pilots:
    """Pilots on record, and whether the plan that is made belongs to a pilot: then no mail is at
    stake, and it is itself what is still to be proved; it may be made to take its way back.
    """

    records: tuple[PilotRecord, ...] = ()
    is_own: bool = False
    forces_way_back: bool = False


NO_PILOTS = Pilots()


@frozen(kw_only=True)
class ServerSite:
    """What is the same for all lanes of a plan that are about servers and not about databases."""

    inventory: Inventory
    pace: Pace
    at: datetime

    @property
    def root(self) -> str:
        """The tool's folder on the hosts."""
        return self.inventory.host_root


@frozen(kw_only=True)
class LaneContext:
    """One database with everything its lane needs; sizes, tools and volumes have been made sure of
    before.

    Unknown: `estimate` is None where the work needs no outage; `coverage` and `coverage_before`
    where no online backup after it, or before it, is part of it; `passive` where no passive copy
    is looked at; `replicas` where no other copies are suspended for an outage.
    """

    server: ActualServer
    host: ActualHost
    database: ActualDatabase
    spec: DesiredState
    inventory: Inventory
    needed: Needed
    at: datetime
    pace: Pace
    paths: LanePaths
    times: Times
    estimate: LaneEstimate | None
    coverage: Coverage | None
    eseutil: str
    coverage_before: Coverage | None = None
    pilots: Pilots = NO_PILOTS
    passive: Passive | None = None
    replicas: Replicas | None = None

    @property
    def lane_id(self) -> str:
        """The lane and address of the database."""
        return f"{self.server.name}/{self.database.name}"

    @property
    def treatment(self) -> Treatment:
        """What the lane does."""
        return self.needed.treatment

    @property
    def root(self) -> str:
        """The tool's folder on the host."""
        return self.inventory.host_root
