"""The database utility, host jobs and Windows Server Backup: quirks, conflicts, faults."""

from __future__ import annotations

import base64
from copy import deepcopy
from typing import Any

import pytest

from goexchange.powershell.diskshadow import parse_diskshadow
from goexchange.powershell.eseutil import (
    is_waiting_for_key,
    parse_checksum,
    parse_end,
)
from goexchange.powershell.wbadmin import BackupEnd, parse_backup
from goexchange.world.refusals import NotModelled, ScriptFailed
from goexchange.world.truth import truth_of
from tests.simulation.world.hands import EDB, ROOT, SET, START, TEMPORARY, Hands


def test_a_mounted_file_is_in_use(hands: Hands) -> None:
    seen = hands.eseutil("/k", EDB, "/o")
    assert seen.exit_code == -1032
    assert getattr(parse_end(seen.output), "error", None) == -1032
    with pytest.raises(ScriptFailed, match="file-in-use"):
        hands.read_header(EDB)


def test_a_missing_file(hands: Hands) -> None:
    assert hands.eseutil("/k", "D:\\nowhere.edb", "/o").exit_code == -1811
    with pytest.raises(ScriptFailed, match="file-not-found"):
        hands.read_header("D:\\nowhere.edb")


def test_a_dirty_file_is_not_defragmented(hands: Hands) -> None:
    files = hands.world.hosts["EX01"].files
    files.write("D:\\copy\\DB01.edb", files.read("D:\\DB01\\DB01.edb"))
    dirty = hands.eseutil("/d", "D:\\copy\\DB01.edb", f"/t{TEMPORARY}", "/p", "/o")
    assert dirty.exit_code == -550
    assert "up-to-date" in hands.eseutil("/g", "D:\\copy\\DB01.edb", "/o").output


def test_bad_pages_are_counted_and_fail_the_check(hands: Hands) -> None:
    hands.dismount()
    files = hands.world.hosts["EX01"].files
    files.write_at(EDB, 5 * 32768 + 500, b"\xff\x00\xff\x00")
    seen = hands.eseutil("/k", EDB, "/o")
    assert seen.exit_code == -1206
    errors = base64.b64decode(seen.answer["result"]["error_output"]).decode()
    report = parse_checksum(seen.output, errors)
    assert getattr(report, "bad_checksums", None) == 1
    assert getattr(report, "bad_pages", None) == (4,)
    assert "CORRUPTED" in hands.eseutil("/g", EDB, "/o").output
    assert hands.eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o").exit_code == -1018


def test_the_temporary_path_is_deleted_before_anything_is_looked_at(hands: Hands) -> None:
    hands.dismount()
    files = hands.world.hosts["EX01"].files
    files.write(TEMPORARY, b"somebody's only copy")
    assert hands.eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o").exit_code == 0
    assert files.size(TEMPORARY) > 100_000


def test_what_must_not_exist_is_looked_for_first(hands: Hands) -> None:
    hands.dismount()
    hands.world.hosts["EX01"].files.write(TEMPORARY, b"somebody's only copy")
    with pytest.raises(ScriptFailed, match="path-exists"):
        hands.eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o", creates=(TEMPORARY,))


def test_without_p_the_result_is_instated(hands: Hands) -> None:
    hands.dismount()
    files = hands.world.hosts["EX01"].files
    before = files.size(EDB)
    seen = hands.eseutil("/d", EDB, f"/t{TEMPORARY}", "/o")
    assert "Moving 'DB05.tmp.edb' to 'DB05.edb'... DONE!" in seen.output
    assert files.size(EDB) < before
    assert not files.exists(TEMPORARY)


def test_a_usage_error_waits_for_a_key_for_ever(hands: Hands) -> None:
    hands.dismount()
    job = hands.start_eseutil("/d", EDB, "/nonsense")
    hands.clock.move(seconds=36_000)
    seen = hands.poll(job)
    assert seen["state"] == "running"
    assert is_waiting_for_key(base64.b64decode(seen["output"]).decode())
    assert hands.change("cancel-job", job=job) == {"state": "cancelled"}
    assert hands.poll(job)["state"] == "ended"
    assert hands.poll(job)["exit_code"] == 1223
    assert hands.change("cancel-job", job=job) == {"state": "cancelled"}
    assert hands.cmdlet("Mount-Database", Identity="DB05")["errors"] == []


