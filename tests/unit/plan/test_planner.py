from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest
from attrs import evolve

from goexchange.codec import canonical_json, to_plain
from goexchange.errors import InvalidDocument
from goexchange.model import actual, configuration, desired
from goexchange.model.configuration import TimeOfDay, Weekday
from goexchange.model.history import Measurement, Timing, Work
from goexchange.model.plan import (
    Action,
    Consent,
    ControllerCall,
    Direction,
    ExchangeCall,
    JobCall,
    Need,
    PlanBody,
    PlanInput,
    RunsWhen,
    ScriptCall,
    Step,
)
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.check import breaches
from goexchange.plan.planner import Pace, make_draft
from goexchange.plan.sealing import dump, load, seal
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import CONTRACTS
from goexchange.powershell.contracts_jobs import JOB_REQUESTS
from tests.unit.plan.builders import (
    GIB,
    NOW,
    PLACE,
    at,
    conditions,
    database,
    host,
    inventory,
    offline_backup,
    online_backup,
    record,
    script,
    server,
    spec,
    state,
    volume,
    with_record,
)

_OF_UNKNOWN_SIZE = ("command", "export-configuration", "seal-set", "try-folders")
ADDED_BY_THE_DRIVER = {"fence", "run", "job", "runner"}


def draft(
    *servers: actual.ActualServer,
    want: desired.DesiredState | None = None,
    stock: configuration.Inventory | None = None,
) -> PlanBody:
    return make_draft([want or spec()], stock or inventory(), state(*servers), now=NOW)


def steps(body: PlanBody) -> tuple[Step, ...]:
    return tuple(step for lane in body.lanes for step in lane.steps)


def only(body: PlanBody, action: Action) -> Step:
    found = [step for step in steps(body) if step.action is action]
    assert len(found) == 1
    return found[0]


def actions(body: PlanBody) -> list[Action]:
    return [step.action for step in steps(body)]


def test_the_order_of_the_night_is_the_procedures() -> None:
    order = [each for each in actions(draft()) if each is not Action.REPAIR_REQUEST]
    assert order == [
        Action.OPEN_RECOVERY_RECORD,
        Action.PLACE_SENTINEL,
        Action.TRY_TARGET,
        Action.EXPORT_CONFIGURATION,
        Action.LAST_LOOK,
        Action.NOTIFY,
        Action.SET_MOUNT_AT_STARTUP,
        Action.DISMOUNT,
        Action.READ_HEADER,
        Action.DETECT_ERRORS,
        Action.DETECT_ERRORS,
        Action.COPY_SET,
        Action.REBUILD,
        Action.READ_TEMPORARY_HEADER,
        Action.DETECT_ERRORS_TEMPORARY,
        Action.DETECT_ERRORS_TEMPORARY,
        Action.VERIFY_SET_ON_HOST,
        Action.HASH_SET,
        Action.SEAL_SET,
        Action.VERIFY_SET,
        Action.SWAP,
        Action.MOUNT,
        Action.CANCEL_JOBS,
        Action.MOUNT_ORIGINAL,
        Action.DELETE_TEMPORARY,
        Action.SWAP_BACK,
        Action.SET_ASIDE,
        Action.COPY_BACK,
        Action.HASH_BACK,
        Action.MOVE_LOGS_ASIDE,
        Action.MOUNT_ORIGINAL,
        Action.CONFIRM_MOUNTED,
        Action.RESTORE_MOUNT_AT_STARTUP,
        Action.REMOVE_SENTINEL,
        Action.NOTIFY,
        Action.NOTIFY,
        Action.ONLINE_BACKUP,
        Action.PROVE_BACKUP,
        Action.WRITE_DATABASE_RECORD,
        Action.CLOSE_RECOVERY_RECORD,
    ]


