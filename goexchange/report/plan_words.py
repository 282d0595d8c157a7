"""What a plan says, in words: verdict, rows of its table, symbols; for every way of showing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from attrs import frozen

from goexchange.model.plan import (
    Action,
    Decision,
    ExchangeCall,
    Lane,
    LanePhase,
    Need,
    Plan,
    PlanBody,
    Reason,
    RunsWhen,
    Step,
    Verdict,
    VerdictKind,
)
from goexchange.model.same import Same
from goexchange.model.server import SERVER_NAME
from goexchange.report.shown import shown
from goexchange.report.units import (
    count_text,
    day_text,
    duration_text,
    minute_text,
    seconds_between,
    share_text,
    size_text,
    zone_of,
)

NO_CHANGE, NOT_POSSIBLE, ATTENTION, POINT_OF_NO_RETURN, CONDITIONAL = "=", "x", "!", "^", "?"

_DONE_WORDS = {
    Need.REBUILD: "rebuilt",
    Need.REPAIR: "repaired, with possible loss",
    Need.CORRECT: "checked and corrected",
    Need.VERIFY: "verified",
    Need.MEASURE: "measured",
    Need.OFFLINE_BACKUP: "copied to a verified set",
    Need.ONLINE_BACKUP: "backed up",
    Need.MOUNT: "mounted",
    Need.RESTORE: "restored from a set",
    Need.ROLL_BACK: "rolled back",
    Need.PILOT: "piloted",
    Need.MAINTAIN: "taken down for maintenance",
}
_NEED_SYMBOLS = {
    Need.REBUILD: "~",
    Need.REPAIR: "~",
    Need.CORRECT: "~",
    Need.VERIFY: ">",
    Need.MEASURE: ">",
    Need.OFFLINE_BACKUP: "+",
    Need.ONLINE_BACKUP: "+",
    Need.MOUNT: "~",
    Need.RESTORE: "+",
    Need.ROLL_BACK: "~",
    Need.PILOT: "+",
    Need.MAINTAIN: "~",
    Need.NOTHING: NO_CHANGE,
    Need.NOT_POSSIBLE: NOT_POSSIBLE,
}
_CHANGES = {
    Action.SET_MOUNT_AT_STARTUP,
    Action.DISMOUNT,
    Action.SUSPEND_COPY,
    Action.RESUME_COPY,
    Action.SEED_COPY,
    Action.SUSPEND_ACTIVATION,
    Action.REPAIR,
    Action.SWAP,
    Action.MOUNT,
    Action.SWAP_BACK,
    Action.SET_ASIDE,
    Action.TAKE_ASIDE,
    Action.RETURN_FILE,
    Action.TAKE_LOGS_ASIDE,
    Action.PUT_AWAY,
    Action.RETURN_PRESENT,
    Action.RETURN_LOGS,
    Action.MOUNT_RECOVERY,
    Action.MOUNT_SCRATCH,
    Action.DISMOUNT_SCRATCH,
    Action.SUSPEND_BACKUPS,
    Action.RESUME_BACKUPS,
    Action.COPY_BACK,
    Action.MOVE_LOGS_ASIDE,
    Action.MOUNT_ORIGINAL,
    Action.RESTORE_MOUNT_AT_STARTUP,
    Action.WRITE_DATABASE_RECORD,
    Action.STOP_MTA,
    Action.CHECK_MTA,
    Action.START_MTA,
    Action.STORE_INTEGRITY,
    Action.SET_COMPONENT,
    Action.BLOCK_ACTIVATION,
    Action.PAUSE_NODE,
    Action.REDIRECT_MESSAGES,
    Action.MOVE_ACTIVE,
    Action.TAKE_SERVER_DOWN,
    Action.RESTORE_COMPONENT,
    Action.RESUME_NODE,
    Action.RESTORE_ACTIVATION,
    Action.RETURN_ACTIVE,
}
_CREATIONS = {
    Action.OPEN_RECOVERY_RECORD,
    Action.PLACE_SENTINEL,
    Action.EXPORT_CONFIGURATION,
    Action.COPY_SET,
    Action.COPY_REBUILT,
    Action.SEAL_REBUILT,
    Action.COPY_EVIDENCE,
    Action.SEAL_EVIDENCE,
    Action.COPY_FOR_REPAIR,
    Action.COPY_FROM_SET,
    Action.NEW_RECOVERY_DATABASE,
    Action.MAKE_SCRATCH_FOLDER,
    Action.NEW_SCRATCH_GROUP,
    Action.NEW_SCRATCH_DATABASE,
    Action.SEAL_SET,
    Action.ONLINE_BACKUP,
    Action.ONLINE_BACKUP_BEFORE,
    Action.COPY_MTA,
}
_REMOVALS = {
    Action.DELETE_TEMPORARY,
    Action.DELETE_WORKING_COPY,
    Action.REMOVE_SENTINEL,
    Action.CLOSE_RECOVERY_RECORD,
    Action.REMOVE_LEFTOVER,
    Action.REMOVE_SCRATCH_DATABASE,
    Action.REMOVE_SCRATCH_GROUP,
    Action.REMOVE_SCRATCH_FOLDER,
}
_WAYS_BACK = {
    RunsWhen.AWAY_BEFORE_SWAP,
    RunsWhen.AWAY_AFTER_SWAP,
    RunsWhen.ORIGINAL_LOST,
    RunsWhen.MOUNT_TRIED,
}
_WELL_REASONS = {
    Reason.MEETS_SPECIFICATION,
    Reason.WHITE_SPACE_WITHIN_MAXIMUM,
    Reason.PART_OF_SCRIPT,
}

BLOCKING = (VerdictKind.BLOCK, VerdictKind.UNKNOWN)
WAY_BACK_HEADINGS = {
    RunsWhen.AWAY_BEFORE_SWAP: "Way back if it fails before the swap",
    RunsWhen.AWAY_AFTER_SWAP: "Way back if it fails between swap and first mount",
    RunsWhen.ORIGINAL_LOST: "- and the original is missing or is not the recorded file",
    RunsWhen.MOUNT_TRIED: "- and a mount was tried",
}


@frozen(kw_only=True)
class PlanRow:
    """One row of the plan's table; `text` stands instead of the figures where there are none."""

    symbol: str
    need: Need
    database: str
    server: str
    size: str
    white_space: str
    file_since: str
    needs: str
    down: str
    text: str | None = None
    origin: str | None = None


