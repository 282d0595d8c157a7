"""After the database is back: the record of the database, the end of the recovery record."""

from __future__ import annotations

from goexchange.model.plan import Action, Binding, BindingKind, RunsWhen
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_script
from goexchange.plan.context import LaneContext


def add_record(lane: LaneBuilder, context: LaneContext, *, runs_when: RunsWhen) -> None:
    """The record that later runs read back as facts."""
    lane.add(
        Action.WRITE_DATABASE_RECORD,
        host_script(
            "write-database-record",
            {"root": context.root, "database_guid": context.database.guid, "record": {}},
        ),
        summary="record of the database on the host: signature, verification, rebuild, set",
        binds=(Binding(argument="record", kind=BindingKind.DATABASE_RECORD, step=""),),
        runs_when=runs_when,
        estimate_s=2,
    )


def add_close_record(lane: LaneBuilder, context: LaneContext) -> None:
    """Nothing is open on the host any more."""
    lane.add(
        Action.CLOSE_RECOVERY_RECORD,
        host_script(
            "write-recovery",
            {
                "root": context.root,
                "database_guid": context.database.guid,
                "state": "closed",
                "content": {},
                "text": "",
            },
        ),
        summary="close the recovery record",
        estimate_s=2,
    )
