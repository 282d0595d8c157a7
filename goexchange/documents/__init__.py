"""Read YAML text into trees that know where all was written; the only YAML reader.

YAML 1.2, core schema: `no` is text, `022` is twenty-two, `22:00` is text. What makes a document
mean something else than it shows is refused with its place: duplicate keys, anchors, aliases,
tags, directives for another YAML.
"""

from __future__ import annotations

from goexchange.documents.characters import MAX_BYTES
from goexchange.documents.composing import MAX_DEPTH, parse_documents
from goexchange.documents.scalars import MAX_DIGITS, resolve_plain
from goexchange.documents.tree import (
    Document,
    Entry,
    Mapping,
    Node,
    Parsed,
    Plain,
    Scalar,
    Sequence,
    digest,
    shown_line,
    to_plain,
    without,
)

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "Document",
    "Entry",
    "Mapping",
    "Node",
    "Parsed",
    "Plain",
    "Scalar",
    "Sequence",
    "digest",
    "parse_documents",
    "resolve_plain",
    "shown_line",
    "to_plain",
    "without",
]
