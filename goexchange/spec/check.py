"""What schemas cannot say of a specification: names that exist, parts that need each other."""

from __future__ import annotations

from attrs import frozen

from goexchange.documents import Document
from goexchange.errors import Diagnostic, Place, Severity
from goexchange.model.accounts import share_at
from goexchange.model.configuration import Inventory
from goexchange.model.desired import (
    BackupActions,
    CustomProcess,
    DesiredState,
    DownProcess,
    NotificationEvent,
    Schedule,
    Script,
)
from goexchange.reading import Findings
from goexchange.schema import suggestion
from goexchange.spec.check_server import check_server_maintenance
from goexchange.spec.scripts import WHOLE_SCRIPTS, Condition, is_served, own_conditions
from goexchange.spec.selection import servers_of

REBUILDS = frozenset((Script.PREVENTATIVE_MAINTENANCE, Script.OFFLINE_DEFRAG))
_NEEDS_NO_CONDITION = (
    Script.PREVENTATIVE_MAINTENANCE,  # also the starting point of an empty specification
)
_WITH_EFFECT = {
    Condition.WHITE_SPACE: "script: {name: offline-defrag}",
    Condition.VERIFIED: "script: {name: online-error-diagnostic}",
    Condition.MEASURED: "script: {name: offline-space-diagnostic, verify: offline}",
    Condition.OFFLINE_BACKUP: "script: {name: exchange-backup}",
    Condition.MAINTAINED: "script: {name: server-maintenance}",
}
NEVER_STOPPED = frozenset(
    (
        "clussvc",
        "dnscache",
        "eventlog",
        "iisadmin",
        "kdc",
        "lanmanserver",
        "lanmanworkstation",
        "msexchangeadtopology",
        "msexchangehm",
        "msexchangeis",
        "msexchangerepl",
        "msexchangerpc",
        "msexchangeservicehost",
        "netlogon",
        "rpcss",
        "schedule",
        "vss",
        "w3svc",
        "winmgmt",
        "winrm",
    )
)
CHANGES_FILES = REBUILDS | {Script.STORE_ERROR_CORRECTION}


def check_specification(desired: DesiredState, findings: Findings) -> None:
    """Report what is wrong in a specification by itself."""
    _check_processes(desired, findings)
    _check_services(desired, findings)
    _check_backups(desired, findings)
    _check_conditions(desired, findings)
    _check_notifications(desired, findings)
    _check_schedule(desired.schedule, findings)
    check_server_maintenance(desired, findings)


def check_against_inventory(
    desired: DesiredState, inventory: Inventory, document: Document
) -> tuple[Diagnostic, ...]:
    """Return which names of a specification the inventory does not know."""
    findings = Findings([document])
    for selector, place in zip(desired.targets.servers, desired.targets.server_places, strict=True):
        _check_selector(selector, place, inventory, findings)
    schedule, strategy = desired.schedule, desired.strategy
    if schedule.window is not None:
        windows = _Known(word="window", names=tuple(each.name for each in inventory.windows))
        _check_name(schedule.window, windows, findings, place=schedule.window_place)
    if strategy.canary is not None:
        servers = _Known(word="server", names=tuple(each.name for each in inventory.servers))
        _check_name(strategy.canary, servers, findings, place=strategy.canary_place)
        _check_canary_is_meant(desired, inventory, findings)
    for actions in (desired.backup_before, desired.backup_after):
        _check_credential(actions, inventory, findings)
        agent = actions.online.agent if actions.online is not None else None
        if agent is not None and agent.runs_on is not None:
            machines = _Known(word="machine", names=tuple(each.name for each in inventory.machines))
            _check_name(agent.runs_on, machines, findings, place=agent.place)
    return findings.all()


def _check_credential(actions: BackupActions, inventory: Inventory, findings: Findings) -> None:
    """A credential of a specification is held to the one that the inventory says of the share."""
    target = None if actions.offline is None else actions.offline.target
    if target is None or target.credential is None:
        return
    share = share_at(target.path, inventory)
    if share is not None and share.credential == target.credential:
        return
    detail = (
        f"The inventory does not say {target.credential} of {target.path}. Who writes there, and"
        " where the password is kept, is said of the share: shares: [{path: '"
        f"{target.path}', account: 'CONTOSO\\name', credential: '{target.credential}'}}]"
    )
    findings.add("share-credential", detail=detail, place=target.place)


@frozen(kw_only=True)
class _Known:
    """The names that the inventory knows, and the word for them."""

    word: str
    names: tuple[str, ...]


