"""The verb `backups`: list, verify, prune."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.errors import ExitCode, GoexchangeError, UsageError

if TYPE_CHECKING:
    from goexchange.app.backups import Loose, Removal
    from goexchange.app.shadow_copies import CopyDecision
    from goexchange.backup.retention import Decision


@click.group("backups")
def backups() -> None:
    """The backup sets below some folders: by default the shares of the inventory, where this
    machine reaches them.
    """


@backups.command("list")
@click.argument("folders", nargs=-1, type=click.Path())
@click.pass_obj
def list_(obj: tuple[Console, dict[str, Any]], folders: tuple[str, ...]) -> int:
    """List every set below FOLDERS: database, age, size, standing. Reads manifests and sizes."""
    from goexchange.app.backups import look_at, loose_below
    from goexchange.codec import to_plain

    console, options = obj
    shelf = look_at(_folders(folders, options))
    console.data(_listed(shelf.sets, console))
    for folder, reason in shelf.unusable:
        console.data(f"x {folder}: {reason}")
    loose = loose_below(_folders(folders, options))
    if loose:
        console.data(_loose_words(loose))
    console.document(
        {
            "sets": [to_plain(each) for each in shelf.sets],
            "unusable": [{"folder": folder, "reason": why} for folder, why in shelf.unusable],
            "without_manifest": [to_plain(each) for each in loose],
        }
    )
    is_damaged = shelf.unusable or any(each.damage for each in shelf.sets)
    return int(ExitCode.DAMAGED if is_damaged else ExitCode.OK)


@backups.command("verify")
@click.argument("folders", nargs=-1, type=click.Path())
@click.option("--junit", "junit_file", metavar="FILE", help="Also write the result as JUnit XML.")
@click.pass_context
def verify_(context: click.Context, folders: tuple[str, ...], junit_file: str | None) -> int:
    """Verify every set below FOLDERS in full; ends as `verify` does."""
    from goexchange.app.backups import look_at
    from goexchange.cli.verify import verify

    console, options = context.obj
    shelf = look_at(_folders(folders, options))
    found = [each.folder for each in shelf.sets] + [folder for folder, _ in shelf.unusable]
    if not found:
        console.data("There is no set.")
        console.document({"paths": []})
        return int(ExitCode.OK)
    return int(context.invoke(verify, paths=tuple(found), junit_file=junit_file))


@backups.command("prune")
@click.argument("folders", nargs=-1, type=click.Path())
@click.option("--last", default=3, show_default=True, type=click.IntRange(1), metavar="N")
@click.option("--daily", default=0, show_default=True, type=click.IntRange(0), metavar="N")
@click.option("--weekly", default=0, show_default=True, type=click.IntRange(0), metavar="N")
@click.option("--yes", "is_sure", is_flag=True, help="Remove without asking.")
@click.pass_obj
def prune(obj: tuple[Console, dict[str, Any]], /, folders: tuple[str, ...], **given: Any) -> int:
    """Show which sets below FOLDERS may go and why, then remove them when told so.

    Keeps the newest proved sets of each database (--last), and the newest of each of the last days
    and weeks (--daily, --weekly). A set whose database has no proved backup since is never removed,
    nor a damaged one. The same holds for copies that runs of this store made by diskshadow, counted
    on their own; one whose backup was never proved, or that is not as its run recorded it, stays.
    Without --yes and without an answer at a terminal nothing is removed.
    """
    from goexchange.app.backups import decisions, look_at
    from goexchange.app.shadow_copies import decided_copies
    from goexchange.backup.retention import RetentionPolicy
    from goexchange.codec import to_plain

    console, options = obj
    shelf = look_at(_folders(folders, options))
    store = loading.configuration(options).store
    policy = RetentionPolicy(last=given["last"], daily=given["daily"], weekly=given["weekly"])
    decided = decisions(shelf, policy, store)
    for each in decided:
        console.data(f"{'keep  ' if each.is_kept else 'remove'}  {each.set.folder}: {each.reason}")
    for folder, reason in shelf.unusable:
        console.data(f"keep    {folder}: {reason}")
    copies = decided_copies(_folders(folders, options), policy, store)
    for copy in copies:
        what = f"copy by diskshadow, {copy.reason}"
        console.data(f"{'keep  ' if copy.is_kept else 'remove'}  {copy.folder}: {what}")
    going = _going(decided, copies, store)
    is_told = bool(going) and (given["is_sure"] or _is_told(going, console, options))
    failed = _remove(going, console) if is_told else []
    if going and not is_told:
        console.words("Nothing was removed: say --yes to remove these.")
    console.document(
        {
            "decisions": [to_plain(each) for each in decided],
            "shadow_copies": [to_plain(each) for each in copies],
            "unusable": [{"folder": folder, "reason": why} for folder, why in shelf.unusable],
            "is_done": is_told and not failed,
            "failed": failed,
        }
    )
    return int(ExitCode.INTERNAL if failed else ExitCode.OK)


_Going = tuple[str, int, "Callable[[], Removal]"]  # folder, bytes, and what removes it


def _going(
    decided: Sequence[Decision], copies: Sequence[CopyDecision], store: str
) -> list[_Going]:
    """What may go, sets and copies alike."""
    from goexchange.app.backups import remove_set
    from goexchange.app.shadow_copies import remove_copy

    found: list[_Going] = [
        (each.set.folder, each.set.total_bytes, partial(remove_set, each, store))
        for each in decided
        if not each.is_kept
    ]
    found += [
        (each.folder, each.copy.total_bytes, partial(remove_copy, each, store))
        for each in copies
        if not each.is_kept
    ]
    return found


def _remove(going: Sequence[_Going], console: Console) -> list[dict[str, str]]:
    """Remove each; one that cannot be removed does not hold up the others."""
    from goexchange.report.units import size_text

    failed = []
    for folder, _, remove in going:
        try:
            removal = remove()
        except (GoexchangeError, OSError) as error:
            failed.append({"folder": folder, "reason": str(error)})
            console.words(f"goexchange: {folder} was not removed: {error}")
            continue
        left = f"; left there: {', '.join(removal.left)}" if removal.left else ""
        console.data(f"removed {removal.folder}: {size_text(removal.freed_bytes)}{left}")
    return failed


def _is_told(going: Sequence[_Going], console: Console, options: dict[str, Any]) -> bool:
    """Ask at a terminal; silence, another word or no terminal is a no."""
    from goexchange.report.units import count_text, size_text

    if options.get("no_input") or console.is_json or not sys.stdin.isatty():
        return False
    freed = size_text(sum(size for _, size, _ in going))
    question = f"Remove {count_text(len(going), 'backup')} ({freed}) for good? Type yes:"
    return str(click.prompt(question, default="no", show_default=False, err=True)).strip() == "yes"


def _listed(sets: Sequence[Any], console: Console) -> str:
    from goexchange.report.table import Column, Frame, Row, table
    from goexchange.report.units import minute_text, size_text

    if not sets:
        return "There is no set."
    headings = (
        Column(heading="taken (UTC)"),
        Column(heading="database"),
        Column(heading="size", is_right=True),
        Column(heading="standing"),
        Column(heading="folder", is_flexible=True),
    )
    rows = [
        Row(
            cells=(
                minute_text(each.taken_at_utc),
                f"{each.server}/{each.database}",
                size_text(each.total_bytes),
                each.standing.value,
                each.folder + (f" ({each.damage})" if each.damage else ""),
            )
        )
        for each in sorted(sets, key=lambda one: (one.server, one.database, one.taken_at_utc))
    ]
    return "\n".join(table(headings, rows, Frame(width=console.width, indent=0)))


def _loose_words(loose: Sequence[Loose]) -> str:
    from goexchange.report.shown import shown
    from goexchange.report.units import size_text

    lines = [
        "Database files without a manifest are no sets: copies of online backups by diskshadow, or",
        "somebody's own. `verify FOLDER` reads them; restore does not know them, and prune only",
        "those that runs of this store have made.",
    ]
    lines += [
        f"  {shown(one.folder)}: {', '.join(map(shown, one.files))}, {size_text(one.total_bytes)}"
        for one in loose
    ]
    return "\n".join(lines)


def _folders(given: tuple[str, ...], options: dict[str, Any]) -> tuple[str, ...]:
    """The folders that were named, or where the inventory's shares are mounted here.

    Raises: UsageError when there is neither.
    """
    if given:
        return given
    inventory = loading.inventory(loading.configuration(options))
    mounted = tuple(each.mounted_at for each in inventory.shares if each.mounted_at)
    if not mounted:
        raise UsageError("name a folder: the inventory has no share that this machine reaches")
    return mounted
