"""People are told while the run goes on, and by whoever comes next when the controller dies."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiosmtpd", reason="the extra 'test' has aiosmtpd")

from tests.end_to_end.site import Site, lab, steps  # noqa: E402
from tests.notify.servers import (  # noqa: E402
    PASSWORD,
    USER,
    Mailbox,
    certificate,
    free_port,
    mail_server,
)

NOTICES = """
notifications:
  - {event: scheduled-maintenance-outage, audience: users, to: [all@contoso.example], before: [2h]}
  - {event: maintenance-starting, to: [ops@contoso.example]}
  - {event: storage-offline, audience: users, to: [all@contoso.example]}
  - {event: storage-online, to: [ops@contoso.example]}
  - {event: exchange-now-available, audience: users, to: [all@contoso.example]}
  - {event: maintenance-finished, to: [ops@contoso.example]}
"""
TOLD = [
    "maintenance-starting",
    "storage-offline",
    "storage-online",
    "exchange-now-available",
    "maintenance-finished",
]


def configured(site: Site) -> tuple[int, Any, dict[str, str]]:
    """Channel and notices; the mail server's port and context, and the environment to run in."""
    _, context = certificate(site.folder)
    port = free_port()
    with (site.folder / "goexchange.yaml").open("a", encoding="utf-8") as file:
        file.write(
            "notify:\n  channels:\n    mail:\n      smtp: {host: 127.0.0.1, "
            f"port: {port}, from: goexchange@contoso.example, username: {USER}, "
            "password: env:MAIL_PASSWORD, ca_file: mail-ca.pem}\n"
        )
    with (site.folder / "specs" / "preventative.yaml").open("a", encoding="utf-8") as file:
        file.write(NOTICES)
    return port, context, {"MAIL_PASSWORD": PASSWORD}


def events(site: Site) -> list[tuple[str, str]]:
    done = site.run("--json", "notify", "list")
    assert done.code == 0, done.err
    found = done.document["notifications"]
    return [(one["event"]["event"], one["state"]) for one in found]


def test_a_night_is_told_as_it_happens(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "20", "--scale", "0.5") as site:
        port, context, environment = configured(site)
        site.planned("--database", "DB05")
        with mail_server(port, context, Mailbox()) as box:
            done = site.run("apply", "plan.json", **environment)
        assert done.code == 0, done.out + done.err
        assert events(site)[0] == ("scheduled-maintenance-outage", "delivered")
        assert events(site)[1:] == [(name, "delivered") for name in TOLD], box.subjects
        assert len(box.mails) == 6
        last = box.mails[-1]
        assert [one.get_filename() for one in last.iter_attachments()]
        (report,) = (site.folder / "out").rglob("report.json")
        told = json.loads(report.read_text("utf-8"))["notices"]
        assert {one["deliveries"][0]["state"] for one in told} == {"delivered"}
        assert "this message is late" in str(box.mails[0]).lower()


@pytest.mark.long
def test_a_mail_server_that_is_away_neither_stops_nor_delays_a_run(tmp_path: Path) -> None:
    with lab(tmp_path, "--pace", "2", "--scale", "0.5") as site:
        port, context, environment = configured(site)
        site.planned("--database", "DB05")
        process = site.start("apply", "plan.json")
        site.wait_for(lambda records: bool(steps(records, "outcome", "dismount")))
        assert [state for _, state in events(site)[:3]] == ["waiting"] * 3
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        killed_at = time.time()
        (site.folder / ".goexchange" / "outbox.sqlite").unlink()  # and with it what it knew
        with mail_server(port, context, Mailbox()) as box:
            flushed = site.run("notify", "flush", "--wait", "20s", **environment)
            assert flushed.code == 0, flushed.out + flushed.err
            assert box.subjects[0].startswith("Maintenance is starting")
            assert box.subjects[1] == "DB05 is going offline for maintenance"
            resumed = site.run("resume", "last", **environment)
        assert resumed.code == 0, resumed.out + resumed.err
        told = [event for event, _ in events(site) if event != "scheduled-maintenance-outage"]
        assert told == TOLD and time.time() - killed_at < 100
        ids = [str(one["Message-ID"]) for one in box.mails]
        assert len(ids) == len(set(ids)) == 6
