"""Judging what was read, copied, hashed, sealed and moved: files and their headers."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from ntpath import basename
from typing import Any

from goexchange.backup.manifest import content_digest, parse_manifest
from goexchange.driver.headers import header_facts
from goexchange.driver.judge_repair import check_repaired
from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject, done
from goexchange.driver.lanes import happened
from goexchange.driver.records import MANIFESTS, sealing_of
from goexchange.ese.header import DatabaseState
from goexchange.model.plan import Action, JobCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import decode_output, has_succeeded, signed_exit_code
from goexchange.powershell.header_dump import CLEAN_STATES, parse_header_dump

_COPY_OF = {
    Action.HASH_FROM_SET: Action.COPY_FROM_SET,
    Action.HASH_REBUILT: Action.COPY_REBUILT,
    Action.HASH_EVIDENCE: Action.COPY_EVIDENCE,
    Action.HASH_FOR_REPAIR: Action.COPY_FOR_REPAIR,
    Action.HASH_MTA: Action.COPY_MTA,
}


def judge_header(subject: Subject, answer: Mapping[str, Any]) -> Judgement:
    """Our own reading and eseutil's must agree; a rebuilt file must be clean and have a signature
    of its own.
    """
    result = {
        **header_facts(base64.b64decode(answer["slots"])),
        "size_bytes": answer["size_bytes"],
        "log_files": [
            {"path": one["path"], "size_bytes": one["size_bytes"]} for one in answer["log_files"]
        ],
        "jfm": answer["jfm"],
    }
    printed = decode_output(base64.b64decode(answer["eseutil"]["output"]))
    dump = parse_header_dump(printed)
    if isinstance(dump, Unknown):
        raise Failure(
            f"eseutil's header dump cannot be read: {dump.reason}", result, output=printed
        )
    result["eseutil_state"] = dump.state
    if result["state"] is None:
        raise Failure(f"no copy of the header is good: {', '.join(result['problems'])}", result)
    is_clean = result["state"] == int(DatabaseState.CLEAN_SHUTDOWN)
    if (
        not has_succeeded(answer["eseutil"]["exit_code"], dump.end)
        or (dump.state in CLEAN_STATES) != is_clean
    ):
        raise Failure("eseutil and our own reading of the header disagree", result, output=printed)
    if subject.step.action is Action.READ_TEMPORARY_HEADER:
        _check_rebuilt(subject, result)
    if subject.step.action is Action.READ_RETURNED_HEADER:
        _check_clean(result, "the earlier file")
    if subject.step.action is Action.READ_REPAIRED_HEADER:
        _check_clean(result, "the repaired copy")
        check_repaired(subject, result)
    if subject.step.action in _CORRECTED:
        _check_corrected(subject, result)
    return done(result)


def judge_copy(subject: Subject, end: JobEnd) -> Judgement:
    """Every file that was asked for is there, with the digest taken of its source."""
    files = _files(end)
    if end.exit_code != 0:
        raise Failure(f"the copy ended with {end.exit_code}", _ended(end))
    if subject.step.action is Action.COPY_BACK:
        _check_of_set(subject, files, _ended(end))
    result = {**_ended(end), "files": files, "bytes": sum(one["size_bytes"] for one in files)}
    if end.result.get("kept_bytes"):  # an older runner says nothing of it
        result["kept_bytes"] = end.result["kept_bytes"]
    return done(result)


def judge_hash(subject: Subject, end: JobEnd) -> Judgement:
    """What was read back past the cache is what was copied."""
    files = _files(end)
    result = {**_ended(end), "files": files}
    if end.exit_code != 0:
        raise Failure(f"reading the set back ended with {end.exit_code}", result)
    if subject.step.action is Action.HASH_BACK:
        _check_of_set(subject, files, result)
        return done(result)
    if subject.step.action is Action.REREAD_SOURCE:
        _check_same_content(_result_of(subject, Action.COPY_EVIDENCE)["files"], files, result)
        return done(result)
    if subject.step.action is Action.HASH_FOR_REPAIR:
        _check_of_evidence(subject, files, result)
    copy = _COPY_OF.get(subject.step.action, Action.COPY_SET)
    if subject.step.action is Action.HASH_FROM_SET:
        prints = ((one["path"], one["size_bytes"], one["sha256"]) for one in files)
        result["content_sha256"] = content_digest(prints)
    copied = _result_of(subject, copy)["files"]
    wanted = {one["path"].lower(): (one["size_bytes"], one["sha256"]) for one in copied}
    found = {one["path"].lower(): (one["size_bytes"], one["sha256"]) for one in files}
    differing = sorted(
        basename(path) for path in wanted.keys() | found.keys() if _other(wanted, found, path)
    )
    if differing:
        raise Failure(f"the copy differs from its source: {', '.join(differing)}", result)
    return done(result)


def judge_export(subject: Subject, end: JobEnd) -> Judgement:
    """Everything that was asked for was exported."""
    result = {**_ended(end), "files": _files(end), "missing": list(end.result["missing"])}
    if end.exit_code != 0 or result["missing"]:
        raise Failure(
            f"not everything was exported: {', '.join(result['missing']) or end.exit_code}", result
        )
    return done(result)


def judge_seal(subject: Subject, answer: Mapping[str, Any]) -> Judgement:
    """The manifest is on the disk with the bytes that were sent; its set has the digest that it
    states.
    """
    return done(
        {
            "path": answer["path"],
            "manifest_sha256": answer["sha256"],
            "set_sha256": set_digest_of(subject),
        }
    )


def judge_sealed(subject: Subject, end: JobEnd) -> Judgement:
    """The same, where a job has written it: on a share."""
    if end.exit_code != 0:
        raise Failure(f"the manifest was not written: the job ended with {end.exit_code}", {})
    return judge_seal(subject, end.result)


def judge_swap(subject: Subject, answer: Mapping[str, Any]) -> Judgement:
    """The script ends only in the state it is for."""
    return done({"state": answer["state"]})


def judge_verified(subject: Subject, result: Mapping[str, Any]) -> Judgement:
    """Our own verifier found every page sound, of the very set that was sealed."""
    if result["ok"] is not True:
        raise Failure("our own verifier does not pass the set", result)
    if result["set_sha256"] != sealed_digest(subject):
        raise Failure("our own verifier read another set than the sealed one", result)
    return done(result)


def sealed_digest(subject: Subject) -> str:
    """The digest of the set that this lane sealed.

    Raises: Failure when none was sealed.
    """
    is_rebuilt = subject.step.action is Action.VERIFY_REBUILT
    seal = Action.SEAL_REBUILT if is_rebuilt else Action.SEAL_SET
    return str(_result_of(subject, seal)["set_sha256"])


def set_digest_of(subject: Subject) -> str:
    """The digest that the sealed manifest states for its set."""
    make = MANIFESTS[subject.step.action]
    return parse_manifest(make(subject.plan, subject.lane, subject.state)).sha256


def _check_same_content(
    copied: list[dict[str, Any]], read: list[dict[str, Any]], result: Mapping[str, Any]
) -> None:
    """What was read of a source a second time is what the copy had read of it."""
    first, second = (_by_name(files) for files in (copied, read))
    differing = sorted(n for n in first.keys() | second.keys() if first.get(n) != second.get(n))
    if differing:
        raise Failure(f"the source reads other than the first time: {', '.join(differing)}", result)


def _check_of_evidence(
    subject: Subject, files: list[dict[str, Any]], result: Mapping[str, Any]
) -> None:
    """The working copy is the very file that lies in the evidence."""
    sealed = {one["sha256"] for one in _result_of(subject, Action.HASH_EVIDENCE)["files"]}
    if not files or any(one["sha256"] not in sealed for one in files):
        raise Failure("the working copy is not the file that lies in the evidence", result)


def _by_name(files: list[dict[str, Any]]) -> dict[str, tuple[int, str]]:
    return {basename(one["path"]).lower(): (one["size_bytes"], one["sha256"]) for one in files}


def _check_of_set(subject: Subject, files: list[dict[str, Any]], result: Mapping[str, Any]) -> None:
    """What was copied back is the database of the very set that was read back and sealed."""
    call = next(step.call for step in subject.lane.steps if step.action is Action.COPY_BACK)
    assert isinstance(call, JobCall)
    sealed = {
        one["path"].lower(): (one["size_bytes"], one["sha256"])
        for one in _result_of(subject, sealing_of(subject.lane).hashed)["files"]
    }
    found = [(one["path"].lower(), one["size_bytes"], one["sha256"]) for one in files]
    wanted = [
        (pair["destination"].lower(), *sealed[pair["source"].lower()])
        for pair in call.request["files"]
    ]
    if found != wanted:
        raise Failure("what was copied back is not the database of the verified set", result)


def _check_clean(result: Mapping[str, Any], words: str) -> None:
    if result["state"] != int(DatabaseState.CLEAN_SHUTDOWN) or result["log_required"] != [0, 0]:
        raise Failure(f"{words} was not shut down cleanly", result)
    if not result["headers_alike"]:
        raise Failure(f"the header copies of {words} differ", result)


def _check_rebuilt(subject: Subject, result: Mapping[str, Any]) -> None:
    _check_clean(result, "the rebuilt file")
    original = _result_of(subject, Action.READ_HEADER)
    if result["signature"] == original["signature"]:
        raise Failure("the rebuilt file has the signature of the original", result)
    if result["page_bytes"] != original["page_bytes"]:
        raise Failure("the rebuilt file has another page size", result)


_CORRECTED = {  # what isinteg worked on, and the header of that very file from before
    Action.READ_CORRECTED_HEADER: Action.READ_HEADER,
    Action.READ_NEW_HEADER: Action.READ_TEMPORARY_HEADER,
}


def _check_corrected(subject: Subject, result: Mapping[str, Any]) -> None:
    """isinteg has closed the file that it was given, and it is still that one."""
    _check_clean(result, "the file that isinteg corrected")
    before = _result_of(subject, _CORRECTED[subject.step.action])
    if result["signature"] != before["signature"]:
        raise Failure("the file that isinteg corrected has another signature", result)


def _result_of(subject: Subject, action: Action) -> Mapping[str, Any]:
    for step in subject.lane.steps:
        record = subject.state.step(step.id)
        if step.action is action and happened(record) and record.result is not None:
            return record.result
    raise Failure(f"{action.value} has no result to compare with")


def _files(end: JobEnd) -> list[dict[str, Any]]:
    if "files" not in end.result:
        raise Failure(f"the job ended with {end.exit_code} and left no list of files", _ended(end))
    return [
        {"path": one["path"], "size_bytes": one["size_bytes"], "sha256": one["sha256"]}
        for one in end.result["files"]
    ]


def _ended(end: JobEnd) -> dict[str, Any]:
    code = None if end.exit_code is None else signed_exit_code(end.exit_code)
    return {"exit_code": code, "seconds": end.seconds, "started_at_utc": end.started_at_utc}


def _other(wanted: Mapping[str, Any], found: Mapping[str, Any], path: str) -> bool:
    return path not in wanted or path not in found or wanted[path] != found[path]
