"""The command blocks of the documents: what a reader would type, block by block.

A block runs in a test (`tests/end_to_end/test_command_blocks.py`, `test_tutorial.py`) or says why
it cannot, in a comment on the line above it: `<!-- not run: REASON -->`.
"""

from __future__ import annotations

import re

from attrs import frozen

from tests.tidy.sources import REPOSITORY

DOCUMENTS = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
RUN, SHOWN, POWERSHELL = "sh", "console", "powershell"
TUTORIAL = "tutorial.md"
_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<language>[^\n]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@frozen(kw_only=True)
class Block:
    """One fenced block. Shape: `line` is that of its fence; `reason` says why it cannot be run."""

    document: str
    line: int
    language: str
    text: str
    reason: str | None


def blocks() -> tuple[Block, ...]:
    """Every fenced block of every document, in order."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        for each in _FENCE.finditer(text):
            found.append(
                Block(
                    document=path.name,
                    line=text.count("\n", 0, each.start("language")) + 1,
                    language=each["language"] or spoken(each["text"]),
                    text=each["text"],
                    reason=each["reason"],
                )
            )
    return tuple(found)


def spoken(text: str) -> str:
    """The language of a block that names none: a shell's where it begins with our command."""
    return RUN if text.startswith("goexchange ") else ""


def to_run(document: str) -> tuple[Block, ...]:
    """The blocks of a document that a test has to type."""
    return tuple(
        each
        for each in blocks()
        if each.document == document and each.language == RUN and each.reason is None
    )
