"""A set that the lab made: carried elsewhere, verified, damaged, listed, pruned, restored."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from attrs import evolve

from goexchange.backup.manifest import manifest_bytes, parse_manifest
from goexchange.ese.logs import read_log_header, write_log_header
from goexchange.ese.structures import Signature
from goexchange.model.backup_set import MANIFEST_NAME
from tests.end_to_end.site import Done, Site, lab

PAGE = 32768


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site after a night of one database; its lab is down again."""
    with lab(tmp_path_factory.mktemp("sets"), "--pace", "20") as found:
        ended(found.run("plan", "--out", "plan.json", "--database", "DB05"), 0)
        ended(found.run("approve", "plan.json", "--consent", "all"), 0)
        ended(found.run("apply", "plan.json"), 0)
    yield found


@pytest.fixture
def carried(site: Site, tmp_path: Path) -> Path:
    """The set, copied to another place."""
    manifest = next(site.disk("backup01", "exchange$").rglob(MANIFEST_NAME))
    return Path(shutil.copytree(manifest.parent, tmp_path / "elsewhere"))


def ended(done: Done, code: int) -> Done:
    assert done.code == code, done.out + done.err
    return done


def findings(done: Done) -> set[tuple[str, str]]:
    return {
        (each["finding"], each["path"])
        for path in done.document["paths"]
        for each in path["findings"]
    }


def edited(path: Path, change: Callable[[bytearray], None]) -> None:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def test_it_verifies_elsewhere(site: Site, carried: Path) -> None:
    done = ended(site.run("verify", str(carried), "--json"), 0)
    (found,) = done.document["paths"]
    assert found["verdict"] == "restorable"
    assert found["set_sha256"] == json.loads((carried / MANIFEST_NAME).read_bytes())["sha256"]


def test_a_flipped_bit_is_named_with_its_page(site: Site, carried: Path) -> None:
    def flip(content: bytearray) -> None:
        content[8 * PAGE + 1000] ^= 16

    edited(carried / "DB05.edb", flip)
    done = ended(site.run("verify", str(carried), "--json"), 30)
    assert {("pages-correctable", "DB05.edb"), ("digest-differs", "DB05.edb")} <= findings(done)
    words = ended(site.run("verify", str(carried)), 30).out
    assert f"page 7 (bit {1000 * 8 + 4})" in words


def test_a_zeroed_page_is_found_by_the_digest(site: Site, carried: Path) -> None:
    def zero(content: bytearray) -> None:
        content[8 * PAGE : 9 * PAGE] = bytes(PAGE)

    edited(carried / "DB05.edb", zero)
    done = ended(site.run("verify", str(carried), "--json"), 30)
    assert ("digest-differs", "DB05.edb") in findings(done)


