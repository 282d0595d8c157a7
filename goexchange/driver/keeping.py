"""The run as its hosts keep it: plan, approval and journal lie on every host before it is changed.

A controller's disk may be gone in the morning. What is needed to go on is then read from the host:
the plan, and every record up to the intent of the step that was sent last. The copy is the
journal's own bytes, so its chain and its head are checked as they are anywhere else.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from goexchange.codec import canonical_json, time_text, to_plain
from goexchange.driver.calls import completed, root_of
from goexchange.driver.events import Answered, Refused
from goexchange.journal.chain import line_of
from goexchange.model.plan import Action, Direction, OnDoubt, Plan, ScriptCall, Step
from goexchange.model.run import Record
from goexchange.powershell.bootstrap import digest

if TYPE_CHECKING:
    from goexchange.driver.conversation import Conversation, Talk

PLAN, APPROVAL, JOURNAL = "plan.json", "approval.json", "journal.jsonl"
PIECE_BYTES = 192 * 1024
LIMIT_S = 60
LIMIT_BACK_S = 15  # what brings mail back is not held up for long
ROUNDS_MAX = 1000
OTHER_JOURNAL = (
    "the host keeps another journal of this run than the store: the store is an older copy, or the"
    " run was gone on with from the host's record"
)
Part = dict[str, Any]
_TELLS_WHERE = (Action.OPEN_RECOVERY_RECORD, Action.SWAP_BACK)  # and that the mount has failed


@define
class Kept:
    """The journal's bytes of this process's run, and how much of them each host has."""

    at: dict[str, int] = field(factory=dict)  # journal bytes by server; absent: not yet asked
    _written: bytearray = field(factory=bytearray)
    _waiting: list[Record] = field(factory=list)
    _hashed: Any = field(factory=hashlib.sha256)  # of the first bytes, `_hashed_bytes` of them
    _hashed_bytes: int = 0

    def take(self, records: Iterable[Record]) -> None:
        """Records stand in the journal."""
        self._waiting += records

    @property
    def content(self) -> bytearray:
        """The whole journal."""
        for record in self._waiting:
            self._written += line_of(record)
        self._waiting.clear()
        return self._written

    def digest_of(self, size: int) -> str:
        """SHA-256 of the journal's first bytes. What hosts have grows, so it is taken further and
        not anew.
        """
        content = self.content
        if size < self._hashed_bytes:
            return hashlib.sha256(memoryview(content)[:size]).hexdigest()
        self._hashed.update(memoryview(content)[self._hashed_bytes : size])
        self._hashed_bytes = min(size, len(content))
        return str(self._hashed.hexdigest())

    @property
    def servers(self) -> tuple[str, ...]:
        """The hosts that keep the run."""
        return tuple(sorted(self.at))


def is_kept_before(step: Step) -> bool:
    """Whether the step's intent must be on its host before the step is sent: whatever may not be
    done twice, the record that leads a person there, and the way back after a failed mount.
    """
    return step.on_doubt is not OnDoubt.REPEAT or step.action in _TELLS_WHERE


def keep_before(talk: Conversation, step: Step) -> Talk[str | None]:
    """Bring the host's copy up to the intent of the step; why the step may not be sent, or None.

    A step that brings mail back is sent all the same (I18).
    """
    if not is_kept_before(step):
        return None
    is_back = step.direction is Direction.BACK
    why = yield from keep(talk, step.server, is_patient=not is_back)
    return None if is_back or why is None else f"the host does not keep the run: {why}"


def keep_everywhere(talk: Conversation) -> Talk[None]:
    """Bring the copy of every host that keeps the run up to the journal's head; none has to."""
    for server in talk.kept.servers:
        yield from keep(talk, server, is_patient=False)


