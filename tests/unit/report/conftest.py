"""A hand-made plan and the journal of its night, for everything that shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.codec import to_plain
from goexchange.errors import Diagnostic, Place, Severity
from goexchange.journal.chain import Draft, seal
from goexchange.model.actual import ActualDatabase, ActualServer, ActualState, Generation
from goexchange.model.plan import (
    Action,
    Consent,
    ConsentNeed,
    ControllerCall,
    Decision,
    Direction,
    EstimateSource,
    ExchangeCall,
    FactClass,
    JobCall,
    Lane,
    Need,
    OnDoubt,
    Operator,
    Plan,
    PlanBody,
    PlanInput,
    PlannedNotice,
    Premise,
    Reason,
    RunRules,
    RunsWhen,
    ScriptCall,
    Step,
    Verdict,
    VerdictKind,
    WindowPlan,
)
from goexchange.model.run import Record, RecordKind
from goexchange.model.unknown import Unknown

GIB = 1024**3
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
OPENS = datetime(2026, 11, 28, 21, 0, tzinfo=UTC)
SHA = "ab" * 32
GUID = "5c6f2a7e-0000-4000-8000-000000000005"
ORIGIN = Place(file="specs/weekly-preventative.yaml", line=31, column=9)

Event = tuple[float, RecordKind, Mapping[str, Any]]


def decision(name: str, need: Need = Need.NOTHING, **changes: Any) -> Decision:
    """A decision for a database of EX01."""
    values: dict[str, Any] = {
        "address": f"EX01/{name}",
        "server": "EX01",
        "database": name,
        "need": need,
        "reasons": (Reason.MEETS_SPECIFICATION,),
        "explanation": "",
        "instead": None,
        "size_bytes": 60 * GIB,
        "white_space_bytes": 3 * GIB,
        "file_since_utc": None,
        "outage_s": None,
        "outage_p90_s": None,
        "specification": "weekly-preventative",
        "origin": ORIGIN,
    }
    return Decision(**{**values, **changes})


def rebuild(name: str = "DB05", **changes: Any) -> Decision:
    """The decision to rebuild a database of 98 GiB with 41 GiB of white space."""
    values: dict[str, Any] = {
        "reasons": (Reason.WHITE_SPACE_OVER_MAXIMUM,),
        "explanation": "white space 42% is more than 20%",
        "size_bytes": 98 * GIB,
        "white_space_bytes": 41 * GIB,
        "file_since_utc": datetime(2023, 3, 1, tzinfo=UTC),
        "outage_s": 9_600,
        "outage_p90_s": 11_400,
    }
    return decision(name, Need.REBUILD, **{**values, **changes})


_JOB = JobCall(kind="eseutil", digest=SHA, request={"eseutil": "eseutil.exe", "arguments": ["/k"]})
_SCRIPT = ScriptCall(script="read-header", digest=SHA, arguments={"path": r"D:\DB05\DB05.edb"})
_EXCHANGE = ExchangeCall(
    cmdlet="Dismount-Database", parameters={"Identity": GUID, "Confirm": False}
)
_SETTING = ExchangeCall(
    cmdlet="Set-MailboxDatabase", parameters={"Identity": GUID, "MountAtStartup": True}
)
_SWAP_BACK = ScriptCall(
    script="swap-back",
    digest=SHA,
    arguments={
        "original": r"D:\DB05\DB05.edb",
        "kept": r"D:\DB05\DB05.edb.before-20261128T120000Z",
        "set_aside": r"D:\DB05\DB05.edb.rebuilt-20261128T120000Z",
    },
)
_LOOK = ControllerCall(work="observe", arguments={})

# action, summary, call, runs when, limit, estimate, undo
_STEPS: Sequence[tuple[Action, str, Any, RunsWhen, int, int | None, str | None]] = (
    (
        Action.OPEN_RECOVERY_RECORD,
        "pre-state and RECOVERY.txt on the host",
        _SCRIPT,
        RunsWhen.ALL_WELL,
        60,
        1,
        None,
    ),
    (
        Action.PLACE_SENTINEL,
        "raises an event when the controller is silent",
        _SCRIPT,
        RunsWhen.ALL_WELL,
        60,
        1,
        "remove",
    ),
    (
        Action.EXPORT_CONFIGURATION,
        "registry, IIS configuration, while mounted",
        _JOB,
        RunsWhen.ALL_WELL,
        600,
        None,
        None,
    ),
    (Action.LAST_LOOK, "conflicts, space, window", _LOOK, RunsWhen.ALL_WELL, 120, 3, None),
    (Action.NOTIFY, "storage offline", _LOOK, RunsWhen.ALL_WELL, 60, 1, None),
    (Action.SET_MOUNT_AT_STARTUP, "true -> false", _EXCHANGE, RunsWhen.ALL_WELL, 60, 1, "exact"),
    (Action.DISMOUNT, "mounted -> dismounted", _EXCHANGE, RunsWhen.ALL_WELL, 600, 120, "mount"),
    (
        Action.READ_HEADER,
        "both header slots and eseutil /mh",
        _SCRIPT,
        RunsWhen.ALL_WELL,
        120,
        2,
        None,
    ),
    (
        Action.DETECT_ERRORS,
        "page checksums (eseutil /k)",
        _JOB,
        RunsWhen.ALL_WELL,
        7_200,
        480,
        "mount as it was",
    ),
    (
        Action.DETECT_ERRORS,
        "integrity (eseutil /g)",
        _JOB,
        RunsWhen.ALL_WELL,
        14_400,
        1_200,
        "mount as it was",
    ),
    (
        Action.COPY_SET,
        r"database and logs to \\backup01\exchange$\EX01\DB05",
        _JOB,
        RunsWhen.ALL_WELL,
        14_400,
        900,
        None,
    ),
    (
        Action.REBUILD,
        r"eseutil /d to D:\DB05\gx-5c6f2a7e\DB05.tmp.edb",
        _JOB,
        RunsWhen.ALL_WELL,
        28_800,
        4_200,
        "delete, mount the original",
    ),
    (
        Action.READ_TEMPORARY_HEADER,
        "signature, state, size",
        _SCRIPT,
        RunsWhen.ALL_WELL,
        120,
        2,
        None,
    ),
    (
        Action.DETECT_ERRORS_TEMPORARY,
        "page checksums and integrity",
        _JOB,
        RunsWhen.ALL_WELL,
        14_400,
        900,
        None,
    ),
    (
        Action.VERIFY_SET_ON_HOST,
        "every page of the copy",
        _JOB,
        RunsWhen.ALL_WELL,
        7_200,
        480,
        None,
    ),
    (Action.HASH_SET, "digests read past the cache", _JOB, RunsWhen.ALL_WELL, 7_200, 420, None),
    (Action.SEAL_SET, "manifest written last", _SCRIPT, RunsWhen.ALL_WELL, 120, 1, None),
    (
        Action.VERIFY_SET,
        "by our own reading of every page",
        ControllerCall(work="verify-set", arguments={}),
        RunsWhen.ALL_WELL,
        7_200,
        300,
        None,
    ),
    (
        Action.SWAP,
        "original kept as DB05.edb.before-20261128T120000Z",
        _SCRIPT,
        RunsWhen.ALL_WELL,
        300,
        2,
        "rename back",
    ),
    (Action.MOUNT, "the rebuilt file", _EXCHANGE, RunsWhen.ALL_WELL, 900, 30, None),
    (
        Action.CANCEL_JOBS,
        "work in progress is ended",
        _SCRIPT,
        RunsWhen.AWAY_BEFORE_SWAP,
        120,
        None,
        None,
    ),
    (
        Action.MOUNT_ORIGINAL,
        "the original file",
        _EXCHANGE,
        RunsWhen.AWAY_BEFORE_SWAP,
        900,
        None,
        None,
    ),
    (
        Action.DELETE_TEMPORARY,
        "the unfinished file",
        _SCRIPT,
        RunsWhen.AWAY_BEFORE_SWAP,
        120,
        None,
        None,
    ),
    (
        Action.SWAP_BACK,
        "the original to its place",
        _SWAP_BACK,
        RunsWhen.AWAY_AFTER_SWAP,
        300,
        None,
        None,
    ),
    (
        Action.MOUNT_ORIGINAL,
        "the original file",
        _EXCHANGE,
        RunsWhen.AWAY_AFTER_SWAP,
        900,
        None,
        None,
    ),
    (
        Action.CONFIRM_MOUNTED,
        "seen mounted a second time",
        _EXCHANGE,
        RunsWhen.IN_SERVICE_AGAIN,
        300,
        61,
        None,
    ),
    (
        Action.RESTORE_MOUNT_AT_STARTUP,
        "false -> true",
        _SETTING,
        RunsWhen.SETTINGS_CHANGED,
        60,
        1,
        None,
    ),
    (Action.REMOVE_SENTINEL, "no longer needed", _SCRIPT, RunsWhen.IN_SERVICE_AGAIN, 60, 1, None),
    (
        Action.ONLINE_BACKUP,
        "Windows Server Backup to E:, D: and C: whole",
        _JOB,
        RunsWhen.REBUILT_IN_SERVICE,
        21_600,
        2_400,
        None,
    ),
    (
        Action.PROVE_BACKUP,
        "job, event, catalogue and last full backup agree",
        _LOOK,
        RunsWhen.REBUILT_IN_SERVICE,
        3_600,
        300,
        None,
    ),
    (
        Action.WRITE_DATABASE_RECORD,
        "signature, dates, rates",
        _SCRIPT,
        RunsWhen.IN_SERVICE_AGAIN,
        60,
        1,
        None,
    ),
    (
        Action.CLOSE_RECOVERY_RECORD,
        "all is in service",
        _SCRIPT,
        RunsWhen.RECORD_OPEN_AND_IN_SERVICE,
        60,
        1,
        None,
    ),
)


def step_id(server: str, database: str, number: int) -> str:
    """The id of a step of the hand-made lane."""
    return f"{server}/{database}/{number:02d}-{_STEPS[number - 1][0].value}"


def lane(server: str = "EX01", database: str = "DB05") -> Lane:
    """The lane of a database that is rebuilt."""
    steps = tuple(
        Step(
            id=step_id(server, database, at),
            number=at,
            server=server,
            database=database,
            action=action,
            summary=summary,
            reason=Reason.WAY_BACK if when.value.startswith("away") else Reason.PART_OF_SCRIPT,
            call=call,
            direction=Direction.NEUTRAL,
            runs_when=when,
            on_doubt=OnDoubt.REPEAT,
            time_limit_s=limit,
            estimate_s=estimate,
            undo=undo,
            pass_name={"detect-errors": "primary", "detect-errors-temporary": "defragmented"}.get(
                action.value
            ),
            is_point_of_no_return=action is Action.MOUNT,
            origin=ORIGIN,
        )
        for at, (action, summary, call, when, limit, estimate, undo) in enumerate(_STEPS, start=1)
    )
    return Lane(
        id=f"{server}/{database}", server=server, database=database, database_guid=GUID, steps=steps
    )


def verdicts(server: str = "EX01", database: str = "DB05") -> tuple[Verdict, ...]:
    """The verdicts at plan time for one rebuilt database."""

    def one(guard: str, number: int | None, **changes: Any) -> Verdict:
        values: dict[str, Any] = {
            "guard": guard,
            "address": f"{server}/{database}",
            "kind": VerdictKind.PASS if number is None else VerdictKind.DUE,
            "rule": f"the rule of {guard}",
            "evidence": "decided later",
            "observed": {},
            "due_at_step": None if number is None else step_id(server, database, number),
        }
        return Verdict(**{**values, **changes})

    free = "D: 311 GiB free >= 243 GiB (63 GiB temporary file, 180 GiB stay free)"
    return (
        one("free-space", None, evidence=free, observed={"free_bytes": 311 * GIB}),
        one("no-backup-running", 5, rule="no backup is in progress on the server"),
        one("clean-shutdown", 9, rule="clean shutdown, nothing required, both headers alike"),
        one(
            "verified-set", 19, rule="the set of the present file is verified on the host and here"
        ),
    )


def actual_database(name: str, **changes: Any) -> ActualDatabase:
    """A mounted database of EX01."""
    values: dict[str, Any] = {
        "name": name,
        "guid": GUID if name == "DB05" else f"5c6f2a7e-0000-4000-8000-0000000000{name[-2:]}",
        "server": "EX01",
        "edb_path": rf"D:\{name}\{name}.edb",
        "log_folder": rf"D:\{name}\Logs",
        "log_prefix": "E05",
        "is_mounted": True,
        "mounted_on": "EX01",
        "is_recovery": False,
        "copies": ("EX01",),
        "is_replicated": False,
        "is_circular_logging": False,
        "is_mount_at_startup": True,
        "is_backup_running": False,
        "last_full_backup_utc": datetime(2026, 11, 21, 3, 12, tzinfo=UTC),
        "size_bytes": 98 * GIB,
        "white_space_bytes": 41 * GIB,
        "has_moves": False,
        "has_repair_requests": Unknown("not asked yet"),
    }
    return ActualDatabase(**{**values, **changes})


def actual_server(
    *databases: ActualDatabase, name: str = "EX01", at: datetime = NOON
) -> ActualServer:
    """A server with these databases."""
    return ActualServer(
        name=name,
        fqdn=f"{name.lower()}.contoso.example",
        observed_at_utc=at,
        generation=Generation.EXCHANGE_2019,
        build="15.2.1544.4",
        edition="Enterprise",
        availability_group=None,
        databases=databases,
        host=Unknown("not asked in this test"),
    )


def body(**changes: Any) -> PlanBody:
    """The plan of ux: one of five databases is rebuilt."""
    values: dict[str, Any] = {
        "format": "goexchange/plan/v1",
        "tool": "goexchange 0.1.0",
        "evaluated_at_utc": NOON,
        "valid_until_utc": OPENS + timedelta(hours=8),
        "inputs": (
            PlanInput(kind="Specification", path="specs/weekly-preventative.yaml", sha256=SHA),
        ),
        "commit": "4be12d0",
        "specifications": ("weekly-preventative",),
        "is_partial": False,
        "scope": (),
        "window": WindowPlan(
            name="berlin-night",
            zone="Europe/Berlin",
            opens_at_utc=OPENS,
            closes_at_utc=OPENS + timedelta(hours=8),
            latest_swap_utc=OPENS + timedelta(hours=6, minutes=55),
        ),
        "rules": RunRules(
            failures_max=0,
            overrun="back-to-original",
            run_time_max_s=21_600,
            poll_interval_s=5.0,
            lease_s=120,
            heartbeat_s=30,
            mount_confirm_after_s=60,
            output_tail_bytes=8_000,
        ),
        "decisions": (
            rebuild(),
            decision("DB01"),
            decision("DB03"),
            decision("DB04"),
            decision(
                "DB07",
                Need.NOT_POSSIBLE,
                server="EX02",
                reasons=(Reason.MORE_THAN_ONE_COPY,),
                explanation="2 copies in DAG1: an offline rebuild would break them",
                instead="move its mailboxes to a fresh database",
            ),
        ),
        "premises": (
            Premise(
                address="EX01/DB05",
                fact="guid",
                operator=Operator.EQUAL,
                value=GUID,
                seen=GUID,
                fact_class=FactClass.IDENTITY,
            ),
            Premise(
                address="EX01/DB05",
                fact="white_space_ratio",
                operator=Operator.GREATER,
                value=0.2,
                seen=0.42,
                fact_class=FactClass.HEALTH,
            ),
        ),
        "lanes": (lane(),),
        "guards": verdicts(),
        "consents": (
            ConsentNeed(
                consent=Consent.OUTAGE_WITHOUT_HISTORY,
                address="EX01/DB05",
                finding="the outage of 3 h 10 m rests on the stated default rates, doubled",
            ),
        ),
        "notices": (
            PlannedNotice(
                event="storage-offline", audience="operators", recipients=("ops@contoso.example",)
            ),
        ),
        "report_formats": (),
        "estimate": EstimateSource(earlier_runs=9, text="from 9 earlier runs on EX01"),
        "backups": (
            "set of the present file before, every page verified",
            "full online backup after, on E:: older ones no longer fit the new file",
        ),
        "facts": ActualState(
            observed_at_utc=NOON, servers=(actual_server(actual_database("DB05")),)
        ),
        "diagnostics": (
            Diagnostic(
                id="backup-on-same-disk",
                summary="The backup target is on the same disk",
                detail="E: and D: are partitions of disk 0; losing it loses both",
                severity=Severity.WARNING,
                address="EX01",
                place=ORIGIN,
            ),
        ),
    }
    return PlanBody(**{**values, **changes})


def sealed(plan_body: PlanBody) -> Plan:
    """The plan with a digest that does not change when the code's formats do."""
    return Plan(
        body=plan_body,
        sha256="7f3c9a1e" * 8,
        created_at_utc=NOON,
        created_by="anna@contoso.example",
    )