def test_every_call_fits_its_contract() -> None:
    for step in steps(draft()):
        bound = {each.argument for each in step.binds}
        call = step.call
        if isinstance(call, ScriptCall):
            arguments = dict(call.arguments)
            contract = CONTRACTS[call.script].arguments["properties"]
            filled = {
                name: "" if name != "fence" else 0 for name in ADDED_BY_THE_DRIVER & set(contract)
            }
            assert bound <= set(contract), f"{step.id} fills what the script does not take"
            assert not list(problems({**arguments, **filled}, CONTRACTS[call.script].arguments))
        elif isinstance(call, JobCall):
            assert not list(problems(dict(call.request), JOB_REQUESTS[call.kind]))


def test_the_rebuild_writes_a_temporary_file_that_must_not_exist_and_keeps_it() -> None:
    call = only(draft(), Action.REBUILD).call
    assert isinstance(call, JobCall)
    folder = f"D:\\DB05\\gx-{database().guid[:8]}"
    temporary = f"{folder}\\DB05.tmp.edb"
    assert call.request["arguments"] == ["/d", "D:\\DB05\\DB05.edb", f"/t{temporary}", "/p", "/o"]
    assert call.request["must_not_exist"] == [temporary, f"{folder}\\DB05.tmp.jfm"]
    assert call.watch == (temporary,)


def test_the_set_has_a_fresh_folder_and_is_verified_by_us_where_a_share_reaches_it() -> None:
    body = draft()
    call = only(body, Action.VERIFY_SET).call
    assert isinstance(call, ControllerCall)
    assert call.arguments["folder"] == "\\\\backup01\\exchange$\\EX01\\DB05\\20261125T120000Z"
    assert call.arguments["path"] == "/mnt/backup01/EX01/DB05/20261125T120000Z"
    out_of_reach = draft(stock=inventory(shares=()))
    assert Action.VERIFY_SET not in actions(out_of_reach)
    assert Action.VERIFY_SET_ON_HOST in actions(out_of_reach)


def test_mount_is_never_forced_and_every_exchange_call_names_one_database() -> None:
    for step in steps(draft()):
        if isinstance(step.call, ExchangeCall):
            parameters = step.call.parameters
            assert database().guid in parameters.values()
            assert not {"Force", "AcceptDataLoss"} & set(parameters)


def test_a_setting_that_is_false_already_is_not_touched() -> None:
    body = draft(server(databases=(database(is_mount_at_startup=False),)))
    assert Action.SET_MOUNT_AT_STARTUP not in actions(body)
    assert Action.RESTORE_MOUNT_AT_STARTUP not in actions(body)


def test_ways_back_lead_back_and_say_so() -> None:
    for step in steps(draft()):
        if step.runs_when in (RunsWhen.AWAY_BEFORE_SWAP, RunsWhen.AWAY_AFTER_SWAP):
            assert step.direction is Direction.BACK
            assert step.summary.startswith("way back: ")
            assert step.guards == ()


def test_recovery_text_is_plain_exchange_for_a_person_at_a_console() -> None:
    call = only(draft(), Action.OPEN_RECOVERY_RECORD).call
    assert isinstance(call, ScriptCall)
    text = call.arguments["text"]
    guid = database().guid
    assert f"Mount-Database -Identity {guid}\r\n" in text
    assert f"Set-MailboxDatabase -Identity {guid} -MountAtStartup $true\r\n" in text
    assert "D:\\DB05\\DB05.edb.before-20261125T120000Z" in text
    kept_map = "D:\\DB05\\DB05.jfm.before-20261125T120000Z"
    assert f"Move-Item -LiteralPath '{kept_map}' -Destination 'D:\\DB05\\DB05.jfm'" in text
    assert "\n" not in text.replace("\r\n", "")


