"""What a person may have done meanwhile: which file lies in the database's place.

A person with RECOVERY.txt puts the original back, or mounts the rebuilt file. A mounted file
cannot be read; then the file that was kept beside it tells, or the rebuilt one that was set aside.
What none of them tells is unknown, and nothing is claimed of it.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from enum import Enum

from attrs import evolve, frozen

from goexchange.driver.conversation import Conversation, Reply, Talk
from goexchange.driver.doubt import Meaning, look, looked_draft
from goexchange.driver.events import Answered, Lost, Refused
from goexchange.driver.headers import header_facts
from goexchange.driver.judgement import Judgement, done, failed
from goexchange.driver.lanes import facts_of, happened
from goexchange.model.plan import Action, Lane, ScriptCall, Step
from goexchange.model.run import OutcomeKind

READ_LIMIT_S = 60
NOT_FOUND = "file-not-found"
PUT_BACK = "a person has put the original back"


class InPlace(Enum):
    """Which file lies where the database's file belongs."""

    ORIGINAL = "original"
    REBUILT = "rebuilt"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Files:
    """The files of a lane that rebuilds, by path and signature."""

    original: str
    kept: str
    elsewhere: tuple[str, ...]
    original_signature: str
    rebuilt_signature: str


def by_hand(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """What the step comes to when a person has done its work, or made it wrong; None when nothing
    of that kind is seen and the step is to be sent.

    Effects: only reads; of a record to be written it journals which file is in place.
    """
    if step.action not in _CHECKS or files_of(talk, lane) is None:
        return None
    return (yield from _CHECKS[step.action](talk, lane, step))


def file_in_place(talk: Conversation, lane: Lane, step: Step) -> Talk[tuple[InPlace, str]]:
    """Which file lies in the database's place, and how that is known."""
    files = files_of(talk, lane)
    if files is None:
        return InPlace.UNKNOWN, "the headers of both files are not on record"
    give_up = talk.now + timedelta(seconds=step.time_limit_s)
    reply = yield from _header(talk, lane, files.original, give_up)
    if isinstance(reply, Answered):
        return _of_signature(_signature(reply), files), "its header was read"
    if isinstance(reply, Lost) or reply.code == NOT_FOUND:
        return InPlace.UNKNOWN, f"{files.original}: {reply.message}"
    reply = yield from _header(talk, lane, files.kept, give_up)
    if isinstance(reply, Answered):
        if (yield from _rebuilt_at(talk, lane, files.elsewhere[:1], give_up)) is not None:
            is_back = facts_of(lane, talk.state).is_set_back
            place = InPlace.ORIGINAL if is_back else InPlace.UNKNOWN
            return place, f"the rebuilt file was moved to {files.elsewhere[0]}"
        is_kept = _signature(reply) == files.original_signature
        return (InPlace.REBUILT if is_kept else InPlace.UNKNOWN), f"{files.kept} is beside it"
    if isinstance(reply, Refused) and reply.code == NOT_FOUND:
        moved = yield from _rebuilt_at(talk, lane, files.elsewhere, give_up)
        if moved is not None:
            return InPlace.ORIGINAL, f"the rebuilt file was moved to {moved}"
        return InPlace.UNKNOWN, f"{files.kept} is gone, and the rebuilt file was not moved aside"
    return InPlace.UNKNOWN, f"{files.kept}: {reply.message}"


def _rebuilt_at(
    talk: Conversation, lane: Lane, paths: tuple[str, ...], give_up: datetime
) -> Talk[str | None]:
    """The first of the paths at which the rebuilt file lies; None when it is at none of them."""
    files = files_of(talk, lane)
    assert files is not None
    for path in paths:
        reply = yield from _header(talk, lane, path, give_up)
        if isinstance(reply, Answered) and _signature(reply) == files.rebuilt_signature:
            return path
    return None


def files_of(talk: Conversation, lane: Lane) -> Files | None:
    """The files of the lane's swap; None when it has none, or has not read both headers."""
    calls = {step.action: step.call for step in lane.steps if isinstance(step.call, ScriptCall)}
    signatures: dict[Action, str] = {}
    for step in lane.steps:
        record = talk.state.step(step.id)
        if step.action in _HEADERS and happened(record) and record.result is not None:
            signatures[step.action] = str(record.result["signature"])
    if Action.SWAP not in calls or len(signatures) != len(_HEADERS):
        return None
    swap = calls[Action.SWAP].arguments
    aside = calls[Action.SWAP_BACK].arguments["set_aside"]
    return Files(
        original=swap["original"],
        kept=swap["kept"],
        elsewhere=(aside, swap["temporary"]),
        original_signature=signatures[Action.READ_HEADER],
        rebuilt_signature=signatures[Action.READ_TEMPORARY_HEADER],
    )


def put_back_already(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """Of a refused swap back: done, when the original lies in its place whoever put it there."""
    place, evidence = yield from file_in_place(talk, lane, step)
    if place is not InPlace.ORIGINAL:
        return None
    result = {"file_in_place": place.value, "state": "before", "evidence": evidence}
    return Judgement(outcome=OutcomeKind.ALREADY, result=result)


def is_mounted(talk: Conversation, lane: Lane) -> Talk[bool | None]:
    """Whether the database is mounted now; None when it cannot be told."""
    mount = next(step for step in lane.steps if step.action is Action.MOUNT)
    meaning, _, _ = yield from look(talk, mount)
    return None if meaning is Meaning.CANNOT_TELL else meaning is Meaning.DONE


def _before_mount(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """The rebuilt file is what this step mounts: no other file passes for it."""
    place, evidence = yield from file_in_place(talk, lane, step)
    if place is InPlace.REBUILT:
        return None
    why = PUT_BACK if place is InPlace.ORIGINAL else "which file is in place cannot be told"
    return failed(f"{why}: {evidence}", {"file_in_place": place.value})


def _before_swap_back(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """A mounted file is never moved. When it is the original, there is nothing to do."""
    if not (yield from is_mounted(talk, lane)):
        return None
    place, evidence = yield from file_in_place(talk, lane, step)
    result = {"file_in_place": place.value}
    if place is InPlace.ORIGINAL:
        return Judgement(outcome=OutcomeKind.ALREADY, result={**result, "state": "before"})
    return failed(f"the database is mounted with the {place.value} file: {evidence}", result)


def _swap_in_doubt(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """Where the probe of the swap finds neither before nor after, a person was at work."""
    meaning, _, _ = yield from look(talk, step)
    if meaning is not Meaning.CANNOT_TELL:
        return None
    place, evidence = yield from file_in_place(talk, lane, step)
    if place is InPlace.UNKNOWN:
        return None
    is_back = place is InPlace.ORIGINAL
    meaning = Meaning.NOT_DONE if is_back else Meaning.DONE
    seen = {"file_in_place": place.value}
    yield from talk.append(looked_draft(step, meaning, seen, evidence, cause="resume"))
    if is_back:
        return failed(f"{PUT_BACK}: {evidence}", {**seen, "state": "before"})
    return done({**seen, "state": "after"})


def after_refused_swap(
    talk: Conversation, lane: Lane, step: Step, why: str
) -> Talk[Judgement | None]:
    """Of a refused swap whose files lie like after nothing of ours: not done when the original is
    in its place, so that it is mounted again; None when looking goes on.
    """
    meaning, _, _ = yield from look(talk, step)
    if meaning is not Meaning.CANNOT_TELL:
        return None
    place, evidence = yield from file_in_place(talk, lane, step)
    if place is not InPlace.ORIGINAL:
        return None
    seen = {"file_in_place": place.value, "state": "before"}
    draft = looked_draft(step, Meaning.NOT_DONE, seen, evidence, cause="postcondition")
    yield from talk.append(draft)
    return failed(f"{why}; somebody was at the files, and the original is in its place", seen)


def _before_record(talk: Conversation, lane: Lane, step: Step) -> Talk[Judgement | None]:
    """The record says what is true of the file in place, or it is not written."""
    if not facts_of(lane, talk.state).is_new_file_mounted:
        return None
    place, evidence = yield from file_in_place(talk, lane, step)
    meaning = {
        InPlace.REBUILT: Meaning.DONE,
        InPlace.ORIGINAL: Meaning.NOT_DONE,
        InPlace.UNKNOWN: Meaning.CANNOT_TELL,
    }[place]
    seen = {"file_in_place": place.value}
    yield from talk.append(looked_draft(step, meaning, seen, evidence, cause="postcondition"))
    if place is InPlace.UNKNOWN:
        return failed(f"which file is in place cannot be told: {evidence}", seen)
    return None


_HEADERS = (Action.READ_HEADER, Action.READ_TEMPORARY_HEADER)
_CHECKS = {
    Action.MOUNT: _before_mount,
    Action.SWAP_BACK: _before_swap_back,
    Action.SWAP: _swap_in_doubt,
    Action.WRITE_DATABASE_RECORD: _before_record,
}


def _header(talk: Conversation, lane: Lane, path: str, give_up: datetime) -> Talk[Reply]:
    """Read the header of a file; a host that does not answer is asked until it is given up."""
    step = next(each for each in lane.steps if each.action is Action.READ_HEADER)
    assert isinstance(step.call, ScriptCall)
    arguments = {**step.call.arguments, "path": path, "log_folder": None, "log_prefix": None}
    call = evolve(step.call, arguments=arguments)
    while True:
        reply = yield from talk.send_patiently(lane.server, call, READ_LIMIT_S, "which file")
        if not isinstance(reply, Lost) or talk.now >= give_up:
            return reply


def _signature(reply: Answered) -> str | None:
    signature = header_facts(base64.b64decode(reply.result["slots"]))["signature"]
    return None if signature is None else str(signature)


def _of_signature(signature: str | None, files: Files) -> InPlace:
    if signature == files.original_signature:
        return InPlace.ORIGINAL
    return InPlace.REBUILT if signature == files.rebuilt_signature else InPlace.UNKNOWN
