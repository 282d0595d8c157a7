"""How lanes and runs end: states, the exit code by severity, and what a person has to type."""

from __future__ import annotations

from collections.abc import Iterable

from goexchange.driver.by_hand import by_hand_after_swap, quoted
from goexchange.driver.copies import copy_commands, not_redundant
from goexchange.driver.hands import PUT_BACK
from goexchange.driver.judge_passes import detected, found_text
from goexchange.driver.lane_of_mta import is_of_mta, mta_commands
from goexchange.driver.lane_of_server import (
    PUTS_BACK,
    is_of_server,
    left_out,
    server_commands,
)
from goexchange.driver.lanes import facts_of, happened, has_failed, is_proved, is_release
from goexchange.driver.pairs import is_lane_of_pair
from goexchange.errors import ExitCode
from goexchange.journal.replay import RunState
from goexchange.model.plan import Action, ExchangeCall, JobCall, Lane, Plan, Step
from goexchange.model.run import DatabaseResult, LaneState, OutcomeKind, RunResult
from goexchange.powershell.public_folders import in_own_words, is_of_public_folders

SEVERITY = (
    ExitCode.ROLLBACK_FAILED,
    ExitCode.LEFT_OFFLINE,
    ExitCode.UNKNOWN,
    ExitCode.INTERNAL,
    ExitCode.UNPROTECTED,
    ExitCode.STOPPED,
    ExitCode.PARTIAL,
    ExitCode.TERMINATED,
    ExitCode.INTERRUPTED,
)
VERDICTS = {
    ExitCode.OK: "done",
    ExitCode.PARTIAL: "partial",
    ExitCode.STOPPED: "stopped",
    ExitCode.LEFT_OFFLINE: "left-offline",
    ExitCode.UNKNOWN: "unknown",
    ExitCode.ROLLBACK_FAILED: "rollback-failed",
    ExitCode.UNPROTECTED: "unprotected",
    ExitCode.INTERNAL: "internal",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "terminated",
}
_STOPPED_BY = ("overrun", "abort", "stop", "budget")


def state_of(lane: Lane, state: RunState) -> tuple[LaneState, str]:
    """How the lane stands, and why; what is worst for those who use the database comes first."""
    facts = facts_of(lane, state)
    why = why_failed(lane, state)
    doubts = [step.id for step in lane.steps if state.step(step.id).is_in_doubt]
    if facts.is_away:
        is_down = "the MTA is stopped" if is_of_mta(lane) else "the database is dismounted"
        if is_of_server(lane):
            left = left_out(lane, state)
            return LaneState.LEFT_OFFLINE, f"{left}; {why}" if why else left
        return LaneState.LEFT_OFFLINE, why or is_down
    if doubts:
        return LaneState.UNDECIDED, f"not decided: {', '.join(doubts)}"
    if facts.is_put_back:
        return LaneState.FAILED, f"{PUT_BACK} after the rebuilt file was mounted"
    behind = not_redundant(lane, state)
    if facts.is_new_file_mounted and not is_proved(lane, state):
        why = why or "the new file has no proved backup"
        return LaneState.UNPROTECTED, f"{behind}; {why}" if behind else why
    found = errors_detected(lane, state)
    if found and not facts.has_failed:
        return LaneState.FAILED, found
    if behind and facts.has_failed:
        return LaneState.FAILED, f"{behind}; {why}" if why else behind
    if facts.has_failed:
        back = "; the copy of the set is in its place" if facts.is_set_back else ""
        return LaneState.FAILED, (why or "it failed") + back
    return LaneState.DONE, why


def errors_detected(lane: Lane, state: RunState) -> str:
    """What a lane that only looks has found wrong, in words: its steps went well, the database is
    not as it is wanted.
    """
    records = {step.id: state.step(step.id) for step in lane.steps}
    counts = {
        step.id: detected(step, records[step.id].outcome, records[step.id].result)
        for step in lane.steps
    }
    return found_text(lane, counts)


