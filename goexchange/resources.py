"""Read the packaged files: schemas, templates, host scripts; the one reader of them.

In a wheel schemas and templates are package data below `goexchange/_data`; in a checkout they
stand at the top of the repository. Host scripts are beside their contracts in
`goexchange/powershell/scripts` in both.
"""

from __future__ import annotations

import re
from pathlib import Path

from goexchange.errors import GoexchangeError

_PACKAGE = Path(__file__).resolve().parent
_SCHEMA_NAME = re.compile(r"(?P<kind>[a-z][a-z0-9-]*)\.v(?P<version>[0-9]+)\.json\Z")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\Z")


class ResourceMissing(GoexchangeError):
    """A packaged file is not there: the installation is incomplete, or a name is wrong."""

    id = "resource-missing"


def schema_kinds() -> tuple[str, ...]:
    """Return the kinds that have a schema, sorted (`specification`, `backup-set`)."""
    names = (_SCHEMA_NAME.match(path.name) for path in _folder("schemas").iterdir())
    return tuple(sorted({match["kind"] for match in names if match}))


def schema_text(kind: str, *, version: int = 1) -> str:
    """Return the JSON Schema of a kind as text."""
    return _text(_folder("schemas"), f"{kind}.v{version}.json")


def template_folder() -> Path:
    """Return the folder of our report and message templates."""
    return _folder("reports")


def template_text(name: str) -> str:
    """Return one of our templates as text; `name` is its path below the template folder."""
    return _text(template_folder(), name)


def starter_text(name: str) -> str:
    """Return one of the files of a new repository as text."""
    return _text(_PACKAGE / "starter", name)


def host_script_text(name: str) -> str:
    """Return a host script byte for byte as text; `name` is without `.ps1`."""
    return _text(_PACKAGE / "powershell" / "scripts", f"{name}.ps1")


def _folder(name: str) -> Path:
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise ResourceMissing(
        f"The folder '{name}' of the package is missing: install goexchange again."
    )


def _text(folder: Path, name: str) -> str:
    if not _FILE_NAME.match(name) or ".." in name:
        raise ResourceMissing(f"'{name}' is not the name of a packaged file.")
    try:
        return (folder / name).read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise ResourceMissing(f"The packaged file '{name}' is missing.") from error