def verdict_text(body: PlanBody) -> str:
    """The one sentence that the plan comes to; what blocks it comes first."""
    total = len(body.decisions)
    is_of_servers = total > 0 and all(each.database == SERVER_NAME for each in body.decisions)
    noun = "server" if is_of_servers else "database"
    by_need = Counter(decision.need for decision in body.decisions)
    parts: list[str] = []
    for need, word in _DONE_WORDS.items():
        if by_need[need]:
            share = f"{by_need[need]} of {count_text(total, noun)} will be {word}"
            parts.append(f"{by_need[need]} {word}" if parts else share)
    if parts:
        parts.extend(_outage_parts(body.decisions))
    if by_need[Need.NOTHING]:
        all_well = by_need[Need.NOTHING] == total
        parts.append(
            f"nothing to do: {count_text(total, noun)}, all as specified"
            if all_well
            else count_text(by_need[Need.NOTHING], "needs nothing", "need nothing")
        )
    if by_need[Need.NOT_POSSIBLE]:
        parts.append(count_text(by_need[Need.NOT_POSSIBLE], "is not possible", "are not possible"))
    blocking = blocking_verdicts(body)
    if blocking:
        now = "not now" if all(verdict.is_time_only for verdict in blocking) else "BLOCKED"
        guards = ", ".join(dict.fromkeys(shown(verdict.guard) for verdict in blocking))
        parts.insert(0, f"{now}: {guards}")
    return " · ".join(parts) if parts else "no databases in scope"


def estimate_text(body: PlanBody) -> str:
    """The longest outage with what it rests on, and the latest swap that still fits."""
    worst = max(body.decisions, key=lambda one: one.outage_p90_s or one.outage_s or 0, default=None)
    parts: list[str] = []
    if worst is not None and worst.outage_s is not None:
        p90 = "" if worst.outage_p90_s is None else f", p90 {duration_text(worst.outage_p90_s)}"
        parts.append(f"outage p50 {duration_text(worst.outage_s)}{p90} ({shown(worst.database)})")
    if body.window is not None and body.window.latest_swap_utc is not None:
        zone = zone_of(body.window.zone)
        parts.append(f"latest swap {body.window.latest_swap_utc.astimezone(zone):%H:%M}")
    parts.append(shown(body.estimate.text))
    return " · ".join(parts)


