"""An ended run rolled back: after the first mount of its rebuilt file only by a person's word, that
names the moment from which mail is discarded.
"""

from __future__ import annotations

from ntpath import join

from attrs import evolve

from goexchange.errors import NotNow
from goexchange.model.kept_original import KeptOriginal
from goexchange.model.plan import (
    Action,
    Consent,
    JobCall,
    PlanBody,
    PlanInput,
    Step,
)
from goexchange.model.unknown import Unknown
from goexchange.plan.calls import equals
from goexchange.plan.lane_return import Returning, return_lane, tried_folder
from goexchange.plan.paths import stamp_text
from goexchange.plan.public_folders import as_public_folder
from goexchange.plan.restoring import (
    Draft,
    Setting,
    database_by_guid,
    decision_of_return,
    resubmission,
    returning_body,
    seen_server,
)
from goexchange.plan.return_pair import refuse_pair


def rollback_draft(undo: KeptOriginal, setting: Setting) -> PlanBody:
    """The plan that puts the kept original back; the rebuilt file and its logs are kept.

    Raises: NotNow when the database is another one now, or may not be taken down.
    """
    server, host = seen_server(setting)
    database = database_by_guid(server, undo.lane.database_guid or "")
    if database.edb_path.casefold() != undo.original.casefold():
        raise NotNow(
            f"{database.name} lies at {database.edb_path} now, and the run kept the original of"
            f" {undo.original}: move it by hand, or restore the set"
        )
    refuse_pair(server, database)
    stamp = stamp_text(setting.now)
    eseutil = "" if isinstance(host.eseutil_path, Unknown) else host.eseutil_path
    if not eseutil:
        raise NotNow(f"where eseutil is on {host.name} is not known: {host.eseutil_path}")
    returning = Returning(
        server=server,
        host=host,
        database=database,
        inventory=setting.inventory,
        pace=setting.pace,
        eseutil=eseutil,
        at_text=stamp,
        what="the original that the run kept",
        source=undo.kept,
        header=equals("slots_sha256", undo.header_sha256),
        staged=None,
        aside=f"{undo.set_aside}.{stamp}",
        logs_aside=join(database.log_folder, f"gx-logs-{stamp}"),
        tried_logs=tried_folder(database.log_folder, stamp),
        mount_at_startup=undo.mount_at_startup or database.is_mount_at_startup is True,
        then=_protection(undo, stamp),
    )
    since = undo.mounted_at_utc
    text = f"run {undo.run} rolled back: mail since {since:%Y-%m-%d %H:%M:%S} UTC is discarded"
    draft = Draft(
        lanes=(as_public_folder(return_lane(returning), returning.database),),
        decisions=(decision_of_return(database, text),),
        premises=(),
        inputs=(PlanInput(kind="Run", path=undo.run, sha256=undo.plan.sha256),),
        consents=tuple(
            need
            for need in undo.plan.body.consents
            if need.consent is Consent.BACKUP_COVERS_OTHERS and need.address == undo.lane.id
        ),
        diagnostics=resubmission(server, database, since),
        backups=tuple(each for each in undo.plan.body.backups if "online full backup" in each),
    )
    return returning_body(returning, setting, draft, since=since)


def _protection(undo: KeptOriginal, stamp: str) -> tuple[Step, ...]:
    """The run's own online backup and its proof, to a folder of its own where the target has one
    for each run.
    """
    found = []
    for step in undo.lane.steps:
        if step.action is Action.ONLINE_BACKUP and isinstance(step.call, JobCall):
            old = stamp_text(undo.plan.body.evaluated_at_utc)
            request = dict(step.call.request)
            if "target" in request:  # an agent knows its own
                request["target"] = str(request["target"]).replace(old, stamp)
            summary = step.summary.replace(old, stamp)
            found.append(evolve(step, call=evolve(step.call, request=request), summary=summary))
        elif step.action is Action.PROVE_BACKUP:
            found.append(step)
    return tuple(found)
