from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve, frozen

from goexchange.guard.evaluate import at_plan, at_start, before_step, is_refused, may_be_refused
from goexchange.guard.guard import Guard, Moment
from goexchange.guard.registry import GUARDS, registered
from goexchange.model import actual
from goexchange.model.approval import Approval, GivenConsent
from goexchange.model.plan import Action, Direction, Plan, Step, Verdict, VerdictKind
from goexchange.model.run import OutcomeKind, StepRecord
from goexchange.model.unknown import Unknown
from goexchange.plan.check import GUARDS as NAMED_BY_THE_PLANNER
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal
from tests.unit.plan.builders import (
    GIB,
    IN_WINDOW,
    NOW,
    database,
    host,
    inventory,
    server,
    spec,
    state,
    volume,
)

PASS, BLOCK, UNKNOWN, DUE = VerdictKind
ORIGINAL = "\\\\backup01\\exchange$\\EX01\\DB05\\20261125T120000Z\\DB05.edb"
LOG = "\\\\backup01\\exchange$\\EX01\\DB05\\20261125T120000Z\\E0500000001.log"
HEADER = {
    "state": 3,
    "headers_alike": True,
    "log_required": [0, 0],
    "page_bytes": 32768,
    "signature": "ab" * 28,
    "dbtime": 4711,
    "size_bytes": 98 * GIB,
}
FILES = [
    {"path": ORIGINAL, "size_bytes": 98 * GIB, "sha256": "1" * 64},
    {"path": LOG, "size_bytes": 1048576, "sha256": "2" * 64},
]
GOOD: Mapping[Action, Mapping[str, Any]] = {
    Action.READ_HEADER: HEADER,
    Action.COPY_SET: {"files": FILES},
    Action.HASH_SET: {"files": [dict(each) for each in reversed(FILES)]},
    Action.VERIFY_SET_ON_HOST: {"ok": True, "bad_checksums": 0, "wrong_page_numbers": 0},
    Action.SEAL_SET: {"path": "manifest.json", "set_sha256": "5" * 64},
    Action.VERIFY_SET: {"ok": True, "dbtime": 4711, "set_sha256": "5" * 64},
    Action.READ_TEMPORARY_HEADER: {"size_bytes": 57 * GIB},
}


@frozen(kw_only=True)
class Run:
    """What a run has done so far."""

    records: Mapping[str, StepRecord]
    run: str | None = "r-1"

    def step(self, step: str) -> StepRecord:
        return self.records[step] if step in self.records else StepRecord(step=step)


def plan_of(seen: actual.ActualState | None = None) -> Plan:
    return seal(make_draft([spec()], inventory(), seen or state(), now=NOW), NOW, "me")


def run_of(plan: Plan, results: Mapping[Action, Mapping[str, Any]]) -> Run:
    return Run(
        records={
            step.id: StepRecord(
                step=step.id, outcome=OutcomeKind.DONE, result=results[step.action], attempts=1
            )
            for step in plan.body.lanes[0].steps
            if step.action in results
        }
    )


def step_of(plan: Plan, action: Action) -> Step:
    return next(each for each in plan.body.lanes[0].steps if each.action is action)


def verdict(verdicts: tuple[Verdict, ...], guard: str) -> Verdict:
    return next(each for each in verdicts if each.guard == guard)


def planned(guard: str, seen: actual.ActualState, now: datetime = NOW) -> Verdict:
    return verdict(at_plan(plan_of().body, seen, now), guard)


def of_host(**differs: Any) -> actual.ActualState:
    return state(server(host=host(**differs)))


def of_database(**differs: Any) -> actual.ActualState:
    return state(server(databases=(database(**differs),)))


def before_swap(**differs: Mapping[str, Any] | None) -> tuple[Verdict, ...]:
    plan = plan_of()
    changed = {Action(name.replace("_", "-")): value for name, value in differs.items()}
    results = {action: value for action, value in {**GOOD, **changed}.items() if value is not None}
    swap = step_of(plan, Action.SWAP)
    return before_step(plan, swap, run_of(plan, results), state(), IN_WINDOW)


