"""Every literal sample, damaged: cut, a line lost, doubled or translated, a letter changed.

What is read then is *unknown*, or right: never better than what the tool printed, and no figure
that does not stand in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goexchange.codec import to_plain
from goexchange.model.unknown import Unknown
from goexchange.powershell.eseutil import EndKind
from tests.cases.facts.printed import PARSERS, SAMPLES, printed

# What lets a run go on; nothing else of a report does. No run rests on the words of diskshadow.
GOOD: Mapping[str, Callable[[Any], bool]] = {
    "eseutil-header": lambda found: found.is_clean and not found.is_shadow,
    "eseutil-checksum": lambda found: found.is_clean,
    "eseutil-integrity": lambda found: found.is_sound and found.end.kind is EndKind.SUCCESS,
    "eseutil-defragmentation": lambda found: found.is_complete,
    "wbadmin": lambda found: found.has_succeeded(0),
}
JUDGED = [each for each in SAMPLES if each.partition("/")[0] in GOOD]
SOUND = {
    "eseutil-header": "2019-clean",
    "eseutil-checksum": "clean",
    "eseutil-integrity": "sound",
    "eseutil-defragmentation": "kept",
    "wbadmin": "completed",
}
WORDS = {  # how an installation in another language might put it
    "eseutil-header": ("State: Clean Shutdown", "Status: Sauberes Herunterfahren"),
    "eseutil-checksum": ("bad checksums", "fehlerhafte Prüfsummen"),
    "eseutil-integrity": ("Operation completed", "Vorgang erfolgreich"),
    "eseutil-defragmentation": ("Operation completed", "Vorgang erfolgreich"),
    "wbadmin": ("successfully completed", "wurde erfolgreich abgeschlossen"),
}


def is_good(sample: str, text: str, errors: str) -> bool:
    folder = sample.partition("/")[0]
    found = PARSERS[folder](text, errors)
    return not isinstance(found, Unknown) and GOOD[folder](found)


def was_good(sample: str) -> bool:
    return is_good(sample, *printed(sample))


def test_a_sample_of_every_parser_is_good_and_one_is_not() -> None:
    """Otherwise the tests below would hold for a parser that knows nothing."""
    for folder in GOOD:
        found = {was_good(each) for each in JUDGED if each.startswith(f"{folder}/")}
        assert found == {True, False}, folder


@pytest.mark.parametrize("sample", JUDGED)
def test_a_lost_line_makes_nothing_better(sample: str) -> None:
    text, errors = printed(sample)
    lines = text.splitlines(keepends=True)
    good = was_good(sample)
    for number in range(len(lines)):
        less = "".join(lines[:number] + lines[number + 1 :])
        assert good or not is_good(sample, less, errors), lines[number]


@pytest.mark.parametrize("sample", JUDGED)
def test_a_cut_output_is_never_good(sample: str) -> None:
    text, errors = printed(sample)
    whole = len(text.rstrip()) - 2  # a last full stop and a line end say nothing
    if sample.startswith("wbadmin") and was_good(sample):  # it goes on after its final words
        whole = text.index("successfully completed") + len("successfully completed")
    for length in range(0, whole, 7):
        assert not is_good(sample, text[:length], errors), text[:length][-60:]


@pytest.mark.parametrize("folder", GOOD)
def test_words_of_another_language_are_not_good(folder: str) -> None:
    sample = f"{folder}/{SOUND[folder]}"
    text, errors = printed(sample)
    old, new = WORDS[folder]
    assert old in text and was_good(sample)
    assert not is_good(sample, text.replace(old, new), errors)


@settings(max_examples=400, deadline=None)
@given(
    sample=st.sampled_from([each for each in JUDGED if not was_good(each)]),
    place=st.floats(0, 1, exclude_max=True),
    letter=st.sampled_from("0 x.:-\n,"),
    doubled=st.booleans(),
)
def test_a_changed_letter_or_a_doubled_line_makes_nothing_better(
    sample: str, place: float, letter: str, doubled: bool
) -> None:
    text, errors = printed(sample)
    if doubled:
        lines = text.splitlines(keepends=True)
        at = int(place * len(lines))
        changed = "".join([*lines[: at + 1], *lines[at:]])
    else:
        at = int(place * len(text))
        changed = text[:at] + letter + text[at + 1 :]
    assert not is_good(sample, changed, errors), changed[max(0, at - 60) : at + 60]


@settings(max_examples=300, deadline=None)
@given(
    sample=st.sampled_from([each for each in SAMPLES if each.startswith("eseutil")]),
    place=st.floats(0, 1, exclude_max=True),
    letter=st.characters(codec="utf-8"),
)
@example(sample="eseutil-header/2003-clean", place=0.802734375, letter="0")  # (002C, broke it
def test_every_figure_stands_in_the_text(sample: str, place: float, letter: str) -> None:
    text, errors = printed(sample)
    at = int(place * len(text))
    changed = text[:at] + letter + text[at + 1 :]
    found = PARSERS[sample.partition("/")[0]](changed, errors)
    if isinstance(found, Unknown):
        return
    plain = to_plain(found)
    for member, value in plain.items():
        if isinstance(value, int) and not isinstance(value, bool) and value:
            assert str(value) in changed or f"{value:x}" in changed.lower(), member
