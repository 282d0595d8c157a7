"""What the machine asks of the world; of each track one effect is outstanding at a time.

The performer does exactly what the effect says, and answers with one of the events that
`LEGAL_EVENTS` (events.py)
names for it. An effect that is asked for again (`next` without `accept`) is the same effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from goexchange.journal.chain import Draft
from goexchange.model.plan import ExchangeCall, ScriptCall
from goexchange.model.run import RunResult


@frozen(kw_only=True)
class Append:
    """Write these records to the journal and flush them, file and folder, before anything else
    happens.
    """

    drafts: tuple[Draft, ...]


@frozen(kw_only=True)
class Send:
    """Send one call to a server. `purpose` is the step's id, or what the driver does for itself
    (`claim`, `feed`).
    """

    server: str
    call: ExchangeCall | ScriptCall
    time_limit_s: float
    purpose: str


@frozen(kw_only=True)
class Observe:
    """Observe a server afresh; `databases` are guids whose repair requests are asked for too."""

    server: str
    databases: tuple[str, ...]


@frozen(kw_only=True)
class VerifySet:
    """Run our own verifier over a backup set that the controller reaches.

    Shape: it may be answered with *Woke* every few seconds while the verifier is at work; the same
    effect follows then, or another one, and the verifier is to be ended.
    """

    step: str
    arguments: Mapping[str, Any]


@frozen(kw_only=True)
class AcquireLeases:
    """Acquire the leases of all these servers, in one order, or none.

    Shape: `at_least` names the fencing number that a server's lease must reach, where a host has
    seen more than this store has given out. A lease that is ours already gets a new number.
    Units: `cmdlet_limit_s` is how long a cmdlet of this run may still be under way when its lease
    has expired: nobody takes the lease over before.
    """

    servers: tuple[str, ...]
    lease_s: int
    cmdlet_limit_s: int = 0
    at_least: Mapping[str, int] = field(factory=dict)


@frozen(kw_only=True)
class RenewLeases:
    """Renew all of them; the fencing numbers stay."""

    servers: tuple[str, ...]
    lease_s: int


@frozen(kw_only=True)
class ReleaseLeases:
    """Give them back."""

    servers: tuple[str, ...]


@frozen(kw_only=True)
class WaitUntil:
    """Do nothing until this moment; an operator's request may end the wait early."""

    moment: datetime


@frozen(kw_only=True)
class Finish:
    """The run is over for this process; nothing follows."""

    result: RunResult


Effect = (
    Append
    | Send
    | Observe
    | VerifySet
    | AcquireLeases
    | RenewLeases
    | ReleaseLeases
    | WaitUntil
    | Finish
)
