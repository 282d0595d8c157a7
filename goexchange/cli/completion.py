"""The verb `completion`."""

from __future__ import annotations

import importlib
from typing import Any

import click

from goexchange.cli.console import Console

SHELLS = ("bash", "zsh", "fish", "powershell")
VARIABLE = "_GOEXCHANGE_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what SHELL needs to complete verbs, options, run ids, servers and databases.

    \b
    bash        eval "$(goexchange completion bash)"        in ~/.bashrc
    zsh         eval "$(goexchange completion zsh)"         in ~/.zshrc
    fish        goexchange completion fish > ~/.config/fish/completions/goexchange.fish
    powershell  goexchange completion powershell | Out-String | Invoke-Expression    in $PROFILE
    """
    from click.shell_completion import get_completion_class

    importlib.import_module("goexchange.cli.completing")  # our PowerShell
    console: Console = context.obj[0]
    kind = get_completion_class(shell)
    assert kind is not None
    root: Any = context.find_root().command
    text = kind(root, {}, "goexchange", VARIABLE).source()
    console.data(text)
    console.document({"shell": shell, "script": text})
