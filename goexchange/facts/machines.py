"""One observation of a machine without Exchange: its host alone is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from goexchange.codec import time_text
from goexchange.facts.host import decode_host
from goexchange.facts.services import asked_services
from goexchange.model.actual import ActualServer
from goexchange.model.machines import machine_as_seen
from goexchange.model.unknown import Unknown


def machine_arguments(root: str, events_since: datetime) -> dict[str, Any]:
    """The arguments of observe-host: no file and no folder of a database lies there."""
    return {
        "root": root,
        "paths": [],
        "log_folders": [],
        "events_since": time_text(events_since),
        **asked_services(()),
    }


def decode_machine(
    host: Mapping[str, Any] | Unknown, *, name: str, observed_at: datetime
) -> ActualServer:
    """A machine as its host script described it.

    Unknown: its host, when the script gave nothing.
    """
    seen = host if isinstance(host, Unknown) else decode_host(host, observed_at)
    return machine_as_seen(name, seen, observed_at=observed_at)