def chained(events: Sequence[Event], *, start: datetime = OPENS) -> tuple[Record, ...]:
    """Records in a chain; each event is (seconds since the start, kind, its data)."""
    records: list[Record] = []
    for seconds, kind, content in events:
        drafts = (Draft(kind, to_plain(content)),)
        after = records[-1] if records else None
        records.extend(seal(drafts, after=after, at=start + timedelta(seconds=seconds)))
    return tuple(records)


def header(size_bytes: int, signature: str, **changes: Any) -> dict[str, Any]:
    """The judged result of reading a header."""
    return {
        "signature": signature,
        "slots_sha256": SHA,
        "state": "clean-shutdown",
        "log_required": [0, 0],
        "headers_alike": True,
        "page_bytes": 32_768,
        "dbtime": 4_711,
        "size_bytes": size_bytes,
        "repair_count": 0,
        "last_consistent_generation": 1_201,
        "log_signature": "cd" * 28,
        "eseutil_state": "Clean Shutdown",
        "problems": [],
        "log_files": [],
        "jfm": None,
        **changes,
    }


SET = r"\\backup01\exchange$\EX01\DB05\20261128T120000Z"
COPIED = [
    {"path": rf"{SET}\DB05.edb", "size_bytes": 98 * GIB, "sha256": "11" * 32},
    {"path": rf"{SET}\E0500001201.log", "size_bytes": 1_048_576, "sha256": "22" * 32},
]
NEW_SIZE = 57 * GIB + 32_768
RESULTS: Mapping[int, Mapping[str, Any]] = {
    8: header(98 * GIB, "aa" * 28),
    9: {
        "mode": "checksum",
        "ok": True,
        "exit_code": 0,
        "pages_seen": 3_211_264,
        "bad_checksums": 0,
        "seconds": 480,
    },
    10: {"mode": "integrity", "ok": True, "exit_code": 0, "seconds": 1_180},
    11: {"files": COPIED, "bytes": 98 * GIB + 1_048_576, "seconds": 880},
    12: {"mode": "defragmentation", "ok": True, "exit_code": 0, "seconds": 4_100},
    13: header(NEW_SIZE, "bb" * 28),
    14: {
        "mode": "checksum",
        "ok": True,
        "exit_code": 0,
        "pages_seen": 1_867_777,
        "bad_checksums": 0,
    },
    15: {
        "mode": "checksum",
        "ok": True,
        "exit_code": 0,
        "pages_seen": 3_211_264,
        "bad_checksums": 0,
    },
    16: {"files": COPIED},
    17: {"path": rf"{SET}\manifest.json", "manifest_sha256": "33" * 32, "set_sha256": "44" * 32},
    18: {"ok": True, "verdict": "sound", "set_sha256": "44" * 32, "findings": []},
    29: {"exit_code": 0},
    30: {
        "job_succeeded": True,
        "last_full_backup_utc": "2026-11-29T00:20:00Z",
        "is_newer": True,
        "event_completed": True,
        "retrievable": True,
        "proved": True,
    },
}
SECONDS = {
    3: 40,
    7: 95,
    9: 480,
    10: 1_180,
    11: 880,
    12: 4_100,
    14: 860,
    15: 470,
    16: 400,
    18: 290,
    20: 22,
    26: 61,
    29: 2_300,
    30: 240,
}
TAIL = (
    "        Total number of pages seen = 3211264\r\r\n\r\r\n"
    "Operation completed successfully in 480.0 seconds.\r\r\n"
)


