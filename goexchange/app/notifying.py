"""Notifications around a run: raised from the journal, kept in the outbox, sent by a child.

Nothing here can stop, delay or fail a run. Events go into the outbox after their record is flushed;
a child process of its own does the sending. What could not be written is found again in the
journal by whoever looks next.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from goexchange.app.planning import read_plan
from goexchange.app.templating import check_templates
from goexchange.driver.ending import commands_for
from goexchange.errors import InvalidDocument
from goexchange.journal.replay import replay
from goexchange.model.configuration import Configuration
from goexchange.model.notice import Delivery, DeliveryState, Event
from goexchange.model.plan import Lane, Plan
from goexchange.model.run import Record
from goexchange.report.events import URGENT, EventReader, outage_events, run_events
from goexchange.report.units import count_text
from goexchange.store.journal_file import read_journal
from goexchange.store.outbox import Outbox, OutboxUnusable
from goexchange.store.runs import RunFolder, Runs

OUTBOX_FILE = "outbox.sqlite"
LOOK_EVERY_S = 5.0  # how often a run asks whether something waits to be sent again
CHILD_WAIT_S = 15  # how long the last child of a run tries
END_WAIT_S = 20.0  # how long the end of a run waits for it
HURRIED_END_WAIT_S = 1.0


class Watch(Protocol):
    """Who is shown the run."""

    def show(self, record: Record) -> None:
        """A record is safely on the disk."""

    def tick(self) -> None:
        """Time goes by."""

    def close(self) -> None:
        """The run, or this process's part of it, is over."""


def outbox_of(settings: Configuration) -> Outbox:
    """The outbox of the store. Raises: OutboxUnusable."""
    return Outbox(Path(settings.store) / OUTBOX_FILE)


def has_notices(plan: Plan, settings: Configuration) -> bool:
    """Whether anybody is ever told of this plan's run."""
    return bool(plan.body.notices or settings.notify_urgent.channels)


def check_notices(plan: Plan, settings: Configuration) -> None:
    """Everything that would keep a message from being made: unknown channels, wrong templates.

    Raises: InvalidDocument; before a run starts, never after.
    """
    known = {channel.name for channel in settings.notify_channels}
    wanted = {name: f"the notice {one.event}" for one in plan.body.notices for name in one.channels}
    wanted |= dict.fromkeys(settings.notify_urgent.channels, "notify.urgent")
    for name in sorted(set(wanted) - known):
        listed = ", ".join(sorted(known)) or "none"
        raise InvalidDocument(
            f"{wanted[name]} is to be sent over the channel '{name}', which the configuration does"
            f" not have (notify.channels has: {listed}); nothing was changed"
        )
    check_templates(plan, settings)


def entries(events: Sequence[Event], settings: Configuration) -> Iterator[tuple[Event, str]]:
    """Each event with each channel that it goes to; urgent ones have those of the configuration
    when the specification names none.
    """
    from attrs import evolve

    urgent = settings.notify_urgent
    names = {one.value for one in URGENT}
    for event in events:
        if not event.channels and event.event in names:
            event = evolve(event, recipients=event.recipients or urgent.to)
            yield from ((event, channel) for channel in urgent.channels)
        else:
            yield from ((event, channel) for channel in event.channels)


def announce(plan: Plan, settings: Configuration) -> tuple[Event, ...]:
    """Put the announcements of a plan's outage into the outbox, each for its time.

    Raises: InvalidDocument, as `check_notices`.
    """
    events = outage_events(plan)
    if events:
        check_notices(plan, settings)
        outbox_of(settings).add(entries(events, settings))
    return events


def catch_up(settings: Configuration) -> int:
    """Read every journal that has grown and put in what is not in the outbox; how many were new."""
    outbox, count = outbox_of(settings), 0
    for run in Runs(Path(settings.store)).list():
        size = run.journal_path.stat().st_size if run.journal_path.exists() else 0
        if not size or outbox.has_read(run.id, size):
            continue
        try:
            plan = read_plan(str(run.plan_path))
        except InvalidDocument:
            continue  # a run of another version does not keep the others' messages back
        events = run_events(plan, read_journal(run.journal_path).records, commands(plan))
        count += outbox.add(entries(events, settings))
        outbox.note_read(run.id, size)
    return count