def test_recovery_text_knows_no_flush_map_before_2016_and_no_setting_but_the_old_one() -> None:
    one = database(is_mount_at_startup=False)
    old = server(databases=(one,), generation=actual.Generation.EXCHANGE_2013)
    call = only(draft(old), Action.OPEN_RECOVERY_RECORD).call
    assert isinstance(call, ScriptCall)
    text = call.arguments["text"]
    assert ".jfm" not in text and "Move-Item" in text
    assert f"Set-MailboxDatabase -Identity {one.guid} -MountAtStartup $false\r\n" in text


def test_jobs_say_what_they_have_to_write_or_read() -> None:
    body = draft()
    size, white = database().size_bytes, database().white_space_bytes
    assert isinstance(size, int) and isinstance(white, int)
    copy, rebuild = only(body, Action.COPY_SET).call, only(body, Action.REBUILD).call
    assert isinstance(copy, JobCall) and isinstance(rebuild, JobCall)
    assert (copy.expected_bytes, rebuild.expected_bytes) == (size, size - white)
    assert [path.rpartition("\\")[2] for path in (*copy.watch, *rebuild.watch)] == [
        "DB05.edb",
        "DB05.tmp.edb",
    ]
    jobs = [step.call for step in steps(body) if isinstance(step.call, JobCall)]
    assert all(job.expected_bytes for job in jobs if job.kind not in _OF_UNKNOWN_SIZE)


def test_where_no_share_reaches_the_set_the_verifier_machine_is_waited_for_with_a_limit() -> None:
    body = draft(stock=inventory(shares=(), verifier="VERIFY01"))
    step = only(body, Action.VERIFY_SET)
    assert isinstance(step.call, JobCall) and step.call.kind == "await-verdict"
    assert str(step.call.request["folder"]).startswith("\\\\backup01\\exchange$\\EX01\\DB05")
    assert step.estimate_s is not None
    wait_s = step.call.request["wait_s"]
    assert (wait_s, step.time_limit_s) == (30 * 60 + 2 * step.estimate_s, wait_s + 120)
    assert "VERIFY01" in step.summary and f"{words.span(wait_s)} at most" in step.summary
    assert "on the host and by VERIFY01" in body.backups[0]
    assert actions(body).index(Action.VERIFY_SET) < actions(body).index(Action.SWAP)


def test_a_share_is_read_here_and_a_disk_of_the_server_by_no_other_machine() -> None:
    body = draft(stock=inventory(verifier="VERIFY01"))
    assert isinstance(only(body, Action.VERIFY_SET).call, ControllerCall)
    assert "on the host and here" in body.backups[0]
    disk = desired.BackupTarget(path="E:\\sets", credential=None, place=at(21))
    before = evolve(spec().backup_before, offline=offline_backup(target=disk))
    local = draft(want=spec(backup_before=before), stock=inventory(shares=(), verifier="VERIFY01"))
    assert Action.VERIFY_SET not in actions(local)
    assert "on the host alone" in local.backups[0]


def test_what_removes_older_sets_is_said_with_the_number_of_the_specification() -> None:
    assert "`goexchange backups prune --last 3`" in draft().backups[0]


def test_what_databases_of_one_server_share_is_said_once() -> None:
    body = draft(server(databases=(database("DB01"), database("DB05"))))
    sets, online = body.backups
    assert sets.startswith("EX01/DB01 and DB05: set of the present file")
    assert "\\EX01\\<database>\\" in sets
    assert online.startswith("EX01/DB01 and DB05: online full backup of ")
    assert online.endswith("; once for each")
    assert "covers DB01 and DB05" in online


def test_offline_verification_takes_down_looks_and_mounts_the_same_file() -> None:
    small = database(white_space_bytes=GIB)
    body = draft(
        server(databases=(small,)), want=spec(script=script(verify=desired.VerifyMode.OFFLINE))
    )
    assert body.decisions[0].need is Need.VERIFY
    found = actions(body)
    assert Action.DISMOUNT in found and Action.DETECT_ERRORS in found
    assert not {Action.REBUILD, Action.SWAP, Action.COPY_SET, Action.SWAP_BACK} & set(found)
    assert only(body, Action.MOUNT).is_point_of_no_return is False
    assert Action.MOUNT_ORIGINAL in found


