"""The README's installation and the tutorial, word by word, in a virtual environment that is new.

Usage: python -m tests.end_to_end.fresh (a registry of packages has to be reachable; some minutes).
`nox -s fresh` and `.ci/run` call it. It builds the wheel, installs it with pip into an empty
environment, and types the tutorial there as its test does here. Then it types the README's first
block in a copy of the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from tests.end_to_end.test_tutorial import type_the_tutorial
from tests.tidy.command_blocks import blocks
from tests.tidy.sources import REPOSITORY

LIMIT_S = 1800
"""An installation without bytecode starts slowly, and a machine may have other work."""
COPIED = ("goexchange", "reports", "schemas", "README.md", "pyproject.toml")


def first_block(document: str) -> str:
    """The first block of a document."""
    return next(each.text for each in blocks() if each.document == document)


def main() -> None:
    """Do both, and say how long each took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timed("the wheel, installed", lambda: install(folder))
        programs = folder / "venv" / "bin"
        timed("the tutorial", lambda: type_the_tutorial(folder, programs, limit_s=LIMIT_S))
        timed("the README's first block", lambda: readme(folder))


def timed(what: str, do: object) -> None:
    """Do it and print the seconds that it took."""
    assert callable(do)
    began = time.monotonic()
    do()
    sys.stdout.write(f"{what}: {time.monotonic() - began:.0f} s\n")
    sys.stdout.flush()


def install(folder: Path) -> None:
    """Build the wheel and install it into an empty environment, away from the checkout."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), "."]
    subprocess.run(build, cwd=REPOSITORY, check=True, timeout=300)
    (wheel,) = folder.glob("goexchange-*.whl")
    venv.create(folder / "venv", with_pip=True)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(pip, cwd=folder, check=True, timeout=LIMIT_S, env=clean())
    asked = [
        str(folder / "venv" / "bin" / "python"),
        "-c",
        "import goexchange as g; print(g.__file__)",
    ]
    where = subprocess.run(
        asked, cwd=folder, check=True, timeout=60, env=clean(), capture_output=True, text=True
    ).stdout
    assert where.startswith(str(folder / "venv")), f"another installation was asked: {where}"


def readme(folder: Path) -> None:
    """The README's first block, in a copy of the checkout without what is not in git."""
    copy = folder / "copy"
    copy.mkdir()
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    block = first_block("README.md")
    assert "lab demo" in block
    subprocess.run(["bash", "-e", "-c", block], cwd=copy, check=True, timeout=LIMIT_S, env=clean())


def clean() -> dict[str, str]:
    """The environment without what would lead back into this interpreter."""
    ours = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in ours}


if __name__ == "__main__":
    main()
