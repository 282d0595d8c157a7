"""What a person types to take the way back after a swap: plain commands, in the tool's order."""

from __future__ import annotations

from ntpath import basename

from goexchange.driver.lanes import facts_of, happened
from goexchange.driver.pairs import is_lane_of_pair
from goexchange.journal.replay import RunState
from goexchange.model.flush_map import flush_map_beside
from goexchange.model.plan import Action, JobCall, Lane, ScriptCall, Step
from goexchange.model.streaming_file import streaming_beside


def by_hand_after_swap(lane: Lane, state: RunState) -> list[str]:
    """Everything before the mount that the run has not done: the file, then the logs."""
    steps = {step.action: step for step in lane.steps}
    facts = facts_of(lane, state)
    if Action.RETURN_FILE in steps:
        return _undo_return(lane, steps, state, is_mount_tried=facts.is_mount_tried)
    commands: list[str] = []
    if facts.is_original_lost and not facts.is_set_back and Action.COPY_BACK in steps:
        asides = [step for step in lane.steps if step.action is Action.SET_ASIDE]
        commands += _copy_back(asides, steps[Action.COPY_BACK], state)
    elif not facts.is_original_lost and not happened(state.step(steps[Action.SWAP_BACK].id)):
        commands += _rename_back(steps[Action.SWAP_BACK], is_pair=is_lane_of_pair(lane))
    if facts.is_mount_tried and Action.MOVE_LOGS_ASIDE in steps:
        logs = steps[Action.MOVE_LOGS_ASIDE]
        commands += [] if happened(state.step(logs.id)) else _logs_aside(logs)
    return commands


def quoted(text: str) -> str:
    """A text as PowerShell takes it literally."""
    return "'" + text.replace("'", "''") + "'"


def _rename_back(back: Step, *, is_pair: bool) -> list[str]:
    """Put the original back beside the rebuilt file; the flush map goes with its file, and so does
    the streaming file of Exchange 2003.
    """
    assert isinstance(back.call, ScriptCall)
    original, kept, aside = (
        back.call.arguments[name] for name in ("original", "kept", "set_aside")
    )
    moves = [*_move(original, aside), *_move(kept, original)]
    if not is_pair:
        return moves
    second, second_aside, second_kept = map(streaming_beside, (original, aside, kept))
    there = f"if (Test-Path -LiteralPath {quoted(second_kept)})"
    renames = (
        f"Move-Item -LiteralPath {quoted(second)} -Destination {quoted(second_aside)}",
        f"Move-Item -LiteralPath {quoted(second_kept)} -Destination {quoted(second)}",
    )
    return [*moves, f"{there} {{ {'; '.join(renames)} }}"]


def _undo_return(
    lane: Lane, steps: dict[Action, Step], state: RunState, *, is_mount_tried: bool
) -> list[str]:
    """Put the file that was in service back into its place, and its logs into theirs."""
    commands: list[str] = []
    for away, back in ((Action.RETURN_FILE, Action.PUT_AWAY), (None, Action.RETURN_PRESENT)):
        if away is not None and not happened(state.step(steps[away].id)):
            continue
        if not happened(state.step(steps[back].id)):
            source, target = _argument(steps[back], "source"), _target(steps[back])
            first = _move(source, target)
            if not is_lane_of_pair(lane):
                commands += first
                continue
            # the database file leaves first and comes last: nothing mounts without it
            beside = f"-Destination {quoted(streaming_beside(target))}"
            second = [f"Move-Item -LiteralPath {quoted(streaming_beside(source))} {beside}"]
            commands += [*first, *second] if away is not None else [*second, *first]
    tried, returned = steps[Action.MOVE_LOGS_ASIDE], steps[Action.RETURN_LOGS]
    if is_mount_tried and not happened(state.step(tried.id)):
        commands += _logs_aside(tried)
    if not happened(state.step(returned.id)):
        source, target = (_argument(returned, name) for name in ("from_folder", "to_folder"))
        listing = f"Get-ChildItem -Path {quoted(source)} -File"
        commands.append(f"{listing} | Move-Item -Destination {quoted(target)}")
    return commands


def _copy_back(asides: list[Step], copy: Step, state: RunState) -> list[str]:
    """Put the database of the set, with all its files, in the place of one that is no more."""
    assert isinstance(copy.call, JobCall)
    moved: list[str] = []
    copied: list[str] = []
    for aside, pair in zip(asides, copy.call.request["files"], strict=True):
        original, source = quoted(pair["destination"]), quoted(pair["source"])
        if not happened(state.step(aside.id)):
            moved += _move(pair["destination"], _target(aside))
        copied += [
            f"Copy-Item -LiteralPath {source} -Destination {original}",
            f"Get-FileHash -LiteralPath {original},{source} -Algorithm SHA256",
        ]
    return [*moved, *copied]


def _logs_aside(logs: Step) -> list[str]:
    """Move what a tried mount may have written, once it is sure that no other database uses it."""
    assert isinstance(logs.call, ScriptCall)
    arguments = logs.call.arguments
    source, target = quoted(arguments["from_folder"]), quoted(arguments["to_folder"])
    kept = quoted(basename(str(arguments["to_folder"])))
    look = (
        f"Get-MailboxDatabase -Server {quoted(logs.server)}"
        " | Format-List Name,LogFolderPath,LogFilePrefix"
    )
    if not arguments["prefix"]:
        return [look]  # which logs they are has to be seen first
    names = quoted(f"{arguments['prefix']}*")
    return [
        look,
        f"New-Item -ItemType Directory -Path {source} -Name {kept} -Force",
        f"Get-ChildItem -Path {source} -File -Filter {names} | Move-Item -Destination {target}",
    ]


def _move(source: str, destination: str) -> list[str]:
    """Rename a database file and its flush map; a map that stays behind can keep the other file
    from mounting (-1918). Exchange 2013 has none.
    """
    map_from, map_to = quoted(flush_map_beside(source)), quoted(flush_map_beside(destination))
    move_map = f"Move-Item -LiteralPath {map_from} -Destination {map_to}"
    return [
        f"Move-Item -LiteralPath {quoted(source)} -Destination {quoted(destination)}",
        f"if (Test-Path -LiteralPath {map_from}) {{ {move_map} }}",
    ]


def _target(aside: Step) -> str:
    return _argument(aside, "destination")


def _argument(step: Step, name: str) -> str:
    assert isinstance(step.call, ScriptCall)
    return str(step.call.arguments[name])
