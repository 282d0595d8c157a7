"""The message transfer agent of a server with Exchange 2003: its queue database, and `mtacheck`.

What is damaged stands in the files themselves, so that a host that goes down in the middle is left
with what it had. mtacheck prints the lines that the vendor's articles show, in the OEM code page.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from goexchange.codec import parse_time, time_text
from goexchange.model.mta import MTA_SERVICE
from goexchange.world.files import HostFiles, join, name_of
from goexchange.world.hosts import Host
from goexchange.world.services import ServiceState
from goexchange.world.site import ServerDescription
from goexchange.world.work import Ending, Work, Write, failure

if TYPE_CHECKING:
    from goexchange.world.world import World

CODE_PAGE = "cp850"
_GOOD, _BAD, _SERIOUS = b"good", b"damaged", b"serious"
_SECONDS = 4.0
_PAGE = 4096
_OUT = "mtacheck.out"


def data_folder(server: ServerDescription) -> str:
    """Where the queue database lies."""
    named = None if server.mta is None else server.mta.folder
    return named or f"{server.install_folder}mtadata"


def tool_path(server: ServerDescription) -> str:
    """Where mtacheck is."""
    named = None if server.mta is None else server.mta.tool
    return named or f"{server.install_folder}Bin\\mtacheck.exe"


def write_queues(files: HostFiles, server: ServerDescription) -> None:
    """The files of a queue database, damaged where the description says so."""
    if server.mta is None:
        return
    folder = data_folder(server)
    for number, name in enumerate(server.mta.queues, start=1):
        state = _BAD if name in server.mta.broken_queues else _GOOD
        state = _SERIOUS if server.mta.is_beyond_repair and number == 1 else state
        files.write(join(folder, f"queue{number:02}.dat"), _content(state, name))
    for number in server.mta.objects:
        state = _BAD if number in server.mta.damaged_objects else _GOOD
        files.write(join(folder, f"db{number}.dat"), _content(state, str(number)))


def observe_mta(world: World, host: Host, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The script observe-mta."""
    server = host.description
    tool = {"path": server.eseutil_path, "version": server.file_version}
    answer: dict[str, Any] = {"store_version": server.file_version, "eseutil": tool, "mta": None}
    if MTA_SERVICE in host.services:
        answer["mta"] = _mta(host, since=arguments["events_since"])
    return answer


def _mta(host: Host, *, since: str) -> dict[str, Any]:
    server = host.description
    folder = data_folder(server)
    inside = [path for path in host.files.below(folder) if _OUT not in path.lower()]
    events = [
        each
        for each in host.events.all()
        if each.provider == MTA_SERVICE and each.at >= parse_time(since)
    ]
    return {
        "service": _plain(host.services[MTA_SERVICE]),
        "dependents": [],
        "tool": tool_path(server),
        "data_folder": folder if inside else None,
        "files": len(inside),
        "size_bytes": sum(host.files.size(path) for path in inside),
        "taken_out": len(host.files.below(join(folder, _OUT))),
        "events": [
            {
                "log": each.log,
                "provider": each.provider,
                "id": each.event_id,
                "at": time_text(each.at),
                "text": each.text,
            }
            for each in events
        ],
    }


def run_mtacheck(host: Host, request: Mapping[str, Any], *, words: tuple[str, str]) -> Work:
    """One run; what is repaired is written, and taken out, over its time. Another build prints the
    second of `words` for the first.
    """
    if host.services[MTA_SERVICE].state != "Stopped":
        return failure(f"the service {MTA_SERVICE} is not stopped")
    if request["mtacheck"].lower() != tool_path(host.description).lower():
        return failure(f"could not be started: {request['mtacheck']}")
    files, folder = host.files, request["data_folder"]
    found = {path: _read(files, path) for path in files.below(folder) if path.endswith(".dat")}
    bad = [path for path, (state, _) in found.items() if state == _BAD]
    queues = [path for path in bad if name_of(path).startswith("queue")]
    objects = [path for path in bad if path not in queues]
    if any(state == _SERIOUS for state, _ in found.values()):
        text = ["Database has serious errors and cannot be reconstructed."]
        queues, objects = [], []
    elif not bad:
        text = ["Database clean, no errors detected"]
    else:
        text = _repaired(found, queues, objects)
    moves = tuple((path, _free_name(files, request["evidence"], name_of(path))) for path in objects)
    log = "".join(f"{line}\r\n" for line in text)
    log = log.replace(*words) if words[0] else log
    result = {
        "log": base64.b64encode(log.encode(CODE_PAGE)).decode(),
        "taken_out": [to for _, to in moves],
        "error_output": "",
    }
    return Work(
        process="mtacheck",
        seconds=_SECONDS,
        ending=Ending(exit_code=0, result=result),
        deletes=tuple(queues),
        writes=tuple(
            Write(path=path, content=_content(_GOOD, found[path][1])) for path in queues
        ),
        moves=moves,
    )


def _repaired(
    found: Mapping[str, tuple[bytes, str]], queues: list[str], objects: list[str]
) -> list[str]:
    """Source: the lines of the vendor's articles on Mtacheck."""
    lines: list[str] = []
    for path in queues:
        lines += [
            f"Queue '{found[path][1]}' required reconstruction",
            "- corrupted queue file",
            "23 messages recovered to the queue",
        ]
    for path in objects:
        lines += [
            f"Object {found[path][1]} invalid",
            "- missing object file",
            f"Object removed from queue '{found[path][1]}'",
        ]
    every = [name_of(path) for path in found]
    all_queues = sum(name.startswith("queue") for name in every)
    return [
        *lines,
        f"{len(queues)} queue(s) required repair out of {all_queues} detected",
        f"{len(objects)} object(s) damaged out of {len(every) - all_queues} detected",
        "Database repaired, some data may have been lost",
    ]


def damage_again(host: Host) -> None:
    """Something breaks a queue while the MTA runs."""
    server = host.description
    assert server.mta is not None
    path = join(data_folder(server), "queue01.dat")
    host.files.write(path, _content(_BAD, server.mta.queues[0]))


def as_described(services: dict[str, ServiceState], server: ServerDescription) -> None:
    """The agent stands still where the description says so."""
    if server.mta is not None and not server.mta.is_running:
        services[MTA_SERVICE].state = "Stopped"


def start_automatic(host: Host) -> None:
    """Windows has started: so have the services that it starts."""
    for service in host.services.values():
        if service.start_type == "Automatic":
            service.state = "Running"


def _free_name(files: HostFiles, folder: str, name: str) -> str:
    number = 1
    while files.exists(join(folder, f"{name}.{number}")):
        number += 1
    return join(folder, f"{name}.{number}")


def _content(state: bytes, name: str) -> bytes:
    return state.ljust(16, b"\0") + name.encode("utf-8").ljust(_PAGE - 16, b"\0")


def _read(files: HostFiles, path: str) -> tuple[bytes, str]:
    content = files.read(path)
    return content[:16].rstrip(b"\0"), content[16:].rstrip(b"\0").decode("utf-8")


def _plain(service: ServiceState) -> dict[str, str]:
    return {"name": service.name, "state": service.state, "start_type": service.start_type}

