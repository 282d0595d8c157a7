"""Documents with the digest of their body in them: `{apiVersion, kind, sha256, body}`.

The digest is SHA-256 of the canonical JSON of the body. It finds damage and edits by hand; it is no
signature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from goexchange.codec import canonical_json, digest
from goexchange.errors import InvalidDocument

API_VERSION = "goexchange/v1"


@frozen
class Opened:
    """The body of a sealed document, and its digest, found to be right."""

    body: Mapping[str, Any]
    sha256: str


def sealed_bytes(kind: str, body: Any) -> bytes:
    """The document as it is written: canonical JSON and a line end."""
    document = {"apiVersion": API_VERSION, "kind": kind, "sha256": digest(body), "body": body}
    return canonical_json(document) + b"\n"


def open_sealed(content: bytes, kind: str, *, noun: str) -> Opened:
    """The body of a document of that kind; `noun` is what it is called (`a manifest`).

    Raises: InvalidDocument when it is no such document, or its body has another digest.
    """
    document = _document(content, noun)
    for member, expected in (("apiVersion", API_VERSION), ("kind", kind)):
        if member not in document or document[member] != expected:
            raise InvalidDocument(f"not {noun}: {member} is not {expected}")
    if "body" not in document or not isinstance(document["body"], dict):
        raise InvalidDocument(f"not {noun}: it has no body")
    stated = document.get("sha256")
    try:
        computed = digest(document["body"])
    except ValueError as error:
        raise InvalidDocument(f"not {noun}: {error}") from error
    if stated != computed:
        raise InvalidDocument(
            f"{noun} was changed after it was sealed: "
            f"it states the digest {stated}, but its body has {computed}"
        )
    return Opened(document["body"], computed)


def _document(content: bytes, noun: str) -> Mapping[str, Any]:
    try:
        document = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise InvalidDocument(f"not {noun}: nested too deeply") from error
    except ValueError as error:
        raise InvalidDocument(f"not {noun}: {error}") from error
    if not isinstance(document, dict):
        raise InvalidDocument(f"not {noun}: the document is not an object")
    return document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
