"""What operators get wrong: the right message, place and exit code, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Done, Site, lab


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with lab(tmp_path_factory.mktemp("bad"), "--pace", "20", "--scale", "0.2") as running:
        yield running
        assert running.journal() == []


def refused(done: Done, code: int, *words: str) -> None:
    assert done.code == code, done.out + done.err
    for word in words:
        assert word in done.out + done.err
    assert "Traceback" not in done.out + done.err


def changed(site: Site, name: str, old: str, new: str) -> str:
    text = (site.folder / "specs" / "preventative.yaml").read_text("utf-8")
    assert old in text
    path = site.folder / name
    path.write_text(text.replace(old, new), "utf-8")
    return name


def test_a_misspelt_key(site: Site) -> None:
    name = changed(site, "a.yaml", "white_space_max: 20%", "white_space_mx: 20%")
    refused(site.run("validate", name), 10, "a.yaml:13:3", "white_space_max")
    refused(site.run("plan", name), 10, "a.yaml:13:3", "nothing was changed")


def test_a_wrong_type(site: Site) -> None:
    name = changed(site, "b.yaml", "verified_within: 30d", "verified_within: [30]")
    refused(site.run("validate", name), 10, "b.yaml:14:20")


def test_a_duplicate_key(site: Site) -> None:
    name = changed(
        site, "c.yaml", "  white_space_max: 20%", "  white_space_max: 20%\n  white_space_max: 30%"
    )
    refused(site.run("validate", name), 10, "c.yaml:14:3", "13")


def test_an_unknown_server(site: Site) -> None:
    name = changed(site, "d.yaml", "servers: [EX01, EX02]", "servers: [EX0l]")
    refused(site.run("plan", name), 10, "d.yaml:9:13", "EX01")
    refused(site.run("observe", "--server", "EX9"), 64, "EX9")


def test_an_unreachable_server(site: Site) -> None:
    inventory = other_inventory(site, "away.yaml", "127.71.0.1", "127.71.9.9")
    refused(
        site.run("--inventory", inventory, "observe", "--server", "EX01"),
        15,
        "EX01",
        "nothing was changed",
    )


def test_a_wrong_password(site: Site) -> None:
    secret = site.folder / "wrong-password"
    secret.write_text("not it", "utf-8")
    secret.chmod(0o600)
    inventory = other_inventory(site, "wrong.yaml", "/lab-password", "/wrong-password")
    done = site.run("--inventory", inventory, "observe", "--server", "EX01")
    refused(done, 16, "EX01", "user name")
    assert "not it" not in done.out + done.err


def test_a_secret_that_others_may_read(site: Site) -> None:
    secret = site.folder / "open-password"
    secret.write_text("x", "utf-8")
    secret.chmod(0o644)
    inventory = other_inventory(site, "open.yaml", "/lab-password", "/open-password")
    refused(site.run("--inventory", inventory, "observe", "--server", "EX01"), 16, "chmod 600")


def test_an_untrusted_certificate(site: Site, tmp_path: Path) -> None:
    from goexchange.lab.certificates import CertificateAuthority

    other = CertificateAuthority(tmp_path).ca_file
    real = (site.folder / "site" / "ca.pem").resolve()
    inventory = other_inventory(site, "untrusted.yaml", str(real), str(other))
    refused(
        site.run("--inventory", inventory, "observe", "--server", "EX01"),
        15,
        "certificate",
        "ca_file",
    )


def test_a_database_that_exists_nowhere(site: Site) -> None:
    refused(site.run("plan", "--database", "DB55"), 64, "DB55", "DB05")
    name = changed(site, "e.yaml", 'include: ["*"]', "include: [DB55]")
    refused(site.run("plan", name), 10, "DB55", "e.yaml:10:")


def test_files_that_are_not_there_or_not_what_they_should_be(site: Site) -> None:
    refused(site.run("plan", "nowhere.yaml"), 10, "nowhere.yaml")
    refused(site.run("show", "nowhere"), 10, "nowhere")
    refused(site.run("show", "goexchange.yaml"), 10, "plan")
    refused(site.run("resume", "20200101"), 10, "20200101")
    refused(site.run("verify", "nowhere.edb"), 64, "nowhere.edb")


def test_usage_errors_end_with_64(site: Site) -> None:
    refused(site.run("plam"), 64, "plan")
    refused(site.run("plan", "--no-such-flag"), 64, "--no-such-flag")
    failed = site.run("--json", "plan", "nowhere.yaml")
    assert failed.document["error"]["exit_code"] == 10


def test_a_store_inside_a_pipelines_workspace(site: Site) -> None:
    site.planned()
    done = site.run("apply", "plan.json", GITHUB_WORKSPACE=str(site.folder))
    refused(done, 14, "--store")


def other_inventory(site: Site, name: str, old: str, new: str) -> str:
    text = (site.folder / "inventory" / "lab.yaml").read_text("utf-8")
    assert old in text
    folder = site.folder / "other"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text.replace(old, new), "utf-8")
    return f"other/{name}"