def estimate_rows(body: PlanBody) -> list[tuple[str, ...]]:
    """What each estimate rests on: database, work, size, p50, p90, source."""
    return [
        (
            shown(one.address),
            one.work.value.replace("-", " "),
            size_text(one.size_bytes) if one.size_bytes else "",
            duration_text(one.p50_s),
            duration_text(one.p90_s),
            shown(one.source),
        )
        for one in body.estimate.parts
    ]


def window_text(body: PlanBody) -> str:
    """The window in its own zone and in UTC."""
    window = body.window
    if window is None:
        return "none: starts when it is applied"
    zone, utc = zone_of(window.zone), zone_of(None)
    opens, closes = window.opens_at_utc, window.closes_at_utc
    return (
        f"{shown(window.name)}  {minute_text(opens, zone)} - {minute_text(closes, zone)}"
        f" {shown(window.zone)} ({opens.astimezone(utc):%H:%M}-{closes.astimezone(utc):%H:%M} UTC,"
        f" {duration_text(seconds_between(opens, closes))})"
    )


def stops_text(body: PlanBody) -> str:
    """After how many failures no further database is begun."""
    count = body.rules.failures_max + 1
    return f"after {'the first failure' if count == 1 else count_text(count, 'failure')}"


def order_text(body: PlanBody) -> str:
    """In which order several servers are taken; empty when there is one."""
    servers = {lane.server for lane in body.lanes}
    if len(servers) < 2:
        return ""
    waves = [", ".join(map(shown, wave)) for wave in body.order.waves]
    at_once = body.order.servers_at_once
    parts = [" then ".join(waves) or ", ".join(sorted(map(shown, servers)))]
    parts.append("one server at a time" if at_once == 1 else f"{at_once} servers at once")
    parts += [f"of {', '.join(group)} one at a time" for group in body.order.one_at_a_time]
    return " · ".join(parts)


def totals_text(body: PlanBody) -> str:
    """`1 to rebuild, 3 unchanged, 1 not possible. 18 steps.`"""
    by_need = Counter(decision.need for decision in body.decisions)
    words = {
        Need.REBUILD: "to rebuild",
        Need.REPAIR: "to repair",
        Need.CORRECT: "to correct",
        Need.VERIFY: "to verify",
        Need.MEASURE: "to measure",
        Need.OFFLINE_BACKUP: "to copy",
        Need.ONLINE_BACKUP: "to back up",
        Need.MOUNT: "to mount",
        Need.RESTORE: "to restore",
        Need.ROLL_BACK: "to roll back",
        Need.PILOT: "for a pilot",
        Need.MAINTAIN: "to maintain",
        Need.NOTHING: "unchanged",
        Need.NOT_POSSIBLE: "not possible",
    }
    parts = [f"{by_need[need]} {word}" for need, word in words.items() if by_need[need]]
    steps = sum(len(lane.steps) for lane in body.lanes)
    return f"{', '.join(parts) or 'nothing in scope'}. {count_text(steps, 'step')}."


def widget_counts(body: PlanBody) -> dict[str, int]:
    """What GitLab's merge request widget shows: backups are created, databases updated."""
    by_need = Counter(decision.need for decision in body.decisions)
    created = by_need[Need.ONLINE_BACKUP] + by_need[Need.OFFLINE_BACKUP]
    same = by_need[Need.NOTHING] + by_need[Need.NOT_POSSIBLE]
    return {"create": created, "update": by_need.total() - created - same, "delete": 0}


def premises_text(body: PlanBody) -> str:
    """How many premises apply will compare again."""
    found = (
        *body.premises,
        *(one for lane in body.lanes for step in lane.steps for one in step.premises),
    )
    by_class = Counter(premise.fact_class.value for premise in found)
    detail = ", ".join(f"{count} {name}" for name, count in sorted(by_class.items()))
    return f"{count_text(len(found), 'premise')} compared again by apply" + (
        f" ({detail})" if detail else ""
    )


