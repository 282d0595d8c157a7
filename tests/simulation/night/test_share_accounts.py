"""A share that is written as an account of its own: tried before the outage, used by the jobs that
touch the share and by no others, and stored nowhere afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from goexchange.backup.manifest import parse_manifest
from goexchange.backup.verdict import verdict_bytes
from goexchange.errors import ExitCode
from goexchange.model.actual import ActualState
from goexchange.model.backup_set import SetVerdict
from goexchange.model.plan import Action, JobCall, PlanBody
from goexchange.model.run import RunResult
from goexchange.plan.context import Pace
from goexchange.plan.restoring import Setting, Wanted, original_draft, recovery_draft
from goexchange.simulation.night import Night, make_night
from goexchange.simulation.site import one_database
from goexchange.simulation.twin import twin_night
from goexchange.world.jobs import RUNNING
from goexchange.world.refusals import ScriptFailed
from goexchange.world.site import AccountDescription, ShareDescription, SiteDescription
from goexchange.world.truth import true_database
from tests.simulation.crash_points import crash_everywhere
from tests.simulation.night.documents import AT, INVENTORY, SPECIFICATION, inventory, specification
from tests.simulation.night.test_release import prepare, release
from tests.simulation.night.test_restoring import next_night

SHARE = "\\\\backup02\\vault$"
STORED, MANAGED = "LAB\\gx-backup", "LAB\\gx-jobs$"
SECRET = "correct horse"
TOUCH_THE_SHARE = (
    "try-folders", "export-configuration", "copy-files", "eseutil", "hash-files", "seal-set",
)  # fmt: skip
ON_SHARE = SPECIFICATION.replace("E:\\sets", SHARE)


def declared(account: str) -> str:
    credential = "" if account.endswith("$") else ", credential: 'env:SHARE'"
    return f"{INVENTORY}shares: [{{path: '{SHARE}', account: '{account}'{credential}}}]\n"


def site(account: AccountDescription, *, writer: str | None = None) -> SiteDescription:
    share = ShareDescription(path=f"{SHARE}\\", writers=(writer or account.user,))
    return evolve(one_database(), shares=(share,), accounts=(account,))


def account(user: str = STORED, **differs: object) -> AccountDescription:
    password = None if user.endswith("$") else SECRET
    made = AccountDescription(user=user, password=password, logs_on_at=("EX01",))
    return evolve(made, **differs)


def night(of: AccountDescription, **differs: str) -> Night:
    return make_night(
        site(of, **differs), [specification(ON_SHARE)], inventory(declared(of.user)), at=AT
    )


def kept_tasks(one: Night) -> list[str]:
    """Scheduled tasks of jobs that ran as somebody: each would store a credential."""
    world = one.performer.world
    return [
        job.task
        for (host, _), job in world.jobs.items()
        if job.account is not None and job.task in world.hosts[host].tasks
    ]


@pytest.mark.parametrize("user", [STORED, MANAGED])
def test_jobs_that_touch_the_share_run_as_its_account(user: str) -> None:
    one = night(account(user))
    result = one.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    world = one.performer.world
    run_as = {job.kind: job.account for job in world.jobs.values() if job.account is not None}
    assert run_as == dict.fromkeys(TOUCH_THE_SHARE, user)
    by_system = {job.kind for job in world.jobs.values() if job.account is None}
    assert by_system == {"eseutil", "wbadmin"}  # the rebuild and its checks, the online backup
    folder = f"{SHARE}\\EX01\\DB05"
    assert any(each.endswith("backup-set.json") for each in world.hosts["EX01"].files.below(folder))
    assert kept_tasks(one) == []


REFUSED = [
    (account(password="other"), {}, "the user name or the password is not right"),
    (account(logs_on_at=()), {}, "log on as a batch job"),
    (account(MANAGED, logs_on_at=()), {}, "Test-ADServiceAccount -Identity gx-jobs"),
    (account(), {"writer": "LAB\\somebody"}, "vault$ cannot be written: Access"),
    (account(is_administrator=False), {}, "DB05.edb cannot be read: Access"),
]


@pytest.mark.parametrize(("of", "differs", "words"), REFUSED)
def test_what_an_account_lacks_is_said_before_the_outage(
    of: AccountDescription, differs: dict[str, str], words: str
) -> None:
    one = night(of, **differs)
    one.performer.passwords = {STORED: SECRET}
    result = one.run_to_end()
    _never_down(one, result)
    assert words in result.databases[0].why


def test_a_computer_account_without_rights_is_found_before_the_outage() -> None:
    for writer, is_allowed in (("LAB\\EX02$", False), ("LAB\\EX01$", True)):
        shares = (ShareDescription(path=f"{SHARE}\\", writers=(writer,)),)
        stock = inventory(f"{INVENTORY}shares: [{{path: '{SHARE}'}}]\n")
        one = make_night(
            evolve(one_database(), shares=shares), [specification(ON_SHARE)], stock, at=AT
        )
        result = one.run_to_end()
        if is_allowed:
            assert result.exit_code == ExitCode.OK, result
            continue
        _never_down(one, result)
        assert "vault$ cannot be written: Access" in result.databases[0].why


def test_an_account_that_nobody_knows_is_refused() -> None:
    one = night(account())
    one.performer.world.site = evolve(one.performer.world.site, accounts=())
    result = one.run_to_end()
    _never_down(one, result)
    assert "knows no such account" in result.databases[0].why


def test_a_call_without_its_password_is_refused() -> None:
    one = night(account())
    one.performer.passwords = {STORED: ""}
    result = one.run_to_end()
    _never_down(one, result)


def _never_down(one: Night, result: RunResult) -> None:
    assert result.exit_code == ExitCode.STOPPED, result
    world = one.performer.world
    assert "dismount" not in {each.kind for each in world.effects}
    assert true_database(world, world.database_named("DB05")).is_mounted
    assert kept_tasks(one) == []


def test_a_kill_at_some_boundaries_leaves_no_task_that_stores_a_password() -> None:
    def judge(ended: Night, _result: object) -> None:
        world = ended.performer.world
        assert true_database(world, world.database_named("DB05")).is_mounted
        assert kept_tasks(ended) == []

    report = crash_everywhere(night(account()), every=17, judge=judge)
    assert report.points > 15
    assert report.ends == {int(ExitCode.OK): report.points}


def test_the_set_on_the_share_brings_the_database_back_when_the_original_is_gone() -> None:
    one = night(account())
    world = one.performer.world
    steps = {step.id: step for lane in one.plan.body.lanes for step in lane.steps}

    def is_sent(action: Action) -> bool:
        return any(
            steps[step].action is action
            for step in (each.data.get("step") for each in one.performer.records)
            if step in steps
        )

    while not is_sent(Action.SWAP):
        one.take(one.performer.perform(one.next()))
    while not any(each.kind == "swap" for each in world.effects):
        one.take(one.performer.perform(one.next()))
    files = world.hosts["EX01"].files
    (kept,) = [each for each in files.below("D:\\DB05") if ".edb.before-" in each]
    files.delete(kept)
    present = "D:\\DB05\\DB05.edb"
    files.write(present, bytes(len(files.read(present))))  # what was swapped in does not mount
    result = one.run_to_end()
    assert true_database(world, world.database_named("DB05")).is_mounted, result
    back = [job for job in world.jobs.values() if job.kind == "copy-files"]
    assert {job.account for job in back} == {STORED} and len(back) == 2
    assert kept_tasks(one) == []


def rebuilt() -> Night:
    """A night whose set lies on the share, well ended; mail has come in since."""
    one = night(account())
    assert one.run_to_end().exit_code == ExitCode.OK
    one.performer.clock.move(seconds=3600)
    one.performer.world.mail("DB05", pages=1)
    return one


def of_the_set(one: Night, draft: Callable[[Wanted, Setting], PlanBody]) -> Night:
    """The next night, of a plan that reads the set on the share."""
    files, now = one.performer.world.hosts["EX01"].files, one.performer.now()
    manifest = next(each for each in files.below(SHARE) if each.endswith("backup-set.json"))
    sealed = parse_manifest(files.read(manifest))
    wanted = Wanted(sealed=sealed, folder=manifest.rpartition("\\")[0], replay=None)
    seen = ActualState(observed_at_utc=now, servers=(one.performer.observe("EX01", ()),))
    of = Setting(
        inventory=inventory(declared(STORED)), actual=seen, server="EX01", now=now, pace=Pace()
    )
    return next_night(one, draft(wanted, of))


def test_a_database_is_rolled_back_to_its_set_on_the_share_by_jobs_of_its_account() -> None:
    one = rebuilt()
    world = one.performer.world
    newer = true_database(world, world.database_named("DB05")).present
    before = len(world.jobs)
    again = of_the_set(one, original_draft)
    assert again.run_to_end().exit_code == ExitCode.UNPROTECTED  # nobody declared a backup
    after = true_database(world, world.database_named("DB05"))
    assert after.is_mounted and after.present is not None and newer is not None
    assert after.present.signature != newer.signature and after.present.is_sound
    made = list(world.jobs.values())[before:]
    assert [job.kind for job in made if job.account == STORED] == ["copy-files"]
    assert kept_tasks(again) == []


def test_a_wrong_password_rolls_nothing_back_and_takes_nothing_down() -> None:
    one = rebuilt()
    again = of_the_set(one, original_draft)
    again.performer.passwords = {STORED: "not the password"}
    world = one.performer.world
    newer = true_database(world, world.database_named("DB05")).present
    down = [each.kind for each in world.effects].count("dismount")
    result = again.run_to_end()
    assert result.exit_code == ExitCode.STOPPED and "(1326)" in result.databases[0].why
    after = true_database(world, world.database_named("DB05"))
    assert after.is_mounted and after.present == newer and kept_tasks(again) == []
    assert [each.kind for each in world.effects].count("dismount") == down


def test_a_kill_at_some_boundaries_of_that_rollback_ends_in_service_without_a_password() -> None:
    def judge(ended: Night, result: RunResult) -> None:
        world = ended.performer.world
        assert result.exit_code == ExitCode.UNPROTECTED, result
        assert true_database(world, world.database_named("DB05")).is_mounted
        assert kept_tasks(ended) == []

    again = of_the_set(rebuilt(), original_draft)
    assert crash_everywhere(again, every=9, judge=judge).points > 8


def test_a_release_leaves_no_task_that_stores_a_password() -> None:
    """The job has ended meanwhile; its task has not gone by itself."""
    one = night(account())
    world = one.performer.world
    while not any(job.account and job.kind == "copy-files" and job.state == RUNNING
                  for job in world.jobs.values()):  # fmt: skip
        one.take(one.performer.perform(one.next()))
    one.kill()
    one.performer.clock.move(seconds=2 * 3600)
    world.advance()
    assert kept_tasks(one) and not any(job.state == RUNNING for job in world.jobs.values())
    assert release(one, prepare(one)).exit_code == ExitCode.OK
    assert kept_tasks(one) == []


def waits_for_a_verdict() -> Night:
    """Nothing but the server sees the share; its lane waits for what BACKUP09 leaves there."""
    stock = inventory(declared(STORED) + "machines: {BACKUP09: {}}\nverifier: BACKUP09\n")
    one = make_night(site(account()), [specification(ON_SHARE)], stock, at=AT)
    while not any(job.kind == "await-verdict" for job in one.performer.world.jobs.values()):
        one.take(one.performer.perform(one.next()))
    return one


@pytest.mark.parametrize("is_good", [True, False])
def test_the_verdict_of_a_verifier_is_waited_for_by_a_job_of_the_account(is_good: bool) -> None:
    one = waits_for_a_verdict()
    world = one.performer.world
    ((host, job),) = [
        (world.hosts[host], job)
        for (host, _), job in world.jobs.items()
        if job.kind == "await-verdict"
    ]
    assert job.account == STORED
    found = SetVerdict(
        set_id="EX01-DB05",
        set_sha256=job.request["set_sha256"],
        verdict="restorable" if is_good else "not-restorable",
        is_good=is_good,
        findings=() if is_good else ("DB05.edb: page 7",),
        verified_at_utc=AT,
        verified_by="BACKUP09",
        tool_version="1",
    )
    host.files.write(f"{job.request['folder']}\\backup-set.verdict.json", verdict_bytes(found))
    result = one.run_to_end()
    assert result.exit_code == (ExitCode.OK if is_good else ExitCode.STOPPED), result
    assert is_good or "does not pass the set" in result.databases[0].why
    assert world.database_named("DB05").mounted_on == "EX01"
    assert kept_tasks(one) == []


def test_a_kill_in_the_wait_for_a_verdict_waits_on_with_the_same_job() -> None:
    one = waits_for_a_verdict()
    one.kill()
    result = one.run_to_end()
    assert result.exit_code == ExitCode.STOPPED
    assert "no verdict within" in result.databases[0].why
    waits = [job for job in one.performer.world.jobs.values() if job.kind == "await-verdict"]
    assert len(waits) == 1
    assert one.performer.world.database_named("DB05").mounted_on == "EX01"


def test_a_set_on_the_share_is_restored_by_a_job_of_its_account() -> None:
    again = of_the_set(rebuilt(), recovery_draft)
    copying = again.plan.body.lanes[0].steps[0]
    assert copying.action is Action.COPY_FROM_SET and f", as {STORED}" in copying.summary
    result = again.run_to_end()
    assert result.exit_code == ExitCode.OK, result
    assert kept_tasks(again) == []


@pytest.mark.parametrize(
    ("script", "more"),
    [
        ("seal-set", {"root": "C:\\gx", "fence": 1, "manifest": ""}),
        ("read-set", {}),
    ],
)
def test_a_session_has_no_rights_on_the_share(script: str, more: dict[str, object]) -> None:
    world = night(account()).performer.world
    with pytest.raises(ScriptFailed, match="denied"):
        world.script("EX01", "gxadmin", script, {"folder": f"{SHARE}\\x", **more})


def test_a_rehearsal_knows_the_account() -> None:
    plan = night(account()).plan
    assert any(
        isinstance(step.call, JobCall) and step.call.account == STORED
        for lane in plan.body.lanes
        for step in lane.steps
    )
    result = twin_night(plan, seed=1, starts_at=AT).run_to_end()
    assert result.exit_code == ExitCode.OK, result
