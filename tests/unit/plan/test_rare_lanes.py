"""Lanes and decisions of hosts, specifications and moments that are hardly ever so."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.errors import InvalidDocument
from goexchange.guard.evaluate import at_plan
from goexchange.model import actual, desired
from goexchange.model.plan import (
    Action,
    Consent,
    Decision,
    JobCall,
    Need,
    PlanBody,
    Reason,
    ScriptCall,
    Step,
    VerdictKind,
)
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import dump, load, seal
from tests.unit.plan.builders import (
    GIB,
    NOW,
    at,
    conditions,
    database,
    host,
    inventory,
    members,
    offline_backup,
    online_backup,
    script,
    server,
    spec,
    state,
)

SILENT = Unknown("the host did not answer")
HOUR = 3600
OF_SET_ONLY = desired.BackupActions(offline=offline_backup(), online=None, place=at(20))
NO_BACKUP = desired.BackupActions(offline=None, online=None, place=at(24))
OLD_BACKUP = conditions(
    white_space_max=None, verified_within_s=None, online_full_backup_within_s=86400
)
NOT_VERIFIED = conditions(white_space_max=None, online_full_backup_within_s=86400)
OFFLINE_LOOK = script(verify=desired.VerifyMode.OFFLINE)


def planned(*seen: actual.ActualServer, **differs: Any) -> PlanBody:
    return make_draft([spec(**differs)], inventory(), state(*seen), now=NOW)


def only(body: PlanBody) -> Decision:
    (decision,) = body.decisions
    return decision


def steps(body: PlanBody, action: Action) -> list[Step]:
    return [step for lane in body.lanes for step in lane.steps if step.action is action]


def before(**differs: Any) -> desired.BackupActions:
    return evolve(OF_SET_ONLY, online=online_backup(**differs))


def on(path: str) -> desired.BackupTarget:
    return desired.BackupTarget(path=path, credential=None, place=at(25))


def test_a_plan_of_one_server_leaves_the_others_of_its_specification_alone() -> None:
    both = state(server("EX01"), server("EX02"))
    body = make_draft([spec()], inventory("EX01", "EX02"), both, now=NOW, scope=["EX02"])
    assert {each.server for each in body.decisions} == {"EX02"}


def test_an_old_version_is_mounted_without_a_consent_for_it() -> None:
    def consents(**differs: Any) -> set[Consent]:
        old = server(
            generation=actual.Generation.EXCHANGE_2010,
            build="14.3.513.0",
            databases=(database(**differs),),
        )
        body = planned(old)
        assert body.lanes, body.decisions
        return {each.consent for each in body.consents}

    assert Consent.UNCONFIRMED_GENERATION in consents()
    assert Consent.UNCONFIRMED_GENERATION not in consents(is_mounted=False)


def test_a_faster_disk_than_the_cap_decides_how_long_a_copy_takes() -> None:
    def copying_s(rate: int | None) -> int:
        capped = evolve(OF_SET_ONLY, offline=offline_backup(rate_max_bytes_per_s=rate))
        (step,) = steps(planned(backup_before=capped), Action.COPY_SET)
        return step.estimate_s or 0

    assert copying_s(10 * GIB) == copying_s(None) < copying_s(50 * 1024**2)


def test_a_replicated_database_that_is_looked_at_is_backed_up_when_that_is_due() -> None:
    body = planned(
        *members(), script=OFFLINE_LOOK, conditions=NOT_VERIFIED
    )
    (lane,) = body.lanes
    actions = [step.action for step in lane.steps]
    resumed, backed_up = map(actions.index, (Action.RESUME_COPY, Action.ONLINE_BACKUP))
    assert resumed < backed_up
    assert Action.DISMOUNT not in actions


@pytest.mark.parametrize("running", [True, False])
def test_the_wait_for_a_backup_is_planned_whole_where_one_is_running(running: bool) -> None:
    waits = evolve(spec().conflicts, running=desired.ConflictPolicy.WAIT, wait_max_s=HOUR)
    busy = server(
        databases=(database(is_backup_running=running),), host=host(windows_backup=SILENT)
    )
    body = planned(
        busy,
        conflicts=waits,
        script=OFFLINE_LOOK,
        backup_before=NO_BACKUP,
        backup_after=NO_BACKUP,
        conditions=conditions(white_space_max=None, online_full_backup_within_s=None),
    )
    (wait,) = steps(body, Action.AWAIT_BACKUPS)
    assert (wait.estimate_s, wait.estimate_p90_s) == ((1800, HOUR) if running else (0, 0))


def test_a_look_without_a_set_leaves_no_advice_about_one() -> None:
    looks = {
        "script": OFFLINE_LOOK,
        "conditions": conditions(white_space_max=None, online_full_backup_within_s=None),
    }

    def advice(**differs: Any) -> str:
        (record,) = steps(planned(**looks, **differs), Action.OPEN_RECOVERY_RECORD)
        assert isinstance(record.call, ScriptCall)
        return str(record.call.arguments["text"])

    assert "A copy of the original" not in advice(backup_before=NO_BACKUP)
    assert "A copy of the original" in advice()


def test_the_advice_names_no_logs_whose_names_are_not_known() -> None:
    def advice(**differs: Any) -> str:
        (record,) = steps(
            planned(server(databases=(database(**differs),))), Action.OPEN_RECOVERY_RECORD
        )
        assert isinstance(record.call, ScriptCall)
        return str(record.call.arguments["text"])

    assert "its logs go aside too" in advice()
    assert "its logs go aside too" not in advice(log_prefix=SILENT)
    assert "-MountAtStartup $false" in advice(is_mount_at_startup=False)


def test_a_target_on_the_volumes_that_it_saves_is_refused_before_the_work_too() -> None:
    body = planned(backup_before=before(target=on("D:\\")))
    assert only(body).need is Need.NOT_POSSIBLE
    assert "is one of the volumes it backs up" in only(body).explanation


def test_a_backup_alone_needs_no_set_and_has_no_outage() -> None:
    body = planned(backup_before=NO_BACKUP, conditions=OLD_BACKUP)
    assert only(body).need is Need.ONLINE_BACKUP
    assert [each.outage_s for each in body.decisions] == [None]
    assert steps(body, Action.ONLINE_BACKUP) and not steps(body, Action.DISMOUNT)


def test_a_database_that_is_only_mounted_is_not_backed_up_before() -> None:
    down = server(databases=(database(is_mounted=False),))
    body = planned(down, backup_before=before())
    assert only(body).need is Need.MOUNT
    assert not steps(body, Action.ONLINE_BACKUP_BEFORE)
    assert steps(planned(backup_before=before()), Action.ONLINE_BACKUP_BEFORE)


def test_a_program_may_have_no_limit_and_the_plan_says_so() -> None:
    process = desired.CustomProcess(
        name="tidy", run=("C:\\tools\\tidy.exe",), limit=desired.ProcessLimit.COMPLETION,
        timeout_s=None, treat_failure_as_error=True, success_exit_codes=(0,), undoes=None,
        follow=None, per=desired.ProcessScope.DATABASE, place=at(40),
    )  # fmt: skip
    (step,) = steps(planned(processes_before=(process,)), Action.CUSTOM_PROCESS)
    assert step.summary.endswith("tidy.exe, until done, however long it takes")
    assert step.time_limit_s > 7 * 24 * HOUR


def test_exchange_2010_whose_build_is_not_known_is_refused() -> None:
    old = server(generation=actual.Generation.EXCHANGE_2010, build=SILENT)
    assert only(planned(old)).reasons == (Reason.FACT_UNKNOWN,)
    assert "the build of its server" in only(planned(old)).explanation


def test_work_that_has_to_be_backed_up_after_is_refused_without_a_backup() -> None:
    body = planned(conditions=NOT_VERIFIED, backup_after=NO_BACKUP)
    assert only(body).reasons == (Reason.BLOCKED_BY_GUARD,)
    assert "it needs an online full backup, and the specification" in only(body).explanation


def test_a_silent_host_is_refused_where_only_its_tools_matter() -> None:
    body = planned(server(host=SILENT), conditions=OLD_BACKUP)
    assert only(body).reasons == (Reason.FACT_UNKNOWN,)
    assert "the state of its host" in only(body).explanation


def test_an_open_run_that_cannot_be_told_is_the_guards_to_refuse() -> None:
    seen = server(host=host(open_recoveries=SILENT))
    body = planned(seen)
    (verdict,) = [
        each for each in at_plan(body, state(seen), NOW) if each.guard == "no-open-run"
    ]
    assert verdict.kind is VerdictKind.UNKNOWN


def shadow(path: str = "E:\\shadow", *seen: actual.ActualServer, **differs: Any) -> PlanBody:
    method = desired.OnlineBackupMethod.DISKSHADOW
    after = evolve(NO_BACKUP, online=online_backup(method=method, target=on(path)))
    return planned(*seen, **{"conditions": OLD_BACKUP, "backup_after": after, **differs})


def test_diskshadow_to_a_share_or_to_another_volume_is_planned() -> None:
    for path in ("E:\\shadow", "\\\\backup01\\exchange$"):
        (step,) = steps(shadow(path), Action.ONLINE_BACKUP)
        assert isinstance(step.call, JobCall)
        assert step.call.request["target"].startswith(path)


def test_a_shadow_copied_to_a_share_takes_no_room_of_the_host() -> None:
    small = tuple(
        evolve(each, free_bytes=(1 if each.mount_point == "E:\\" else 400) * GIB)
        for each in _volumes()
    )
    seen = server(host=host(volumes=small))

    def verdict(path: str) -> VerdictKind:
        body = shadow(path, seen, conditions=conditions())
        found = at_plan(body, state(seen), NOW)
        return next(each.kind for each in found if each.guard == "space")

    assert verdict("E:\\shadow") is VerdictKind.BLOCK
    assert verdict("\\\\backup01\\exchange$") is VerdictKind.PASS


def _volumes() -> tuple[actual.Volume, ...]:
    volumes = host().volumes
    assert isinstance(volumes, tuple)
    return volumes


@pytest.mark.parametrize(
    ("path", "seen", "words"),
    [
        ("E:\\s", server(host=host(eseutil_path=SILENT)), "where eseutil is is unknown"),
        ("E:\\s", server(databases=(database(log_prefix=SILENT),)), "the log prefix of DB05"),
        ("Q:\\s", server(), "the volume of Q:\\s is unknown"),
        ("D:\\s", server(), "D:\\s is on one of the volumes it backs up"),
        (
            "E:\\s",
            server(
                databases=(database(edb_path="M:\\mount point\\DB05.edb"),),
                host=host(
                    volumes=(*_volumes(), evolve(_volumes()[0], mount_point="M:\\mount point\\"))
                ),
            ),
            "how diskshadow reads a path such as M:\\mount point\\ is not known",
        ),
    ],
)
def test_what_diskshadow_cannot_be_told_is_refused(
    path: str, seen: actual.ActualServer, words: str
) -> None:
    body = shadow(path, seen)
    assert only(body).need is Need.NOT_POSSIBLE and not body.lanes
    assert words in only(body).explanation


def test_a_plan_without_a_readable_moment_is_no_plan() -> None:
    plan = seal(planned(), NOW, "me")
    good = dump(plan)
    moment = f"{NOW:%Y-%m-%dT%H:%M:%S}".encode()
    assert load(good).sha256 == plan.sha256
    head, found, tail = good.rpartition(b'"created_at_utc"')
    assert found and moment in tail
    for other in (b"yesterday, late, at ", b"2026-13-45T99:00:00"):
        with pytest.raises(InvalidDocument, match="creation time cannot be read"):
            load(head + found + tail.replace(moment, other))


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"),
     (20 * 1024**2, "20 MiB"), (1024**4, "1 TiB"), (3000 * 1024**4, "3000 TiB")],
)  # fmt: skip
def test_sizes_end_with_the_largest_unit(size_bytes: int, text: str) -> None:
    assert words.size(size_bytes) == text
