"""Every event of a night arrives, in order, with its parts, whatever is away in between."""

from __future__ import annotations

import io
import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

pytest.importorskip("aiosmtpd", reason="the extra 'test' has aiosmtpd")

from goexchange.cli.main import main  # noqa: E402
from goexchange.journal.chain import line_of  # noqa: E402
from goexchange.model.desired import NotificationEvent  # noqa: E402
from goexchange.model.plan import Plan, PlannedNotice  # noqa: E402
from goexchange.plan.sealing import dump, seal  # noqa: E402
from tests.notify.servers import (  # noqa: E402
    PASSWORD,
    USER,
    Hook,
    Mailbox,
    certificate,
    free_port,
    mail_server,
    web_server,
)
from tests.unit.report import conftest as nights  # noqa: E402

RUN = "20261128T210000-5c6f"
HOOK_SECRET = "canary-hook-4e1f"
OFFLINE = [
    "maintenance-starting",
    "way-back-taken",
    "storage-left-offline",
    "maintenance-finished",
    "maintenance-failed",
]
CONFIGURATION = """\
apiVersion: goexchange/v1
kind: Configuration
store: store
output: out
notify:
  channels:
    mail:
      smtp: {{host: 127.0.0.1, port: {mail}, from: goexchange@contoso.example,
             username: {user}, password: env:MAIL_PASSWORD, ca_file: mail-ca.pem}}
    hook: {{url: env:HOOK_URL}}
  urgent: {{to: [duty@contoso.example], channels: [mail]}}
"""


def notices(channels: tuple[str, ...]) -> tuple[PlannedNotice, ...]:
    return tuple(
        PlannedNotice(
            event=event.value,
            audience="operators",
            recipients=("ops@contoso.example",),
            channels=channels,
            specification="weekly-preventative",
        )
        for event in NotificationEvent
        if event is not NotificationEvent.SCHEDULED_MAINTENANCE_OUTAGE
    )


