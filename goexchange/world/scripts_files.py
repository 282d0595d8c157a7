"""Host scripts that read and move database files: header, swap and its way back, temporary file,
manifest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.codec import time_text
from goexchange.ese.header import PAGE_SIZES
from goexchange.model.streaming_file import streaming_beside
from goexchange.world.accounts import is_beyond_session
from goexchange.world.eseutil import run_eseutil
from goexchange.world.files import (
    FileProblem,
    FileRefused,
    HostFiles,
    flush_map_of,
    folder_of,
    join,
    name_of,
)
from goexchange.world.hosts import Host
from goexchange.world.job_kinds import bench_for
from goexchange.world.refusals import ScriptFailed
from goexchange.world.sealing import seal
from goexchange.world.streaming import is_of_another

if TYPE_CHECKING:
    from goexchange.world.world import World

_NOT_FOUND_EXIT = 9009


def read_header_script(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The two header slots, what the tool prints about them, and the log folder."""
    path, files = arguments["path"], host.files
    if not files.exists(path):
        raise FileRefused(FileProblem.NOT_FOUND, path)
    if files.is_open(path):
        raise FileRefused(FileProblem.IN_USE, path)
    slots = files.read(path, 0, 2 * arguments["page_bytes"])
    jfm = map_beside(path)
    return {
        "size_bytes": files.size(path),
        "slots": base64.b64encode(slots).decode(),
        "eseutil": _tool_run(world, host, arguments["eseutil"], path),
        "log_files": _log_files(files, arguments["log_folder"], arguments["log_prefix"]),
        "jfm": jfm if files.exists(jfm) else None,
    }


