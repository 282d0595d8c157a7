"""A verifier machine beside a run that cannot reach the target: its passes, and what they leave."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from goexchange.backup.verdict import parse_verdict
from goexchange.model.backup_set import MANIFEST_NAME, VERDICT_NAME
from tests.end_to_end.site import Done, Site, lab, steps

pytestmark = pytest.mark.long  # a night that waits for another machine


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A night whose controller reaches no share, while another process makes its passes."""
    with lab(tmp_path_factory.mktemp("attesting"), "--pace", "20") as found:
        _hide_the_shares(found.folder)
        found.planned("--database", "DB05")
        applying = found.start("apply", "plan.json")
        found.wait_for(lambda records: bool(steps(records, "intent", "verify-set")))
        share = str(found.disk("backup01", "exchange$"))
        first = found.run("verify", "--attest", "--as", "VERIFY01", share)
        assert first.code == 0, first.out + first.err
        output, _ = applying.communicate(timeout=400)
        assert applying.returncode == 0, output.decode()
    yield found


def _hide_the_shares(folder: Path) -> None:
    """As where the controller is no backup server: a verifier instead of the shares."""
    (written,) = [
        path
        for path in (folder / "inventory").glob("*.yaml")
        if "shares:" in path.read_text("utf-8")
    ]
    lines = written.read_text("utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("shares:"))
    end = start + 1
    while end < len(lines) and lines[end].startswith((" ", "-", "#")):
        end += 1
    lines[start:end] = ["verifier: VERIFY01"]
    lines.insert(lines.index("machines:") + 1, "  VERIFY01: {}")
    written.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture
def folder(site: Site, tmp_path: Path) -> Path:
    """The set with its verdict, copied to another place."""
    manifest = next(site.disk("backup01", "exchange$").rglob(MANIFEST_NAME))
    return Path(shutil.copytree(manifest.parent, tmp_path / "sets" / "one"))


def ended(done: Done, code: int) -> Done:
    assert done.code == code, done.out + done.err
    return done


def test_the_run_waited_and_took_the_verdict(site: Site) -> None:
    records = site.journal()
    (outcome,) = [
        one["data"]
        for one in records
        if one["kind"] == "outcome" and one["data"]["step"].endswith("-verify-set")
    ]
    assert outcome["result"]["verified_by"] == "VERIFY01"
    assert outcome["result"]["ok"] is True
    shown = ended(site.run("show", "plan.json"), 0).out
    assert "VERIFY01" in shown and "at most" in shown


def test_a_second_pass_reads_nothing_again(site: Site, folder: Path) -> None:
    before = (folder / VERDICT_NAME).stat()
    done = ended(site.run("verify", "--attest", str(folder.parent), "--json"), 0)
    (found,) = done.document["sets"]
    assert found["is_new"] is False and found["verdict"]["verified_by"] == "VERIFY01"
    assert (folder / VERDICT_NAME).stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("spoiled", [b"", b"{}", b"\xff" * 50])
def test_a_damaged_verdict_is_made_anew(site: Site, folder: Path, spoiled: bytes) -> None:
    (folder / VERDICT_NAME).write_bytes(spoiled)
    ended(site.run("verify", "--attest", str(folder)), 0)
    verdict = parse_verdict((folder / VERDICT_NAME).read_bytes())
    assert verdict.set_sha256 == json.loads((folder / MANIFEST_NAME).read_bytes())["sha256"]
    assert sorted(path.name for path in folder.iterdir() if "verdict" in path.name) == [
        VERDICT_NAME
    ]


def test_damage_is_attested_too(site: Site, folder: Path) -> None:
    (folder / VERDICT_NAME).unlink()
    content = bytearray((folder / "DB05.edb").read_bytes())
    content[8 * 32768 + 1000] ^= 16
    (folder / "DB05.edb").write_bytes(content)
    ended(site.run("verify", "--attest", str(folder)), 30)
    verdict = parse_verdict((folder / VERDICT_NAME).read_bytes())
    assert not verdict.is_good and any("DB05.edb" in each for each in verdict.findings)
    ended(site.run("verify", "--attest", str(folder)), 30)


def test_a_verdict_belongs_to_the_set_and_is_no_part_of_it(site: Site, folder: Path) -> None:
    done = ended(site.run("verify", str(folder), "--json"), 0)
    (found,) = done.document["paths"]
    assert not [each for each in found["findings"] if each["path"] == VERDICT_NAME]


def test_what_is_no_set_gets_none(site: Site, folder: Path) -> None:
    (folder / VERDICT_NAME).unlink()
    (folder / MANIFEST_NAME).write_bytes(b"{}")
    done = ended(site.run("verify", "--attest", str(folder)), 30)
    assert "not a manifest of a backup set" in done.out
    assert not (folder / VERDICT_NAME).exists()


@pytest.mark.parametrize(
    "words", [("--attest", "--sample", "10%"), ("--attest", "--junit", "x.xml"), ("--as", "ME")]
)
def test_what_does_not_go_together_is_refused(
    site: Site, folder: Path, words: tuple[str, ...]
) -> None:
    ended(site.run("verify", str(folder), *words), 64)
