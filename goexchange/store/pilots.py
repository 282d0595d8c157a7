"""Pilots of the store: a folder for each, with its record once it has ended."""

from __future__ import annotations

import json
import os
from pathlib import Path

from goexchange import codec
from goexchange.errors import Damaged, InvalidDocument
from goexchange.model.pilot import FORMAT, PilotRecord
from goexchange.store.journal_file import flush_folder

FOLDER = "pilots"
NAME = "pilot.json"


def pilot_folder(store: Path, name: str) -> Path:
    """The folder of a pilot, by its id."""
    return store / FOLDER / name


def write_pilot(store: Path, record: PilotRecord) -> Path:
    """Write the record of a pilot that has ended, flushed under a name that nobody reads first."""
    folder = pilot_folder(store, record.id)
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / NAME, folder / f"{NAME}.part"
    text = json.dumps(codec.to_plain(record), indent=1, sort_keys=True, ensure_ascii=False)
    with part.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    flush_folder(folder)
    return path


def read_pilots(store: Path) -> tuple[PilotRecord, ...]:
    """Every pilot on record, by its end.

    Raises: Damaged for a record that cannot be read: it is no proof, and not none either.
    """
    found = []
    folder = store / FOLDER
    for path in sorted(folder.glob(f"*/{NAME}")) if folder.is_dir() else ():
        try:
            plain = codec.parse_json(path.read_bytes())
            if isinstance(plain, dict) and plain.get("format", FORMAT) != FORMAT:
                continue  # another version's: it proves nothing to this one
            found.append(codec.from_plain(PilotRecord, plain))
        except (OSError, ValueError, InvalidDocument) as error:
            raise Damaged(
                f"{path} is not the record of a pilot: {error}; put it away, and pilot again"
            ) from error
    return tuple(sorted(found, key=lambda each: (each.ended_at_utc, each.id)))