def test_a_mode_that_nothing_here_uses_is_not_modelled(hands: Hands) -> None:
    hands.dismount()
    job = hands.start_eseutil("/y", EDB)
    hands.clock.move(seconds=1)
    with pytest.raises(NotModelled):
        hands.poll(job)


def test_starting_a_job_again_changes_nothing(hands: Hands) -> None:
    arguments = {
        "job": "EX01/DB05/09",
        "kind": "command",
        "request": {"command": ["C:\\ops\\av.cmd", "suspend"], "follow": None},
        "runner": "",
    }
    assert hands.change("start-job", **arguments)["state"] == "started"
    assert hands.poll("EX01/DB05/09")["state"] == "requested"
    assert hands.change("start-job", **arguments)["state"] == "exists"
    assert "suspended" in hands.finish("EX01/DB05/09").output
    assert hands.change("start-job", **arguments)["state"] == "exists"
    assert truth_of(hands.world).effects["job-started", "EX01/DB05/09"] == 1
    assert hands.poll("another")["state"] == "absent"
    assert hands.change("cancel-job", job="another") == {"state": "absent"}
    assert hands.change("cancel-job", job="EX01/DB05/09") == {"state": "ended"}


def test_a_cancelled_rebuild_leaves_part_of_its_file(hands: Hands) -> None:
    hands.dismount()
    job = hands.start_eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o", creates=(TEMPORARY,))
    hands.clock.move(seconds=0.2)
    part = hands.poll(job, TEMPORARY)["watched"][0]["size_bytes"]
    assert part > 0
    hands.change("cancel-job", job=job)
    hands.clock.move(seconds=100)
    assert hands.poll(job, TEMPORARY)["watched"][0]["size_bytes"] == part
    assert hands.cmdlet("Mount-Database", Identity="DB05")["errors"] == []


def test_a_reboot_loses_jobs_and_mounts_what_is_mounted_at_startup(hands: Hands) -> None:
    hands.cmdlet("Set-MailboxDatabase", Identity="DB05", MountAtStartup=False)
    hands.dismount()
    job = hands.start_eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o", creates=(TEMPORARY,))
    hands.clock.move(seconds=0.2)
    boot = hands.poll(job)["boot_id"]
    hands.world.faults.reboot("EX01", at=hands.clock.now())
    hands.clock.move(seconds=200)
    seen = hands.poll(job)
    assert (seen["state"], seen["exit_code"]) == ("lost", None)
    assert seen["boot_id"] != boot
    assert hands.database("DB01")["Mounted"] is True
    assert hands.database()["Mounted"] is False
    assert 302 in {each.event_id for each in hands.world.hosts["EX01"].events.all()}
    again = hands.start_eseutil("/k", EDB, "/o")
    assert hands.finish(again).exit_code == 0


def test_a_full_disk_ends_a_rebuild_and_a_copy(hands: Hands) -> None:
    hands.dismount()
    hands.world.leave_free("EX01", EDB, free_bytes=100_000)
    assert hands.eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o").exit_code == -1808
    hands.world.leave_free("EX01", SET, free_bytes=100_000)
    copied = hands.copy(EDB, f"{SET}\\DB05.edb")
    assert (copied.exit_code, copied.answer["result"]) == (-1, None)


def test_a_flipped_bit_shows_in_the_copy_only(hands: Hands) -> None:
    hands.dismount()
    hands.world.faults.flip_bit_in_next_copy()
    copied = hands.copy(EDB, f"{SET}\\DB05.edb")
    assert copied.exit_code == 0
    hashed = hands.finish(hands.start("hash-files", files=[f"{SET}\\DB05.edb"]))
    assert hashed.answer["result"] != copied.answer["result"]
    assert hands.eseutil("/k", f"{SET}\\DB05.edb", "/o").exit_code == -1206
    assert hands.eseutil("/k", EDB, "/o").exit_code == 0