def test_a_missing_log_is_named(site: Site, carried: Path) -> None:
    logs = sorted(carried.glob("E??0*.log"))
    logs[len(logs) // 2].unlink()
    done = ended(site.run("verify", str(carried), "--json"), 30)
    assert ("file-missing", logs[len(logs) // 2].name) in findings(done)


def test_a_log_of_another_signature_is_named(site: Site, carried: Path) -> None:
    log = sorted(carried.glob("E??0*.log"))[-1]

    def strange(content: bytearray) -> None:
        header = read_log_header(bytes(content[:4096])).header
        assert header is not None
        other = evolve(header, signature=Signature(random=1, created=header.created))
        content[:4096] = write_log_header(other)

    edited(log, strange)
    done = ended(site.run("verify", str(carried), "--json"), 30)
    assert {("log-signature-foreign", log.name), ("digest-differs", log.name)} <= findings(done)


def test_an_edited_manifest_is_named(site: Site, carried: Path) -> None:
    manifest = carried / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes().replace(b'"server":"EX01"', b'"server":"EX02"'))
    done = ended(site.run("verify", str(carried), "--json"), 30)
    assert ("manifest-invalid", MANIFEST_NAME) in findings(done)
    (carried / MANIFEST_NAME).unlink()
    ended(site.run("verify", str(carried)), 0)  # a loose folder, sound as it is


def test_a_sample_says_that_it_is_one(site: Site, carried: Path) -> None:
    done = ended(site.run("verify", "--sample", "10%", str(carried), "--json"), 0)
    (found,) = done.document["paths"]
    big = [each for each in found["files"] if each["size_bytes"] > 1024 * 1024]
    assert found["verdict"] == ("sample-sound" if big else "restorable")
    ended(site.run("verify", "--sample", "0", str(carried)), 64)
    ended(site.run("verify", "--sample", "some", str(carried)), 64)


def test_junit_has_a_case_for_every_file(site: Site, carried: Path, tmp_path: Path) -> None:
    log = sorted(carried.glob("E??0*.log"))[0]
    edited(log, lambda content: content.__delitem__(slice(-1, None)))
    report = tmp_path / "verify.xml"
    ended(site.run("verify", str(carried), "--junit", str(report)), 30)
    (suite,) = ElementTree.parse(report).getroot()
    cases: dict[str, Any] = {case.get("name"): case for case in suite}
    files = [each for each in carried.rglob("*") if each.is_file()]
    assert {each.relative_to(carried).as_posix() for each in files} <= set(cases)
    assert cases[log.name].find("failure") is not None
    assert cases["DB05.edb"].find("failure") is None
    ended(site.run("verify", str(carried), "--junit", str(tmp_path)), 64)


def test_sets_are_listed_and_verified_where_they_lie(site: Site, carried: Path) -> None:
    shelf = str(carried.parent)
    listed = ended(site.run("backups", "list", shelf, "--json"), 0)
    (one,) = listed.document["sets"]
    assert (one["database"], one["standing"]) == ("DB05", "proved")
    assert "DB05" in ended(site.run("backups", "list", shelf), 0).out
    ended(site.run("backups", "verify", shelf), 0)
    (carried / "DB05.edb").unlink()
    ended(site.run("backups", "list", shelf), 30)
    ended(site.run("backups", "verify", shelf), 30)
    ended(site.run("backups", "list", str(carried / "absent")), 64)
    default = ended(site.run("backups", "list", "--json"), 0)
    assert len(default.document["sets"]) == 1  # the share of the inventory


def aged(folder: Path, to: Path, days: int) -> Path:
    """The set as if it had been taken so many days earlier, sealed again."""
    copy = Path(shutil.copytree(folder, to))
    body = parse_manifest((copy / MANIFEST_NAME).read_bytes()).body
    earlier = evolve(body, taken_at_utc=body.taken_at_utc - timedelta(days=days))
    (copy / MANIFEST_NAME).write_bytes(manifest_bytes(earlier))
    return copy


def test_prune_shows_first_and_removes_only_what_may_go(site: Site, carried: Path) -> None:
    shelf = carried.parent
    old, older = (aged(carried, shelf / f"minus-{days}", days) for days in (1, 9))
    (older / "notes.txt").write_text("not of the set", "utf-8")
    dry = ended(site.run("backups", "prune", str(shelf), "--last", "2"), 0)
    assert f"remove  {older}" in dry.out and "Nothing was removed" in dry.err
    assert (older / MANIFEST_NAME).exists()
    assert "the newest" in dry.out and "one of the last 2" in dry.out
    weekly = ended(site.run("backups", "prune", str(shelf), "--weekly", "9", "--json"), 0)
    assert all(each["is_kept"] for each in weekly.document["decisions"])
    done = ended(site.run("backups", "prune", str(shelf), "--last", "2", "--yes", "--json"), 0)
    assert done.document["is_done"] is True
    assert (older / "notes.txt").exists()
    assert not (older / "DB05.edb").exists() and not (older / MANIFEST_NAME).exists()
    assert (old / "DB05.edb").exists() and (carried / MANIFEST_NAME).exists()
    ended(site.run("verify", str(old)), 0)
    noted = (site.folder / ".goexchange" / "removed-sets.jsonl").read_text("utf-8")
    assert str(older) in noted


def test_prune_keeps_what_no_proved_backup_followed(
    site: Site, carried: Path, tmp_path: Path
) -> None:
    aged(carried, carried.parent / "minus-1", 1)
    shelf, store = str(carried.parent), str(tmp_path / "store")
    words = ("backups", "prune", shelf, "--last", "1", "--yes", "--store", store)
    done = ended(site.run(*words), 0)
    assert "no proved backup" in done.out and "remove " not in done.out
    assert len(list(carried.parent.glob(f"*/{MANIFEST_NAME}"))) == 2


def test_a_set_is_restored_to_a_folder(site: Site, carried: Path, tmp_path: Path) -> None:
    target = tmp_path / "restored" / "here"
    done = ended(site.run("restore", str(carried), "--to", str(target), "--json"), 0)
    assert done.document["verification"]["verdict"] == "restorable"
    assert (target / "DB05.edb").read_bytes() == (carried / "DB05.edb").read_bytes()
    names = {each.name for each in target.iterdir()}
    assert names == set(done.document["files"]) and not any(n.endswith(".chk") for n in names)
    assert any(each.endswith(".chk") for each in done.document["left_out"])
    again = ended(site.run("restore", str(carried), "--to", str(target)), 64)
    assert "not empty" in again.err
    original = ended(site.run("restore", str(carried), "--to", "original"), 64)
    assert "folder" in original.err
    ended(site.run("restore", str(tmp_path), "--to", str(tmp_path / "x")), 64)
    ended(site.run("restore", str(carried), "--to", str(carried / MANIFEST_NAME)), 64)


def test_a_damaged_set_is_not_restored(site: Site, carried: Path, tmp_path: Path) -> None:
    edited(carried / "DB05.edb", lambda content: content.__setitem__(9 * PAGE + 5, 0))
    ended(site.run("restore", str(carried), "--to", str(tmp_path / "restored")), 30)
    assert not (tmp_path / "restored").exists()
