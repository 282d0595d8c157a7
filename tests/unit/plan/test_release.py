"""The plan that brings back what a dead run left: one case for each thing that it may have to end
or to put right.
"""

from __future__ import annotations

from typing import Any

from goexchange.model.actual import DatabaseRecord
from goexchange.model.left import RecoveryRecord
from goexchange.model.plan import Action, ScriptCall, Step
from goexchange.model.remembered import SeenFile, SeenFiles, Standing
from goexchange.plan.context import Pace
from goexchange.plan.release import Left, release_body
from tests.unit.plan.builders import NOW, database, inventory, record, state

DATABASE = database()
FILE = SeenFile(path=DATABASE.edb_path, exists=True, is_open=False, sha256="a", signature="s")
COPY = "DB05\\EX02"


def left(content: dict[str, Any] | None = None, **differs: Any) -> Left:
    recovery = RecoveryRecord(
        run="r-1",
        database_guid=DATABASE.guid,
        is_open=True,
        opened_at_utc=NOW,
        written_at_utc=NOW,
        phase="open",
        content={"set_folder": "E:\\sets\\1", "is_mount_at_startup": True, **(content or {})},
    )
    values: dict[str, Any] = {
        "server": "EX01",
        "database": DATABASE,
        "recovery": recovery,
        "remembered": None,
        "files": SeenFiles(original=FILE, kept=FILE, temporary=FILE, set_aside=FILE),
        "standing": Standing.IN_PLACE,
        "evidence": "mounted",
        "jobs": (),
        "record": None,
    }
    return Left(**{**values, **differs})


def steps(of: Left) -> dict[Action, Step]:
    body = release_body([of], inventory(), state(), at=NOW, pace=Pace())
    (lane,) = body.lanes
    return {each.action: each for each in lane.steps}


def test_a_job_of_the_run_is_ended_before_anything_else() -> None:
    found = steps(left(jobs=("r-1-07-rebuild-1",)))
    first = next(iter(found.values()))
    assert first.action is Action.CANCEL_JOBS and isinstance(first.call, ScriptCall)
    assert first.call.arguments["job"] == "r-1-07-rebuild-1"
    assert Action.CANCEL_JOBS not in steps(left())


def test_a_copy_that_the_run_suspended_replicates_again() -> None:
    found = steps(left({"suspended_copy": COPY}))
    assert COPY in found[Action.RESUME_COPY].summary
    assert COPY in found[Action.AWAIT_COPY].summary
    assert not {Action.RESUME_COPY, Action.AWAIT_COPY} & steps(left()).keys()


def test_what_the_host_remembers_is_kept_and_what_it_does_not_is_begun() -> None:
    def written(known: DatabaseRecord | None) -> dict[str, Any]:
        call = steps(left(record=known, standing=Standing.NEW))[Action.WRITE_DATABASE_RECORD].call
        assert isinstance(call, ScriptCall)
        return dict(call.arguments["record"])

    assert written(None)["set_folder"] == "E:\\sets\\1"
    kept = written(record(DATABASE, set_folder="E:\\sets\\0", run="r-0"))
    assert kept["set_folder"] == "E:\\sets\\0"
    assert Action.WRITE_DATABASE_RECORD not in steps(left()), "nothing new is in service"
