"""The documents as a site: `nox -s docs`. Warnings are errors there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

FOLDER = Path(__file__).resolve().parent
HOW_TOS = "@how-tos@"  # in index.md: every document that no other part names
EXPLANATIONS = "@explanations@"  # in index.md: those of these that there are
_EXPLAINS = (
    "architecture",
    "invariants",
    "critiques",
    "reliability",
    "windows-and-estimates",
    "benchmarks",
    "benchmarks-ese",
)

project = "goexchange"
copyright = "the goexchange authors"  # noqa: A001 - the name that Sphinx reads
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
html_theme = "furo"
html_title = "goexchange"
myst_heading_anchors = 4
exclude_patterns = ["_build"]
nitpicky = True


def explanations() -> list[str]:
    """The documents that explain, as far as there are any."""
    return [name for name in _EXPLAINS if (FOLDER / f"{name}.md").exists()]


def how_tos(index: str) -> list[str]:
    """The documents of this folder that no other part names, sorted."""
    named = {line.strip() for line in index.splitlines()} | {"index", *_EXPLAINS}
    return [path.stem for path in sorted(FOLDER.glob("*.md")) if path.stem not in named]


def _fill_index(app: Sphinx, name: str, source: list[str]) -> None:
    if name == "index":
        text = source[0].replace(HOW_TOS, "\n".join(how_tos(source[0])))
        source[0] = text.replace(EXPLANATIONS, "\n".join(explanations()))


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", _fill_index)
    return {"parallel_read_safe": True}
