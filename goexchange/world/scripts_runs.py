"""Host scripts that keep a run on its host, read it back, and look at what runs have left."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.codec import parse_time, time_text
from goexchange.ese.header import PAGE_SIZES
from goexchange.model.flush_map import flush_map_beside
from goexchange.model.streaming_file import streaming_beside
from goexchange.world.files import FileProblem, FileRefused, HostFiles, join, name_of
from goexchange.world.hosts import Host
from goexchange.world.jobs import RUNNING
from goexchange.world.refusals import ScriptFailed
from goexchange.world.scripts_records import TASK_FOLDER, fence_of, folder_name

if TYPE_CHECKING:
    from goexchange.world.world import World

_PIECE_BYTES = 512 * 1024
_START_BYTES = 1024
_PUT_ASIDE = re.compile(r"\.edb\.(before|rebuilt)-\d{8}T\d{6}Z\Z", re.IGNORECASE)
_WORK_FOLDER = re.compile(r"gx-[0-9a-f]{8}\Z", re.IGNORECASE)


def keep_run(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write what was sent where it belongs; a part past the end of its file is not written."""
    folder = _run_folder(arguments)
    kept = []
    for part in arguments["parts"]:
        path = join(folder, part["name"])
        there = host.files.read(path) if host.files.exists(path) else b""
        if part["content"] is not None and part["offset"] <= len(there):
            content = gzip.decompress(base64.b64decode(part["content"]))
            there = there[: part["offset"]] + content
            host.files.write(path, there)
        digest = hashlib.sha256(there).hexdigest() if host.files.exists(path) else None
        kept.append({"name": part["name"], "size_bytes": len(there), "sha256": digest})
    sign = {"run": arguments["run"], "holder": arguments["holder"]}
    sign["alive_at"] = time_text(world.now())
    host.files.write_json(join(folder, "alive.json"), sign)
    return {"kept": kept}


