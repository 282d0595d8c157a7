"""What files of a backup are good for, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from attrs import evolve

from goexchange.backup.check import judge, plain_judgement
from goexchange.backup.findings import Finding, Judgement, Verdict, Weight
from goexchange.backup.manifest import manifest_bytes, restores
from goexchange.ese.checkpoint import Checkpoint, CheckpointProblem, CheckpointReading
from goexchange.ese.header import DatabaseHeader, DatabaseState, HeaderProblem, rebuild
from goexchange.ese.logs import LogBody, LogProblem, LogReading
from goexchange.ese.pages import PageFault, PageFinding, PageVerdicts
from goexchange.ese.scan import FileKind, FileScan, LogScan, PathScan
from goexchange.ese.structures import Signature
from goexchange.model.backup_set import BackupSet, FileRole, SetFile, SetMethod

Scan = Callable[..., FileScan]


def judged(*files: FileScan, manifest: bytes | None = None) -> Judgement:
    return judge(PathScan(path="set", files=files, manifest=manifest))


def ids(judgement: Judgement) -> set[Finding]:
    return {each.finding for each in judgement.findings}


@pytest.fixture
def dirty(header: DatabaseHeader) -> DatabaseHeader:
    return rebuild(
        header,
        state=DatabaseState.DIRTY_SHUTDOWN,
        log_required_low=0x13,
        log_required_high=0x14,
        log_committed=0x15,
    )


def test_a_clean_sound_database_is_restorable_alone(header: DatabaseHeader, database: Scan):
    judgement = judged(database(header))
    assert (judgement.verdict, judgement.findings) == (Verdict.RESTORABLE, ())
    assert judgement.files[0].summary.startswith("Clean Shutdown, 100 pages of 32 KiB")


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"pages": PageVerdicts(pages=100, good=99, bad=1)}, Finding.PAGES_DAMAGED),
        ({"pages": PageVerdicts(pages=100, good=98, misplaced=2)}, Finding.PAGES_MISPLACED),
        ({"owned_pages": 101}, Finding.TRUNCATED),
    ],
)
def test_damage_to_the_database_blocks_its_restore(
    header: DatabaseHeader, database: Scan, changes: dict[str, object], finding: Finding
):
    judgement = judged(database(header, **changes))
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    assert ids(judgement) == {finding}
    assert judgement.is_damaged and judgement.files[0].is_damaged


def test_the_pages_are_named_with_what_is_known_of_them(header: DatabaseHeader, database: Scan):
    findings = (
        PageFinding(page=7, fault=PageFault.BAD),
        PageFinding(page=8, fault=PageFault.MISPLACED, belongs_at=9),
        PageFinding(page=10, fault=PageFault.CORRECTABLE, bit=17),
    )
    pages = PageVerdicts(pages=100, good=97, bad=1, misplaced=1, correctable=1, findings=findings)
    details = {each.finding: each.detail for each in judged(database(header, pages=pages)).findings}
    assert details[Finding.PAGES_DAMAGED] == "1 of 100 pages: page 7 (-1018)"
    assert "page 8 (belongs at 9)" in details[Finding.PAGES_MISPLACED]
    assert "page 10 (bit 17)" in details[Finding.PAGES_CORRECTABLE]


@pytest.mark.parametrize(
    ("changes", "finding", "weight"),
    [
        (
            {"pages": PageVerdicts(pages=100, good=99, correctable=1)},
            Finding.PAGES_CORRECTABLE,
            Weight.WARNING,
        ),
        ({"beyond": PageVerdicts(pages=9, bad=9)}, Finding.JUNK_BEYOND_OWNED, Weight.WARNING),
        ({"trailing_bytes": 5}, Finding.TRAILING_BYTES, Weight.DAMAGE),
    ],
)
def test_what_the_engine_lives_with_is_said_and_does_not_block(
    header: DatabaseHeader,
    database: Scan,
    changes: dict[str, object],
    finding: Finding,
    weight: Weight,
):
    judgement = judged(database(header, **changes))
    assert judgement.verdict is Verdict.RESTORABLE
    assert [(each.finding, each.weight) for each in judgement.findings] == [(finding, weight)]


def test_an_unknown_size_never_passes(header: DatabaseHeader, database: Scan):
    judgement = judged(database(header, owned_pages=None))
    assert judgement.verdict is Verdict.UNDECIDED
    assert judgement.files[0].is_damaged


def test_header_troubles(header: DatabaseHeader, database: Scan):
    assert ids(judged(database(None))) == {Finding.HEADER_UNREADABLE}
    assert judged(database(None)).verdict is Verdict.NOT_RESTORABLE
    file = database(header)
    assert file.database is not None
    reading = evolve(file.database.reading, problems=(HeaderProblem.PRIMARY_BAD,))
    one_bad = evolve(file, database=evolve(file.database, reading=reading))
    judgement = judged(one_bad)
    assert (judgement.verdict, ids(judgement)) == (Verdict.RESTORABLE, {Finding.HEADER_COPY_BAD})


@pytest.mark.parametrize(
    "state",
    [
        DatabaseState.JUST_CREATED,
        DatabaseState.BEING_CONVERTED,
        DatabaseState.INCREMENTAL_RESEED,
        DatabaseState.REVERT_IN_PROGRESS,
        DatabaseState.ILLEGAL,
    ],
)
def test_some_states_are_no_backup(header: DatabaseHeader, database: Scan, state: DatabaseState):
    judgement = judged(database(rebuild(header, state=state)))
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    assert Finding.STATE_UNUSABLE in ids(judgement)


def test_a_repaired_database_is_restorable_and_loudly_so(header: DatabaseHeader, database: Scan):
    judgement = judged(database(rebuild(header, repair_count=2)))
    assert (judgement.verdict, ids(judgement)) == (Verdict.RESTORABLE, {Finding.REPAIRED})


def test_a_dirty_database_needs_its_logs(dirty: DatabaseHeader, database: Scan, log: Scan):
    complete = judged(database(dirty), log(0x13), log(0x14), log(0x15, "E00.log"))
    assert (complete.verdict, complete.findings) == (Verdict.RESTORABLE_WITH_REPLAY, ())
    lossy = judged(database(dirty), log(0x13), log(0x14))
    assert (lossy.verdict, ids(lossy)) == (
        Verdict.RESTORABLE_WITH_REPLAY,
        {Finding.COMMITTED_LOG_MISSING},
    )
    assert lossy.is_damaged
    useless = judged(database(dirty), log(0x14), log(0x15))
    assert useless.verdict is Verdict.NOT_RESTORABLE
    (finding,) = (each for each in useless.findings if each.finding is Finding.REQUIRED_LOG_MISSING)
    assert "0x13" in finding.detail


def test_a_damaged_required_log_counts_as_missing(dirty: DatabaseHeader, database: Scan, log: Scan):
    broken = log(0x14)
    assert broken.log is not None
    body = LogBody(live=3, bad=1, first_bad_segment=4)
    broken = evolve(broken, log=evolve(broken.log, body=body))
    judgement = judged(database(dirty), log(0x13), broken, log(0x15))
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    assert {Finding.LOG_DAMAGED, Finding.REQUIRED_LOG_MISSING} <= ids(judgement)


def test_a_broken_chain_within_the_required_logs_blocks(
    dirty: DatabaseHeader, database: Scan, log: Scan
):
    judgement = judged(database(dirty), log(0x13), log(0x14, previous_checksum=99), log(0x15))
    assert (judgement.verdict, ids(judgement)) == (
        Verdict.NOT_RESTORABLE,
        {Finding.LOG_CHAIN_BROKEN},
    )


def test_logs_made_at_another_time_are_not_the_databases_own(
    dirty: DatabaseHeader, database: Scan, log: Scan
):
    other = rebuild(dirty, log_required_time=dirty.last_consistent_time)
    logs = (log(0x13), log(0x14), log(0x15))
    assert judged(database(other), *logs).verdict is Verdict.RESTORABLE_WITH_REPLAY
    other = rebuild(dirty, log_required_time=dirty.signature.created)
    judgement = judged(database(other), *logs)
    assert judgement.verdict is Verdict.NOT_RESTORABLE
    assert Finding.LOGS_OF_ANOTHER_TIME in ids(judgement)


FOREIGN = Signature(random=5)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"signature": FOREIGN}, Finding.LOG_SIGNATURE_FOREIGN),
        ({"previous_created": Signature().created}, Finding.LOG_CHAIN_BROKEN),
        ({"previous_checksum": 99}, Finding.LOG_CHAIN_BROKEN),
        ({"name": "E0000000077.log"}, Finding.LOG_NAME_WRONG),
        ({"generation": 0x13}, Finding.LOG_GENERATION_TWICE),
        ({"generation": 0x16}, Finding.LOG_GAP),
    ],
)
def test_each_way_in_which_a_chain_can_break_is_named(
    header: DatabaseHeader,
    database: Scan,
    log: Scan,
    change: dict[str, object],
    finding: Finding,
):
    name = "E00.log" if "generation" in change else None
    broken = log(**({"generation": 0x14, "name": name} | change))
    judgement = judged(database(header), log(0x12), log(0x13), broken)
    assert finding in ids(judgement)
    assert judgement.is_damaged
    assert judgement.verdict is Verdict.RESTORABLE  # a clean database needs none of them


def test_a_checksum_that_was_not_recorded_is_no_break(log: Scan):
    assert judged(log(0x13), log(0x14, previous_checksum=0)).verdict is Verdict.SOUND
    old = log(0x14, previous_checksum=99, update_minor=12)
    assert judged(log(0x13), old).verdict is Verdict.SOUND


def test_a_single_log(log: Scan):
    assert judged(log(0x13)).verdict is Verdict.SOUND
    lost = LogScan(reading=LogReading(header=None, problem=LogProblem.CHECKSUM), body=None)
    assert judged(evolve(log(0x13), log=lost)).verdict is Verdict.DAMAGED
    assert ids(judged(evolve(log(0x13), size_bytes=9))) == {Finding.LOG_SIZE_WRONG}
    unchecked = log(0x13, major=7)
    assert unchecked.log is not None
    unchecked = evolve(unchecked, log=evolve(unchecked.log, body=LogBody(is_checked=False)))
    assert ids(judged(unchecked)) == {Finding.LOG_BODY_NOT_CHECKED}


def test_a_replay_over_records_that_are_not_checked_is_undecided(
    dirty: DatabaseHeader, database: Scan, log: Scan
):
    unchecked = tuple(
        evolve(each, log=evolve(each.log, body=LogBody(is_checked=False)))
        for each in (log(0x13), log(0x14), log(0x15))
        if each.log is not None
    )
    judgement = judged(database(dirty), *unchecked)
    assert (judgement.verdict, ids(judgement)) == (
        Verdict.UNDECIDED,
        {Finding.LOG_BODY_NOT_CHECKED},
    )


def checkpoint_scan(reading: CheckpointReading) -> FileScan:
    return FileScan(path="E00.chk", size_bytes=8192, kind=FileKind.CHECKPOINT, checkpoint=reading)


def test_checkpoints(header: DatabaseHeader, database: Scan):
    own = CheckpointReading(checkpoint=Checkpoint(signature=header.log_signature))
    assert judged(database(header), checkpoint_scan(own)).findings == ()
    foreign = CheckpointReading(checkpoint=Checkpoint(signature=FOREIGN))
    judgement = judged(database(header), checkpoint_scan(foreign))
    assert ids(judgement) == {Finding.CHECKPOINT_FOREIGN}
    assert judgement.verdict is Verdict.RESTORABLE
    lost = CheckpointReading(checkpoint=None, problems=(CheckpointProblem.UNREADABLE,))
    assert ids(judged(checkpoint_scan(lost))) == {Finding.CHECKPOINT_DAMAGED}


def test_a_temporary_database_has_no_verdict_on_its_pages(header: DatabaseHeader, database: Scan):
    temporary = rebuild(header, state=DatabaseState.JUST_CREATED, dbid=0)
    pages = PageVerdicts(pages=100, bad=100)
    judgement = judged(database(temporary, pages=pages))
    assert ids(judgement) == {Finding.NO_CHECKSUMS, Finding.STATE_UNUSABLE}


def test_a_file_that_cannot_be_read_is_damage(header: DatabaseHeader, database: Scan):
    judgement = judged(evolve(database(header), read_error="Input/output error"))
    assert (judgement.verdict, ids(judgement)) == (Verdict.NOT_RESTORABLE, {Finding.READ_ERROR})


def test_nothing_recognised_is_undecided():
    other = FileScan(path="a.txt", size_bytes=1, kind=FileKind.OTHER)
    assert judged(other).verdict is Verdict.UNDECIDED
    assert judged().verdict is Verdict.UNDECIDED


@pytest.fixture
def sealed(header: DatabaseHeader, database: Scan, log: Scan) -> BackupSet:
    def entry(scan: FileScan, role: FileRole) -> SetFile:
        assert scan.sha256 is not None
        return SetFile(
            role=role,
            path=scan.path,
            source_path=scan.path,
            size_bytes=scan.size_bytes,
            sha256=scan.sha256,
            reason="",
        )

    return BackupSet(
        set_id="s",
        server="EX1",
        database="DB01",
        database_guid="g",
        taken_at_utc=datetime(2024, 3, 9, tzinfo=UTC),
        run="r",
        plan="p",
        method=SetMethod.OFFLINE_COPY,
        files=(entry(database(header), FileRole.DATABASE), entry(log(0x14), FileRole.LOG)),
        restores=restores(header, missing_generations=()),
    )


def test_a_set_that_is_what_its_manifest_says(
    sealed: BackupSet, header: DatabaseHeader, database: Scan, log: Scan
):
    manifest = manifest_bytes(sealed)
    judgement = judged(database(header), log(0x14), manifest=manifest)
    assert (judgement.verdict, judgement.findings) == (Verdict.RESTORABLE, ())
    assert judgement.set_id == "s" and judgement.set_sha256


def test_a_set_that_is_not(sealed: BackupSet, header: DatabaseHeader, database: Scan, log: Scan):
    manifest = manifest_bytes(sealed)
    whole, beside = database(header), log(0x14)
    flipped = judged(evolve(whole, sha256="0" * 64), beside, manifest=manifest)
    assert (flipped.verdict, ids(flipped)) == (Verdict.NOT_RESTORABLE, {Finding.DIGEST_DIFFERS})
    short = judged(evolve(whole, size_bytes=1), beside, manifest=manifest)
    assert (short.verdict, ids(short)) == (Verdict.NOT_RESTORABLE, {Finding.SIZE_DIFFERS})
    lost = judged(whole, manifest=manifest)
    assert (lost.verdict, ids(lost)) == (Verdict.RESTORABLE, {Finding.FILE_MISSING})
    assert lost.is_damaged
    extra = FileScan(path="x.txt", size_bytes=1, kind=FileKind.OTHER)
    more = judged(whole, beside, extra, manifest=manifest)
    assert (more.verdict, ids(more)) == (Verdict.RESTORABLE, {Finding.FILE_EXTRA})
    unread = judged(evolve(whole, sha256=None), beside, manifest=manifest)
    assert (unread.verdict, ids(unread)) == (Verdict.UNDECIDED, {Finding.DIGEST_UNKNOWN})
    edited = judged(whole, beside, manifest=manifest.replace(b"EX1", b"EX2"))
    assert (edited.verdict, ids(edited)) == (Verdict.NOT_RESTORABLE, {Finding.MANIFEST_INVALID})


def test_evidence_and_an_incomplete_roll_forward_are_said(
    sealed: BackupSet, header: DatabaseHeader, database: Scan, log: Scan
):
    gap = evolve(sealed.restores, missing_generations=((1, 2),))
    manifest = manifest_bytes(evolve(sealed, method=SetMethod.EVIDENCE, restores=gap))
    judgement = judged(database(header), log(0x14), manifest=manifest)
    assert ids(judgement) == {Finding.EVIDENCE_ONLY, Finding.ROLL_FORWARD_INCOMPLETE}


def test_a_judgement_is_plain_json(header: DatabaseHeader, database: Scan):
    plain = plain_judgement(judged(database(header, owned_pages=200)))
    assert isinstance(plain, dict)
    assert (plain["verdict"], plain["findings"][0]["finding"]) == ("not-restorable", "truncated")


def test_lacking_generations_are_named_as_runs_whatever_the_header_claims(
    dirty: DatabaseHeader, database: Scan, log: Scan
):
    wide = rebuild(dirty, log_required_low=-5, log_required_high=2**31 - 2, log_committed=0)
    judgement = judged(database(wide), log(0x13), log(0x14))
    (finding,) = (
        each for each in judgement.findings if each.finding is Finding.REQUIRED_LOG_MISSING
    )
    assert "0x-5-0x12, 0x15-0x7FFFFFFE" in finding.detail


def test_damaged_pages_in_a_row_are_a_range(header: DatabaseHeader, database: Scan):
    found = tuple(PageFinding(page=number, fault=PageFault.BAD) for number in (7, 8, 9, 20, 30, 31))
    judgement = judged(database(header, pages=PageVerdicts(pages=100, bad=6, findings=found)))
    (finding,) = (each for each in judgement.findings if each.finding is Finding.PAGES_DAMAGED)
    assert "page 7-9, 20, 30-31 (-1018)" in finding.detail
