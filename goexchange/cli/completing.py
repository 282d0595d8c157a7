"""What the shell may complete: verbs, options, files, and names out of inventory and store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

from goexchange.errors import GoexchangeError

_NOT_MORE = 200
_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = $commandAst.ToString().Substring(0,
        [Math]::Min($cursorPosition, $commandAst.ToString().Length))
    $env:COMP_WORD = $wordToComplete
    %(prog_name)s | ForEach-Object {
        $kind, $value, $help = $_ -split "`t", 3
        if ($kind -eq 'plain') {
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value,
                'ParameterValue', $help)
        }
    }
    Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_WORD
}
"""


@add_completion_class
class PowerShellComplete(ShellComplete):
    """Completion for PowerShell, 5.1 and later; files are completed by the shell itself."""

    name = "powershell"
    source_template = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and the one that is begun."""
        words = split_arg_string(os.environ.get("COMP_WORDS", ""))[1:]
        begun = os.environ.get("COMP_WORD", "")
        return (words[:-1] if begun and words else words), begun

    def format_completion(self, item: CompletionItem) -> str:
        """Kind, value and help, separated by tabs."""
        return f"{item.type}\t{item.value}\t{item.help or ''}"


def attach(command: click.Command) -> None:
    """Let the parameters of a verb complete names; a parameter is known by what it is called."""
    for below in getattr(command, "commands", {}).values():
        attach(below)
    for parameter in command.params:
        find = _SOURCES.get(parameter.name or "")
        if parameter.metavar == "PLAN|RUN" or (command.name, parameter.name) == ("report", "run"):
            find = _runs
        if find is not None:
            # the method of this one parameter: its class is of another library
            setattr(parameter, "shell_complete", _completing(parameter, find))  # noqa: B010


def _completing(
    parameter: click.Parameter, find: Callable[[dict[str, Any]], Iterable[str]]
) -> Callable[[click.Context, str], list[CompletionItem]]:
    files = parameter.type.shell_complete

    def complete(context: click.Context, incomplete: str) -> list[CompletionItem]:
        try:
            names = [each for each in find(_options(context)) if _fits(each, incomplete)]
        except (GoexchangeError, OSError, ValueError):  # nothing to offer is no reason to speak
            names = []
        found = [CompletionItem(name) for name in names[:_NOT_MORE]]
        return found or files(context, parameter, incomplete)

    return complete


def _fits(name: str, incomplete: str) -> bool:
    return name.casefold().startswith(incomplete.casefold())


def _options(context: click.Context) -> dict[str, Any]:
    given = context.find_root().params
    if given.get("folder"):
        os.chdir(given["folder"])
    return {name: given.get(name) for name in ("inventory", "profile", "store")}


def _servers(options: dict[str, Any]) -> Iterable[str]:
    from goexchange.app import loading

    return [each.name for each in loading.inventory(loading.configuration(options)).servers]


def _runs(options: dict[str, Any]) -> Iterable[str]:
    from goexchange.app import loading
    from goexchange.store.runs import Runs

    store = Path(loading.configuration(options).store)
    return ["last", *(run.id for run in reversed(Runs(store).list()))]


def _databases(options: dict[str, Any]) -> Iterable[str]:
    """The databases that the newest plans of the store are about."""
    from goexchange.app import loading
    from goexchange.store.runs import Runs

    found: dict[str, None] = {}
    for run in reversed(Runs(Path(loading.configuration(options).store)).list()[-5:]):
        body = json.loads(run.plan_path.read_text("utf-8"))["body"]
        found |= dict.fromkeys(each["database"] for each in body["decisions"])
    return sorted(found)


_SOURCES: dict[str, Callable[[dict[str, Any]], Iterable[str]]] = {
    "names": _servers,
    "server": _servers,
    "servers": _servers,
    "database": _databases,
    "databases": _databases,
    "run": _runs,
}
