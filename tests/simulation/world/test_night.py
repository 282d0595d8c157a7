"""A whole night by hand, from dismount to backup; and what the truth says of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from goexchange.powershell.eseutil import (
    DefragmentationReport,
    IntegrityReport,
    parse_checksum,
    parse_defragmentation,
    parse_integrity,
)
from goexchange.powershell.header_dump import HeaderDump, parse_header_dump
from goexchange.powershell.sizes import parse_size
from goexchange.world.refusals import ScriptFailed
from goexchange.world.tasks import VENDOR_TASK
from goexchange.world.truth import silently_down, truth_of
from tests.simulation.world.hands import EDB, KEPT, SET, TEMPORARY, Hands, JobSeen

TELLS_NOBODY: dict[str, Any] = {
    "mail_server": None,
    "mail_from": None,
    "mail_to": [],
    "webhook": None,
}


def _take_down(hands: Hands) -> None:
    guid = hands.guid("DB05")
    hands.script(
        "claim-fence",
        root="C:\\ProgramData\\goexchange",
        fence=1,
        holder="me",
        claimed_at="2026-11-22T20:00:00Z",
    )
    hands.change(
        "sentinel",
        run="r1",
        database_guid=guid,
        database="DB05",
        state="placed",
        what="outage",
        silent_after_s=600,
        **TELLS_NOBODY,
    )
    hands.cmdlet("Set-MailboxDatabase", Identity=guid, MountAtStartup=False)
    hands.dismount()


def _rebuild(hands: Hands) -> JobSeen:
    return hands.eseutil("/d", EDB, f"/t{TEMPORARY}", "/p", "/o", creates=(TEMPORARY,))


def _swap_arguments(hands: Hands) -> dict[str, str]:
    return {
        "original": EDB,
        "temporary": TEMPORARY,
        "kept": KEPT,
        "original_sha256": hands.header_digest(EDB),
        "temporary_sha256": hands.header_digest(TEMPORARY),
    }


def test_the_night(hands: Hands) -> None:
    before = parse_size(hands.database()["DatabaseSize"])
    space = parse_size(hands.database()["AvailableNewMailboxSpace"])
    assert isinstance(before, int) and isinstance(space, int)
    _take_down(hands)
    header = hands.read_header(EDB)
    dump = parse_header_dump(base64.b64decode(header["eseutil"]["output"]).decode())
    assert isinstance(dump, HeaderDump)
    assert dump.state == "Clean Shutdown"
    checked = hands.eseutil("/k", EDB, "/o")
    assert checked.exit_code == 0
    assert getattr(parse_checksum(checked.output), "bad_checksums", None) == 0
    sound = parse_integrity(hands.eseutil("/g", EDB, "/tD:\\DB05\\gx-1\\i.edb", "/o").output)
    assert isinstance(sound, IntegrityReport)
    assert sound.is_sound

    copied = hands.copy(EDB, f"{SET}\\DB05.edb")
    (digest,) = copied.answer["result"]["files"]
    rebuilt = _rebuild(hands)
    report = parse_defragmentation(rebuilt.output)
    assert isinstance(report, DefragmentationReport)
    assert report.is_complete
    grown = [size for size in rebuilt.sizes if size is not None]
    assert grown == sorted(grown) and len(set(grown)) > 2
    assert grown[-1] == before - space

    read_back = hands.finish(hands.start("hash-files", files=[f"{SET}\\DB05.edb"]))
    assert read_back.answer["result"]["files"] == [digest]
    manifest = base64.b64encode(b"{}").decode()
    assert hands.change("seal-set", folder=SET, manifest=manifest)["path"].startswith(SET)
    over = hands.finish(hands.start("await-verdict", folder=SET, set_sha256="ab12", wait_s=10))
    assert over.answer["result"] == {"exists": False, "content": None}
    hands.world.hosts["EX01"].files.write(f"{SET}\\backup-set.verdict.json", b"ab12")
    found = hands.finish(hands.start("await-verdict", folder=SET, set_sha256="ab12", wait_s=9999))
    assert found.answer["result"] == {"exists": True, "content": "YWIxMg=="}

    swap = _swap_arguments(hands)
    assert hands.script("swap-state", **swap)["state"] == "before"
    assert hands.change("swap-files", **swap) == {"state": "after"}
    assert hands.script("swap-state", **swap)["state"] == "after"
    assert hands.change("swap-files", **swap) == {"state": "after"}

    assert hands.cmdlet("Mount-Database", Identity="DB05")["errors"] == []
    now = hands.database()
    assert (now["Mounted"], now["LastFullBackup"]) == (True, None)
    assert parse_size(now["DatabaseSize"]) == before - space
    assert parse_size(now["AvailableNewMailboxSpace"]) == 0

    job = hands.start("wbadmin", target="F:", volumes=["D:", "L:"])
    assert hands.finish(job).exit_code == 0
    hands.clock.move(seconds=1)
    assert hands.database()["LastFullBackup"] is not None

    truth = truth_of(hands.world)
    found = truth.database("DB05")
    assert found.present is not None
    (original,) = found.originals
    assert original.signature != found.present.signature
    assert original.is_good
    assert found.has_set_of(original.signature)
    kinds = {kind: count for (kind, what), count in truth.effects.items() if what in ("DB05", EDB)}
    assert (kinds["dismount"], kinds["mount"], kinds["swap"]) == (1, 1, 1)
    assert silently_down(hands.world) == ()


def test_the_flush_map_goes_with_its_file(hands: Hands) -> None:
    files = hands.world.hosts["EX01"].files
    hands.dismount()
    _rebuild(hands)
    maps = {
        path: files.read(path) for path in ("D:\\DB05\\DB05.jfm", "D:\\DB05\\gx-1\\DB05.tmp.jfm")
    }
    swap = _swap_arguments(hands)
    hands.change("swap-files", **swap)
    assert files.read("D:\\DB05\\DB05.jfm") == maps["D:\\DB05\\gx-1\\DB05.tmp.jfm"]
    assert files.read("D:\\DB05\\DB05.jfm.before-x") == maps["D:\\DB05\\DB05.jfm"]
    swap["in_place_sha256"] = swap.pop("temporary_sha256")
    aside = f"{EDB}.rebuilt-x"
    assert hands.change("swap-back", **swap, set_aside=aside) == {"state": "before"}
    assert files.read("D:\\DB05\\DB05.jfm") == maps["D:\\DB05\\DB05.jfm"]
    assert files.exists(aside)
    assert hands.change("swap-back", **swap, set_aside=aside) == {"state": "before"}
    assert hands.cmdlet("Mount-Database", Identity="DB05")["errors"] == []


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ("original-changed", "header-differs"),
        ("kept-exists", "path-exists"),
        ("mounted", "file-in-use"),
        ("gone", "file-not-found"),
        ("kept-elsewhere", "other-volume"),
    ],
)
def test_a_swap_that_must_not_be(hands: Hands, spoil: str, code: str) -> None:
    files = hands.world.hosts["EX01"].files
    hands.dismount()
    _rebuild(hands)
    swap = _swap_arguments(hands)
    if spoil == "original-changed":
        swap["original_sha256"] = "0" * 64
    elif spoil == "kept-exists":
        files.write(KEPT, b"something")
    elif spoil == "mounted":
        hands.cmdlet("Mount-Database", Identity="DB05")
    elif spoil == "gone":
        files.delete(EDB)
    else:
        swap["kept"] = "E:\\kept.edb"
    with pytest.raises(ScriptFailed) as refused:
        hands.change("swap-files", **swap)
    assert refused.value.code == code


def test_an_interrupted_swap_goes_on_from_the_middle(hands: Hands) -> None:
    files = hands.world.hosts["EX01"].files
    hands.dismount()
    _rebuild(hands)
    swap = _swap_arguments(hands)
    files.rename("D:\\DB05\\DB05.jfm", "D:\\DB05\\DB05.jfm.before-x")
    files.rename(EDB, KEPT)
    assert hands.script("swap-state", **swap)["state"] == "between"
    assert hands.change("swap-files", **swap) == {"state": "after"}


def test_only_our_own_temporary_file_is_deleted(hands: Hands) -> None:
    hands.dismount()
    _rebuild(hands)
    with pytest.raises(ScriptFailed, match="outside-folder"):
        hands.change("delete-temporary", path=EDB, within="D:\\DB05")
    within = "D:\\DB05\\gx-1"
    assert hands.change("delete-temporary", path=TEMPORARY, within=within) == {"was_present": True}
    assert hands.change("delete-temporary", path=TEMPORARY, within=within) == {"was_present": False}
    assert hands.world.hosts["EX01"].files.below(within) == ()


def test_a_sentinel_that_is_not_fed_speaks(hands: Hands) -> None:
    _take_down(hands)
    guid = hands.guid("DB05")
    fed = {"run": "r1", "database_guid": guid, "database": "DB05", "what": "outage",
           "silent_after_s": 600}  # fmt: skip
    fed |= TELLS_NOBODY
    hands.clock.move(seconds=500)
    assert hands.change("sentinel", **fed, state="fed")["is_present"] is True
    hands.clock.move(seconds=500)
    hands.world.advance()
    events = hands.world.hosts["EX01"].events
    assert "goexchange" not in {each.provider for each in events.all()}
    assert f"\\goexchange\\sentinel-{guid}" in _tasks(hands)
    hands.clock.move(seconds=200)
    hands.world.advance()
    spoken = events.all()[-1]
    assert (spoken.provider, spoken.event_id, spoken.log) == ("goexchange", 4110, "Application")
    assert "DB05" in spoken.text
    hands.change("sentinel", **fed, state="removed")
    assert silently_down(hands.world) == ()
    assert _tasks(hands) == [VENDOR_TASK.name]


def _tasks(hands: Hands) -> list[str]:
    return [each["name"] for each in hands.observe()["tasks"]]


def test_a_database_that_nothing_speaks_of_is_silently_down(hands: Hands) -> None:
    hands.dismount()
    assert silently_down(hands.world) == ("DB05",)
    assert silently_down(hands.world, known_offline=("DB05",)) == ()


def test_a_lower_fence_changes_nothing(hands: Hands) -> None:
    claim = {"root": "C:\\ProgramData\\goexchange", "claimed_at": "2026-11-22T20:00:00Z"}
    hands.script("claim-fence", **claim, fence=7, holder="other")
    with pytest.raises(ScriptFailed, match="fenced"):
        hands.change("write-database-record", database_guid=hands.guid("DB05"), record={})
    with pytest.raises(ScriptFailed, match="fenced"):
        hands.script("claim-fence", **claim, fence=7, holder="me")
    assert hands.script("claim-fence", **claim, fence=7, holder="other")["fence"] == 7
    assert hands.observe()["fence"] == 7


def test_a_root_that_others_can_write_to_is_refused(hands: Hands) -> None:
    hands.world.hosts["EX01"].loose_folders.add("c:\\programdata\\goexchange")
    with pytest.raises(ScriptFailed, match="root-not-private"):
        hands.start("command", command=["C:\\ops\\av.cmd", "suspend"])
