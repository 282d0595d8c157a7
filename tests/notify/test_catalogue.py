"""Every event of the catalogue, over real mail and a real web server, to both audiences."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

pytest.importorskip("aiosmtpd", reason="the extra 'test' has aiosmtpd")

from goexchange.app.notifying import entries  # noqa: E402
from goexchange.app.telling import missed_events  # noqa: E402
from goexchange.codec import time_text  # noqa: E402
from goexchange.journal.chain import line_of  # noqa: E402
from goexchange.model.configuration import Configuration  # noqa: E402
from goexchange.model.desired import Audience, Notification, NotificationEvent  # noqa: E402
from goexchange.model.notice import Event  # noqa: E402
from goexchange.model.plan import Plan, PlannedNotice  # noqa: E402
from goexchange.model.run import Record, RecordKind  # noqa: E402
from goexchange.plan.sealing import dump, seal  # noqa: E402
from goexchange.report.events import outage_events, run_events  # noqa: E402
from goexchange.report.message_variables import sample_variables  # noqa: E402
from goexchange.settings.loading import load_configuration  # noqa: E402
from goexchange.store.outbox import Outbox  # noqa: E402
from tests.notify.servers import (  # noqa: E402
    PASSWORD,
    USER,
    Hook,
    certificate,
    free_port,
    web_server,
)
from tests.notify.test_delivery import CONFIGURATION, HOOK_SECRET, Store, wait_for  # noqa: E402
from tests.unit.plan.builders import spec  # noqa: E402
from tests.unit.report import conftest as nights  # noqa: E402

NOW = datetime.now(UTC).replace(microsecond=0)
BOTH = ("mail", "hook")
CATALOGUE = {event.value for event in NotificationEvent}
WITH_REPORT = {"maintenance-finished", "maintenance-failed"}


def notice(event: str, audience: str, **changes: Any) -> PlannedNotice:
    return PlannedNotice(
        event=event,
        audience=audience,
        recipients=(f"{audience}@contoso.example",),
        channels=BOTH,
        specification="weekly-preventative",
        **changes,
    )


def everything() -> tuple[PlannedNotice, ...]:
    """Each event to users and to operators, the outage at two lead times."""
    return tuple(
        notice(event, audience, before_s=(259_200, 7_200) if "outage" in event else ())
        for event in sorted(CATALOGUE)
        for audience in ("users", "operators")
    )


def plan_of(night: str) -> Plan:
    """A plan that asks for everything; of the clean night the window is too short."""
    body = nights.body(notices=everything())
    assert body.window is not None
    if night == "clean":
        opens, closes = NOW - timedelta(hours=8), NOW - timedelta(hours=6)
        window = evolve(body.window, opens_at_utc=opens, closes_at_utc=closes)
        body = evolve(body, window=window)
    return seal(body, nights.NOON, "anna")


def journal_of(plan: Plan, night: str) -> tuple[Record, ...]:
    """The night as it was some hours ago; the clean one with its notices and a question."""
    made = list(nights.NIGHTS[night](plan))
    events = [((one.at_utc - nights.OPENS).total_seconds(), one.kind, one.data) for one in made]
    run = run_of(night)
    events = [
        (at, kind, {**data, "run": run} if kind is RecordKind.RUN_STARTED else data)
        for at, kind, data in events
    ]
    if night == "clean":
        told = events[-1][0]
        lane = plan.body.lanes[0]
        step = next(one.id for one in lane.steps if one.action.value == "notify")
        raised = [
            (
                RecordKind.NOTICE,
                {
                    "step": step,
                    "event": event,
                    "audience": audience,
                    "recipients": [f"{audience}@contoso.example"],
                    "channels": list(BOTH),
                },
            )
            for event in ("storage-offline", "storage-online", "exchange-now-available")
            for audience in ("users", "operators")
        ]
        question = {"step": step, "evidence": "cannot tell", "choices": ["done", "not-done"]}
        others = [*raised, (RecordKind.QUESTION, question)]
        events[-1:-1] = [(told, kind, data) for kind, data in others]
    return nights.chained(events, start=NOW - timedelta(hours=8))


def run_of(night: str) -> str:
    return f"20261128T2{sorted(nights.NIGHTS).index(night)}0000-5c6f"


@pytest.fixture
def site(tmp_path: Path) -> Callable[[int], Store]:
    """A store with the journals of four nights and what nobody's journal tells in its outbox."""

    def make(hook_port: int) -> Store:
        runs = tmp_path / "store" / "runs"
        for night in ("clean", "offline", "unprotected"):
            plan, folder = plan_of(night), runs / run_of(night)
            folder.mkdir(parents=True)
            (folder / "plan.json").write_bytes(dump(plan))
            lines = b"".join(line_of(one) for one in journal_of(plan, night))
            (folder / "journal.jsonl").write_bytes(lines)
        _, context = certificate(tmp_path)
        port = free_port()
        (tmp_path / "goexchange.yaml").write_text(
            CONFIGURATION.format(mail=port, user=USER), "utf-8"
        )
        settings, _ = load_configuration(None, flags={"store": "store"}, environment={})
        assert isinstance(settings, Configuration)
        outbox = Outbox(tmp_path / "store" / "outbox.sqlite")
        outbox.add(entries(beside_runs(), settings))
        environment = {
            "MAIL_PASSWORD": PASSWORD,
            "HOOK_URL": f"http://127.0.0.1:{hook_port}/in/{HOOK_SECRET}",
        }
        return Store(folder=tmp_path, mail_port=port, context=context, environment=environment)

    return make