def opening(plan: Plan) -> list[Event]:
    """How every run begins."""
    return [
        (
            0,
            RecordKind.LEASE,
            {
                "server": "EX01",
                "number": 7,
                "holder": "ops01",
                "expires_at_utc": "2026-11-28T21:02:00Z",
                "state": "acquired",
            },
        ),
        (
            0,
            RecordKind.RUN_STARTED,
            {
                "run": "20261128T210000Z-7f3c9a1e",
                "plan": plan.id,
                "plan_sha256": plan.sha256,
                "approval": {
                    "approved_by": "bernd@contoso.example",
                    "approved_at_utc": "2026-11-28T16:00:00Z",
                },
                "controller": "ops01.contoso.example",
                "started_by": "anna",
                "tool": "goexchange 0.1.0",
            },
        ),
        (
            1,
            RecordKind.FACTS,
            {"server": "EX01", "actual": actual_server(actual_database("DB05"), at=OPENS)},
        ),
        (
            1,
            RecordKind.GUARD,
            {"verdict": evolve(verdicts()[0], evidence="D: 310 GiB free >= 243 GiB")},
        ),
        (2, RecordKind.LANE_STARTED, {"lane": "EX01/DB05"}),
    ]


def steps_done(numbers: Sequence[int], *, at: float, attempt: int = 1) -> tuple[list[Event], float]:
    """Intent and outcome of these steps of EX01/DB05 in a row; events, and when the last ended."""
    events: list[Event] = []
    for number in numbers:
        name = step_id("EX01", "DB05", number)
        seconds = SECONDS.get(number, 1)
        for guard in verdicts():
            if guard.due_at_step == name:
                passed = evolve(guard, kind=VerdictKind.PASS, evidence=f"seen before step {number}")
                events.append((at, RecordKind.GUARD, {"verdict": passed}))
        events.append(
            (
                at,
                RecordKind.INTENT,
                {"step": name, "lane": "EX01/DB05", "attempt": attempt, "call": {}},
            )
        )
        at += seconds
        done = {
            "step": name,
            "attempt": attempt,
            "outcome": "done",
            "result": RESULTS.get(number, {}),
            "findings": [],
            "output_tail": TAIL if number == 9 else "",
            "seconds": seconds,
        }
        events.append((at, RecordKind.OUTCOME, done))
    return events, at