def swap_state(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Which of original, temporary and kept file lies where, by the digests of their headers."""
    state, evidence = _swap_state(host.files, arguments)
    return {"state": state, "evidence": evidence}


def swap_files(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the original beside itself and move the temporary file in; goes on from the middle."""
    files = host.files
    original, temporary, kept = (arguments[name] for name in ("original", "temporary", "kept"))
    for path in (temporary, kept):
        if files.volume_of(path) is not files.volume_of(original):
            raise FileRefused(FileProblem.OTHER_VOLUME, path)
    demand_closed(files, original, temporary, kept)
    second, new, held = (streaming_beside(path) for path in (original, temporary, kept))
    is_pair = files.exists(new) or files.exists(held)
    if is_pair:
        demand_closed(files, second, new, held)
    state, evidence = _swap_state(files, arguments)
    if state == "after":
        return {"state": "after"}
    if state == "foreign":
        raise _foreign(files, original, kept, evidence)
    if state == "before":
        if is_pair and not files.exists(second):
            raise FileRefused(FileProblem.NOT_FOUND, second)
        move_map(files, original, kept)
        files.rename(original, kept)
    if is_pair and not files.exists(held):
        files.rename(second, held)
    if is_pair and files.exists(new):
        files.rename(new, second)
    move_map(files, temporary, original)
    files.rename(temporary, original)
    world.note("swap", host=host.name, detail=original)
    return {"state": "after"}


def swap_back(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Put the kept original back; the rebuilt file is set aside."""
    files = host.files
    original, temporary, kept = (arguments[name] for name in ("original", "temporary", "kept"))
    aside, wanted = arguments["set_aside"], arguments["original_sha256"]
    demand_closed(files, original, kept)
    if files.exists(kept):
        if _header_digest(files, kept) != wanted:
            raise ScriptFailed("header-differs", f"{kept} is not the file that was recorded")
        second, held = streaming_beside(original), streaming_beside(kept)
        if not files.exists(held) and is_of_another(files, kept, second):
            raise FileRefused(FileProblem.NOT_FOUND, held)
        if files.exists(original):
            expected = arguments["in_place_sha256"]
            if expected is not None and _header_digest(files, original) != expected:
                raise ScriptFailed("header-differs", f"{original} is not the file looked at")
            if files.exists(aside):
                raise FileRefused(FileProblem.EXISTS, aside)
            move_map(files, original, aside)
            files.rename(original, aside)
        if files.exists(held):
            demand_closed(files, second, held)
            if files.exists(second):
                rebuilt = aside if files.exists(aside) else temporary
                files.rename(second, streaming_beside(rebuilt))
            files.rename(held, second)
        move_map(files, original, temporary)
        files.rename(kept, original)
        world.note("swap-back", host=host.name, detail=original)
    if not files.exists(original):
        raise FileRefused(FileProblem.NOT_FOUND, original)
    if _header_digest(files, original) != wanted:
        raise ScriptFailed("header-differs", f"{original} is not the file that was recorded")
    move_map(files, kept, original)
    return {"state": "before"}


def delete_temporary(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a temporary file and its flush map, only in the tool's own folder."""
    path, within, files = arguments["path"], arguments["within"].rstrip("\\"), host.files
    is_ours = name_of(within).lower().startswith("gx-")
    if not is_ours or folder_of(path).lower() != within.lower():
        raise ScriptFailed("outside-folder", f"{path} is not in a folder of the tool")
    was_present = files.exists(path)
    for each in (map_beside(path), streaming_beside(path), path):
        if files.exists(each):
            files.delete(each)
    return {"was_present": was_present}


def seal_set(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write the manifest of a backup set."""
    if is_beyond_session(arguments["folder"]):
        raise ScriptFailed("internal", f"Access to the path '{arguments['folder']}' is denied.")
    return seal(world, host, arguments)


def _tool_run(world: World, host: Host, tool: str, path: str) -> dict[str, Any]:
    if tool.lower() != host.description.eseutil_path.lower():
        words = base64.b64encode(b"The system cannot find the path specified.\r\n").decode()
        return {"exit_code": _NOT_FOUND_EXIT, "output": "", "error_output": words}
    ending = run_eseutil(("/mh", path, "/o"), bench_for(world, host)).ending
    output = base64.b64encode(ending.output).decode()
    return {"exit_code": ending.exit_code, "output": output, "error_output": ""}


def _log_files(files: HostFiles, folder: str | None, prefix: str | None) -> list[dict[str, Any]]:
    if folder is None:
        return []
    start = (prefix or "").lower()
    listed = (path for path in files.names_in(folder) if name_of(path).lower().startswith(start))
    return [
        {
            "path": path,
            "size_bytes": files.size(path),
            "modified_at": time_text(files.times(path).modified_at),
        }
        for path in listed
    ]


def _swap_state(files: HostFiles, arguments: Mapping[str, Any]) -> tuple[str, str]:
    old, new = arguments["original_sha256"], arguments["temporary_sha256"]
    seen = [_header_digest(files, arguments[name]) for name in ("original", "temporary", "kept")]
    names = ("original", "temporary", "kept")
    evidence = ", ".join(
        f"{name} {digest or 'absent'}" for name, digest in zip(names, seen, strict=True)
    )
    states = {(old, new, None): "before", (None, new, old): "between", (new, None, old): "after"}
    return states.get((seen[0], seen[1], seen[2]), "foreign"), evidence


def _foreign(files: HostFiles, original: str, kept: str, evidence: str) -> Exception:
    if not files.exists(original) and not files.exists(kept):
        return FileRefused(FileProblem.NOT_FOUND, original)
    if files.exists(original) and files.exists(kept):
        return FileRefused(FileProblem.EXISTS, kept)
    return ScriptFailed("header-differs", evidence)


def demand_closed(files: HostFiles, *paths: str) -> None:
    """Refuse when somebody has one of the files open."""
    for path in paths:
        if files.exists(path) and files.is_open(path):
            raise FileRefused(FileProblem.IN_USE, path)


def _header_digest(files: HostFiles, path: str) -> str | None:
    if not files.exists(path):
        return None
    page_size = int.from_bytes(files.read(path, 236, 4), "little") or 4096
    if page_size not in PAGE_SIZES:
        return "no-page-size"
    return hashlib.sha256(files.read(path, 0, 2 * page_size)).hexdigest()


def move_map(files: HostFiles, source: str, destination: str) -> None:
    """A flush map goes with its file."""
    if files.exists(map_beside(source)):
        files.rename(map_beside(source), map_beside(destination))


def map_beside(path: str) -> str:
    """`DB.edb` has `DB.jfm`; a kept `DB.edb.before-<stamp>` has `DB.jfm.before-<stamp>`."""
    name = name_of(path)
    stem, _, rest = name.partition(".edb")
    return join(folder_of(path), f"{stem}.jfm{rest}") if rest else flush_map_of(path)
