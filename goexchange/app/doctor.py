"""The verb `doctor`: what a server needs to be maintained, tried in the tool's own folder and
removed again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from goexchange.app.observing import observe_server
from goexchange.app.secrets import secret_of
from goexchange.errors import AuthenticationRefused, GoexchangeError, HostRefused
from goexchange.facts.examination import (
    AUTHENTICATE,
    ENDPOINT,
    REACH,
    look_at_account,
    look_at_job,
    looks_at_folders,
    looks_at_host,
    looks_at_trial,
    refused_root,
)
from goexchange.facts.machines import decode_machine
from goexchange.model.accounts import account_at, is_managed
from goexchange.model.actual import ActualServer
from goexchange.model.configuration import Inventory, ServerEntry
from goexchange.model.examination import Examination, Health, Look, Reach
from goexchange.model.plan import ScriptCall
from goexchange.model.unknown import Unknown
from goexchange.powershell.bootstrap import runner_argument

if TYPE_CHECKING:  # importing it would load the HTTP libraries before gevent's patch
    from goexchange.transport.session import RemoteSession

AT_ONCE_MAX = 20
CALL_LIMIT_S = 120
JOB_LIMIT_S = 120.0
POLL_S = 1.0


def examine(
    inventory: Inventory, names: Sequence[str], targets: Sequence[str]
) -> tuple[Examination, ...]:
    """Look at every named server, several at once; `targets` are folders that jobs write to."""
    from goexchange.app.worker import RemoteSession

    entries = [host for host in inventory.hosts if host.name in names]

    def one(entry: ServerEntry) -> Examination:
        session = RemoteSession(entry)
        try:
            return _Doctor(session, entry, inventory).examine(targets)
        finally:
            session.close()

    with ThreadPoolExecutor(min(AT_ONCE_MAX, len(entries) or 1)) as pool:
        return tuple(pool.map(one, entries))


class _Doctor:
    """The looks at one server, in order; each rests on the ones before."""

    def __init__(self, session: RemoteSession, entry: ServerEntry, inventory: Inventory) -> None:
        self._session, self._entry, self._root = session, entry, inventory.host_root
        self._inventory = inventory
        self._name = f"doctor-{uuid4().hex[:12]}"
        self._looks: list[Look] = []
        self._left: list[str] = []

    def examine(self, targets: Sequence[str]) -> Examination:
        """Every look; a server that cannot be spoken with has one or two."""
        reach = self._reach()
        if reach is Reach.SPOKEN:
            server = self._observe()
            fence = _fence(server)
            if fence is not None:
                self._try(server, fence, targets if self._entry.has_exchange else ())
        return Examination(
            server=self._entry.name,
            reach=reach,
            looks=tuple(self._looks),
            left=tuple(self._left),
        )

    def _reach(self) -> Reach:
        """The Windows channel: everything else rests on it."""
        arguments = {"root": self._root, "job": self._name, "offset": 0, "watch": []}
        try:
            self._script("poll-job", arguments)
        except AuthenticationRefused as error:
            self._add("reach", Health.OK, "the host answers")
            self._add("authenticate", Health.MISSING, str(error), AUTHENTICATE)
            return Reach.REFUSED
        except HostRefused as error:  # the script ran: the account is known there
            self._add("reach", Health.OK, f"the host answers: {error}")
            return Reach.SPOKEN
        except GoexchangeError as error:
            self._add("reach", Health.MISSING, str(error), REACH)
            return Reach.UNREACHABLE
        how = self._entry.connection.windows.protection
        words = f"{self._entry.address} answers on the Windows channel, {how}"
        self._add("reach", Health.OK, words)
        self._add("authenticate", Health.OK, "the account is known there")
        return Reach.SPOKEN

    def _observe(self) -> ActualServer:
        """The looks of an observation; an Exchange endpoint that does not answer hides nothing of
        the host.
        """
        try:
            server = observe_server(self._session, self._entry.name, self._inventory)
        except GoexchangeError as error:
            if not self._entry.has_exchange:
                unknown = Unknown(str(error))
                server = decode_machine(
                    unknown, name=self._entry.name, observed_at=datetime.now(UTC)
                )
                skipped = set()
            else:
                self._add("Exchange endpoint", Health.MISSING, str(error), ENDPOINT)
                server = self._host_alone()
                skipped = {"Exchange endpoint"}
        else:
            skipped = set()
        found = looks_at_host(server, now=datetime.now(UTC))
        self._looks += [look for look in found if look.check not in skipped]
        return server

    def _host_alone(self) -> ActualServer:
        from goexchange.codec import time_text
        from goexchange.facts.observation import Asked, decode_server

        now = datetime.now(UTC)
        arguments = {"root": self._root, "paths": [], "log_folders": []}
        asked = {**arguments, "events_since": time_text(now)}
        silent = Unknown("the Exchange endpoint did not answer")
        host: Any
        try:
            host = self._script("observe-host", asked)
        except GoexchangeError as error:
            host = Unknown(str(error))
        return decode_server(
            silent, host, asked=Asked(server=self._entry.name, known=()), observed_at=now
        )

    def _try(self, server: ActualServer, fence: int, targets: Sequence[str]) -> None:
        """Write, read, start a job, and remove all of it again."""
        trial = {"root": self._root, "fence": fence, "name": self._name}
        try:
            answer = self._script("try-root", {**trial, "removes_root": False})
        except HostRefused as error:
            self._looks.append(refused_root(error.code, str(error), self._root))
            return
        except GoexchangeError as error:
            self._add("job root", Health.UNKNOWN, str(error), REACH)
            self._left.append(f"{self._root}\\trial\\{self._name}")
            return
        self._looks += looks_at_trial(answer, self._root, server)
        by_account = _by_account(targets, self._inventory)
        jobs = [self._name]
        self._job(fence, self._name, by_account.pop(None, []))
        for number, account in enumerate(sorted(each for each in by_account if each), start=1):
            jobs.append(f"{self._name}-{number}")
            self._job_as(account, fence, jobs[-1], by_account[account])
        for job in jobs:
            self._remove(fence, job)
        self._remove_trial({**trial, "removes_root": not answer["had_root"]})

    def _job(self, fence: int, name: str, targets: Sequence[str]) -> None:
        begun = time.monotonic()
        try:
            poll = self._ended({**self._start(fence, name), "request": {"folders": list(targets)}})
        except GoexchangeError as error:
            seen = f"{error}"
            self._add("host job", Health.MISSING, seen, "read the message, and ask doctor again")
            return
        self._looks.append(look_at_job(poll, time.monotonic() - begun))
        self._look_at_folders(poll, None)

    def _job_as(self, account: str, fence: int, name: str, targets: Sequence[str]) -> None:
        """A job of an account that a share has: does it log on here, and may it write?"""
        arguments = {
            **self._start(fence, name),
            "request": {"folders": list(targets)},
            "account": {"user": account, "is_managed": is_managed(account)},
        }
        poll: Mapping[str, Any] | None = None
        failed: str | None = None
        try:
            poll = self._ended(arguments)
        except GoexchangeError as error:
            failed = str(error)
        self._looks.append(look_at_account(account, poll, failed))
        self._look_at_folders(poll, account)

    def _start(self, fence: int, name: str) -> dict[str, Any]:
        return {
            "root": self._root,
            "fence": fence,
            "job": name,
            "kind": "try-folders",
            "runner": runner_argument(),
        }

    def _ended(self, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Start a job and wait for its end.

        Raises: GoexchangeError, where it was refused, or its secret cannot be read.
        """
        begun = time.monotonic()
        call = ScriptCall(script="start-job", digest="", arguments=arguments)
        secret = secret_of(call, self._inventory)
        self._session.script("start-job", arguments, time_limit_s=CALL_LIMIT_S, secret=secret)
        asked = {"root": self._root, "job": arguments["job"], "offset": 0, "watch": []}
        poll: Mapping[str, Any] | None = None
        while time.monotonic() < begun + JOB_LIMIT_S:
            poll = self._script("poll-job", asked)
            if poll["state"] in ("ended", "lost", "absent"):
                break
            time.sleep(POLL_S)
        return poll

    def _look_at_folders(self, poll: Mapping[str, Any] | None, account: str | None) -> None:
        if poll is not None and poll["state"] == "ended" and poll["result"]:
            self._looks += looks_at_folders(poll["result"]["folders"], account=account)

    def _remove(self, fence: int, name: str) -> None:
        """End a job, should it run, and remove its folder and task."""
        job = {"root": self._root, "fence": fence, "job": name}
        leftover = {
            "root": self._root,
            "fence": fence,
            "kind": "job",
            "what": name,
            "size_bytes": None,
            "modified_at": None,
        }
        try:
            self._script("cancel-job", job)
            self._script("remove-leftover", leftover)
        except GoexchangeError as error:
            self._left.append(f"{self._root}\\jobs\\{name}: {error}")

    def _remove_trial(self, trial: Mapping[str, Any]) -> None:
        try:
            self._script("try-root", trial)
        except GoexchangeError as error:
            self._left.append(f"{self._root}\\trial\\{self._name}: {error}")

    def _script(self, script: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self._session.script(script, arguments, time_limit_s=CALL_LIMIT_S)

    def _add(self, check: str, health: Health, seen: str, remedy: str | None = None) -> None:
        self._looks.append(Look(check=check, health=health, seen=seen, remedy=remedy))


def _by_account(targets: Sequence[str], inventory: Inventory) -> dict[str | None, list[str]]:
    """The targets by whom jobs write to them as; None is SYSTEM."""
    found: dict[str | None, list[str]] = {}
    for target in targets:
        found.setdefault(account_at(target, inventory), []).append(target)
    return found


def _fence(server: ActualServer) -> int | None:
    """The number in force on the host: with it nothing is refused, and nobody is fenced off."""
    host = server.host
    if isinstance(host, Unknown) or isinstance(host.fencing_number, Unknown):
        return None
    return host.fencing_number
