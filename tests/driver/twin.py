"""A scripted host for the driver's tests: it knows exactly the calls of `plans.py` and raises on
anything else.

It counts what took effect, so that a test can say that nothing happened twice. Jobs end some
seconds after their start.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from attrs import define, evolve, field

from goexchange.backup.manifest import parse_manifest
from goexchange.codec import time_text
from goexchange.driver import effects as to_do
from goexchange.driver import events as came
from goexchange.driver.guards import Guards
from goexchange.driver.headers import header_facts
from goexchange.driver.identity import RunIdentity
from goexchange.driver.machine import Machine
from goexchange.ese.header import DatabaseHeader, read_database_header, write_database_header
from goexchange.ese.rendering import header_dump, mode_line, success_line
from goexchange.ese.structures import LogTime, Signature
from goexchange.journal.chain import line_of, read_lines, seal
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualServer,
    HostEvent,
    OpenRecovery,
    WindowsBackup,
)
from goexchange.model.plan import ExchangeCall, Plan, ScriptCall, Verdict, VerdictKind
from goexchange.model.run import Record, RunResult
from goexchange.model.unknown import Unknown
from goexchange.powershell.bootstrap import digest
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import CONTRACTS
from goexchange.powershell.contracts_jobs import JOB_REQUESTS
from tests.driver.plans import GUID, KEPT, NOW, ORIGINAL, SERVER, TEMPORARY

JOB_TAKES = timedelta(seconds=5)
REPAIR_TAKES = timedelta(seconds=30)
RUN = RunIdentity(
    run="r1", holder="here:1", controller="here", started_by="tester", tool="goexchange 0"
)


class Fenced(Exception):
    """The host saw a higher number."""


class Refusal(Exception):
    """The host says no."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@define(kw_only=True)
class Job:
    kind: str
    request: Mapping[str, Any]
    started: datetime
    ended: datetime | None = None
    state: str = "running"


