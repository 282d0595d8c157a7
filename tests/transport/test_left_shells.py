"""A controller that died leaves its WinRM shell on the host: `leftovers` sees it."""

from __future__ import annotations

from contextlib import closing

import pytest

from goexchange.errors import HostRefused
from goexchange.model.unknown import Unknown
from goexchange.powershell import shells
from goexchange.powershell.shells import other_shells
from goexchange.transport.session import RemoteSession
from tests.transport.connections import entry
from tests.transport.lab.lab_process import Lab
from tests.transport.open_shells import open_shells

pytestmark = pytest.mark.lab


def test_a_shell_that_another_process_left_is_seen_until_it_is_gone(site: Lab) -> None:
    with closing(RemoteSession(entry(site))) as looking:
        assert other_shells(looking.shells(time_limit_s=10)) == ()
        with closing(RemoteSession(entry(site))) as other:
            other.open()
            found = other_shells(looking.shells(time_limit_s=10))
            assert not isinstance(found, Unknown) and len(found) == 1
            assert found[0].owner.endswith("\\admin") and found[0].idle_limit_s
        assert other_shells(looking.shells(time_limit_s=10)) == ()
    assert not any(open_shells(site).values())


def test_a_host_that_does_not_list_shells_says_so(
    site: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shells, "SHELLS", "http://schemas.example.com/not-there")
    with (
        closing(RemoteSession(entry(site))) as session,
        pytest.raises(HostRefused, match="refused"),
    ):
        session.shells(time_limit_s=5)