def test_a_good_night_passes_every_guard() -> None:
    verdicts = at_plan(plan_of().body, state(), NOW)
    assert {each.kind for each in verdicts} == {PASS, DUE}
    due = {each.guard: each.due_at_step for each in verdicts if each.kind is DUE}
    assert set(due) == {"clean-shutdown", "verified-set"}
    assert due["verified-set"] == step_of(plan_of(), Action.SWAP).id
    assert {each.kind for each in before_swap()} == {PASS}


def test_two_guards_of_one_name_are_refused() -> None:
    one = next(iter(GUARDS.values()))
    with pytest.raises(ValueError, match="two guards are called"):
        registered((one, one))


def test_the_planner_names_guards_that_exist() -> None:
    assert set(GUARDS) == NAMED_BY_THE_PLANNER


def _unknown(path: str) -> actual.ActualState:
    where, _, name = path.partition(".")
    unknown = Unknown("it could not be read")
    if where == "host":
        return of_host(**{name: unknown})
    if where == "database":
        return of_database(**{name: unknown})
    return state(server(**{name: unknown}))


# Of plans that suspend a copy, take a server down, work on a cluster or have public folders, which
# none here does:
# test_copies_well.py, test_members.py, test_same_node.py and test_public_folders.py ask of them.
ELSEWHERE = ("copies-", "members-", "mode-", "nothing-active", "no-replication-", "same-node")
HERE = [each for each in GUARDS.values() if not each.id.startswith(ELSEWHERE)]
READS = [(guard, fact) for guard in HERE for fact in guard.reads]


@pytest.mark.parametrize(("guard", "fact"), READS, ids=lambda each: getattr(each, "id", each))
def test_an_unknown_fact_never_passes(guard: Guard, fact: str) -> None:
    plan, seen = plan_of(), _unknown(fact)
    assert verdict(at_plan(plan.body, seen, NOW), guard.id).kind in (UNKNOWN, DUE)
    assert verdict(at_start(plan, seen, IN_WINDOW, None), guard.id).kind in (UNKNOWN, DUE)
    step = next(each for each in plan.body.lanes[0].steps if guard.id in each.guards)
    run = run_of(plan, {Action.READ_HEADER: HEADER})
    now = verdict(before_step(plan, step, run, seen, IN_WINDOW), guard.id)
    assert now.kind is UNKNOWN
    assert now.remedy is not None


@pytest.mark.parametrize("guard", [each for each in HERE if each.reads])
def test_an_unknown_host_or_server_never_passes(guard: Guard) -> None:
    seen = (
        state(evolve(server(), host=Unknown("no answer"), databases=Unknown("no answer"))),
        actual.ActualState(observed_at_utc=NOW, servers=()),
    )
    for each in seen:
        assert verdict(at_plan(plan_of().body, each, NOW), guard.id).kind in (UNKNOWN, DUE)


def test_every_member_that_the_verified_set_reads_is_needed() -> None:
    for action in GOOD:
        if action is Action.READ_TEMPORARY_HEADER:
            continue
        without: dict[str, Any] = {action.value.replace("-", "_"): None}
        assert verdict(before_swap(**without), "verified-set").kind is UNKNOWN, action
    for action, names in {
        Action.READ_HEADER: ("state", "headers_alike", "signature", "dbtime", "size_bytes"),
        Action.COPY_SET: ("files",),
        Action.HASH_SET: ("files",),
        Action.VERIFY_SET_ON_HOST: ("ok", "bad_checksums", "wrong_page_numbers"),
        Action.VERIFY_SET: ("ok", "set_sha256"),
    }.items():
        for name in names:
            lacking = {key: value for key, value in GOOD[action].items() if key != name}
            found = before_swap(**{action.value.replace("-", "_"): lacking})
            assert verdict(found, "verified-set").kind is UNKNOWN, name


