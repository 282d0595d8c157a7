"""The contracts of the host scripts that keep a run on its hosts, read it back, and tidy up after
it: what works without the controller's disk.
"""

from __future__ import annotations

from goexchange.powershell.contract import (
    ANYTHING,
    BASE64,
    COUNT,
    FENCE,
    FLAG,
    TEXT,
    TIME,
    Contract,
    Schema,
    maybe,
    record,
    several,
)

KEPT_FILE: Schema = {"type": "string", "enum": ["plan.json", "approval.json", "journal.jsonl"]}

KEEP_RUN = Contract(
    script="keep-run",
    version=1,
    purpose="keeps plan, approval and journal of a run on the host, flushed; a part that begins"
    " past the end of what is there is not written; also the run's sign of life",
    changes_host=True,
    arguments=record(
        **FENCE,
        run=TEXT,
        holder=TEXT,
        # content: gzip, then base64; null only asks for the size. The file ends after the content.
        parts=several(record(name=KEPT_FILE, offset=COUNT, content=maybe(BASE64))),
    ),
    # what is there afterwards, and the digest of all of it (of a file that is not there: null)
    result=record(kept=several(record(name=KEPT_FILE, size_bytes=COUNT, sha256=maybe(TEXT)))),
    errors=("fenced", "root-not-private", "disk-full"),
    cmdlets=("Get-Acl",),
)

READ_RUN = Contract(
    script="read-run",
    version=1,
    purpose="a piece of what keep-run has kept; changes nothing",
    changes_host=False,
    arguments=record(root=TEXT, run=TEXT, name=KEPT_FILE, offset=COUNT),
    result=record(size_bytes=COUNT, content=BASE64),
    errors=("file-not-found", "root-not-private"),
    cmdlets=("Get-Acl",),
)

LISTED = record(
    path=TEXT, is_folder=FLAG, size_bytes=COUNT, modified_at=TIME, is_link=FLAG, files=COUNT
)
LOOKED_AT = record(
    path=TEXT,
    size_bytes=COUNT,
    modified_at=TIME,
    is_open=FLAG,
    header_sha256=maybe(TEXT),
    start=maybe(BASE64),
)

READ_RUNS = Contract(
    script="read-runs",
    version=1,
    purpose="everything that runs have left on a host: kept runs, recovery records, sentinels,"
    " jobs, files beside databases; changes nothing",
    changes_host=False,
    arguments=record(root=TEXT, paths=several(TEXT), folders=several(TEXT)),
    result=record(
        clock=TIME,
        boot_id=TEXT,
        fence=COUNT,
        fence_holder=maybe(TEXT),
        recoveries=several(ANYTHING),  # as write-recovery wrote them, closed ones too
        runs=several(
            record(
                run=TEXT,
                holder=maybe(TEXT),
                alive_at=maybe(TIME),
                files=several(record(name=TEXT, size_bytes=COUNT)),
            )
        ),
        sentinels=several(record(database_guid=TEXT, run=TEXT, fed_at=TIME, is_task_present=FLAG)),
        jobs=several(
            record(
                job=TEXT,
                kind=TEXT,
                state={"type": "string", "enum": ["requested", "running", "ended", "lost"]},
                begun_at=TIME,
                size_bytes=COUNT,
            )
        ),
        looked_at=several(LOOKED_AT),  # those of `paths` that are there
        listed=several(LISTED),  # what lies right in `folders`
        failures=several(record(part=TEXT, message=TEXT)),
    ),
    errors=("root-not-private",),
    cmdlets=("Get-Acl", "Get-ChildItem", "Get-CimInstance", "Get-Process", "Get-ScheduledTask"),
)

REMOVE_LEFTOVER = Contract(
    script="remove-leftover",
    version=1,
    purpose="removes one thing that a run has left: a file put aside (with its flush map, while"
    " it is the one looked at), the tool's own folder beside a database, the folder of a job, of a"
    " closed record, of a kept run",
    changes_host=True,
    arguments=record(
        **FENCE,
        kind={
            "type": "string",
            "enum": ["file", "work-folder", "job", "recovery-record", "kept-run"],
        },
        what=TEXT,
        size_bytes=maybe(COUNT),
        modified_at=maybe(TIME),
    ),
    result=record(is_removed=FLAG),
    errors=("fenced", "root-not-private", "file-in-use", "outside-folder", "file-differs"),
    cmdlets=(
        "Get-Acl",
        "Get-Process",
        "Get-ScheduledTask",
        "Unregister-ScheduledTask",
    ),
)

TRY_ROOT = Contract(
    script="try-root",
    version=1,
    purpose="writes a record into the tool's own folder, reads it back and removes it; a root that"
    " it made itself goes again when that is asked for; versions of Windows' backup tools",
    changes_host=True,
    arguments=record(**FENCE, name=TEXT, removes_root=FLAG),
    result=record(
        had_root=FLAG,
        is_same=FLAG,
        wbadmin_version=maybe(TEXT),
        diskshadow_version=maybe(TEXT),
    ),
    errors=("fenced", "root-not-private", "disk-full"),
    cmdlets=("Get-Acl",),
)

SCRATCH_FOLDER = Contract(
    script="scratch-folder",
    version=1,
    purpose="makes the folder of a pilot with its mark in it, or removes the folder with all that"
    " lies in it and the record of its database; only a folder that carries this pilot's mark",
    changes_host=True,
    arguments=record(
        **FENCE,
        folder=TEXT,
        name=TEXT,
        state={"type": "string", "enum": ["made", "removed"]},
        database_guid=maybe(TEXT),
    ),
    result=record(had_folder=FLAG),
    errors=(
        "fenced", "root-not-private", "path-exists", "outside-folder", "file-in-use", "disk-full",
    ),
    cmdlets=("Get-Acl",),
)  # fmt: skip

RUN_CONTRACTS: tuple[Contract, ...] = (
    KEEP_RUN,
    READ_RUN,
    READ_RUNS,
    REMOVE_LEFTOVER,
    TRY_ROOT,
    SCRATCH_FOLDER,
)
