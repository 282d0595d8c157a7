"""The contracts of the message transfer agent of Exchange 2003: how it is observed, and the host
job that runs `mtacheck`.
"""

from __future__ import annotations

from goexchange.powershell.contract import (
    BASE64,
    COUNT,
    EVENT,
    TEXT,
    TIME,
    Contract,
    Schema,
    maybe,
    record,
    several,
)

_SERVICE = record(name=TEXT, state=TEXT, start_type=TEXT)
_TOOL: Schema = record(path=TEXT, version=TEXT)
_MTA: Schema = record(
    service=_SERVICE,
    dependents=several(_SERVICE),
    tool=maybe(TEXT),
    data_folder=maybe(TEXT),
    files=COUNT,
    size_bytes=COUNT,
    taken_out=COUNT,
    events=several(EVENT),
)

OBSERVE_MTA = Contract(
    script="observe-mta",
    version=1,
    purpose="build, eseutil, message transfer agent and its queue database of a server with"
    " Exchange 2003, which has no cmdlets; changes nothing",
    changes_host=False,
    arguments=record(events_since=TIME),
    result=record(store_version=maybe(TEXT), eseutil=maybe(_TOOL), mta=maybe(_MTA)),
    errors=(),
    cmdlets=("Get-CimInstance", "Get-Service"),
)

# removes: switches of mtacheck that delete messages of one kind; evidence: the folder to which what
# lies in `mtacheck.out` is moved, before and after
MTACHECK_REQUEST = record(
    mtacheck=TEXT,
    data_folder=TEXT,
    evidence=TEXT,
    removes=several({"type": "string", "enum": ["rd", "rp", "rl"]}),
)
# log: what mtacheck wrote with /f; taken_out: where each file from `mtacheck.out` lies now
MTACHECK_RESULT = record(log=BASE64, taken_out=several(TEXT), error_output=BASE64)
