"""`eseutil /r`: logs of one folder replayed into the databases of another.

Shape: an unbroken chain of one signature, the newest under the name of the current log; a database
that is clean comes to the end of the chain as well. Source: the captured output of a soft recovery;
ESE source, logredo.cxx, for what stops it.
"""

from __future__ import annotations

from itertools import pairwise

from goexchange.ese.header import (
    DatabaseHeader,
    DatabaseState,
    read_database_header,
    rewrite_header,
)
from goexchange.ese.jet_errors import JetError
from goexchange.ese.logs import LogHeader, read_log_header
from goexchange.ese.structures import LogPosition, LogTime
from goexchange.world.databases import HEADER_BYTES, page_bytes
from goexchange.world.files import HostFiles, name_of
from goexchange.world.work import Write

_LOG_HEADER_BYTES = 4096
_LOGS_S = 2.0  # Source: the least that the vendor expects of a replay, logs of 1 MB


def recovery_lines(base: str, *, logs: str, system: str, databases: str) -> list[str]:
    """What it prints before its bar."""
    return [
        f"    Logfile base name: {base}",
        f"            Log files: {logs}",
        f"         System files: {system}",
        f"   Database Directory: {databases}",
        "",
        "Performing soft recovery...",
    ]


def recovered(
    files: HostFiles, base: str, *, logs: str, databases: str
) -> tuple[JetError | None, tuple[Write, ...], float]:
    """What stops the replay, what it writes, and how long it takes."""
    chain, error = _chain(files, base, logs)
    if error is not None:
        return error, (), 0.0
    writes: list[Write] = []
    for path in files.names_in(databases):
        if not path.lower().endswith(".edb"):
            continue
        header = read_database_header(files.read(path, 0, HEADER_BYTES)).header
        error = _why_not(header, chain)
        if error is not None or header is None:
            return error or JetError.DatabaseCorrupted, (), 0.0
        writes.append(Write(path=path, content=_replayed(files, path, chain[-1])))
    return None, tuple(writes), len(chain) / _LOGS_S


def _chain(
    files: HostFiles, base: str, folder: str
) -> tuple[tuple[LogHeader, ...], JetError | None]:
    found: list[LogHeader] = []
    current: LogHeader | None = None
    for path in files.names_in(folder):
        name = name_of(path).lower()
        if not name.startswith(base.lower()) or not name.endswith(".log"):
            continue
        header = read_log_header(files.read(path, 0, _LOG_HEADER_BYTES)).header
        if header is None:
            return (), JetError.LogFileCorrupt
        found.append(header)
        if name == f"{base.lower()}.log":
            current = header
    chain = tuple(sorted(found, key=lambda each: each.generation))
    if current is None or chain[-1] is not current:
        return (), JetError.MissingLogFile
    for one, other in pairwise(chain):
        if one.signature != other.signature:
            return (), JetError.BadLogSignature
        if other.generation != one.generation + 1 or other.previous_created != one.created:
            return (), JetError.InvalidLogSequence
    return chain, None


def _why_not(header: DatabaseHeader | None, chain: tuple[LogHeader, ...]) -> JetError | None:
    if header is None:
        return JetError.DatabaseCorrupted
    if header.log_signature != chain[0].signature:
        return JetError.AttachedDatabaseMismatch
    if header.is_clean:
        return None
    first, last = chain[0].generation, chain[-1].generation
    if header.log_required_low < first or header.log_required_high > last:
        return JetError.RequiredLogFilesMissing
    return None


def _replayed(files: HostFiles, path: str, last: LogHeader) -> bytes:
    """The file, shut down cleanly at the end of the chain."""
    position = LogPosition(generation=last.generation, sector=3, byte=0)
    size = page_bytes(files, path)
    slot = rewrite_header(
        files.read(path, 0, size),
        state=DatabaseState.CLEAN_SHUTDOWN,
        log_required_low=0,
        log_required_high=0,
        log_committed=0,
        log_committed_time=LogTime(),
        log_consistent=0,
        last_consistent=position,
        last_consistent_time=last.created,
        last_detach=position,
        last_detach_time=last.created,
    )
    return slot + slot + files.read(path)[2 * size :]