def clean_night(plan: Plan) -> tuple[Record, ...]:
    """A night without trouble: rebuilt, mounted, backed up, proved."""
    events = opening(plan)
    done, at = steps_done(range(1, 21), at=3)
    events += done
    events.append(
        (
            at,
            RecordKind.NOTICE,
            {
                "event": "storage-online",
                "audience": "operators",
                "recipients": ["ops@contoso.example"],
                "variables": {"database": "DB05"},
            },
        )
    )
    done, at = steps_done(range(26, 31), at=at)
    events += done
    after = actual_database(
        "DB05",
        size_bytes=NEW_SIZE,
        white_space_bytes=GIB // 2,
        last_full_backup_utc=datetime(2026, 11, 29, 0, 20, tzinfo=UTC),
    )
    events.append(
        (
            at,
            RecordKind.FACTS,
            {"server": "EX01", "actual": actual_server(after, at=OPENS + timedelta(seconds=at))},
        )
    )
    done, at = steps_done((31, 32), at=at)
    events += done
    events += [
        (
            at,
            RecordKind.SKIPPED,
            {
                "step": step_id("EX01", "DB05", n),
                "lane": "EX01/DB05",
                "why": "not needed",
                "turns_back": False,
            },
        )
        for n in range(21, 26)
    ]
    events.append(
        (at, RecordKind.LANE_ENDED, {"lane": "EX01/DB05", "state": "done", "why": "rebuilt"})
    )
    result = {
        "lane": "EX01/DB05",
        "server": "EX01",
        "database": "DB05",
        "state": "done",
        "why": "rebuilt",
        "commands": [],
    }
    events.append(
        (at + 1, RecordKind.RUN_ENDED, {"exit_code": 0, "verdict": "done", "databases": [result]})
    )
    return chained(events)