def test_online_verification_has_no_outage() -> None:
    body = draft(server(databases=(database(white_space_bytes=GIB),)))
    found = set(actions(body))
    assert found == {Action.LAST_LOOK, Action.REPAIR_REQUEST, Action.WRITE_DATABASE_RECORD}
    requests = [step for step in steps(body) if step.action is Action.REPAIR_REQUEST]
    assert len(requests) == 4
    for step in requests:
        assert isinstance(step.call, ExchangeCall)
        assert step.call.parameters["DetectOnly"] is True
    assert {each.consent for each in body.consents} == set()


def test_a_backup_alone_is_taken_and_proved() -> None:
    one = database(white_space_bytes=GIB, last_full_backup_utc=None)
    body = draft(with_record(server(databases=(one,)), record(one)))
    assert body.decisions[0].need is Need.ONLINE_BACKUP
    assert actions(body) == [
        Action.LAST_LOOK,
        Action.ONLINE_BACKUP,
        Action.PROVE_BACKUP,
        Action.WRITE_DATABASE_RECORD,
    ]
    assert {step.runs_when for step in steps(body)} == {RunsWhen.ALL_WELL}


def test_a_dismounted_database_is_mounted_and_seen_twice() -> None:
    body = draft(server(databases=(database(is_mounted=False),)))
    assert actions(body) == [Action.MOUNT, Action.CONFIRM_MOUNTED]
    assert {step.direction for step in steps(body)} == {Direction.BACK}
    assert steps(body)[1].delay_s == 60


def test_a_backup_that_covers_a_database_out_of_scope_needs_consent() -> None:
    both = server(databases=(database("DB01", white_space_bytes=GIB), database("DB05")))
    with_records = with_record(
        both, *(record(each) for each in (database("DB01"), database("DB05")))
    )
    all_in_scope = make_draft([spec()], inventory(), state(with_records), now=NOW)
    assert Consent.BACKUP_COVERS_OTHERS not in {each.consent for each in all_in_scope.consents}
    narrowed = make_draft([spec()], inventory(), state(with_records), now=NOW, scope=("EX01/DB05",))
    found = [each for each in narrowed.consents if each.consent is Consent.BACKUP_COVERS_OTHERS]
    assert [each.address for each in found] == ["EX01/DB05"]
    assert "DB01" in found[0].finding
    assert any("covers DB01 and DB05" in line for line in narrowed.backups)


def test_mount_points_count_by_their_longest_prefix() -> None:
    mounted = host(volumes=(volume("C:\\"), volume("D:\\"), volume("D:\\DB05\\"), volume("L:\\")))
    one = database(log_folder="D:\\DB05\\logs")
    other = database("DB01", white_space_bytes=GIB, log_folder="D:\\DB01")
    body = make_draft(
        [spec()],
        inventory(),
        state(server(databases=(one, other), host=mounted)),
        now=NOW,
        scope=("EX01/DB05",),
    )
    call = only(body, Action.ONLINE_BACKUP).call
    assert isinstance(call, JobCall)
    assert call.request["volumes"] == ["D:\\DB05"]
    assert Consent.BACKUP_COVERS_OTHERS not in {each.consent for each in body.consents}


def test_a_share_gets_a_fresh_folder_for_the_online_backup() -> None:
    target = desired.BackupTarget(path="\\\\backup01\\wsb", credential=None, place=at(25))
    after = desired.BackupActions(offline=None, online=online_backup(target=target), place=at(24))
    call = only(draft(want=spec(backup_after=after)), Action.ONLINE_BACKUP).call
    assert isinstance(call, JobCall)
    assert call.request["target"] == "\\\\backup01\\wsb\\EX01\\online\\20261125T120000Z"


