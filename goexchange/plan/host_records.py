"""What every lane keeps on its host: the recovery record, the sentinel, the record of the database.

A lane says what stands in them; how they are asked for is the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from goexchange.model.configuration import Inventory
from goexchange.model.left import RELEASED, RecoveryRecord
from goexchange.model.plan import Action, Binding, BindingKind, ScriptCall
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import host_script
from goexchange.plan.context import LaneContext, Pace, ServerSite

SILENT_AFTER_HEARTBEATS = 10
OUTAGE, COPIES, SERVER = "outage", "copies", "server"  # what a sentinel speaks of
_NOBODY: Mapping[str, Any] = {
    "mail_server": None,
    "mail_from": None,
    "mail_to": [],
    "webhook": None,
}
NOTHING_IN_THE_WAY = ("no-open-run", "elevated", "window")


@frozen(kw_only=True)
class Keeper:
    """What the records of a lane are about, and whom the host tells of it by itself."""

    root: str
    guid: str
    database: str
    inventory: Inventory
    pace: Pace


def keeper_of(context: LaneContext) -> Keeper:
    """Return the keeper of a database's lane."""
    return Keeper(
        root=context.root,
        guid=context.database.guid,
        database=context.database.name,
        inventory=context.inventory,
        pace=context.pace,
    )


def keeper_at(site: ServerSite, guid: str, *, name: str) -> Keeper:
    """Return the keeper of a server's lane; `guid` and `name` are those of its records."""
    return Keeper(
        root=site.root, guid=guid, database=name, inventory=site.inventory, pace=site.pace
    )


def add_open_record(
    lane: LaneBuilder,
    keeper: Keeper,
    *,
    says: tuple[Mapping[str, Any], str],
    guards: tuple[str, ...] = NOTHING_IN_THE_WAY,
) -> None:
    """Open the recovery record; `says` is its content and the text of RECOVERY.txt."""
    content, text = says
    lane.add(
        Action.OPEN_RECOVERY_RECORD,
        _recovery(keeper, state="open", content=content, text=text),
        summary="recovery record and RECOVERY.txt on the host, flushed",
        undo="close the record",
        guards=guards,
        estimate_s=2,
    )


def add_close_record(lane: LaneBuilder, keeper: Keeper) -> None:
    """Nothing is open on the host any more."""
    lane.add(
        Action.CLOSE_RECOVERY_RECORD,
        _recovery(keeper, state="closed", content={}, text=""),
        summary="close the recovery record",
        estimate_s=2,
    )


def add_database_record(
    lane: LaneBuilder, keeper: Keeper, *, summary: str, **differs: Any
) -> None:
    """The record that later runs read back as facts."""
    lane.add(
        Action.WRITE_DATABASE_RECORD,
        host_script(
            "write-database-record",
            {"root": keeper.root, "database_guid": keeper.guid, "record": {}},
        ),
        summary=summary,
        binds=(Binding(argument="record", kind=BindingKind.DATABASE_RECORD, step=""),),
        estimate_s=2,
        **differs,
    )


def add_sentinel(
    lane: LaneBuilder,
    keeper: Keeper,
    *,
    holding: str,
    what: str = OUTAGE,
    patience_s: int = 0,
    **differs: Any,
) -> None:
    """The scheduled task that speaks when the controller dies `holding` something down; `patience`
    is how much longer than usual it may rightly be silent.
    """
    sentinel = _sentinel(keeper, state="placed", what=what)
    lane.add(
        Action.PLACE_SENTINEL,
        host_script(
            "sentinel", {**sentinel, "silent_after_s": sentinel["silent_after_s"] + patience_s}
        ),
        summary=f"scheduled task that speaks when the controller dies with {holding}",
        undo="remove the task",
        estimate_s=2,
        **differs,
    )


def add_remove_sentinel(lane: LaneBuilder, keeper: Keeper, *, watches: str) -> None:
    """Nothing is left that it would have to speak of."""
    lane.add(
        Action.REMOVE_SENTINEL,
        host_script("sentinel", _sentinel(keeper, state="removed", what=OUTAGE)),
        summary=f"remove the scheduled task that watches {watches}",
        estimate_s=2,
    )


def sentinel_removed(root: str, *, guid: str, database: str, what: str = OUTAGE) -> ScriptCall:
    """A sentinel that some other run left, taken away: there is nobody it would have to tell."""
    arguments: dict[str, Any] = {
        "root": root,
        "database_guid": guid,
        "database": database,
        "state": "removed",
        "what": what,
        "silent_after_s": 0,
    }
    return host_script("sentinel", {**arguments, **_NOBODY})


def record_released(root: str, recovery: RecoveryRecord, *, guid: str, text: str) -> ScriptCall:
    """The recovery record of a run that is gone, closed with what it said and that it is over."""
    return host_script(
        "write-recovery",
        {
            "root": root,
            "run": recovery.run,
            "database_guid": guid,
            "state": "closed",
            "content": {**recovery.content, "phase": RELEASED},
            "text": text,
        },
    )


def _recovery(keeper: Keeper, *, state: str, content: Mapping[str, Any], text: str) -> ScriptCall:
    return host_script(
        "write-recovery",
        {
            "root": keeper.root,
            "database_guid": keeper.guid,
            "state": state,
            "content": content,
            "text": text,
        },
    )


def _sentinel(keeper: Keeper, *, state: str, what: str) -> dict[str, Any]:
    """It speaks after several missed heartbeats, to whom the inventory names."""
    notice = keeper.inventory.sentinel
    return {
        "root": keeper.root,
        "database_guid": keeper.guid,
        "database": keeper.database,
        "state": state,
        "what": what,
        "silent_after_s": SILENT_AFTER_HEARTBEATS * keeper.pace.heartbeat_s,
        "mail_server": notice.mail_server,
        "mail_from": notice.mail_from,
        "mail_to": list(notice.mail_to),
        "webhook": notice.webhook,
    }
