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
    header = question.result_of(Action.READ_HEADER)
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


CLEAN = Guard(
    id="clean-shutdown",
    rule="clean shutdown, no log required, both headers alike",
    moments=BEFORE_ITS_STEP,
    reads=(),
    judge=_clean_shutdown,
)
