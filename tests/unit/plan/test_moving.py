"""Moving mailboxes is named with its size and how long it takes, or with what is not known."""

from __future__ import annotations

from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan.moving import move_mailboxes
from goexchange.plan.planner import make_draft
from tests.unit.plan.builders import GIB, NOW, database, inventory, members, spec, state


def test_size_and_estimate() -> None:
    text = move_mailboxes(database(size_bytes=98 * GIB, white_space_bytes=41 * GIB))
    assert "57 GiB to move" in text and "about 11 h 24 m" in text
    assert "stated default of 5 GiB an hour (nothing measured)" in text


def test_what_is_not_known_is_said() -> None:
    text = move_mailboxes(database(white_space_bytes=Unknown("nil")))
    assert "how much there is to move is unknown" in text


def test_a_rebuild_of_a_replicated_database_is_refused_with_the_right_tool() -> None:
    body = make_draft([spec()], inventory(), state(*members()), now=NOW)
    (decision,) = body.decisions
    assert decision.need is Need.NOT_POSSIBLE
    assert decision.reasons == (Reason.MORE_THAN_ONE_COPY,)
    assert decision.instead is not None and "GiB to move" in decision.instead
