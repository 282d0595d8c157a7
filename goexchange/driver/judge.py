"""The outcome of a step, judged from what came back; unknown output is never a success."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from goexchange.driver.conditions import holds
from goexchange.driver.judge_backups import judge_agent, judge_backup
from goexchange.driver.judge_files import (
    judge_copy,
    judge_export,
    judge_hash,
    judge_header,
    judge_seal,
    judge_sealed,
    judge_swap,
    judge_verified,
)
from goexchange.driver.judge_integrity import judge_integrity
from goexchange.driver.judge_mta import judge_mtacheck
from goexchange.driver.judge_ntbackup import judge_ntbackup
from goexchange.driver.judge_scratch import judge_empty
from goexchange.driver.judge_shadow import judge_shadow
from goexchange.driver.judge_tools import judge_command, judge_eseutil
from goexchange.driver.judge_trial import judge_trial
from goexchange.driver.judge_verdict import judge_verdict
from goexchange.driver.judgement import Failure, JobEnd, Judgement, Subject, done, failed
from goexchange.driver.pairs import judge_streaming
from goexchange.errors import UnexpectedOutput
from goexchange.model.plan import Action, Step

_ANSWERS: Mapping[Action, Callable[[Subject, Mapping[str, Any]], Judgement]] = {
    Action.READ_HEADER: judge_header,
    Action.READ_TEMPORARY_HEADER: judge_header,
    Action.READ_STREAMING_HEADER: judge_streaming,
    Action.READ_TEMPORARY_STREAMING: judge_streaming,
    Action.READ_RETURNED_HEADER: judge_header,
    Action.READ_RETURNED_STREAMING: judge_streaming,
    Action.READ_CORRECTED_STREAMING: judge_streaming,
    Action.READ_NEW_STREAMING: judge_streaming,
    Action.READ_CORRECTED_HEADER: judge_header,
    Action.READ_NEW_HEADER: judge_header,
    Action.SEAL_SET: judge_seal,
    Action.SEAL_REBUILT: judge_seal,
    Action.SEAL_EVIDENCE: judge_seal,
    Action.READ_REPAIRED_HEADER: judge_header,
    Action.SWAP: judge_swap,
    Action.SWAP_BACK: judge_swap,
    Action.COUNT_MAILBOXES: judge_empty,
}
_JOBS: Mapping[str, Callable[[Subject, JobEnd], Judgement]] = {
    "eseutil": judge_eseutil,
    "copy-files": judge_copy,
    "hash-files": judge_hash,
    "wbadmin": judge_backup,
    "agent": judge_agent,
    "diskshadow": judge_shadow,
    "ntbackup": judge_ntbackup,
    "export-configuration": judge_export,
    "try-folders": judge_trial,
    "seal-set": judge_sealed,
    "await-verdict": judge_verdict,
    "isinteg": judge_integrity,
    "command": judge_command,
    "mtacheck": judge_mtacheck,
    "stop-services": judge_command,
    "restore-services": judge_command,
}


def judge_answer(subject: Subject, result: Mapping[str, Any]) -> Judgement:
    """Judge the answer of a host script or a cmdlet that came without errors."""
    judge = _ANSWERS.get(subject.step.action, _plain)
    return _guarded(subject, lambda: judge(subject, result))


def judge_job(subject: Subject, end: JobEnd) -> Judgement:
    """Judge a host job that ended by itself."""
    return _guarded(subject, lambda: _JOBS[end.kind](subject, end))


def judge_set(subject: Subject, result: Mapping[str, Any]) -> Judgement:
    """Judge the verdict of our own verifier over a set."""
    return _guarded(subject, lambda: judge_verified(subject, result))


def _plain(subject: Subject, result: Mapping[str, Any]) -> Judgement:
    return done(result)


def _guarded(subject: Subject, judge: Callable[[], Judgement]) -> Judgement:
    """Judge; what cannot be judged has failed, with the evidence."""
    try:
        judgement = judge()
    except Failure as failure:
        return failed(str(failure), failure.result, output=failure.output)
    except UnexpectedOutput as unexpected:
        return failed(f"unknown output: {unexpected}", {})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return failed(f"an answer of unexpected shape: {type(error).__name__}: {error}", {})
    if subject.step.poll is not None:
        return judgement  # it has only begun: its end is judged when it has come
    return after_postcondition(subject.step, judgement)


def after_postcondition(step: Step, judgement: Judgement) -> Judgement:
    """The judgement, or a failure where the step's postcondition does not hold in its result."""
    wanted = step.postcondition
    if wanted is None or not judgement.is_done or holds(wanted, judgement.result):
        return judgement
    rule = f"{wanted.path} {wanted.operator.value} {wanted.value}"
    return failed(
        f"its postcondition does not hold: {rule}",
        judgement.result,
        output=judgement.output,
    )
