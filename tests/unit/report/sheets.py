"""Sheets made by hand: a plan, a refused one, a rehearsal, a check, a verification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve

from goexchange.app.verify_sheet import sheet_of_verification
from goexchange.app.verifying import Verification
from goexchange.backup.findings import (
    FileJudgement,
    Finding,
    Found,
    Judgement,
    Weight,
)
from goexchange.backup.findings import Verdict as BackupVerdict
from goexchange.model.pilot import (
    ParserMark,
    ParserVerdict,
    PilotRecord,
    Stage,
    StageKind,
    Versions,
)
from goexchange.model.plan import Plan, Verdict, VerdictKind
from goexchange.model.rehearsal import CALM, EVERY, Counts, Rehearsal
from goexchange.model.resource_check import ResourceCheck, ResourceFinding
from goexchange.model.resource_check import Subject as CheckSubject
from goexchange.model.resource_check import Weight as CheckWeight
from goexchange.model.sheet import Chapter, Fact, Mend, Sheet, SheetKind
from goexchange.plan.plan_schema import schema_of
from goexchange.report.sheet_of_checks import sheet_of_checks
from goexchange.report.sheet_of_pilot import sheet_of_pilot
from goexchange.report.sheet_of_plan import sheet_of_plan
from goexchange.report.sheet_of_rehearsal import sheet_of_rehearsal
from goexchange.report.sheet_of_verdicts import Subject, sheet_of_verdicts
from tests.unit.report import conftest as nights

SCHEMA_FILE = Path(__file__).parents[3] / "schemas" / "sheet.v1.json"


def sheet_schema() -> dict[str, Any]:
    """The schema that the model asks for."""
    definitions: dict[str, Any] = {}
    root = schema_of(Sheet, definitions)
    members = definitions["Sheet"]["properties"]
    members["format"] = {"const": "goexchange/sheet/v1", "description": "Format."}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "goexchange/sheet/v1",
        "title": "goexchange sheet",
        "description": "The report of a plan, a verification, a rehearsal, a resource check or a"
        " pilot.",
        **root,
        "definitions": dict(sorted(definitions.items())),
    }


def refused_plan(text: str = "no free space for the temporary file: 12 GiB free < 63 GiB") -> Plan:
    """A plan that two guards say no to; `text` is their evidence."""
    first, *others = nights.verdicts()
    no = evolve(
        first,
        kind=VerdictKind.BLOCK,
        evidence=text,
        remedy="free 51 GiB on D:, or name another volume in script.temporary_folder",
    )
    lost = Verdict(
        guard="backup-reachable",
        address="EX01",
        kind=VerdictKind.UNKNOWN,
        rule="the target of the backup can be written",
        evidence=r"\\backup01\exchange$ did not answer within 30 s",
        observed={},
    )
    return nights.sealed(nights.body(guards=(no, lost, *others)))


def resources(text: str = "D:\\ 3 GiB free, under the threshold of 10 GiB") -> Sheet:
    """A resource check with a finding of each weight; `text` is what hosts and documents say."""
    finding = ResourceFinding(
        address=text, subject=CheckSubject.SPACE, weight=CheckWeight.PROBLEM, text=text, remedy=text
    )
    findings = tuple(evolve(finding, weight=each) for each in CheckWeight)
    check = ResourceCheck(
        specification=text,
        checked_at_utc=nights.NOON,
        servers=(text,),
        findings=findings,
    )
    return sheet_of_checks((check,), made_by="goexchange 0.1.0")


def pilot(text: str = "0 fehlerhafte Pruefsummen") -> Sheet:
    """A pilot with every mark; `text` is what hosts and tools say."""
    marks = [
        ParserVerdict(
            parser=f"eseutil /{index}",
            mark=mark,
            inputs=index,
            unknown=index if mark is ParserMark.UNKNOWN else 0,
            reasons=(text,) if mark is ParserMark.UNKNOWN else (),
            lines=(text,) if mark in (ParserMark.UNKNOWN, ParserMark.REMARKS) else (),
            is_needed=True,
        )
        for index, mark in enumerate(ParserMark)
    ]
    stages = [
        Stage(
            kind=kind,
            run="20261128T220000-1234",
            is_as_wanted=kind is not StageKind.WHOLE_SCRIPT,
            exit_code=0,
            processes=2,
            seconds=12.5,
            words=text,
        )
        for kind in StageKind
    ]
    record = PilotRecord(
        format="goexchange/pilot/v1",
        id="gx-pilot-20261128T220000Z",
        server="EX01",
        database="gx-pilot-20261128T220000Z",
        versions=Versions(exchange=text, eseutil=None, powershell=text, goexchange="0.1.0"),
        began_at_utc=nights.NOON,
        ended_at_utc=nights.NOON,
        is_good=False,
        why=text,
        stages=tuple(stages),
        parsers=tuple(marks),
        left=(text,),
        transcript_sha256=nights.SHA,
        transcript_files=12,
    )
    return sheet_of_pilot(record, made_by="goexchange 0.1.0")


def rehearsal(name: str = "EX01/DB05") -> Rehearsal:
    """Some hundred runs, one of them broken."""
    return Rehearsal(
        outages={name: (9_000.0, 9_600.0, 11_400.0)},
        classes={
            EVERY: Counts(scenarios=200, left_down=3, window_missed=4, way_back=41, broken=1),
            CALM: Counts(scenarios=120),
            "lost answer": Counts(scenarios=80, left_down=3, way_back=41, broken=1),
        },
        broken=((17, "I3: a step was sent twice"),),
    )


def verification(path: str = r"\\backup01\exchange$\EX01\DB05\20261128", text: str = "") -> Sheet:
    """A set with a damaged database and a log that could not be read."""
    found = (
        Found(
            finding=Finding.PAGES_DAMAGED,
            weight=Weight.DAMAGE,
            path="DB05.edb",
            detail=text or "page 1,024: checksum differs",
            blocks_restore=True,
        ),
        Found(
            finding=Finding.READ_ERROR,
            weight=Weight.UNKNOWN,
            path="E0500000A1B.log",
            detail=text or "cannot be read: the network name is no longer available",
        ),
    )
    files = (
        FileJudgement(
            path="DB05.edb",
            kind="database",
            size_bytes=98 * nights.GIB + 32_768,
            sha256=nights.SHA,
            summary=text or "database, clean shutdown, 3,211,265 pages",
            is_damaged=True,
        ),
        FileJudgement(
            path="E0500000A1A.log",
            kind="log",
            size_bytes=1_048_576,
            sha256=nights.SHA,
            summary="log 0xa1a",
            is_damaged=False,
        ),
    )
    judgement = Judgement(
        path=path,
        verdict=BackupVerdict.NOT_RESTORABLE,
        findings=found,
        files=files,
        set_id="20261128T210000Z",
        set_sha256=nights.SHA,
    )
    return sheet_of_verification([Verification(judgement=judgement)], at_utc=nights.NOON)


def check(text: str = "D: 311 GiB free >= 243 GiB") -> Sheet:
    """A resource check of one server: one guard passes, one says no, one cannot tell."""
    verdicts = tuple(
        Verdict(
            guard=guard,
            address="EX01",
            kind=kind,
            rule="the rule",
            evidence=text,
            observed={},
            remedy="free some space",
        )
        for guard, kind in (
            ("free-space", VerdictKind.PASS),
            ("no-backup-running", VerdictKind.BLOCK),
            ("clock", VerdictKind.UNKNOWN),
        )
    )
    subject = Subject(
        name="EX01",
        made_by="goexchange 0.1.0",
        at_utc=nights.NOON,
        facts=(Fact(label="Server", text=text),),
        mends=(Mend(title="A backup runs", why=text, commands=("wbadmin get status",)),),
        chapters=(
            Chapter(title="What a tool printed", lines=(text,), output=text, is_folded=True),
        ),
    )
    return sheet_of_verdicts(SheetKind.CHECK, subject, verdicts)


def all_sheets() -> dict[str, Sheet]:
    """One sheet of each kind that is made, by name."""
    plan = nights.sealed(nights.body())
    return {
        "plan": sheet_of_plan(plan),
        "refused": sheet_of_plan(refused_plan()),
        "rehearsal": sheet_of_rehearsal(plan, rehearsal(), ("left down in 3 of 200 runs",)),
        "verification": verification(),
        "check": check(),
        "resources": resources(),
        "pilot": pilot(),
    }


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json.dumps(sheet_schema(), indent=2) + "\n", "utf-8")
