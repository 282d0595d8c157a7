"""The verbs `due` and `run-due`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.cli.moment import moment_option
from goexchange.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from goexchange.app.due import DueItem, DueRequest, Unprotected
    from goexchange.app.run_due import Applied, Apply, PassResult
    from goexchange.model.plan import Plan

PLANS = "plans"
AHEAD = "24h"
COMING_NOTICES = 3


@click.command("due")
@click.argument("specs", nargs=-1, type=click.Path())
@click.option("--plans", default=PLANS, show_default=True, metavar="DIR", help="Where plans lie.")
@click.option("--at", "moment", metavar="TIME", help="As of TIME (RFC 3339 with zone).")
@click.pass_obj
def due(obj: tuple[Console, dict[str, Any]], /, specs: tuple[str, ...], **given: Any) -> int:
    """Show what is due when, per specification: due time, window, what was missed, which plan.

    Asks no server. `run-due` does what this shows.
    """
    from goexchange.app.due import due_items, past_of, unprotected
    from goexchange.codec import to_plain
    from goexchange.store.hold import read_hold

    console, options = obj
    request = _request(options, specs, given, now=moment_option(given["moment"]))
    past = past_of(request.store)
    items, bare = due_items(request, past), unprotected(past)
    hold = read_hold(request.store)
    if hold is not None:
        console.data(f"! {hold}: nothing new starts (goexchange hold off)")
    console.data("\n".join(_table(items, console)))
    console.data("\n".join(_notes(items, bare)) or "")
    console.document(
        {
            "at_utc": to_plain(request.now),
            "hold": None if hold is None else str(hold),
            "specifications": [{**to_plain(each), "is_due": each.due.is_due} for each in items],
            "unprotected": [to_plain(each) for each in bare],
        }
    )
    return int(ExitCode.OK)


@click.command("run-due")
@click.argument("specs", nargs=-1, type=click.Path())
@click.option("--plans", default=PLANS, show_default=True, metavar="DIR", help="Where plans lie.")
@click.option(
    "--ahead",
    default=AHEAD,
    show_default=True,
    metavar="DURATION",
    help="Make the plan this long before it is due, for its approval.",
)
@click.pass_obj
def run_due(obj: tuple[Console, dict[str, Any]], /, specs: tuple[str, ...], **given: Any) -> int:
    """Make one pass, for cron or a pipeline's schedule: apply what is due and approved.

    A plan is made before its time and kept in the plans folder; with an approval beside it, it is
    applied when it is due. Missed due times and databases without a proved backup are said. Starts
    nothing while the store is on hold, and only one pass is at work at a time (11). Writes hosts.
    """
    from goexchange.app.run_due import run_due as make_pass
    from goexchange.codec import to_plain

    console, options = obj
    request = _request(options, specs, given, now=None)
    result = make_pass(
        request, ahead=_ahead(given["ahead"]), apply=_applier(request, console, options)
    )
    for line in _said(result):
        console.data(line)
    console.document({**to_plain(result), "exit_code": int(result.exit_code)})
    return int(result.exit_code)


@frozen(kw_only=True)
class Spoken(Console):
    """Says results as words: the one JSON document of this invocation is the pass's."""

    def data(self, text: str) -> None:
        """A result, on standard error."""
        self.words(text.rstrip("\n"))

    def document(self, plain: Any) -> None:
        """Nothing."""


def _spoken(console: Console) -> Console:
    return Spoken(is_quiet=console.is_quiet, colour=console.colour) if console.is_json else console


def _request(
    options: dict[str, Any], specs: tuple[str, ...], given: dict[str, Any], *, now: datetime | None
) -> DueRequest:
    from goexchange.app.due import DueRequest

    settings = loading.configuration(options)
    inventory = loading.inventory(settings)
    return DueRequest(
        specifications=loading.specifications(specs, settings, inventory),
        inventory=inventory,
        settings=settings,
        plans=Path(given["plans"]),
        now=now or datetime.now(UTC).replace(microsecond=0),
    )


def _ahead(text: str) -> timedelta:
    from goexchange.reading import duration_s

    try:
        return timedelta(seconds=duration_s(text))
    except ValueError as error:
        raise UsageError(f"--ahead: {error}; write it like 24h") from error


