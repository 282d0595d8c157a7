"""The wheel holds what the checkout has: schemas, templates and host scripts, found without the
checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tidy.sources import REPOSITORY

_PROGRAM = """
import sys
from goexchange import resources
print(resources.__file__)
for kind in resources.schema_kinds():
    print(kind, len(resources.schema_text(kind)))
print("template", len(resources.template_text("report.html.j2")))
print("script", len(resources.host_script_text("observe-host")))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"),
            *("--disable-pip-version-check", "--wheel-dir", str(folder), str(REPOSITORY)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = folder.glob("goexchange-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def resources_of(path: Path, cwd: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    where, *rest = done.stdout.splitlines()
    assert where.startswith(str(path))
    return rest


def test_the_wheel_finds_what_the_checkout_has(unpacked: Path, tmp_path: Path) -> None:
    installed = resources_of(unpacked, tmp_path)
    assert installed == resources_of(REPOSITORY, tmp_path)
    assert len(installed) > 5


def test_the_wheel_holds_the_package_and_nothing_else(unpacked: Path) -> None:
    tops = {each.name for each in unpacked.iterdir() if not each.name.endswith(".dist-info")}
    assert tops == {"goexchange"}
    scripts = unpacked / "goexchange" / "powershell" / "scripts"
    packaged = sorted(each.name for each in scripts.glob("*.ps1"))
    kept = REPOSITORY / "goexchange" / "powershell" / "scripts"
    assert packaged == sorted(each.name for each in kept.glob("*.ps1"))