def beside_runs() -> tuple[Event, ...]:
    """Events that follow from no journal: a coming outage, a missed start, a check."""
    plan = plan_of("offline")
    assert plan.body.window is not None
    opens = NOW + timedelta(minutes=30)  # the lead times of three days and of two hours are over
    window = evolve(plan.body.window, opens_at_utc=opens, closes_at_utc=opens + timedelta(hours=8))
    coming = outage_events(seal(evolve(plan.body, window=window), nights.NOON, "anna"))
    asked = tuple(
        Notification(
            event=NotificationEvent.WINDOW_MISSED,
            audience=Audience(audience),
            to=(to,),
            channels=BOTH,
            before_s=(),
            template=None,
            variables=(),
            place=nights.ORIGIN,
        )
        for audience, to in (
            ("users", "users@contoso.example"),
            ("operators", "operators@contoso.example"),
            ("operators", "second-shift@contoso.example"),  # the same event, other people
        )
    )
    missed = missed_events(spec(notifications=asked), NOW, zone="Europe/Berlin", now=NOW)
    checks = (
        Event(
            id=f"scheduled-resource-check.{audience}",
            event="scheduled-resource-check",
            audience=audience,
            recipients=(f"{audience}@contoso.example",),
            channels=BOTH,
            template=None,
            variables=sample_variables({})
            | {"event": "scheduled-resource-check", "audience": audience},
            at_utc=NOW,
            due_at_utc=NOW,
        )
        for audience in ("users", "operators")
    )
    return (*coming, *missed, *checks)


def expected() -> dict[str, list[str]]:
    """The ids of what has to arrive, by run, in the order of its journal; beside runs under ''."""
    found = {}
    for night in ("clean", "offline", "unprotected"):
        plan = plan_of(night)
        events = run_events(plan, journal_of(plan, night))
        found[run_of(night)] = [one.id for one in events if one.channels]
    coming = [one for one in beside_runs() if one.event == "scheduled-maintenance-outage"]
    replaced = {one.id for one in coming if one.id.endswith(".259200")}
    found[""] = [one.id for one in beside_runs() if one.id not in replaced]
    return found


def arrived(ids: list[str]) -> dict[str, list[str]]:
    """The same of what arrived; what came twice counts by its first time."""
    found: dict[str, list[str]] = {}
    for each in dict.fromkeys(ids):
        run = each.split(".")[0] if each.startswith("2026") else ""
        found.setdefault(run, []).append(each)
    return found


def mailed_ids(mails: list[Any]) -> list[str]:
    return [str(one["Message-ID"]).strip(" <>").rpartition("@")[0] for one in mails]


