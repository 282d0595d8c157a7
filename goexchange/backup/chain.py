"""Logs of one stream: each by itself, and as an unbroken chain.

Source: ESE source, _log/logdump.cxx and logredo.cxx: signatures, generations, times and accumulated
checksums.
"""

from __future__ import annotations

from itertools import pairwise

from attrs import frozen

from goexchange.backup.findings import Finding, Found, damage, note, warning
from goexchange.ese.logs import LogBody, LogHeader, parse_log_name
from goexchange.ese.rendering import signature_words
from goexchange.ese.scan import FileScan
from goexchange.ese.structures import Signature

_CHECKSUM_RECORDED_FROM = (8, 4000, 0, 13)


@frozen
class StreamLog:
    """A log with a readable header."""

    file: FileScan
    header: LogHeader
    body: LogBody | None

    @property
    def is_usable(self) -> bool:
        """Nothing is known against its use in a replay (an unchecked body is taken on trust)."""
        is_whole = self.file.read_error is None and self.file.size_bytes == self.header.file_bytes
        return is_whole and (self.body is None or not self.body.is_checked or self.body.is_good)


def stream_logs(files: tuple[FileScan, ...]) -> tuple[StreamLog, ...]:
    """The logs with a readable header, by generation."""
    logs = [
        StreamLog(each, each.log.reading.header, each.log.body)
        for each in files
        if each.log is not None and each.log.reading.header is not None
    ]
    return tuple(sorted(logs, key=lambda log: (log.header.generation, log.file.path)))


def log_findings(file: FileScan) -> list[Found]:
    """What is wrong with one log by itself."""
    if file.log is None:
        return []
    reading, body = file.log.reading, file.log.body
    header = reading.header
    if header is None:
        reason = reading.problem.value if reading.problem else "unreadable"
        detail = f"the header cannot be used ({reason}); there is no second copy of it (-501)"
        return [damage(Finding.LOG_DAMAGED, file.path, detail)]
    found = []
    if file.size_bytes != header.file_bytes:
        sizes = f"{file.size_bytes} bytes, but its header says {header.file_bytes} (-541)"
        found.append(damage(Finding.LOG_SIZE_WRONG, file.path, sizes))
    name = parse_log_name(file.path.rsplit("/", 1)[-1])
    if name is not None and name.generation not in (None, header.generation):
        detail = f"the header says generation 0x{header.generation:X} (-513)"
        found.append(damage(Finding.LOG_NAME_WRONG, file.path, detail))
    return found + _body_findings(file.path, body)


def chain_findings(logs: tuple[StreamLog, ...]) -> list[Found]:
    """What is wrong between the logs of one folder and base name, in order of generation."""
    return [found for pair in pairwise(logs) for found in _pair_findings(*pair)]


def foreign_logs(logs: tuple[StreamLog, ...], signature: Signature) -> tuple[StreamLog, ...]:
    """Logs of another stream than the signature's."""
    return tuple(each for each in logs if each.header.signature != signature)


def _body_findings(path: str, body: LogBody | None) -> list[Found]:
    if body is None or not body.is_checked:
        detail = "the body of a log of this format is not checked"
        return [note(Finding.LOG_BODY_NOT_CHECKED, path, detail)]
    found = []
    if body.is_of_records:
        detail = "format 7: its records are checked by the published source, no real file was seen"
        found.append(note(Finding.LOG_BODY_BY_SOURCE, path, detail))
    if body.is_out_of_order:
        detail = "data follows an empty segment (-501)"
        found.append(damage(Finding.LOG_DAMAGED, path, detail))
    elif body.bad and body.is_repairable:
        detail = "the last write is torn; the engine mends it from its shadow on replay"
        found.append(warning(Finding.LOG_TORN, path, detail))
    elif body.bad and body.is_of_records:
        place = f"sector {body.first_bad_segment}"
        detail = f"its chain of {body.live} checksum records breaks at {place} (-501)"
        found.append(damage(Finding.LOG_DAMAGED, path, detail))
    elif body.bad:
        detail = f"{body.bad} bad segments, the first is {body.first_bad_segment} (-501)"
        found.append(damage(Finding.LOG_DAMAGED, path, detail))
    if body.correctable:
        detail = f"{body.correctable} segments with one flipped bit, which the engine corrects"
        found.append(warning(Finding.LOG_CORRECTABLE, path, detail))
    return found


def _pair_findings(before: StreamLog, after: StreamLog) -> list[Found]:
    path, first, second = after.file.path, before.header, after.header
    if first.signature != second.signature:
        detail = (
            f"another log stream than {before.file.path}: "
            f"{signature_words(second.signature)} (-530)"
        )
        return [damage(Finding.LOG_SIGNATURE_FOREIGN, path, detail)]
    if first.generation == second.generation:
        detail = f"generation 0x{second.generation:X} is also in {before.file.path}"
        return [damage(Finding.LOG_GENERATION_TWICE, path, detail)]
    if first.generation + 1 != second.generation:
        gap = f"0x{first.generation + 1:X} to 0x{second.generation - 1:X}"
        return [damage(Finding.LOG_GAP, path, f"generations {gap} are missing before it (-528)")]
    if second.previous_created != first.created:
        detail = f"it does not follow the generation in {before.file.path}: times differ (-515)"
        return [damage(Finding.LOG_CHAIN_BROKEN, path, detail)]
    if _is_checksum_wrong(before, second):
        detail = f"it does not follow the content of {before.file.path}: checksums differ (-590)"
        return [damage(Finding.LOG_CHAIN_BROKEN, path, detail)]
    return []


def _is_checksum_wrong(before: StreamLog, after: LogHeader) -> bool:
    version = (after.major, after.minor, 0, after.update_minor)
    if before.body is None or before.body.is_of_records or not before.body.is_good:
        return False
    if version < _CHECKSUM_RECORDED_FROM or not after.previous_checksum:
        return False
    # A corrected segment counts with its stored checksum, so the sum holds for it, too.
    return after.previous_checksum != before.body.accumulated_checksum
