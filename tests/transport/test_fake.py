"""The strict fake knows what it was told, and raises on the rest."""

from __future__ import annotations

import pytest

from goexchange.model.plan import ExchangeCall
from goexchange.transport.fake import FakeSession, UnexpectedCall
from goexchange.transport.session import HostSession

CALL = ExchangeCall(cmdlet="Get-MailboxDatabase", parameters={"Identity": "DB01"})


def test_it_answers_what_it_was_told() -> None:
    session: HostSession = FakeSession(
        cmdlets={"Get-MailboxDatabase": lambda given: {"objects": [{"Name": given["Identity"]}]}},
        scripts={"observe-host": {"fence": 3}},
    )
    answer = session.exchange([CALL, CALL], time_limit_s=1)
    assert [each["Name"] for each in answer["objects"]] == ["DB01", "DB01"]
    assert answer["errors"] == answer["warnings"] == []
    assert session.script("observe-host", {}, time_limit_s=1) == {"fence": 3}


def test_it_raises_on_what_it_does_not_know() -> None:
    session = FakeSession()
    with pytest.raises(UnexpectedCall, match="unexpected cmdlet Get-MailboxDatabase"):
        session.exchange([CALL], time_limit_s=1)
    with pytest.raises(UnexpectedCall, match="unexpected script observe-host"):
        session.script("observe-host", {}, time_limit_s=1)
    assert session.asked == []
