"""The contracts of the packaged host scripts: arguments, results, what they call, whether they
change the host.

A host script runs on Windows PowerShell 2.0 to 5.1, gets one JSON document and answers with one
JSON envelope
(`envelope.py`). Both sides are held to the schema here: the controller before it sends and after
it receives, the
tests against the scripts' text. Times are RFC 3339 UTC, sizes bytes, binary data base64. Every
script that changes
something carries the fencing number of the lease and is refused by the host when a higher one was
seen there.
"""

from __future__ import annotations

from collections.abc import Mapping

from goexchange.powershell.contract import (
    ANYTHING,
    BASE64,
    COUNT,
    EVENT,
    FENCE,
    FILE,
    FLAG,
    LISTED_FILE,
    TEXT,
    TIME,
    TOOL_RUN,
    maybe,
    optional,
    record,
    several,
)
from goexchange.powershell.contract import Contract as Contract
from goexchange.powershell.contract import Schema as Schema
from goexchange.powershell.contracts_accounts import JOB_ACCOUNT
from goexchange.powershell.contracts_cmdlets import CMDLET_CONTRACTS
from goexchange.powershell.contracts_mta import OBSERVE_MTA
from goexchange.powershell.contracts_runs import RUN_CONTRACTS
from goexchange.powershell.contracts_server import SERVER_CONTRACTS

ASKED_SERVICES = record(
    asked=several(TEXT),
    told=several(record(name=TEXT, display_name=TEXT, state=TEXT, start_type=TEXT)),
)

OBSERVE_HOST = Contract(
    script="observe-host",
    version=1,
    purpose="everything that plans and guards read of a host, in one answer; changes nothing",
    changes_host=False,
    arguments=optional(
        "services",  # asked for by name; `asked_services` is the answer
        "cluster",  # of Exchange 2010; `cluster_nodes` is the answer
        root=TEXT,
        paths=several(TEXT),
        log_folders=several(TEXT),
        events_since=TIME,
        services=several(TEXT),
        cluster=FLAG,
    ),
    result=optional(
        "asked_services",
        "cluster_nodes",
        host=record(
            name=TEXT,
            boot_id=TEXT,
            booted_at=TIME,
            clock=TIME,
            powershell=TEXT,
            is_elevated=FLAG,
        ),
        exchange=record(
            exsetup_version=maybe(TEXT), eseutil_version=maybe(TEXT), eseutil_path=maybe(TEXT)
        ),
        volumes=several(
            record(mount_point=TEXT, label=TEXT, size_bytes=COUNT, free_bytes=COUNT, is_local=FLAG)
        ),
        services=several(record(name=TEXT, state=TEXT, start_type=TEXT)),
        asked_services=ASKED_SERVICES,
        cluster_nodes=maybe(several(record(name=TEXT, state=TEXT))),
        tasks=several(record(name=TEXT, state=TEXT, actions=several(TEXT), next_run=maybe(TIME))),
        processes=several(record(name=TEXT, id=COUNT, started_at=maybe(TIME))),
        files=several(FILE),
        log_folders=several(record(folder=TEXT, count=COUNT, total_bytes=COUNT)),
        storage_events=several(EVENT),
        backup_events=several(EVENT),
        windows_backup=record(
            is_installed=FLAG,
            is_running=FLAG,
            last_success=maybe(TIME),
            last_result=maybe({"type": "integer"}),
            next_scheduled=maybe(TIME),
        ),
        is_reboot_pending=FLAG,
        # of the store of Exchange 2007 and 2010; null where it has no such counter
        replication_queues=maybe(several(record(name=TEXT, waiting=COUNT))),
        fence=COUNT,
        records=several(ANYTHING),  # as write-database-record was given them (model.DatabaseRecord)
        recoveries=several(
            ANYTHING
        ),  # not closed: run, database_guid, state, opened_at, phase, ...
        failures=several(record(part=TEXT, message=TEXT)),
    ),
    errors=(),
    cmdlets=(
        "Get-Acl",
        "Get-ChildItem",
        "Get-CimInstance",
        "Get-ClusterNode",
        "Get-Command",
        "Get-Item",
        "Get-Process",
        "Get-ScheduledTask",
        "Get-ScheduledTaskInfo",
        "Get-WBJob",
        "Get-WBSummary",
        "Get-WinEvent",
        "Import-Module",
    ),
)