@pytest.mark.parametrize(
    ("action", "differs"),
    [
        ("read_header", {"state": 2}),
        ("read_header", {"headers_alike": False}),
        ("read_header", {"size_bytes": 98 * GIB + 32768}),
        ("copy_set", {"files": []}),
        ("hash_set", {"files": FILES[:1]}),
        ("hash_set", {"files": [FILES[0], {**FILES[1], "sha256": "3" * 64}]}),
        ("verify_set_on_host", {"ok": False}),
        ("verify_set_on_host", {"bad_checksums": 1}),
        ("verify_set_on_host", {"wrong_page_numbers": 1}),
        ("verify_set", {"ok": False}),
        ("verify_set", {"signature": "cd" * 28}),
        ("verify_set", {"dbtime": 4712}),
        ("verify_set", {"set_sha256": "6" * 64}),
    ],
)
def test_a_set_that_is_not_of_this_very_file_blocks_the_swap(
    action: str, differs: dict[str, Any]
) -> None:
    result = {**GOOD[Action(action.replace("_", "-"))], **differs}
    found = verdict(before_swap(**{action: result}), "verified-set")
    assert found.kind is BLOCK
    assert found.remedy is not None and "original is mounted again" in found.remedy


@pytest.mark.parametrize(
    "differs", [{"state": 2}, {"headers_alike": False}, {"log_required": [7, 9]}]
)
def test_an_unclean_file_blocks_the_work_on_it(differs: dict[str, Any]) -> None:
    plan = plan_of()
    run = run_of(plan, {Action.READ_HEADER: {**HEADER, **differs}})
    for action in (Action.DETECT_ERRORS, Action.COPY_SET, Action.REBUILD):
        found = before_step(plan, step_of(plan, action), run, state(), IN_WINDOW)
        assert verdict(found, "clean-shutdown").kind is BLOCK


def test_nothing_gained_blocks_the_swap() -> None:
    found = before_swap(read_temporary_header={"size_bytes": 98 * GIB})
    assert verdict(found, "gain").kind is BLOCK
    assert planned("gain", of_database(white_space_bytes=9 * GIB)).kind is BLOCK


@pytest.mark.parametrize(
    ("guard", "seen"),
    [
        ("identity", of_database(edb_path="D:\\elsewhere\\DB05.edb")),
        ("identity", of_database(name="DB05-renamed", guid=database().guid)),
        ("not-recovery", of_database(is_recovery=True)),
        ("single-copy", of_database(copies=("EX01", "EX02"))),
        ("single-copy", of_database(is_replicated=True)),
        ("mount-at-startup", of_database(is_mount_at_startup=False)),
        ("no-backup-running", of_database(is_backup_running=True)),
        ("no-other-maintenance", of_database(has_moves=True)),
        ("no-other-maintenance", of_database(has_repair_requests=True)),
        ("no-other-maintenance", of_host(is_reboot_pending=True)),
        ("elevated", of_host(is_elevated=False)),
        ("tool-fits", of_host(eseutil_version="15.02.1258.012")),
        ("tool-fits", of_host(eseutil_version="not a version")),
    ],
)
def test_what_does_not_hold_blocks_with_a_remedy(guard: str, seen: actual.ActualState) -> None:
    found = planned(guard, seen)
    assert found.kind is BLOCK
    assert found.remedy and found.evidence and found.rule


def test_a_missing_database_is_unknown_and_never_another_one() -> None:
    other = state(server(databases=(database("DB06"),)))
    assert planned("identity", other).kind is UNKNOWN


def _process(name: str) -> actual.RunningProcess:
    return actual.RunningProcess(name=name, process_id=7, started_at_utc=NOW)


def _event(event_id: int, hours_ago: float, provider: str = "ESE") -> actual.HostEvent:
    return actual.HostEvent(
        log="Application",
        provider=provider,
        event_id=event_id,
        at_utc=NOW - timedelta(hours=hours_ago),
        text="",
    )


