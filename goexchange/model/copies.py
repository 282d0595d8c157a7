"""Copies of databases and the availability group of a server, as they were observed."""

from __future__ import annotations

from attrs import frozen

from goexchange.model.unknown import Unknown

HEALTHY = "Healthy"
MOUNTED = "Mounted"
SUSPENDED = "Suspended"
ATTENDED_SEEDS = "attended_seeds"
"""What a lane's last look says of a version whose seeds end with the session that asked for them:
before Exchange 2013 there is no -BeginSeed.
"""
QUEUE_MAX = 10
"""Logs that may still wait to be copied or replayed on a copy that counts as well: those of a busy
moment, not of a fault. The same for the copy and the replay queue.
"""


@frozen(kw_only=True)
class ActualCopy:
    """One copy of a database: what Exchange says of it.

    Shape: `status` and `content_index` are Exchange's words, `Healthy` among them;
    `suspend_comment` is None where there is none; queues are counted in logs.
    Unknown: `replay_lag_s` and `activation_preference` where the database itself was not described
    in the same answer.
    """

    database: str
    server: str
    status: str | Unknown
    is_active: bool | Unknown
    is_activation_suspended: bool | Unknown
    suspend_comment: str | None | Unknown
    copy_queue_logs: int | Unknown
    replay_queue_logs: int | Unknown
    content_index: str | Unknown
    activation_preference: int | Unknown
    replay_lag_s: float | Unknown

    @property
    def identity(self) -> str:
        """Its name for the cmdlets, `DB07\\EX03`."""
        return f"{self.database}\\{self.server}"


@frozen(kw_only=True)
class ActualGroup:
    """An availability group as it is now.

    Shape: `operational` are the members that are up; `in_maintenance` those that are known to be in
    maintenance mode, to Exchange or, where it does not tell them, to the cluster;
    `primary_active_manager` decides about failovers.
    """

    name: str
    servers: tuple[str, ...] | Unknown
    operational: tuple[str, ...] | Unknown
    in_maintenance: tuple[str, ...] | Unknown
    primary_active_manager: str | Unknown
    witness_server: str | Unknown


def ailment(copy: ActualCopy) -> str | None:
    """What is wrong with a passive copy, in words; None for one that is well.

    Unknown: a word that is not *Healthy* is no health, and a queue that was not told is not short.
    """
    if isinstance(copy.status, Unknown):
        return f"its status is unknown: {copy.status.reason}"
    if copy.status != HEALTHY:
        return f"it is {copy.status}"
    for name, logs in (("copy", copy.copy_queue_logs), ("replay", copy.replay_queue_logs)):
        if isinstance(logs, Unknown):
            return f"its {name} queue is unknown: {logs.reason}"
        if logs > QUEUE_MAX:
            return f"its {name} queue is {logs} logs long, more than {QUEUE_MAX}"
    return None
