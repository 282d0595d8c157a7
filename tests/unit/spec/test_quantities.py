"""Durations, sizes, rates, percentages, times and references to secrets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from goexchange.model.configuration import SecretKind, TimeOfDay
from goexchange.reading import (
    duration_s,
    rate_bytes_per_s,
    ratio,
    secret_reference,
    size_bytes,
    time_of_day,
)
from goexchange.schema import load_schema

READABLE: list[tuple[Callable[[str], object], str, object]] = [
    (duration_s, "15m", 900),
    (duration_s, "PT15M", 900),
    (duration_s, "1h30m", 5400),
    (duration_s, "P1DT2H", 93600),
    (duration_s, "P1M", None),
    (duration_s, "30d", 2592000),
    (duration_s, "4w", 2419200),
    (duration_s, "P4W", 2419200),
    (duration_s, "0s", 0),
    (duration_s, "15", None),
    (duration_s, "", None),
    (duration_s, "P", None),
    (duration_s, "PT", None),
    (duration_s, "15 m", None),
    (duration_s, "m15", None),
    (duration_s, "1.5h", None),
    (duration_s, "15M", None),
    (duration_s, "-5m", None),
    (duration_s, "٣m", None),
    (size_bytes, "512B", 512),
    (size_bytes, "10GiB", 10 << 30),
    (size_bytes, "1.5 TB", 1_500_000_000_000),
    (size_bytes, "0.0001KiB", 0),
    (size_bytes, "10G", None),
    (size_bytes, "10 gib", None),
    (size_bytes, "GiB", None),
    (rate_bytes_per_s, "100MiB/s", 100 << 20),
    (rate_bytes_per_s, "100MiB", None),
    (ratio, "20%", 0.2),
    (ratio, "12.5 %", 0.125),
    (ratio, "100%", 1.0),
    (ratio, "101%", None),
    (ratio, "20", None),
    (time_of_day, "22:00", TimeOfDay(hour=22, minute=0)),
    (time_of_day, "24:00", None),
    (time_of_day, "2:00", None),
]


@pytest.mark.parametrize(("read", "text", "value"), READABLE)
def test_quantities(read: Callable[[str], object], text: str, value: object) -> None:
    if value is None:
        with pytest.raises(ValueError, match="not a"):
            read(text)
    else:
        assert read(text) == value


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("duration", duration_s),
        ("positive_duration", duration_s),
        ("size", size_bytes),
        ("rate", rate_bytes_per_s),
        ("percentage", ratio),
        ("time_of_day", time_of_day),
    ],
)
def test_what_the_schemas_let_through_can_be_read(name: str, read: Callable[[str], object]) -> None:
    import re

    definitions = {
        key: part
        for kind in ("specification", "inventory")
        for key, part in load_schema(kind)["definitions"].items()
    }
    pattern = definitions[name]["pattern"] if name in definitions else _percentage()
    texts = {text for _, text, _ in READABLE} | {
        "1w2d3h4m5s",
        "P1W",
        "P1DT",
        "PT0S",
        "99.999%",
        "1B/s",
    }
    passed = [text for text in texts if re.search(pattern, text)]
    assert passed
    for text in passed:
        read(text)


def _percentage() -> str:
    desired = load_schema("specification")["properties"]["desired"]
    return str(desired["properties"]["white_space_max"]["pattern"])


@pytest.mark.parametrize(
    ("text", "kind", "locator"),
    [
        ("env:NAME", SecretKind.ENVIRONMENT, "NAME"),
        ("keyring:service/user", SecretKind.KEYRING, "service/user"),
        ("keyring:goexchange/CONTOSO\\svc", SecretKind.KEYRING, "goexchange/CONTOSO\\svc"),
        ("file:/run/secrets/x", SecretKind.FILE, "/run/secrets/x"),
        ("vault:kv/exchange#password", SecretKind.VAULT, "kv/exchange#password"),
        ("prompt", SecretKind.PROMPT, ""),
    ],
)
def test_references_to_secrets(text: str, kind: SecretKind, locator: str) -> None:
    reference = secret_reference(text)
    assert (reference.kind, reference.locator, str(reference)) == (kind, locator, text)


def test_a_reference_to_a_command_shows_its_program_only() -> None:
    reference = secret_reference('exec:["pass", "show", "exchange"]')
    assert reference.command == ("pass", "show", "exchange")
    assert str(reference) == "exec:pass"


@pytest.mark.parametrize(
    "text",
    ["hunter2", "env:", "env:1A", "keyring:hunter2", "vault:hunter2", "file:", "prompt:hunter2",
     "exec:hunter2", "exec:[]", "exec:[1]", "https://hunter2"],
)  # fmt: skip
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="not a") as caught:
        secret_reference(text)
    assert "hunter2" not in str(caught.value)
