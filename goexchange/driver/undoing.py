"""What an ended run can be rolled back to, by its own journal."""

from __future__ import annotations

from goexchange.driver.lanes import facts_of, happened
from goexchange.journal.replay import RunState
from goexchange.model.kept_original import KeptOriginal
from goexchange.model.plan import Action, Lane, Plan, ScriptCall, Step


def kept_original(plan: Plan, lane: Lane, state: RunState) -> KeptOriginal | None:
    """What rolling the lane back means; None when its rebuilt file was never mounted, or a person
    has put the original back.
    """
    facts = facts_of(lane, state)
    if not facts.is_new_file_mounted or facts.is_put_back:
        return None
    swap, back = _script(lane, Action.SWAP), _script(lane, Action.SWAP_BACK)
    mount, header = _step(lane, Action.MOUNT), _step(lane, Action.READ_HEADER)
    if swap is None or back is None or mount is None or header is None:
        return None
    mounted, read = state.step(mount.id), state.step(header.id)
    if mounted.ended_at_utc is None or read.result is None:
        return None
    return KeptOriginal(
        plan=plan,
        lane=lane,
        run=state.run or "",
        mounted_at_utc=mounted.ended_at_utc,
        header_sha256=str(read.result["slots_sha256"]),
        original=str(swap.arguments["original"]),
        kept=str(swap.arguments["kept"]),
        set_aside=str(back.arguments["set_aside"]),
        mount_at_startup=any(
            step.action is Action.SET_MOUNT_AT_STARTUP and happened(state.step(step.id))
            for step in lane.steps
        ),
    )


def _step(lane: Lane, action: Action) -> Step | None:
    return next((each for each in lane.steps if each.action is action), None)


def _script(lane: Lane, action: Action) -> ScriptCall | None:
    step = _step(lane, action)
    return step.call if step is not None and isinstance(step.call, ScriptCall) else None
