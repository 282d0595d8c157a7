"""The judgement of what a path holds: a set with its manifest, a loose folder, a single file."""

from __future__ import annotations

from collections.abc import Iterable

from goexchange.backup.chain import StreamLog, chain_findings, log_findings, stream_logs
from goexchange.backup.databases import (
    checkpoint_findings,
    database_findings,
    flush_map_findings,
    needed_logs,
    replay_findings,
)
from goexchange.backup.findings import (
    FileJudgement,
    Finding,
    Found,
    Judgement,
    Verdict,
    Weight,
    damage,
    note,
    unknown,
    warning,
)
from goexchange.backup.manifest import SealedSet, parse_manifest
from goexchange.codec import to_plain
from goexchange.errors import InvalidDocument
from goexchange.ese.logs import LogBody, parse_log_name
from goexchange.ese.rendering import state_words
from goexchange.ese.scan import FileKind, FileScan, MapUse, PathScan
from goexchange.model.backup_set import MANIFEST_NAME, FileRole, SetMethod

_ORDER = (Weight.DAMAGE, Weight.UNKNOWN, Weight.WARNING, Weight.NOTE)
_OF_THE_SET = (FileKind.MANIFEST, FileKind.VERDICT)
_JUDGED = (FileKind.DATABASE, FileKind.LOG, FileKind.CHECKPOINT)


def judge(scan: PathScan) -> Judgement:
    """What a path is good for, and why."""
    found, sealed = _set_findings(scan)
    for each in scan.files:
        found += _file_findings(each)
    databases = tuple(each for each in scan.files if each.kind is FileKind.DATABASE)
    found += _stream_findings(scan.files, databases)
    if not sealed and not any(each.kind in _JUDGED for each in scan.files):
        found.append(unknown(Finding.NOTHING_RECOGNISED, "", "there is no ESE file among them"))
    findings = _unique(sorted(found, key=lambda each: _ORDER.index(each.weight)))
    return Judgement(
        path=scan.path,
        verdict=_after_sampling(_verdict(databases, findings), scan.files),
        findings=findings,
        files=tuple(_file_judgement(each, findings) for each in scan.files),
        set_id=sealed.body.set_id if sealed else None,
        set_sha256=sealed.sha256 if sealed else None,
    )


def plain_judgement(judgement: Judgement) -> object:
    """The judgement as plain JSON values."""
    return to_plain(judgement)


def _set_findings(scan: PathScan) -> tuple[list[Found], SealedSet | None]:
    """What the manifest has to say about the files, where there is one."""
    if scan.manifest is None:
        return [], None
    try:
        sealed = parse_manifest(scan.manifest)
    except InvalidDocument as error:
        return [damage(Finding.MANIFEST_INVALID, MANIFEST_NAME, str(error))], None
    found = []
    present = {each.path: each for each in scan.files if each.kind not in _OF_THE_SET}
    for listed in sealed.body.files:
        blocks = listed.role in (FileRole.DATABASE, FileRole.STREAMING)
        file = present.pop(listed.path) if listed.path in present else None
        if file is None:
            detail = "the manifest lists it, and it is not there"
            found.append(damage(Finding.FILE_MISSING, listed.path, detail, blocks=blocks))
        elif file.size_bytes != listed.size_bytes:
            detail = f"{file.size_bytes} bytes, and the manifest says {listed.size_bytes}"
            found.append(damage(Finding.SIZE_DIFFERS, listed.path, detail, blocks=blocks))
        elif file.sha256 is None and not file.is_sampled:
            detail = "its digest was not taken, so it cannot be compared with the manifest"
            found.append(unknown(Finding.DIGEST_UNKNOWN, listed.path, detail))
        elif file.sha256 not in (None, listed.sha256):
            detail = "its content is not what the manifest was sealed over"
            found.append(damage(Finding.DIGEST_DIFFERS, listed.path, detail, blocks=blocks))
    for path in present:
        found.append(warning(Finding.FILE_EXTRA, path, "the manifest does not list it"))
    return found + _promise_findings(sealed), sealed


def _promise_findings(sealed: SealedSet) -> list[Found]:
    found = []
    if sealed.body.method is SetMethod.EVIDENCE:
        detail = "taken as evidence before a repair: not a sound way back"
        found.append(warning(Finding.EVIDENCE_ONLY, "", detail))
    for first, last in sealed.body.restores.missing_generations:
        detail = f"generations 0x{first:X} to 0x{last:X} were missing when it was made"
        found.append(warning(Finding.ROLL_FORWARD_INCOMPLETE, "", detail))
    return found


def _file_findings(file: FileScan) -> list[Found]:
    found = []
    if file.read_error is not None:
        blocks = file.kind is FileKind.DATABASE
        detail = f"it could not be read to its end: {file.read_error}"
        found.append(damage(Finding.READ_ERROR, file.path, detail, blocks=blocks))
    if file.is_sampled:
        detail = "read in part only, as was asked for; the rest and its digest are not known"
        found.append(note(Finding.SAMPLED, file.path, detail))
    if file.path.lower().endswith(".stm"):
        detail = (
            "the checksums of a streaming file lie in its database, and only the server's own"
            " eseutil reads them (`eseutil /k DB.edb /sDB.stm`)"
        )
        found.append(unknown(Finding.STREAMING_NOT_CHECKED, file.path, detail))
    return found + database_findings(file) + log_findings(file) + flush_map_findings(file)


