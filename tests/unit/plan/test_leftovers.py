"""Why what a run left may go or must stay: one good answer, and everything that keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualServer,
    DatabaseRecord,
)
from goexchange.model.left import (
    JobLeft,
    KeptRun,
    LeftOnHost,
    Listed,
    RecoveryRecord,
    SentinelLeft,
    ShellLeft,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.leftovers import Host, Leftover, LeftoverKind, leftovers, unknown_parts
from tests.unit.plan.builders import copy

AT = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
NOW = AT + timedelta(hours=5)
GUID = "11111111-2222-3333-4444-555555555555"
RUN = "20261128T213000-0001"
EDB = "D:\\DB05\\DB05.edb"
NOT_ASKED = Unknown("not asked")
DATABASE = ActualDatabase(
    name="DB05",
    guid=GUID,
    server="EX01",
    edb_path=EDB,
    log_folder="L:\\DB05",
    log_prefix="E05",
    is_mounted=True,
    mounted_on="EX01",
    is_recovery=False,
    copies=("EX01",),
    is_replicated=False,
    is_circular_logging=False,
    is_mount_at_startup=True,
    is_backup_running=False,
    last_full_backup_utc=NOW,
    size_bytes=4_000_000,
    white_space_bytes=0,
    has_moves=False,
    has_repair_requests=False,
)
RECORD = DatabaseRecord(
    database_guid=GUID,
    database="DB05",
    run=RUN,
    signature="new",
    verified_at_utc=None,
    rebuilt_at_utc=NOW,
    rebuild_gain_bytes=None,
    rebuild_goal_met=None,
    set_folder=None,
    set_digest=None,
    set_taken_at_utc=None,
    protected_at_utc=NOW,
)


def host_of(records: Any) -> ActualHost:
    names = {each.name for each in ActualHost.__attrs_attrs__}
    plain = dict.fromkeys(names, NOT_ASKED)
    plain |= {"name": "EX01", "observed_at_utc": NOW, "records": records}  # type: ignore[dict-item]
    return ActualHost(**plain)  # type: ignore[arg-type]


def server_of(database: Any = DATABASE, records: Any = (RECORD,)) -> ActualServer:
    databases = database if isinstance(database, Unknown) else (database,)
    return ActualServer(
        name="EX01",
        fqdn="ex01",
        observed_at_utc=NOW,
        generation=NOT_ASKED,
        build=NOT_ASKED,
        edition=NOT_ASKED,
        availability_group=None,
        databases=databases,
        host=host_of(records),
    )


def listed(path: str, *, is_folder: bool = False, is_link: bool = False) -> Listed:
    return Listed(
        path=path,
        is_folder=is_folder,
        size_bytes=1,
        modified_at_utc=AT,
        is_link=is_link,
        files=0,
    )


ORIGINAL = f"{EDB}.before-20261128T213000Z"
ASIDE = f"{EDB}.rebuilt-20261128T213000Z"
WORK = "D:\\DB05\\gx-11111111"
LEFT = LeftOnHost(
    server="EX01",
    clock_utc=NOW,
    boot_id="b",
    fence=1,
    fence_holder=None,
    recoveries=(
        RecoveryRecord(
            run=RUN,
            database_guid=GUID,
            is_open=False,
            opened_at_utc=AT,
            written_at_utc=NOW,
            phase="closed",
            content={"database": "DB05"},
        ),
    ),
    runs=(KeptRun(run=RUN, holder=None, alive_at_utc=NOW, sizes={"plan.json": 5}),),
    sentinels=(SentinelLeft(database_guid=GUID, run=RUN, fed_at_utc=NOW, is_task_present=True),),
    jobs=(
        JobLeft(job=f"{RUN}-09-x-1", kind="eseutil", state="ended", begun_at_utc=AT, size_bytes=9),
    ),
    looked_at=(),
    listed=(
        listed(EDB),
        listed(ORIGINAL),
        listed(ASIDE),
        listed(WORK, is_folder=True),
        listed("L:\\DB05\\gx-logs-20261128T213000Z", is_folder=True),
        listed("D:\\DB05\\DB06.edb.before-20261128T213000Z"),
        listed("D:\\DB05\\somebody.edb.before-yesterday"),
        listed("D:\\DB05\\gx-22222222", is_folder=True),
    ),
)
HOST = Host(
    left=LEFT,
    actual=server_of(),
    ended_runs=frozenset({RUN}),
    never_mounted=frozenset({ASIDE.lower()}),
)


def of(host: Host, kind: LeftoverKind) -> Leftover:
    (found,) = [each for each in leftovers(host) if each.kind is kind]
    return found


def test_all_of_a_night_that_is_over_may_go_and_nothing_else_is_named() -> None:
    found = {each.kind: each for each in leftovers(HOST)}
    assert set(found) == set(LeftoverKind) - {LeftoverKind.SET, LeftoverKind.SHELL}
    logs = found.pop(LeftoverKind.LOGS)
    assert not logs.may_go and "a person decides" in logs.reason
    assert all(each.may_go for each in found.values()), found
    assert [found[kind].what for kind in list(LeftoverKind)[:3]] == [ORIGINAL, ASIDE, WORK]


@pytest.mark.parametrize(
    ("actual", "why"),
    [
        (server_of(evolve(DATABASE, is_mounted=False)), "not known to be mounted"),
        (server_of(evolve(DATABASE, is_mounted=NOT_ASKED)), "not known to be mounted"),
        (server_of(records=()), "no backup of the file in service is proved"),
        (server_of(records=NOT_ASKED), "no backup of the file in service is proved"),
        (
            server_of(records=(evolve(RECORD, protected_at_utc=None),)),
            "no backup of the file in service is proved",
        ),
        (
            server_of(records=(evolve(RECORD, protected_at_utc=AT - timedelta(days=1)),)),
            "no backup of the file in service is proved",
        ),
        (
            server_of(evolve(DATABASE, last_full_backup_utc=None)),
            "Exchange knows of no full backup",
        ),
        (
            server_of(evolve(DATABASE, last_full_backup_utc=NOT_ASKED)),
            "Exchange knows of no full backup",
        ),
        (
            server_of(evolve(DATABASE, last_full_backup_utc=AT - timedelta(days=1))),
            "Exchange knows of no full backup",
        ),
    ],
)
def test_the_original_stays_without_a_proved_backup(actual: ActualServer, why: str) -> None:
    original = of(evolve(HOST, actual=actual), LeftoverKind.ORIGINAL)
    assert not original.may_go and why in original.reason
    assert not of(evolve(HOST, actual=actual), LeftoverKind.RUN).may_go  # it tells what that is


def test_a_file_that_may_hold_mail_is_for_a_person() -> None:
    aside = of(evolve(HOST, never_mounted=frozenset()), LeftoverKind.SET_ASIDE)
    assert not aside.may_go and "a person decides" in aside.reason


@pytest.mark.parametrize("part", ["recoveries", "jobs"])
def test_what_is_not_known_keeps_the_files(part: str) -> None:
    host = evolve(HOST, left=evolve(LEFT, **{part: Unknown("denied")}))
    files = (LeftoverKind.ORIGINAL, LeftoverKind.SET_ASIDE, LeftoverKind.WORK_FOLDER)
    assert not any(of(host, kind).may_go for kind in files)
    assert unknown_parts(host.left) == (f"{part}: denied",)


def test_an_open_run_keeps_everything() -> None:
    assert isinstance(LEFT.recoveries, tuple)
    opened = evolve(LEFT, recoveries=(evolve(LEFT.recoveries[0], is_open=True),))
    found = leftovers(evolve(HOST, left=opened, ended_runs=frozenset()))
    assert found and not [each for each in found if each.may_go]
    ours = [each for each in found if each.kind is not LeftoverKind.LOGS]
    assert all("release" in each.reason for each in ours)


def test_suspended_copies_are_named_with_what_resumes_them() -> None:
    assert isinstance(LEFT.recoveries, tuple)
    names = ("DB05\\EX02", "DB05\\EX03")
    held = [{"identity": name, "is_lagged": False} for name in names]
    content = {**LEFT.recoveries[0].content, "held_copies": held}
    record = evolve(LEFT.recoveries[0], is_open=True, content=content)
    copies = (copy("DB05", "EX02", status="Suspended"), copy("DB05", "EX04"))
    host = evolve(
        HOST,
        left=evolve(LEFT, recoveries=(record,)),
        actual=evolve(HOST.actual, copies=copies),
    )
    reason = of(host, LeftoverKind.RECORD).reason
    assert "goexchange release EX01/DB05 resumes what run" in reason
    assert reason.endswith(r"DB05\EX02 (now: Suspended), DB05\EX03 (now: not known)")
    blind = evolve(host, actual=evolve(HOST.actual, copies=Unknown("denied")))
    assert r"DB05\EX02 (now: not known)" in of(blind, LeftoverKind.RECORD).reason


def test_a_job_that_runs_and_a_folder_that_is_a_link_stay() -> None:
    assert isinstance(LEFT.jobs, tuple)
    running = evolve(HOST, left=evolve(LEFT, jobs=(evolve(LEFT.jobs[0], state="running"),)))
    assert not of(running, LeftoverKind.JOB).may_go
    assert not of(running, LeftoverKind.WORK_FOLDER).may_go
    link = evolve(LEFT, listed=(listed(WORK, is_folder=True, is_link=True),))
    assert not of(evolve(HOST, left=link), LeftoverKind.WORK_FOLDER).may_go


def test_a_job_stays_where_the_runs_of_the_host_are_not_known() -> None:
    job = of(evolve(HOST, left=evolve(LEFT, runs=Unknown("denied"))), LeftoverKind.JOB)
    assert not job.may_go and "which runs are kept is not known: denied" in job.reason
    nobody = evolve(LEFT, runs=(), recoveries=())
    assert of(evolve(HOST, left=nobody), LeftoverKind.JOB).run is None


def test_a_run_that_has_not_ended_is_gone_on_with() -> None:
    run = of(evolve(HOST, ended_runs=frozenset()), LeftoverKind.RUN)
    assert not run.may_go and "resume --from-host EX01" in run.reason


def test_a_run_that_was_released_is_over() -> None:
    assert isinstance(LEFT.recoveries, tuple)
    (closed,) = LEFT.recoveries
    left = evolve(LEFT, recoveries=(evolve(closed, phase="released"),))
    assert left.released == {RUN}
    second = evolve(closed, phase="open", is_open=True, database_guid="another")
    assert evolve(left, recoveries=(*left.recoveries, second)).released == frozenset()


@pytest.mark.parametrize(
    ("idle_s", "ends"), [(7200.0, "after 7200 s without use"), (None, "at its idle limit")]
)
def test_an_open_shell_is_named_and_left_to_the_host(idle_s: float | None, ends: str) -> None:
    """Nobody can tell a dead controller's shell from one that is at work."""
    shell = ShellLeft(shell="0D7A", owner="LAB\\gx", idle_limit_s=idle_s)
    found = of(evolve(HOST, shells=(shell,)), LeftoverKind.SHELL)
    assert (found.what, found.may_go) == ("0D7A", False)
    assert "LAB\\gx" in found.reason and found.reason.endswith(f"the host ends it {ends}")
