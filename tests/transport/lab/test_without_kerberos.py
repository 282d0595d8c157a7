"""The lab where no KDC can run: what it offers then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from pypsrp.exceptions import WSManFaultError

from tests.transport.lab import lab_process
from tests.transport.lab.clients import cmdlet, exchange, pool, run, shell, winrm
from tests.transport.lab.lab_process import Lab


@pytest.fixture(scope="module")
def bare_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    process, lab = lab_process.start(
        tmp_path_factory.mktemp("bare"), "--no-kerberos", "exchange_shells_per_user_max=1")
    yield lab
    process.terminate()
    assert process.wait(timeout=10) == 0


def test_ntlm_and_basic_still_work(bare_lab: Lab) -> None:
    assert bare_lab.where["kerberos_missing"] == "switched off"
    for protocol in (winrm(bare_lab, "ntlm"), winrm(bare_lab)):
        with shell(protocol) as opened:
            assert run(protocol, opened, "whoami")[0] == b"lab\\admin\r\n"
    with pool(exchange(bare_lab)) as opened:
        assert len(cmdlet(opened, "Get-MailboxDatabase")[0]) == 3


def test_exchange_offers_nothing_over_plain_http(bare_lab: Lab) -> None:
    answer = requests.post(bare_lab.url("exchange_http"), timeout=5)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "")


def test_limits_are_those_of_the_settings(bare_lab: Lab) -> None:
    refusal = pytest.raises(WSManFaultError, match="maximum of 1 concurrent")
    with pool(exchange(bare_lab)), refusal, pool(exchange(bare_lab)):
        pass


def test_where_the_lab_is_vanishes_with_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("brief")
    process, _ = lab_process.start(folder, "--no-kerberos")
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert not (folder / "lab.json").exists()
