"""The verb `rehearse`: thousands of nights of a plan on a twin of its hosts, on every core."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from goexchange.driver.calls import changed_scripts
from goexchange.errors import PlanStale, UsageError
from goexchange.model.plan import Plan
from goexchange.model.policy import RehearsalLimits
from goexchange.model.rehearsal import Rehearsal
from goexchange.plan.sealing import dump, load

CHUNK = 25


def rehearse_plan(
    plan: Plan, *, runs: int, seed: int, shown: Callable[[int], None] | None = None
) -> Rehearsal:
    """Play the plan so many times, in child processes; `shown` hears how many are done.

    Raises: UsageError when there is nothing to rehearse; PlanStale when the packaged scripts are
    not those of the plan.
    """
    if not plan.body.lanes:
        raise UsageError("the plan has nothing to do: there is nothing to rehearse")
    changed = changed_scripts(plan)
    if changed:
        raise PlanStale(
            f"the packaged text of {', '.join(changed)} is not the one of the plan: plan again"
        )
    content = dump(plan)
    total, done = Rehearsal(), 0
    chunks = list(_chunks(range(seed, seed + runs)))
    workers = min(os.cpu_count() or 1, len(chunks))
    context = multiprocessing.get_context("spawn")  # nothing of this process is inherited
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for number, found in enumerate(pool.map(_play, ((content, each) for each in chunks))):
            total = total.plus(found)
            done += len(chunks[number])
            if shown is not None:
                shown(done)
    return total


def _play(what: tuple[bytes, Sequence[int]]) -> Rehearsal:
    """One child's share."""
    from goexchange.simulation.rehearsal import rehearse

    content, seeds = what
    return rehearse(load(content), seeds)


def _chunks(seeds: range) -> Iterator[Sequence[int]]:
    for start in range(0, len(seeds), CHUNK):
        yield seeds[start : start + CHUNK]


def limits_in_force() -> tuple[tuple[str, RehearsalLimits], ...]:
    """The rehearsal limits of the policies of the working folder, by the policy's name.

    Raises: InvalidDocument.
    """
    from goexchange.app.policies import policies

    return tuple((each.name, each.limits.rehearsal) for each in policies())


def save(text: str, path: str) -> None:
    """Write the summary for a pull request.

    Raises: UsageError.
    """
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
