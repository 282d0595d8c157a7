"""The JUnit form of what `verify` found."""

from __future__ import annotations

from xml.etree import ElementTree

from attrs import evolve

from goexchange.app.verifying import Verification, junit
from goexchange.backup.findings import FileJudgement, Finding, Judgement, Verdict, damage, unknown
from goexchange.report.verify_junit import VerifiedCase, VerifiedSuite, render_verify_junit


def file(path: str, *, is_damaged: bool = False) -> FileJudgement:
    return FileJudgement(
        path=path,
        kind="database",
        size_bytes=1,
        sha256=None,
        summary=f"{path} as it is",
        is_damaged=is_damaged,
    )


JUDGED = Judgement(
    path="/sets/a & b",
    verdict=Verdict.NOT_RESTORABLE,
    findings=(
        damage(Finding.PAGES_DAMAGED, "DB01.edb", "1 of 9 pages: page 7 <bad>", blocks=True),
        unknown(Finding.DIGEST_UNKNOWN, "E00.log", "not taken"),
        damage(Finding.FILE_MISSING, "E0000000001.log", "not there"),
    ),
    files=(file("DB01.edb", is_damaged=True), file("E00.log"), file("E00.chk")),
)


def parsed(*judgements: Judgement) -> ElementTree.Element:
    return ElementTree.fromstring(junit([Verification(judgement=each) for each in judgements]))


def test_damage_is_a_failure_and_the_unknown_an_error():
    root = parsed(JUDGED)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "3", "1")
    (suite,) = root
    assert suite.get("name") == "/sets/a & b"
    cases = {case.get("name"): case for case in suite}
    failure = cases["DB01.edb"].find("failure")
    assert failure is not None and "page 7 <bad>" in str(failure.get("message"))
    assert cases["E00.log"].find("error") is not None
    assert cases["E0000000001.log"].find("failure") is not None
    assert [child.tag for child in cases["E00.chk"]] == ["system-out"]
    verdict = cases["verdict"].find("failure")
    assert verdict is not None and "NOT restorable" in str(verdict.get("message"))


def test_an_undecided_path_is_no_pass():
    undecided = evolve(
        JUDGED,
        verdict=Verdict.UNDECIDED,
        files=(),
        findings=(unknown(Finding.NOTHING_RECOGNISED, "", "there is no ESE file among them"),),
    )
    assert not Verification(judgement=undecided).is_good
    root = parsed(undecided)
    assert (root.get("failures"), root.get("errors")) == ("0", "1")


def test_a_sound_path_has_no_failures():
    sound = evolve(JUDGED, verdict=Verdict.RESTORABLE, findings=())
    root = parsed(sound, sound)
    assert (root.get("failures"), root.get("errors"), len(root)) == ("0", "0", 2)


def test_characters_that_xml_has_not_are_replaced():
    case = VerifiedCase(name="a\x00\x1b\ud800<", failures=("x\x07",))
    text = render_verify_junit([VerifiedSuite(name="s\ufffe", cases=(case,))])
    root = ElementTree.fromstring(text.encode())
    assert root[0][0].get("name") == "a\ufffd\ufffd\ufffd<"
