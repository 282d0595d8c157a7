"""Host jobs that stop services, and put them back by the record that was written before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from goexchange.world.files import join
from goexchange.world.hosts import Host
from goexchange.world.services import ServiceState
from goexchange.world.work import Ending, Work, failure

_SECONDS = 3.0


def stop_services(host: Host, request: Mapping[str, Any]) -> Work:
    """Record what there is, then stop what runs; the world's services depend on nothing."""
    names = request["services"]
    missing = [name for name in names if name not in host.services]
    if missing:
        return failure(f"there is no service {missing[0]}")
    path = _path(request)
    if not host.files.exists(path):
        seen = [_plain(host.services[name]) for name in names]
        host.files.write_json(path, {"services": seen})
    recorded = _recorded(host, path)
    for each in recorded:
        host.services[each["name"]].state = "Stopped"
    return _work(recorded, "stopped")


def restore_services(host: Host, request: Mapping[str, Any]) -> Work:
    """Start again what ran by the record; without one nothing is to be put back."""
    path = _path(request)
    if not host.files.exists(path):
        return _work([], "started")
    recorded = _recorded(host, path)
    for each in recorded:
        if each["state"] == "Running":
            host.services[each["name"]].state = "Running"
    host.files.delete(path)
    return _work([_plain(host.services[each["name"]]) for each in recorded], "started")


def _path(request: Mapping[str, Any]) -> str:
    return join(request["root"], "services", f"{request['record']}.json")


def _recorded(host: Host, path: str) -> list[dict[str, str]]:
    kept = host.files.read_json(path)
    assert kept is not None
    return list(kept["services"])


def _plain(service: ServiceState) -> dict[str, str]:
    return {"name": service.name, "state": service.state, "start_type": service.start_type}


def _work(services: list[dict[str, str]], word: str) -> Work:
    output = "".join(f"{word} {each['name']}\r\n" for each in services).encode()
    ending = Ending(exit_code=0, output=output, result={"services": services})
    return Work(process="powershell", seconds=_SECONDS, ending=ending)
