"""Host scripts of the ways back: a database file or the logs of a stream are moved out of the
way and never deleted; the manifest of a set is read.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.model.streaming_file import streaming_beside
from goexchange.world.accounts import is_beyond_session
from goexchange.world.files import FileProblem, FileRefused, folder_of, join, name_of
from goexchange.world.hosts import Host
from goexchange.world.refusals import ScriptFailed
from goexchange.world.scripts_files import demand_closed, move_map

if TYPE_CHECKING:
    from goexchange.world.world import World

_OF_A_STREAM = (".log", ".chk", ".jrs")
_BASE_LETTERS = 3


def move_aside(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Rename a database file and its flush map within its folder, and a streaming file with it."""
    source, destination, files = arguments["source"], arguments["destination"], host.files
    if not _are_near(folder_of(source), folder_of(destination)):
        raise ScriptFailed("outside-folder", f"{destination} is not beside {source}")
    moves = [(source, destination)]
    second = (streaming_beside(source), streaming_beside(destination))
    order = arguments.get("streaming")
    if order is not None:
        moves = [second, *moves] if order == "before" else [*moves, second]
    there = [each for each in moves if files.exists(each[0])]
    for one, other in there:
        demand_closed(files, one)
        if files.exists(other):
            raise FileRefused(FileProblem.EXISTS, other)
    if order == "before" and there and not any(map(files.exists, second)):
        raise ScriptFailed("file-not-found", f"there is no file {second[0]}")
    for one, other in there:
        move_map(files, one, other)
        files.rename(one, other)
    if there:
        world.note("move-aside", host=host.name, detail=f"{source} -> {destination}")
    is_kept = all(files.exists(each[1]) for each in moves)
    return {"was_present": bool(there), "is_kept": is_kept}


def move_logs(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Move the files of a log stream into a folder inside theirs, or back."""
    prefix = arguments["prefix"]
    source, target = (arguments[each].rstrip("\\") for each in ("from_folder", "to_folder"))
    if len(prefix) != _BASE_LETTERS or not prefix.isalnum():
        raise ScriptFailed("outside-folder", f"no base name of logs: {prefix}")
    if source.lower() == target.lower() or not _are_near(source, target):
        raise ScriptFailed("outside-folder", f"{target} is not in {source}")
    files = host.files
    found = [path for path in files.names_in(source) if _is_of(path, prefix)]
    for path in found:
        demand_closed(files, path)
        if files.exists(join(target, name_of(path))):
            raise FileRefused(FileProblem.EXISTS, join(target, name_of(path)))
    for path in sorted(found, key=lambda path: path.lower().endswith(".chk")):
        files.rename(path, join(target, name_of(path)))
    if found:
        world.note("move-logs", host=host.name, detail=f"{source} -> {target}")
    return {"moved": len(found)}


def read_set(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a set, as it lies on the host."""
    if is_beyond_session(arguments["folder"]):
        raise ScriptFailed("internal", f"Access to the path '{arguments['folder']}' is denied.")
    content = host.files.read(join(arguments["folder"], "backup-set.json"))
    return {"manifest": base64.b64encode(content).decode()}


def _are_near(one: str, other: str) -> bool:
    """The same folder, or one right inside the other."""
    first, second = one.lower(), other.lower()
    return first == second or first in (folder_of(second), second) or second == folder_of(first)


def _is_of(path: str, prefix: str) -> bool:
    name = name_of(path).lower()
    return name.startswith(prefix.lower()) and name.endswith(_OF_A_STREAM)
