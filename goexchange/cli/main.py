"""The command line: global options, lazily loaded verbs, errors become exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.errors import ExitCode, GoexchangeError

# verb -> (module, what --help says, what it writes)
VERBS: dict[str, tuple[str, str]] = {
    "apply": ("apply", "Carry out a saved plan (writes hosts)"),
    "approve": ("approve", "State consent to a plan's digest (writes the store)"),
    "backups": ("backups", "List, verify and prune backup sets (prune removes files)"),
    "config": ("config", "Show every setting and where it comes from (reads)"),
    "exit-codes": ("help", "List the exit codes and what to do next (reads)"),
    "help": ("help", "Show help for a topic: exit-codes, or a verb (reads)"),
    "lab": ("lab", "The simulated site: up, down, demo"),
    "observe": ("observe", "Read the servers' facts (reads)"),
    "plan": ("plan", "Compare specifications with the hosts and save the plan (reads)"),
    "report": ("report", "Render the report of a run (reads)"),
    "restore": ("restore", "Copy a verified set to a folder (writes that folder)"),
    "resume": ("resume", "Continue a run that was interrupted (writes hosts)"),
    "schema": ("schema", "Publish the JSON Schemas for editors (reads)"),
    "show": ("show", "Render a plan or a run, without network (reads)"),
    "validate": ("validate", "Check documents offline: every error at once (reads)"),
    "verify": ("verify", "Check databases, logs and backup sets, anywhere (reads)"),
    "version": ("help", "Print the version (reads)"),
}
_ATTRIBUTES = {"exit-codes": "exit_codes", "help": "help_", "version": "version"}


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
        return command

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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, without loading any of them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(VERBS.items())])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Work as if started in DIR.",
)
@click.option("--inventory", metavar="PATH", help="Inventory file or folder.")
@click.option("--profile", metavar="NAME", help="Profile of the configuration to use.")
@click.option("--store", metavar="PATH", help="Where runs, journals and leases are kept.")
@click.option(
    "--json",
    "is_json",
    is_flag=True,
    help="Exactly one JSON document on standard output, on failure too.",
)
@click.option("-v", "--verbose", count=True, help="Also show where an internal error happened.")
@click.option("-q", "--quiet", is_flag=True, help="No words but errors.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True
)
@click.pass_context
def cli(context: click.Context, /, **given: Any) -> None:
    """Declarative, guarded maintenance of Exchange Server databases.

    Specifications say what has to be true; `plan` shows the difference; `apply` carries out a
    saved plan, step by step,
    journalled and resumable; `report` says what happened. Only apply, resume and lab change
    anything beyond this machine's
    files.
    """
    if given["folder"]:
        os.chdir(given["folder"])
    console = Console(
        is_json=given["is_json"],
        is_quiet=given["quiet"],
        colour=given["color"],
    )
    options = {name: given[name] for name in ("inventory", "profile", "store")}
    context.obj = (console, options)


FLAGS_ANYWHERE = {"--json", "--quiet"}
VALUES_ANYWHERE = {"--inventory", "--profile", "--store", "--color"}


def hoisted(words: Sequence[str]) -> list[str]:
    """Global options may also stand after the verb, where people type them: they are moved before
    it.
    """
    front: list[str] = []
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            rest += [word, *queue]
            break
        name = word.partition("=")[0]
        if name in FLAGS_ANYWHERE or (name in VALUES_ANYWHERE and "=" in word):
            front.append(word)
        elif name in VALUES_ANYWHERE and queue:
            front += [word, queue.pop(0)]
        else:
            rest.append(word)
    return front + rest


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry of the `goexchange` command; ends the process with the right code."""
    words = hoisted(sys.argv[1:] if arguments is None else arguments)
    console = Console(is_json="--json" in words)
    try:
        result = cli.main(args=words, prog_name="goexchange", standalone_mode=False)
        code = int(result) if isinstance(result, int) else 0
    except click.UsageError as error:
        _usage(console, error)
        code = int(ExitCode.USAGE)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("goexchange: interrupted; nothing new was started\n")
        code = int(ExitCode.INTERRUPTED)
    except GoexchangeError as error:
        console.error(error)
        code = int(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = int(ExitCode.INTERNAL)
    except Exception as error:  # noqa: BLE001 - a bug of ours: said as one, never shown as a raw trace
        _bug(console, error, is_verbose=bool({"-v", "--verbose", "-vv"} & set(words)))
        code = int(ExitCode.INTERNAL)
    sys.exit(code)


def _bug(console: Console, error: Exception, *, is_verbose: bool) -> None:
    import traceback

    place = traceback.extract_tb(error.__traceback__)[-1]
    message = (
        f"a mistake in goexchange itself: {type(error).__name__}: {error} "
        f"({Path(place.filename).name}:{place.lineno})"
    )
    if console.is_json:
        code = int(ExitCode.INTERNAL)
        console.document(
            {"error": {"id": "internal", "exit_code": code, "message": message, "diagnostics": []}}
        )
    if is_verbose:
        traceback.print_exception(error)
    sys.stderr.write(f"goexchange: {message}\nPlease report it; -v shows where it happened.\n")


def _usage(console: Console, error: click.UsageError) -> None:
    message = error.format_message()
    if console.is_json:
        console.document(
            {
                "error": {
                    "id": "usage",
                    "exit_code": int(ExitCode.USAGE),
                    "message": message,
                    "diagnostics": [],
                }
            }
        )
    where = error.ctx.command_path if error.ctx else "goexchange"
    sys.stderr.write(f"goexchange: {message}\nTry: {where} --help\n")


if __name__ == "__main__":
    main()