@define(kw_only=True)
class Twin:
    """The host, the store's leases and the journal; `fault` decides about each call before it takes
    effect.
    """

    now: datetime = NOW
    is_mounted: bool = True
    at_startup: bool = True
    files: dict[str, str] = field(factory=lambda: {ORIGINAL: "old"})  # path -> which file it is
    copies: dict[str, str] = field(factory=dict)
    jobs: dict[str, Job] = field(factory=dict)
    effects: Counter[str] = field(factory=Counter)
    fed: int = 0
    sentinel: bool = False
    recovery: str = "none"
    number: int = 0  # given out by the store
    claimed: int = 0  # seen by the host
    recoveries: tuple[OpenRecovery, ...] = ()
    backup_at: datetime | None = None
    repairs: list[tuple[str, datetime, int]] = field(factory=list)  # kind, when, found
    unmountable: set[str] = field(factory=set)  # kinds of file that do not mount
    refusals: dict[str, list[str]] = field(
        factory=dict
    )  # call name -> codes to answer with, one by one
    tool_fails: set[str] = field(factory=set)  # eseutil switches or kinds of job that end badly
    echo: str = ""  # what every job prints before anything else
    is_copy_damaged: bool = False
    is_proving: bool = True
    lose: Callable[[int, to_do.Send], str | None] = lambda number, send: None
    sends: int = 0
    journal: list[Record] = field(factory=list)
    denied: str | None = None
    renewal_denied: bool = False
    is_store_away: Callable[[datetime], bool] = lambda now: False
    blocked: set[str] = field(factory=set)  # guards that block
    asked: list[tuple[datetime, came.Request]] = field(factory=list)
    lost_job_kinds: set[str] = field(factory=set)
    is_rebuild_endless: bool = False
    is_backup_endless: bool = False
    is_set_exchanged: bool = False
    verdict: Callable[[Twin], bytes | None] = lambda twin: None  # what lies beside the set
    set_sha256: str = ""
    record: dict[str, Any] = field(factory=dict)
    is_raising: bool = True
    repair_finds: int = 0
    refusing_sentinel: bool = False
    boot: str = "b"
    cpu: Callable[[datetime], float | None] = lambda now: None  # unknown
    kept: dict[str, bytes] = field(factory=dict)  # what the host keeps of the run, by file
    logs: int = 3  # files of the log stream
    others: tuple[str, ...] = ()  # other databases that use the same logs

    # -- performing

    def perform(self, effect: to_do.Effect) -> came.Event:
        if isinstance(effect, to_do.Append):
            records = seal(
                effect.drafts, after=self.journal[-1] if self.journal else None, at=self.now
            )
            self.journal += records
            return came.Appended(records=records)
        if isinstance(effect, to_do.WaitUntil):
            self.now = max(self.now, effect.moment)
            return came.Woke()
        if isinstance(effect, (to_do.AcquireLeases, to_do.RenewLeases)):
            return self._lease(effect)
        if isinstance(effect, to_do.ReleaseLeases):
            return came.Released()
        self.now += timedelta(seconds=1)
        if isinstance(effect, to_do.Observe):
            return came.Observed(server=self.observe())
        if isinstance(effect, to_do.VerifySet):
            return came.Verified(
                result={"ok": not self.is_copy_damaged, "set_sha256": self.set_sha256}
            )
        assert isinstance(effect, to_do.Send)
        return self._send(effect)

    def _lease(self, effect: to_do.AcquireLeases | to_do.RenewLeases) -> came.Event:
        if self.is_store_away(self.now):
            return came.LeasesUnreachable(message="the share is away")
        if isinstance(effect, to_do.AcquireLeases):
            if self.denied is not None:
                return came.LeasesDenied(message=self.denied)
            raised = effect.at_least.values() if self.is_raising else ()
            self.number = max([self.number + 1, *raised])
        elif self.renewal_denied:
            return came.LeasesDenied(message="taken over")
        numbers = dict.fromkeys(effect.servers, self.number)
        return came.LeasesHeld(
            numbers=numbers, expires_at=self.now + timedelta(seconds=effect.lease_s)
        )

    def _send(self, send: to_do.Send) -> came.Event:
        self.sends += 1
        fate = self.lose(self.sends, send)
        if fate == "before":
            return came.Lost(message="connection lost")
        name = send.call.cmdlet if isinstance(send.call, ExchangeCall) else send.call.script
        try:
            if self.refusals.get(name):
                raise Refusal(self.refusals[name].pop(0))
            if isinstance(send.call, ExchangeCall):
                result = {"objects": self.cmdlet(send.call), "errors": [], "warnings": []}
            else:
                result = self.script(send.call)
        except Refusal as refusal:
            return came.Refused(code=refusal.code, message=refusal.code)
        return came.Lost(message="answer lost") if fate == "after" else came.Answered(result=result)

    # -- Exchange

    def cmdlet(self, call: ExchangeCall) -> list[dict[str, Any]]:
        name, parameters = call.cmdlet, call.parameters
        assert GUID in (parameters.get("Identity"), parameters.get("Database"))
        if name == "Get-MailboxDatabase":
            return [{"Name": "DB05", "Mounted": self.is_mounted, "MountAtStartup": self.at_startup}]
        if name == "Get-MailboxRepairRequest":
            return [
                {
                    "Tasks": [kind],
                    "CreationTime": time_text(created),
                    "JobState": "Succeeded" if self.now >= created + REPAIR_TAKES else "Running",
                    "CorruptionsDetected": found,
                }
                for kind, created, found in self.repairs
            ]
        if name == "New-MailboxRepairRequest":
            if any(self.now < created + REPAIR_TAKES for _, created, _ in self.repairs):
                raise Refusal("already running the allowed number of database repair requests")
            self.repairs.append((parameters["CorruptionType"], self.now, self.repair_finds))
        elif name == "Dismount-Database":
            if not self.is_mounted:
                raise Refusal("already-dismounted")
            self.is_mounted = False
        elif name == "Mount-Database":
            if self.is_mounted:
                raise Refusal("already-mounted")
            if ORIGINAL not in self.files or self.files[ORIGINAL] in self.unmountable:
                raise Refusal("MapiExceptionCallFailed")
            self.is_mounted = True
        elif name == "Set-MailboxDatabase":
            self.at_startup = parameters["MountAtStartup"]
        else:
            raise AssertionError(name)
        self.effects[f"{name} {self.files.get(ORIGINAL)}"] += 1
        return []

    # -- host scripts

    def script(self, call: ScriptCall) -> dict[str, Any]:
        arguments, contract = call.arguments, CONTRACTS[call.script]
        assert call.digest == digest(call.script)
        assert not list(problems(dict(arguments), contract.arguments)), list(
            problems(dict(arguments), contract.arguments)
        )
        if "fence" in arguments and arguments["fence"] < self.claimed:
            raise Refusal("fenced")
        answer: dict[str, Any] = getattr(self, "_" + call.script.replace("-", "_"))(arguments)
        assert not list(problems(answer, contract.result)), list(problems(answer, contract.result))
        return answer

    def _claim_fence(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.claimed = arguments["fence"]
        return {"fence": arguments["fence"], "holder": arguments["holder"]}

    def _write_recovery(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.recovery = arguments["state"]
        return {"folder": "f"}

    def _keep_run(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        answer = []
        for part in arguments["parts"]:
            there = self.kept.get(part["name"], b"")
            if part["content"] is not None and part["offset"] <= len(there):
                content = gzip.decompress(base64.b64decode(part["content"]))
                there = self.kept[part["name"]] = there[: part["offset"]] + content
            digest = hashlib.sha256(there).hexdigest()
            answer.append({"name": part["name"], "size_bytes": len(there), "sha256": digest})
        return {"kept": answer}

    def _sentinel(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if self.refusing_sentinel and arguments["state"] == "removed":
            raise Refusal("internal")
        self.fed += arguments["state"] == "fed"
        self.sentinel = arguments["state"] != "removed"
        return {"task": "t", "is_present": self.sentinel}

    def _read_header(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if arguments["path"] not in self.files:
            raise Refusal("file-not-found")
        if self.is_mounted and arguments["path"] == ORIGINAL:
            raise Refusal("file-in-use")
        slots = slots_of(self.files[arguments["path"]])
        return {
            "size_bytes": 4_000_000 if self.files[arguments["path"]] == "old" else 2_000_000,
            "slots": base64.b64encode(slots).decode(),
            "jfm": None,
            "eseutil": {
                "exit_code": 0,
                "output": dump_of(slots, arguments["path"]),
                "error_output": "",
            },
            "log_files": [
                {
                    "path": "L:\\DB05\\E05.log",
                    "size_bytes": 1000,
                    "modified_at": time_text(self.now),
                }
            ],
        }

    def _start_job(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        job, kind, request = arguments["job"], arguments["kind"], arguments["request"]
        assert not list(problems(request, JOB_REQUESTS[kind]))
        if job in self.jobs:
            return {"state": "exists", "folder": job}
        if any(path in self.files for path in request.get("must_not_exist", [])):
            raise Refusal("path-exists")
        self.effects[f"job {kind} {request.get('arguments', [''])[0]}".strip()] += 1
        self.jobs[job] = Job(kind=kind, request=request, started=self.now)
        if kind == "eseutil" and request["arguments"][0] == "/d":
            self.files[TEMPORARY] = "partial"
        return {"state": "started", "folder": job}

    def _poll_job(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        job = self.jobs.get(arguments["job"])
        output, result, code = b"", None, None
        is_endless = (
            self.is_rebuild_endless and job is not None and "/d" in job.request.get("arguments", [])
        ) or (self.is_backup_endless and job is not None and job.kind == "wbadmin")
        if (
            job is not None
            and job.state == "running"
            and self.now >= job.started + JOB_TAKES
            and not is_endless
            and not self._is_waiting(job)
        ):
            job.state, job.ended = "ended", job.started + JOB_TAKES
            self._complete(job)
        if job is not None and job.kind in self.lost_job_kinds:
            job.state = "lost"
        if job is not None and job.state == "ended":
            output, result, code = self._ended(job)
            output = self.echo.encode() + output
        return {
            "state": job.state if job else "absent",
            "boot_id": self.boot,
            "started_boot_id": "b" if job else None,
            "cpu_s": self.cpu(self.now) if job and job.state == "running" else None,
            "clock": time_text(self.now),
            "started_at": time_text(job.started) if job else None,
            "ended_at": time_text(job.ended) if job and job.ended else None,
            "exit_code": code,
            "offset": len(output),
            "output": base64.b64encode(output[arguments["offset"] :]).decode(),
            "watched": [{"path": path, "size_bytes": 1_000_000} for path in arguments["watch"]],
            "result": result,
        }

    def _is_waiting(self, job: Job) -> bool:
        """A job that waits for a verdict ends with one over its set, or when its time is over."""
        if job.kind != "await-verdict":
            return False
        found, wanted = self.verdict(self), job.request["set_sha256"].encode()
        is_over = self.now >= job.started + timedelta(seconds=job.request["wait_s"])
        return not is_over and (found is None or wanted not in found)

    def _complete(self, job: Job) -> None:
        if (
            job.kind == "eseutil"
            and job.request["arguments"][0] == "/d"
            and "/d" not in self.tool_fails
        ):
            assert not self.is_mounted
            self.files[TEMPORARY] = "new"
        if job.kind == "copy-files":
            assert not self.is_mounted
            for one in job.request["files"]:
                if one["destination"] == ORIGINAL:
                    if job.kind in self.tool_fails:
                        continue
                    assert ORIGINAL not in self.files
                    self.files[ORIGINAL] = self.copies[one["source"]]
                else:
                    self.copies[one["destination"]] = self.files.get(one["source"], "log")
        if job.kind == "wbadmin" and "wbadmin" not in self.tool_fails:
            self.backup_at = job.ended

    def _ended(self, job: Job) -> tuple[bytes, dict[str, Any], int]:
        is_bad = job.kind in self.tool_fails
        if job.kind == "eseutil":
            switch = job.request["arguments"][0]
            return (
                eseutil_output(switch, is_bad=switch in self.tool_fails),
                {"error_output": ""},
                (-1206 if switch in self.tool_fails else 0),
            )
        if job.kind == "await-verdict":
            content = self.verdict(self)
            packed = None if content is None else base64.b64encode(content).decode()
            return b"", {"exists": content is not None, "content": packed}, int(is_bad)
        if job.kind in ("copy-files", "hash-files"):
            paths = (
                [one["destination"] for one in job.request["files"]]
                if job.kind == "copy-files"
                else job.request["files"]
            )
            files = [
                {
                    "path": path,
                    "size_bytes": 4_000_000 if path.endswith(".edb") else 1000,
                    "sha256": "ff" if self.is_copy_damaged and job.kind == "hash-files" else "aa",
                }
                for path in paths
            ]
            return b"", {"files": files}, 1 if is_bad else 0
        words = (
            "The backup operation failed.\r\n"
            if is_bad
            else "The backup operation successfully completed.\r\n"
        )
        return (
            words.encode() if job.kind == "wbadmin" else b"",
            {"error_output": ""},
            1 if is_bad else 0,
        )

    def _cancel_job(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        job = self.jobs.get(arguments["job"])
        if job is None:
            return {"state": "absent"}
        if job.state == "running":
            job.state = "lost"
            return {"state": "cancelled"}
        return {"state": "ended"}

    def _swap_state(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        original = "unreadable" if self.is_mounted else self.files.get(ORIGINAL)
        seen = (original, self.files.get(arguments["temporary"]), self.files.get(KEPT))
        state = {
            ("old", "new", None): "before",
            (None, "new", "old"): "between",
            ("new", None, "old"): "after",
        }.get(seen, "foreign")
        return {"state": state, "evidence": f"{seen}"}

    def _swap_files(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        assert not self.is_mounted
        assert len(arguments["original_sha256"]) == len(arguments["temporary_sha256"]) == 64
        if self._swap_state(arguments)["state"] == "after":
            return {"state": "after"}
        assert self.files[TEMPORARY] == "new"
        if ORIGINAL in self.files:
            self.files[KEPT] = self.files.pop(ORIGINAL)
        if "swap-half" in self.tool_fails:
            raise Refusal("file-in-use")
        self.files[ORIGINAL] = self.files.pop(TEMPORARY)
        self.effects["swap"] += 1
        return {"state": "after"}

    def _swap_back(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        assert not self.is_mounted
        if KEPT in self.files:
            if self.files[KEPT] != "old":
                raise Refusal("header-differs")
            if ORIGINAL in self.files:
                self.files[arguments["set_aside"]] = self.files.pop(ORIGINAL)
            self.files[ORIGINAL] = self.files.pop(KEPT)
            self.effects["swap back"] += 1
        if ORIGINAL not in self.files:
            raise Refusal("file-not-found")
        if self.files[ORIGINAL] != "old":
            raise Refusal("header-differs")
        return {"state": "before"}

    def _move_aside(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        assert not self.is_mounted
        was_present = arguments["source"] in self.files
        if was_present:
            assert arguments["destination"] not in self.files
            self.files[arguments["destination"]] = self.files.pop(arguments["source"])
            self.effects["set aside"] += 1
        return {"was_present": was_present, "is_kept": arguments["destination"] in self.files}

    def _move_logs(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        assert not self.is_mounted
        moved, self.logs = self.logs, 0
        self.effects["logs moved"] += moved > 0
        return {"moved": moved}

    def _delete_temporary(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {"was_present": self.files.pop(TEMPORARY, None) is not None}

    def _seal_set(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        manifest = base64.b64decode(arguments["manifest"])
        self.set_sha256 = "other" if self.is_set_exchanged else parse_manifest(manifest).sha256
        return {"path": "m", "sha256": "bb"}

    def _write_database_record(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.record = dict(arguments["record"])
        return {"path": "p"}

    @staticmethod
    def signature_of(kind: str) -> str:
        return str(header_facts(slots_of(kind))["signature"])

    # -- observing

    def _own_recovery(self) -> tuple[OpenRecovery, ...]:
        if self.recovery != "open":
            return ()
        own = OpenRecovery(run=RUN.run, database_guid=GUID, opened_at_utc=NOW, phase="open")
        return (own,)

    def observe(self) -> ActualServer:
        unknown = Unknown("not asked in this test")
        backup = WindowsBackup(
            is_installed=True,
            is_running=False,
            last_success_utc=self.backup_at,
            last_result=0,
            next_scheduled_utc=None,
        )
        events = (
            ()
            if self.backup_at is None
            else (
                HostEvent(
                    log="Application",
                    provider="ESE",
                    event_id=213,
                    at_utc=self.backup_at,
                    text="Information Store - DB05 (4711) DB05: The backup procedure has been"
                    " successfully completed.",
                ),
            )
        )
        host = ActualHost(
            observed_at_utc=self.now,
            name=SERVER,
            boot_id="b",
            booted_at_utc=NOW,
            clock_utc=self.now,
            powershell_version="5.1",
            is_elevated=True,
            exsetup_version=unknown,
            eseutil_version=unknown,
            eseutil_path=unknown,
            volumes=(),
            services=(),
            tasks=(),
            processes=(),
            files=(),
            log_folders=(),
            storage_events=(),
            backup_events=events,
            windows_backup=backup,
            is_reboot_pending=False,
            fencing_number=self.claimed,
            records=(),
            open_recoveries=(*self.recoveries, *self._own_recovery()),
        )
        database = ActualDatabase(
            name="DB05",
            guid=GUID,
            server=SERVER,
            edb_path=ORIGINAL,
            log_folder="L:\\DB05",
            log_prefix="E05",
            is_mounted=self.is_mounted,
            mounted_on=SERVER,
            is_recovery=False,
            copies=(SERVER,),
            is_replicated=False,
            is_circular_logging=False,
            is_mount_at_startup=self.at_startup,
            is_backup_running=False,
            last_full_backup_utc=self.backup_at if self.is_proving else None,
            size_bytes=4_000_000,
            white_space_bytes=2_000_000,
            has_moves=False,
            has_repair_requests=False,
        )
        return ActualServer(
            name=SERVER,
            fqdn="ex01",
            observed_at_utc=self.now,
            generation=unknown,
            build=unknown,
            edition=unknown,
            availability_group=None,
            databases=(
                database,
                *(evolve(database, name=each, guid=each) for each in self.others),
            ),
            host=host,
        )


class ScriptedGuards(Guards):
    """Passes what is due, but for the guards that the twin names."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin

    def at_start(self, plan: Any, actual: Any, now: Any, approval: Any) -> tuple[Verdict, ...]:
        return tuple(
            self._verdict(guard)
            for guard in sorted(self.twin.blocked & {"premises", "approval", "start"})
        )

    def before_step(
        self, plan: Any, step: Any, run_state: Any, actual: Any, now: Any
    ) -> tuple[Verdict, ...]:
        return tuple(self._verdict(guard) for guard in step.guards)

    def _verdict(self, guard: str) -> Verdict:
        kind = VerdictKind.BLOCK if guard in self.twin.blocked else VerdictKind.PASS
        return Verdict(
            guard=guard,
            address="EX01/DB05",
            kind=kind,
            rule="rule",
            evidence="evidence",
            observed={},
        )


def machine_of(plan: Plan, twin: Twin, *, run: RunIdentity = RUN) -> Machine:
    """A fresh machine over the twin's journal."""
    return Machine(plan=plan, run=run, records=tuple(twin.journal), guards=ScriptedGuards(twin))


def fork(twin: Twin) -> Twin:
    """The host as it stands, for another controller; records are never changed and shared."""
    return deepcopy(twin, {id(record): record for record in twin.journal})


def as_read_again(twin: Twin) -> list[Record]:
    """The twin's journal as it would be read from its file."""
    return list(read_lines(b"".join(line_of(record) for record in twin.journal)).records)


def drive(machine: Machine, twin: Twin, *, effects_max: int = 20_000) -> RunResult:
    """Perform until the machine has finished."""
    for _ in range(effects_max):
        effect = machine.next(twin.now)
        if isinstance(effect, to_do.Finish):
            return effect.result
        due = [one for one in twin.asked if one[0] <= twin.now]
        for one in due:
            twin.asked.remove(one)
            machine.accept(came.Requested(request=one[1], by="operator"), twin.now)
        if due:
            continue
        machine.accept(twin.perform(effect), twin.now)
    raise AssertionError("the machine does not come to an end")


@cache
def dump_of(slots: bytes, path: str) -> str:
    """What eseutil prints of a header."""
    dump = header_dump(read_database_header(slots), path)
    return text([mode_line("FILE DUMP"), *dump, success_line(15)])


@cache
def slots_of(file: str) -> bytes:
    """Both header slots of one of the twin's files."""
    number = {"old": 1, "new": 2, "partial": 3, "dirty": 4}[file]
    from goexchange.ese.header import DatabaseState

    header = DatabaseHeader(
        signature=Signature(random=number, created=LogTime.at(NOW)),
        dbtime=100 * number,
        state=DatabaseState.DIRTY_SHUTDOWN
        if file in ("partial", "dirty")
        else DatabaseState.CLEAN_SHUTDOWN,
    )
    return write_database_header(header) * 2


def eseutil_output(switch: str, *, is_bad: bool) -> bytes:
    """What a mode prints; the lines that decide are those of the vendor's tool."""
    words = "JET_errDatabaseCorrupted, Non database file or corrupted db"
    end = f"Operation terminated with error -1206 ({words}) after 6.7 seconds."
    last = end if is_bad else success_line(6007)
    body = {
        "/k": [
            "Initiating CHECKSUM mode...",
            "100 pages seen",
            f"{int(is_bad)} bad checksums",
            "0 correctable checksums",
            "0 uninitialized pages",
            "0 wrong page numbers",
        ],
        "/g": [
            "Initiating INTEGRITY mode...",
            "Integrity check successful." if not is_bad else "The database is CORRUPTED",
        ],
        "/d": ["Initiating DEFRAGMENTATION mode...", "          " + "." * (20 if is_bad else 51)],
    }[switch]
    return ("\r\r\n".join([*body, "", last, ""])).encode()


def text(lines: list[str]) -> str:
    return base64.b64encode("\r\n".join(lines).encode()).decode()
