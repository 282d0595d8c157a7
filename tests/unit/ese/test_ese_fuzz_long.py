"""The long fuzzing itself: it runs, it counts, and it fails when something is wrong."""

from __future__ import annotations

import pytest

from goexchange.errors import InvalidDocument
from tests.reliability import fuzz_ese


@pytest.mark.parametrize("target", sorted(fuzz_ese.TARGETS))
def test_every_target_takes_inputs(target: str):
    count = fuzz_ese.by_chance(target, 0.05, seed=7)
    assert count.inputs > 0 and count.failure is None, count


def test_an_exception_fails_and_the_command_repeats_it(monkeypatch: pytest.MonkeyPatch):
    def broken(data: bytes) -> None:
        if len(data) > 20:
            raise IndexError("out of range")

    monkeypatch.setitem(fuzz_ese.TARGETS, "header", broken)
    failure = fuzz_ese.by_chance("header", 5, seed=7).failure
    assert failure is not None and "IndexError: out of range" in failure
    with pytest.raises(IndexError):
        fuzz_ese.TARGETS["header"](bytes.fromhex(failure.rpartition(" ")[2]))


def test_a_refusal_with_words_is_no_failure_and_reading_too_much_is(
    monkeypatch: pytest.MonkeyPatch,
):
    def refusing(content: bytes) -> None:
        raise InvalidDocument("not a manifest")

    monkeypatch.setattr(fuzz_ese, "parse_manifest", refusing)
    assert fuzz_ese.by_chance("manifest", 0.05, seed=7).failure is None
    reader = fuzz_ese.Counting(bytes(1000))
    with pytest.raises(fuzz_ese.TooMuchReading):
        for _ in range(10_000):
            reader(0, 1000)
