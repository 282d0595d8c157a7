"""After the database is back: the record of the database, the end of the recovery record."""

from __future__ import annotations

from goexchange.model.plan import RunsWhen
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.context import LaneContext
from goexchange.plan.host_records import add_database_record, keeper_of


def add_record(lane: LaneBuilder, context: LaneContext, *, runs_when: RunsWhen) -> None:
    """What was proved of the database, for later runs."""
    add_database_record(
        lane,
        keeper_of(context),
        summary="record of the database on the host: signature, verification, rebuild, set",
        runs_when=runs_when,
    )