CLAIM_FENCE = Contract(
    script="claim-fence",
    version=1,
    purpose="raises the fencing number kept on the host; refuses a lower or equal one of another"
    " holder",
    changes_host=True,
    arguments=record(root=TEXT, fence=COUNT, holder=TEXT, claimed_at=TIME),
    result=record(fence=COUNT, holder=TEXT),
    errors=("fenced", "root-not-private"),
    cmdlets=("Get-Acl",),
)

WRITE_RECOVERY = Contract(
    script="write-recovery",
    version=1,
    purpose="writes the recovery record of one database and its RECOVERY.txt, flushed; or closes"
    " it",
    changes_host=True,
    arguments=record(
        **FENCE,
        run=TEXT,
        database_guid=TEXT,
        state={"enum": ["open", "closed"], "type": "string"},
        content=ANYTHING,
        text=TEXT,
    ),
    result=record(folder=TEXT),
    errors=("fenced", "root-not-private", "disk-full"),
    cmdlets=("Get-Acl",),
)

SENTINEL = Contract(
    script="sentinel",
    version=4,
    purpose="places, feeds or removes the scheduled task that speaks when the controller dies"
    " with a database down, or with copies suspended: event 4110, and the mail or webhook that is"
    " declared",
    changes_host=True,
    arguments=record(
        **FENCE,
        run=TEXT,
        database_guid=TEXT,
        database=TEXT,
        state={"enum": ["placed", "fed", "removed"], "type": "string"},
        what={"enum": ["outage", "copies", "server"], "type": "string"},
        silent_after_s=COUNT,
        mail_server=maybe(TEXT),
        mail_from=maybe(TEXT),
        mail_to=several(TEXT),
        webhook=maybe(TEXT),
    ),
    result=record(task=TEXT, is_present=FLAG),
    errors=("fenced", "root-not-private"),
    cmdlets=(
        "Get-Item",
        "Get-Acl",
        "Get-ScheduledTask",
        "New-ScheduledTaskAction",
        "New-ScheduledTaskPrincipal",
        "New-ScheduledTaskSettingsSet",
        "New-ScheduledTaskTrigger",
        "Register-ScheduledTask",
        "Unregister-ScheduledTask",
    ),
)

READ_HEADER = Contract(
    script="read-header",
    version=1,
    purpose="the two header slots of a database file as bytes, what eseutil /mh prints, and the"
    " log folder's files",
    changes_host=False,
    arguments=record(
        path=TEXT, eseutil=TEXT, log_folder=maybe(TEXT), log_prefix=maybe(TEXT), page_bytes=COUNT
    ),
    result=record(
        size_bytes=COUNT,
        slots=BASE64,
        eseutil=TOOL_RUN,
        log_files=several(LISTED_FILE),
        jfm=maybe(TEXT),
    ),
    errors=("file-not-found", "file-in-use"),
    cmdlets=("Get-ChildItem",),
    tools=("eseutil",),
)

START_JOB = Contract(
    script="start-job",
    version=3,
    purpose="makes the folder of a host job and starts its child by a scheduled task, as SYSTEM or"
    " as a named account; idempotent by the job's id",
    changes_host=True,
    arguments=optional(
        "account",
        **FENCE,
        job=TEXT,
        kind={
            "type": "string",
            "enum": [
                "eseutil",
                "copy-files",
                "hash-files",
                "wbadmin",
                "agent",
                "diskshadow",
                "ntbackup",
                "export-configuration",
                "command",
                "mtacheck",
                "restore-services",
                "stop-services",
                "try-folders",
                "isinteg",
                "seal-set",
                "await-verdict",
            ],
        },
        request=ANYTHING,
        runner=BASE64,
        account=JOB_ACCOUNT,
    ),
    result=record(state={"type": "string", "enum": ["started", "exists"]}, folder=TEXT),
    errors=("fenced", "root-not-private", "disk-full", "path-exists", "account-refused"),
    cmdlets=(
        "Get-Acl",
        "Get-ChildItem",  # from here on also what the job runner calls
        "Get-CimInstance",
        "Get-Command",
        "Get-Process",
        "Get-Service",
        "New-ScheduledTaskAction",
        "New-ScheduledTaskPrincipal",
        "New-ScheduledTaskSettingsSet",
        "Register-ScheduledTask",
        "Start-ScheduledTask",
        "Start-Service",
        "Stop-Process",
        "Stop-Service",
        "Test-ADServiceAccount",
    ),
    tools=("diskshadow", "eseutil", "mtacheck", "ntbackup", "reg", "vssadmin", "wbadmin"),
)

