"""Plans of a pilot: where the scratch database goes, what is asked of it, and how it is removed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.judge_scratch import judge_empty
from goexchange.driver.judgement import Failure
from goexchange.errors import NotNow
from goexchange.model.pilot import FORMAT, PilotRecord, Versions, is_proven
from goexchange.model.plan import Action, Consent, ExchangeCall, Need, PlanBody
from goexchange.model.unknown import Unknown
from goexchange.plan.consents import versions_of
from goexchange.plan.context import Pace, Pilots
from goexchange.plan.pilot import (
    Scratch,
    chosen_volume,
    creation_draft,
    hypothetical,
    removal_draft,
    scratch_at,
    specification_for,
)
from goexchange.plan.planner import make_draft
from goexchange.plan.restoring import Setting
from goexchange.powershell import cmdlets
from goexchange.powershell.cmdlets import CmdletRefused, check_call
from tests.unit.plan.builders import (
    GIB,
    NOW,
    database,
    host,
    inventory,
    server,
    spec,
    state,
    volume,
)

VERSIONS = Versions(exchange="15.2.1544.39", eseutil="15.2.1544.39",
                    powershell="5.1.20348.2849", goexchange="0.1.0")  # fmt: skip
SCRATCH = scratch_at(NOW, "C:\\")


def record_of(versions: Versions, *, is_good: bool = True, hours: int = 0) -> PilotRecord:
    return PilotRecord(
        format=FORMAT, id="gx-pilot-1", server="EX01", database="gx-pilot-1", versions=versions,
        began_at_utc=NOW, ended_at_utc=NOW + timedelta(hours=hours), is_good=is_good, why="",
        stages=(), parsers=(), left=(), transcript_sha256="", transcript_files=0,
    )  # fmt: skip


def setting(*databases: Any) -> Setting:
    return Setting(inventory=inventory(), actual=state(server(databases=databases)),
                   server="EX01", now=NOW, pace=Pace())  # fmt: skip


def scratch_database(**differs: Any) -> Any:
    return database(SCRATCH.name, edb_path=SCRATCH.edb_path, log_folder=SCRATCH.log_folder,
                    **differs)  # fmt: skip


def actions(body: PlanBody) -> list[Action]:
    return [step.action for lane in body.lanes for step in lane.steps]


def test_a_proof_counts_for_the_same_versions_and_no_others() -> None:
    assert is_proven(VERSIONS, (record_of(VERSIONS),))
    assert is_proven(evolve(VERSIONS, powershell="5.1.20348.3000"), (record_of(VERSIONS),))
    assert is_proven(evolve(VERSIONS, goexchange="0.1.9"), (record_of(VERSIONS),))
    for other in (
        {"exchange": "15.2.1544.40"},
        {"eseutil": "15.2.1544.40"},
        {"powershell": "5.1.17763.1"},
        {"goexchange": "0.2.0"},
        {"exchange": None},
    ):
        assert not is_proven(evolve(VERSIONS, **other), (record_of(VERSIONS),)), other
    unknown = evolve(VERSIONS, exchange=None)
    assert not is_proven(unknown, (record_of(unknown),))


def test_the_newest_pilot_counts() -> None:
    good, bad = record_of(VERSIONS), record_of(VERSIONS, is_good=False, hours=1)
    assert not is_proven(VERSIONS, (good, bad)) and not is_proven(VERSIONS, (bad, good))
    assert is_proven(VERSIONS, (bad, record_of(VERSIONS, hours=2)))


def test_a_good_pilot_takes_the_consent_out_of_the_plan() -> None:
    one = server(databases=(database(),))
    assert not isinstance(one.host, Unknown)

    def consents(pilots: Pilots) -> set[Consent]:
        body = make_draft([spec()], inventory(), state(one), now=NOW, pilots=pilots)
        return {each.consent for each in body.consents}

    proved = record_of(versions_of(one.host))
    assert Consent.UNPROVEN_BUILD in consents(Pilots())
    assert Consent.UNPROVEN_BUILD in consents(Pilots(records=(evolve(proved, is_good=False),)))
    assert Consent.UNPROVEN_BUILD not in consents(Pilots(records=(proved,)))
    assert Consent.OUTAGE_WITHOUT_HISTORY in consents(Pilots(records=(proved,)))


def test_the_volume_is_one_without_anybody_s_mail() -> None:
    one = server(databases=(database(),))
    chosen = chosen_volume(one, wanted=None, targets=("F:",), low_space_bytes=0)
    paths = (database().edb_path, database().log_folder)
    assert not any(path.startswith(chosen.mount_point) for path in paths)
    assert chosen.mount_point != "F:\\"
    named = chosen_volume(one, wanted="d:", targets=(), low_space_bytes=0)
    assert named.mount_point == "D:\\"
    with pytest.raises(NotNow, match="free"):
        chosen_volume(one, wanted="D:", targets=(), low_space_bytes=10**6 * GIB)


def test_what_cannot_be_told_refuses() -> None:
    blind = server(databases=Unknown("it does not answer"))
    with pytest.raises(NotNow, match="it does not answer"):
        chosen_volume(blind, wanted=None, targets=(), low_space_bytes=0)
    held = evolve(setting(), actual=state(blind))
    for draft in (creation_draft, removal_draft):
        with pytest.raises(NotNow, match="it does not answer"):
            draft(SCRATCH, held, ())
    with pytest.raises(NotNow, match="has a database"):
        creation_draft(SCRATCH, setting(scratch_database()), ())


def test_a_host_or_a_volume_that_is_not_known_takes_no_scratch_database() -> None:
    silent = Unknown("it does not answer")
    for blind in (server(host=silent), server(host=host(volumes=silent))):
        with pytest.raises(NotNow, match="the volumes of EX01 are not known"):
            chosen_volume(blind, wanted=None, targets=(), low_space_bytes=0)
    with pytest.raises(NotNow, match="--volume: "):
        chosen_volume(server(), wanted="Q:", targets=(), low_space_bytes=0)
    remote = host(volumes=(evolve(volume("X:\\"), is_local=False),))
    with pytest.raises(NotNow, match="EX01 has no local volume for a scratch database"):
        chosen_volume(server(host=remote), wanted=None, targets=(), low_space_bytes=0)


def test_a_specification_without_a_set_gets_none_for_its_pilot() -> None:
    like = spec()
    bare = evolve(like, backup_before=evolve(like.backup_before, offline=None))
    assert specification_for(SCRATCH, bare, "EX01").backup_before.offline is None
    own = specification_for(SCRATCH, like, "EX01").backup_before.offline
    assert own is not None and own.target.path == SCRATCH.set_target


def test_the_creation_makes_and_mounts_and_nothing_else() -> None:
    body = creation_draft(SCRATCH, setting(database()), ())
    assert actions(body) == [
        Action.MAKE_SCRATCH_FOLDER,
        Action.NEW_SCRATCH_DATABASE,
        Action.MOUNT_SCRATCH,
        Action.LOOK_AT_SCRATCH,
    ]
    assert [each.need for each in body.decisions] == [Need.PILOT]


def test_it_is_removed_only_after_every_kind_of_mailbox_was_looked_for() -> None:
    body = removal_draft(SCRATCH, setting(database(), scratch_database()), ())
    found = actions(body)
    assert found[0] is Action.MAKE_SCRATCH_FOLDER, "the mark is looked at before anything else"
    assert found[1:5] == [Action.COUNT_MAILBOXES] * 4
    assert found[5:] == [
        Action.DISMOUNT_SCRATCH,
        Action.REMOVE_SCRATCH_DATABASE,
        Action.REMOVE_SCRATCH_FOLDER,
    ]
    assert {each.fact for each in body.premises} >= {"database.guid", "database.edb_path"}
    with pytest.raises(NotNow, match="it is not the pilot's"):
        removal_draft(SCRATCH, setting(database(SCRATCH.name)), ())
    gone = removal_draft(SCRATCH, setting(database()), ())
    assert actions(gone) == [Action.REMOVE_SCRATCH_FOLDER]


@pytest.mark.parametrize("name", ["DB05", "gx-pilot-", "gx-pilot-20261125T120000Z-mine"])
def test_no_other_database_can_be_named_for_removal(name: str) -> None:
    other = database(name, edb_path=f"D:\\{name}\\database\\{name}.edb")
    with pytest.raises(NotNow, match="is not the name of a pilot's database"):
        removal_draft(Scratch(name=name, folder=f"D:\\{name}"), setting(other), ())
    elsewhere = Scratch(name=SCRATCH.name, folder="D:\\mail")
    with pytest.raises(NotNow, match="nothing is removed"):
        removal_draft(elsewhere, setting(scratch_database()), ())


@pytest.mark.parametrize(
    "answer",
    [
        {"objects": [{"Name": "somebody"}], "errors": [], "warnings": []},
        {"objects": None, "errors": [], "warnings": []},
        {"objects": [], "errors": [{"message": "no"}], "warnings": []},
    ],
)
def test_a_mailbox_or_an_answer_that_says_nothing_keeps_it(answer: dict[str, Any]) -> None:
    with pytest.raises(Failure):
        judge_empty(None, answer)  # type: ignore[arg-type]  # the step says nothing about it
    good = judge_empty(None, {"objects": [], "errors": []})  # type: ignore[arg-type]
    assert good.is_done


def test_the_night_is_the_operator_s_on_the_scratch_database_alone() -> None:
    like = spec()
    wanted = specification_for(SCRATCH, like, "EX01")
    after = hypothetical(SCRATCH, server(databases=(database(),)))
    plain = Pilots(is_own=True)

    def night(pilots: Pilots) -> PlanBody:
        return make_draft([wanted], inventory(), state(after), now=NOW, pilots=pilots)

    body = night(plain)
    assert [each.address for each in body.decisions] == [f"EX01/{SCRATCH.name}"]
    assert [each.need for each in body.decisions] == [Need.REBUILD]
    assert body.consents == () and body.window is None and body.notices == ()
    assert Action.CUSTOM_PROCESS not in actions(body)
    assert Action.FORCE_WAY_BACK not in actions(body)
    forced = actions(night(evolve(plain, forces_way_back=True)))
    assert forced.index(Action.FORCE_WAY_BACK) == forced.index(Action.SWAP) + 1
    assert forced.index(Action.FORCE_WAY_BACK) + 1 == forced.index(Action.MOUNT)


@pytest.mark.parametrize(
    "parameters",
    [
        {"Name": "DB99", "IsExcludedFromProvisioning": True},
        {"Name": SCRATCH.name},
        {"Name": SCRATCH.name, "IsExcludedFromProvisioning": False},
        {"Name": SCRATCH.name, "Recovery": False, "IsExcludedFromProvisioning": True},
        {"Name": SCRATCH.name, "Recovery": True, "IsExcludedFromProvisioning": True},
    ],
)
def test_no_other_database_is_ever_made(parameters: dict[str, Any]) -> None:
    places = {"Server": "EX01", "EdbFilePath": "E:\\x\\x.edb", "LogFolderPath": "E:\\x\\l"}
    with pytest.raises(CmdletRefused):
        check_call(ExchangeCall(cmdlet="New-MailboxDatabase", parameters={**places, **parameters}))
    for build in (cmdlets.mount_scratch, cmdlets.get_scratch):
        with pytest.raises(CmdletRefused):
            build("DB05")


def test_everything_of_it_lies_in_one_folder() -> None:
    scratch = Scratch(name="gx-pilot-20261125T120000Z", folder="E:\\gx-pilot-20261125T120000Z")
    for path in (scratch.edb_path, scratch.log_folder, scratch.set_target):
        assert path.startswith(scratch.folder + "\\")
