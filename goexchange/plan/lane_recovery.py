"""The lane that puts a set into a recovery database: no database of anybody's mail is touched."""

from __future__ import annotations

from ntpath import join

from goexchange.model.plan import (
    Action,
    Condition,
    Lane,
    Operator,
    Probe,
    Reason,
)
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, property_probe
from goexchange.plan.restore_files import Staged, add_stage
from goexchange.powershell import cmdlets

LOGS = "logs"
CONFIRM_AFTER_S = 10


def recovery_lane(server: str, name: str, staged: Staged, *, root: str) -> Lane:
    """Stage the set, make a recovery database of the staged file, mount it."""
    lane = LaneBuilder(f"{server}/{name}", server, database=name, database_guid=None)
    add_stage(lane, staged, root=root)
    look = cmdlets.get_databases(server)
    lane.add(
        Action.NEW_RECOVERY_DATABASE,
        cmdlets.new_recovery_database(
            name, server, edb_path=staged.database, log_folder=join(staged.folder, LOGS)
        ),
        summary=f"recovery database {name} of {staged.database}",
        reason=Reason.ASKED_FOR,
        probe=Probe(
            call=look,
            done=equals("named.count", 1),
            not_done=equals("named.count", 0),
        ),
        estimate_s=10,
    )
    mounted = property_probe(cmdlets.get_recovery(name), "Mounted", wanted=True)
    lane.add(
        Action.MOUNT_RECOVERY,
        cmdlets.mount_recovery(name),
        summary=f"{name}: dismounted -> mounted, never forced",
        reason=Reason.ASKED_FOR,
        probe=mounted,
        estimate_s=60,
    )
    lane.add(
        Action.LOOK_AT_RECOVERY,
        cmdlets.get_recovery(name),
        summary=f"seen mounted again after {CONFIRM_AFTER_S} s, as a recovery database",
        reason=Reason.ASKED_FOR,
        postcondition=Condition(path="objects.0.Mounted", operator=Operator.EQUAL, value=True),
        delay_s=CONFIRM_AFTER_S,
        estimate_s=CONFIRM_AFTER_S + 1,
    )
    return lane.lane()
