"""The custom processes of a specification."""

from __future__ import annotations

from goexchange.model.desired import CustomProcess, DownProcess, ProcessLimit, ProcessScope
from goexchange.reading import Section


def read_processes(part: Section, side: str) -> tuple[CustomProcess, ...]:
    """Return the processes of one side, `before` or `after`, in the order written."""
    return tuple(_process(process, can_undo=side == "after") for process in part.sections(side))


def read_down_processes(part: Section) -> tuple[DownProcess, ...]:
    """Return the commands that take the server down, in the order written."""
    return tuple(
        DownProcess(
            name=each.text("name"),
            run=each.texts("run"),
            timeout_s=each.section("limit").duration_s("timeout"),
            back_within_s=each.duration_s("back_within"),
            restarts=each.boolean("restarts"),
            success_exit_codes=each.integers("success_exit_codes"),
            follow=each.optional_text("follow"),
            place=each.place,
        )
        for each in part.sections("takes_server_down")
    )


def _process(part: Section, *, can_undo: bool) -> CustomProcess:
    limit = part.section("limit")
    timeout_s = limit.optional_duration_s("timeout")
    return CustomProcess(
        name=part.text("name"),
        run=part.texts("run"),
        limit=_limit(waits_for_completion=limit.boolean("completion"), timeout_s=timeout_s),
        timeout_s=timeout_s,
        treat_failure_as_error=part.boolean("treat_failure_as_error"),
        success_exit_codes=part.integers("success_exit_codes"),
        undoes=part.optional_text("undoes") if can_undo else None,
        follow=part.optional_text("follow"),
        per=part.choice("per", ProcessScope),
        place=part.place,
    )


def _limit(*, waits_for_completion: bool, timeout_s: int | None) -> ProcessLimit:
    if not waits_for_completion:
        return ProcessLimit.TIMEOUT
    return ProcessLimit.COMPLETION if timeout_s is None else ProcessLimit.COMPLETION_OR_TIMEOUT
