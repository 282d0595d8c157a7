"""isinteg of Exchange 2007: it corrects what lies inside a dismounted database, through the store.

The words are those that are known of it, and not confirmed; what each pass finds is what repair
requests find elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.world.databases import MailboxDatabase, change_header, read_header
from goexchange.world.hosts import Host
from goexchange.world.objects_2007 import storage_group_of
from goexchange.world.work import Ending, Work, failure

if TYPE_CHECKING:
    from goexchange.world.world import World

TESTS = ("FolderView", "SearchFolder", "AggregateCounts", "ProvisionedFolder")


def isinteg(world: World, host: Host, request: Mapping[str, Any]) -> Work:
    """One run over one database."""
    folder = host.description.install_folder
    if request["tool"].lower() != f"{folder}Bin\\isinteg.exe".lower():
        return failure(f"could not be started: {request['tool']}")
    listed = [each for each in world.databases.values() if each.active_server == host.name]
    text = [f"Databases for server {host.name}:"]
    text += ["Only databases marked as Offline can be checked", ""]
    text += ["Index  Status       Database-Name"]
    meant = None
    for number, each in enumerate(sorted(listed, key=_group_and_name), start=1):
        group, name = _group_and_name(each)
        is_offline = each.mounted_on is None
        text += [f"Storage Group Name: {group}"]
        text += [f"  {number}    {'Offline' if is_offline else 'Online '}      {name}"]
        if (group, name) == (request["group"], request["database"]) and is_offline:
            meant = each
    text += ["Enter a number to select a database or press Return to exit."]
    if meant is None or not host.is_store_running:
        return _ended(world, text, ended="not-offered", code=1, seconds=0.0)
    text += [f"You have selected {request['group']} / {meant.name}.", "Continue?(Y/N)"]
    text += _tested(meant, is_fixing=request["fix"])
    if request["fix"]:
        header = read_header(host.files, meant.edb_path).header
        assert header is not None
        change_header(host.files, meant.edb_path, dbtime=header.dbtime + 2)
        world.note("store-integrity", host=host.name, database=meant.name)
    seconds = host.files.size(meant.edb_path) / world.site.rates.integrity
    return _ended(world, text, ended="run", code=0, seconds=seconds)


def _tested(database: MailboxDatabase, *, is_fixing: bool) -> list[str]:
    lines = []
    for number, name in enumerate(TESTS, start=1):
        left = database.corruptions.get(name.lower(), [])
        found = left[0] if left else 0
        if left and is_fixing:
            left.pop(0)
        fixed = found if is_fixing else 0
        counts = f"{found} error(s); 0 warning(s); {fixed} fix(es); 12 row(s)"
        done = f"{100 * number // len(TESTS)}% complete"
        lines += [
            f"Test {name} result: {counts}; time: 0h:0m:0s",
            f"Now in test  {number}({name}) of total {len(TESTS)} tests; {done}.",
        ]
    return lines


def _ended(world: World, text: list[str], *, ended: str, code: int, seconds: float) -> Work:
    output = "\r\n".join([*text, ""]).encode()
    result = {"error_output": base64.b64encode(b"").decode(), "ended": ended}
    return Work(
        process="isinteg",
        seconds=max(seconds, world.site.times.job_floor),
        ending=Ending(exit_code=code, output=output, result=result),
    )


def _group_and_name(database: MailboxDatabase) -> tuple[str, str]:
    return storage_group_of(database), database.name
