"""Whom the jobs of a lane run as: those that touch a share with an account of its own, and no
others.

Whoever writes to a share is tried before anything is taken down. An account of its own has to log
on, write to the share, read the database's file, and put one back; the computer account of the
server, which reads its own files anyway, has to write. A wrong password or a missing right is found
while mail still flows.
"""

from __future__ import annotations

from collections.abc import Iterator
from ntpath import dirname

from attrs import evolve

from goexchange.model.accounts import account_at, is_managed, share_at
from goexchange.model.actual import ActualHost, Generation
from goexchange.model.configuration import Inventory
from goexchange.model.desired import BackupTarget, DesiredState, OfflineBackup
from goexchange.model.plan import (
    Action,
    ControllerCall,
    JobCall,
    Lane,
    OnDoubt,
    Reason,
    ScriptCall,
    Step,
)
from goexchange.plan import words
from goexchange.plan.builder import LaneBuilder
from goexchange.plan.calls import equals, host_job
from goexchange.plan.context import LaneContext
from goexchange.plan.finding import Needed, not_possible
from goexchange.plan.paths import is_share

_OF_SET = frozenset(
    (
        Action.EXPORT_CONFIGURATION,
        Action.COPY_SET,
        Action.VERIFY_SET_ON_HOST,
        Action.HASH_SET,
        Action.SEAL_SET,
        Action.VERIFY_SET,
        Action.COPY_EVIDENCE,
        Action.CHECK_EVIDENCE,
        Action.HASH_EVIDENCE,
        Action.SEAL_EVIDENCE,
        Action.COPY_BACK,
    )
)
_OF_REBUILT_SET = frozenset(
    (
        Action.COPY_REBUILT,
        Action.VERIFY_REBUILT_ON_HOST,
        Action.HASH_REBUILT,
        Action.SEAL_REBUILT,
        Action.VERIFY_REBUILT,
    )
)
_WITHOUT_TASKS = (Generation.EXCHANGE_2003,)
_WITHOUT_MANAGED = (Generation.EXCHANGE_2003, Generation.EXCHANGE_2007)
SEAL_LIMIT_S = 600


def refuse_account(
    spec: DesiredState, generation: Generation, host: ActualHost, *, inventory: Inventory
) -> Needed | None:
    """An account that no task on such a host can run as."""
    for target in _targets(spec):
        share = share_at(target.path, inventory)
        account = None if share is None else share.account
        known = None if share is None else share.credential
        if target.credential is not None and target.credential != known:
            return not_possible(
                Reason.BLOCKED_BY_GUARD,
                f"the specification names {target.credential} for {target.path}, and the inventory"
                f" {'nothing' if known is None else known}",
                origin=target.place,
                instead="say `account` and `credential` of the share in the inventory (`shares`)",
            )
        why = None if account is None else _why_not(account, generation, host)
        if why is not None:
            return not_possible(
                Reason.BLOCKED_BY_GUARD,
                f"{target.path} is written as {account}, and {why}",
                origin=target.place,
                instead="use another target, or leave out `account` of the share and give the"
                " computer account of the server its rights there",
            )
    return None


def add_trials(lane: LaneBuilder, context: LaneContext) -> None:
    """Each account that the lane will need, tried on what it will need it for; None is that of the
    computer.
    """
    spec, treatment = context.spec, context.treatment
    if not _keeps_a_set(context):
        return
    sides: list[tuple[OfflineBackup | None, str | None]] = [
        (spec.backup_before.offline, context.paths.original)
    ]
    if context.paths.rebuilt_set_folder is not None:
        sides.append((spec.backup_after.offline, None))
    tried: dict[str | None, list[str]] = {}
    reads: dict[str | None, list[str]] = {}
    for offline, source in sides:
        if offline is None or not is_share(offline.target.path):
            continue
        account = account_at(offline.target.path, context.inventory)
        lacks = None if account is None else source  # a computer has rights to its own files
        back = [dirname(lacks)] if lacks is not None and treatment.rebuilds else []
        tried.setdefault(account, []).extend([offline.target.path, *back])
        reads.setdefault(account, []).extend([] if lacks is None else [lacks])
    for account in sorted(tried, key=lambda each: each or ""):
        who = f"the computer account of {context.server.name}" if account is None else account
        _add_trial(
            lane, (account, who), tuple(dict.fromkeys(tried[account])), tuple(reads[account])
        )


def account_lines(context: LaneContext) -> Iterator[str]:
    """Who writes where, for the plan's chapter of backups."""
    folders = (context.paths.set_folder, context.paths.rebuilt_set_folder)
    found = {folder: account_at(folder, context.inventory) for folder in folders}
    used = [account for account in found.values() if account is not None]
    for account in dict.fromkeys(used) if _keeps_a_set(context) else ():
        kept = (
            "Windows knows its password"
            if is_managed(account)
            else "its password is read when a job starts, and stored by that job's task alone"
        )
        yield f"jobs that touch the share run as {account} ({kept}); it is tried while mounted"


def _keeps_a_set(context: LaneContext) -> bool:
    treatment = context.treatment
    return treatment.copies or treatment.rebuilds or treatment.repairs


def under_accounts(lane: Lane, context: LaneContext) -> Lane:
    """The lane, with all that touches a share as jobs, run as the account that the share has."""
    steps = tuple(_under_account(step, context) for step in lane.steps)
    return evolve(lane, steps=steps)


def _under_account(step: Step, context: LaneContext) -> Step:
    folder = None
    if step.action in _OF_SET:
        folder = context.paths.set_folder
    elif step.action in _OF_REBUILT_SET:
        folder = context.paths.rebuilt_set_folder
    if folder is None or not is_share(folder) or isinstance(step.call, ControllerCall):
        return step
    account = account_at(folder, context.inventory)
    summary = step.summary if account is None else f"{step.summary}, as {account}"
    if isinstance(step.call, ScriptCall):
        # a session carries no rights to a third machine: the manifest is a job's to write, too
        request = {name: step.call.arguments[name] for name in ("folder", "manifest")}
        return evolve(
            step,
            summary=summary,
            call=host_job("seal-set", request, account=account),
            on_doubt=OnDoubt.ATTACH,
            time_limit_s=SEAL_LIMIT_S,
        )
    assert isinstance(step.call, JobCall)
    return evolve(step, summary=summary, call=evolve(step.call, account=account))


def _add_trial(
    lane: LaneBuilder,
    who: tuple[str | None, str],
    folders: tuple[str, ...],
    files: tuple[str, ...],
) -> None:
    """`who` is the account, None for that of the computer, and what it is called."""
    account, name = who
    reads = f", reads {words.listed(files)}" if files else ""
    lane.add(
        Action.TRY_TARGET,
        host_job("try-folders", {"folders": list(folders), "files": list(files)}, account=account),
        summary=f"trial as {name}, while mounted: writes to {words.listed(folders)}{reads}",
        postcondition=equals("ok", True),
        estimate_s=5,
    )


def _targets(spec: DesiredState) -> list[BackupTarget]:
    sides = (spec.backup_before.offline, spec.backup_after.offline)
    return [side.target for side in sides if side is not None]


def _why_not(account: str, generation: Generation, host: ActualHost) -> str | None:
    if generation in _WITHOUT_TASKS:
        return "the tasks of its Windows run as SYSTEM only"
    is_old = generation in _WITHOUT_MANAGED or host.powershell_version.startswith("2.")
    if is_managed(account) and is_old:
        return "managed accounts of a group need Windows Server 2012 or later"
    return None
