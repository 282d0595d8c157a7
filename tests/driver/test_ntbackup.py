"""A backup by ntbackup as its job and the engine tell it: its own words decide nothing."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from goexchange.codec import parse_time
from goexchange.driver.judge import judge_job
from goexchange.driver.judgement import JobEnd, Judgement, Subject
from goexchange.driver.proof import backup_proof, unproved_words
from goexchange.journal.replay import RunState
from goexchange.model.actual import ActualHost, ActualServer, Generation, HostEvent
from goexchange.model.plan import Action, JobCall, Lane
from goexchange.model.unknown import Unknown
from tests.driver.plans import NOW, plan_of, rebuild_lane
from tests.driver.test_odd_answers import subject
from tests.driver.twin import Twin

BEGAN = "2026-11-28T22:00:00Z"
FILES = ["D:\\DB05\\DB05.edb", "D:\\DB05\\DB05.stm"]
REQUEST = {
    "target": "F:\\online", "selection": ["JET EX07\\Microsoft Information Store\\SG 1\\"],
    "files": FILES,
}  # fmt: skip
FILE = {"path": "F:\\online\\j.bkf", "size_bytes": 120, "written_at": "2026-11-28T22:09:00Z"}
LOG = {
    "path": "C:\\p\\backup01.log",
    "content": base64.b64encode("\ufeffSicherung fehlgeschlagen".encode("utf-16-le")).decode(),
}


def result(**changes: Any) -> dict[str, Any]:
    """What the job of a backup that went well writes down."""
    sizes = [{"path": path.upper(), "size_bytes": 50} for path in FILES]
    return {
        "ended": "process", "file": FILE, "sizes": sizes, "was_other_seen": False, "log": LOG,
        "error_output": "", **changes,
    }  # fmt: skip


def lane() -> Lane:
    found = rebuild_lane()

    def by_ntbackup(step: Any) -> Any:
        if step.action is not Action.ONLINE_BACKUP:
            return step
        assert isinstance(step.call, JobCall)
        return evolve(step, call=evolve(step.call, kind="ntbackup", request=REQUEST))

    return evolve(found, steps=tuple(map(by_ntbackup, found.steps)))


def judged(seen: dict[str, Any] | None, *, started: str | None = BEGAN, code: int = 0) -> Judgement:
    of = lane()
    [step] = [each for each in of.steps if each.action is Action.ONLINE_BACKUP]
    end = JobEnd(
        kind="ntbackup", exit_code=code, output=b"", result=seen or {}, seconds=600.0,
        started_at_utc=started,
    )  # fmt: skip
    return judge_job(Subject(plan=plan_of(of), lane=of, step=step, state=RunState()), end)


@pytest.mark.parametrize("code", [0, 1, -1])
def test_a_whole_file_of_its_own_is_done_whatever_code_and_log_say(code: int) -> None:
    found = judged(result(), code=code)
    assert found.is_done and found.findings == ()
    assert found.result["copy_at_utc"] == "2026-11-28T22:09:00Z" and found.result["bytes"] == 120
    assert "Sicherung fehlgeschlagen" in str(found.output)
    assert judged(result(log=None)).is_done


def test_another_one_beside_it_is_said() -> None:
    (finding,) = judged(result(was_other_seen=True)).findings
    assert "another ntbackup ran beside it" in finding.text


@pytest.mark.parametrize(
    ("seen", "started", "why"),
    [
        (None, BEGAN, "ntbackup could not be run: it said nothing"),
        (result(ended="running-already", file=None), BEGAN, "running already: none was started"),
        (result(file=None), BEGAN, "there is no file of it below F:\\online"),
        (result(file={**FILE, "written_at": "2026-11-28T21:59:59Z"}), BEGAN, "not written since"),
        (result(), None, "not written since the start"),
        (result(file={**FILE, "size_bytes": 99}), BEGAN, "has 99 bytes, and the files that it is"),
        (result(sizes=[]), BEGAN, "was not taken down before the start"),
    ],
)
def test_what_is_not_a_whole_file_of_it_has_failed(
    seen: dict[str, Any] | None, started: str | None, why: str
) -> None:
    found = judged(seen, started=started)
    assert not found.is_done and why in str(found.result["why"])
    assert found.result.get("copy_at_utc") is None


def event(event_id: int, seconds: float, text: str) -> HostEvent:
    at = parse_time(BEGAN) + timedelta(seconds=seconds)
    return HostEvent(
        log="Application", provider="ESE", event_id=event_id, at_utc=at,
        text=f"Information Store (1812) 0f8b6a7e: {text}",
    )  # fmt: skip


TRAIL = (
    event(210, 1, "A full backup is starting."),
    *(event(221, 5, f"Ending the backup of the file {path}.") for path in FILES),
    event(213, 9, "The backup procedure has been successfully completed."),
)


def seen(*events: HostEvent) -> ActualServer:
    server = Twin(now=NOW, backup_at=NOW).observe()
    assert isinstance(server.host, ActualHost) and isinstance(server.databases, tuple)
    databases = tuple(
        evolve(each, edb_path=FILES[0], streaming_path=None,
               last_full_backup_utc=parse_time(BEGAN) + timedelta(seconds=9))
        for each in server.databases
    )  # fmt: skip
    return evolve(
        server, generation=Generation.EXCHANGE_2003, databases=databases,
        host=evolve(server.host, backup_events=events),
    )  # fmt: skip


def proof(server: ActualServer, **made: Any) -> dict[str, Any]:
    result = {"started_at_utc": BEGAN, "seconds": 600.0, "copy_at_utc": BEGAN, **made}
    of = lane()
    plain = subject(Action.PROVE_BACKUP, {Action.ONLINE_BACKUP: result})
    return backup_proof(evolve(plain, lane=of, plan=plan_of(of)), server)


def test_the_engines_events_of_that_time_prove_it() -> None:
    found = proof(seen(*TRAIL))
    assert found["proved"] is True and found["logs"] == "no truncation seen"
    assert proof(seen(*TRAIL, event(224, 8, "x")))["logs"] == "truncated"
    assert proof(seen(*TRAIL, event(225, 8, "x")))["logs"] == "nothing to truncate"


@pytest.mark.parametrize(
    ("server", "made"),
    [
        (seen(), {}),
        (seen(*TRAIL[:-1]), {}),
        (seen(*TRAIL, event(214, 5, "x")), {}),
        (seen(*TRAIL), {"seconds": 5.0}),  # the end that the engine tells of is after its process
        (seen(*TRAIL), {"seconds": None}),
        (evolve(seen(*TRAIL), host=evolve(seen().host, name="EX07", backup_events=())), {}),
    ],
)
def test_without_them_a_newer_time_and_a_file_prove_nothing(
    server: ActualServer, made: dict[str, Any]
) -> None:
    found = proof(server, **made)
    assert (found["is_newer"], found["retrievable"]) == (True, True)
    assert found["event_completed"] is False and found["proved"] is False
    assert "the engine has logged no completion of a backup" in unproved_words(found)


def test_once_its_time_is_over_and_its_events_are_read_nothing_more_is_waited_for() -> None:
    over = parse_time(BEGAN) + timedelta(seconds=600, minutes=5)

    def final(server: ActualServer, at: datetime, **made: Any) -> Any:
        assert isinstance(server.host, ActualHost)
        found = evolve(server, host=evolve(server.host, clock_utc=at))
        return proof(found, **made)["is_final"]

    assert final(seen(*TRAIL[:-1]), over) is True
    assert final(seen(*TRAIL[:-1]), over - timedelta(seconds=1)) is False
    assert final(seen(*TRAIL), over) is False
    assert final(seen(*TRAIL[:-1]), over, seconds=None) is False
    unread = seen(*TRAIL[:-1])
    assert isinstance(unread.host, ActualHost)
    unread = evolve(unread, host=evolve(unread.host, backup_events=Unknown("not read")))
    assert final(unread, over) is False
    assert proof(evolve(unread, host=Unknown("it does not answer")))["is_final"] is False
