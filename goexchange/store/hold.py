"""The hold of a store: while it is on, nothing new starts. Bringing back into service never asks
for it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from goexchange.codec import parse_time, time_text
from goexchange.errors import Damaged, NotNow
from goexchange.store.requests import StoredRequest, write_whole

HOLD_NAME = "hold.json"


@frozen(kw_only=True)
class Hold:
    """Who holds the store, since when and why."""

    by: str
    at_utc: datetime
    why: str

    def __str__(self) -> str:
        why = f": {self.why}" if self.why else ""
        return f"on hold since {time_text(self.at_utc)} by {self.by}{why}"


def read_hold(store: Path) -> Hold | None:
    """The hold of the store; None when there is none.

    Raises: Damaged when its file cannot be read as one: that counts as held.
    """
    path = store / HOLD_NAME
    try:
        plain = json.loads(path.read_bytes())
        return Hold(by=str(plain["by"]), at_utc=parse_time(plain["at_utc"]), why=str(plain["why"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(
            f"{path} is not a hold as this version writes it; nothing new starts while it is"
            " there. Look at it, then: goexchange hold off"
        ) from error


def put_on_hold(store: Path, *, by: str, why: str, now: datetime) -> Hold:
    """Let nothing new start; a hold that is on is replaced."""
    store.mkdir(parents=True, exist_ok=True)
    hold = Hold(by=by, at_utc=now.replace(microsecond=0), why=why)
    plain = {"by": hold.by, "at_utc": time_text(hold.at_utc), "why": hold.why}
    write_whole(store / HOLD_NAME, json.dumps(plain, sort_keys=True).encode() + b"\n")
    return hold


def lift_hold(store: Path) -> bool:
    """Let things start again; False when there was no hold."""
    path = store / HOLD_NAME
    is_on = path.exists()
    path.unlink(missing_ok=True)
    return is_on


def require_no_hold(store: Path) -> None:
    """Refuse something new while the store is on hold.

    Raises: NotNow naming who and why; Damaged.
    """
    hold = read_hold(store)
    if hold is not None:
        raise NotNow(
            f"the store {store} is {hold}. Nothing was changed."
            " To let things start again: goexchange hold off"
        )


def hold_request(store: Path) -> StoredRequest | None:
    """The hold as a running run is told of it: it starts no other database."""
    try:
        hold = read_hold(store)
    except Damaged:
        written = datetime.fromtimestamp((store / HOLD_NAME).stat().st_mtime, UTC)
        return StoredRequest(id="hold-unreadable", request="hold", by="unknown", at_utc=written)
    if hold is None:
        return None
    moment = time_text(hold.at_utc)
    return StoredRequest(id=f"hold-{moment}", request="hold", by=hold.by, at_utc=hold.at_utc)
