"""The documents as a site: built without a warning, every document in one of its parts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tidy.sources import REPOSITORY

DOCS = REPOSITORY / "docs"


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "sphinx", "-q", "-W", "--keep-going"]
    doctrees = ["-d", str(tmp_path / "doctrees")]
    done = subprocess.run(
        [*command, "-b", "html", *doctrees, str(DOCS), str(tmp_path / "site")],
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    written = {path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")}
    made = {
        path.relative_to(tmp_path / "site").with_suffix("")
        for path in (tmp_path / "site").rglob("*.html")
    }
    assert written <= made
    index = (tmp_path / "site" / "index.html").read_text("utf-8")
    for part in ("Tutorial", "How to", "Reference", "Explanation", "approvals.html"):
        assert part in index