@pytest.fixture
def plan() -> Plan:
    """The plan of ux: one rebuild, three unchanged, one not possible."""
    return sealed(body())


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """A plan with changed members of the body."""
    return lambda **changes: sealed(body(**changes))


def found(text: str) -> dict[str, str]:
    """An error that a step found."""
    return {"severity": "error", "pass_name": "", "text": text}


def outcome(number: int, kind: str, *, attempt: int = 1, **changes: Any) -> dict[str, Any]:
    """The data of an outcome of a step of EX01/DB05."""
    return {
        "step": step_id("EX01", "DB05", number),
        "attempt": attempt,
        "outcome": kind,
        "result": None,
        "findings": [],
        "output_tail": "",
        "seconds": 1,
        **changes,
    }


def ending(
    at: float, state: str, why: str, exit_code: int, commands: Sequence[str] = ()
) -> list[Event]:
    """The end of the lane and of the run."""
    result = {"lane": "EX01/DB05", "server": "EX01", "database": "DB05", "state": state, "why": why}
    return [
        (at, RecordKind.LANE_ENDED, {"lane": "EX01/DB05", "state": state, "why": why}),
        (
            at + 1,
            RecordKind.RUN_ENDED,
            {
                "exit_code": exit_code,
                "verdict": state,
                "databases": [{**result, "commands": list(commands)}],
            },
        ),
    ]


