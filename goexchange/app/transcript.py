"""Everything that a host answers in a pilot's run, written beside the run: without secrets, without
names that tell whose host it is.

What a tool printed is kept whole, as one text for each job, so that no name is cut in two.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goexchange.errors import GoexchangeError
from goexchange.model.actual import ActualServer
from goexchange.model.configuration import Inventory, SecretReference
from goexchange.model.plan import ExchangeCall, Plan
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import decode_output
from goexchange.powershell.pseudonyms import Pseudonyms

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.transport.session import HostSession

FOLDER = "transcript"
TEXT_MAX = 4000
PIECES_MAX = 4000
READ_LIMIT_S = 120
_BINARY = frozenset({"content", "slots", "start", "runner", "output", "error_output"})


def pseudonyms_of(plan: Plan, inventory: Inventory) -> Pseudonyms:
    """The names that the inventory and the plan's facts know."""
    names: list[tuple[str, str]] = []
    for entry in inventory.hosts:
        names += _host(entry.name, entry.address)
        user = entry.connection.username
        if user:
            names += [(part, "user") for part in user.replace("@", "\\").split("\\") if part]
    for server in plan.body.facts.servers:
        names += _server(server)
    return Pseudonyms(names)


def _host(name: str, address: str) -> list[tuple[str, str]]:
    found = [(name, "host"), (address, "host")]
    if not address.replace(".", "").isdigit() and "." in address:
        found.append((address.partition(".")[2], "domain"))
    return found


def _server(server: ActualServer) -> list[tuple[str, str]]:
    found = _host(server.name, server.fqdn)
    if isinstance(server.availability_group, str):
        found.append((server.availability_group, "group"))
    databases = () if isinstance(server.databases, Unknown) else server.databases
    found += [(each.name, "database") for each in databases if "gx-pilot-" not in each.name]
    groups = () if isinstance(server.storage_groups, Unknown) else server.storage_groups
    found += [(each.name, "storage-group") for each in groups if "gx-pilot-" not in each.name]
    return found


class RecordingSession:
    """A session that writes down what it asked and what came back; it changes nothing of either."""

    def __init__(self, session: HostSession, folder: Path, names: Pseudonyms) -> None:
        self._session, self._folder, self._names = session, folder, names
        self._lock = threading.Lock()
        self._jobs: dict[str, Mapping[str, Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        """As the session does it."""
        asked = [{"cmdlet": each.cmdlet, "parameters": dict(each.parameters)} for each in calls]
        begun = time.monotonic()
        try:
            answer = self._session.exchange(calls, time_limit_s=time_limit_s)
        except GoexchangeError as error:
            self._keep("exchange", asked, {"error": _error(error)}, begun)
            raise
        self._keep("exchange", asked, answer, begun)
        return answer

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        time_limit_s: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        """As the session does it; of a job that has ended its whole output is kept, once."""
        begun = time.monotonic()
        try:
            answer = self._session.script(
                script, arguments, time_limit_s=time_limit_s, secret=secret
            )
        except GoexchangeError as error:
            self._keep(script, arguments, {"error": _error(error)}, begun)
            raise
        self._keep(script, arguments, answer, begun)
        if script == "start-job":
            self._jobs[str(arguments["job"])] = {
                "kind": arguments["kind"],
                "request": arguments["request"],
            }
        if script == "poll-job" and answer["state"] == "ended":
            self._keep_output(arguments, answer)
        if script == "read-header":
            self._keep_tool("read-header", arguments, answer["eseutil"])
        return answer

    def close(self) -> None:
        """As the session does it."""
        self._session.close()

    def _keep_output(self, arguments: Mapping[str, Any], ended: Mapping[str, Any]) -> None:
        job = str(arguments["job"])
        path = self._folder / f"job-{job}.json"
        if path.exists():
            return
        content, offset = b"", 0
        for _ in range(PIECES_MAX):
            asked = {"root": arguments["root"], "job": job, "offset": offset, "watch": []}
            piece = self._session.script("poll-job", asked, time_limit_s=READ_LIMIT_S)
            part = base64.b64decode(piece["output"])
            content += part
            if not part:
                break
            offset += len(part)
        result = ended["result"] or {}
        errors = base64.b64decode(str(result.get("error_output", "")))
        known = self._jobs.get(job, {})
        self._write(
            path,
            {
                "job": job,
                "kind": known.get("kind"),
                "request": _short(known.get("request", {})),
                "exit_code": ended["exit_code"],
                "output": decode_output(content),
                "error_output": decode_output(errors),
            },
        )

    def _keep_tool(self, what: str, asked: Mapping[str, Any], tool: Mapping[str, Any]) -> None:
        with self._lock:
            number = len(list(self._folder.glob("tool-*.json"))) + 1
            self._write(
                self._folder / f"tool-{number:04}.json",
                {
                    "what": what,
                    "request": _short(asked),
                    "exit_code": tool["exit_code"],
                    "output": decode_output(base64.b64decode(tool["output"])),
                },
            )

    def _keep(self, what: str, asked: Any, answer: Any, begun: float) -> None:
        entry = {
            "what": what,
            "asked": _short(asked),
            "answer": _short(answer),
            "seconds": round(time.monotonic() - begun, 3),
        }
        with self._lock:
            number = len(list(self._folder.glob("answer-*.json"))) + 1
            self._write(self._folder / f"answer-{number:06}.json", entry)

    def _write(self, path: Path, plain: Any) -> None:
        text = json.dumps(self._names.plain(plain), indent=1, sort_keys=True, ensure_ascii=False)
        path.write_text(text + "\n", "utf-8")


def transcript_files(folder: Path) -> list[Path]:
    """Every file of a transcript, sorted."""
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def transcript_digest(folders: Sequence[Path]) -> tuple[str, int]:
    """One digest over the names and contents of every file, and how many there are."""
    found, count = hashlib.sha256(), 0
    for folder in folders:
        for path in transcript_files(folder):
            found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
            count += 1
    return found.hexdigest(), count


def _error(error: GoexchangeError) -> dict[str, str]:
    return {"kind": type(error).__name__, "id": error.id, "message": str(error)}


def _short(value: Any, key: str = "") -> Any:
    """Without what is binary, and without texts that nobody reads to the end."""
    if isinstance(value, Mapping):
        return {str(name): _short(each, str(name)) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(each, key) for each in value]
    if isinstance(value, str) and (key in _BINARY or len(value) > TEXT_MAX):
        content = value.encode()
        return {"characters": len(value), "sha256": hashlib.sha256(content).hexdigest()}
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)
