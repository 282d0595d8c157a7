"""A world as the lab's servers see it: accounts, cmdlets, and Windows commands answered by
contract.

The lab knows one command that runs PowerShell: the bootstrap of the packaged host scripts. What
comes in is recognised by the digest of library and script; a text that is not registered is
refused, loudly.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from goexchange.errors import UnexpectedOutput
from goexchange.model.actual import WITHOUT_CMDLETS
from goexchange.powershell import bootstrap, envelope
from goexchange.world.cmdlets import cmdlet_names
from goexchange.world.refusals import HostDown, NotModelled, ScriptFailed
from goexchange.world.site import DOMAIN
from goexchange.world.snapin import has_snapin
from goexchange.world.values import CmdletAnswer, CommandAnswer, SiteHost, SiteUser
from goexchange.world.world import World

_SCRIPT_S = 0.01


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)


class SiteOfWorld:
    """The lab's `Site` in front of a world.

    Shape: every account gets a password of its own when the site is made, unless `passwords` names
    one.
    """

    def __init__(self, world: World, *, passwords: Mapping[str, str] | None = None) -> None:
        self.world = world
        given = passwords or {}
        self._users = tuple(
            SiteUser(
                name=each.name,
                domain=each.domain,
                password=given.get(each.name, secrets.token_urlsafe(18)),
                may_use_exchange=each.may_use_exchange,
            )
            for each in world.site.users
        )

    def fail_mount(self, database: str, error: int, leaves_logs: bool) -> None:
        """The next mount of a database fails with a JET error; its logs may tell of it."""
        self.world.faults.fail_next_mount(database, error=error, leaves_logs=leaves_logs)

    def move(self, host: str) -> str:
        """The next node of a clustered server takes it over; that node's name."""
        if host not in self.world.hosts:
            raise ValueError(f"the site has no server {host}")
        self.world.advance()
        if not self.world.move_group(host):
            raise ValueError(f"{host} is not clustered, or no node has it online now")
        found = self.world.hosts[host].move
        assert found is not None
        return found.node

    def speak_otherwise(self, mode: str, words: str, instead: str) -> None:
        """From now on eseutil prints other words in that mode; the same words end it."""
        self.world.faults.other_words[mode] = (words, instead)

    def effects(self) -> list[dict[str, str]]:
        """What has really changed; `by` is empty for what happened by itself."""
        return [
            {"kind": each.kind, "host": each.host, "database": each.database or "",
             "detail": each.detail, "by": each.by}
            for each in tuple(self.world.effects)
        ]  # fmt: skip

    def hosts(self) -> tuple[SiteHost, ...]:
        """The machines of the site."""
        return tuple(
            SiteHost(
                name=each.name,
                fqdn=each.fqdn,
                address=each.address,
                has_exchange=each.has_exchange
                and each.generation not in WITHOUT_CMDLETS
                and not has_snapin(each.generation),
            )
            for each in (*self.world.site.servers, *self.world.site.machines)
        )

    def users(self) -> tuple[SiteUser, ...]:
        """The accounts of the site."""
        return self._users

    def password(self, user: str) -> str:
        """The password of an account, for whoever made the site.

        Raises: KeyError when there is no such account.
        """
        for each in self._users:
            if each.name == user:
                return each.password
        raise KeyError(user)

    def check_password(self, user: str, password: str) -> bool:
        """Whether this is the account's password."""
        return any(
            each.name == user and secrets.compare_digest(each.password.encode(), password.encode())
            for each in self._users
        )

    def cmdlet_names(self, host: str) -> tuple[str, ...]:
        """The Exchange cmdlets of a host."""
        return cmdlet_names(self.world.hosts[host].description.generation)

    def cmdlet(
        self, host: str, user: str, cmdlet: str, parameters: Mapping[str, object]
    ) -> CmdletAnswer:
        """Run an Exchange cmdlet."""
        return self.world.cmdlet(host, user, cmdlet, parameters)

    def reads_standard_input(self, host: str, command_line: str) -> bool:
        """Whether a command is the bootstrap of the host scripts."""
        return _is_bootstrap(command_line)

    def windows_command(
        self, host: str, user: str, command_line: str, standard_input: bytes
    ) -> CommandAnswer:
        """Run a host script, or one of the few plain commands.

        Raises: NotModelled for PowerShell text that is not registered with the lab.
        """
        has_powershell = self.world.hosts[host].description.powershell
        if _is_bootstrap(command_line) and has_powershell:
            return self._script(host, user, standard_input)
        program = command_line.partition(" ")[0].lower().removesuffix(".exe")
        if has_powershell and program in ("powershell", "pwsh"):
            raise NotModelled("PowerShell that is not a packaged host script")
        return self._plain_command(host, user, command_line.strip())

    def _script(self, host: str, user: str, standard_input: bytes) -> CommandAnswer:
        try:
            digest, arguments = bootstrap.parse_standard_input(standard_input)
            secret = bootstrap.secret_of_input(standard_input)
        except UnexpectedOutput:
            return CommandAnswer(exit_code=64)
        registered = bootstrap.registered_digests()
        if digest not in registered:
            raise NotModelled(
                f"a host script with digest {digest}: it is not registered with the lab"
            )
        script = registered[digest]
        try:
            result = self.world.script(host, user, script, arguments, secret=secret)
        except ScriptFailed as refusal:
            line = envelope.encode_refusal(script, code=refusal.code, message=refusal.message)
            return CommandAnswer(stdout=line, exit_code=1, duration_s=_SCRIPT_S)
        return CommandAnswer(stdout=envelope.encode(script, result), duration_s=_SCRIPT_S)

    def _plain_command(self, host: str, user: str, command: str) -> CommandAnswer:
        if self.world.hosts[host].down_until is not None:
            raise HostDown(host)
        account = next(each for each in self._users if each.name == user)
        known = {
            "hostname": f"{host}\r\n",
            "whoami": f"{account.domain}\\{account.name}\r\n".lower(),
            "ver": "\r\nMicrosoft Windows [Version 10.0.20348.2849]\r\n",
            "echo %userdnsdomain%": f"{DOMAIN.upper()}\r\n",
        }
        text = known.get(command.lower())
        if text is None and command.lower().startswith("echo ") and not _has_syntax(command[5:]):
            text = f"{command[5:]}\r\n"
        if text is not None:
            return CommandAnswer(stdout=text.encode(), duration_s=_SCRIPT_S)
        name = command.split()[0] if command else ""
        words = f"'{name}' is not recognized as an internal or external command,\r\n"
        words += "operable program or batch file.\r\n"
        return CommandAnswer(stderr=words.encode(), exit_code=1, duration_s=_SCRIPT_S)


def _is_bootstrap(command_line: str) -> bool:
    return command_line.split() == bootstrap.command_line().split()


def _has_syntax(text: str) -> bool:
    """Whether cmd.exe would make something else of a text."""
    return any(character in text for character in '%&|<>^"!')