def test_every_event_arrives_by_mail_and_post_though_all_is_away_and_the_sender_is_killed(
    site: Callable[[int], Store],
) -> None:
    port, hook = free_port(), Hook()
    store = site(port)
    sender = store.start("notify", "flush", "--wait", "60s")  # nobody is there yet
    try:
        wait_for(lambda: all(tries >= 1 for tries in first_attempts(store)))
        with store.mailing() as box, web_server(hook, port, answers=[503, 429]):
            wait_for(lambda: len(box.mails) >= 3 and len(hook.posts) >= 3, 60)
            sender.kill()  # in the middle of a delivery, or between two
            sender.wait()
            two_minutes_pass(store)
            assert store.run("notify", "flush", "--wait", "60s", code=None)["waiting"] == []
    finally:
        sender.kill()
        sender.wait()
    wanted = expected()
    assert {event for event, _, _ in listed_states(store)} == CATALOGUE
    posts = [document["id"] for _, document in hook.posts]
    mails = mailed_ids(box.mails)
    assert arrived(posts) == wanted and arrived(mails) == {
        run: [as_message_id(one) for one in ids] for run, ids in wanted.items()
    }
    assert len(mails) - len(set(mails)) <= 1 and len(posts) - len(set(posts)) <= 1
    states = {state for _, _, state in listed_states(store)}
    assert states == {"delivered", "missed"}
    for mail in box.mails:
        check_parts(mail)
    for headers, document in hook.posts:
        assert headers["Idempotency-Key"] == document["id"]
        assert document["format"] == "goexchange/message/v1" and document["text"].strip()
        assert document["event"] in CATALOGUE and document["audience"] in ("users", "operators")
        assert document["details"]["event"] == document["event"]


def two_minutes_pass(store: Store) -> None:
    """The hold of the dead sender on the message in its hand runs out."""
    with closing(sqlite3.connect(store.folder / "store" / "outbox.sqlite")) as database:
        database.execute("UPDATE entry SET claimed_until = ?", (time_text(NOW),))
        database.commit()


def as_message_id(event_id: str) -> str:
    return "".join(one if one.isalnum() or one in "._-" else "-" for one in event_id)


def first_attempts(store: Store) -> list[int]:
    """How often the first message of each channel was tried."""
    listed = store.run("notify", "list")["notifications"]
    tries: dict[str, int] = {}
    for one in listed:
        tries[one["channel"]] = max(tries.get(one["channel"], 0), int(one["attempts"]))
    return [tries[channel] for channel in BOTH]


def listed_states(store: Store) -> list[tuple[str, str, str]]:
    listed = store.run("notify", "list")["notifications"]
    return [(one["event"]["event"], one["channel"], one["state"]) for one in listed]


def check_parts(mail: Any) -> None:
    """Subject, text, HTML; the report for operators at the end of a run, for nobody else."""
    assert mail["Subject"].strip() and mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text.get_content().strip() and "<html" in html.get_content()
    event = mailed_ids([mail])[0].split(".")[-2]
    is_for_operators = mail["To"].startswith("operators")
    attached = [one.get_filename() for one in mail.iter_attachments()]
    if event in WITH_REPORT and is_for_operators:
        (name,) = attached
        assert name.startswith("report-2026") and name.endswith(".html")
    else:
        assert attached == []
    if not is_for_operators:
        assert "Mount-Database" not in text.get_content() or event == "waiting-for-answer"


def test_what_was_due_while_nobody_ran_is_said_and_not_lost(site: Callable[[int], Store]) -> None:
    hook = Hook()
    with web_server(hook) as port:
        store = site(port)
        with store.mailing() as box:
            store.run("notify", "flush", "--wait", "60s", code=None)
    announced = [one for one in listed_states(store) if one[0] == "scheduled-maintenance-outage"]
    assert sorted(announced) == sorted(
        ("scheduled-maintenance-outage", channel, state)
        for channel in BOTH
        for state in ("missed", "missed", "delivered", "delivered")
    )
    late = [one for one in box.mails if str(one["Subject"]).startswith("Mail maintenance")]
    assert len(late) == 2
    for mail in late:
        assert "this message is late" in mail.get_body(("plain",)).get_content().lower()
    missed = [
        one for one in store.run("notify", "list")["notifications"] if one["state"] == "missed"
    ]
    assert {one["words"][:33] for one in missed} == {"nothing ran when it was due, at 2"[:33]}
    assert json.dumps(missed).count("259200") >= 2