def test_hard_signs_of_a_backup_block_and_hints_are_shown() -> None:
    assert planned("no-backup-running", of_host(processes=(_process("wbadmin.exe"),))).kind is BLOCK
    begun = of_host(backup_events=(_event(2005, 2),))
    assert planned("no-backup-running", begun).kind is BLOCK
    ended = of_host(backup_events=(_event(2006, 1), _event(2005, 2)))
    assert planned("no-backup-running", ended).kind is PASS
    before_boot = of_host(backup_events=(_event(2005, 24 * 30),))
    assert planned("no-backup-running", before_boot).kind is PASS
    hinted = planned("no-backup-running", of_host(processes=(_process("VeeamAgent"),)))
    assert hinted.kind is PASS
    assert "veeamagent is resident" in hinted.evidence


@pytest.mark.parametrize(("hours_after_opening", "kind"), [(1, BLOCK), (-10, PASS), (30, PASS)])
def test_a_backup_that_is_scheduled_inside_the_run_blocks(
    hours_after_opening: int, kind: VerdictKind
) -> None:
    moment = datetime(2026, 11, 28, 21, tzinfo=UTC) + timedelta(hours=hours_after_opening)
    task = actual.ScheduledTask(
        name="nightly", state="Ready", actions=("wbadmin start backup",), next_run_utc=moment
    )
    assert planned("no-backup-running", of_host(tasks=(task,))).kind is kind
    ours = evolve(task, name="\\goexchange\\sentinel")
    assert planned("no-backup-running", of_host(tasks=(ours,))).kind is PASS
    backup = host().windows_backup
    assert isinstance(backup, actual.WindowsBackup)
    scheduled = of_host(windows_backup=evolve(backup, next_scheduled_utc=moment))
    assert planned("no-backup-running", scheduled).kind is kind


def test_a_dismounted_neighbour_is_in_no_backup() -> None:
    neighbour = database("DB06", is_mounted=False, is_backup_running=Unknown("dismounted"))
    seen = state(server(databases=(database(), neighbour)))
    assert planned("no-backup-running", seen).kind is PASS


def test_repair_requests_not_asked_for_are_due_at_the_last_look() -> None:
    seen = of_database(has_repair_requests=Unknown("the database was not known before"))
    found = planned("no-other-maintenance", seen)
    assert found.kind is DUE
    assert found.due_at_step is not None and "notify" in found.due_at_step


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (_event(474, 24), BLOCK),
        (_event(533, 6.9 * 24), BLOCK),
        (_event(474, 8 * 24), PASS),
        (_event(326, 24), PASS),
        (_event(7, 24, "disk"), BLOCK),
    ],
)
def test_storage_errors_of_a_week_block(event: actual.HostEvent, kind: VerdictKind) -> None:
    assert planned("storage-healthy", of_host(storage_events=(event,))).kind is kind


def test_space_counts_temporary_file_and_threshold_by_longest_mount_point() -> None:
    def free(gib: int) -> actual.ActualState:
        mounted = volume("D:\\DB05\\", free_gib=gib)
        return of_host(
            volumes=(volume("C:\\"), volume("D:\\"), volume("E:\\"), volume("L:\\"), mounted)
        )

    assert planned("space", free(243)).kind is PASS
    short = planned("space", free(242))
    assert short.kind is BLOCK
    assert "D:\\DB05\\" in short.evidence


def test_space_adds_up_over_the_lanes_of_a_server() -> None:
    both = server(databases=(database("DB01"), database("DB05")))
    plan = plan_of(state(both))
    disks = tuple(
        evolve(each, free_bytes=300 * GIB) if each.mount_point == "D:\\" else each
        for each in host().volumes  # type: ignore[union-attr]
    )
    seen = state(evolve(both, host=host(volumes=disks)))
    found = [each for each in at_plan(plan.body, seen, NOW) if each.guard == "space"]
    assert [each.kind for each in found] == [PASS, BLOCK]


def test_a_neighbour_on_no_volume_and_a_second_database_change_nothing() -> None:
    neighbour = database("DB01", edb_path="Q:\\DB01\\DB01.edb")
    both = state(server(databases=(neighbour, database())))
    body = plan_of().body
    facts = evolve(body, facts=both)  # the planned database is not the first that was seen
    verdicts = at_plan(facts, both, NOW)
    assert verdict(verdicts, "space").kind is PASS
    assert verdict(verdicts, "identity").kind is PASS