def _applier(request: DueRequest, console: Console, options: dict[str, Any]) -> Apply:
    """Applies as the verb `apply` does, with its progress and its reports."""

    def apply(plan: Plan, file: str) -> Applied:
        from goexchange.app import running
        from goexchange.app.approving import require_approved
        from goexchange.app.policies import key_of
        from goexchange.cli.running import finish, watcher

        site = running.Site(inventory=request.inventory, settings=request.settings)
        approved = require_approved(plan, file, request.inventory, key=key_of(options))
        ended = running.apply(
            plan, Path(file).read_bytes(), approved, site=site, watch=watcher(console)
        )
        code = ExitCode(finish(_spoken(console), request.settings, ended))
        return code, ended.run.id if ended.has_begun else None, ended.result.verdict

    return apply


def _table(items: tuple[DueItem, ...], console: Console) -> list[str]:
    from goexchange.report.table import Column, Frame, Row, table
    from goexchange.report.units import minute_text, zone_of

    columns = (
        Column(),
        Column(heading="specification", width_max=24),
        Column(heading="is", width_max=14),
        Column(heading="due"),
        Column(heading="may start"),
        Column(heading="plan", is_flexible=True),
    )
    rows = []
    for each in items:
        zone = zone_of(each.zone)
        times = [
            "" if moment is None else minute_text(moment, zone)
            for moment in (each.due.due_at_utc, each.due.begins_at_utc)
        ]
        symbol = "~" if each.due.is_due else "!" if each.due.missed_at_utc else "="
        rows.append(Row(cells=(symbol, each.name, _standing(each), *times, _plan_words(each))))
    return table(columns, rows, Frame(width=console.width, indent=0))


def _standing(item: DueItem) -> str:
    from goexchange.schedule.due import Standing

    return {
        Standing.NO_DUE_TIME: "not scheduled",
        Standing.WAITING: "waiting",
        Standing.DUE: "due",
        Standing.LATE: "due, late",
        Standing.MISSED: "missed",
    }[item.due.standing]


def _plan_words(item: DueItem) -> str:
    if item.plan is None:
        return ""
    return f"{item.plan.file} ({'approved' if item.plan.is_approved else 'not approved'})"


def _notes(items: tuple[DueItem, ...], bare: tuple[Unprotected, ...]) -> list[str]:
    from goexchange.report.units import minute_text, zone_of

    lines = []
    for each in items:
        zone = zone_of(each.zone)
        if each.due.missed_at_utc is not None:
            missed = minute_text(each.due.missed_at_utc, zone)
            lines.append(f"! {each.name}: the start at {missed} {each.zone} was missed")
        if each.check is not None:
            at = minute_text(each.check.due_at_utc, zone)
            is_due = "is due since" if each.check.is_due else "is due next at"
            lines.append(f"  {each.name}: the resource check {is_due} {at} {each.zone}")
        for notice in each.notices[:COMING_NOTICES]:
            to = ", ".join(notice.recipients) or notice.audience
            at = minute_text(notice.at_utc, zone)
            lines.append(f"  {each.name}: outage notice to {to} at {at} {each.zone}")
    lines += [
        f"! {each.address} is unprotected since run {each.run}: {each.commands[0]}" for each in bare
    ]
    return lines


def _said(result: PassResult) -> list[str]:
    from goexchange.report.units import minute_text, zone_of

    lines = []
    for one in result.checked:
        lines.append(f"{one.item.name}: resource check: {one.text}")
        problems = () if one.check is None else one.check.problems
        lines += [f"  {found.address}: {found.text}" for found in problems]
    for each in result.passed:
        zone = zone_of(each.item.zone)
        begins = each.item.due.begins_at_utc
        when = "" if begins is None else f", starts {minute_text(begins, zone)} {each.item.zone}"
        lines.append(f"{each.item.name}: {_standing(each.item)}{when}: {each.done.value}")
        if each.text:
            lines.append(f"  {each.text}")
        missed = each.item.due.missed_at_utc
        if missed is not None:
            first = " (said for the first time)" if each.is_missed_now else ""
            at = minute_text(missed, zone)
            lines.append(f"  ! the start at {at} {each.item.zone} was missed{first}")
    lines += [
        f"! {each.address} is unprotected since run {each.run}: {each.commands[0]}"
        for each in result.unprotected
    ]
    return lines + [f"! {each}" for each in result.not_told]