def way_back_night(plan: Plan) -> tuple[Record, ...]:
    """The rebuild fails on the second attempt after a resume; the original is mounted again."""
    done, at = steps_done(range(1, 12), at=3)
    events = opening(plan) + done
    rebuild_step = step_id("EX01", "DB05", 12)
    intent = {"step": rebuild_step, "lane": "EX01/DB05", "attempt": 1, "call": {}}
    events += [
        (at, RecordKind.INTENT, intent),
        (
            at + 600,
            RecordKind.RUN_RESUMED,
            {
                "controller": "ops02",
                "started_by": "bernd",
                "torn_bytes": 17,
                "steps_in_doubt": [rebuild_step],
            },
        ),
        (
            at + 602,
            RecordKind.LOOKED,
            {
                "step": rebuild_step,
                "seen": "lost",
                "meaning": "not-done",
                "evidence": "the job is lost: the host was restarted",
            },
        ),
        (at + 610, RecordKind.INTENT, {**intent, "attempt": 2}),
        (
            at + 900,
            RecordKind.OUTCOME,
            outcome(
                12,
                "failed",
                attempt=2,
                findings=[
                    {
                        "severity": "error",
                        "pass_name": "primary",
                        "text": "eseutil ended with -1811 (file not found)",
                    }
                ],
                output_tail="Initiating DEFRAGMENTATION mode...\r\r\n\r\r\n"
                "Operation terminated with error -1811 (JET_errFileNotFound, File not found)"
                " after 3.2 seconds.\r\r\n",
            ),
        ),
    ]
    done, at = steps_done((21, 22, 23, 26, 27, 28, 31, 32), at=at + 901)
    return chained(
        [*events, *done, *ending(at, "failed", "the rebuild failed; the original is mounted", 20)]
    )


