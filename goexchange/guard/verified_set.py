"""No rebuilt file takes the place of a database without a set of that very file, every page
verified after the copy.

Judged from the journal alone: header after the dismount, digests while copying, digests read back
past the cache, page checksums of the copy, the sealed manifest, and our own verifier wherever the
plan has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from ntpath import basename
from typing import Any

from goexchange.guard.clean_shutdown import CLEAN_SHUTDOWN
from goexchange.guard.guard import (
    BEFORE_ITS_STEP,
    Answer,
    Guard,
    Question,
    blocks,
    member,
    passes,
)
from goexchange.model.plan import Action, JobCall, ScriptCall

_SET_STEPS = (Action.COPY_SET, Action.VERIFY_SET_ON_HOST, Action.HASH_SET, Action.SEAL_SET)
_REMEDY = "none tonight: the original is mounted again, and the set is looked into"


def _verified_set(question: Question) -> Answer:
    lacking = [each.value for each in _SET_STEPS if not question.has(each)]
    if lacking:
        return blocks(f"the plan has no step {', '.join(lacking)}", "plan again")
    header = question.result_of(Action.READ_HEADER)
    files = _files(question.result_of(Action.COPY_SET), "the copy")
    wrong = [
        *_header_faults(header, files, _original(question)),
        *_streaming_faults(question, files),
        *_differences(files, _files(question.result_of(Action.HASH_SET), "the set")),
        *_page_faults(question.result_of(Action.VERIFY_SET_ON_HOST)),
    ]
    sealed = question.result_of(Action.SEAL_SET)  # a set without its manifest is not a set
    by = "on the host"
    for step in question.steps(Action.VERIFY_SET):
        by = "on the host and by our own verifier"
        wrong += _verifier_faults(question.result(step), {**header, **sealed})
    observed = {
        "signature": member(header, "signature", of="the header"),
        "dbtime": member(header, "dbtime", of="the header"),
        "files": len(files),
    }
    if wrong:
        return blocks("; ".join(wrong), _REMEDY, **observed)
    was = ", as it was before isinteg" if question.has(Action.READ_CORRECTED_HEADER) else ""
    return passes(
        f"set of {len(files)} files of this file{was} (signature {observed['signature'][:16]},"
        f" last change {observed['dbtime']}), every page verified {by}",
        **observed,
    )


def _original(question: Question) -> str:
    call = next(question.steps(Action.READ_HEADER)).call
    assert isinstance(call, ScriptCall)
    return str(call.arguments["path"])


def _files(result: Mapping[str, Any], of: str) -> dict[str, tuple[int, str]]:
    files = member(result, "files", of=of)
    return {
        member(each, "path", of=of).lower(): (
            member(each, "size_bytes", of=of),
            member(each, "sha256", of=of),
        )
        for each in files
    }


def _header_faults(
    header: Mapping[str, Any], files: Mapping[str, tuple[int, str]], original: str
) -> list[str]:
    """The set holds the file whose header was read after the dismount, shut down cleanly."""
    wrong = []
    if member(header, "state", of="the header") != CLEAN_SHUTDOWN:
        wrong.append("the file was not shut down cleanly")
    if member(header, "headers_alike", of="the header") is not True:
        wrong.append("the two headers of the file differ")
    copied = [
        size for path, (size, _) in files.items() if basename(path) == basename(original).lower()
    ]
    if copied != [member(header, "size_bytes", of="the header")]:
        wrong.append("the set does not hold the database at the size that its header was read at")
    return wrong


def _streaming_faults(question: Question, files: Mapping[str, tuple[int, str]]) -> list[str]:
    """A database of two files: the set holds the second too, and its checksums were read."""
    steps = tuple(question.steps(Action.READ_STREAMING_HEADER))
    if not steps:
        return []
    call = steps[0].call
    assert isinstance(call, ScriptCall)
    name = basename(str(call.arguments["path"])).lower()
    copied = [size for path, (size, _) in files.items() if basename(path) == name]
    read = question.result_of(Action.READ_STREAMING_HEADER)
    wrong = []
    if copied != [member(read, "size_bytes", of="the streaming file")]:
        wrong.append("the set does not hold the streaming file at the size that was read")
    checks = [each.call for each in question.steps(Action.VERIFY_SET_ON_HOST)]
    for check in checks:
        assert isinstance(check, JobCall)
        given = [str(each).lower() for each in check.request["arguments"]]
        if not any(each.startswith("/s") and each.endswith(f"\\{name}") for each in given):
            wrong.append("the checksums of the copy are those of its first file alone")
    return wrong


def _differences(
    copied: Mapping[str, tuple[int, str]], read_back: Mapping[str, tuple[int, str]]
) -> list[str]:
    if not copied:
        return ["the set is empty"]
    differing = sorted(
        basename(path)
        for path in copied.keys() | read_back.keys()
        if path not in copied or path not in read_back or copied[path] != read_back[path]
    )
    return [f"read back other than copied: {', '.join(differing)}"] if differing else []


def _page_faults(checksums: Mapping[str, Any]) -> list[str]:
    if member(checksums, "ok", of="the page checksums of the copy") is not True:
        return ["the page checksums of the copy are not good"]
    counts = {
        name: member(checksums, name, of="the page checksums of the copy")
        for name in ("bad_checksums", "wrong_page_numbers")
    }
    bad = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count != 0]
    return [f"the copy has {', '.join(bad)}"] if bad else []


def _verifier_faults(verdict: Mapping[str, Any], recorded: Mapping[str, Any]) -> list[str]:
    """Our verifier reads the manifest and the copied header: it must have seen this very set."""
    wrong = []
    if member(verdict, "ok", of="our own verifier") is not True:
        wrong.append("our own verifier found damage")
    seen = {"set_sha256": member(verdict, "set_sha256", of="our own verifier")}
    seen |= {name: verdict[name] for name in ("signature", "dbtime") if name in verdict}
    for name, value in seen.items():
        if value != member(recorded, name, of="the journal"):
            wrong.append(f"our own verifier read another {name} than was recorded")
    return wrong


VERIFIED_SET = Guard(
    id="verified-set",
    rule="a sealed set of this very file: same signature and last change, every page"
    " verified after the copy",
    moments=BEFORE_ITS_STEP,
    reads=(),
    judge=_verified_set,
)
