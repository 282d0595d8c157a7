"""There is room for the temporary file, the kept original and the set, and the rebuild is worth it.

Source: free space for an offline defragmentation is 110 % of the size that the file will have
(Exchange documentation of eseutil /d); a database volume below the low-space threshold is acted on
by managed availability.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from goexchange.facts.of_2007 import file_size
from goexchange.facts.places import log_folder_of, volume_of
from goexchange.guard.guard import (
    AT_ALL_TIMES,
    Answer,
    Guard,
    Moment,
    Question,
    blocks,
    member,
    need,
    passes,
)
from goexchange.model.actual import ActualDatabase, ActualHost
from goexchange.model.pilot import is_own_scratch
from goexchange.model.plan import Action, JobCall, Lane, ScriptCall, Step
from goexchange.model.streaming_file import streaming_beside
from goexchange.model.unknown import Unknown

MARGIN = 1.1
GIB = 1024**3


def _space(question: Question) -> Answer:
    large = (Action.REBUILD, Action.COPY_SET, Action.COPY_EVIDENCE)
    is_large = any(map(question.has, large))
    if not is_large and not any(map(_is_copied_online, question.lane.steps)):
        return passes("nothing large is written")
    host = question.host
    threshold = int(question.limits["low_space_threshold_bytes"])
    wanted: dict[str, int] = defaultdict(int)
    for lane in _lanes(question):
        for path, size_bytes in _written(lane, question).items():
            wanted[need(volume_of(host, path), f"the volume of {path}").mount_point] += size_bytes
    guarded = _database_volumes(question, host)
    lacking: list[str] = []
    texts: list[str] = []
    observed: dict[str, Any] = {}
    for mount_point in sorted(wanted):
        volume = need(volume_of(host, mount_point), f"the volume {mount_point}")
        stays = threshold if mount_point in guarded else 0
        required = wanted[mount_point] + stays
        text = f"{mount_point} {_gib(volume.free_bytes)} free, {_gib(required)} needed"
        text += f" ({_gib(wanted[mount_point])} written, {_gib(stays)} stay free)" if stays else ""
        observed[mount_point] = {"free_bytes": volume.free_bytes, "required_bytes": required}
        texts.append(text)
        if volume.free_bytes < required:
            lacking.append(text)
    if lacking:
        return blocks(
            "; ".join(lacking), "free space on that volume, or rebuild fewer databases", **observed
        )
    return passes("; ".join(texts), **observed)


def _lanes(question: Question) -> tuple[Lane, ...]:
    """Lanes whose files are there together: kept originals of earlier lanes stay; once running
    they are on the disk.
    """
    lanes = question.body.lanes
    if question.moment is Moment.STEP:
        return (question.lane,)
    same = [each for each in lanes if each.server == question.lane.server]
    return tuple(same[: [each.id for each in same].index(question.lane.id) + 1])


def _written(lane: Lane, question: Question) -> dict[str, int]:
    """What the lane adds to local volumes, by path; the kept original is already there and
    stays.
    """
    found: dict[str, int] = {}
    databases = [each for each in question.databases if each.guid == lane.database_guid]
    for step in lane.steps if databases else ():
        database = databases[0]
        if step.action is Action.REBUILD and isinstance(step.call, JobCall):
            found[step.call.request["must_not_exist"][0]] = math.ceil(
                MARGIN * _result(database, question)
            )
        if step.action is Action.COPY_FOR_REPAIR and isinstance(step.call, JobCall):
            working = str(step.call.request["files"][0]["destination"])
            found[working] = need(database.size_bytes, "its size")
        is_sealed = step.action in (Action.SEAL_SET, Action.SEAL_EVIDENCE)
        if is_sealed and isinstance(step.call, ScriptCall):  # what lies on a share a job seals
            folder = step.call.arguments["folder"]
            found[folder] = need(database.size_bytes, "its size") + _logs(database, question.host)
        if step.action is Action.SEAL_REBUILT and isinstance(step.call, ScriptCall):
            found[step.call.arguments["folder"]] = _result(database, question)
        is_there = question.moment is Moment.STEP and step.action is Action.ONLINE_BACKUP_BEFORE
        if _is_copied_online(step) and isinstance(step.call, JobCall) and not is_there:
            target = str(step.call.request["target"])
            is_group = step.call.kind == "ntbackup"
            if is_group:
                found[target] = _of_group(database, question)
            elif not target.startswith("\\\\"):
                found[target] = _out_of_shadows(step.call, question)
    return found


def _is_copied_online(step: Step) -> bool:
    """Whether a step writes whole databases that stay mounted."""
    return isinstance(step.call, JobCall) and step.call.kind in ("diskshadow", "ntbackup")


def _of_group(database: ActualDatabase, question: Question) -> int:
    """The sizes of every store of a storage group, and of the logs that they share."""
    public = need(question.server.public_stores, "the public folder stores of its storage group")
    files = [
        path
        for each in public
        if each.storage_group == database.storage_group
        for path in (each.edb_path, streaming_beside(each.edb_path))
    ]
    others = [each for each in question.databases if each.storage_group == database.storage_group]
    return (
        sum(need(each.size_bytes, f"the size of {each.name}") for each in others)
        + sum(need(file_size(question.host, path), f"the size of {path}") for path in files)
        + _logs(database, question.host)
    )


def _out_of_shadows(call: JobCall, question: Question) -> int:
    """The sizes of all databases that a backup by diskshadow copies, with their logs."""
    paths = {str(each["path"]) for each in call.request["databases"]}
    found = [each for each in question.databases if each.edb_path in paths]
    return sum(
        need(each.size_bytes, f"the size of {each.name}") + _logs(each, question.host)
        for each in found
    )


def _result(database: ActualDatabase, question: Question) -> int:
    size = need(database.size_bytes, f"the size of {database.name}")
    if _is_untold(database, question):
        return size
    return size - need(database.white_space_bytes, f"the white space of {database.name}")


def _is_untold(database: ActualDatabase, question: Question) -> bool:
    """Whether it is the database of the pilot whose plan this is, made just now: of its file nobody
    can say how much is free, and it may stay as large as it is. Of any other it has to be known.
    """
    is_unknown = isinstance(database.white_space_bytes, Unknown)
    return is_unknown and is_own_scratch(question.body, database)


def _logs(database: ActualDatabase, host: ActualHost) -> int:
    """The size of its logs; a folder that was not asked for counts as nothing, the copy checks
    again.
    """
    folder = log_folder_of(host, database.log_folder)
    return 0 if isinstance(folder, Unknown) else folder.total_bytes


def _database_volumes(question: Question, host: ActualHost) -> set[str]:
    found = set()
    for each in question.databases:
        for path in (each.edb_path, each.log_folder + "\\"):
            volume = volume_of(host, path)
            if not isinstance(volume, Unknown):
                found.add(volume.mount_point)
    return found


def _gain(question: Question) -> Answer:
    if not question.has(Action.REBUILD):
        return passes("no rebuild")
    if _is_untold(question.database, question):
        return passes("the pilot's own database holds nobody's mail: nothing has to be gained")
    if question.moment is Moment.STEP and question.has(Action.READ_TEMPORARY_HEADER):
        return _measured_gain(question)
    minimum = int(question.limits["gain_min_bytes"])
    white = need(question.database.white_space_bytes, "its white space")
    if white < minimum:
        return blocks(
            f"{_gib(white)} to gain, {_gib(minimum)} asked for",
            "lower `script.rebuild.gain_min`, or leave it as it is",
            white_space_bytes=white,
        )
    return passes(
        f"{_gib(white)} to gain, at least {_gib(minimum)} asked for", white_space_bytes=white
    )


def _measured_gain(question: Question) -> Answer:
    before = member(question.result_of(Action.READ_HEADER), "size_bytes", of="the original")
    after = member(
        question.result_of(Action.READ_TEMPORARY_HEADER), "size_bytes", of="the rebuilt file"
    )
    sizes: dict[str, Any] = {"before_bytes": before, "after_bytes": after}
    if after >= before:
        return blocks(
            f"the rebuilt file has {_gib(after)}, the original {_gib(before)}: nothing is gained",
            "none: the original is mounted again",
            **sizes,
        )
    return passes(f"{_gib(before)} -> {_gib(after)}", **sizes)


def _gib(size_bytes: int) -> str:
    if size_bytes >= GIB:
        return f"{size_bytes / GIB:.1f} GiB"
    return f"{size_bytes / 1024**2:.1f} MiB"


SPACE = Guard(
    id="space",
    rule="room for 1.1 x (size - white space) beside the kept original and the set, above"
    " the low-space threshold",
    moments=AT_ALL_TIMES,
    reads=("server.databases", "database.size_bytes", "database.white_space_bytes", "host.volumes"),
    judge=_space,
)
GAIN = Guard(
    id="gain",
    rule="a rebuild gives back at least what the specification asks for, and its result is smaller",
    moments=AT_ALL_TIMES,
    reads=("server.databases", "database.white_space_bytes"),
    judge=_gain,
)
