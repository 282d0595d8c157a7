"""The narrow interface between the lab's servers and the site they stand in front of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar, runtime_checkable

from goexchange.world.values import CmdletAnswer, CommandAnswer, SiteHost, SiteUser

Answer = TypeVar("Answer")


class Site(Protocol):
    """A site as the servers see it.

    The lab makes every call from one thread of its own, one at a time, so that an answer that
    takes long to compute does not stop the servers. A cmdlet, parameter or command that the site
    does not know gets the answer a real host would give, or an exception, which the lab turns
    into a loud fault; never an empty success.
    """

    def hosts(self) -> tuple[SiteHost, ...]:
        """The machines; read once, when the lab starts."""

    def users(self) -> tuple[SiteUser, ...]:
        """The accounts; read once, when the lab starts."""

    def check_password(self, user: str, password: str) -> bool:
        """Whether this is the password of the account with this `SiteUser.name`."""

    def cmdlet_names(self, host: str) -> tuple[str, ...]:
        """The Exchange cmdlets that `cmdlet` answers on this host, as Microsoft spells them."""

    def cmdlet(
        self, host: str, user: str, cmdlet: str, parameters: Mapping[str, object]
    ) -> CmdletAnswer:
        """Run an Exchange cmdlet; called only for names in `cmdlet_names`, in that spelling.

        Parameters keep the caller's spelling of their names; values are str, bool, int, float,
        datetime, UUID, tuple, dict, None or Credential.
        """

    def reads_standard_input(self, host: str, command_line: str) -> bool:
        """Whether the command waits for the end of its standard input before it answers."""

    def windows_command(
        self, host: str, user: str, command_line: str, standard_input: bytes
    ) -> CommandAnswer:
        """Run a command: at once, or when its input has ended if it reads standard input."""


@runtime_checkable
class PlansFaults(Protocol):
    """A site that can be told what is going to go wrong."""

    def fail_mount(self, database: str, error: int, leaves_logs: bool) -> None:
        """The next mount of a database fails with a JET error."""

    def move(self, host: str) -> str:
        """The next node of a clustered server takes it over; that node's name.

        Raises: ValueError where there is none.
        """

    def speak_otherwise(self, mode: str, words: str, instead: str) -> None:
        """From now on eseutil prints other words in that mode, as another build might."""


@runtime_checkable
class KnowsEffects(Protocol):
    """A site that remembers what has really changed."""

    def effects(self) -> list[dict[str, str]]:
        """Every change up to now: `kind`, `host`, `database`, `detail`, and `by` whose call."""


class SiteRefused(Exception):
    """The site raised: it does not know what was asked, or it has a mistake."""


class SiteThread:
    """The one thread from which the lab calls the site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="site")

    async def call(self, method: Callable[..., Answer], *arguments: object) -> Answer:
        """Call a method of the site.

        Raises: SiteRefused for whatever the site raises.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, method, *arguments)
        except Exception as error:  # noqa: BLE001 the client must hear of it, whatever it is
            raise SiteRefused(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """End the thread after the call that runs now."""
        self._executor.shutdown(wait=False, cancel_futures=True)