OUTAGE_WORK = (
    Work.PAGE_CHECKSUMS,
    Work.INTEGRITY,
    Work.COPY,
    Work.REBUILD,
    Work.HASH,
    Work.VERIFY_SET,
)


def timings(runs: int, *, of: tuple[Work, ...] = OUTAGE_WORK) -> tuple[Timing, ...]:
    """98 GiB of each kind of work in 1,000 s, 1,100 s, ... one run after the other."""
    return tuple(
        Timing(
            work=work,
            size_bytes=98 * GIB,
            seconds=1000.0 + 100 * run,
            run=f"r-{run}",
            at_utc=NOW - timedelta(days=30 - run),
        )
        for run in range(runs)
        for work in of
    )


def test_history_of_every_part_replaces_the_consent_to_an_outage_without_one() -> None:
    one = database()
    body = draft(with_record(server(databases=(one,)), record(one, timings=timings(3))))
    assert [each.consent for each in body.consents] == [Consent.UNPROVEN_BUILD]
    assert body.estimate.text == "from 3 earlier runs on EX01"
    rebuild = next(each for each in body.estimate.parts if each.work is Work.REBUILD)
    assert (rebuild.p50_s, rebuild.p90_s) == (1100, 1179)
    assert only(body, Action.REBUILD).estimate_p90_s == 1179


@pytest.mark.parametrize("missing", OUTAGE_WORK)
def test_one_part_without_history_asks_for_the_consent(missing: Work) -> None:
    one = database()
    some = tuple(each for each in OUTAGE_WORK if each is not missing)
    kept = (*timings(3, of=some), *timings(2, of=(missing,)))
    body = draft(with_record(server(databases=(one,)), record(one, timings=kept)))
    assert Consent.OUTAGE_WITHOUT_HISTORY in [each.consent for each in body.consents]
    assert body.estimate.earlier_runs == 2
    part = next(each for each in body.estimate.parts if each.work is missing)
    assert part.p90_s == 2 * part.p50_s
    assert "twice for p90 (2 earlier runs)" in part.source


def test_the_history_of_the_store_counts_like_that_of_the_host_and_never_twice() -> None:
    one = database()
    stored = tuple(
        Measurement(
            server="EX01",
            database=one.name,
            database_guid=one.guid,
            folder="D:\\DB05",
            timing=timing,
        )
        for timing in timings(2)
    )
    both = with_record(server(databases=(one,)), record(one, timings=timings(2)))
    body = make_draft([spec()], inventory(), state(both), now=NOW, history=stored)
    assert body.estimate.earlier_runs == 2
    more = with_record(server(databases=(one,)), record(one, timings=timings(3)))
    body = make_draft([spec()], inventory(), state(more), now=NOW, history=stored)
    assert body.estimate.earlier_runs == 3


def test_steps_outside_the_outage_have_estimates_too() -> None:
    lane = draft().lanes[0]
    for action in (Action.REPAIR_REQUEST, Action.ONLINE_BACKUP, Action.PROVE_BACKUP):
        found = [each for each in lane.steps if each.action is action]
        assert found and all(each.estimate_s and each.estimate_p90_s for each in found), action


def test_custom_processes_of_a_server_run_around_its_databases() -> None:
    before = desired.CustomProcess(
        name="suspend antivirus",
        run=("C:\\ops\\av.cmd", "suspend"),
        limit=desired.ProcessLimit.COMPLETION_OR_TIMEOUT,
        timeout_s=600,
        treat_failure_as_error=True,
        success_exit_codes=(0,),
        undoes=None,
        follow=None,
        per=desired.ProcessScope.SERVER,
        place=at(31),
    )
    after = evolve(
        before, name="resume antivirus", run=("C:\\ops\\av.cmd", "resume"), undoes=before.name
    )
    body = draft(want=spec(processes_before=(before,), processes_after=(after,)))
    first, middle, last = body.lanes
    assert (first.id, middle.id, last.id) == ("EX01:before", "EX01/DB05", "EX01:after")
    assert middle.needs == ("EX01:before",)
    assert last.steps[0].runs_when is RunsWhen.UNDO_OF
    assert last.steps[0].undo_of == first.steps[0].id
    assert first.steps[0].time_limit_s == 600
    nothing_to_do = draft(
        server(databases=()), want=spec(processes_before=(before,), processes_after=(after,))
    )
    assert nothing_to_do.lanes == ()


