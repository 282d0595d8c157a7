"""A host that does not list its shells has said nothing about them."""

from __future__ import annotations

from typing import cast

import pytest

from goexchange.app.leftovers import _open_shells
from goexchange.errors import AnswerLost, GoexchangeError, HostRefused, Unreachable
from goexchange.model.unknown import Unknown
from goexchange.powershell.shells import Enumerated
from goexchange.transport.session import RemoteSession


class Session:
    """Raises what it was given."""

    def __init__(self, error: GoexchangeError) -> None:
        self.error = error

    def shells(self, *, time_limit_s: float) -> Enumerated:
        raise self.error


@pytest.mark.parametrize(
    "error", [HostRefused("no right", code="wsman-5"), AnswerLost("gone in between")]
)
def test_a_refusal_is_no_empty_list(error: GoexchangeError) -> None:
    found = _open_shells(cast(RemoteSession, Session(error)))
    assert isinstance(found, Unknown) and str(error) in found.reason


def test_a_host_that_is_not_reached_is_an_error_of_the_verb() -> None:
    with pytest.raises(Unreachable):
        _open_shells(cast(RemoteSession, Session(Unreachable("no route"))))
