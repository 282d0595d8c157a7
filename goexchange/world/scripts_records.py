"""Host scripts that keep the tool's own records: fence, recovery record, sentinel, database record.

Shape: all are files below the root on the host's disk, so that nothing depends on the controller.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from goexchange.codec import time_text
from goexchange.powershell.contracts import CONTRACTS
from goexchange.world.files import join
from goexchange.world.hosts import Host
from goexchange.world.refusals import ScriptFailed
from goexchange.world.tasks import Sentinel, TaskState

if TYPE_CHECKING:
    from goexchange.world.world import World

TASK_FOLDER = "\\goexchange\\"
_EVERY = timedelta(minutes=1)
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}\Z")


def folder_name(text: str) -> str:
    """A name that is safe as a folder's: the text itself, or a digest of it."""
    if _SAFE_NAME.match(text):
        return text
    return "x" + hashlib.sha256(text.encode()).hexdigest()[:40]


def fence_of(host: Host, root: str) -> int:
    """The highest fencing number seen on the host; 0 when none was."""
    kept = host.files.read_json(join(root, "fence.json"))
    return int(kept["fence"]) if kept is not None else 0


def check_fence(host: Host, script: str, arguments: Mapping[str, Any]) -> None:
    """What every script that changes something checks first: fencing number, and rights of the
    root.

    Raises: ScriptFailed `fenced` or `root-not-private`.
    """
    kept = fence_of(host, arguments["root"])
    if script != "claim-fence" and arguments["fence"] < kept:
        raise ScriptFailed("fenced", f"fencing number {kept} is higher than {arguments['fence']}")
    if arguments["root"].lower() in host.loose_folders:
        code = "root-not-private" if "root-not-private" in CONTRACTS[script].errors else "internal"
        raise ScriptFailed(
            code, f"the folder {arguments['root']} is not private: it gives rights to S-1-1-0"
        )


def claim_fence(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Raise the fencing number; the same number of the same holder may be claimed again."""
    path = join(arguments["root"], "fence.json")
    kept = host.files.read_json(path)
    fence, holder = arguments["fence"], arguments["holder"]
    if kept is not None:
        is_ours = kept["holder"] == holder
        if fence < kept["fence"] or (fence == kept["fence"] and not is_ours):
            raise ScriptFailed("fenced", f"{kept['holder']} holds fencing number {kept['fence']}")
    claimed = {"fence": fence, "holder": holder, "claimed_at": arguments["claimed_at"]}
    host.files.write_json(path, claimed)
    return {"fence": fence, "holder": holder}


def write_recovery(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write or close the recovery record of a database, with its text for people."""
    guid, run = arguments["database_guid"].lower(), arguments["run"]
    folder = join(arguments["root"], "recovery", guid, folder_name(run))
    path, now = join(folder, "record.json"), time_text(world.now())
    before = host.files.read_json(path)
    record = {
        "run": run,
        "database_guid": guid,
        "state": arguments["state"],
        "phase": str(arguments["content"].get("phase", arguments["state"])),
        "opened_at": now if before is None else before["opened_at"],
        "written_at": now,
        "content": arguments["content"],
    }
    host.files.write(join(folder, "RECOVERY.txt"), arguments["text"].encode())
    host.files.write_json(path, record)
    return {"folder": folder}


def open_recoveries(host: Host, root: str) -> list[dict[str, Any]]:
    """Recovery records that are not closed."""
    paths = host.files.below(join(root, "recovery"))
    records = [host.files.read_json(path) for path in paths if path.endswith("\\record.json")]
    return [record for record in records if record["state"] != "closed"]


def sentinel(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Place, feed or remove the task that speaks when nobody feeds it."""
    guid, root = arguments["database_guid"].lower(), arguments["root"]
    task = f"{TASK_FOLDER}sentinel-{guid}"
    path = join(root, "sentinels", f"{guid}.json")
    if arguments["state"] == "removed":
        host.sentinels.pop(task, None)
        host.tasks.pop(task, None)
        if host.files.exists(path):
            host.files.delete(path)
        return {"task": task, "is_present": False}
    fed = Sentinel(
        task=task,
        root=root,
        run=arguments["run"],
        database_guid=guid,
        database=arguments["database"],
        silent_after_s=arguments["silent_after_s"],
        fed_at=world.now(),
        what=arguments["what"],
        mail_to=tuple(arguments["mail_to"]) if arguments["mail_server"] else (),
        webhook=arguments["webhook"],
    )
    host.files.write_json(path, {"run": fed.run, "fed_at": time_text(fed.fed_at)})
    if arguments["state"] == "placed":
        script = join(root, "sentinels", "watch.ps1")
        action = (
            "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass"
            f' -File "{script}" -Guid {guid}'
        )
        host.tasks[task] = TaskState(task, "Ready", (action,), world.now() + _EVERY)
    if task in host.tasks:
        host.sentinels[task] = fed
    return {"task": task, "is_present": task in host.tasks}


def write_database_record(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what later runs read back as facts."""
    path = join(arguments["root"], "databases", f"{arguments['database_guid']}.json")
    host.files.write_json(path, arguments["record"])
    return {"path": path}


def database_records(host: Host, root: str) -> list[dict[str, Any]]:
    """Every database record on the host, in order of the GUIDs."""
    return [host.files.read_json(path) for path in host.files.names_in(join(root, "databases"))]
