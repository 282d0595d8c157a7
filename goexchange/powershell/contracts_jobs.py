"""What each kind of host job is asked for, and what it leaves in its result.

Shape: by the `kind` of start-job; requests are what plans hold, results what job runners write and
poll-job answers with. Sizes are bytes, times RFC 3339 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping

from goexchange.powershell.contract import (
    BASE64,
    COUNT,
    FLAG,
    INTEGER,
    TEXT,
    TIME,
    Schema,
    maybe,
    record,
    several,
)
from goexchange.powershell.contracts_accounts import TRIAL_REQUEST, TRIAL_RESULT
from goexchange.powershell.contracts_mta import MTACHECK_REQUEST, MTACHECK_RESULT

# Requests and results of the kinds of host job. The runner (`job-runner.ps1`) writes `result` into
# the exit record.
TRANSFER = record(source=TEXT, destination=TEXT)
COPIED_FILE = record(path=TEXT, size_bytes=COUNT, sha256=TEXT)
SERVICE = record(name=TEXT, state=TEXT, start_type=TEXT)
JOB_REQUESTS: Mapping[str, Schema] = {
    "eseutil": record(
        eseutil=TEXT, arguments=several(TEXT), must_not_exist=several(TEXT), folder=TEXT
    ),
    # `bytes_per_s` may be left out: as fast as it goes; `continues`: what an earlier attempt has
    # written is kept as far as it is what the source has, else what is there is refused
    "copy-files": {
        **record(files=several(TRANSFER), bytes_per_s=COUNT, continues=FLAG),
        "required": ["files"],
    },
    "hash-files": record(files=several(TEXT)),
    "wbadmin": record(target=TEXT, volumes=several(TEXT)),
    # empty lists of words are commands that are not declared; `settle_s`: how long a state that is
    # the same as before the start is not believed
    "agent": record(
        start=several(TEXT),
        state=several(TEXT),
        stop=several(TEXT),
        copies=several(TEXT),
        states=several(record(prints=TEXT, means=TEXT)),
        poll_every_s=COUNT,
        settle_s=COUNT,
        limit_s=COUNT,
    ),
    # volumes: mount points; every database whose logs the end of the backup truncates is copied
    "diskshadow": record(
        target=TEXT,
        volumes=several(TEXT),
        eseutil=TEXT,
        databases=several(record(path=TEXT, log_folder=TEXT, log_prefix=TEXT)),
    ),
    # selection: the lines of its selection file; files: those of the database that is to be backed
    # up, whose sizes are taken down before the start
    "ntbackup": record(target=TEXT, selection=several(TEXT), files=several(TEXT)),
    "export-configuration": record(
        folder=TEXT, registry_keys=several(TEXT), paths=several(TEXT), system_state=FLAG
    ),
    "command": record(command=several(TEXT), follow=maybe(TEXT)),  # follow: an image name
    "try-folders": TRIAL_REQUEST,
    "seal-set": record(folder=TEXT, manifest=BASE64),
    # until the verdict of a verifier machine over the set with that digest lies in its folder
    "await-verdict": record(folder=TEXT, set_sha256=TEXT, wait_s=COUNT),
    "mtacheck": MTACHECK_REQUEST,
    # one database of the server's, by the names that isinteg lists
    "isinteg": record(tool=TEXT, server=TEXT, group=TEXT, database=TEXT, fix=FLAG),
    # record: the name under which the host keeps what there was before
    "stop-services": record(root=TEXT, record=TEXT, services=several(TEXT)),
    "restore-services": record(root=TEXT, record=TEXT),
}
JOB_RESULTS: Mapping[str, Schema] = {
    "eseutil": record(error_output=BASE64),
    # sha256 taken of the source while it was copied
    "copy-files": record(files=several(COPIED_FILE), kept_bytes=COUNT),
    "hash-files": record(files=several(COPIED_FILE)),  # read past the cache
    "wbadmin": record(error_output=BASE64),
    # the first look is from before the start; later ones where the output changed, and the last
    "agent": record(
        ended={"type": "string", "enum": ["state", "running-already", "not-started", "limit"]},
        start_exit_code=maybe(INTEGER),
        stop_exit_code=maybe(INTEGER),
        looks=several(record(at=TIME, exit_code=maybe(INTEGER), output=BASE64)),
        copies_before=BASE64,
        copies_after=BASE64,
        error_output=BASE64,
    ),
    # ended: the script came past the end of the backup; copied: nothing where it never came to the
    # copy, `message` why that failed; left: exposed shadow copies that could not be deleted
    "diskshadow": record(
        ended=FLAG,
        copied=maybe(
            record(
                at=TIME,
                files=several(record(path=TEXT, size_bytes=COUNT, sha256=TEXT, read_sha256=TEXT)),
                checks=several(record(path=TEXT, exit_code=maybe(INTEGER), output=BASE64)),
                message=maybe(TEXT),
            )
        ),
        left=several(TEXT),
        error_output=BASE64,
    ),
    # ended: with its process, or it was not begun beside somebody else's; file: the backup file as
    # it is after that, nothing where there is none; log: its own, of since the start
    "ntbackup": record(
        ended={"type": "string", "enum": ["process", "running-already"]},
        file=maybe(record(path=TEXT, size_bytes=COUNT, written_at=TIME)),
        sizes=several(record(path=TEXT, size_bytes=COUNT)),
        was_other_seen=FLAG,
        log=maybe(record(path=TEXT, content=BASE64)),
        error_output=BASE64,
    ),
    "export-configuration": record(files=several(COPIED_FILE), missing=several(TEXT)),
    # followed: how many processes beside the program itself were waited for
    "command": record(error_output=BASE64, left_out_bytes=COUNT, followed=COUNT),
    # ended: it ran, or was ended before it began: the database was not offered, another one was
    # named, or no question came
    "isinteg": record(
        error_output=BASE64,
        ended={"type": "string", "enum": ["run", "not-offered", "other-database", "silent"]},
    ),
    "stop-services": record(services=several(SERVICE)),  # as they were, in the order of stopping
    "restore-services": record(services=several(SERVICE)),  # as they are now
    "mtacheck": MTACHECK_RESULT,
    "try-folders": TRIAL_RESULT,
    "seal-set": record(path=TEXT, sha256=TEXT),
    # content: what lay there in the end, its first 256 KiB
    "await-verdict": record(exists=FLAG, content=maybe(BASE64)),
}
