"""The servers of goexchange's inventory as hosts of a pyinfra inventory file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from goexchange import codec
from goexchange.documents import Document, parse_documents
from goexchange.errors import Diagnostic, InvalidDocument, Severity
from goexchange.inventory.loading import load_inventory

SUFFIXES = (".yaml", ".yml")


def hosts(inventory: str | Path) -> list[tuple[str, dict[str, Any]]]:
    """Every server of an inventory (a file, or a folder of files), ready for a pyinfra inventory.

    Shape: `@goexchange/EX01` with the data goexchange_server, site and availability_group.
    Secrets stay references; they are resolved when pyinfra connects.
    Raises: InvalidDocument with everything that is wrong.
    """
    path = Path(inventory)
    files = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES)
    documents: list[Document] = []
    problems: list[Diagnostic] = []
    for file in files if path.is_dir() else [path]:
        try:
            parsed = parse_documents(file.read_bytes(), file=str(file))
        except OSError as error:
            raise InvalidDocument(f"{file} cannot be read: {error.strerror}") from error
        documents += [each for each in parsed.documents if each.kind == "Inventory"]
        problems += parsed.diagnostics
    loaded, diagnostics = load_inventory(documents)
    problems = [each for each in (*problems, *diagnostics) if each.severity is Severity.ERROR]
    if loaded is None or problems:
        words = "; ".join(f"{each.place}: {each.detail}" for each in problems)
        raise InvalidDocument(f"{path} is no inventory that can be used: {words or 'it is empty'}")
    return [
        (
            f"@goexchange/{server.name}",
            {
                "goexchange_server": json.dumps(codec.to_plain(server)),
                "site": server.site,
                "availability_group": server.availability_group,
            },
        )
        for server in loaded.servers
    ]
