"""The command line: arguments in, exit code out; click is loaded when a verb is used."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from goexchange.cli.overview import overview

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from goexchange.cli.console import Console

# verb -> (module, what --help says, what it writes)
VERBS: dict[str, tuple[str, str]] = {
    "abort": ("operate", "Ask a run for the way back now (writes the store)"),
    "apply": ("apply", "Carry out a saved plan (writes hosts)"),
    "approve": ("approve", "State consent to a plan's digest (writes the store)"),
    "backups": ("backups", "List, verify and prune backup sets (prune removes files)"),
    "check": ("check", "The resource check: would a run start, what does it rest on (reads)"),
    "completion": ("completion", "Print what a shell needs to complete words (reads)"),
    "config": ("config", "Show every setting and where it comes from (reads)"),
    "diff": ("diff", "Compare what two saved plans ask for, without network (reads)"),
    "doctor": ("doctor", "Try what the tool needs of a server (writes hosts, its own folder)"),
    "drift": ("drift", "Report what differs from specifications and the last run (reads)"),
    "due": ("due", "Show what is due when, what was missed, what lies ready (reads)"),
    "exit-codes": ("help", "List the exit codes and what to do next (reads)"),
    "fmt": ("fmt", "Bring documents into canonical form, comments kept (writes them)"),
    "help": ("help", "Show help for a topic: exit-codes, or a verb (reads)"),
    "history": ("history", "How long work took in earlier runs of a server (reads)"),
    "hold": (
        "operate",
        "Let nothing new start from this store, or let it again (writes the store)",
    ),
    "import": ("import_", "Write drafts from what the servers report (reads hosts)"),
    "init": ("init", "Write the files of a new repository, pipelines too"),
    "journal": ("journal", "Read, verify and export the journal of a run (reads)"),
    "lab": ("lab", "The simulated site: up, down, demo"),
    "leftovers": ("leftovers", "What runs have left, and why it may go (--remove writes hosts)"),
    "lock": ("lock", "List leases; break one that nobody will give back (break writes the store)"),
    "notify": ("notify", "Notifications: list, test, send what is due (writes the store)"),
    "observe": ("observe", "Read the servers' facts (reads)"),
    "pause": ("operate", "Let a run begin no new step (writes the store)"),
    "pilot": (
        "pilot",
        "Try the whole script on a scratch database of a server (writes hosts)",
    ),
    "plan": ("plan", "Compare specifications with the hosts and save the plan (reads)"),
    "proceed": ("operate", "Let a paused run go on (writes the store)"),
    "rehearse": ("rehearse", "Play a plan on a twin of its hosts, with faults (reads)"),
    "release": ("release", "Bring back into service what a dead run left (writes hosts)"),
    "report": ("report", "Render the report of a run (reads)"),
    "restore": ("restore", "Plan a set's way back to a server, or copy it here (reads hosts)"),
    "resume": ("resume", "Continue a run that was interrupted (writes hosts)"),
    "rollback": ("rollback", "Undo a run: its own way back, or a plan for it (writes hosts)"),
    "runs": ("runs", "List the runs of the store; prune old ones (prune writes the store)"),
    "run-due": ("due", "One pass of a scheduler: apply what is due and approved (writes hosts)"),
    "schema": ("schema", "Publish the JSON Schemas for editors (reads)"),
    "show": ("show", "Render a plan or a run, without network (reads)"),
    "site": ("across", "A static site of all runs of the store (writes a folder)"),
    "status": ("status", "Show what runs, and what waits for a person (reads)"),
    "stop": ("operate", "Let a run finish what is in hand and start no other (writes the store)"),
    "test": ("test", "Run specification tests, on facts or a simulated site (reads)"),
    "trend": ("across", "All runs of the store together: sizes, time offline, rates (reads)"),
    "validate": ("validate", "Check documents offline: every error at once (reads)"),
    "verify": ("verify", "Check databases, logs and backup sets, anywhere (reads)"),
    "version": ("help", "Print the version (reads)"),
    "watch": ("status", "Follow a run, or the whole store (reads)"),
    "window": ("window", "The next openings of maintenance windows (reads)"),
}

FLAGS_ANYWHERE = {"--json", "--quiet"}
VALUES_ANYWHERE = {"--inventory", "--profile", "--store", "--color", "--key", "--log-format"}


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
    if words in (["-h"], ["--help"]):  # the first thing one types is instant
        sys.stdout.write(overview(VERBS, columns()))
        sys.exit(0)
    _run(words)


def columns() -> int:
    """The width of help: the terminal's, 80 without one, never more than 100."""
    asked = os.environ.get("COLUMNS", "")
    try:
        found = int(asked) if asked.isdecimal() else os.get_terminal_size().columns
    except OSError:
        found = 80
    return min(max(found, 60), 100)


def _run(words: list[str]) -> None:
    import gc

    import click

    from goexchange.cli.console import Console
    from goexchange.cli.group import cli
    from goexchange.errors import ExitCode, GoexchangeError

    # Plans and facts are trees without cycles: looking through them at every 700 new values costs a
    # tenth of the time of a large plan and finds nothing.
    gc.set_threshold(50_000, 20, 20)
    is_log_json = "--log-format=json" in words or "--log-format json" in " ".join(words)
    console = Console(is_json="--json" in words, is_log_json=is_log_json)
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
    gc.freeze()  # the interpreter's own last collection has nothing to look through either
    sys.exit(code)


def _bug(console: Console, error: Exception, *, is_verbose: bool) -> None:
    import traceback
    from pathlib import Path

    from goexchange.errors import ExitCode

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
    from goexchange.errors import ExitCode

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
