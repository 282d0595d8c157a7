"""Nothing is repaired, and no repaired file takes the place of a database, without damage that was
seen and evidence of the damaged file.

Evidence is no way back: it is the damaged file as it was, read twice with equal digests, with the
same bad pages, and every log of its stream. Judged from the journal alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from ntpath import basename
from typing import Any

from goexchange.guard.guard import (
    BEFORE_ITS_STEP,
    Answer,
    Guard,
    Question,
    blocks,
    member,
    passes,
)
from goexchange.model.plan import Action

_REMEDY = "none tonight: the original is mounted again, and the evidence is looked into"
_STEPS = (
    Action.FIND_DAMAGE,
    Action.COPY_EVIDENCE,
    Action.REREAD_SOURCE,
    Action.CHECK_EVIDENCE,
    Action.HASH_EVIDENCE,
    Action.SEAL_EVIDENCE,
    Action.HASH_FOR_REPAIR,
)


def _evidence(question: Question) -> Answer:
    lacking = [each.value for each in _STEPS if not question.has(each)]
    if lacking:
        return blocks(f"the plan has no step {', '.join(lacking)}", "plan again")
    looks = [question.result(step) for step in question.steps(Action.FIND_DAMAGE)]
    damage = sum(int(member(look, "damage", of="the look")) for look in looks)
    if not damage:
        return blocks(
            "the file has no damage any more: there is nothing to repair",
            "none: it is mounted as it was; what else it needs is planned without a repair",
            damage=0,
        )
    header = question.result_of(Action.READ_HEADER)
    copied = _files(question.result_of(Action.COPY_EVIDENCE), "the evidence")
    wrong = [
        *_unequal("the second reading of the source", copied, _of(question, Action.REREAD_SOURCE)),
        *_unequal("the evidence read back", copied, _of(question, Action.HASH_EVIDENCE)),
        *_lacking_files(header, copied),
        *_other_pages(looks, question.result_of(Action.CHECK_EVIDENCE)),
        *_other_copy(copied, _of(question, Action.HASH_FOR_REPAIR)),
    ]
    member(question.result_of(Action.SEAL_EVIDENCE), "set_sha256", of="the sealed evidence")
    observed: dict[str, Any] = {"damage": damage, "files": len(copied)}
    if wrong:
        return blocks("; ".join(wrong), _REMEDY, **observed)
    return passes(
        f"evidence of {len(copied)} files, read twice alike, with the damage of its source"
        f" ({damage} found); it is not a sound way back",
        **observed,
    )


def _of(question: Question, action: Action) -> dict[str, tuple[int, str]]:
    return _files(question.result_of(action), action.value)


def _files(result: Mapping[str, Any], of: str) -> dict[str, tuple[int, str]]:
    return {
        basename(member(each, "path", of=of)).lower(): (
            member(each, "size_bytes", of=of),
            member(each, "sha256", of=of),
        )
        for each in member(result, "files", of=of)
    }


def _unequal(
    what: str, copied: Mapping[str, tuple[int, str]], read: Mapping[str, tuple[int, str]]
) -> list[str]:
    names = sorted(n for n in copied.keys() | read.keys() if copied.get(n) != read.get(n))
    return [f"{what} differs: {', '.join(names)}"] if names else []


def _lacking_files(
    header: Mapping[str, Any], copied: Mapping[str, tuple[int, str]]
) -> list[str]:
    """The file at the size that its header was read at, and every log that lay beside it then."""
    sizes = [size for size, _ in copied.values()]
    wrong = []
    if member(header, "size_bytes", of="the header") not in sizes:
        wrong.append("the evidence does not hold the database at the size of its header")
    logs = [
        basename(member(each, "path", of="the logs")).lower()
        for each in member(header, "log_files", of="the header")
    ]
    missing = sorted(n for n in logs if n.endswith(".log") and _is_kept(n) and n not in copied)
    return [*wrong, *([f"the evidence lacks {', '.join(missing)}"] if missing else [])]


def _is_kept(name: str) -> bool:
    """The next log in preparation and reserve logs hold nothing."""
    return not name.endswith("tmp.log") and "res" not in name


def _other_pages(looks: list[Mapping[str, Any]], copy: Mapping[str, Any]) -> list[str]:
    pages = [look for look in looks if "bad_pages" in look]
    if len(pages) != 1:
        return ["the pages of the file were not looked at"]
    names = ("pages_seen", "damage", "bad_pages")
    if all(
        member(pages[0], name, of="the look") == member(copy, name, of="the evidence's pages")
        for name in names
    ):
        return []
    return ["the evidence has other bad pages than the file"]


def _other_copy(
    copied: Mapping[str, tuple[int, str]], working: Mapping[str, tuple[int, str]]
) -> list[str]:
    if working and set(working.values()) <= set(copied.values()):
        return []
    return ["the working copy is not the file that lies in the evidence"]


EVIDENCE = Guard(
    id="evidence",
    rule="damage was seen, and the damaged file and every log of its stream are kept: read twice"
    " alike, with the same bad pages",
    moments=BEFORE_ITS_STEP,
    reads=(),
    judge=_evidence,
)
