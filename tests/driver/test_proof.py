"""What is not known proves no backup: each part of the proof falls with the fact that it needs."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.driver.proof import backup_proof, unproved_words
from goexchange.model.actual import ActualHost, ActualServer
from goexchange.model.plan import Action
from goexchange.model.unknown import Unknown
from tests.driver.plans import NOW
from tests.driver.test_odd_answers import subject
from tests.driver.twin import Twin

NOT_ASKED = Unknown("not asked")
MADE = {Action.ONLINE_BACKUP: {"started_at_utc": "2026-11-22T20:00:00Z"}}


def seen(**of_host: Any) -> ActualServer:
    server = Twin(now=NOW, backup_at=NOW).observe()
    assert isinstance(server.host, ActualHost)
    return evolve(server, host=evolve(server.host, **of_host))


def proof(server: ActualServer, made: Any = MADE) -> dict[str, Any]:
    return backup_proof(subject(Action.PROVE_BACKUP, made), server)


def test_all_together_prove_it() -> None:
    found = proof(seen())
    assert found["proved"] is True and found["also_covered"] == []


def test_without_a_backup_of_the_run_nothing_is_proved() -> None:
    """Whatever the host shows was made by somebody else, or before."""
    found = proof(seen(), {})
    assert found["proved"] is False and found["is_final"] is False
    assert (found["job_succeeded"], found["is_newer"]) == (False, False)
    assert (found["event_completed"], found["retrievable"]) == (False, False)
    assert "the backup's job did not succeed" in unproved_words(found)


@pytest.mark.parametrize(
    ("server", "missing"),
    [
        (evolve(seen(), databases=NOT_ASKED), "is_newer"),
        (evolve(seen(), databases=NOT_ASKED), "event_completed"),
        (evolve(seen(), host=NOT_ASKED), "event_completed"),
        (evolve(seen(), host=NOT_ASKED), "retrievable"),
        (seen(backup_events=NOT_ASKED), "event_completed"),
        (seen(windows_backup=NOT_ASKED), "retrievable"),
    ],
)
def test_what_is_not_known_proves_nothing(server: ActualServer, missing: str) -> None:
    found = proof(server)
    assert found[missing] is False and found["proved"] is False


def test_a_catalogue_without_a_success_holds_no_copy() -> None:
    host = seen().host
    assert isinstance(host, ActualHost)
    never = evolve(host.windows_backup, last_success_utc=None)
    assert proof(seen(windows_backup=never))["retrievable"] is False
