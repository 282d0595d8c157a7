"""`pilot` on Exchange 2007 and 2003, over the real protocols: a storage group of its own comes
and goes, and afterwards the generation is asked about no more.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from goexchange.errors import ExitCode
from tests.end_to_end.site import Done, Site, lab
from tests.end_to_end.test_exchange_2003_databases import NTBACKUP
from tests.end_to_end.test_exchange_2010 import relax
from tests.end_to_end.test_scripts import BACKUP, SET, written

pytestmark = [pytest.mark.timeout(1200), pytest.mark.long]

DOWN = ", verify: offline"
LOOK = {"DB21": ("EX06", "offline-space-diagnostic", "measured_within: 90d", DOWN, "")}
AROUND = ", error_correction: {primary_passes_max: 2, defragmented_passes_max: 2}"
ON_2007 = {
    "DB20": ("EX06", "preventative-maintenance", "white_space_max: 20%", AROUND, SET + BACKUP),
}
ON_2003 = {
    "DB30": ("EX07", "preventative-maintenance", "white_space_max: 20%", AROUND, SET + NTBACKUP),
}
MTA = r"""
---
apiVersion: goexchange/v1
kind: Specification
metadata: {name: agents}
targets: {servers: [EX07]}
desired: {verified_within: 30d}
script: {name: mta-error-correction}
backup: {before: {offline: {target: {path: 'E:\evidence'}}}}
"""


def left_on(site: Site, server: str) -> list[Path]:
    return [path for path in site.disk(server).rglob("*gx-pilot-*") if path.is_file()]


def effects(site: Site) -> list[str]:
    return [each["kind"] for each in site.control("effects")["effects"]]


def proved(site: Site, server: str, *consents: str) -> dict[str, Any]:
    given = [word for name in consents for word in ("--consent", name)]
    done: Done = site.run("pilot", server, "--yes", *given, "--json", COLUMNS="200")
    assert done.code == ExitCode.OK, done.out + done.err
    record: dict[str, Any] = done.document["pilot"]
    assert record["is_good"] and record["left"] == []
    assert [each["processes"] for each in record["stages"]] == [1, 2, 2, 1, 1]
    return record


def consents_of(site: Site, file: str) -> dict[str, list[str]]:
    body = json.loads((site.folder / file).read_bytes())["body"]
    found: dict[str, list[str]] = {}
    for each in body["consents"]:
        found.setdefault(each["consent"], []).append(each["finding"])
    return found


def test_a_proved_2007_needs_no_consent_for_its_generation(tmp_path: Path) -> None:
    with lab(tmp_path, "--old", "--pace", "30", "--scale", "0.2") as site:
        written(site, ON_2007)
        relax(site)
        site.run("plan", "--out", "before.json")
        assert {"unconfirmed-generation", "unproven-build"} <= set(consents_of(site, "before.json"))
        shown = site.run("pilot", "EX06", "--preview", COLUMNS="160")
        assert "storage group gx-pilot-" in shown.out, shown.out + shown.err
        asked = site.run("pilot", "EX06", "--yes")
        assert asked.code == ExitCode.UNAPPROVED and "storage-group-made" not in effects(site)
        record = proved(site, "EX06", "unconfirmed-generation", "store-integrity-correction")
        marks = {each["parser"]: each["mark"] for each in record["parsers"]}
        assert marks.pop("free space told by the store's events") == "not-seen"
        assert marks == dict.fromkeys(marks, "read"), record["parsers"]
        assert {"isinteg", "eseutil /mh", "eseutil /d", "wbadmin start backup"} <= set(marks)
        done = effects(site)
        for kind in ("storage-group-made", "database-made", "database-removed",
                     "storage-group-removed"):  # fmt: skip
            assert done.count(kind) == 1, kind
        assert left_on(site, "EX06") == []
        plan = site.run("plan", "--out", "after.json", COLUMNS="300")
        assert not {"unconfirmed-generation", "unproven-build"} & set(
            consents_of(site, "after.json")
        )
        assert "somebody moves mailboxes" in plan.out + plan.err
        written(site, LOOK)  # its logs are those of another one too
        site.run("plan", "--out", "shared.json")
        (kept,) = consents_of(site, "shared.json")["unconfirmed-generation"]
        assert "the logs of DB21 are those of DB22 too" in kept
        texts = [
            path.read_text("utf-8")
            for path in (site.folder / ".goexchange" / "runs").glob("*/transcript/*.json")
        ]
        assert texts and not [each for each in texts if "Second Storage Group" in each]


def test_a_proved_2003_keeps_the_consent_for_what_no_pilot_tries(tmp_path: Path) -> None:
    with lab(tmp_path, "--old", "--pace", "30", "--scale", "0.2") as site:
        written(site, ON_2003)
        relax(site)
        site.run("plan", "--out", "before.json")
        assert {"unconfirmed-generation", "unproven-build"} <= set(consents_of(site, "before.json"))
        record = proved(site, "EX07", "unconfirmed-generation", "store-integrity-correction")
        marks = {each["parser"]: each["mark"] for each in record["parsers"]}
        assert "isinteg" in marks
        assert marks.pop("free space told by the store's events") == "not-seen"
        assert marks == dict.fromkeys(marks, "read"), record["parsers"]
        done = effects(site)
        for kind in ("storage-group-made", "database-made", "database-removed",
                     "storage-group-removed"):  # fmt: skip
            assert done.count(kind) == 1, kind
        assert left_on(site, "EX07") == []
        plan = site.run("plan", "--out", "after.json", COLUMNS="300")
        assert not {"unconfirmed-generation", "unproven-build"} & set(
            consents_of(site, "after.json")
        )
        assert "scheduled there as a task" in plan.out + plan.err
        for path in (site.folder / "specs").glob("*.yaml"):
            path.write_text(MTA.lstrip("\n-"), "utf-8")
        site.run("plan", "--out", "mta.json")  # the transfer agent is none of a pilot's
        assert "unconfirmed-generation" in consents_of(site, "mta.json")