def _check_selector(selector: str, place: Place, inventory: Inventory, findings: Findings) -> None:
    kind, _, name = selector.rpartition(":")
    word, names = {
        "": ("server", tuple(each.name for each in inventory.servers)),
        "group": ("group", tuple(each.name for each in inventory.groups)),
        "site": ("site", tuple(each.name for each in inventory.sites)),
        "dag": ("availability group", tuple(each.name for each in inventory.availability_groups)),
    }[kind]
    known = _Known(word=word, names=names)
    is_known = _check_name(name, known, findings, place=place)
    if is_known and not servers_of(selector, inventory):
        detail = f"The {word} '{name}' has no servers, so nothing would be done for it."
        findings.add("empty-selection", detail=detail, place=place)


def _check_name(name: str, known: _Known, findings: Findings, *, place: Place) -> bool:
    if name in known.names:
        return True
    detail = f"The inventory knows no {known.word} '{name}'. "
    detail += suggestion(name, known.names) if known.names else f"It has no {known.word} at all."
    findings.add("unknown-name", detail=detail, place=place)
    return False


def _check_canary_is_meant(desired: DesiredState, inventory: Inventory, findings: Findings) -> None:
    canary = desired.strategy.canary
    meant = {s for selector in desired.targets.servers for s in servers_of(selector, inventory)}
    if meant and canary in {s.name for s in inventory.servers} and canary not in meant:
        detail = f"'{canary}' is not one of the targets. Possible: {', '.join(sorted(meant))}."
        findings.add(
            "canary",
            detail=detail,
            place=desired.strategy.canary_place,
        )


def _check_processes(desired: DesiredState, findings: Findings) -> None:
    before = {process.name: process for process in desired.processes_before}
    seen: dict[str, Place] = {}
    undone: dict[str, Place] = {}
    every: tuple[CustomProcess | DownProcess, ...] = (
        *desired.processes_before,
        *desired.processes_down,
        *desired.processes_after,
    )
    for process in every:
        if process.name in seen:
            detail = (
                f"'{process.name}' stands in line {seen[process.name].line} already. Rename one."
            )
            findings.add("repeated", detail=detail, place=process.place)
        seen.setdefault(process.name, process.place)
        _check_words(process, findings)
    for process in desired.processes_after:
        if process.undoes is None:
            continue
        if process.undoes not in before:
            detail = f"No process before is called '{process.undoes}'. "
            detail += suggestion(process.undoes, tuple(before)) if before else "There is none."
            findings.add("unknown-name", detail=detail, place=process.place)
        elif process.undoes in undone:
            detail = (
                f"'{process.undoes}' is put back by the process in line "
                f"{undone[process.undoes].line} already; once is enough."
            )
            findings.add("repeated", detail=detail, place=process.place)
        elif before[process.undoes].per is not process.per:
            detail = (
                f"It runs per {process.per.value}, and '{process.undoes}', which it puts back, per "
                f"{before[process.undoes].per.value}. Write the same for both."
            )
            findings.add("scope", detail=detail, place=process.place)
        undone.setdefault(process.undoes, process.place)


def _check_words(process: CustomProcess | DownProcess, findings: Findings) -> None:
    """A batch file's words go through cmd.exe, which nothing keeps from expanding these."""
    if not process.run[0].lower().endswith((".cmd", ".bat")):
        return
    unsafe = [word for word in process.run if '"' in word or "%" in word]
    if unsafe:
        detail = (
            f"'{process.name}' gives a batch file the word {unsafe[0]}: cmd.exe would read its"
            " quote or per cent sign as its own. Pass it another way, or call a program."
        )
        findings.add("unsafe-word", detail=detail, place=process.place)


def _check_services(desired: DesiredState, findings: Findings) -> None:
    """What Exchange, the way back or our own channel rests on is never stopped."""
    place = desired.services_place
    for name in desired.services_stopped:
        if place is not None and name.lower() in NEVER_STOPPED:
            detail = (
                f"{name} is needed to mount a database, or to speak with the host at all: stopping"
                " it would take other databases down, or leave this one down. Take it out."
            )
            findings.add("service-needed", detail=detail, place=place)


