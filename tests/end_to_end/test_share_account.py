"""A share that is written as an account of its own, over the real protocols: doctor, what is
refused before anything begins, a controller that dies, and the password nowhere afterwards.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from goexchange.errors import ExitCode
from goexchange.world.site import VAULT_PASSWORD
from tests.end_to_end.site import Site, lab, steps

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
SHARE = "\\\\backup02\\vault$"
VARIABLE = "GX_TEST_VAULT"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with lab(tmp_path, "--pace", "8") as running:
        (inventory,) = (running.folder / "inventory").glob("*.yaml")
        text = inventory.read_text("utf-8")
        who = f"account: 'LAB\\gx-backup', credential: 'env:{VARIABLE}'"
        share = f"shares:\n  - {{path: '{SHARE}', {who}}}\n"
        inventory.write_text(text.replace("shares:\n", share), "utf-8")
        settings = running.folder / "goexchange.yaml"
        short = "lease_expires_after: 14s\nheartbeat_every: 2s\n"
        settings.write_text(settings.read_text("utf-8") + short, "utf-8")
        specification = running.folder / "specs" / "preventative.yaml"
        text = specification.read_text("utf-8")
        specification.write_text(text.replace("\\\\backup01\\exchange$", SHARE), "utf-8")
        yield running


def effects(site: Site) -> set[str]:
    return {each["kind"] for each in site.control("effects")["effects"]}


def test_a_night_whose_set_goes_to_a_share_as_an_account(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {VARIABLE: VAULT_PASSWORD}
    monkeypatch.setenv(VARIABLE, "not the password")
    _doctor(site, right)
    _refused_before_the_outage(site, right)
    plan = site.planned("--server", "EX01", "--database", "DB05")
    copying = next(
        step
        for lane in plan["body"]["lanes"]
        for step in lane["steps"]
        if step["action"] == "copy-set"
    )
    assert copying["call"]["account"] == "LAB\\gx-backup"
    shown = site.run("show", "plan.json").out
    assert "trial as LAB\\gx-backup, while mounted" in " ".join(shown.split())
    monkeypatch.setenv(VARIABLE, VAULT_PASSWORD)
    process = site.start("apply", "plan.json")
    site.wait_for(lambda records: bool(steps(records, "intent", "copy-set")))
    process.kill()
    process.communicate(timeout=120)
    shutil.rmtree(site.folder / ".goexchange")
    site.wait_until(
        lambda: site.run("resume", "--from-host", "EX01", **right).code != ExitCode.LOCKED
    )
    (ended,) = [one["data"] for one in site.journal() if one["kind"] == "run-ended"]
    assert ended["exit_code"] == ExitCode.OK
    written = [each.read_text("utf-8") for each in (site.folder / "out").rglob("report.html")]
    assert len(written) == 2 and all("as LAB\\gx-backup" in each for each in written)
    assert site.disk("backup02", "vault$", "EX01", "DB05").is_dir()
    manifests = list(site.disk("backup02").rglob("backup-set.json"))
    assert len(manifests) == 1
    assert {"swap", "set-sealed", "mount"} <= effects(site)
    assert _with_the_password(site.folder) == []


def _doctor(site: Site, right: dict[str, str]) -> None:
    done = site.run("doctor", "EX01", "--json", **right)
    assert done.code == ExitCode.OK, done.out + done.err
    checks = {look["check"]: look["seen"] for look in done.document["servers"][0]["looks"]}
    assert "starts and ends a job" in checks["share account"]
    assert "LAB\\gx-backup" in checks["backup target"]
    wrong = site.run("doctor", "EX01")
    assert wrong.code == ExitCode.NOT_NOW and "(1326)" in " ".join(wrong.out.split())
    elsewhere = site.run("doctor", "EX04", **right)
    assert elsewhere.code == ExitCode.NOT_NOW
    assert "log on as a batch job" in " ".join(elsewhere.out.split())


def _refused_before_the_outage(site: Site, right: dict[str, str]) -> None:
    site.planned("--server", "EX01", "--database", "DB05")
    unread = site.run("apply", "plan.json", **{VARIABLE: ""})
    assert unread.code == ExitCode.AUTH and VARIABLE in unread.err
    assert not list((site.folder / ".goexchange").glob("runs/*"))
    wrong = site.run("apply", "plan.json")
    assert wrong.code == ExitCode.STOPPED, wrong.out + wrong.err
    assert "(1326)" in " ".join((wrong.out + wrong.err).split())
    assert "dismount" not in effects(site)


def _with_the_password(folder: Path) -> list[str]:
    """Every file below the project, the hosts' disks among them, that holds the password in any
    form.
    """
    plain = VAULT_PASSWORD.encode()
    wide = VAULT_PASSWORD.encode("utf-16-le")
    forms = [plain, wide, base64.b64encode(plain).rstrip(b"="), base64.b64encode(wide).rstrip(b"=")]
    return [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    ]
