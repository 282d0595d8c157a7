"""The leases of this invocation: which back end the settings name."""

from __future__ import annotations

from pathlib import Path

from goexchange.model.configuration import Configuration
from goexchange.store.leases import Leases, SqliteLeases

LEASES_FILE = "leases.sqlite"


def leases_of(settings: Configuration) -> Leases:
    """The back end that holds the leases; made when it is used first."""
    return SqliteLeases(Path(settings.store) / LEASES_FILE)