POLL_JOB = Contract(
    script="poll-job",
    version=2,
    purpose="the state of a host job, its output from an offset, the sizes of the files it writes,"
    " the processor time of its processes, and the boot it was started in",
    changes_host=False,
    arguments=record(root=TEXT, job=TEXT, offset=COUNT, watch=several(TEXT)),
    result=record(
        state={"type": "string", "enum": ["absent", "requested", "running", "ended", "lost"]},
        boot_id=TEXT,
        started_boot_id=maybe(TEXT),
        clock=TIME,
        started_at=maybe(TIME),
        cpu_s=maybe({"type": "number"}),  # while it runs; of its processes that are there now
        ended_at=maybe(TIME),
        exit_code=maybe({"type": "integer"}),
        offset=COUNT,
        output=BASE64,
        watched=several(record(path=TEXT, size_bytes=maybe(COUNT))),
        result={"type": ["object", "null"]},
    ),
    errors=(),
    cmdlets=("Get-CimInstance", "Get-Process"),
)

CANCEL_JOB = Contract(
    script="cancel-job",
    version=2,
    purpose="ends the processes of a host job and removes its scheduled task, with what it stores"
    " of an account; a job that ended stays as it is",
    changes_host=True,
    arguments=record(**FENCE, job=TEXT),
    result=record(state={"type": "string", "enum": ["absent", "cancelled", "ended"]}),
    errors=("fenced", "root-not-private"),
    cmdlets=(
        "Get-Acl",
        "Get-CimInstance",
        "Get-Process",
        "Get-ScheduledTask",
        "Stop-Process",
        "Unregister-ScheduledTask",
    ),
)

SWAP_STATE = Contract(
    script="swap-state",
    version=1,
    purpose="where original, temporary and kept file are: before, between or after the swap;"
    " changes nothing",
    changes_host=False,
    arguments=record(
        original=TEXT, temporary=TEXT, kept=TEXT, original_sha256=TEXT, temporary_sha256=TEXT
    ),
    result=record(
        state={"type": "string", "enum": ["before", "between", "after", "foreign"]},
        evidence=TEXT,
    ),
    errors=(),
    cmdlets=(),
)

SWAP_FILES = Contract(
    script="swap-files",
    version=1,
    purpose="renames the original beside itself and moves the temporary file in, after both"
    " headers matched;"
    " goes on from the middle; the flush map goes with its file; rights are kept",
    changes_host=True,
    arguments=record(
        **FENCE,
        original=TEXT,
        temporary=TEXT,
        kept=TEXT,
        original_sha256=TEXT,
        temporary_sha256=TEXT,
    ),
    result=record(state={"type": "string", "enum": ["after"]}),
    errors=(
        "fenced",
        "root-not-private",
        "file-not-found",
        "file-in-use",
        "header-differs",
        "other-volume",
        "path-exists",
    ),
    cmdlets=("Get-Acl", "Set-Acl"),
)

SWAP_BACK = Contract(
    script="swap-back",
    version=2,
    purpose="puts the kept original back after its header matched; the rebuilt file is set"
    " aside, not deleted; where `in_place_sha256` is given, only a file with that header is",
    changes_host=True,
    arguments=record(
        **FENCE,
        original=TEXT,
        temporary=TEXT,
        kept=TEXT,
        original_sha256=TEXT,
        set_aside=TEXT,
        in_place_sha256=maybe(TEXT),
    ),
    result=record(state={"type": "string", "enum": ["before"]}),
    errors=(
        "fenced",
        "root-not-private",
        "file-not-found",
        "file-in-use",
        "header-differs",
        "path-exists",
    ),
    cmdlets=("Get-Acl",),
)

