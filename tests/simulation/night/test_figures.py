"""The figures of a report against the world itself: files, headers and clock, never the journal."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from struct import pack

import pytest

from goexchange.model.report import DatabaseSummary, Report
from goexchange.report.model import build_report
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.world.databases import MailboxDatabase, read_header, white_space_bytes
from goexchange.world.files import HostFiles
from goexchange.world.truth import true_database
from tests.simulation.night.documents import AT, inventory, specification

SECOND = timedelta(seconds=1)
NOT_CLEAN = -550


def night(*, mount_fails: bool = False) -> Night:
    made = make_night(one_database(), [specification()], inventory(), at=AT)
    if mount_fails:
        made.performer.world.faults.fail_next_mount("DB05", error=NOT_CLEAN, leaves_logs=True)
    return made


def files(of: Night) -> HostFiles:
    return of.performer.world.hosts["EX01"].files


def database(of: Night) -> MailboxDatabase:
    return of.performer.world.database_named("DB05")


def signature(of: Night, path: str) -> str:
    found = read_header(files(of), path).header
    assert found is not None
    one = found.signature
    return (pack("<I", one.random) + one.created.raw + one.computer.encode().ljust(16, b"\0")).hex()


def outages(of: Night) -> list[tuple[datetime, datetime]]:
    """When the world saw the database dismounted and mounted again."""
    found: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for effect in of.performer.world.effects:
        if effect.database == "DB05" and effect.kind == "dismount":
            since = effect.at
        if effect.database == "DB05" and effect.kind == "mount" and since is not None:
            found.append((since, effect.at))
            since = None
    assert since is None
    return found


def report_of(of: Night) -> tuple[Report, DatabaseSummary]:
    report = build_report(of.plan, tuple(of.performer.records))
    (summary,) = report.databases
    return report, summary


@pytest.mark.parametrize("mount_fails", [False, True])
def test_sizes_and_white_space_are_those_of_the_files_to_the_byte(mount_fails: bool) -> None:
    of = night(mount_fails=mount_fails)
    path = database(of).edb_path
    size, free = files(of).size(path), white_space_bytes(files(of), path)
    first = signature(of, path)
    of.run_to_end()
    _, summary = report_of(of)
    assert summary.size_before.size_bytes == size
    assert summary.white_space_before.size_bytes == free
    assert summary.signature_before == first
    assert summary.size_after.size_bytes == files(of).size(path)
    after = signature(of, path)
    assert (after == first) is mount_fails
    assert summary.signature_after == (None if mount_fails else after)  # None: as it was
    if not mount_fails:
        assert summary.size_after.size_bytes < size
        assert summary.white_space_after.size_bytes == white_space_bytes(files(of), path)


@pytest.mark.parametrize("mount_fails", [False, True])
def test_times_offline_are_those_of_the_world_to_the_second(mount_fails: bool) -> None:
    of = night(mount_fails=mount_fails)
    of.run_to_end()
    _, summary = report_of(of)
    true = outages(of)
    assert len(summary.offline) == len(true) == 1
    for told, (begun, ended) in zip(summary.offline, true, strict=True):
        assert told.end_utc is not None
        assert abs(told.start_utc - begun) < SECOND and abs(told.end_utc - ended) < SECOND


def test_the_set_and_the_online_backup_are_what_lies_there() -> None:
    of = night()
    of.run_to_end()
    report, summary = report_of(of)
    (made,) = report.sets
    (online,) = report.online_backups
    assert made.folder is not None and made.is_verified
    held = [
        path
        for path in files(of).below(made.folder)
        if not path.endswith(".json") and "\\configuration\\" not in path
    ]
    assert made.files == len(held)  # of the database: data, logs, checkpoint
    assert made.total_bytes == sum(map(files(of).size, held))
    (copy,) = (path for path in held if path.endswith(".edb"))
    assert made.database_sha256 == sha256(files(of).read(copy)).hexdigest()
    last = true_database(of.performer.world, database(of)).last_full_backup
    assert last is not None and online.proved is True
    for told in (online.last_full_backup_utc, summary.backup_after.at_utc):
        assert told is not None and abs(told - last) < SECOND


def test_rates_are_of_the_bytes_that_moved() -> None:
    of = night()
    size = files(of).size(database(of).edb_path)
    of.run_to_end()
    report, _ = report_of(of)
    work = {one.work: one for one in report.rates}
    assert any(one.moved_bytes == size for one in work.values())
    assert all(one.seconds > 0 and one.moved_bytes > 0 for one in work.values())
