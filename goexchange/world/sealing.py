"""The manifest of a backup set, written by a session's script or, on a share, by a job; and the
verdict of a verifier machine that is waited for beside it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.world.files import FileProblem, FileRefused, join
from goexchange.world.hosts import Host
from goexchange.world.work import Awaited, Ending, Work, failure

if TYPE_CHECKING:
    from goexchange.world.world import World


def seal(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write it last.

    Raises: FileRefused where there is no such set.
    """
    folder = arguments["folder"]
    if not host.files.below(folder):
        raise FileRefused(FileProblem.NOT_FOUND, folder)
    content = base64.b64decode(arguments["manifest"])
    path = join(folder, "backup-set.json")
    if not host.files.exists(path) or host.files.read(path) != content:
        host.files.write(path, content)
        world.note("set-sealed", host=host.name, detail=folder)
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest()}


def seal_by_job(world: World, host: Host, request: Mapping[str, Any]) -> Work:
    """The same, as a host job."""
    try:
        result = seal(world, host, request)
    except FileRefused as refusal:
        return failure(str(refusal))
    return Work(process="powershell", seconds=0.1, ending=Ending(exit_code=0, result=result))


def await_verdict(request: Mapping[str, Any]) -> Work:
    """Wait for what a verifier machine leaves beside the set."""
    path = join(request["folder"], "backup-set.verdict.json")
    return Work(
        process="powershell",
        seconds=float(request["wait_s"]),
        ending=Ending(exit_code=0),
        awaits=Awaited(path=path, text=request["set_sha256"].encode()),
    )
