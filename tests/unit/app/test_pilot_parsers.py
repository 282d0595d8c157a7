"""What a pilot says of the parsers: what nobody asked them counts against none."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from goexchange.app.pilot_parsers import EXCHANGE, Played, parser_verdicts
from goexchange.codec import to_plain
from goexchange.journal.chain import Draft, seal
from goexchange.model import actual
from goexchange.model.pilot import ParserMark
from goexchange.model.run import RecordKind
from goexchange.model.unknown import Unknown
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import seal as sealed
from goexchange.store.runs import RunFolder
from tests.unit.plan.builders import NOW, database, inventory, server, spec, state


def of_exchange(folder: Path, found: actual.ActualServer) -> tuple[ParserMark, tuple[str, ...]]:
    """The verdict on the facts over the Exchange channel, and what they did not know."""
    plan = sealed(make_draft((spec(),), inventory(), state(found), now=NOW), NOW, "me")
    facts = Draft(RecordKind.FACTS, {"server": "EX01", "actual": to_plain(found)})
    records = seal([facts], after=None, at=NOW)
    run = Played(folder=RunFolder(id="r-1", path=folder), plan=plan, records=records)
    verdicts = parser_verdicts([run], "DB05", backs_up_windows=False)
    (verdict,) = [each for each in verdicts if each.parser == EXCHANGE]
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
