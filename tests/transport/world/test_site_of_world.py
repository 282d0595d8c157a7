"""The adapter between world and lab: accounts, cmdlets, host scripts, files on a real disk."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goexchange.errors import HostRefused, UsageError
from goexchange.lab.disk import FolderDisk
from goexchange.lab.site import Site
from goexchange.lab.site_of_world import SiteOfWorld
from goexchange.powershell import bootstrap, envelope
from goexchange.world.clock import ManualClock
from goexchange.world.refusals import NotModelled
from goexchange.world.site import default_site
from goexchange.world.values import CommandAnswer
from goexchange.world.world import World

ROOT = "C:\\ProgramData\\goexchange"
START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


@pytest.fixture
def disk(tmp_path: Path) -> FolderDisk:
    return FolderDisk(tmp_path / "disks")


@pytest.fixture
def site(disk: FolderDisk) -> SiteOfWorld:
    world = World(default_site(scale=0.03), ManualClock(START), disk, seed=1)
    return SiteOfWorld(world, passwords={"gxadmin": "secret"})


def _run(site: SiteOfWorld, script: str, **arguments: object) -> CommandAnswer:
    line = bootstrap.command_line()
    assert site.reads_standard_input("EX01", line)
    content = bootstrap.standard_input(script, arguments)
    return site.windows_command("EX01", "gxadmin", line, content)


def test_it_is_a_site(site: SiteOfWorld) -> None:
    as_site: Site = site
    assert [each.name for each in as_site.hosts()] == ["EX01", "EX02", "EX03", "EX04"]
    assert len({each.address for each in as_site.hosts()}) == 4
    assert [each.may_use_exchange for each in as_site.users()] == [True, False]
    assert "Get-MailboxDatabase" in as_site.cmdlet_names("EX01")


def test_what_another_machine_leaves_on_a_share_is_there(disk: FolderDisk) -> None:
    on_share, on_disk = r"UNC:\\backup01\exchange$\x\left.json", r"EX01:D:\x\left.json"
    for key in (on_share, on_disk):
        disk.path(key).parent.mkdir(parents=True)
        disk.path(key).write_bytes(b"{}")
    assert disk.exists(on_share) and disk.read(on_share, 0, 9) == b"{}"
    assert not disk.exists(on_disk)  # a server's own disks are the world's alone
    disk.path(on_share).unlink()
    assert not disk.exists(on_share)


def test_passwords(site: SiteOfWorld) -> None:
    assert site.check_password("gxadmin", "secret")
    assert not site.check_password("gxadmin", "Secret")
    assert not site.check_password("nobody", "secret")
    assert site.check_password("hostadmin", site.password("hostadmin"))
    assert "secret" not in repr(site.users())


def test_a_registered_script_is_answered(site: SiteOfWorld) -> None:
    given = {"paths": [], "log_folders": [], "events_since": "2026-11-22T00:00:00Z"}
    answer = _run(site, "observe-host", root=ROOT, **given)
    result = envelope.decode("observe-host", answer.stdout, answer.exit_code, answer.stderr)
    assert result["host"]["name"] == "EX01"


def test_a_refusal_has_the_code_of_the_contract(site: SiteOfWorld) -> None:
    site.world.hosts["EX01"].loose_folders.add(ROOT.lower())
    answer = _run(
        site, "claim-fence", root=ROOT, fence=1, holder="me", claimed_at="2026-11-22T20:00:00Z"
    )
    with pytest.raises(HostRefused) as refused:
        envelope.decode("claim-fence", answer.stdout, answer.exit_code, answer.stderr)
    assert refused.value.code == "root-not-private"


def test_a_changed_script_is_refused(site: SiteOfWorld) -> None:
    lines = bootstrap.standard_input("swap-state", _swap()).split(b"\n")
    lines[1] = base64.b64encode(base64.b64decode(lines[1]) + b"\n# changed")
    with pytest.raises(NotModelled, match="not registered"):
        site.windows_command("EX01", "gxadmin", bootstrap.command_line(), b"\n".join(lines))


def test_other_powershell_is_refused(site: SiteOfWorld) -> None:
    with pytest.raises(NotModelled):
        site.windows_command("EX01", "gxadmin", "powershell.exe -Command Get-Date", b"")


def test_plain_commands(site: SiteOfWorld) -> None:
    assert site.windows_command("EX01", "gxadmin", "hostname", b"").stdout == b"EX01\r\n"
    assert site.windows_command("EX01", "gxadmin", "whoami", b"").stdout == b"lab\\gxadmin\r\n"
    unknown = site.windows_command("EX01", "gxadmin", "frobnicate now", b"")
    assert unknown.exit_code == 1
    assert b"'frobnicate' is not recognized" in unknown.stderr


def test_files_lie_in_the_folder(site: SiteOfWorld, disk: FolderDisk, tmp_path: Path) -> None:
    path = tmp_path / "disks" / "EX01" / "D" / "DB05" / "DB05.edb"
    assert path.stat().st_size == disk.size("ex01:d:\\db05\\DB05.EDB")
    assert path == disk.path("EX01:D:\\DB05\\DB05.edb")


def test_a_folder_disk_is_a_disk(disk: FolderDisk) -> None:
    disk.write_stream("H:C:\\a.txt", [b"ab", b"cd"])
    disk.append("h:c:\\A.TXT", b"ef")
    disk.write_at("H:C:\\a.txt", 1, b"X")
    assert disk.read("H:C:\\a.txt", 1, 3) == b"Xcd"
    disk.rename("H:C:\\a.txt", "H:C:\\folder\\b.txt")
    assert (disk.exists("H:C:\\a.txt"), disk.size("H:C:\\folder\\b.txt")) == (False, 6)
    assert disk.list("H:C:\\folder\\") == ("H:C:\\folder\\b.txt",)
    disk.delete("H:C:\\folder\\b.txt")
    with pytest.raises(KeyError):
        disk.read("H:C:\\folder\\b.txt", 0, 1)


def test_a_name_cannot_lead_out_of_the_folder(disk: FolderDisk, tmp_path: Path) -> None:
    disk.write_stream("H:C:\\..\\..\\..\\x/../y", [b"z"])
    assert disk.path("H:C:\\..\\..\\..\\x/../y").resolve().is_relative_to(tmp_path / "disks")


def test_a_file_has_the_name_that_its_host_gave_it(disk: FolderDisk, tmp_path: Path) -> None:
    """A share that is mounted elsewhere shows names as they are: a verifier looks for those."""
    name = "Müller & Söhne's Mail [VIP] メール"
    disk.write_stream(f"H:\\\\backup01\\sets\\{name}\\db.edb", [b"z"])
    assert (tmp_path / "disks" / "backup01" / "sets" / name / "db.edb").read_bytes() == b"z"


def test_only_what_a_lab_made_is_removed(tmp_path: Path) -> None:
    FolderDisk(tmp_path / "disks").write_stream("H:C:\\a.txt", [b"ab"])
    assert FolderDisk(tmp_path / "disks").list("") == ()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", "utf-8")
    with pytest.raises(UsageError):
        FolderDisk(tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").exists()


def _swap() -> dict[str, str]:
    names = ("original", "temporary", "kept", "original_sha256", "temporary_sha256")
    return dict.fromkeys(names, "x")
