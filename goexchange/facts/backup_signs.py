"""Signs on a host that somebody's backup runs, or begins at a known time: one reading for the
planner and for the guards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from goexchange.model.actual import HostEvent, RunningProcess, ScheduledTask

# Source: ESE event messages, jetmsg.mc. Begin and end of a backup of one instance.
BACKUP_BEGINS = frozenset({210, 211, 212, 2005, 2008, 2009, 2010})
BACKUP_ENDS = frozenset({213, 214, 215, 226, 2006, 2007})
RESIDENT_BACKUP_TOOLS = frozenset(
    {"wbengine", "bpbkar32", "veeamagent", "veeamguesthelper", "beremote", "cvd", "clbackup"}
)
RUNNING_BACKUP_TOOLS = frozenset({"wbadmin", "ntbackup", "diskshadow"})
OURS = "goexchange"


def open_begin(events: Iterable[HostEvent], *, booted_at: datetime) -> HostEvent | None:
    """The last begin since boot without an end after it."""
    begun: HostEvent | None = None
    for event in sorted(events, key=lambda each: (each.at_utc, each.event_id)):
        if event.at_utc < booted_at:
            continue
        if event.event_id in BACKUP_BEGINS:
            begun = event
        elif event.event_id in BACKUP_ENDS and begun is not None and begun.at_utc <= event.at_utc:
            begun = None
    return begun


def names_of(processes: Iterable[RunningProcess]) -> set[str]:
    """The image names, without `.exe`."""
    return {each.name.lower().removesuffix(".exe") for each in processes}


def others_tasks(tasks: Iterable[ScheduledTask]) -> tuple[ScheduledTask, ...]:
    """The tasks of somebody else that can start by themselves."""
    return tuple(
        each
        for each in tasks
        if each.state != "Disabled"
        and OURS not in each.name.lower()
        and OURS not in " ".join(each.actions).lower()
    )