def _check_backups(desired: DesiredState, findings: Findings) -> None:
    script, place = desired.script.script, desired.script.place
    if script in CHANGES_FILES and desired.backup_before.offline is None:
        detail = (
            f"The script {script.value} changes database files, which needs a verified copy of "
            "each before. For example: "
            "backup: {before: {offline: {target: {path: 'E:\\goexchange'}}}}"
        )
        findings.add("backup-missing", detail=detail, place=place)
    if script in REBUILDS and desired.backup_after.online is None:
        detail = (
            "No older online backup fits a rebuilt database, so one has to be taken at once. For "
            "example: backup: {after: {online: {method: windows-server-backup, "
            "target: {path: 'F:'}}}}"
        )
        findings.add("backup-missing", detail=detail, place=place)
    after = desired.backup_after.offline
    if after is not None and (after.parts or after.paths):
        detail = (
            "The set after maintenance holds the rebuilt file alone: what else is to be copied is "
            "copied while everything is mounted, into the set before. Move `include` and `paths` "
            "to backup.before.offline."
        )
        findings.add("include-after", detail=detail, place=after.place)
    if script is Script.EXCHANGE_BACKUP and not _any_backup(desired):
        detail = "The script exchange-backup rehearses backups; 'backup' names none."
        findings.add("backup-missing", detail=detail, place=place)


def _any_backup(desired: DesiredState) -> bool:
    def has_one(actions: BackupActions) -> bool:
        return actions.offline is not None or actions.online is not None

    return has_one(desired.backup_before) or has_one(desired.backup_after)


def _check_conditions(desired: DesiredState, findings: Findings) -> None:
    """Warn of conditions that the script can do nothing for, and of a script that is never due."""
    script, conditions = desired.script.script, desired.conditions
    asked = {
        Condition.WHITE_SPACE: (conditions.white_space_max, conditions.white_space_max_place),
        Condition.VERIFIED: (conditions.verified_within_s, conditions.verified_within_place),
        Condition.MEASURED: (conditions.measured_within_s, conditions.measured_within_place),
        Condition.OFFLINE_BACKUP: (
            conditions.offline_backup_within_s,
            conditions.offline_backup_within_place,
        ),
        Condition.MAINTAINED: (
            conditions.maintained_within_s,
            conditions.maintained_within_place or conditions.place,
        ),
    }
    for condition, (value, place) in asked.items():
        if value is None or is_served(script, condition):
            continue
        servers = [each.value for each in Script if is_served(each, condition)]
        detail = (
            f"The script {script.value} does nothing for '{condition.value}'; a database beyond it"
            f" stays as it is. For example: {_WITH_EFFECT[condition]}. These serve it:"
            f" {', '.join(servers)}"
        )
        findings.add(
            "condition-without-effect", detail=detail, place=place, severity=Severity.WARNING
        )
    own = [each for each in own_conditions(script) if each is not Condition.ONLINE_BACKUP]
    is_due = conditions.online_full_backup_within_s is not None and script in WHOLE_SCRIPTS
    if script in _NEEDS_NO_CONDITION or is_due or any(asked[each][0] is not None for each in own):
        return
    names = " or ".join(f"'desired.{each.value}'" for each in own_conditions(script))
    detail = (
        f"Nothing says when {script.value} is due: without {names} it never has work. For example:"
        f" desired: {{{own_conditions(script)[0].value}: {_example(script)}}}"
    )
    findings.add(
        "script-without-condition",
        detail=detail,
        place=desired.script.place,
        severity=Severity.WARNING,
    )


def _example(script: Script) -> str:
    return "20%" if own_conditions(script)[0] is Condition.WHITE_SPACE else "30d"


def _check_notifications(desired: DesiredState, findings: Findings) -> None:
    for notification in desired.notifications:
        is_outage = notification.event is NotificationEvent.SCHEDULED_MAINTENANCE_OUTAGE
        if notification.before_s and not is_outage:
            detail = (
                "'before' is for scheduled-maintenance-outage; "
                f"{notification.event.value} is told when it happens."
            )
            findings.add(
                "notification",
                detail=detail,
                place=notification.place,
            )
        if "mail" in notification.channels and not notification.to:
            detail = (
                "The channel 'mail' needs addresses. For example: to: [messaging@contoso.example]"
            )
            findings.add(
                "notification",
                detail=detail,
                place=notification.place,
            )


def _check_schedule(schedule: Schedule, findings: Findings) -> None:
    """`every` has to lead from one due time to another."""
    check = schedule.resource_check
    if check is not None:
        _check_every(check.due, check.every_s, check.place, findings)
    if schedule.due is not None and schedule.every_s is not None:
        _check_every(schedule.due, schedule.every_s, schedule.every_place, findings)


def _check_every(due: str, every_s: int, place: Place, findings: Findings) -> None:
    is_weekly = " " in due
    unit_s, word = (7 * 86400, "weeks") if is_weekly else (86400, "days")
    if every_s % unit_s:
        detail = (
            f"'{due}' comes once a {word[:-1]}, so 'every' is a number of whole {word}. "
            f"For example: every: 4{word[0]}"
        )
        findings.add("wrong-form", detail=detail, place=place)