def why_failed(lane: Lane, state: RunState) -> str:
    """The reasons of the lane's failures, first ones first; empty when there are none."""
    turned = state.lane(lane.id).turned_back
    reasons = [turned] if turned else []
    for step in lane.steps:
        record = state.step(step.id)
        if has_failed(step, record) and record.result is not None and "why" in record.result:
            given_up = record.outcome is OutcomeKind.CANCELLED  # then the reason is not the step's
            why = record.result["why"]
            reasons.append(f"{why} ({step.id})" if given_up else f"{step.id}: {why}")
    return "; ".join(reasons)


def result_of(plan: Plan, state: RunState, *, also: Iterable[ExitCode] = ()) -> RunResult:
    """How the run stands now; `also` are codes of the process itself (a signal)."""
    databases = tuple(
        _database(plan, lane, state) for lane in plan.body.lanes if lane.database is not None
    )
    codes = set(also)
    for lane in plan.body.lanes:
        codes |= _codes(plan, lane, state)
    code = next((one for one in SEVERITY if one in codes), ExitCode.OK)
    return RunResult(exit_code=int(code), verdict=VERDICTS[code], databases=databases)


def failures(plan: Plan, state: RunState) -> int:
    """Lanes that ended without what they were for."""
    bad = (LaneState.FAILED, LaneState.LEFT_OFFLINE, LaneState.UNPROTECTED, LaneState.UNDECIDED)
    return sum(state.lane(lane.id).state in bad for lane in plan.body.lanes)


def _codes(plan: Plan, lane: Lane, state: RunState) -> set[ExitCode]:
    record = state.lane(lane.id)
    if record.state in (LaneState.WAITING, LaneState.SKIPPED):
        return _codes_of_skipped(record.why)
    codes: set[ExitCode] = set()
    facts = facts_of(lane, state)
    reached, why = state_of(lane, state)
    if is_release(lane) and facts.has_failed:
        codes.add(ExitCode.ROLLBACK_FAILED)
    if facts.is_away:
        codes.add(ExitCode.LEFT_OFFLINE)
        if _way_back_failed(lane, state):
            codes.add(ExitCode.ROLLBACK_FAILED)
    if facts.is_copy_behind:  # a lane that goes on is stopped here; one that gave up did not get it
        codes.add(ExitCode.ROLLBACK_FAILED if facts.has_failed else ExitCode.STOPPED)
    if any(state.step(step.id).is_in_doubt for step in lane.steps):
        codes.add(ExitCode.UNKNOWN)
    if reached is LaneState.UNPROTECTED:
        codes.add(ExitCode.UNPROTECTED)
    if reached is LaneState.FAILED:
        is_stopped = (
            why.split(":")[0] in _STOPPED_BY or failures(plan, state) > plan.body.rules.failures_max
        )
        codes.add(ExitCode.STOPPED if is_stopped else ExitCode.PARTIAL)
    return codes


def _codes_of_skipped(why: str) -> set[ExitCode]:
    if not why:
        return set()
    return {ExitCode.STOPPED if why.split(":")[0] in _STOPPED_BY else ExitCode.PARTIAL}


def _database(plan: Plan, lane: Lane, state: RunState) -> DatabaseResult:
    record = state.lane(lane.id)
    is_untouched = record.state in (LaneState.WAITING, LaneState.SKIPPED)
    reached, why = (record.state, record.why) if is_untouched else state_of(lane, state)
    return DatabaseResult(
        lane=lane.id,
        server=lane.server,
        database=lane.database or "",
        state=reached,
        why=why,
        commands=commands_for(lane, state),
    )


def commands_for(lane: Lane, state: RunState) -> tuple[str, ...]:
    """What a person types to bring the lane's database to where it should be; empty when nothing is
    left to do.
    """
    found = _commands_for(lane, state)
    return tuple(map(in_own_words, found)) if is_of_public_folders(lane) else found


