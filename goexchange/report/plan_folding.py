"""Plans of many databases fold: lanes with the same steps are shown once, the others named.

Verdict and table are never folded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from goexchange.model.plan import Action, ConsentNeed, Lane, PlanBody, Step, Verdict
from goexchange.report import plan_words as words
from goexchange.report.shown import shown
from goexchange.report.units import count_text

LANES_IN_FULL = 6
LINES_IN_FULL = 8
CONSENTS_IN_FULL = 12


@frozen(kw_only=True)
class LaneGroup:
    """A lane that is shown with its steps, and those whose steps are of the same kinds."""

    shown: Lane
    same: tuple[Lane, ...]


def lane_groups(body: PlanBody, *, is_full: bool = False) -> tuple[LaneGroup, ...]:
    """The lanes, each alone when there are few; else one group per kind of steps."""
    if is_full or len(body.lanes) <= LANES_IN_FULL:
        return tuple(LaneGroup(shown=lane, same=()) for lane in body.lanes)
    groups: dict[object, list[Lane]] = {}
    for lane in body.lanes:
        groups.setdefault((lane.phase, *map(_kind, lane.steps)), []).append(lane)
    return tuple(LaneGroup(shown=found[0], same=tuple(found[1:])) for found in groups.values())


def _kind(step: Step) -> tuple[object, ...]:
    """What makes steps the same to a reader: programs of the operator differ by what they run."""
    of_its_own = step.summary if step.action is Action.CUSTOM_PROCESS else ""
    return (step.action, step.runs_when, of_its_own)


def same_text(group: LaneGroup) -> str:
    """The sentence that names the lanes with the same steps."""
    return (
        f"The same {count_text(len(group.shown.steps), 'step')} for"
        f" {count_text(len(group.same), 'more', 'more')}: "
        + _named(f"{each.server}/{each.database or ''}".rstrip("/") for each in group.same)
    )


def blocking_texts(body: PlanBody, group: LaneGroup) -> tuple[str, ...]:
    """One sentence per guard that says no to lanes which are only named."""
    by_guard: dict[str, list[Verdict]] = {}
    addresses = {each.id for each in group.same}
    for verdict in body.guards:
        if verdict.address in addresses and verdict.kind in words.BLOCKING:
            by_guard.setdefault(verdict.guard, []).append(verdict)
    return tuple(
        f"guard {shown(guard)} says no to {len(found)} of them, for example"
        f" {shown(found[0].address)}: {words.guard_text(found[0])}"
        for guard, found in by_guard.items()
    )


def backup_lines(body: PlanBody, *, is_full: bool = False) -> tuple[str, ...]:
    """What is backed up; of many lines the first, and how many more there are."""
    return folded_lines([shown(text) for text in body.backups], is_full=is_full)


def folded_lines(lines: Sequence[str], *, is_full: bool = False) -> tuple[str, ...]:
    """The first of many lines, and how many more there are."""
    if is_full or len(lines) <= LINES_IN_FULL:
        return tuple(lines)
    return (*lines[:LINES_IN_FULL], f"and {len(lines) - LINES_IN_FULL} more of the kind")


def consent_rows(body: PlanBody, *, is_full: bool = False) -> tuple[tuple[str, str, str], ...]:
    """Consent, addresses and finding; of many needs of one consent the first finding stands for
    all, every address is named.
    """
    if is_full or len(body.consents) <= CONSENTS_IN_FULL:
        return tuple(
            (each.consent.value, shown(each.address), shown(each.finding)) for each in body.consents
        )
    groups: dict[str, list[ConsentNeed]] = {}
    for each in body.consents:
        groups.setdefault(each.consent.value, []).append(each)
    return tuple(
        (name, f"{len(found)} addresses", _finding(found)) for name, found in groups.items()
    )


def _finding(found: Sequence[ConsentNeed]) -> str:
    addresses = _named(each.address for each in found)
    return f"for example {shown(found[0].address)}: {shown(found[0].finding)} · for {addresses}"


def _named(addresses: Iterable[str]) -> str:
    """Addresses with each server's name once: `EX01/DB01 DB02 · EX02/DB07`."""
    by_server: dict[str, list[str]] = {}
    for address in addresses:
        server, _, database = address.partition("/")
        by_server.setdefault(shown(server), []).append(shown(database))
    return " · ".join(
        f"{server}/{' '.join(names)}" if any(names) else server
        for server, names in by_server.items()
    )
