"""The verbs `version`, `help` and `exit-codes`."""

from __future__ import annotations

import sys
import textwrap

import click

from goexchange import __version__
from goexchange.cli.console import Console
from goexchange.errors import ExitCode

EXIT_CODES: dict[ExitCode, tuple[str, str, str]] = {
    ExitCode.OK: ("ok", "success; for plan and show also: no changes", "as planned"),
    ExitCode.INTERNAL: (
        "internal",
        "a bug or an I/O error; the message says where the journal is",
        "see journal",
    ),
    ExitCode.CHANGES: (
        "changes",
        "plan and show with --detailed-exitcode: there is something to do",
        "no",
    ),
    ExitCode.INVALID: (
        "invalid",
        "a specification, inventory, configuration, plan or journal cannot be used",
        "no",
    ),
    ExitCode.LOCKED: (
        "locked",
        "the lease of a host is held by someone else: who, since, until",
        "no",
    ),
    ExitCode.STALE: (
        "stale",
        "premises of the plan no longer hold: the facts that changed are printed",
        "no",
    ),
    ExitCode.UNAPPROVED: (
        "unapproved",
        "an approval or consent is missing, expired, or for another digest",
        "no",
    ),
    ExitCode.NOT_NOW: (
        "not-now",
        "outside the window, a guard says no, the plan was applied already",
        "no",
    ),
    ExitCode.UNREACHABLE: ("unreachable", "a needed host could not be read before the start", "no"),
    ExitCode.AUTH: ("auth", "a secret could not be resolved or was refused", "no"),
    ExitCode.PARTIAL: ("partial", "finished with failures; every database is in service", "yes"),
    ExitCode.STOPPED: (
        "stopped",
        "ended by budget, request or window; every database is in service",
        "yes",
    ),
    ExitCode.LEFT_OFFLINE: (
        "left-offline",
        "at least one database is left out of service: a person is needed",
        "yes",
    ),
    ExitCode.UNKNOWN: ("unknown", "an outcome cannot be decided; resume looks or asks", "maybe"),
    ExitCode.ROLLBACK_FAILED: ("rollback-failed", "a way back did not reach its goal", "yes"),
    ExitCode.UNPROTECTED: (
        "unprotected",
        "in service, but a present file has no proved backup",
        "yes",
    ),
    ExitCode.DAMAGED: ("damaged", "verify found damage, or a set that cannot be restored", "no"),
    ExitCode.USAGE: ("usage", "a flag or argument that cannot be used", "no"),
    ExitCode.INTERRUPTED: (
        "interrupted",
        "stopped by the keyboard; everything in service, resumable",
        "see journal",
    ),
    ExitCode.TERMINATED: (
        "terminated",
        "stopped by a signal; everything in service, resumable",
        "see journal",
    ),
}


def exit_codes_text() -> str:
    """The table of exit codes, 80 columns."""
    lines = ["code  name             changed?     meaning"]
    for code, (name, meaning, changed) in EXIT_CODES.items():
        first, *more = textwrap.wrap(meaning, 80 - 36)
        lines.append(f"{int(code):>4}  {name:<15}  {changed:<11}  {first}")
        lines += [" " * 36 + line for line in more]
    lines.append("")
    lines.append("The most severe wins: 24, 22, 23, 1, 25, 21, 20, then 143 and 130.")
    return "\n".join(lines)


@click.command("version")
@click.pass_obj
def version(obj: tuple[Console, dict[str, object]]) -> None:
    """Print the version of goexchange and of Python."""
    console = obj[0]
    python = ".".join(str(part) for part in sys.version_info[:3])
    console.data(f"goexchange {__version__} (Python {python})")
    console.document({"goexchange": __version__, "python": python})


@click.command("exit-codes")
@click.pass_obj
def exit_codes(obj: tuple[Console, dict[str, object]]) -> None:
    """List the exit codes."""
    console = obj[0]
    console.data(exit_codes_text())
    console.document(
        [
            {"code": int(code), "name": name, "meaning": meaning, "changed": changed}
            for code, (name, meaning, changed) in EXIT_CODES.items()
        ]
    )


@click.command("help")
@click.argument("topic", required=False)
@click.pass_context
def help_(context: click.Context, topic: str | None) -> None:
    """Show help for TOPIC: exit-codes, or a verb."""
    group = context.parent
    assert group is not None and isinstance(group.command, click.Group)
    if topic is None:
        click.echo(group.get_help())
    elif topic == "exit-codes":
        context.invoke(exit_codes)
    else:
        command = group.command.resolve_command(group, [topic])[1]
        assert command is not None
        with click.Context(command, info_name=topic, parent=group) as inner:
            click.echo(command.get_help(inner))