MOVE_ASIDE = Contract(
    script="move-aside",
    version=2,
    purpose="renames a closed database file and its flush map, in its folder or one folder away,"
    " and a streaming file of Exchange 2003 with it, after the database file leaves or before it"
    " comes; nothing is overwritten or deleted, and a file that is not there is said to be missing",
    changes_host=True,
    arguments=optional(
        "streaming", **FENCE, source=TEXT, destination=TEXT,
        streaming={"type": "string", "enum": ["after", "before"]},
    ),
    result=record(was_present=FLAG, is_kept=FLAG),
    errors=(
        "fenced", "root-not-private", "file-in-use", "file-not-found", "path-exists",
        "outside-folder",
    ),
    cmdlets=("Get-Acl",),
)

MOVE_LOGS = Contract(
    script="move-logs",
    version=1,
    purpose="moves logs, reserve logs and checkpoint of one base name into a folder inside theirs,"
    " or back out of it; nothing is overwritten or deleted",
    changes_host=True,
    arguments=record(**FENCE, from_folder=TEXT, to_folder=TEXT, prefix=TEXT),
    result=record(moved=COUNT),
    errors=("fenced", "root-not-private", "file-in-use", "path-exists", "outside-folder"),
    cmdlets=("Get-Acl", "Get-ChildItem"),
)

DELETE_TEMPORARY = Contract(
    script="delete-temporary",
    version=1,
    purpose="deletes the temporary file of a rebuild and its flush map; only below the tool's"
    " own folder",
    changes_host=True,
    arguments=record(**FENCE, path=TEXT, within=TEXT),
    result=record(was_present=FLAG),
    errors=("fenced", "root-not-private", "file-in-use", "outside-folder"),
    cmdlets=("Get-Acl",),
)

READ_REPAIRS = Contract(
    script="read-repairs",
    version=1,
    purpose="what the store of Exchange 2010 wrote of repair requests in the last hours; changes"
    " nothing",
    changes_host=False,
    arguments=record(hours=COUNT),
    result=record(clock=TIME, events=several(EVENT)),
    errors=(),
    cmdlets=("Get-CimInstance", "Get-WinEvent"),
)

READ_SET = Contract(
    script="read-set",
    version=1,
    purpose="the manifest of a backup set that a host reaches; changes nothing",
    changes_host=False,
    arguments=record(folder=TEXT),
    result=record(manifest=BASE64),
    errors=("file-not-found", "too-large"),
    cmdlets=(),
)

SEAL_SET = Contract(
    script="seal-set",
    version=1,
    purpose="writes the manifest of a backup set last and atomically: a set without one is not a"
    " set",
    changes_host=True,
    arguments=record(**FENCE, folder=TEXT, manifest=BASE64),
    result=record(path=TEXT, sha256=TEXT),
    errors=("fenced", "root-not-private", "file-not-found", "disk-full"),
    cmdlets=("Get-Acl",),
)

WRITE_DATABASE_RECORD = Contract(
    script="write-database-record",
    version=1,
    purpose="writes the record of a database that later runs read back as facts",
    changes_host=True,
    arguments=record(**FENCE, database_guid=TEXT, record=ANYTHING),
    result=record(path=TEXT),
    errors=("fenced", "root-not-private"),
    cmdlets=("Get-Acl",),
)

CONTRACTS: Mapping[str, Contract] = {
    contract.script: contract
    for contract in (
        OBSERVE_HOST,
        CLAIM_FENCE,
        WRITE_RECOVERY,
        SENTINEL,
        READ_HEADER,
        START_JOB,
        POLL_JOB,
        CANCEL_JOB,
        SWAP_STATE,
        SWAP_FILES,
        SWAP_BACK,
        MOVE_ASIDE,
        MOVE_LOGS,
        DELETE_TEMPORARY,
        READ_REPAIRS,
        SEAL_SET,
        READ_SET,
        WRITE_DATABASE_RECORD,
        OBSERVE_MTA,
        *RUN_CONTRACTS,
        *CMDLET_CONTRACTS,
        *SERVER_CONTRACTS,
    )
}
