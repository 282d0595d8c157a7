"""What `doctor` tries on a host: the tool's own folder, and folders as host jobs see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


def try_folders(folders: Sequence[str], files: HostFiles) -> Work:
    """Write a file into each folder and remove it again."""
    tried = [_try(path, files) for path in folders]
    return Work(
        process="powershell",
        seconds=0.5,
        ending=Ending(exit_code=0, result={"folders": tried}),
    )


def _try(path: str, files: HostFiles) -> dict[str, Any]:
    file = join(path, "goexchange-trial.tmp")
    try:
        files.write(file, json.dumps({}).encode())
        files.delete(file)
    except FileRefused:
        message = "there is no such folder, or it may not be looked at"
        return {"path": path, "can_write": False, "message": message}
    return {"path": path, "can_write": True, "message": None}