def keep(talk: Conversation, server: str, *, is_patient: bool) -> Talk[str | None]:
    """Bring one host's copy up to the journal's head; why it could not be, or None."""
    root = root_of(talk.plan, server)
    if root is None:
        return None  # nothing of the plan touches this host over the Windows channel
    kept = talk.kept
    missing: list[Part] = []
    if server not in kept.at and talk.state.resumes:
        missing = [_part(JOURNAL, len(kept.content), None)]
    elif server not in kept.at:
        missing = _documents(talk)
    for _ in range(ROUNDS_MAX):
        have = kept.at.get(server, 0)
        if not missing and server in kept.at and have == len(kept.content):
            return None
        parts, missing = _filled(missing, kept, have)
        reply = yield from _send(talk, server, parts, root=root, is_patient=is_patient)
        if not isinstance(reply, Answered):
            return f"{reply.code}: {reply.message}" if isinstance(reply, Refused) else reply.message
        found = {one["name"]: one for one in reply.result["kept"]}
        if JOURNAL in found:
            agreed = _agreed(kept, found[JOURNAL])
            if server not in kept.at and talk.state.resumes and agreed is None:
                return OTHER_JOURNAL
            if not agreed and not missing and server not in kept.at:
                missing = _documents(talk) if talk.state.resumes else []
            kept.at[server] = agreed or 0
    return "the copy never came to its end"


def touch(talk: Conversation, server: str) -> Talk[None]:
    """The run's sign of life on a host that keeps it, with whatever is new in the journal."""
    root = root_of(talk.plan, server)
    assert root is not None  # else the host would keep nothing
    have = talk.kept.at[server]
    parts, _ = _filled([], talk.kept, have)
    reply = yield from _send(talk, server, parts, root=root, is_patient=False)
    if isinstance(reply, Answered):
        talk.kept.at[server] = _agreed(talk.kept, reply.result["kept"][-1]) or 0


def plan_bytes(plan: Plan) -> bytes:
    """The plan file, as every reader of plans takes it."""
    return canonical_json(
        {
            "body": to_plain(plan.body),
            "sha256": plan.sha256,
            "created_at_utc": time_text(plan.created_at_utc),
            "created_by": plan.created_by,
        }
    )


def _send(
    talk: Conversation, server: str, parts: list[Part], *, root: str, is_patient: bool
) -> Talk[Any]:
    arguments = {"root": root, "holder": talk.identity.holder, "parts": parts}
    call = completed(
        ScriptCall(script="keep-run", digest=digest("keep-run"), arguments=arguments),
        fence=talk.numbers[server],
        run=talk.identity.run,
    )
    if is_patient:
        return (yield from talk.send_patiently(server, call, LIMIT_S, "keep"))
    return (yield from talk.send(server, call, LIMIT_BACK_S, "keep"))


def _filled(missing: list[Part], kept: Kept, have: int) -> tuple[list[Part], list[Part]]:
    """What goes with the next request, and what is left for later; the journal comes last."""
    is_asking = bool(missing) and missing[0]["content"] is None
    if is_asking:
        return missing[:1], missing[1:]
    parts: list[Part] = []
    room = PIECE_BYTES
    while missing and (not parts or len(missing[0]["content"]) <= room):
        parts.append(missing[0])
        room -= len(missing[0]["content"])
        missing = missing[1:]
    if not missing:
        parts.append(_part(JOURNAL, have, bytes(kept.content[have : have + PIECE_BYTES])))
    return parts, missing


def _agreed(kept: Kept, found: dict[str, Any]) -> int | None:
    """How much of the journal the host has; None when it is not the beginning of ours."""
    size = int(found["size_bytes"])
    is_ours = size <= len(kept.content) and found["sha256"] == kept.digest_of(size)
    return size if is_ours or not size else None


def _whole(name: str, content: bytes) -> list[Part]:
    return [
        _part(name, start, content[start : start + PIECE_BYTES])
        for start in range(0, len(content), PIECE_BYTES)
    ]


def _documents(talk: Conversation) -> list[Part]:
    """Plan and approval; they go before the journal, so a host that has of it has them whole."""
    parts = _whole(PLAN, plan_bytes(talk.plan))
    if talk.identity.approval is not None:
        parts += _whole(APPROVAL, canonical_json(to_plain(talk.identity.approval)))
    return parts


def _part(name: str, offset: int, content: bytes | None) -> Part:
    packed = None if content is None else base64.b64encode(gzip.compress(content, 6, mtime=0))
    return {
        "name": name,
        "offset": offset,
        "content": None if packed is None else packed.decode("ascii"),
    }