def _commands_for(lane: Lane, state: RunState) -> tuple[str, ...]:
    facts = facts_of(lane, state)
    if is_of_mta(lane):
        return mta_commands(lane, state, is_away=facts.is_away)
    if is_of_server(lane):
        return (*server_commands(lane, state), *copy_commands(lane, state))
    reached, _ = state_of(lane, state)
    name = quoted(lane.database or "")
    has_cmdlets = not is_lane_of_pair(lane)
    commands: list[str] = []
    if reached is LaneState.UNDECIDED or (
        facts.is_away and any(state.step(one.id).is_in_doubt for one in lane.steps)
    ):
        commands.append(f"goexchange resume {state.run}")
        if has_cmdlets:
            shown = f"Get-MailboxDatabase -Identity {name} -Status | Format-List Name,Mounted"
            commands.append(shown)
        commands += _answers(lane, state)
    if facts.is_away:
        is_mount_in_doubt = any(
            step.action is Action.MOUNT and state.step(step.id).is_in_doubt for step in lane.steps
        )
        if facts.is_swapped and not facts.is_new_file_mounted and not is_mount_in_doubt:
            commands += by_hand_after_swap(lane, state)
        by_hand = f"Exchange System Manager: Mount Store {name}"
        commands.append(f"Mount-Database -Identity {name}" if has_cmdlets else by_hand)
    for step in lane.steps:
        is_open = step.action is Action.RESTORE_MOUNT_AT_STARTUP and not happened(
            state.step(step.id)
        )
        if (
            is_open
            and facts.is_setting_changed
            and (facts.is_away or has_failed(step, state.step(step.id)))
        ):
            switch = f"Set-MailboxDatabase -Identity {name} -MountAtStartup {_was(step)}"
            by_hand = f"Exchange System Manager: let {name} be mounted at start-up"
            commands.append(switch if has_cmdlets else by_hand)
    commands += copy_commands(lane, state)
    if reached is LaneState.UNPROTECTED:
        commands.append(_backup_command(lane))
    return tuple(commands)


def _answers(lane: Lane, state: RunState) -> list[str]:
    """How a person answers for a step that was asked about, once somebody has seen what is so."""
    asked = {str(one["step"]) for one in state.questions}
    return [
        f"goexchange resume {state.run} --assume {answer} {step.id}"
        for step in lane.steps
        if step.id in asked and state.step(step.id).is_in_doubt
        for answer in ("done", "not-done")
    ]


def _was(restore: Step) -> str:
    """The setting as it was before the run, as PowerShell writes it."""
    assert isinstance(restore.call, ExchangeCall)
    return "$true" if restore.call.parameters["MountAtStartup"] is True else "$false"


def _backup_command(lane: Lane) -> str:
    for step in lane.steps:
        if step.action is Action.ONLINE_BACKUP and isinstance(step.call, JobCall):
            request = step.call.request
            if step.call.kind == "diskshadow":
                where, volumes = request["target"], " and ".join(request["volumes"])
                return (
                    f"start a full online backup of {volumes} (the plan's went by diskshadow to"
                    f" {where}); copy and verify before `end backup`"
                )
            if step.call.kind == "ntbackup":
                return (
                    f"start a full online backup with ntbackup: {' '.join(request['selection'])}"
                    f" (the plan's went to {request['target']})"
                )
            if "volumes" not in request:
                on = "" if step.server == lane.server else f"on {step.server}, "
                return f"{on}start a full online backup with {' '.join(request.get('start', ()))}"
            target, volumes = request["target"], ",".join(request["volumes"])
            return f"wbadmin start backup -backupTarget:{target} -include:{volumes} -vssFull -quiet"
    return "start a full online backup of the database's volumes"


def _way_back_failed(lane: Lane, state: RunState) -> bool:
    facts = facts_of(lane, state)
    ways_back = (
        Action.SWAP_BACK,
        Action.SET_ASIDE,
        Action.COPY_BACK,
        Action.HASH_BACK,
        Action.MOVE_LOGS_ASIDE,
        Action.PUT_AWAY,
        Action.RETURN_PRESENT,
        Action.RETURN_LOGS,
        Action.MOUNT_ORIGINAL,
        Action.START_MTA,
        Action.CONFIRM_MTA,
        *(each for each in PUTS_BACK if each is not Action.RESTORE_SERVICES),
    )
    return any(
        has_failed(step, state.step(step.id))
        for step in lane.steps
        if step.action in ways_back
        and not (step.action is Action.SWAP_BACK and facts.is_original_lost)
    )


def is_still_to_do(step: Step, state: RunState) -> bool:
    """Whether a step of an ended lane was never sent."""
    record = state.step(step.id)
    return record.attempts == 0 and record.skipped_because is None