def test_planned_failures(hands: Hands) -> None:
    hands.dismount()
    hands.world.faults.fail_next_eseutil("/d", error=-1022)
    seen = hands.eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o", creates=(TEMPORARY,))
    assert seen.exit_code == -1022
    assert getattr(parse_end(seen.output), "error", None) == -1022
    hands.world.faults.fail_next_mount("DB05", error=-550)
    failed = hands.cmdlet("Mount-Database", Identity="DB05")
    assert "ec=-550" in failed["errors"][0]["message"]
    assert hands.cmdlet("Mount-Database", Identity="DB05")["errors"] == []


def test_a_backup_covers_whole_volumes_and_truncates(hands: Hands) -> None:
    before = hands.observe(folders=("L:\\DB01",))["log_folders"][0]["count"]
    job = hands.start("wbadmin", target="F:", volumes=["D:", "L:"])
    hands.clock.move(seconds=0.2)
    hands.world.advance()
    assert hands.database("DB01")["BackupInProgress"] is True
    assert hands.database("DB02")["BackupInProgress"] is False
    assert hands.observe()["windows_backup"]["is_running"] is True
    second = hands.finish(hands.start("wbadmin", target="F:", volumes=["D:"]))
    assert second.exit_code != 0
    assert parse_backup(second.output).errors
    seen = hands.finish(job)
    assert parse_backup(seen.output).end is BackupEnd.COMPLETED
    hands.clock.move(seconds=2)
    after = hands.observe(folders=("L:\\DB01",))
    assert after["log_folders"][0]["count"] < before
    ids = {each["id"] for each in after["backup_events"] if "DB01" in each["text"]}
    assert ids == {2005, 2006, 224}
    assert after["windows_backup"]["last_result"] == 0
    assert hands.database("DB01")["LastFullBackup"] > START.isoformat()[:19]
    assert hands.database("DB02")["LastFullBackup"] < START.isoformat()[:19]
    assert hands.database("DB01")["BackupInProgress"] is False


def test_a_failed_backup_stamps_nothing(hands: Hands) -> None:
    before = hands.database("DB01")["LastFullBackup"]
    hands.world.faults.fail_next_backup()
    seen = hands.finish(hands.start("wbadmin", target="F:", volumes=["D:", "L:"]))
    assert seen.exit_code != 0
    assert parse_backup(seen.output).end is BackupEnd.FAILED
    hands.clock.move(seconds=5)
    assert hands.database("DB01")["LastFullBackup"] == before
    assert hands.database("DB01")["BackupInProgress"] is False


def test_somebody_elses_backup(hands: Hands) -> None:
    at = hands.clock.now()
    hands.world.faults.start_foreign_backup("EX01", at=at, volumes=("D:\\", "L:\\"))
    hands.world.advance()
    assert hands.database()["BackupInProgress"] is True
    hands.clock.move(seconds=60)
    assert hands.database()["BackupInProgress"] is False


def test_configuration_is_exported(hands: Hands) -> None:
    folder = f"{SET}\\configuration"
    request = {
        "folder": folder,
        "registry_keys": ["HKLM\\SOFTWARE\\Microsoft\\ExchangeServer"],
        "paths": [hands.tool.rpartition("\\")[0], "C:\\nowhere"],
        "system_state": False,
    }
    seen = hands.finish(hands.start("export-configuration", **request))
    result = seen.answer["result"]
    assert result["missing"] == ["C:\\nowhere"]
    assert any(each["path"].endswith("EdgeTransport.exe.config") for each in result["files"])
    assert len(hands.world.hosts["EX01"].files.below(folder)) == len(result["files"])


