"""Runs of log generations: what lacks between those that are there."""

from __future__ import annotations

from collections.abc import Iterable

Runs = tuple[tuple[int, int], ...]
"""First and last generation of each run, ascending."""


def gaps(wanted: range, present: Iterable[int]) -> Runs:
    """The wanted generations that are not present.

    The work is that of what is present: a header or a file name may claim any number.
    """
    runs, expected = [], wanted.start
    for number in (*sorted(each for each in set(present) if each in wanted), wanted.stop):
        if number > expected:
            runs.append((expected, number - 1))
        expected = number + 1
    return tuple(runs)


def run_words(runs: Runs, *, at_most: int = 20) -> str:
    """Runs for a person, in hexadecimal as in the names of logs."""
    words = [
        f"0x{first:X}" if first == last else f"0x{first:X}-0x{last:X}"
        for first, last in runs[:at_most]
    ]
    return ", ".join(words) + (" and more" if len(runs) > at_most else "")