@frozen(kw_only=True)
class Store:
    """A folder with a configuration and the journal of one night."""

    folder: Path
    mail_port: int
    context: ssl.SSLContext
    environment: dict[str, str]

    def run(self, *words: str, code: int | None = 0) -> Any:
        """Type a command; its JSON document."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            output = io.StringIO()
            with (
                redirect_stdout(output),
                redirect_stderr(io.StringIO()) as said,
                pytest.raises(SystemExit) as ended,
            ):
                main(["--json", *words])
        assert code is None or ended.value.code == code, output.getvalue() + said.getvalue()
        return json.loads(output.getvalue())

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "goexchange", *words],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def mailing(self, **changes: Any) -> Any:
        return mail_server(self.mail_port, self.context, Mailbox(**changes))


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Store]:
    """Makes a store with the journal of a night."""

    def make(
        night: str = "offline",
        *,
        channels: tuple[str, ...] = ("mail",),
        hook_port: int = 1,
        asked: Sequence[PlannedNotice] | None = None,
    ) -> Store:
        body = nights.body(notices=notices(channels) if asked is None else tuple(asked))
        plan = seal(body, nights.NOON, "anna")
        run = tmp_path / "store" / "runs" / RUN
        run.mkdir(parents=True)
        (run / "plan.json").write_bytes(dump(plan))
        lines = b"".join(line_of(one) for one in records(plan, night))
        (run / "journal.jsonl").write_bytes(lines)
        _, context = certificate(tmp_path)
        port = free_port()
        text = CONFIGURATION.format(mail=port, user=USER)
        (tmp_path / "goexchange.yaml").write_text(text, "utf-8")
        environment = {
            "MAIL_PASSWORD": PASSWORD,
            "HOOK_URL": f"http://127.0.0.1:{hook_port}/in/{HOOK_SECRET}",
        }
        return Store(folder=tmp_path, mail_port=port, context=context, environment=environment)

    return make


def records(plan: Plan, night: str) -> Sequence[Any]:
    def named(record: Any) -> Any:
        if record.kind.value == "run-started":
            return evolve(record, data={**record.data, "run": RUN})
        return record

    made = map(named, nights.NIGHTS[night](plan))
    events = [((one.at_utc - nights.OPENS).total_seconds(), one.kind, one.data) for one in made]
    recent = nights.datetime.now(nights.UTC) - nights.timedelta(hours=8)
    return nights.chained(events, start=recent)


def listed(store: Store) -> list[tuple[str, str, str]]:
    found = store.run("notify", "list")["notifications"]
    return [(one["event"]["event"], one["channel"], one["state"]) for one in found]


def test_every_event_is_mailed_in_order_with_its_parts(store: Callable[..., Store]) -> None:
    site = store()
    with site.mailing() as box:
        done = site.run("notify", "flush")
    assert [one["event"]["event"] for one in done["settled"]] == OFFLINE
    assert box.subjects[2] == "STORAGE LEFT OFFLINE: EX01/DB05" and len(box.mails) == 5
    assert set(box.users) == {USER}
    left = box.mails[2]
    assert (left["To"], left["From"]) == ("ops@contoso.example", "goexchange@contoso.example")
    assert left["Auto-Submitted"] == "auto-generated" and left["Importance"] == "high"
    text, html = left.get_body(("plain",)), left.get_body(("html",))
    assert text is not None and "Mount-Database -Identity 'DB05'" in text.get_content()
    assert html is not None and "<pre>" in html.get_content()
    assert list(left.iter_attachments()) == []
    (report,) = box.mails[3].iter_attachments()
    assert report.get_filename() == f"report-{RUN}.html"
    assert "LEFT OFFLINE" in report.get_content()
    ids = [one["Message-ID"] for one in box.mails]
    assert len(set(ids)) == 5 and all(one.endswith("@contoso.example>") for one in ids)


def test_what_was_delivered_is_in_the_report_and_not_sent_again(
    store: Callable[..., Store],
) -> None:
    site = store()
    with site.mailing() as box:
        site.run("notify", "flush")
        assert site.run("notify", "flush") == {"settled": [], "waiting": []}
    assert len(box.mails) == 5
    report = site.run("report", RUN)
    assert [one["event"] for one in report["notices"]] == OFFLINE
    for one in report["notices"]:
        (delivery,) = one["deliveries"]
        assert (delivery["channel"], delivery["state"]) == ("mail", "delivered")


def test_a_mail_server_that_comes_late_gets_everything_once_and_in_order(
    store: Callable[..., Store],
) -> None:
    site = store()
    away = site.run("notify", "flush", code=15)
    assert {one["state"] for one in away["waiting"]} == {"waiting"}
    words = f"127.0.0.1:{site.mail_port} is not reached: ConnectionRefusedError"
    assert away["waiting"][0]["words"] == words
    sender = site.start("notify", "flush", "--wait", "45s")
    try:
        wait_for(lambda: attempts(site) >= 2)
        with site.mailing() as box:
            assert sender.wait(timeout=120) == 0
    finally:
        sender.kill()
        sender.wait()
    assert len(box.mails) == 5 and box.subjects[0].startswith("Maintenance is starting")
    assert [state for _, _, state in listed(site)] == ["delivered"] * 5


def attempts(site: Store) -> int:
    return int(site.run("notify", "list")["notifications"][0]["attempts"])


def wait_for(holds: Callable[[], bool], limit_s: float = 120) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_outbox_that_was_lost_is_made_again_with_the_same_ids(
    store: Callable[..., Store],
) -> None:
    site = store()
    with site.mailing() as first:
        site.run("notify", "flush")
    (site.folder / "store" / "outbox.sqlite").unlink()
    with site.mailing() as second:
        site.run("notify", "flush")
    ids = [[one["Message-ID"] for one in box.mails] for box in (first, second)]
    assert ids[0] == ids[1] and len(ids[0]) == 5


def test_a_webhook_gets_json_again_and_again_until_it_takes_it(
    store: Callable[..., Store],
) -> None:
    hook = Hook()
    with web_server(hook, answers=[503, 429]) as port:
        site = store(channels=("hook",), hook_port=port)
        site.run("notify", "flush", "--wait", "30s")
    assert hook.events == OFFLINE
    headers, document = hook.posts[2]
    assert headers["Idempotency-Key"] == document["id"]
    assert document["format"] == "goexchange/message/v1" and document["is_urgent"] is True
    assert document["details"]["database"] == "DB05"
    assert document["details"]["commands"]
    assert set(hook.paths) == {f"/in/{HOOK_SECRET}"}


def test_a_refusal_is_final_and_a_redirect_is_not_followed(store: Callable[..., Store]) -> None:
    hook = Hook()
    with web_server(hook, answers=[404, 302, 200, 200, 200, 200]) as port:
        site = store(channels=("hook",), hook_port=port)
        site.run("notify", "flush", "--wait", "20s")
    states = {event: state for event, _, state in listed(site)}
    assert states["maintenance-starting"] == "refused"
    assert [states[name] for name in OFFLINE[1:]] == ["delivered"] * 4
    assert hook.events == OFFLINE[1:]


def test_a_report_that_cannot_be_made_keeps_no_message_back(store: Callable[..., Store]) -> None:
    """The run was pruned, or its plan is damaged: people are told all the same."""
    site = store()
    site.run("notify", "flush", code=15)  # nobody is there: the events are in the outbox
    for path in (site.folder / "store" / "runs" / RUN).iterdir():
        path.write_text("damaged", "utf-8")
    with site.mailing() as box:
        done = site.run("notify", "flush", "--wait", "30s")
    assert [one["event"]["event"] for one in done["settled"]] == OFFLINE
    assert [list(one.iter_attachments()) for one in box.mails] == [[]] * 5
    assert "; without the report: " in done["settled"][3]["words"]


def test_recipients_that_do_not_exist_hold_nothing_back(store: Callable[..., Store]) -> None:
    site = store()
    with site.mailing(refuse=("ops@contoso.example",)) as box:
        done = site.run("notify", "flush")
    assert [one["state"] for one in done["settled"]] == ["refused"] * 5 and box.mails == []
    assert "takes no mail for ops@contoso.example" in done["settled"][0]["words"]


def test_what_must_not_stay_unseen_goes_to_those_on_duty(store: Callable[..., Store]) -> None:
    site = store(asked=())
    with site.mailing() as box:
        site.run("notify", "flush")
    assert box.subjects == ["STORAGE LEFT OFFLINE: EX01/DB05", "MAINTENANCE FAILED: left offline"]
    assert {one["To"] for one in box.mails} == {"duty@contoso.example"}


def test_a_mail_server_without_tls_gets_nothing(store: Callable[..., Store]) -> None:
    from aiosmtpd.controller import Controller

    site = store()
    plain = Controller(Mailbox(), hostname="127.0.0.1", port=site.mail_port)
    plain.start()
    try:
        done = site.run("notify", "flush", code=15)
    finally:
        plain.stop()
    assert "STARTTLS" in done["waiting"][0]["words"]


def test_a_certificate_that_nobody_signed_gets_nothing(store: Callable[..., Store]) -> None:
    site = store()
    other = site.folder / "other"
    other.mkdir()
    certificate(other)
    (other / "mail-ca.pem").replace(site.folder / "mail-ca.pem")
    with site.mailing() as box:
        done = site.run("notify", "flush", code=15)
    assert "SSLCertVerificationError" in done["waiting"][0]["words"] and box.mails == []


def test_a_test_message_says_what_became_of_it(store: Callable[..., Store]) -> None:
    hook = Hook()
    with web_server(hook, answers=[500]) as port:
        site = store(hook_port=port)
        with site.mailing() as box:
            done = site.run("notify", "test", code=15)
    assert [(one["channel"], one["state"]) for one in done["channels"]] == [
        ("hook", "failed"),
        ("mail", "delivered"),
    ]
    assert box.subjects[0].startswith("TEST: ")
    assert site.run("notify", "test", "--channel", "pager", code=64)["error"]["id"] == "usage"


def test_no_secret_is_in_what_is_kept_or_said(store: Callable[..., Store]) -> None:
    hook = Hook()
    with web_server(hook, answers=[404, 500]) as port:
        site = store(channels=("hook", "mail"), hook_port=port)
        said = json.dumps(site.run("notify", "flush", code=None))
        said += json.dumps(site.run("notify", "list")) + json.dumps(site.run("report", RUN))
        said += json.dumps(site.run("notify", "test", code=None))
        said += json.dumps(site.run("config", "show"))
    site.run("report", RUN, "--format", "html,md,text,json,junit,csv", "--out", "out")
    kept = [path for path in site.folder.rglob("*") if path.is_file()]
    assert len(kept) > 8
    for secret in (PASSWORD, HOOK_SECRET):
        assert secret not in said
        for path in kept:
            assert secret.encode() not in path.read_bytes(), path


@pytest.fixture
def gotify() -> Iterator[tuple[Hook, int]]:
    """A web server that speaks as much Gotify as apprise needs."""
    hook = Hook()
    with web_server(hook) as port:
        yield hook, port


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's own
def test_other_services_are_reached_through_apprise(
    store: Callable[..., Store], gotify: tuple[Hook, int]
) -> None:
    pytest.importorskip("apprise", reason="the extra 'test' has apprise")
    hook, port = gotify
    site = store(channels=("hook",))
    site.environment["HOOK_URL"] = f"gotify://127.0.0.1:{port}/{HOOK_SECRET}"
    site.run("notify", "flush")
    titles = [document["title"] for _, document in hook.posts]
    assert len(titles) == 5 and titles[2] == "STORAGE LEFT OFFLINE: EX01/DB05"


def test_a_plan_that_names_an_unknown_channel_is_refused_before_anything(
    store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    from goexchange.app.loading import configuration
    from goexchange.app.notifying import check_notices
    from goexchange.errors import InvalidDocument

    site = store()
    plan = seal(nights.body(notices=notices(("pager",))), nights.NOON, "anna")
    monkeypatch.chdir(site.folder)
    with pytest.raises(InvalidDocument, match="the channel 'pager'.*hook, mail"):
        check_notices(plan, configuration({}))