def test_an_unknown_program_is_not_played(hands: Hands) -> None:
    unknown = hands.start("command", command=["C:\\ops\\x.cmd"], follow=None)
    assert hands.finish(unknown).exit_code == -1
    failing = hands.start("command", command=["C:\\ops\\fail.cmd"], follow=None)
    assert hands.finish(failing).exit_code == 3
    assert ROOT in hands.world.jobs["EX01", unknown].folder


def test_a_job_that_had_not_begun_before_a_reboot_waits_for_another_start(hands: Hands) -> None:
    arguments = {
        "job": "one",
        "kind": "command",
        "request": {"command": ["C:\\ops\\av.cmd", "suspend"], "follow": None},
        "runner": "",
    }
    hands.change("start-job", **arguments)
    hands.world.reboot("EX01")
    hands.clock.move(seconds=200)
    assert hands.poll("one")["state"] == "requested"
    assert hands.change("start-job", **arguments)["state"] == "exists"
    assert hands.finish("one").exit_code == 0


def test_a_backup_target_that_is_full(hands: Hands) -> None:
    hands.world.leave_free("EX01", "F:\\x", free_bytes=10)
    before = hands.database("DB01")["LastFullBackup"]
    assert hands.finish(hands.start("wbadmin", target="F:", volumes=["D:", "L:"])).exit_code != 0
    hands.clock.move(seconds=5)
    assert hands.database("DB01")["BackupInProgress"] is False
    assert hands.database("DB01")["LastFullBackup"] == before


def test_a_copy_of_a_world_goes_its_own_way(hands: Hands) -> None:
    hands.dismount()
    hands.start_eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o", creates=(TEMPORARY,))
    fork = deepcopy(hands)
    fork.clock.move(seconds=10)
    fork.world.advance()
    fork.cmdlet("Mount-Database", Identity="DB05")
    assert fork.database()["Mounted"] is True
    assert fork.world.hosts["EX01"].files.exists(TEMPORARY)
    assert hands.database()["Mounted"] is False
    assert not hands.world.hosts["EX01"].files.exists(TEMPORARY)


def shadow(hands: Hands, target: str = "F:\\online") -> dict[str, Any]:
    return {
        "target": target,
        "volumes": ["D:\\", "L:\\"],
        "eseutil": hands.world.hosts["EX01"].description.eseutil_path,
        "databases": [
            {"path": "D:\\DB01\\DB01.edb", "log_folder": "L:\\DB01", "log_prefix": "E01"}
        ],
    }


def test_diskshadow_copies_verifies_and_truncates(hands: Hands) -> None:
    before = hands.database("DB01")["LastFullBackup"]
    seen = hands.finish(hands.start("diskshadow", **shadow(hands)))
    assert (seen.exit_code, seen.answer["result"]["ended"]) == (0, True)
    assert parse_diskshadow(seen.output).exposed
    assert [one["exit_code"] for one in seen.answer["result"]["copied"]["checks"]] == [0]
    hands.clock.move(seconds=5)
    assert hands.database("DB01")["LastFullBackup"] > before
    assert hands.observe()["windows_backup"]["is_running"] is False


def test_diskshadow_leaves_the_logs_when_its_copy_is_bad(hands: Hands) -> None:
    before = hands.database("DB01")["LastFullBackup"]
    hands.world.faults.tear_next_copy()
    seen = hands.finish(hands.start("diskshadow", **shadow(hands)))
    assert (seen.exit_code, seen.answer["result"]["ended"]) == (1, False)
    assert "not what was read" in seen.answer["result"]["copied"]["message"]
    hands.clock.move(seconds=5)
    assert hands.database("DB01")["LastFullBackup"] == before
    ids = {each["id"] for each in hands.observe()["backup_events"] if "DB01" in each["text"]}
    assert 2007 in ids and 224 not in ids


def test_diskshadow_beside_another_backup_creates_nothing(hands: Hands) -> None:
    hands.start("wbadmin", target="F:", volumes=["D:", "L:"])
    hands.clock.move(seconds=0.2)
    hands.world.advance()
    seen = hands.finish(hands.start("diskshadow", **shadow(hands)))
    assert (seen.exit_code, seen.answer["result"]["copied"]) == (1, None)
