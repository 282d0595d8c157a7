"""The verb `notify`: what people were told, what waits, a test message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from goexchange import codec
from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from goexchange.model.notice import Delivery


@click.group("notify")
def notify() -> None:
    """Notifications: what was sent and what waits, a test message, sending what is due.

    Writes the store's outbox; changes no host.
    """


@notify.command("list")
@click.option("--run", metavar="RUN", help="Only of this run ('last' for the newest).")
@click.pass_obj
def list_(obj: tuple[Console, dict[str, Any]], run: str | None) -> None:
    """What the outbox holds: event, channel, state, attempts."""
    from pathlib import Path

    from goexchange.app.notifying import outbox_of
    from goexchange.store.runs import Runs

    console, options = obj
    settings = loading.configuration(options)
    name = None if run is None else Runs(Path(settings.store)).find(run).id
    found = outbox_of(settings).list(name)
    for one in found:
        console.data(_line(one))
    if not found:
        console.data("Nothing was to be sent.")
    console.document({"notifications": [_plain(one) for one in found]})


@notify.command("test")
@click.option("--channel", "channels", multiple=True, metavar="NAME", help="Only this channel.")
@click.option("--to", multiple=True, metavar="ADDRESS", help="Whom to mail it to.")
@click.pass_obj
def test(
    obj: tuple[Console, dict[str, Any]], /, channels: tuple[str, ...], to: tuple[str, ...]
) -> int:
    """Send a sample message over every channel of the configuration, and say what became of it."""
    from goexchange.app.sending import send_sample
    from goexchange.errors import AuthenticationRefused
    from goexchange.notify.failure import DeliveryFailed

    console, options = obj
    settings = loading.configuration(options)
    known = {channel.name: channel for channel in settings.notify_channels}
    unknown = sorted(set(channels) - set(known))
    if unknown or not known:
        listed = ", ".join(sorted(known)) or "none"
        raise UsageError(
            f"--channel: the configuration has no {', '.join(unknown) or 'channels'};"
            f" notify.channels has: {listed}"
        )
    code, results = ExitCode.OK, []
    for name in channels or sorted(known):
        try:
            words = send_sample(known[name], to or settings.notify_urgent.to, settings)
            state = "delivered"
        except (DeliveryFailed, AuthenticationRefused) as error:
            words, state, code = str(error), "failed", ExitCode(error.exit_code)
        console.data(f"{state:<10} {name:<12} {words}")
        results.append({"channel": name, "state": state, "words": words})
    console.document({"channels": results})
    return int(code)


@notify.command("flush")
@click.option("--wait", "limit", metavar="DURATION", help="Try again for this long.")
@click.pass_obj
def flush(obj: tuple[Console, dict[str, Any]], limit: str | None) -> int:
    """Send everything that is due: run it from a scheduler, so that announcements go out in time.

    Reads the journals of the store first: what a dead controller did not get to send is sent now.
    """
    from goexchange.app.sending import flush as flush_outbox

    console, options = obj
    settings = loading.configuration(options)
    wait_s = _seconds(limit)
    done = flush_outbox(settings, wait_s=wait_s, tell=lambda one: console.data(_line(one)))
    if done.waiting:
        console.data(f"{len(done.waiting)} wait for their time, or to be tried again")
    elif not done.settled:
        console.data("Nothing is due.")
    console.document(
        {
            "settled": [_plain(one) for one in done.settled],
            "waiting": [_plain(one) for one in done.waiting],
        }
    )
    is_stuck = any(one.attempts for one in done.waiting)
    return int(ExitCode.UNREACHABLE if is_stuck else ExitCode.OK)


def _line(one: Delivery) -> str:
    about = one.event.variables.get("database") or one.event.run or ""
    tries = f", {one.attempts} attempts" if one.attempts > 1 else ""
    told = f"  {one.words}" if one.words else ""
    due = f"{one.event.due_at_utc:%Y-%m-%d %H:%M:%S}Z"
    where = f"{one.channel} ({one.event.audience})"
    return f"{one.state.value:<9} {due}  {one.event.event:<24} {where:<20} {about}{tries}{told}"


def _plain(one: Delivery) -> dict[str, Any]:
    found: dict[str, Any] = codec.to_plain(one)
    return found


def _seconds(text: str | None) -> float:
    from goexchange.reading import duration_s

    try:
        return 0.0 if text is None else float(duration_s(text))
    except ValueError as error:
        raise UsageError(f"--wait: {error}; write it like 30s or 5m") from error
