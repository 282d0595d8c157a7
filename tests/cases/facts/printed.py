"""The literal samples of what tools print, and which parser reads each folder of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from goexchange.powershell.diskshadow import parse_diskshadow
from goexchange.powershell.eseutil import (
    parse_checksum,
    parse_defragmentation,
    parse_integrity,
)
from goexchange.powershell.header_dump import parse_header_dump
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


def printed(sample: str) -> tuple[str, str]:
    """What the tool printed, and what it printed to its error stream."""
    path = HERE / sample
    errors = path.with_name(f"{path.name}.stderr")
    text = path.with_name(f"{path.name}.txt").read_text()
    return text, errors.read_text() if errors.exists() else ""
