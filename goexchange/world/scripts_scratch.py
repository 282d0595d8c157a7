"""The folder of a pilot: made with a mark in it, removed only where the mark is this pilot's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.codec import time_text
from goexchange.world.files import FileProblem, FileRefused, join, name_of
from goexchange.world.hosts import Host
from goexchange.world.refusals import ScriptFailed

if TYPE_CHECKING:
    from goexchange.world.world import World

_FOLDER = re.compile(r"gx-pilot-\d{8}T\d{6}Z\Z", re.IGNORECASE)
_MARK = "goexchange-pilot.json"


def scratch_folder(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make it or remove it with all that lies in it; the world keeps no empty folders."""
    folder, name, files = arguments["folder"], arguments["name"], host.files
    if not _FOLDER.match(name_of(folder)):
        raise ScriptFailed("outside-folder", f"{folder} is no folder of a pilot")
    mark = join(folder, _MARK)
    paths = files.below(folder)
    is_ours = files.exists(mark) and files.read_json(mark)["name"] == name
    if paths and not is_ours:
        raise ScriptFailed("path-exists", f"{folder} is there already, and is not of this pilot")
    if arguments["state"] == "made":
        if not paths:
            files.write_json(mark, {"name": name, "made_at": time_text(world.now())})
        return {"had_folder": bool(paths)}
    held = [path for path in paths if files.is_open(path)]
    if held:
        raise FileRefused(FileProblem.IN_USE, held[0])
    for path in (*(each for each in paths if name_of(each) != _MARK), *([mark] if paths else [])):
        files.delete(path)
    if arguments["database_guid"] is not None:
        record = join(arguments["root"], "databases", f"{arguments['database_guid']}.json")
        if files.exists(record):
            files.delete(record)
    if paths:
        world.note("scratch-folder-removed", host=host.name, detail=folder)
    return {"had_folder": bool(paths)}
