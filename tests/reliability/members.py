"""Nights in which servers are taken down: which ones, for what, and how each stands before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from goexchange.model.actual import Generation
from goexchange.world.site import ServerDescription

GENERATIONS = (  # of one group: messages go to a member of the same version
    Generation.EXCHANGE_2019,
    Generation.EXCHANGE_2016,
    Generation.EXCHANGE_2013,
    Generation.SUBSCRIPTION_EDITION,
    Generation.EXCHANGE_2010,
)
LAGGED = "lagged"
NAME = "down-"  # of a specification with a command
MOVED = ("moved", LAGGED)  # databases that no specification names, with a copy on each server
_COMMANDS = {
    "install": "{name: updates, run: ['C:\\ops\\updates.cmd', install], restarts: true,"
    " limit: {timeout: 30m}, back_within: 20m}",
    "later": "{name: updates, run: ['C:\\ops\\updates.cmd', later], restarts: true,"
    " success_exit_codes: [0, 3010], limit: {timeout: 20m}, back_within: 30m}",
    "firmware": "{name: firmware, run: ['C:\\ops\\firmware.cmd'], limit: {timeout: 10m},"
    " back_within: 10m}",
    "badly": "{name: updates, run: ['C:\\ops\\fail.cmd'], limit: {timeout: 10m},"
    " back_within: 10m}",
    "undeclared": "{name: updates, run: ['C:\\ops\\updates.cmd', install],"
    " limit: {timeout: 30m}, back_within: 20m}",
}
_COMMANDS["both"] = f"{_COMMANDS['install']}, {_COMMANDS['firmware']}"
_DRAWN = ("install", "install", "install", "later", "firmware", "both", "badly", "undeclared")
_STANDS: Mapping[str, Mapping[str, Any]] = {
    "sidelined": {
        "components": (
            ("OwaProxy", "Functional", "Inactive"),
            ("HubTransport", "Sidelined", "Draining"),
        ),
        "activation_policy": "IntrasiteOnly",
    },
    "out": {
        "components": (
            ("HubTransport", "Maintenance", "Draining"),
            ("ServerWideOffline", "Maintenance", "Inactive"),
        ),
        "activation_policy": "Blocked",
        "node_state": "Paused",
    },
}
Draw = Callable[[str, int], int]


@frozen(kw_only=True)
class Down:
    """Which servers are taken down.

    Shape: `commands` is by server what runs there, empty where nothing does; `stands` is how the
    first of them stands before: as ever when empty.
    """

    commands: tuple[str, ...] = ()
    has_active_stay: bool = False
    stands: str = ""

    def text(self) -> str:
        """A few words."""
        taken = ", ".join(
            f"EX{index + 1:02d} for {each}" for index, each in enumerate(self.commands) if each
        )
        stays = ", active copies stay" if self.has_active_stay else ""
        return f"{taken}{stays}{f', {self.stands}' if self.stands else ''}"

    def without_last(self) -> Down:
        """Without the last server."""
        return _or_none(self, self.commands[:-1])

    def smaller(self) -> Iterator[Down]:
        """With a little less."""
        for index, each in enumerate(self.commands):
            if each:
                yield _or_none(self, _with(self.commands, index, ""))
            if each and each != "firmware":
                yield evolve(self, commands=_with(self.commands, index, "firmware"))
        if self.has_active_stay:
            yield evolve(self, has_active_stay=False)
        if self.stands:
            yield evolve(self, stands="")

    def standing(self, index: int, server: ServerDescription) -> ServerDescription:
        """The server as it stands before the night."""
        taken = [at for at, each in enumerate(self.commands) if each]
        if not self.stands or taken[:1] != [index]:
            return server
        other = dict(_STANDS[self.stands])
        if server.generation is Generation.EXCHANGE_2010:
            del other["components"]  # it has none
        return evolve(server, **other)


def _or_none(down: Down, commands: tuple[str, ...]) -> Down:
    return evolve(down, commands=commands) if any(commands) else Down()


def _with(commands: tuple[str, ...], index: int, what: str) -> tuple[str, ...]:
    return (*commands[:index], what, *commands[index + 1 :])


def drawn(draw: Draw, needs: Sequence[tuple[str, ...]]) -> Down:
    """One server at least, and what runs there."""
    commands = [
        _DRAWN[draw(f"command {index}", len(_DRAWN))] if draw(f"goes {index}", 2) else ""
        for index in range(len(needs))
    ]
    if not any(commands):
        first = draw("goes first", len(needs))
        commands[first] = _DRAWN[draw(f"command {first}", len(_DRAWN))]
    return Down(
        commands=tuple(commands),
        has_active_stay=draw("active stays", 6) == 0,
        stands=("sidelined", "out", "", "", "", "", "", "")[draw("stands", 8)],
    )


def with_copies(draw: Draw, needs: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Most databases of a group have copies, and nobody wants anything of them."""

    def changed(server: int, one: int, need: str) -> str:
        if (server, one) == (0, 0):  # it is looked at on a copy, or rebuilt, in every second night
            return need if draw("replicated too", 2) else MOVED[0]
        other = draw(f"has copies {server} {one}", 6)
        return need if other < 2 else MOVED[other == 2]

    return [
        tuple(changed(server, one, need) for one, need in enumerate(of))
        for server, of in enumerate(needs)
    ]


def specification_texts(down: Down, *, has_processes: bool) -> tuple[str, ...]:
    """One specification for each command."""
    return tuple(
        _text(down, command, has_processes=has_processes)
        for command in sorted({each for each in down.commands if each})
    )


def _text(down: Down, command: str, *, has_processes: bool) -> str:
    servers = [f"EX{at + 1:02d}" for at, each in enumerate(down.commands) if each == command]
    around = (
        "  before: [{name: av off, run: ['C:\\ops\\av.cmd', suspend]}]\n"
        "  after: [{name: av on, run: ['C:\\ops\\av.cmd', resume], undoes: av off}]\n"
    )
    stays = ", active_copies: stay" if down.has_active_stay else ""
    return (
        "apiVersion: goexchange/v1\nkind: Specification\n"
        f"metadata: {{name: {NAME}{command}}}\n"
        f"targets: {{servers: [{', '.join(servers)}]}}\n"
        "desired: {maintained_within: 30d}\n"
        f"script: {{name: server-maintenance{stays}}}\n"
        f"custom_processes:\n{around * has_processes}"
        f"  takes_server_down: [{_COMMANDS[command]}]\n"
        "schedule: {window: night}\n"
        "strategy: {failures_max: 1, servers_at_once: 2}\n"
    )
