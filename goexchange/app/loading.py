"""Files of the working folder to configuration, inventory and desired states; every error of every
file at once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from goexchange.documents import Document, parse_documents
from goexchange.errors import Diagnostic, InvalidDocument, Place, Severity
from goexchange.inventory.loading import load_inventory
from goexchange.model.configuration import Configuration, Inventory
from goexchange.model.desired import DesiredState
from goexchange.schema import DOCUMENT_KINDS, check_document
from goexchange.settings.loading import load_configuration
from goexchange.spec.check import check_against_inventory
from goexchange.spec.loading import load_specification

CONFIGURATION_FILE = "goexchange.yaml"
SUFFIXES = (".yaml", ".yml")
REPORT_FILES = {
    "html": "report.html",
    "md": "report.md",
    "text": "report.txt",
    "json": "report.json",
    "junit": "report.junit.xml",
    "csv": "report.csv",
}


@frozen(kw_only=True)
class Specification:
    """A specification as loaded: what it wants, and the file it came from."""

    desired: DesiredState
    file: str
    sha256: str


@frozen(kw_only=True)
class Checked:
    """What `validate` found: documents by kind, and everything that is wrong in them."""

    files: tuple[str, ...]
    documents: int
    diagnostics: tuple[Diagnostic, ...]

    @property
    def has_errors(self) -> bool:
        """Whether anything is wrong enough to stop."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


@frozen(kw_only=True)
class _Read:
    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def known(self) -> frozenset[Place]:
        """Places that diagnostics speak of already."""
        return frozenset(each.place for each in self.diagnostics if each.place is not None)


def configuration(options: Mapping[str, str | None]) -> Configuration:
    """The settings in force: flags over environment over profile over `goexchange.yaml` over
    built-in.

    Raises: InvalidDocument.
    """
    document = None
    if Path(CONFIGURATION_FILE).exists():
        read = _read([Path(CONFIGURATION_FILE)])
        _stop_at_errors(read.diagnostics)
        document = read.documents[0] if read.documents else None
    flags = {name: value for name, value in options.items() if value is not None}
    found, diagnostics = load_configuration(document, flags=flags, environment=dict(os.environ))
    _stop_at_errors(diagnostics)
    assert found is not None
    _refuse_unused(found)
    return found


def _refuse_unused(settings: Configuration) -> None:
    """What a later version will do is refused by name, never ignored.

    Raises: InvalidDocument.
    """
    if settings.template_folder is not None:
        raise InvalidDocument("templates: this version uses its own report templates only")


def inventory(settings: Configuration) -> Inventory:
    """The inventory of the configuration: a file or a folder of files.

    Raises: InvalidDocument.
    """
    read = _read(_files([settings.inventory], "inventory"))
    _stop_at_errors(read.diagnostics)
    found, diagnostics = load_inventory(read.documents)
    _stop_at_errors(diagnostics)
    if found is None:
        raise InvalidDocument(
            f"no inventory in {settings.inventory}: it needs a document of kind Inventory"
        )
    return found


def specifications(
    paths: Sequence[str], settings: Configuration, known: Inventory
) -> tuple[Specification, ...]:
    """The specifications of the given files or folders (by default the configuration's folder).

    Raises: InvalidDocument with every error of every file.
    """
    files = _files(paths or [settings.specifications], "specification")
    read = _read(files)
    found, problems = [], list(read.diagnostics)
    for document in read.documents:
        if document.kind != "Specification":
            continue
        desired, diagnostics = load_specification(document, known=read.known)
        problems += diagnostics
        if desired is not None:
            problems += check_against_inventory(desired, known, document)
            sha256 = _sha256(document.file)
            found.append(Specification(desired=desired, file=document.file, sha256=sha256))
    _stop_at_errors(problems)
    if not found:
        raise InvalidDocument(
            f"no specification in {', '.join(map(str, files)) or 'the given paths'}"
        )
    return tuple(found)


def validate(paths: Sequence[str], settings: Configuration) -> Checked:
    """Check all documents of the paths, or of the working folder when none are given; offline,
    nothing is changed.
    """
    wanted = list(paths) or [
        path
        for path in (CONFIGURATION_FILE, settings.inventory, settings.specifications)
        if Path(path).exists()
    ]
    files = _files(wanted, "document")
    read = _read(files)
    diagnostics = list(read.diagnostics)
    inventories = [document for document in read.documents if document.kind == "Inventory"]
    found: Inventory | None = None
    if inventories:
        found, problems = load_inventory(inventories, known=read.known)
        diagnostics += problems
    elif Path(settings.inventory).exists():
        found, _ = load_inventory(_read(_files([settings.inventory], "inventory")).documents)
    for document in read.documents:
        if document.kind != "Inventory":
            diagnostics += _check(document, found, known=read.known)
    return Checked(
        files=tuple(str(path) for path in files),
        documents=len(read.documents),
        diagnostics=tuple(diagnostics),
    )


def _check(
    document: Document, site: Inventory | None, *, known: Collection[Place]
) -> Iterable[Diagnostic]:
    if document.kind == "Specification":
        desired, diagnostics = load_specification(document, known=known)
        if desired is None or site is None:
            return diagnostics
        return (*diagnostics, *check_against_inventory(desired, site, document))
    if document.kind == "Configuration":
        return load_configuration(document, flags={}, environment={}, known=known)[1]
    kind = document.kind if document.kind in DOCUMENT_KINDS else None
    return check_document(document, kind=kind, known=known)


def _files(paths: Iterable[str], what: str) -> list[Path]:
    files: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            files += sorted(
                each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file()
            )
        elif path.is_file():
            files.append(path)
        else:
            raise InvalidDocument(
                f"there is no {what} file or folder {given}; name one that exists"
            )
    return list(dict.fromkeys(files))


def _read(files: Sequence[Path]) -> _Read:
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    for path in files:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error
        parsed = parse_documents(content, file=str(path))
        diagnostics += parsed.diagnostics
        documents += parsed.documents  # of a file with mistakes too: all errors come at once
    return _Read(documents=tuple(documents), diagnostics=tuple(diagnostics))


def _sha256(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _stop_at_errors(diagnostics: Iterable[Diagnostic]) -> None:
    errors = tuple(each for each in diagnostics if each.severity is Severity.ERROR)
    if errors:
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        raise InvalidDocument(f"{count}; nothing was changed", diagnostics=errors)
