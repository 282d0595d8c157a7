"""`doctor` against a lab: what is there, what is not, and that nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from goexchange.errors import ExitCode
from tests.end_to_end.site import Site, lab


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with lab(tmp_path_factory.mktemp("doctor"), "--pace", "30") as running:
        yield running


def files_of_the_tool(site: Site) -> list[Path]:
    return [
        path for path in site.disk().rglob("*") if "goexchange" in path.parts and path.is_file()
    ]


def test_a_server_that_is_ready(site: Site) -> None:
    done = site.run("doctor", "EX01", "--json")
    assert done.code == ExitCode.OK, done.err
    (server,) = done.document["servers"]
    checks = {look["check"]: look for look in server["looks"]}
    assert {look["health"] for look in checks.values()} == {"ok"}
    assert {"reach", "authenticate", "elevate", "PowerShell", "clock", "Exchange endpoint"} <= set(
        checks
    )
    assert {"eseutil", "wbadmin", "job root", "host job", "backup target"} <= set(checks)
    assert server["left"] == []
    assert files_of_the_tool(site) == []


def test_a_target_that_cannot_be_written_is_named_with_its_remedy(site: Site) -> None:
    done = site.run("doctor", "EX01", "--target", "Z:\\nowhere")
    assert done.code == ExitCode.NOT_NOW
    assert "EX01  not ready: backup target" in done.out
    assert "-> give the computer account" in done.out
    assert files_of_the_tool(site) == []


def test_credentials_that_are_refused(site: Site) -> None:
    secret = site.folder / "lab-password"
    right = secret.read_text("utf-8")
    try:
        secret.write_text("wrong", "utf-8")
        done = site.run("doctor", "EX01")
    finally:
        secret.write_text(right, "utf-8")
    assert done.code == ExitCode.AUTH
    assert "x authenticate" in done.out and "-> check user and secret" in done.out


def test_one_silent_server_hides_no_other(site: Site) -> None:
    inventory = next((site.folder / "inventory").glob("*.yaml"))
    text = inventory.read_text("utf-8")
    try:
        inventory.write_text(text.replace("127.71.0.2", "127.71.9.2"), "utf-8")
        done = site.run("doctor", "EX01", "EX02")
    finally:
        inventory.write_text(text, "utf-8")
    assert done.code == ExitCode.UNREACHABLE, done.out
    assert "EX01  ready" in done.out and "EX02  not ready: reach" in done.out


def test_the_resource_check_says_what_a_run_would_be_refused_for(site: Site) -> None:
    done = site.run("check", "--server", "EX01")
    assert done.code == ExitCode.OK, done.out
    assert "nothing keeps a run from starting" in done.out
    assert "2 of 3 certificates are used by services" in done.out
    inventory = next((site.folder / "inventory").glob("*.yaml"))
    text = inventory.read_text("utf-8")
    try:
        inventory.write_text(text + "low_space_threshold: 4TiB\n", "utf-8")
        done = site.run("check", "--server", "EX01", "--json")
        planned = site.run("plan", "--server", "EX01")
    finally:
        inventory.write_text(text, "utf-8")
    assert done.code == planned.code == ExitCode.NOT_NOW
    findings = done.document["checks"][0]["findings"]
    wrong = [each for each in findings if each["weight"] == "problem"]
    assert {"space", "guard"} <= {each["subject"] for each in wrong}


def test_one_silent_server_hides_no_other_check(site: Site) -> None:
    inventory = next((site.folder / "inventory").glob("*.yaml"))
    text = inventory.read_text("utf-8")
    try:
        inventory.write_text(text.replace("127.71.0.2", "127.71.9.2"), "utf-8")
        done = site.run("check", "--json")
        shown = site.run("check")
    finally:
        inventory.write_text(text, "utf-8")
    assert done.code == shown.code == ExitCode.UNREACHABLE, done.err
    (check,) = done.document["checks"]
    assert check["silent"] == ["EX02"] and check["servers"] == ["EX01", "EX02"]
    rows = [each for each in check["findings"] if each["address"] == "EX02"]
    assert [each["weight"] for each in rows] == ["unknown"]
    assert "goexchange doctor EX02" in rows[0]["remedy"]
    assert any(each["address"].startswith("EX01") for each in check["findings"])
    assert "EX02" in shown.out and "nothing of it could be read" in shown.out


@pytest.mark.parametrize("verb", ["doctor", "observe"])
def test_a_server_that_the_inventory_has_not_is_named_as_it_was_given(
    verb: str, site: Site
) -> None:
    done = site.run(verb, "EX77")
    assert done.code == ExitCode.USAGE
    assert "SERVER: the inventory has no server 'EX77'" in done.err
    also = site.run(verb, "--server", "EX77")
    assert "--server: the inventory has no server 'EX77'" in also.err