def _stream_findings(files: tuple[FileScan, ...], databases: tuple[FileScan, ...]) -> list[Found]:
    """Chains are judged per folder and base name; databases against all logs beside them."""
    found = []
    streams = _streams(files)
    for logs in streams.values():
        found += chain_findings(logs)
    every = tuple(log for logs in streams.values() for log in logs)
    for database in databases:
        found += replay_findings(database, _logs_beside(database, every, len(databases)))
    for file in files:
        found += checkpoint_findings(file, databases if len(databases) == 1 else ())
    return found


def _streams(files: tuple[FileScan, ...]) -> dict[tuple[str, str], tuple[StreamLog, ...]]:
    by_stream: dict[tuple[str, str], list[FileScan]] = {}
    for each in files:
        folder, _, name = each.path.rpartition("/")
        parsed = parse_log_name(name)
        if each.kind is FileKind.LOG and parsed is not None:
            by_stream.setdefault((folder, parsed.base.lower()), []).append(each)
    return {stream: stream_logs(tuple(logs)) for stream, logs in by_stream.items()}


def _logs_beside(
    database: FileScan, logs: tuple[StreamLog, ...], databases: int
) -> tuple[StreamLog, ...]:
    """All logs when there is one database, else those of its signature: the rest may be others'."""
    header = database.database.reading.header if database.database is not None else None
    if databases == 1 or header is None:
        return logs
    return tuple(each for each in logs if each.header.signature == header.log_signature)


def _verdict(databases: tuple[FileScan, ...], findings: tuple[Found, ...]) -> Verdict:
    is_undecided = any(each.weight is Weight.UNKNOWN for each in findings)
    if any(each.blocks_restore for each in findings):
        return Verdict.NOT_RESTORABLE
    if any(each.finding is Finding.MANIFEST_INVALID for each in findings):
        return Verdict.NOT_RESTORABLE
    if is_undecided:
        return Verdict.UNDECIDED
    if not databases:
        is_damaged = any(each.weight is Weight.DAMAGE for each in findings)
        return Verdict.DAMAGED if is_damaged else Verdict.SOUND
    is_complete = all(_is_complete(each) for each in databases)
    return Verdict.RESTORABLE if is_complete else Verdict.RESTORABLE_WITH_REPLAY


def _is_complete(file: FileScan) -> bool:
    header = file.database.reading.header if file.database is not None else None
    return header is not None and header.is_clean and needed_logs(file.database) is None


def _after_sampling(verdict: Verdict, files: tuple[FileScan, ...]) -> Verdict:
    """What a part proved is not proved of the whole."""
    passes = (Verdict.RESTORABLE, Verdict.RESTORABLE_WITH_REPLAY, Verdict.SOUND)
    is_sampled = any(each.is_sampled for each in files)
    return Verdict.SAMPLE_SOUND if is_sampled and verdict in passes else verdict


def _unique(findings: Iterable[Found]) -> tuple[Found, ...]:
    return tuple(dict.fromkeys(findings))


def _file_judgement(file: FileScan, findings: tuple[Found, ...]) -> FileJudgement:
    is_damaged = any(
        each.path == file.path and each.weight in (Weight.DAMAGE, Weight.UNKNOWN)
        for each in findings
    )
    return FileJudgement(
        path=file.path,
        kind=file.kind.value,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        summary=_summary(file),
        is_damaged=is_damaged,
    )


def _summary(file: FileScan) -> str:
    if file.database is not None and file.database.reading.header is not None:
        scan, header = file.database, file.database.reading.header
        counts = f"{scan.file_pages} pages of {header.page_size // 1024} KiB"
        if header.is_temporary:
            return f"{state_words(header.state)}, {counts}, whose checksums are not kept"
        counts += f": {scan.pages.good} good, {scan.pages.blank} blank, {scan.pages.faulty} faulty"
        has_witness = scan.flush_map is MapUse.USED and not scan.stale.count
        behind = ", flush map agrees" if has_witness else ""
        behind += f", {scan.beyond.pages} beyond those owned" if scan.beyond.pages else ""
        return f"{state_words(header.state)}, {counts}{behind}"
    if file.log is not None and file.log.reading.header is not None:
        header_generation = file.log.reading.header.generation
        return f"generation 0x{header_generation:X}{_body_words(file.log.body)}"
    if file.checkpoint is not None and file.checkpoint.checkpoint is not None:
        return f"recovery starts at {file.checkpoint.checkpoint.position}"
    if file.flush_map is not None and file.flush_map.header is not None:
        return f"{file.flush_map.pages} pages, {file.flush_map.bad_pages} bad"
    if file.kind in (FileKind.RESERVE_LOG, FileKind.TEMPORARY_LOG):
        return "not needed, not judged"
    if file.kind is FileKind.MANIFEST:
        return "the set's manifest"
    if file.kind is FileKind.VERDICT:
        return "a verifier's verdict, not judged"
    return "compared by digest only" if file.kind is FileKind.OTHER else "unreadable"


def _body_words(body: LogBody | None) -> str:
    if body is None or not body.is_checked:
        return ""
    return f", {body.live} {'records' if body.is_of_records else 'segments'}"