def read_run(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A piece of a kept file."""
    path = join(_run_folder(arguments), arguments["name"])
    if not host.files.exists(path):
        raise FileRefused(FileProblem.NOT_FOUND, path)
    _demand_private(host, arguments["root"])
    content = host.files.read(path, arguments["offset"], _PIECE_BYTES)
    return {
        "size_bytes": host.files.size(path),
        "content": base64.b64encode(content).decode(),
    }


def read_runs(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that runs have left on the host."""
    root, files = arguments["root"], host.files
    _demand_private(host, root)
    fence = files.read_json(join(root, "fence.json"))
    return {
        "clock": time_text(world.now()),
        "boot_id": host.boot_id,
        "fence": fence_of(host, root),
        "fence_holder": None if fence is None else fence["holder"],
        "recoveries": [
            files.read_json(path)
            for path in files.below(join(root, "recovery"))
            if path.lower().endswith("\\record.json")
        ],
        "runs": [_run(files, folder) for folder in _folders(files, join(root, "runs"))],
        "sentinels": [
            _sentinel(host, path)
            for path in files.names_in(join(root, "sentinels"))
            if path.lower().endswith(".json")
        ],
        "jobs": [_job(world, host, folder) for folder in _folders(files, join(root, "jobs"))],
        "looked_at": [_look(files, path) for path in arguments["paths"] if files.exists(path)],
        "listed": [one for folder in arguments["folders"] for one in _listed(files, folder)],
        "failures": [],
    }


def _run_folder(arguments: Mapping[str, Any]) -> str:
    return join(arguments["root"], "runs", folder_name(arguments["run"]))


def _demand_private(host: Host, root: str) -> None:
    if root.lower() in host.loose_folders:
        raise ScriptFailed("root-not-private", f"the folder {root} is not private")


def _folders(files: HostFiles, parent: str) -> list[str]:
    start = len(join(parent, ""))
    names = {
        path[start:].partition("\\")[0] for path in files.below(parent) if "\\" in path[start:]
    }
    return [join(parent, name) for name in sorted(names)]


def _run(files: HostFiles, folder: str) -> dict[str, Any]:
    sign = files.read_json(join(folder, "alive.json"))
    return {
        "run": name_of(folder) if sign is None else sign["run"],
        "holder": None if sign is None else sign["holder"],
        "alive_at": None if sign is None else sign["alive_at"],
        "files": [
            {"name": name_of(path), "size_bytes": files.size(path)}
            for path in files.names_in(folder)
        ],
    }


def _sentinel(host: Host, path: str) -> dict[str, Any]:
    state = host.files.read_json(path)
    guid = name_of(path).rpartition(".")[0]
    return {
        "database_guid": guid,
        "run": state["run"],
        "fed_at": state["fed_at"],
        "is_task_present": f"{TASK_FOLDER}sentinel-{guid}" in host.tasks,
    }


def _job(world: World, host: Host, folder: str) -> dict[str, Any]:
    files, request = host.files, host.files.read_json(join(folder, "request.json"))
    name = name_of(folder) if request is None else request["job"]
    job = world.jobs.get((host.name, name))
    begun = min(files.times(path).created_at for path in files.names_in(folder))
    return {
        "job": name,
        "kind": "" if request is None else request["kind"],
        "state": "ended" if job is None else job.state,
        "begun_at": time_text(begun),
        "size_bytes": sum(files.size(path) for path in files.names_in(folder)),
    }


def _look(files: HostFiles, path: str) -> dict[str, Any]:
    is_open = files.is_open(path)
    start = None if is_open else base64.b64encode(files.read(path, 0, _START_BYTES)).decode()
    return {
        "path": path,
        "size_bytes": files.size(path),
        "modified_at": time_text(files.times(path).modified_at),
        "is_open": is_open,
        "header_sha256": None if is_open else _header_digest(files, path),
        "start": start,
    }


def _header_digest(files: HostFiles, path: str) -> str:
    if files.size(path) < 240:
        return "too-short"
    page_size = int.from_bytes(files.read(path, 236, 4), "little") or 4096
    if page_size not in PAGE_SIZES:
        return "no-page-size"
    return hashlib.sha256(files.read(path, 0, 2 * page_size)).hexdigest()


def _listed(files: HostFiles, folder: str) -> list[dict[str, Any]]:
    """Files right in the folder, and folders; only the tool's own are looked into."""
    found = [
        _entry(path, files.size(path), modified_at=time_text(files.times(path).modified_at))
        for path in files.names_in(folder)
    ]
    for path in _folders(files, folder):
        inside = files.below(path)
        is_ours = name_of(path).lower().startswith("gx-")
        newest = max(files.times(each).modified_at for each in inside)
        found.append(
            _entry(
                path,
                sum(files.size(each) for each in inside) if is_ours else 0,
                modified_at=time_text(newest),
                files=len(inside) if is_ours else 0,
                is_folder=True,
            )
        )
    return found


def _entry(
    path: str, size_bytes: int, *, modified_at: str, files: int = 0, is_folder: bool = False
) -> dict[str, Any]:
    return {
        "path": path,
        "is_folder": is_folder,
        "size_bytes": size_bytes,
        "modified_at": modified_at,
        "is_link": False,
        "files": files,
    }


def remove_leftover(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Remove one thing that a run has left; what is not there any more is no failure."""
    return {"is_removed": _REMOVALS[arguments["kind"]](world, host, arguments)}


def _remove_file(world: World, host: Host, arguments: Mapping[str, Any]) -> bool:
    path, files = arguments["what"], host.files
    if not _PUT_ASIDE.search(name_of(path)):
        raise ScriptFailed("outside-folder", f"{path} is no file that the tool has put aside")
    if not files.exists(path):
        return False
    wanted = parse_time(arguments["modified_at"])
    apart = abs((files.times(path).modified_at - wanted).total_seconds())
    if files.size(path) != arguments["size_bytes"] or apart > 1:
        raise ScriptFailed("file-differs", f"{path} is not the file that was looked at")
    for each in (flush_map_beside(path), streaming_beside(path), path):
        if files.exists(each):
            files.delete(each)
    world.note("leftover-removed", host=host.name, detail=path)
    return True


def _remove_work_folder(world: World, host: Host, arguments: Mapping[str, Any]) -> bool:
    path = arguments["what"]
    if not _WORK_FOLDER.match(name_of(path)):
        raise ScriptFailed("outside-folder", f"{path} is no folder of the tool")
    return _remove_below(host, path)


def _remove_job(world: World, host: Host, arguments: Mapping[str, Any]) -> bool:
    job = world.jobs.get((host.name, arguments["what"]))
    if job is not None and job.state == RUNNING:
        raise ScriptFailed("file-in-use", f"the job is running: {arguments['what']}")
    name = folder_name(arguments["what"])
    host.tasks.pop(f"{TASK_FOLDER}job-{name}", None)
    return _remove_below(host, join(arguments["root"], "jobs", name))


def _remove_record(world: World, host: Host, arguments: Mapping[str, Any]) -> bool:
    guid, _, run = arguments["what"].partition("\\")
    folder = join(arguments["root"], "recovery", guid.lower(), folder_name(run))
    record = host.files.read_json(join(folder, "record.json"))
    if record is not None and record["state"] != "closed":
        raise ScriptFailed("file-in-use", f"the record is open: {arguments['what']}")
    return _remove_below(host, folder)


def _remove_run(world: World, host: Host, arguments: Mapping[str, Any]) -> bool:
    return _remove_below(host, join(arguments["root"], "runs", folder_name(arguments["what"])))


def _remove_below(host: Host, folder: str) -> bool:
    paths = host.files.below(folder)
    for path in paths:
        host.files.delete(path)
    return bool(paths)


_REMOVALS = {
    "file": _remove_file,
    "work-folder": _remove_work_folder,
    "job": _remove_job,
    "recovery-record": _remove_record,
    "kept-run": _remove_run,
}