def test_an_outage_may_lie_over_the_hour_at_which_two_openings_touch() -> None:
    midnight = TimeOfDay(hour=0, minute=0)
    whole = evolve(
        inventory().windows[0],
        zone="UTC",
        days=tuple(Weekday),
        opens=midnight,
        closes=midnight,
    )
    late = NOW.replace(hour=23, minute=50)
    body = make_draft([spec()], evolve(inventory(), windows=(whole,)), state(), now=late)
    assert body.window is not None
    assert body.window.opens_at_utc == NOW.replace(hour=0, minute=0)
    assert body.window.closes_at_utc - late > timedelta(days=7)
    apart = evolve(whole, closes=TimeOfDay(hour=23, minute=59))
    split = make_draft([spec()], evolve(inventory(), windows=(apart,)), state(), now=late)
    assert split.window is not None
    assert split.window.closes_at_utc - late == timedelta(minutes=9)


def test_the_window_gives_validity_and_the_latest_swap() -> None:
    body = draft()
    assert body.window is not None and body.window.latest_swap_utc is not None
    assert body.valid_until_utc == body.window.closes_at_utc
    left = body.window.closes_at_utc - body.window.latest_swap_utc
    assert timedelta(minutes=2) < left < timedelta(minutes=10)
    free = draft(want=spec(schedule=evolve(spec().schedule, window=None)))
    assert free.window is None and free.valid_until_utc == NOW + timedelta(hours=24)


def test_no_breach_of_the_contract_in_any_kind_of_lane() -> None:
    kinds = (
        database("A"),
        database("B", white_space_bytes=GIB),
        database("C", is_mounted=False),
        database("D", white_space_bytes=GIB, last_full_backup_utc=None),
    )
    for mode in desired.VerifyMode:
        body = draft(server(databases=kinds), want=spec(script=script(verify=mode)))
        assert len(body.lanes) == 4
        assert list(breaches(body)) == []


def test_the_contract_notices_what_is_broken() -> None:
    body = draft()
    lane = body.lanes[0]
    swap = only(body, Action.SWAP)
    without_guard = tuple(
        evolve(step, guards=(), undo=None) if step is swap else step
        for step in lane.steps
        if step.action is not Action.SWAP_BACK
    )
    found = " ".join(breaches(evolve(body, lanes=(evolve(lane, steps=without_guard),))))
    assert "has no verified set as its guard" in found
    assert "does not say what takes it back" in found
    assert "has no way back after the swap" in found
    assert "has the number" in found


def _shuffled(body_of: random.Random) -> PlanBody:
    names = [f"EX{number:02}" for number in range(4)]
    databases = [f"DB{number:02}" for number in range(5)]
    servers = []
    for name in names:
        mine = [
            database(each, name, white_space_bytes=(41 if index % 2 else 1) * GIB)
            for index, each in enumerate(databases)
        ]
        kept = [record(each) for each in mine]
        body_of.shuffle(mine)
        body_of.shuffle(kept)
        servers.append(with_record(server(name, databases=tuple(mine)), *kept))
    body_of.shuffle(servers)
    inputs = [
        PlanInput(kind="specification", path=f"specs/{each}.yaml", sha256=each * 64)
        for each in "ab"
    ]
    body_of.shuffle(inputs)
    specs = [
        spec(
            "x",
            targets=evolve(spec().targets, include=("DB00", "DB01"), include_places=(PLACE,) * 2),
        ),
        spec(
            "y",
            targets=evolve(spec().targets, include=("DB02", "DB03"), include_places=(PLACE,) * 2),
        ),
    ]
    body_of.shuffle(specs)
    return make_draft(specs, inventory(*names), state(*servers), now=NOW, inputs=inputs)


