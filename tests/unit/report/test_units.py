"""Sizes, durations and times as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from goexchange.report import units


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "not recorded"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (98 * 1024**3, "98 GiB"),
        (1024**4 - 1, "1.0 TiB"),
        (-41 * 1024**3, "-41 GiB"),
        (5 * 1024**6, "5120 PiB"),
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    assert units.size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not recorded"),
        (0, "0 s"),
        (59.6, "1 m"),
        (245, "4 m 05 s"),
        (11_400, "3 h 10 m"),
        (3_600, "1 h"),
        (183_600, "2 d 3 h"),
        (-5, "-5 s"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert units.duration_text(seconds) == text


def test_exact_bytes() -> None:
    assert units.bytes_text(1_048_576) == "1.0 MiB (1,048,576 bytes)"


def test_times_carry_their_zone() -> None:
    moment = datetime(2026, 11, 28, 21, 0, 5, tzinfo=UTC)
    assert units.moment_text(moment, units.zone_of("Europe/Berlin")) == "2026-11-28 22:00:05 CET"
    assert units.moment_text(moment, units.zone_of("No/Such_Zone")) == "2026-11-28 21:00:05 UTC"
    assert units.minute_text(moment, units.zone_of("Europe/Berlin")) == "Sat 28 Nov 22:00"
    assert units.moment_text(None) == "not recorded"


def test_a_share_that_cannot_be_said_is_empty() -> None:
    assert units.share_text(41, 98) == "42%"
    assert units.share_text(None, 98) == units.share_text(1, 0) == ""
