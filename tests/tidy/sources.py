"""The package's sources, read once: what each module imports, defines and how long it is."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from attrs import frozen

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "goexchange"


@frozen
class Module:
    """One module: dotted name below the package, its room, its path, its syntax tree and text."""

    name: str
    room: str
    path: Path
    tree: ast.Module
    text: str

    @property
    def imported(self) -> set[str]:
        """Every module name that is imported anywhere in it, for typing only or not."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names.add(node.module)
                if node.module == "goexchange":
                    names.update(f"goexchange.{alias.name}" for alias in node.names)
        return names


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, in order of its path."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if "_data" in path.parts:
            continue
        relative = path.relative_to(PACKAGE)
        name = ".".join(relative.with_suffix("").parts)
        text = path.read_text("utf-8")
        room = relative.parts[0].removesuffix(".py")
        found.append(Module(name, room, path, ast.parse(text), text))
    return tuple(found)


def rooms_imported(module: Module) -> set[str]:
    """The rooms (first part below the package) that a module imports."""
    rooms = set()
    for name in module.imported:
        parts = name.split(".")
        if parts[0] == "goexchange" and len(parts) > 1:
            rooms.add(parts[1])
    return rooms - {module.room}


def third_parties(module: Module) -> set[str]:
    """The first part of every import that is not ours."""
    return {name.split(".")[0] for name in module.imported} - {"goexchange", "__future__"}
