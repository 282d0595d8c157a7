"""What the answers of a host mean for whoever wants to maintain it: looks with their remedies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from goexchange.errors import ExitCode
from goexchange.model.accounts import is_managed
from goexchange.model.actual import ActualHost, ActualServer
from goexchange.model.examination import Examination, Health, Look, Reach
from goexchange.model.machines import is_machine
from goexchange.model.unknown import Unknown

CLOCK_APART_MAX_S = 60
POWERSHELL_MIN, POWERSHELL_WHOLE = (2, 0), (3, 0)
REACH = (
    "check the name, the port (5985, or 5986 with TLS), the firewall, and that WinRM runs there"
    " (`winrm quickconfig` on the host)"
)
AUTHENTICATE = (
    "check user and secret of the connection profile, and that the account may log on over the"
    " network; Kerberos needs the server's full name"
)
ENDPOINT = (
    "check the PowerShell virtual directory, that the account has RemotePowerShellEnabled, and that"
    " its role may use Get-MailboxDatabase, Dismount-Database and Mount-Database"
)
_ROOT = "make it private: SYSTEM and Administrators alone may have rights in it, and own it"
_SHARE = "give the computer account of the server the right to change files there"


def looks_at_host(server: ActualServer, *, now: datetime) -> tuple[Look, ...]:
    """What an observation says: rights, PowerShell, clock, tools, endpoint.

    Unknown: a part that the host could not read is a look of its own.
    """
    host = server.host
    if isinstance(host, Unknown):
        return (_unknown("host", host, "read the message; the script ran and was refused"),)
    return (
        _elevation(host),
        _powershell(host),
        _clock(host, now),
        *(() if is_machine(server) else (_endpoint(server), _eseutil(host))),
        *_silent_parts(host),
    )


def looks_at_trial(trial: Mapping[str, Any], root: str, server: ActualServer) -> list[Look]:
    """What try-root found: the folder of the tool, and the tools of Windows that back up."""
    had = "was there" if trial["had_root"] else "can be made, private"
    written = Look(
        check="job root",
        health=Health.OK if trial["is_same"] else Health.MISSING,
        seen=f"{root} {had}; a record was written, read back and removed"
        if trial["is_same"]
        else f"{root}: what was read back is not what was written",
        remedy=None if trial["is_same"] else "check the volume and what filters files there",
    )
    if is_machine(server):
        return [written]
    return [written, _wbadmin(trial, server.host), _diskshadow(trial)]


def refused_root(code: str, message: str, root: str) -> Look:
    """The host did not let the tool use its folder."""
    remedy = _ROOT if code == "root-not-private" else f"look at {root} on the host"
    return Look(check="job root", health=Health.MISSING, seen=message, remedy=remedy)


def look_at_job(poll: Mapping[str, Any] | None, seconds: float) -> Look:
    """A host job that only looked at folders: did it run, and end?"""
    if poll is not None and poll["state"] == "ended" and poll["exit_code"] == 0:
        return Look(
            check="host job", health=Health.OK, seen=f"started and ended in {seconds:.0f} s"
        )
    state = "its start was not answered" if poll is None else f"it is {poll['state']}"
    if poll is not None and poll["state"] == "ended":
        state = f"it ended with {poll['exit_code']}"
    return Look(
        check="host job",
        health=Health.MISSING,
        seen=f"{state} after {seconds:.0f} s",
        remedy="check the Task Scheduler service, and that nothing keeps SYSTEM from running"
        " powershell.exe with a script of the tool's folder (execution and AppLocker policies)",
    )


def look_at_account(account: str, poll: Mapping[str, Any] | None, failed: str | None) -> Look:
    """A host job that ran as an account of its own: did it log on, run, and end?"""
    check = "share account"
    if poll is not None and poll["state"] == "ended" and poll["exit_code"] == 0:
        seen = f"{account} logs on here, starts and ends a job"
        return Look(check=check, health=Health.OK, seen=seen)
    state = "its start was not answered" if poll is None else f"it is {poll['state']}"
    if poll is not None and poll["state"] == "ended":
        state = f"it ended with {poll['exit_code']}"
    seen = failed or f"{account}: {state}"
    return Look(check=check, health=Health.MISSING, seen=seen, remedy=_account(account))


def looks_at_folders(
    folders: Iterable[Mapping[str, Any]], *, account: str | None = None
) -> list[Look]:
    """Backup targets as the account of the jobs sees them; None is the computer account."""
    who = "the account of the jobs" if account is None else account
    remedy = _SHARE if account is None else f"give {account} the right to change files there"
    return [
        Look(
            check="backup target",
            health=Health.OK if each["can_write"] else Health.MISSING,
            seen=f"{each['path']}: "
            + (f"written and read by {who}" if each["can_write"] else _why(each)),
            remedy=None if each["can_write"] else remedy,
        )
        for each in folders
    ]


def _account(account: str) -> str:
    if is_managed(account):
        return (
            "install it on the host (Install-ADServiceAccount; Test-ADServiceAccount says True),"
            " and give it the right to log on as a batch job there"
        )
    return (
        "check the user and its secret in the inventory (`shares`), give it the right to log on as"
        " a batch job on the host, and let tasks store credentials there"
    )


def exit_code_of(examinations: Iterable[Examination]) -> ExitCode:
    """The most severe end: something left behind, credentials, a silent host, something missing."""
    every = list(examinations)
    if any(each.left for each in every):
        return ExitCode.PARTIAL
    if any(each.reach is Reach.REFUSED for each in every):
        return ExitCode.AUTH
    if any(each.reach is Reach.UNREACHABLE for each in every):
        return ExitCode.UNREACHABLE
    looks = [look for each in every for look in each.looks]
    is_well = all(look.health in (Health.OK, Health.WARNING) for look in looks)
    return ExitCode.OK if is_well else ExitCode.NOT_NOW


def _elevation(host: ActualHost) -> Look:
    if host.is_elevated:
        return Look(check="elevate", health=Health.OK, seen="administrator rights on the host")
    return Look(
        check="elevate",
        health=Health.MISSING,
        seen="the session has no administrator rights",
        remedy="put the account into the host's Administrators; of a local account Windows filters"
        " the rights unless LocalAccountTokenFilterPolicy is 1",
    )


def _powershell(host: ActualHost) -> Look:
    version = host.powershell_version
    numbers = tuple(int(each) for each in re.findall(r"\d+", version)[:2])
    if POWERSHELL_MIN <= numbers < POWERSHELL_WHOLE:
        return Look(
            check="PowerShell",
            health=Health.WARNING,
            seen=f"version {version}: what it lacks has stand-ins, not confirmed on a real host",
            remedy="try a host job (`goexchange doctor`) and a pilot before anything rests on it",
        )
    if numbers >= POWERSHELL_WHOLE:
        return Look(check="PowerShell", health=Health.OK, seen=f"Windows PowerShell {version}")
    return Look(
        check="PowerShell",
        health=Health.MISSING,
        seen=f"version {version}, and 2.0 is the oldest that the host scripts run on",
        remedy="install Windows Management Framework, in a version that this Exchange supports",
    )


def _clock(host: ActualHost, now: datetime) -> Look:
    apart = abs((host.clock_utc - now).total_seconds())
    if apart <= CLOCK_APART_MAX_S:
        return Look(check="clock", health=Health.OK, seen=f"{apart:.0f} s from the controller's")
    return Look(
        check="clock",
        health=Health.WARNING,
        seen=f"{apart:.0f} s from the controller's",
        remedy="synchronise both: windows are opened by the controller's clock, backups are dated"
        " by the host's",
    )


def _endpoint(server: ActualServer) -> Look:
    if isinstance(server.generation, Unknown):
        return _unknown("Exchange endpoint", server.generation, ENDPOINT)
    if isinstance(server.databases, Unknown):
        return _unknown("Exchange endpoint", server.databases, ENDPOINT)
    count = len(server.databases)
    return Look(
        check="Exchange endpoint",
        health=Health.OK,
        seen=f"Exchange {server.generation.value}, build {server.build};"
        f" {count} database{'' if count == 1 else 's'} listed",
    )


def _eseutil(host: ActualHost) -> Look:
    version, path = host.eseutil_version, host.eseutil_path
    remedy = "repair the Exchange installation: its bin folder holds eseutil.exe"
    if isinstance(version, Unknown) or isinstance(path, Unknown):
        unknown = version if isinstance(version, Unknown) else path
        assert isinstance(unknown, Unknown)
        return _unknown("eseutil", unknown, remedy)
    return Look(check="eseutil", health=Health.OK, seen=f"{version}, {path}")


def _wbadmin(trial: Mapping[str, Any], host: ActualHost | Unknown) -> Look:
    version = trial["wbadmin_version"]
    backup = None if isinstance(host, Unknown) else host.windows_backup
    is_installed = not isinstance(backup, Unknown | None) and backup.is_installed
    if version and is_installed:
        return Look(check="wbadmin", health=Health.OK, seen=f"Windows Server Backup, {version}")
    return Look(
        check="wbadmin",
        health=Health.WARNING,
        seen="Windows Server Backup is not installed" if version else "wbadmin.exe is not there",
        remedy="only where a specification backs up with it:"
        " Install-WindowsFeature Windows-Server-Backup",
    )


def _diskshadow(trial: Mapping[str, Any]) -> Look:
    version = trial["diskshadow_version"]
    if version:
        return Look(check="diskshadow", health=Health.OK, seen=f"diskshadow {version}")
    return Look(
        check="diskshadow",
        health=Health.WARNING,
        seen="diskshadow.exe is not there",
        remedy="only where a specification backs up with it; it is part of Windows Server 2008"
        " and later",
    )


def _silent_parts(host: ActualHost) -> Iterable[Look]:
    for name in ("volumes", "services", "tasks", "processes", "storage_events", "backup_events"):
        value = getattr(host, name)
        if isinstance(value, Unknown):
            yield _unknown(name.replace("_", " "), value, "guards that need it will not pass")


def _unknown(check: str, why: Unknown, remedy: str) -> Look:
    return Look(check=check, health=Health.UNKNOWN, seen=why.reason, remedy=remedy)


def _why(folder: Mapping[str, Any]) -> str:
    return str(folder["message"] or "what was read back is not what was written")
