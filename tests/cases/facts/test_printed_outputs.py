"""Every literal sample gives the members that its expectation names; "?" stands for Unknown,
whatever its reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from goexchange.codec import to_plain
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import decode_output
from goexchange.powershell.sizes import (
    cumulative_update_of,
    generation_of,
    parse_server_version,
    parse_size,
    parse_time_span,
)
from tests.cases.facts.printed import HERE, PARSERS, SAMPLES, printed

# As printed, as a text-mode stream captures it, with Windows' ends, as PowerShell redirects it.
FORMS: Mapping[str, Callable[[str], bytes]] = {
    "plain": lambda text: text.encode(),
    "crcrlf": lambda text: text.replace("\n", "\r\r\n").encode("cp437"),
    "crlf": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "utf16": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_sample(sample: str, form: str) -> None:
    expected = json.loads((HERE / f"{sample}.json").read_text())
    text, errors = printed(sample)
    result = PARSERS[sample.partition("/")[0]](decode_output(FORMS[form](text)), errors)
    if expected == "?":
        assert isinstance(result, Unknown), result
        return
    assert not isinstance(result, Unknown), result
    for member, value in expected.items():
        assert _plain(getattr(result, member)) == value, member


def test_no_sample_without_expectation() -> None:
    texts = {path.with_suffix("") for path in HERE.rglob("*.txt")}
    assert texts == {HERE / sample for sample in SAMPLES}


def _texts(name: str) -> list[tuple[str, Any]]:
    return list(json.loads((HERE / "texts" / f"{name}.json").read_text()).items())


@pytest.mark.parametrize(("text", "expected"), _texts("size"))
def test_size(text: str, expected: object) -> None:
    assert _plain(parse_size(text)) == expected


@pytest.mark.parametrize(("text", "expected"), _texts("time-span"))
def test_time_span(text: str, expected: object) -> None:
    assert _plain(parse_time_span(text)) == expected


@pytest.mark.parametrize(("text", "expected"), _texts("version"))
def test_version(text: str, expected: list[object]) -> None:
    version = parse_server_version(text)
    if isinstance(version, Unknown):
        assert expected == ["?", "?", "?"]
        return
    found = [str(version), generation_of(version), cumulative_update_of(version)]
    assert [_plain(one) for one in found] == expected


def _plain(value: object) -> Any:
    plain = to_plain(value)
    return "?" if isinstance(plain, dict) and set(plain) == {"unknown"} else plain
