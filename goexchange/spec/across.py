"""What is wrong between documents: versions, times and retention that contradict each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as PlainMapping

from attrs import frozen

from goexchange.documents import Document, Mapping
from goexchange.errors import Diagnostic, Place, Severity
from goexchange.model.configuration import Generation, Inventory, Weekday, Window
from goexchange.model.desired import ConflictPolicy, DesiredState, OfflineBackup
from goexchange.reading import Findings
from goexchange.schema import suggestion
from goexchange.spec.scripts import cell_of, versions_of
from goexchange.spec.selection import select_servers

_DAY_S = 86400


@frozen(kw_only=True)
class Loaded:
    """A specification with the document it was read from."""

    desired: DesiredState
    document: Document


def check_across(
    loaded: Sequence[Loaded],
    inventory: Inventory,
    *,
    channels: Collection[str] | None = None,
) -> tuple[Diagnostic, ...]:
    """Return what contradicts the inventory or another specification.

    Shape: `channels` are the names that the configuration knows; None when there is none to ask.
    """
    findings = Findings(each.document for each in loaded)
    for each in loaded:
        _check_version(each.desired, inventory, findings)
        _check_times(each.desired, inventory, findings)
        _check_channels(each.desired, channels, findings)
    for number, later in enumerate(loaded):
        for earlier in loaded[:number]:
            _check_names(earlier, later, findings)
            _check_sets(earlier.desired, later.desired, findings, inventory=inventory)
    return findings.all()


def window_length_s(window: Window) -> int | None:
    """Return how long a window is by the wall clock. Unknown: None when it is always open."""
    opens = window.opens.hour * 3600 + window.opens.minute * 60
    closes = window.closes.hour * 3600 + window.closes.minute * 60
    length_s = closes - opens if closes > opens else closes - opens + _DAY_S
    return None if length_s == _DAY_S and len(window.days) == len(Weekday) else length_s


def _check_version(desired: DesiredState, inventory: Inventory, findings: Findings) -> None:
    applies = versions_of(desired.script.script)
    names = select_servers(desired.targets, inventory)
    if not names:
        return
    hints = {each.name: each.generation for each in inventory.servers}
    others = [name for name in names if hints[name] is not None and hints[name] not in applies]
    if not others:
        return
    listed = ", ".join(f"{name} is Exchange {_shown(hints[name])}" for name in others)
    fits = ", ".join(each.value for each in applies)
    detail = f"{desired.script.script.value} is for Exchange {fits}; {listed}. "
    if len(others) == len(names):
        detail += f"Nothing would be done: {_instead(desired, hints, others)}."
        findings.add("script-not-for-version", detail=detail, place=desired.script.place)
        return
    detail += "Their databases would be refused: leave them out of the targets."
    findings.add(
        "script-not-for-version",
        detail=detail,
        place=desired.script.place,
        severity=Severity.WARNING,
    )


def _instead(
    desired: DesiredState, hints: PlainMapping[str, Generation | None], others: Sequence[str]
) -> str:
    """What applies there, each once, in the order of the servers."""
    cells = [cell_of(desired.script.script, seen) for each in others if (seen := hints[each])]
    found = dict.fromkeys(each.instead for each in cells if each.instead)
    return f"choose {' or '.join(found)}, or other targets"


def _shown(generation: Generation | None) -> str:
    return "?" if generation is None else generation.value


def _check_times(desired: DesiredState, inventory: Inventory, findings: Findings) -> None:
    schedule = desired.schedule
    window = next((each for each in inventory.windows if each.name == schedule.window), None)
    if schedule.window is None:
        _check_zones(desired, findings)
    length_s = None if window is None else window_length_s(window)
    if window is None or length_s is None:
        return
    for what, limit_s, place in _waits(desired):
        if limit_s >= length_s:
            detail = (
                f"{what} up to {_hours(limit_s)}, and the window '{window.name}' is "
                f"{_hours(length_s)} long: nothing could start after it. Write a shorter limit or"
                " a longer window."
            )
            findings.add("longer-than-window", detail=detail, place=place)
    run_time_max_s = schedule.run_time_max_s
    if run_time_max_s is not None and run_time_max_s > length_s:
        detail = (
            f"'run_time_max' is {_hours(run_time_max_s)}, and the window '{window.name}' is "
            f"{_hours(length_s)} long: its end comes first, so the limit has no effect."
        )
        findings.add(
            "longer-than-window", detail=detail, place=schedule.place, severity=Severity.WARNING
        )


def _waits(desired: DesiredState) -> Iterator[tuple[str, int, Place]]:
    """What a run may wait for before the first dismount, and for how long."""
    conflicts = desired.conflicts
    if ConflictPolicy.WAIT in (conflicts.running, conflicts.scheduled):
        yield "Another backup is waited for", conflicts.wait_max_s, conflicts.place
    for process in desired.processes_before:
        if process.timeout_s is not None:
            yield f"'{process.name}' may run", process.timeout_s, process.place


def _check_zones(desired: DesiredState, findings: Findings) -> None:
    """Without a window there is no zone that times could be in."""
    found = [
        (f"The declared work '{each.name}'", each.place)
        for each in desired.conflicts.declared
        if each.zone is None
    ]
    if desired.schedule.due is not None:
        found.append(("'due'", desired.schedule.due_place))
    for what, place in found:
        detail = (
            f"{what} has a time of day, and the specification names no window whose zone it is in."
            " For example: schedule: {window: berlin-night}"
        )
        findings.add("zone-missing", detail=detail, place=place)


def _check_channels(
    desired: DesiredState, channels: Collection[str] | None, findings: Findings
) -> None:
    if channels is None:
        return
    for notification in desired.notifications:
        for name in notification.channels:
            if name != "mail" and name not in channels:
                detail = f"The configuration has no channel '{name}' below notify.channels. "
                detail += suggestion(name, channels) if channels else "It has none at all."
                findings.add("unknown-name", detail=detail, place=notification.place)


def _check_names(earlier: Loaded, later: Loaded, findings: Findings) -> None:
    if earlier.desired.name == later.desired.name:
        detail = (
            f"A specification '{later.desired.name}' stands at {_name_place(earlier)} already;"
            " history and reports are kept by name. Rename one."
        )
        findings.add("repeated", detail=detail, place=_name_place(later))


def _name_place(loaded: Loaded) -> Place:
    metadata = loaded.document.root
    for key in ("metadata", "name"):
        node = metadata.find(key) if isinstance(metadata, Mapping) else None
        metadata = node if node is not None else metadata
    return metadata.place


def _check_sets(
    earlier: DesiredState, later: DesiredState, findings: Findings, *, inventory: Inventory
) -> None:
    first, second = earlier.backup_before.offline, later.backup_before.offline
    shared = set(select_servers(earlier.targets, inventory)) & set(
        select_servers(later.targets, inventory)
    )
    if first is None or second is None or not shared or not _same_target(first, second):
        return
    if first.keep_last != second.keep_last:
        detail = (
            f"It keeps {second.keep_last} of the sets in {second.target.path}, and"
            f" '{earlier.name}' keeps {first.keep_last} there for {', '.join(sorted(shared))} too:"
            " the smaller number would remove what the other counts on as a way back. Write the"
            " same number, or another target."
        )
        findings.add("retention", detail=detail, place=second.place)


def _same_target(first: OfflineBackup, second: OfflineBackup) -> bool:
    return first.target.path.rstrip("\\").casefold() == second.target.path.rstrip("\\").casefold()


def _hours(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join(
        part for part in (f"{hours} h" * bool(hours), f"{minutes} m" * bool(minutes)) if part
    )
