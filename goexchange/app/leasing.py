"""The leases of this invocation: which back end the settings name."""

from __future__ import annotations

from pathlib import Path

from goexchange.model.configuration import Configuration
from goexchange.store.lease_folder import FolderLeases
from goexchange.store.lease_sqlite import SqliteLeases
from goexchange.store.leases import Leases

LEASES_FILE = "leases.sqlite"
FOLDER_PREFIX = "folder:"


def leases_of(settings: Configuration) -> Leases:
    """The back end that holds the leases: a file of the store, or a folder that controllers on
    several machines share.
    """
    if settings.leases.startswith(FOLDER_PREFIX):
        return FolderLeases(Path(settings.leases.removeprefix(FOLDER_PREFIX)))
    return SqliteLeases(Path(settings.store) / LEASES_FILE)