def plan_rows(body: PlanBody) -> tuple[PlanRow, ...]:
    """The whole table: what changes first; databases that meet the specification share a row."""
    order = list(_NEED_SYMBOLS)
    acted = [one for one in body.decisions if one.need is not Need.NOTHING]
    rows = [_row(one) for one in sorted(acted, key=lambda one: order.index(one.need))]
    well = [one for one in body.decisions if one.need is Need.NOTHING and _is_well(one)]
    other = [one for one in body.decisions if one.need is Need.NOTHING and not _is_well(one)]
    at = next((i for i, row in enumerate(rows) if row.need is Need.NOT_POSSIBLE), len(rows))
    middle = [_row(one) for one in other] + ([_shared_row(well)] if well else [])
    return (*rows[:at], *middle, *rows[at:])


def blocking_verdicts(body: PlanBody) -> tuple[Verdict, ...]:
    """The guards that say no, or that could not tell."""
    return tuple(one for one in body.guards if one.kind in BLOCKING)


def lane_title(lane: Lane) -> str:
    """`EX01 / DB05`, or `EX01` for a lane of a server; what runs once says so."""
    name = shown(lane.server)
    if lane.phase is not LanePhase.SERVER:
        return f"Once for the run, on {name}"
    return name if lane.database is None else f"{name} / {shown(lane.database)}"


def lane_guards(body: PlanBody, lane: Lane) -> tuple[Verdict, ...]:
    """The verdicts that belong to a lane: by the step they are due at, or by the lane's address."""
    by_step, by_address = _placed(Same(body))
    address = lane.server if lane.database is None else f"{lane.server}/{lane.database}"
    places = (
        *by_address.get(address, ()),
        *(at for step in lane.steps for at in by_step.get(step.id, ())),
    )
    return tuple(body.guards[at] for at in sorted(places))


def other_guards(body: PlanBody) -> tuple[Verdict, ...]:
    """The verdicts that belong to no lane."""
    in_lanes = {id(one) for lane in body.lanes for one in lane_guards(body, lane)}
    return tuple(one for one in body.guards if id(one) not in in_lanes)


