"""Accounts that host jobs run as: who may log on where, and who may write to which share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from goexchange.world.hosts import Host
from goexchange.world.refusals import ScriptFailed

if TYPE_CHECKING:
    from goexchange.world.jobs import HostJob
    from goexchange.world.site import AccountDescription, SiteDescription
    from goexchange.world.world import World

DOMAIN = "LAB"


def check_logon(
    site: SiteDescription, host: Host, *, account: Mapping[str, Any], secret: str | None
) -> None:
    """A task is registered and started as the account.

    Raises: ScriptFailed where Windows would not log it on, with the words of start-job.
    """
    user = str(account["user"])
    found = _account(site, user)
    if found is None:
        raise _refused(user, "this host knows no such account")
    if found.password is None:
        if host.name not in found.logs_on_at:
            raise _refused(
                user,
                "it is not installed on this host, or the host may not fetch its password"
                f" (Test-ADServiceAccount -Identity {user.rpartition(chr(92))[2].rstrip('$')})",
            )
        return
    if secret is None:
        raise _refused(user, "no password came with the call")
    if secret != found.password:
        raise _refused(
            user,
            "the user name or the password is not right; of a managed account: it is not installed"
            " on this host (1326)",
        )
    if host.name not in found.logs_on_at:
        raise _refused(user, "it has not the right to log on as a batch job on this host (1385)")


def denied_path(world: World, host: Host, job: HostJob) -> str | None:
    """The first path of a job's request that its account has no rights to; None: there is none."""
    paths = _paths(job.request)
    return next((each for each in paths if is_denied(world, host, job.account, each)), None)


def is_denied(world: World, host: Host, account: str | None, path: str) -> bool:
    """Whether a job that runs as the account may not use a path; None is SYSTEM."""
    writers = _writers(world.site, path)
    if writers is not None:
        who = account or f"{DOMAIN}\\{host.name}$"
        return who.lower() not in (each.lower() for each in writers)
    found = None if account is None else _account(world.site, account)
    return found is not None and not found.is_administrator and _is_data(world, path)


def is_beyond_session(path: str) -> bool:
    """Whether a session has no rights to a path: it carries none to a third machine."""
    return path.startswith("\\\\")


def _refused(user: str, why: str) -> ScriptFailed:
    return ScriptFailed("account-refused", f"no task can be run as {user}: {why}")


def _account(site: SiteDescription, user: str) -> AccountDescription | None:
    return next((each for each in site.accounts if each.user.lower() == user.lower()), None)


def _writers(site: SiteDescription, path: str) -> tuple[str, ...] | None:
    wanted = path.rstrip("\\").lower() + "\\"
    for share in site.shares:
        if wanted.startswith(share.path.lower()):
            return share.writers
    return None


def _is_data(world: World, path: str) -> bool:
    """Folders and files of databases are closed to who is no administrator of the host."""
    wanted = path.lower()
    return any(
        wanted.startswith(each.description.edb_path.rpartition("\\")[0].lower())
        for each in world.databases.values()
    )


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.startswith("\\\\") or value[1:3] == ":\\":
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _paths(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each)
