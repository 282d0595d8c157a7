"""What a pilot says of the parsers: what nobody asked them counts against none."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import evolve

from goexchange.app.pilot_parsers import EXCHANGE, SPACE, Played, parser_verdicts
from goexchange.app.transcript import FOLDER
from goexchange.codec import to_plain
from goexchange.facts.of_2007 import NOT_TOLD
from goexchange.journal.chain import Draft, seal
from goexchange.model import actual
from goexchange.model.pilot import ParserMark, ParserVerdict
from goexchange.model.run import RecordKind
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal as sealed
from goexchange.store.runs import RunFolder
from tests.unit.plan.builders import NOW, database, inventory, server, spec, state


def verdicts_of(folder: Path, found: actual.ActualServer) -> dict[str, ParserVerdict]:
    """What is said of each parser after a run that rests on these facts."""
    plan = sealed(make_draft((spec(),), inventory(), state(found), now=NOW), NOW, "me")
    facts = Draft(RecordKind.FACTS, {"server": "EX01", "actual": to_plain(found)})
    records = seal([facts], after=None, at=NOW)
    run = Played(folder=RunFolder(id="r-1", path=folder), plan=plan, records=records)
    verdicts = parser_verdicts([run], "DB05", backs_up_windows=False)
    return {each.parser: each for each in verdicts}


def of_exchange(folder: Path, found: actual.ActualServer) -> tuple[ParserMark, tuple[str, ...]]:
    """The verdict on the facts over the Exchange channel, and what they did not know."""
    verdict = verdicts_of(folder, found)[EXCHANGE]
    return verdict.mark, verdict.reasons


def known() -> actual.ActualServer:
    return evolve(server(databases=(database(),)), group=None, copies=(), mta=None, mode=None)


def test_what_nobody_asked_for_is_no_parsers_failure(tmp_path: Path) -> None:
    assert known().certificates == actual.NOT_ASKED
    assert of_exchange(tmp_path, known()) == (ParserMark.READ, ())


def test_what_was_asked_and_not_understood_is_unknown(tmp_path: Path) -> None:
    unread = evolve(known(), certificates=Unknown("they came without their properties"))
    mark, reasons = of_exchange(tmp_path, unread)
    assert mark is ParserMark.UNKNOWN
    assert reasons == ("server.certificates: they came without their properties",)


def test_free_space_that_is_told_in_the_night_alone_is_not_seen(tmp_path: Path) -> None:
    assert SPACE not in verdicts_of(tmp_path, known())
    young = evolve(known(), databases=(database(white_space_bytes=NOT_TOLD),))
    found = verdicts_of(tmp_path, young)
    assert found[EXCHANGE].mark is ParserMark.READ
    assert (found[SPACE].mark, found[SPACE].is_needed) == (ParserMark.NOT_SEEN, False)
    assert SPACE not in verdicts_of(tmp_path, evolve(known(), databases=Unknown("silent")))


def test_what_isinteg_printed_is_held_against_its_parser(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    plain = {"job": "j", "kind": "isinteg", "request": {}, "error_output": "", "output": "Done."}
    (folder / "job-j.json").write_text(json.dumps(plain), "utf-8")
    found = verdicts_of(tmp_path, known())["isinteg"]
    assert found.mark is ParserMark.UNKNOWN and found.lines == ("Done.",)


def test_what_nothing_on_2003_tells_is_no_parsers_failure(tmp_path: Path) -> None:
    silent = Unknown("nothing tells it")
    young = database(last_full_backup_utc=silent)
    bare = evolve(known(), edition=silent, databases=(young,))
    mark, reasons = of_exchange(tmp_path, bare)
    assert mark is ParserMark.UNKNOWN and len(reasons) == 2
    old = evolve(bare, generation=actual.Generation.EXCHANGE_2003)
    assert of_exchange(tmp_path, old) == (ParserMark.READ, ())
    worse = evolve(old, databases=(evolve(young, size_bytes=silent),))
    assert of_exchange(tmp_path, worse)[0] is ParserMark.UNKNOWN
