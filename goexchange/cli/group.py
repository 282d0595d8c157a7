"""The command line as click has it: global options, verbs that are loaded when they are used."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import click

from goexchange.cli.console import Console
from goexchange.cli.main import VERBS, columns
from goexchange.cli.overview import OPTIONS, overview

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMPLETE_VARIABLE = "_GOEXCHANGE_COMPLETE"
if COMPLETE_VARIABLE in os.environ:  # our PowerShell, before click looks for the shell's class
    importlib.import_module("goexchange.cli.completing")

_ATTRIBUTES = {
    "exit-codes": "exit_codes",
    "help": "help_",
    "version": "version",
    "import": "import_",
    "run-due": "run_due",
}


class LazyGroup(click.Group):
    """Loads the module of a verb when the verb is used: `--help` imports nothing heavy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, or None."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"goexchange.cli.{VERBS[cmd_name][0]}")
        command: click.Command = getattr(module, _ATTRIBUTES.get(cmd_name, cmd_name))
        if COMPLETE_VARIABLE in os.environ:
            from goexchange.cli.completing import attach

            attach(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs and global options, without loading any verb."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            names = (name for each in self.params for name in each.opts)
            return [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return [
            CompletionItem(name, help=text)
            for name, (_, text) in sorted(VERBS.items())
            if name.startswith(incomplete)
        ]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, or an error that names the nearest ones."""
        name = args[0]
        if name not in VERBS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, VERBS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else " See goexchange --help."
            raise click.UsageError(f"There is no verb '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """The same text as without click."""
        return overview(VERBS, columns()).rstrip()


def _help(flags: str) -> str:
    return next(text for shown, text in OPTIONS.items() if shown.split()[0].strip(",") == flags)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C", "folder", type=click.Path(exists=True, file_okay=False), metavar="DIR", help=_help("-C")
)
@click.option("--inventory", metavar="PATH", help=_help("--inventory"))
@click.option("--profile", metavar="NAME", help=_help("--profile"))
@click.option("--store", metavar="PATH", help=_help("--store"))
@click.option("--key", metavar="FILE", help=_help("--key"))
@click.option("--json", "is_json", is_flag=True, help=_help("--json"))
@click.option("-v", "--verbose", count=True, help=_help("-v"))
@click.option("-q", "--quiet", is_flag=True, help=_help("-q"))
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help=_help("--color"),
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help=_help("--log-format"),
)
@click.pass_context
def cli(context: click.Context, /, **given: Any) -> None:
    """Options of every verb, and the folder to work in."""
    if given["folder"]:
        os.chdir(given["folder"])
    console = Console(
        is_json=given["is_json"],
        is_quiet=given["quiet"],
        colour=given["color"],
        is_log_json=given["log_format"] == "json",
    )
    options = {name: given[name] for name in ("inventory", "profile", "store", "key")}
    context.obj = (console, options)
