"""Command line, standard input and digests."""

from __future__ import annotations

import base64
import gzip
import hashlib

import pytest

from goexchange.errors import UnexpectedOutput
from goexchange.powershell import bootstrap
from goexchange.resources import host_script_text

POLL = {"root": "C:\\ProgramData\\goexchange", "job": "r-1", "offset": 0, "watch": ["D:\\ü.edb"]}
START = {
    "root": "C:\\ProgramData\\goexchange",
    "fence": 1,
    "job": "r-1",
    "kind": "command",
    "request": {"command": ["hostname"], "follow": None},
    "runner": bootstrap.runner_argument(),
}


def test_command_line_is_constant_and_fits() -> None:
    line = bootstrap.command_line()
    start = "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand "
    assert line.startswith(start) and len(line) < bootstrap.COMMAND_LINE_MAX
    text = base64.b64decode(line.removeprefix(start)).decode("utf-16-le")
    assert "Invoke-GxScript" in text and text.isascii()


def test_standard_input_is_three_lines_of_base64() -> None:
    lines = bootstrap.standard_input("poll-job", POLL).splitlines()
    library, script, document = (base64.b64decode(line, validate=True) for line in lines)
    assert library.decode() == "\n".join(map(host_script_text, ("legacy", "library")))
    assert script.decode() == host_script_text("poll-job")
    assert document.isascii() and b"\\u00fc" in document


@pytest.mark.parametrize(("script", "arguments"), [("poll-job", POLL), ("start-job", START)])
def test_the_digest_covers_all_that_runs(script: str, arguments: dict[str, object]) -> None:
    content = bootstrap.standard_input(script, arguments)
    assert bootstrap.parse_standard_input(content) == (bootstrap.digest(script), arguments)
    assert bootstrap.registered_digests()[bootstrap.digest(script)] == script
    first, _, rest = content.partition(b"\n")
    changed = base64.b64encode(base64.b64decode(first) + b"#") + b"\n" + rest
    assert bootstrap.parse_standard_input(changed)[0] not in bootstrap.registered_digests()


def test_another_runner_is_another_digest() -> None:
    other = {**START, "runner": base64.b64encode(gzip.compress(b"exit 0")).decode()}
    content = bootstrap.standard_input("start-job", other)
    assert bootstrap.parse_standard_input(content)[0] != bootstrap.digest("start-job")


def test_digest_is_the_plain_hash_of_the_texts() -> None:
    both = "\n".join(map(host_script_text, ("legacy", "library")))
    texts = [both, host_script_text("swap-state")]
    assert bootstrap.digest("swap-state") == hashlib.sha256("\0".join(texts).encode()).hexdigest()


@pytest.mark.parametrize(
    "arguments", [{}, {**POLL, "offset": "0"}, {**POLL, "more": 1}, {**POLL, "watch": [1]}]
)
def test_arguments_outside_the_contract_are_not_sent(arguments: dict[str, object]) -> None:
    with pytest.raises(bootstrap.ArgumentsRefused, match="poll-job cannot be sent"):
        bootstrap.standard_input("poll-job", arguments)


@pytest.mark.parametrize("content", [b"", b"YQ==", b"YQ==\nYQ==\nYQ==\n", b"%\n%\n%\n"])
def test_other_input_is_refused(content: bytes) -> None:
    with pytest.raises(UnexpectedOutput):
        bootstrap.parse_standard_input(content)


def test_one_send_fits_an_old_envelope() -> None:
    # WinRM's smallest envelope limit is 150 KB, and the input is encoded once more in it.
    assert len(bootstrap.standard_input("start-job", START)) * 4 / 3 < 140_000


def test_a_secret_goes_beside_the_arguments_and_never_among_them() -> None:
    arguments = {**START, "account": {"user": "C\\a", "is_managed": False}}
    plain = bootstrap.standard_input("start-job", arguments)
    content = bootstrap.standard_input("start-job", arguments, secret="pä ss'\"$()")
    assert content.startswith(plain) and len(content.splitlines()) == 4
    assert bootstrap.parse_standard_input(content) == (bootstrap.digest("start-job"), arguments)
    assert bootstrap.secret_of_input(content) == "pä ss'\"$()"
    assert bootstrap.secret_of_input(plain) is None
    with pytest.raises(UnexpectedOutput):
        bootstrap.parse_standard_input(content + plain.splitlines()[0] + b"\n")