def offline_night(plan: Plan) -> tuple[Record, ...]:
    """The new file does not mount and neither does the original: a person is needed."""
    done, at = steps_done(range(1, 20), at=3)
    events = opening(plan) + done
    for number in (20, 24, 25):
        intent = {
            "step": step_id("EX01", "DB05", number),
            "lane": "EX01/DB05",
            "attempt": 1,
            "call": {},
        }
        failed = outcome(
            number,
            "done" if number == 24 else "failed",
            findings=[found("MapiExceptionNetworkError: Unable to mount database")],
        )
        events += [(at, RecordKind.INTENT, intent), (at + 30, RecordKind.OUTCOME, failed)]
        at += 31
    commands = ("goexchange release EX01/DB05", "Mount-Database -Identity 'DB05'")
    return chained(
        [
            *events,
            *ending(
                at, "left-offline", "neither the rebuilt nor the original file mounts", 22, commands
            ),
        ]
    )


def unprotected_night(plan: Plan) -> tuple[Record, ...]:
    """Rebuilt and in service; the online backup failed."""
    done, at = steps_done((*range(1, 21), 26, 27, 28), at=3)
    intent = {"step": step_id("EX01", "DB05", 29), "lane": "EX01/DB05", "attempt": 1, "call": {}}
    events = [
        *opening(plan),
        *done,
        (at, RecordKind.INTENT, intent),
        (
            at + 60,
            RecordKind.OUTCOME,
            outcome(29, "failed", findings=[found("the target E: is full")]),
        ),
    ]
    return chained(
        [
            *events,
            *ending(
                at + 61, "unprotected", "the online backup failed", 25, ("goexchange resume RUN",)
            ),
        ]
    )


