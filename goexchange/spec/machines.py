"""Machines without Exchange that a specification sends work to: those of its backup agents."""

from __future__ import annotations

from collections.abc import Iterable

from goexchange.model.desired import DesiredState, OnlineBackup


def machine_of(online: OnlineBackup | None) -> str | None:
    """The machine where the agent of an online backup runs; None for the Exchange server itself."""
    agent = None if online is None else online.agent
    return None if agent is None else agent.runs_on


def machines_of(specifications: Iterable[DesiredState]) -> tuple[str, ...]:
    """The machines of all specifications, each once, by name."""
    found = {
        machine_of(side.online)
        for spec in specifications
        for side in (spec.backup_before, spec.backup_after)
    }
    return tuple(sorted(each for each in found if each is not None))
