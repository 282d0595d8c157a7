"""The answer of a host script: read back, refused, or not trusted."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goexchange.errors import HostRefused, UnexpectedOutput
from goexchange.powershell import envelope

CLAIM = {"fence": 7, "holder": "münchen:42"}


def decode(stdout: bytes, exit_code: int = 0, stderr: bytes = b"") -> dict[str, Any]:
    return envelope.decode("claim-fence", stdout, exit_code, stderr)


def line(**changes: Any) -> bytes:
    plain = json.loads(envelope.encode("claim-fence", CLAIM))
    return json.dumps({**plain, **changes}, separators=(",", ":")).encode()


def body(plain: object) -> str:
    return base64.b64encode(gzip.compress(json.dumps(plain).encode())).decode()


def test_gives_back_what_was_encoded_in_ascii() -> None:
    content = envelope.encode("claim-fence", CLAIM)
    assert content.isascii() and content.endswith(b"\r\n") and content.count(b"\n") == 1
    assert decode(content) == CLAIM


def test_skips_a_byte_order_mark_and_lines_of_others() -> None:
    noise = b"Loading personal profile took 3 s.\r\n\xef\xbb\xbf"
    assert decode(noise + envelope.encode("claim-fence", CLAIM) + b"\r\n") == CLAIM


@pytest.mark.parametrize(
    ("code", "shown"), [("fenced", "fenced"), ("disk-full", "internal"), ("internal", "internal")]
)
def test_refusal(code: str, shown: str) -> None:
    content = envelope.encode_refusal("claim-fence", code=code, message="held by b:1")
    with pytest.raises(HostRefused, match="held by b:1") as refused:
        decode(content, 1)
    assert refused.value.code == shown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"powershell.exe : not recognised\r\n",
        envelope.encode("claim-fence", CLAIM) * 2,
        envelope.encode("claim-fence", CLAIM)[:-30],
        envelope.encode("poll-job", {}),
        line(version=2),
        line(goexchange="envelope/2"),
        line(encoding="none"),
        line(ok="yes"),
        line(body="%%%"),
        line(body=base64.b64encode(b"no gzip").decode()),
        line(body=body(CLAIM)[:-20]),
        line(body=body([1])),
        line(body=body({"fence": 7})),
        line(body=body({"fence": -7, "holder": "a"})),
        line(body=body({"fence": True, "holder": "a"})),
        line(body=body({"fence": 7, "holder": "a", "more": 1})),
    ],
)
def test_anything_else_is_unexpected(content: bytes) -> None:
    with pytest.raises(UnexpectedOutput):
        decode(content)


def test_an_answer_with_a_bad_exit_code_is_not_trusted() -> None:
    with pytest.raises(UnexpectedOutput, match="exit code 5"):
        decode(envelope.encode("claim-fence", CLAIM), 5)


def test_says_what_standard_error_said() -> None:
    with pytest.raises(UnexpectedOutput, match="out of memory"):
        decode(b"", 1, b"out of memory")


@pytest.mark.parametrize(
    "said",
    [
        b"'powershell.exe' is not recognized as an internal or external command,\r\n",
        b'Der Befehl "powershell.exe" ist entweder falsch geschrieben oder\r\n',
    ],
)
def test_a_host_without_powershell_is_named_as_one(said: bytes) -> None:
    with pytest.raises(UnexpectedOutput, match=r"could not start Windows PowerShell.*2\.0"):
        decode(b"", 1, said)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 400))
def test_a_damaged_line_never_gives_another_answer(junk: bytes, start: int, end: int) -> None:
    content = envelope.encode("claim-fence", CLAIM)
    try:
        found = decode(content[:start] + junk + content[max(start, end) :])
    except (UnexpectedOutput, HostRefused):
        return
    assert found == CLAIM
