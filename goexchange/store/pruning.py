"""Runs that leave the store, and what stays of them: a line that says what they applied."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from goexchange.store.journal_file import flush_folder
from goexchange.store.requests import remove_requests

PRUNED_NAME = "pruned-runs.jsonl"


def note_pruned(store: Path, plain: dict[str, Any]) -> None:
    """Write down, flushed, that a run leaves the store."""
    path = store / PRUNED_NAME
    is_new = not path.exists()
    with path.open("ab") as file:
        file.write(json.dumps(plain, ensure_ascii=False, sort_keys=True).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        flush_folder(store)


def pruned(store: Path) -> Iterator[dict[str, Any]]:
    """The runs that have left the store; a torn line is left out."""
    try:
        lines = (store / PRUNED_NAME).read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            plain = json.loads(line)
        except ValueError:
            continue
        if isinstance(plain, dict) and "plan_sha256" in plain:
            yield plain


def remove_run(folder: Path) -> None:
    """Remove the files that a run has in the store; a file of somebody else's stays, and the folder
    with it.
    """
    remove_requests(folder)
    for name in ("journal.jsonl", "approval.json", "plan.json"):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
    flush_folder(folder.parent)
