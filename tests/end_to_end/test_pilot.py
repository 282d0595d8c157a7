"""`pilot` over the real protocols: a server that is proved, and one whose tool speaks otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goexchange.errors import ExitCode
from tests.end_to_end.site import Done, Site, lab, steps

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with lab(tmp_path, "--pace", "30", "--scale", "0.1") as running:
        settings = running.folder / "goexchange.yaml"
        running.folder.joinpath("out").mkdir(exist_ok=True)
        assert settings.exists()
        yield running


def journals(site: Site) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for run in sorted((site.folder / ".goexchange" / "runs").iterdir()):
        lines = (run / "journal.jsonl").read_text("utf-8").splitlines()
        found[run.name] = [json.loads(line) for line in lines]
    return found


def of_the_pilot(site: Site) -> list[Path]:
    """Files of pilots, and of the tool, on the server's disks."""
    return [
        path
        for path in site.disk("EX01").rglob("*")
        if path.is_file() and "gx-pilot-" in str(path)
    ]


def pilot(site: Site, *words: str) -> Done:
    return site.run("pilot", "EX01", *words)


def test_a_server_is_proved_until_a_newer_pilot_is_not(site: Site) -> None:
    is_proved(site)
    transcripts_name_nobody(site)
    is_not_proved_by_a_tool_that_speaks_otherwise(site)


def is_proved(site: Site) -> None:
    before = site.run("plan", "--database", "DB05", "--out", "before.json")
    assert before.code == 0, before.err
    assert "unproven-build" in before.out
    looked = pilot(site)
    assert looked.code == ExitCode.UNAPPROVED, looked.err
    assert "Creates   database gx-pilot-" in looked.out and "Nothing was changed" in looked.out
    shown = pilot(site, "--preview")
    assert shown.code == ExitCode.OK and "Creates   database gx-pilot-" in shown.out
    assert of_the_pilot(site) == [] and not (site.folder / ".goexchange" / "runs").exists()

    done = pilot(site, "--yes", "--json", "--report", "out/p.html", "--report", "out/p.xml")
    assert done.code == ExitCode.OK, done.out + done.err
    record = done.document["pilot"]
    assert record["is_good"] and record["left"] == []
    assert [each["kind"] for each in record["stages"]] == [
        "create", "way-back", "whole-script", "remove", "tidy",
    ]  # fmt: skip
    assert [each["processes"] for each in record["stages"]] == [1, 2, 2, 1, 1]
    marks = {each["parser"]: each["mark"] for each in record["parsers"]}
    assert marks == dict.fromkeys(marks, "read")
    assert {"eseutil /mh", "eseutil /k", "eseutil /g", "eseutil /d", "wbadmin start backup",
            "facts over the Exchange channel", "answers of host scripts"} <= set(marks)  # fmt: skip

    kept = journals(site)
    back = kept[record["stages"][1]["run"]]
    assert len([one for one in back if one["kind"] == "run-resumed"]) == 1
    for action in ("swap", "swap-back", "force-way-back"):
        assert len(steps(back, "outcome", action)) == 1, action
    whole = kept[record["stages"][2]["run"]]
    assert len([one for one in whole if one["kind"] == "run-resumed"]) == 1
    for action in ("rebuild", "swap", "mount", "prove-backup"):
        assert len(steps(whole, "outcome", action)) == 1, action

    assert of_the_pilot(site) == []
    # What the killed controllers left open ends by its own idle limit, and is all that is left.
    left = site.run("leftovers", "EX01", "--json").document["leftovers"]
    assert {each["kind"] for each in left} <= {"winrm-shell"}
    effects = [each for each in site.control("effects")["effects"] if each["database"]]
    assert {each["database"] for each in effects} == {record["database"]}
    assert [each["kind"] for each in effects].count("database-removed") == 1

    after = site.run("plan", "--database", "DB05", "--out", "after.json")
    assert after.code == 0 and "unproven-build" not in after.out
    plan = json.loads((site.folder / "after.json").read_bytes())
    assert "outage-without-history" in {one["consent"] for one in plan["body"]["consents"]}
    assert "PROVED" in (site.folder / "out" / "p.html").read_text("utf-8")


def transcripts_name_nobody(site: Site) -> None:
    folders = list((site.folder / ".goexchange" / "runs").glob("*/transcript"))
    texts = [path.read_text("utf-8") for each in folders for path in each.glob("*.json")]
    assert len(texts) > 50
    secret = (site.folder / "lab-password").read_text("utf-8").strip()
    names = (secret, "EX01", "lab.example", "gxadmin", "DB05", "RDB01", "127.71.0.1")
    for text in texts:
        for name in names:
            found = re.search(rf"(?i)(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text)
            assert found is None, name
    printed = [json.loads(text) for text in texts if '"output"' in text and '"job"' in text]
    assert any("Initiating CHECKSUM mode" in str(each.get("output")) for each in printed)


def is_not_proved_by_a_tool_that_speaks_otherwise(site: Site) -> None:
    site.control("speak", mode="/k", words="bad checksums", instead="fehlerhafte Pruefsummen")
    try:
        done = pilot(site, "--yes", "--json", "--report", "out/bad.md")
    finally:
        site.control("speak", mode="/k", words="", instead="")
    assert done.code == ExitCode.PARTIAL, done.out + done.err
    record = done.document["pilot"]
    assert not record["is_good"] and "eseutil /k" in record["why"]
    (parser,) = [each for each in record["parsers"] if each["parser"] == "eseutil /k"]
    assert parser["mark"] == "unknown" and parser["unknown"] >= 1
    assert any("fehlerhafte Pruefsummen" in line for line in parser["lines"])
    assert record["left"] == [] and of_the_pilot(site) == []
    assert "fehlerhafte Pruefsummen" in (site.folder / "out" / "bad.md").read_text("utf-8")
    planned = site.run("plan", "--database", "DB05")  # the newer one has taken the proof away
    assert "unproven-build" in planned.out


def test_one_that_is_kept_is_removed_later(site: Site) -> None:
    done = pilot(site, "--yes", "--keep", "--json")
    assert done.code == ExitCode.OK, done.out + done.err
    name = done.document["pilot"]["database"]
    assert len(of_the_pilot(site)) > 3
    asked = pilot(site, "--remove", name)
    assert asked.code == ExitCode.UNAPPROVED and len(of_the_pilot(site)) > 3
    removed = pilot(site, "--remove", name, "--yes")
    assert removed.code == ExitCode.OK, removed.out + removed.err
    assert of_the_pilot(site) == []
