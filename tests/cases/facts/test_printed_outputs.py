"""Every literal sample gives the members that its expectation names; "?" stands for Unknown,
whatever its reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from goexchange.codec import to_plain
from goexchange.model.unknown import Unknown
from goexchange.powershell.diskshadow import parse_diskshadow
from goexchange.powershell.eseutil import (
    decode_output,
    parse_checksum,
    parse_defragmentation,
    parse_integrity,
)
from goexchange.powershell.header_dump import parse_header_dump
from goexchange.powershell.sizes import (
    cumulative_update_of,
    generation_of,
    parse_server_version,
    parse_size,
    parse_time_span,
)
from goexchange.powershell.wbadmin import parse_backup

HERE = Path(__file__).parent
PARSERS: Mapping[str, Callable[[str, str], object]] = {
    "eseutil-header": lambda text, _: parse_header_dump(text),
    "eseutil-checksum": parse_checksum,
    "eseutil-integrity": lambda text, _: parse_integrity(text),
    "eseutil-defragmentation": lambda text, _: parse_defragmentation(text),
    "wbadmin": lambda text, _: parse_backup(text),
    "diskshadow": lambda text, _: parse_diskshadow(text),
}
SAMPLES = sorted(
    path.relative_to(HERE).with_suffix("").as_posix()
    for folder in PARSERS
    for path in (HERE / folder).glob("*.json")
)
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
    path = HERE / sample
    expected = json.loads(path.with_name(f"{path.name}.json").read_text())
    text = path.with_name(f"{path.name}.txt").read_text()
    error_path = path.with_name(f"{path.name}.stderr")
    errors = error_path.read_text() if error_path.exists() else ""
    result = PARSERS[path.parent.name](decode_output(FORMS[form](text)), errors)
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
