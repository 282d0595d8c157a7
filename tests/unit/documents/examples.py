"""The examples of the repository, for tests that read or damage them."""

from __future__ import annotations

from pathlib import Path

from goexchange.documents import Document, parse_documents

ROOT = Path(__file__).parents[3]
SPECS = ROOT / "specs"
EXAMPLES = (
    SPECS / "minimal.yaml",
    SPECS / "weekly-preventative.yaml",
    SPECS / "inventory" / "berlin.yaml",
    SPECS / "goexchange.yaml",
    SPECS / "policies" / "production.yaml",
    SPECS / "tests" / "minimal.test.yaml",
    SPECS / "tests" / "night.test.yaml",
)


def documents_of(path: Path) -> tuple[Document, ...]:
    """Return the documents of an example, which has no mistakes."""
    parsed = parse_documents(path.read_bytes(), file=str(path.relative_to(ROOT)))
    assert parsed.diagnostics == ()
    return parsed.documents