def test_a_temporary_file_never_lies_where_another_database_is() -> None:
    folder = f"D:\\DB05\\gx-{database().guid[:8]}"
    intruder = database("DB06", edb_path=f"{folder}\\DB06.edb")
    seen = state(server(databases=(database(), intruder)))
    assert planned("temporary-path", seen).kind is BLOCK
    remote = tuple(evolve(each, is_local=False) for each in host().volumes)  # type: ignore[union-attr]
    assert planned("temporary-path", of_host(volumes=remote)).kind is BLOCK


def test_page_size_of_another_product_blocks() -> None:
    plan = plan_of()
    run = run_of(plan, {Action.READ_HEADER: {**HEADER, "page_bytes": 8192}})
    found = before_step(plan, step_of(plan, Action.REBUILD), run, state(), IN_WINDOW)
    assert verdict(found, "tool-fits").kind is BLOCK


def test_an_open_run_of_somebody_else_blocks_and_our_own_does_not() -> None:
    left = actual.OpenRecovery(run="r-1", database_guid=None, opened_at_utc=NOW, phase="offline")
    seen, plan = of_host(open_recoveries=(left,)), plan_of()
    assert planned("no-open-run", seen).kind is BLOCK
    first = plan.body.lanes[0].steps[0]
    own = before_step(plan, first, Run(records={}, run="r-1"), seen, IN_WINDOW)
    assert verdict(own, "no-open-run").kind is PASS
    other = before_step(plan, first, Run(records={}, run="r-2"), seen, IN_WINDOW)
    assert verdict(other, "no-open-run").kind is BLOCK


OPENS = datetime(2026, 11, 28, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "kind"), [(-1, BLOCK), (0, PASS), (4, PASS), (7, BLOCK), (9, BLOCK)]
)
def test_a_run_starts_only_when_its_outage_fits_the_open_window(
    hours: int, kind: VerdictKind
) -> None:
    found = verdict(at_start(plan_of(), state(), OPENS + timedelta(hours=hours), None), "window")
    assert found.kind is kind
    assert found.is_time_only is (kind is BLOCK)


def test_an_outage_longer_than_the_whole_window_is_more_than_time() -> None:
    huge = state(server(databases=(database(size_bytes=900 * GIB, white_space_bytes=300 * GIB),)))
    found = verdict(at_plan(plan_of(huge).body, huge, NOW), "window")
    assert found.kind is BLOCK
    assert not found.is_time_only


def test_an_outage_longer_than_the_run_may_last_blocks() -> None:
    plan = plan_of()
    for limit_s, kind in ((4 * 3600, PASS), (2 * 3600, BLOCK)):
        rules = evolve(plan.body.rules, run_time_max_s=limit_s)
        for window in (plan.body.window, None):
            body = evolve(plan.body, rules=rules, window=window)
            found = verdict(at_plan(body, state(), NOW), "window")
            assert found.kind is kind, found.evidence
            assert not found.is_time_only


def test_after_the_latest_swap_there_is_no_swap() -> None:
    plan = plan_of()
    assert plan.body.window is not None and plan.body.window.latest_swap_utc is not None
    latest = plan.body.window.latest_swap_utc
    swap, run = step_of(plan, Action.SWAP), run_of(plan, GOOD)
    assert verdict(before_step(plan, swap, run, state(), latest), "window").kind is PASS
    late = before_step(plan, swap, run, state(), latest + timedelta(seconds=1))
    assert verdict(late, "window").kind is BLOCK


def test_no_step_that_leads_back_is_ever_refused() -> None:
    plan = plan_of()
    nothing_known = actual.ActualState(observed_at_utc=NOW, servers=())
    for step in plan.body.lanes[0].steps:
        guarded = evolve(step, guards=tuple(GUARDS))
        late = OPENS + timedelta(days=30)
        found = before_step(
            evolve(plan, body=evolve(plan.body, lanes=(_with(plan, guarded),))),
            guarded,
            Run(records={}),
            nothing_known,
            late,
        )
        assert (found == ()) is (step.direction is Direction.BACK)
        assert may_be_refused(step) is (step.direction is not Direction.BACK)