def dead_night(plan: Plan) -> tuple[Record, ...]:
    """The controller died in the middle of the rebuild: the journal just stops."""
    done, at = steps_done(range(1, 12), at=3)
    intent = {"step": step_id("EX01", "DB05", 12), "lane": "EX01/DB05", "attempt": 1, "call": {}}
    moved = {
        "step": intent["step"],
        "text": "",
        "done_bytes": 20 * GIB,
        "total_bytes": 57 * GIB,
        "rate_bytes_s": 24 * 1024**2,
    }
    return chained(
        [
            *opening(plan),
            *done,
            (at, RecordKind.INTENT, intent),
            (at + 800, RecordKind.PROGRESS, moved),
        ]
    )


def large_plan(servers: int, databases: int) -> Plan:
    """A plan that rebuilds every database of many servers."""
    names = [
        (f"EX{s:02d}", f"DB{s:02d}{d}")
        for s in range(1, servers + 1)
        for d in range(1, databases + 1)
    ]
    decisions = tuple(
        rebuild(name, server=server, address=f"{server}/{name}") for server, name in names
    )
    return sealed(
        body(
            decisions=decisions,
            lanes=tuple(lane(server, name) for server, name in names),
            guards=tuple(one for server, name in names for one in verdicts(server, name)),
        )
    )


def large_night(plan: Plan) -> tuple[Record, ...]:
    """Every database of a large plan rebuilt, one after the other, with chatty tools."""
    events = opening(plan)[:2]
    at = 3.0
    tail = "\r\r\n".join(f"{line:5d}  {TAIL.strip()}" for line in range(100))
    for one in plan.body.lanes:
        events.append((at, RecordKind.LANE_STARTED, {"lane": one.id}))
        for step in one.steps:
            if step.runs_when.value.startswith("away"):
                continue
            done = {
                "step": step.id,
                "attempt": 1,
                "outcome": "done",
                "result": RESULTS.get(step.number, {}),
                "findings": [],
                "output_tail": tail,
                "seconds": 30,
            }
            events.append(
                (at, RecordKind.INTENT, {"step": step.id, "lane": one.id, "attempt": 1, "call": {}})
            )
            at += 30
            events.append((at, RecordKind.OUTCOME, done))
        events.append(
            (at, RecordKind.LANE_ENDED, {"lane": one.id, "state": "done", "why": "rebuilt"})
        )
    events.append((at, RecordKind.RUN_ENDED, {"exit_code": 0, "verdict": "done", "databases": []}))
    return chained(events)


NIGHTS: Mapping[str, Callable[[Plan], tuple[Record, ...]]] = {
    "clean": clean_night,
    "way-back": way_back_night,
    "offline": offline_night,
    "unprotected": unprotected_night,
    "dead": dead_night,
}


@pytest.fixture
def nights() -> Mapping[str, Callable[[Plan], tuple[Record, ...]]]:
    """The journals of several nights, by name."""
    return NIGHTS


@pytest.fixture(scope="session")
def large() -> tuple[Plan, tuple[Record, ...]]:
    """Twenty servers with five databases each, all rebuilt."""
    plan = large_plan(20, 5)
    return plan, large_night(plan)


@pytest.fixture
def rechained() -> Callable[..., tuple[Record, ...]]:
    """Records again in a sound chain, each passed through a function first (None leaves it out)."""

    def again(
        records: Sequence[Record], change: Callable[[Record], Record | None]
    ) -> tuple[Record, ...]:
        kept = [one for record in records for one in [change(record)] if one is not None]
        return chained([((one.at_utc - OPENS).total_seconds(), one.kind, one.data) for one in kept])

    return again
