"""The verb `fmt`: documents to their canonical form, in place or only compared."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from goexchange.app.loading import document_files
from goexchange.documents import parse_documents
from goexchange.errors import Diagnostic, InvalidDocument
from goexchange.model.configuration import Configuration


@frozen(kw_only=True)
class Formatted:
    """One file: `diff` is empty when it is in canonical form already."""

    file: str
    diff: str


def format_documents(
    paths: Sequence[str], settings: Configuration, *, is_check: bool
) -> tuple[Formatted, ...]:
    """Compare every file with its canonical form, and write that form unless only asked.

    Raises: InvalidDocument for files that cannot be read as YAML or written without loss; no file
    is written then.
    """
    texts: dict[Path, tuple[bytes, str]] = {}
    wrong: list[Diagnostic] = []
    for path in document_files(paths, settings):
        content = _read(path)
        parsed = parse_documents(content, file=str(path))
        wrong += parsed.diagnostics
        if not parsed.diagnostics:
            texts[path] = (content, _canonical(content, path))
    if wrong:
        raise InvalidDocument(
            "files with mistakes cannot be formatted; nothing was written", diagnostics=tuple(wrong)
        )
    for path, (content, text) in texts.items():
        if not is_check and content != text.encode("utf-8"):
            _replace(path, text.encode("utf-8"))
    return tuple(
        Formatted(file=str(path), diff=_diff(path, content, text))
        for path, (content, text) in texts.items()
    )


def _canonical(content: bytes, path: Path) -> str:
    from goexchange.documents.canonical import canonical

    try:
        return canonical(content, file=str(path))
    except ValueError as error:
        raise InvalidDocument(f"{path}: {error}; nothing was written") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    """Write beside and rename over: a reader sees the old file or the new one.

    Raises: InvalidDocument when the folder cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, path.stat().st_mode)
        os.replace(name, path)
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be written: {error.strerror}") from error


def _diff(path: Path, content: bytes, text: str) -> str:
    if content == text.encode("utf-8"):
        return ""
    old = content.decode("utf-8-sig").splitlines()
    lines = difflib.unified_diff(old, text.splitlines(), str(path), f"{path} (canonical)", n=1)
    shown = "\n".join(line.rstrip("\n") for line in lines)
    return shown or f"{path}: line ends or a byte order mark differ"
