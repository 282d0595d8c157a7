"""Whether a run's process lives, as far as this machine can tell.

A process keeps its journal locked for as long as it runs. Another machine may not see that lock on
a share; then the run's leases tell: one that has not expired was renewed a short while ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from goexchange.journal.replay import RunState
from goexchange.store.holders import is_here
from goexchange.store.journal_file import is_locked
from goexchange.store.leases import Lease
from goexchange.store.runs import RunFolder


class Life(Enum):
    """How it stands with the process of a run."""

    ALIVE = "alive"
    MAY_LIVE = "may-live"  # elsewhere: its lease has not expired
    GONE = "gone"
    ENDED = "ended"  # the run has ended; no process is needed


def life_of(run: RunFolder, state: RunState, leases: Iterable[Lease], now: datetime) -> Life:
    """How it stands with a run, whose journal says `state`."""
    if is_locked(run.journal_path):
        return Life.ALIVE
    if state.ended is not None:
        return Life.ENDED
    held = [lease for lease in leases if lease.run == run.id and lease.is_held(now)]
    return Life.MAY_LIVE if any(not is_here(each.holder or "") for each in held) else Life.GONE
