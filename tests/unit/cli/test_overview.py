"""`goexchange --help`: the whole truth, without any library."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from goexchange.cli.group import cli
from goexchange.cli.main import VERBS, columns
from goexchange.cli.overview import OPTIONS, overview

PROGRAM = """
import sys
from goexchange.cli.main import main
try:
    main(["--help"])
except SystemExit as end:
    assert end.code == 0
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def test_help_loads_no_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("Usage: goexchange")
    assert {"click", "attr", "attrs", "json", "re"} & set(done.stderr.split()) <= {"re"}


def test_help_shows_the_options_that_there_are() -> None:
    declared = [
        name
        for each in cli.params
        if isinstance(each, click.Option)
        for name in (*each.opts, *each.secondary_opts)
    ]
    shown = [word.strip(",") for flags in OPTIONS for word in flags.split() if word[0] == "-"]
    assert sorted([*declared, "-h", "--help"]) == sorted(shown)


@pytest.mark.parametrize("width", [60, 80, 100])
def test_help_fits_the_terminal_and_names_every_verb(width: int) -> None:
    text = overview(VERBS, width)
    assert max(map(len, text.splitlines())) <= width
    for verb, (_, what) in VERBS.items():
        assert f"  {verb} " in text
        assert what.split()[0] in text


@pytest.mark.parametrize(("asked", "width"), [("20", 60), ("80", 80), ("500", 100), ("x", 80)])
def test_the_width_is_that_of_the_terminal_within_reason(
    asked: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", asked)
    assert columns() == width