def test_the_same_facts_give_the_same_bytes_in_any_order() -> None:
    bodies = [_shuffled(random.Random(seed)) for seed in range(5)]
    written = {canonical_json(to_plain(each)) for each in bodies}
    assert len(written) == 1


def test_a_plan_is_read_back_as_it_was_written_and_tampering_is_seen() -> None:
    plan = seal(draft(), NOW, "me")
    content = dump(plan)
    assert load(content) == plan
    with pytest.raises(InvalidDocument, match="changed after it was made"):
        load(content.replace(b"DB05.tmp.edb", b"DB06.tmp.edb", 1))
    for broken in (b"", b"[]", b"{}", b"\xff", content.replace(b"plan/v1", b"plan/v9")):
        with pytest.raises(InvalidDocument):
            load(broken)


def test_the_digest_does_not_cover_who_made_the_plan_when() -> None:
    body = draft()
    assert seal(body, NOW, "me").sha256 == seal(body, NOW + timedelta(days=1), "you").sha256


def test_pace_is_in_the_plan() -> None:
    pace = Pace(poll_interval_s=0.5, lease_s=60, heartbeat_s=10)
    body = make_draft([spec()], inventory(), state(), now=NOW, pace=pace)
    assert (body.rules.poll_interval_s, body.rules.lease_s, body.rules.heartbeat_s) == (0.5, 60, 10)
    call = only(body, Action.PLACE_SENTINEL).call
    assert isinstance(call, ScriptCall) and call.arguments["silent_after_s"] == 100


def test_an_unknown_host_needs_no_lane_and_no_crash() -> None:
    body = draft(server(host=Unknown("WinRM does not answer")))
    assert body.decisions[0].need is Need.NOT_POSSIBLE
    assert "WinRM does not answer" in body.decisions[0].explanation


def test_what_the_specification_leaves_out_is_not_copied() -> None:
    before = desired.BackupActions(offline=offline_backup(parts=()), online=None, place=at(20))
    assert Action.EXPORT_CONFIGURATION not in actions(draft(want=spec(backup_before=before)))
    assert conditions().white_space_max == 0.2


def test_a_thousand_databases_are_planned_in_time() -> None:
    names = [f"EX{number:03}" for number in range(100)]
    servers = [
        server(
            name,
            databases=tuple(
                database(f"DB{index}", name, white_space_bytes=(41 if index == 0 else 1) * GIB)
                for index in range(10)
            ),
        )
        for name in names
    ]
    seen = state(*servers)
    stock = inventory(*names)
    started = time.process_time()
    body = make_draft([spec()], stock, seen, now=NOW)
    assert len(body.decisions) == 1000
    assert time.process_time() - started < 10, "planning takes far longer than it should"


def test_a_copy_that_is_held_back_is_planned_with_it_and_so_is_the_outage() -> None:
    backups = evolve(spec().backup_before, offline=offline_backup(rate_max_bytes_per_s=1024**2))
    slow, fast = draft(want=spec(backup_before=backups)), draft()
    copy = only(slow, Action.COPY_SET)
    assert isinstance(copy.call, JobCall)
    assert copy.call.request["bytes_per_s"] == 1024**2
    assert copy.estimate_s == 98 * 1024
    assert "at most 1 MiB a second" in copy.summary
    assert (slow.decisions[0].outage_s or 0) > (fast.decisions[0].outage_s or 0) + 90_000
    assert "bytes_per_s" not in only(fast, Action.COPY_SET).call.request  # type: ignore[union-attr]
