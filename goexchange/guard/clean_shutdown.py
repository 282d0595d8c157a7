"""The dismounted file was shut down cleanly: nothing is required of its logs, and both headers say
the same.
"""

from __future__ import annotations

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

CLEAN_SHUTDOWN = 3  # Source: ESE source, JET_dbstateCleanShutdown


def _clean_shutdown(question: Question) -> Answer:
    header = question.result_of(_last_read(question))
    state = member(header, "state", of="the header")
    alike = member(header, "headers_alike", of="the header")
    required = member(header, "log_required", of="the header")
    seen = {"state": state, "headers_alike": alike, "log_required": list(required)}
    wrong = []
    if state != CLEAN_SHUTDOWN:
        wrong.append("it was not shut down cleanly")
    if alike is not True:
        wrong.append("its two headers differ")
    if list(required) != [0, 0]:
        wrong.append(f"it needs the logs {required[0]} to {required[1]}")
    if wrong:
        return blocks("; ".join(wrong), "none tonight: it is mounted as it was", **seen)
    return passes("clean shutdown, no log required, both headers alike", **seen)


def _last_read(question: Question) -> Action:
    """The header step that the step rests on: isinteg changes the file, and it is read again."""
    step = question.step
    corrected = (each.number for each in question.steps(Action.READ_CORRECTED_HEADER))
    is_corrected = step is not None and any(number < step.number for number in corrected)
    return Action.READ_CORRECTED_HEADER if is_corrected else Action.READ_HEADER


CLEAN = Guard(
    id="clean-shutdown",
    rule="clean shutdown, no log required, both headers alike",
    moments=BEFORE_ITS_STEP,
    reads=(),
    judge=_clean_shutdown,
)
