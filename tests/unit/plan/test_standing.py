"""Which file belongs in a database's place: every row of the table, and what fits none."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from goexchange.model.remembered import Remembered, SeenFile, SeenFiles, Standing
from goexchange.plan.standing import standing

OLD, NEW, NEW_USED = ("old-sha", "old"), ("new-sha", "new"), ("used-sha", "new")
OTHER = ("other-sha", "other")
KNOWN = Remembered(
    original_sha256=OLD[0],
    original_signature=OLD[1],
    rebuilt_sha256=NEW[0],
    rebuilt_signature=NEW[1],
    was_mounted=False,
    has_mount_failed=False,
    is_proved=False,
    undoing=(),
)
BEFORE_HEADERS = evolve(
    KNOWN,
    original_sha256=None,
    original_signature=None,
    rebuilt_sha256=None,
    rebuilt_signature=None,
)
OPEN = "open"


def file(path: str, what: Any) -> SeenFile:
    sha256, signature = what if isinstance(what, tuple) else (None, None)
    return SeenFile(
        path=path,
        exists=what is not None,
        is_open=what == OPEN,
        sha256=sha256,
        signature=signature,
    )


def files(original: Any, kept: Any) -> SeenFiles:
    return SeenFiles(
        original=file("D:\\DB.edb", original),
        kept=file("D:\\DB.edb.before", kept),
        temporary=file("D:\\gx\\DB.tmp.edb", None),
        set_aside=file("D:\\DB.edb.rebuilt", None),
    )


@pytest.mark.parametrize(
    ("original", "kept", "known", "wanted"),
    [
        (OLD, None, KNOWN, Standing.IN_PLACE),
        (OLD, None, BEFORE_HEADERS, Standing.IN_PLACE),
        (OLD, None, None, Standing.IN_PLACE),
        (OPEN, None, KNOWN, Standing.IN_PLACE),  # one of the run's own jobs reads it
        (None, OLD, KNOWN, Standing.BACK),
        (None, OLD, None, Standing.BACK),
        (NEW, OLD, KNOWN, Standing.BACK),
        (NEW_USED, OLD, KNOWN, Standing.NEW),
        (NEW_USED, OLD, evolve(KNOWN, was_mounted=True), Standing.NEW),
        (NEW_USED, OLD, evolve(KNOWN, has_mount_failed=True), Standing.BACK),
        (NEW_USED, OLD, evolve(KNOWN, is_corrected_in_place=True), Standing.UNDECIDED),
        (NEW, OLD, evolve(KNOWN, is_corrected_in_place=True), Standing.BACK),
        (NEW_USED, None, KNOWN, Standing.NEW),
        (None, None, KNOWN, Standing.UNDECIDED),
        (OTHER, None, KNOWN, Standing.UNDECIDED),
        (None, (None, None), None, Standing.UNDECIDED),  # what is kept cannot be read
        (None, OTHER, KNOWN, Standing.UNDECIDED),
        (None, OPEN, KNOWN, Standing.UNDECIDED),
        (NEW, OTHER, KNOWN, Standing.UNDECIDED),
        (OTHER, OLD, KNOWN, Standing.UNDECIDED),
        (OLD, OLD, KNOWN, Standing.UNDECIDED),
        (OPEN, OLD, KNOWN, Standing.UNDECIDED),
        (NEW, OLD, None, Standing.UNDECIDED),
        (NEW, OLD, BEFORE_HEADERS, Standing.UNDECIDED),
    ],
)
def test_dismounted(original: Any, kept: Any, known: Any, wanted: Standing) -> None:
    found, evidence = standing(known, files(original, kept), is_mounted=False)
    assert found is wanted, evidence
    assert "D:\\" in evidence


@pytest.mark.parametrize(("kept", "wanted"), [(None, Standing.IN_PLACE), (OLD, Standing.NEW)])
def test_mounted_stays_as_it_is(kept: Any, wanted: Standing) -> None:
    assert standing(KNOWN, files(OPEN, kept), is_mounted=True)[0] is wanted
