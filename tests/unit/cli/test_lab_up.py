"""What `lab up` tells of the site: only channels that something listens on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from goexchange.cli.lab import up_text


@pytest.mark.parametrize("has_exchange", [True, False])
def test_a_site_of_old_servers_names_no_exchange_channel(has_exchange: bool) -> None:
    host = SimpleNamespace(
        name="EX01", fqdn="ex01.lab.example", address="127.0.0.9", has_exchange=has_exchange
    )
    address = SimpleNamespace(
        hosts=[host],
        ports=SimpleNamespace(exchange_https=443, windows_http=5985, windows_https=5986),
        ca_file="ca.pem",
        kerberos_config=None,
    )
    text = up_text("site", address)
    assert ("Exchange channel  https port 443" in text) is has_exchange
    assert "Windows channel   http port 5985" in text and "cd site" in text
