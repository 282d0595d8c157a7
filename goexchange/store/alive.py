"""Whether a run's process lives, as far as this machine can tell.

A process keeps its journal locked for as long as it runs. Another machine may not see that lock on
a share; then the run's leases tell: one that has not expired was renewed a short while ago.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from goexchange.journal.replay import RunState
from goexchange.model.standing import Life
from goexchange.store.holders import is_here
from goexchange.store.journal_file import is_locked
from goexchange.store.leases import Lease
from goexchange.store.runs import RunFolder


def life_of(run: RunFolder, state: RunState, leases: Iterable[Lease], now: datetime) -> Life:
    """How it stands with a run, whose journal says `state`."""
    if is_locked(run.journal_path):
        return Life.ALIVE
    if state.ended is not None:
        return Life.ENDED
    held = [lease for lease in leases if lease.run == run.id and lease.is_held(now)]
    return Life.MAY_LIVE if any(not is_here(each.holder or "") for each in held) else Life.GONE