@lru_cache(maxsize=4)
def _placed(same: Same[PlanBody]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Where in the list the verdicts of each step are, and those of each address."""
    by_step: dict[str, list[int]] = {}
    by_address: dict[str, list[int]] = {}
    for at, one in enumerate(same.value.guards):
        found = by_step if one.due_at_step else by_address
        found.setdefault(one.due_at_step or one.address, []).append(at)
    return by_step, by_address


def is_way_back(step: Step) -> bool:
    """Whether the step runs only on the way back."""
    return step.runs_when in _WAYS_BACK


def way_back_groups(lane: Lane) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    """The ways back of a lane, each with its heading."""
    groups = (
        (heading, tuple(step for step in lane.steps if step.runs_when is when))
        for when, heading in WAY_BACK_HEADINGS.items()
    )
    return tuple(group for group in groups if group[1])


def way_back_text(body: PlanBody) -> str:
    """What brings a database back when its lane fails; empty when no lane has a way back."""
    if any(step.action is Action.SWAP for lane in body.lanes for step in lane.steps):
        return "the original is put back in seconds until the first mount, by a person after it"
    if any(way_back_groups(lane) for lane in body.lanes):
        return (
            "what was changed is put back by the steps that are marked so below; nothing is swapped"
        )
    return ""


def action_words(action: Action) -> str:
    """`set mount at startup`."""
    return action.value.replace("-", " ")


def step_symbol(step: Step) -> str:
    """The symbol of a step: what it does to the host."""
    if is_way_back(step):
        return CONDITIONAL
    if step.action in _CHANGES:
        return "~"
    if step.action in _CREATIONS:
        return "+"
    return "-" if step.action in _REMOVALS else ">"


def step_detail(step: Step) -> str:
    """The step's summary without the words that its action already says."""
    summary = without_action(shown(step.summary), action_words(step.action))
    if step.repeat is not None and step.repeat.times_max > 1:
        summary = f"{summary} · at most {step.repeat.times_max} times"
    if step.may_fail:
        summary = f"{summary} · may fail"
    return summary


def short_why(lane: str, why: str | None) -> str:
    """A reason without the lane's own name before each of its steps."""
    return (why or "").replace(f"{lane}/", "step ") if lane else why or ""


def without_action(summary: str, action: str) -> str:
    """The summary without the words of its action, or the last of them, at its start."""
    words = action.split()
    for first in range(len(words)):
        start = " ".join(words[first:])
        rest = summary[len(start) :].lstrip(" :,-")
        if rest and summary.lower().startswith(f"{start}:"):
            return rest
    return summary


def step_time(step: Step) -> str:
    """The estimate, or the limit where there is no estimate."""
    if step.estimate_s is not None:
        return duration_text(step.estimate_s)
    return f"<= {duration_text(step.time_limit_s)}"


def call_text(step: Step) -> str:
    """What is sent, in short: the cmdlet or the packaged script or job."""
    call = step.call
    if isinstance(call, ExchangeCall):
        given = " ".join(f"-{name} {_parameter(value)}" for name, value in call.parameters.items())
        return shown(f"{call.cmdlet} {given}".rstrip())
    name = getattr(call, "script", None) or getattr(call, "kind", None) or getattr(call, "work", "")
    return shown(f"{name} ({type(call).__name__.removesuffix('Call').lower()})")


def guard_text(verdict: Verdict) -> str:
    """What a guard rests on: its rule while due, else its evidence, and what would change it."""
    if verdict.kind is VerdictKind.DUE:
        return shown(verdict.rule)
    evidence = shown(verdict.evidence)
    if verdict.kind is VerdictKind.PASS or not verdict.remedy:
        return evidence
    return f"{evidence} · rule: {shown(verdict.rule)} · to change it: {shown(verdict.remedy)}"


def guard_symbol(kind: VerdictKind) -> str:
    """The symbol of a verdict."""
    symbols = {VerdictKind.PASS: "", VerdictKind.BLOCK: "x", VerdictKind.UNKNOWN: "!"}
    return symbols.get(kind, CONDITIONAL)


def inputs_text(plan: Plan) -> str:
    """The specifications the plan was made from, with the commit."""
    paths = [one.path for one in plan.body.inputs if one.kind.lower() == "specification"]
    names = ", ".join(map(shown, paths or plan.body.specifications))
    return f"{names} @ {shown(plan.body.commit)[:12]}" if plan.body.commit else names


def _parameter(value: object) -> str:
    if isinstance(value, bool):
        return f"${str(value).lower()}"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _outage_parts(decisions: Iterable[Decision]) -> list[str]:
    down = [(one.outage_p90_s or one.outage_s or 0, shown(one.database)) for one in decisions]
    down = sorted((one for one in down if one[0]), reverse=True)
    if not down:
        return []
    longest = f"down {duration_text(down[0][0])} ({down[0][1]})"
    return [longest if len(down) == 1 else f"{longest}, the longest of {len(down)} outages"]


def _is_well(decision: Decision) -> bool:
    return all(reason in _WELL_REASONS for reason in decision.reasons)


def _row(decision: Decision) -> PlanRow:
    share = share_text(decision.white_space_bytes, decision.size_bytes)
    white_space = (
        "-" if decision.white_space_bytes is None else size_text(decision.white_space_bytes)
    )
    down = decision.outage_p90_s or decision.outage_s
    explanation = shown(decision.explanation)
    instead = f"; {shown(decision.instead)}" if decision.instead else ""
    is_refused = decision.need is Need.NOT_POSSIBLE
    word = decision.need.value.replace("-", " ")
    return PlanRow(
        symbol=_NEED_SYMBOLS[decision.need],
        need=decision.need,
        database=shown(decision.database),
        server=shown(decision.server),
        size="-" if decision.size_bytes is None else size_text(decision.size_bytes),
        white_space=f"{white_space} {share}".strip(),
        file_since=day_text(decision.file_since_utc),
        needs=f"{word}: {explanation}{instead}" if explanation else word,
        down=duration_text(down) if down else "-",
        text=f"{explanation}{instead}" if is_refused else None,
        origin=shown(decision.origin) if is_refused and decision.origin else None,
    )


def _shared_row(decisions: list[Decision]) -> PlanRow:
    names = " ".join(shown(one.database) for one in decisions)
    meets = count_text(len(decisions), "database meets", "databases meet")
    return PlanRow(
        symbol=NO_CHANGE,
        need=Need.NOTHING,
        database=names,
        server=" ".join(dict.fromkeys(shown(one.server) for one in decisions)),
        size="",
        white_space="",
        file_since="",
        needs="",
        down="",
        text=f"{meets} the specification",
    )