def _with(plan: Plan, step: Step) -> Any:
    lane = plan.body.lanes[0]
    return evolve(lane, steps=tuple(step if each.id == step.id else each for each in lane.steps))


def test_a_plan_that_only_mounts_needs_neither_window_nor_approval() -> None:
    down = state(server(databases=(database(is_mounted=False),)))
    plan = plan_of(down)
    late = at_start(plan, down, OPENS + timedelta(days=30), None, hold="Christmas")
    assert not is_refused(late)


def approval_of(plan: Plan, **differs: Any) -> Approval:
    values: dict[str, Any] = {
        "plan_sha256": plan.sha256,
        "approved_by": "ann",
        "approved_at_utc": NOW,
        "expires_at_utc": OPENS + timedelta(days=1),
        "comment": "",
        "consents": tuple(
            GivenConsent(consent=each.consent, address=each.address) for each in plan.body.consents
        ),
    }
    return Approval(**{**values, **differs})


def test_an_approval_is_of_this_plan_unexpired_and_complete() -> None:
    plan = plan_of()
    good = approval_of(plan)
    now = OPENS
    kinds = {
        "good": verdict(at_start(plan, state(), now, good), "approval").kind,
        "none": verdict(at_start(plan, state(), now, None), "approval").kind,
        "other": verdict(
            at_start(plan, state(), now, evolve(good, plan_sha256="0" * 64)), "approval"
        ).kind,
        "expired": verdict(
            at_start(plan, state(), now, evolve(good, expires_at_utc=now)), "approval"
        ).kind,
        "lacking": verdict(
            at_start(plan, state(), now, evolve(good, consents=good.consents[1:])), "approval"
        ).kind,
    }
    assert kinds == {
        "good": PASS,
        "none": BLOCK,
        "other": BLOCK,
        "expired": BLOCK,
        "lacking": BLOCK,
    }


def test_a_consent_for_another_address_is_none() -> None:
    plan = plan_of()
    moved = tuple(evolve(each, address="EX02/DB05") for each in approval_of(plan).consents)
    found = at_start(plan, state(), OPENS, approval_of(plan, consents=moved))
    assert verdict(found, "approval").kind is BLOCK


def test_hold_and_validity_are_decided_at_start() -> None:
    plan = plan_of()
    held = at_start(plan, state(), OPENS, None, hold="change freeze")
    assert verdict(held, "hold-free").kind is BLOCK
    assert verdict(at_start(plan, state(), OPENS, None), "hold-free").kind is PASS
    blind = at_start(plan, state(), OPENS, None, hold=Unknown("the store does not answer"))
    assert verdict(blind, "hold-free").kind is UNKNOWN
    late = at_start(plan, state(), OPENS + timedelta(hours=8), None)
    assert verdict(late, "valid").kind is BLOCK
    assert verdict(late, "valid").is_time_only


def test_every_guard_says_its_rule_and_when_it_is_decided() -> None:
    for guard in GUARDS.values():
        assert guard.rule
        assert Moment.STEP in guard.moments


@pytest.mark.parametrize(("overrun", "kind"), [("back-to-original", BLOCK), ("finish", PASS)])
@pytest.mark.parametrize("after", [timedelta(minutes=-1), timedelta(hours=1)])
def test_late_at_the_swap_the_overrun_policy_decides(
    overrun: str, kind: VerdictKind, after: timedelta
) -> None:
    """A minute before the window closes, and after it: too late to mount and to go back."""
    plan = plan_of()
    assert plan.body.window is not None
    rules = evolve(plan.body.rules, overrun=overrun)
    late = evolve(plan, body=evolve(plan.body, rules=rules))
    now = plan.body.window.closes_at_utc + after
    found = before_step(late, step_of(late, Action.SWAP), run_of(late, GOOD), state(), now)
    assert verdict(found, "window").kind is kind
    # no policy lets an outage begin then
    found = before_step(late, step_of(late, Action.DISMOUNT), run_of(late, GOOD), state(), now)
    assert verdict(found, "window").kind is BLOCK
