"""What `doctor` tries on a host: the tool's own folder, and folders as host jobs see them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from goexchange.world.files import FileRefused, HostFiles, join
from goexchange.world.hosts import Host
from goexchange.world.work import Ending, Work

if TYPE_CHECKING:
    from goexchange.world.world import World

_WINDOWS = "10.0.17763.1"  # the version files of Windows Server 2019 carry


def try_root(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write, read back and remove a record; the world keeps no empty folders."""
    root, files = arguments["root"], host.files
    had_root = bool(files.below(root))
    path = join(root, "trial", arguments["name"], "trial.json")
    files.write_json(path, {"name": arguments["name"]})
    read = files.read_json(path)
    files.delete(path)
    return {
        "had_root": had_root,
        "is_same": read is not None and read["name"] == arguments["name"],
        "wbadmin_version": _WINDOWS,
        "diskshadow_version": _WINDOWS,
    }


def try_folders(
    request: Mapping[str, Any], files: HostFiles, *, is_denied: Callable[[str], bool]
) -> Work:
    """Write a file into each folder and remove it again; open each file."""
    tried = [_try(path, files, is_denied(path)) for path in request["folders"]]
    read = [_read(path, files, is_denied(path)) for path in request.get("files", ())]
    return Work(
        process="powershell",
        seconds=0.5,
        ending=Ending(exit_code=0, result={"folders": tried, "files": read}),
    )


def _read(path: str, files: HostFiles, is_denied: bool) -> dict[str, Any]:
    """In use is as good as read: who may not read it is told so before."""
    message = None if files.exists(path) else f"Could not find file '{path}'."
    if is_denied:
        message = f"Access to the path '{path}' is denied."
    return {"path": path, "can_read": message is None, "message": message}


def _try(path: str, files: HostFiles, is_denied: bool) -> dict[str, Any]:
    if is_denied:
        message = f"Access to the path '{path}' is denied."
        return {"path": path, "can_write": False, "message": message}
    file = join(path, "goexchange-trial.tmp")
    try:
        files.write(file, json.dumps({}).encode())
        files.delete(file)
    except FileRefused:
        message = "there is no such folder, or it may not be looked at"
        return {"path": path, "can_write": False, "message": message}
    return {"path": path, "can_write": True, "message": None}
