"""What is not restored or rolled back: every reason once, before anything is planned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from goexchange.driver.undoing import kept_original
from goexchange.errors import Damaged, GoexchangeError, NotNow, UsageError
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer
from goexchange.model.backup_set import FileRole, SetMethod
from goexchange.model.plan import Action, JobCall
from goexchange.model.unknown import Unknown
from goexchange.plan.restoring import Setting, Wanted, original_draft, recovery_draft
from goexchange.plan.rolling_back import rollback_draft
from goexchange.simulation.night import Night
from tests.simulation.night.test_restoring import rebuilt, setting, wanted

SILENT = Unknown("nobody answered")


@pytest.fixture(scope="module")
def night() -> Night:
    return rebuilt()


def with_host(change: Callable[[ActualHost], ActualHost]) -> Callable[[Setting], Setting]:
    def changed(given: Setting) -> Setting:
        (server,) = given.actual.servers
        assert isinstance(server.host, ActualHost)
        return with_server(given, evolve(server, host=change(server.host)))

    return changed


def with_database(
    change: Callable[[ActualDatabase], ActualDatabase],
) -> Callable[[Setting], Setting]:
    def changed(given: Setting) -> Setting:
        (server,) = given.actual.servers
        assert isinstance(server.databases, tuple)
        return with_server(
            given, evolve(server, databases=tuple(change(each) for each in server.databases))
        )

    return changed


def with_server(given: Setting, server: ActualServer) -> Setting:
    return evolve(given, actual=evolve(given.actual, servers=(server,)))


def unseen(given: Setting) -> Setting:
    return evolve(given, actual=evolve(given.actual, servers=()))


NO_ESEUTIL = with_host(lambda host: evolve(host, eseutil_path=SILENT))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (unseen, "is not known: it was not observed"),
        (NO_ESEUTIL, "where eseutil is on EX01 is not known"),
        (with_database(lambda one: evolve(one, copies=SILENT)), "more than one copy, or it is"),
        (with_database(lambda one: evolve(one, is_mounted=SILENT)), "whether DB05 is mounted"),
        (with_database(lambda one: evolve(one, log_prefix=SILENT)), "the base name of the logs"),
    ],
)
def test_nothing_takes_a_databases_place_on_what_is_not_known(
    night: Night, change: Callable[[Setting], Setting], why: str
) -> None:
    with pytest.raises(NotNow, match=why):
        original_draft(wanted(night), change(setting(night)))


def test_a_recovery_database_needs_a_volume_that_is_known(night: Night) -> None:
    blind = with_host(lambda host: evolve(host, volumes=SILENT))(setting(night))
    with pytest.raises(NotNow, match="no local volume of EX01 is known; name a folder"):
        recovery_draft(wanted(night), blind)


def test_evidence_is_no_way_back(night: Night) -> None:
    ask = wanted(night)
    body = evolve(ask.sealed.body, method=SetMethod.EVIDENCE)
    evidence = Wanted(sealed=evolve(ask.sealed, body=body), folder=ask.folder, replay=None)
    with pytest.raises(UsageError, match="taken as evidence before a repair"):
        recovery_draft(evidence, setting(night))


def test_a_set_of_a_pair_is_not_restored(night: Night) -> None:
    ask = wanted(night)
    files = (*ask.sealed.body.files, evolve(ask.sealed.body.files[0], role=FileRole.STREAMING))
    body = evolve(ask.sealed.body, files=files)
    pair = Wanted(sealed=evolve(ask.sealed, body=body), folder=ask.folder, replay=None)
    with pytest.raises(Damaged, match="holds 1 streaming files, and DB05 has 0"):
        original_draft(pair, setting(night))


def test_a_set_without_its_database_restores_nothing(night: Night) -> None:
    ask = wanted(night)
    body = evolve(ask.sealed.body, files=())
    with pytest.raises(GoexchangeError, match="does not hold exactly one database"):
        recovery_draft(
            Wanted(sealed=evolve(ask.sealed, body=body), folder=ask.folder, replay=None),
            setting(night),
        )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (with_database(lambda one: evolve(one, edb_path="Q:\\x.edb")), "lies at Q:.* now"),
        (NO_ESEUTIL, "where eseutil is on EX01 is not known"),
    ],
)
def test_a_run_is_not_rolled_back_on_what_has_changed(
    night: Night, change: Callable[[Setting], Setting], why: str
) -> None:
    lane = next(each for each in night.plan.body.lanes if each.database == "DB05")
    kept = kept_original(night.plan, lane, night.checks.watch.state)
    assert kept is not None
    with pytest.raises(NotNow, match=why):
        rollback_draft(kept, change(setting(night)))


def test_a_staging_folder_on_no_volume_is_refused(night: Night) -> None:
    with pytest.raises(NotNow, match="Q:.staged: "):
        recovery_draft(evolve(wanted(night), stage="Q:\\staged"), setting(night))


def test_a_database_that_is_down_is_restored_without_a_dismount_or_a_consent(night: Night) -> None:
    down = with_database(
        lambda one: evolve(one, is_mounted=False, is_mount_at_startup=False)
    )(setting(night))
    body, usual = original_draft(wanted(night), down), original_draft(wanted(night), setting(night))
    assert not body.consents and usual.consents
    (lane,), (up,) = body.lanes, usual.lanes
    left_out = {step.action for step in up.steps} - {step.action for step in lane.steps}
    assert left_out == {
        Action.DISMOUNT,
        Action.SET_MOUNT_AT_STARTUP,
        Action.RESTORE_MOUNT_AT_STARTUP,
    }


def test_an_agents_backup_is_repeated_as_it_was_after_a_rollback(night: Night) -> None:
    """An agent is told no target, so there is none to make fresh."""
    lane = next(each for each in night.plan.body.lanes if each.database == "DB05")
    kept = kept_original(night.plan, lane, night.checks.watch.state)
    assert kept is not None
    request = {
        "start": ["agent.exe", "full"],
        "state": ["agent.exe", "state"],
        "stop": [],
        "copies": [],
        "states": [{"prints": "done", "means": "succeeded"}],
        "poll_every_s": 60,
        "settle_s": 120,
        "limit_s": 3600,
    }
    steps = []
    for step in lane.steps:
        if step.action is Action.ONLINE_BACKUP:
            assert isinstance(step.call, JobCall)
            step = evolve(step, call=evolve(step.call, kind="agent", request=request))
        steps.append(step)
    body = rollback_draft(evolve(kept, lane=evolve(lane, steps=tuple(steps))), setting(night))
    calls = [step.call for step in body.lanes[0].steps if step.action is Action.ONLINE_BACKUP]
    assert [each.request for each in calls if isinstance(each, JobCall)] == [request]
