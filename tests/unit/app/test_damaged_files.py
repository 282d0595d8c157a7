"""Plans, approvals and facts that somebody has damaged: explained, never a traceback."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from goexchange import codec
from goexchange.app.approving import read_approval
from goexchange.app.planning import read_facts, read_plan
from goexchange.errors import InvalidDocument
from goexchange.model.approval import Approval, GivenConsent
from goexchange.model.desired import Consent
from goexchange.plan.planner import make_draft
from goexchange.plan.sealing import dump, seal
from tests.unit.documents.examples import SPECS
from tests.unit.plan.builders import GIB, NOW, database, inventory, server, spec, state

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 10**30, 1.5, "", "x", "\ud800"),
    *([], [[]], {}, {"is": "X"}, {"unknown": 1}),
)
FACTS = SPECS / "tests" / "ex01.facts.json"
MUTATIONS = 80  # of a fixed seed: each kind of damage, in every kind of file, several times


def approval() -> bytes:
    stated = Approval(
        plan_sha256="ab" * 32,
        approved_by="anna",
        approved_at_utc=NOW,
        expires_at_utc=NOW + timedelta(hours=1),
        comment="",
        consents=(GivenConsent(consent=Consent.DISCARD_MAIL, address="EX01/DB05"),),
    )
    signed = {"approval": codec.to_plain(stated), "signature": "-----BEGIN SSH SIGNATURE-----"}
    return json.dumps(signed).encode()


def plan() -> bytes:
    full = database(white_space_bytes=40 * GIB)
    seen = state(server("EX01", databases=(full,)))
    body = make_draft([spec()], inventory("EX01"), seen, now=NOW)
    assert body.lanes
    return dump(seal(body, NOW, "anna@here"))


def with_its_digest(content: bytes) -> bytes:
    """A damaged plan under a digest that is right for it: only its content is wrong."""
    plain = json.loads(content)
    if isinstance(plain, dict) and "body" in plain:
        plain["sha256"] = codec.digest(plain["body"])
    return json.dumps(plain).encode()


FILES: dict[str, tuple[Callable[[], bytes], Callable[[Path], object]]] = {
    "plan": (plan, lambda path: read_plan(str(path))),
    "approval": (approval, read_approval),
    "facts": (FACTS.read_bytes, lambda path: read_facts(str(path))),
}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One member deleted, renamed or of another value; or bytes changed, or the end cut off."""
    act = chance.randrange(6)
    if act == 0:
        return content[: chance.randrange(len(content))]
    if act == 1:
        changed = bytearray(content)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        return bytes(changed)
    plain = json.loads(content)
    spots: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, part in list(node.items() if isinstance(node, dict) else enumerate(node)):
            spots.append((node, key))
            if isinstance(part, (dict, list)):
                walk(part)

    walk(plain)
    parent, key = chance.choice(spots)
    if act == 2:
        del parent[key]
    elif act == 3 and isinstance(parent, dict):
        parent[f"{key}x"] = parent.pop(key)
    else:
        parent[key] = chance.choice(VALUES)
    return json.dumps(plain).encode()


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_is_read_or_refused_with_words(kind: str, tmp_path: Path) -> None:
    make, read = FILES[kind]
    whole, chance, refused = make(), random.Random(kind), 0
    path = tmp_path / "file.json"
    path.write_bytes(whole)
    assert read(path) is not None
    for _ in range(MUTATIONS):
        content = damaged(whole, chance)
        if kind == "plan" and chance.random() < 0.7:
            try:
                content = with_its_digest(content)
            except ValueError:  # no JSON any more
                pass
        path.write_bytes(content)
        try:
            read(path)
        except InvalidDocument as error:
            assert str(error).strip()
            refused += 1
    assert refused > MUTATIONS // 3


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b"1e999"])
@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_such_file_is_refused(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(InvalidDocument):
        FILES[kind][1](path)
