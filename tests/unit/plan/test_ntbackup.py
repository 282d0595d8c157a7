"""What a plan does with ntbackup: the storage group as data, what else it covers, and what it is
refused for.
"""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.facts.of_2003 import NO_BACKUP_EVENT
from goexchange.guard.evaluate import at_plan
from goexchange.guard.guard import VerdictKind
from goexchange.model.actual import ActualServer, Generation, PublicStore
from goexchange.model.desired import BackupTarget, DesiredState, OnlineBackupMethod, Script
from goexchange.model.plan import Action, Consent, Decision, JobCall, Need, PlanBody
from goexchange.model.unknown import Unknown
from tests.unit.plan.builders import NOW, PLACE, conditions, host, server, state
from tests.unit.plan.test_exchange_2003 import DEFRAG, database, draft, old, public

GIB = 1024**3


def wants(path: str = "F:\\backup", *, before: bool = False, **conditioned: Any) -> DesiredState:
    online = DEFRAG.backup_after.online
    assert online is not None
    target = BackupTarget(path=path, credential=None, place=PLACE)
    declared = evolve(online, method=OnlineBackupMethod.NTBACKUP, target=target, agent=None)
    want = evolve(DEFRAG, backup_after=evolve(DEFRAG.backup_after, online=declared))
    if before:
        want = evolve(want, backup_before=evolve(want.backup_before, online=declared))
    if not conditioned:
        return want
    script = evolve(want.script, script=Script.EXCHANGE_BACKUP)
    return evolve(want, script=script, conditions=conditions(**conditioned))


ONLY_BACKUP = wants(online_full_backup_within_s=86_400)


def job(body: PlanBody) -> JobCall:
    (call,) = [s.call for s in body.lanes[0].steps if s.action is Action.ONLINE_BACKUP]
    assert isinstance(call, JobCall) and call.kind == "ntbackup"
    return call


def decided(want: DesiredState, seen: ActualServer) -> Decision:
    return next(each for each in draft(want, seen).decisions if each.database == "DB05")


def test_the_storage_group_is_selected_as_data_into_a_file_of_the_plans_own() -> None:
    body = draft(wants(before=True), old())
    assert body.decisions[0].need is Need.REBUILD
    request = job(body).request
    assert request["selection"] == ["JET EX01\\Microsoft Information Store\\SG1\\"]
    assert request["files"] == ["D:\\DB05\\DB05.edb", "D:\\DB05\\DB05.stm"]
    assert request["target"].startswith("F:\\backup\\EX01\\online\\")
    actions = [step.action for step in body.lanes[0].steps]
    assert actions.index(Action.PROVE_BACKUP_BEFORE) < actions.index(Action.DISMOUNT)
    assert any("by ntbackup of the storage group SG1 -> F:" in each for each in body.backups)
    assert not [each for each in body.consents if each.consent is Consent.BACKUP_COVERS_OTHERS]


def test_what_else_is_in_the_group_is_named_and_consented_to() -> None:
    apart = database("DB07", storage_group="SG2")
    stores = (public(storage_group="sg1"), public(name="PUB2", storage_group="SG2"))
    seen = old(database(), apart, public_stores=stores)
    body = draft(evolve(ONLY_BACKUP), seen)
    assert job(body).request["files"] == ["D:\\DB05\\DB05.edb", "D:\\DB05\\DB05.stm"]
    (need, *_) = [each for each in body.consents if each.consent is Consent.BACKUP_COVERS_OTHERS]
    assert "the storage group SG1 covers PUB too" in need.finding


def test_no_event_of_a_backup_asks_for_one_and_unread_events_do_not_tell() -> None:
    never = old(database(last_full_backup_utc=NO_BACKUP_EVENT))
    assert decided(ONLY_BACKUP, never).need is Need.ONLINE_BACKUP
    unread = old(database(last_full_backup_utc=Unknown("the events were not read")))
    assert decided(ONLY_BACKUP, unread).need is Need.NOT_POSSIBLE



@pytest.mark.parametrize(
    ("want", "seen", "why"),
    [
        (wants(), server(), "Exchange has needed a later Windows since 2010"),
        (wants(before=True), server(), "ntbackup is the backup of Windows Server 2003"),
        (wants("\\\\nas\\b$"), old(), "\\\\nas\\b$ is none: a drive with its path"),
        (wants("F:"), old(), "F: is none"),
        (wants(), old(database(storage_group="")), "its storage group is unknown"),
        (wants(), old(database(storage_group="SG\\1")), "a name such as SG\\1 in its selection"),
        (wants(), old(public_stores=Unknown("cut")), "public folder stores"),
    ],
)
def test_what_it_cannot_be_told_is_refused(
    want: DesiredState, seen: ActualServer, why: str
) -> None:
    found = decided(want, seen)
    assert found.need is Need.NOT_POSSIBLE and found.instead and why in found.explanation


def test_unread_public_stores_leave_open_what_a_backup_alone_covers() -> None:
    found = decided(ONLY_BACKUP, old(public_stores=Unknown("cut")))
    assert "which public folder stores its storage group holds is unknown" in found.explanation


def space(stores: tuple[PublicStore, ...], *, free: int, **of_host: Any) -> VerdictKind:
    """The look for room of a backup alone, with that many GiB free at its target."""
    volumes = host().volumes
    assert isinstance(volumes, tuple)
    volumes = tuple(
        evolve(each, free_bytes=free * GIB) if each.mount_point == "E:\\" else each
        for each in volumes
    )
    seen = old(host=host(volumes=volumes, tasks=Unknown("-"), **of_host), public_stores=stores)
    want = wants("E:\\backup", online_full_backup_within_s=86_400)
    body = draft(want, seen)
    (found,) = [each for each in at_plan(body, state(seen), NOW) if each.guard == "space"]
    return found.kind


def test_there_is_room_for_every_store_of_the_group() -> None:
    assert space((), free=400) is VerdictKind.PASS
    assert space((), free=1) is VerdictKind.BLOCK
    assert space((public(storage_group="SG2"),), free=400) is VerdictKind.PASS
    assert space((public(),), free=400) is VerdictKind.UNKNOWN  # whose size nobody has told


def test_exchange_2007_is_told_where_it_is_worked_on() -> None:
    seen = evolve(old(), generation=Generation.EXCHANGE_2007)
    assert "from Windows Server 2008 on" in decided(wants(), seen).explanation