def deliveries_of(run: RunFolder, store: Path) -> tuple[Delivery, ...]:
    """What the outbox has of a run and of its plan's announcements; nothing without an outbox."""
    path = store / OUTBOX_FILE
    if not path.exists():
        return ()
    announced = {event.id for event in outage_events(read_plan(str(run.plan_path)))}
    try:
        found = Outbox(path).list()
    except OutboxUnusable:
        return ()
    return tuple(one for one in found if one.event.run == run.id or one.event.id in announced)


def commands(plan: Plan) -> Callable[[Lane, Sequence[Record]], tuple[str, ...]]:
    """What a person types for a lane of the plan, by the records so far."""

    def of_lane(lane: Lane, records: Sequence[Record]) -> tuple[str, ...]:
        try:
            return commands_for(lane, replay(records))
        except (LookupError, TypeError, ValueError, AttributeError):
            return ()  # a journal of another version: people are told without the commands

    return of_lane


class NotifyingWatch:
    """Shows the run to another watch, and tells people.

    `is_hurried` says that this process was asked to end: it waits for nobody then.
    """

    def __init__(
        self,
        watch: Watch,
        plan: Plan,
        run: RunFolder,
        *,
        settings: Configuration,
        is_hurried: Callable[[], bool],
    ) -> None:
        self._watch = watch
        self._run = run
        self._settings = settings
        self._is_hurried = is_hurried
        self.remarks: list[str] = []
        self._reader = EventReader(plan, commands(plan))
        self._child: subprocess.Popen[bytes] | None = None
        self._looked = 0.0
        self._outbox: Outbox | None = None
        self._has_news = False
        try:
            self._outbox = outbox_of(settings)
            self._outbox.add(entries(outage_events(plan), settings))
            self._has_news = True
        except OutboxUnusable as error:
            self._failed(error)

    def replay(self, records: Sequence[Record]) -> None:
        """Take what an earlier process of this run wrote: events that it did not get to put in."""
        for record in records:
            self._take(record)

    def show(self, record: Record) -> None:
        """Take a record that is safely on the disk."""
        self._watch.show(record)
        self._take(record)

    def tick(self) -> None:
        """Time goes by; start a child when something is to be sent."""
        self._watch.tick()
        self._send()

    def close(self) -> None:
        """Give the last messages a little time, then leave them to whoever sends next."""
        self._watch.close()
        limit = HURRIED_END_WAIT_S if self._is_hurried() else END_WAIT_S
        deadline = time.monotonic() + limit
        self._looked = 0.0
        while time.monotonic() < deadline:
            if self._child is not None and self._child.poll() is None:
                time.sleep(0.05)
            elif not self._send():
                break
        waiting = self._waiting()
        if waiting:
            one = waiting[0]
            self.remarks.append(
                f"{count_text(len(waiting), 'notification')} not sent yet"
                f" ({one.channel}: {one.words or 'not tried yet'});"
                " goexchange notify flush tries again"
            )

    def _take(self, record: Record) -> None:
        events = self._reader.take(record)
        if not events or self._outbox is None:
            return
        try:
            if self._outbox.add(entries(events, self._settings)):
                self._has_news = True
        except OutboxUnusable as error:
            self._failed(error)

    def _send(self) -> bool:
        """Start a child when something is due and none is at work; whether one is at work."""
        if self._outbox is None:
            return False
        if self._child is not None and self._child.poll() is None:
            return True
        moment = time.monotonic()
        if not self._has_news and moment - self._looked < LOOK_EVERY_S:
            return False
        self._looked, self._has_news = moment, False
        now = datetime.now(UTC)
        try:
            due = self._outbox.next_at(now)
            if due is None or due > now:
                return False
            self._child = subprocess.Popen(
                [*_command(self._settings), "--wait", f"{CHILD_WAIT_S}s"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is the run's, not the message's
            )
        except (OutboxUnusable, OSError) as error:
            self._failed(error)
            return False
        return True

    def _waiting(self) -> tuple[Delivery, ...]:
        if self._outbox is None:
            return ()
        try:
            found = self._outbox.list(self._run.id)
        except OutboxUnusable:
            return ()
        return tuple(one for one in found if one.state is DeliveryState.WAITING)

    def _failed(self, error: Exception) -> None:
        """Said once; the run goes on, and the journal still has every event."""
        self._outbox = None
        self.remarks.append(
            f"notifications could not be kept ({error}); the journal has them:"
            " goexchange notify flush sends them"
        )


def _command(settings: Configuration) -> list[str]:
    words = [sys.executable, "-m", "goexchange", "--quiet", "--store", settings.store]
    if settings.profile is not None:
        words += ["--profile", settings.profile]
    return [*words, "notify", "flush"]
