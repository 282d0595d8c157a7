"""Files of the working folder to configuration, inventory and desired states; every error of every
file at once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from goexchange.app.policies import FOLDER, check_policy, policies
from goexchange.documents import Document, parse_documents, without
from goexchange.errors import Diagnostic, InvalidDocument, Place, Severity
from goexchange.inventory.loading import load_inventory
from goexchange.model.configuration import Configuration, Inventory
from goexchange.model.desired import DesiredState
from goexchange.model.policy import Policy
from goexchange.schema import DOCUMENT_KINDS, check_document
from goexchange.settings.loading import load_configuration
from goexchange.spec.across import Loaded, check_across
from goexchange.spec.check import check_against_inventory
from goexchange.spec.limits import check_limits
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
    "prom": "report.prom",
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
    return found


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
    loaded: list[Loaded] = []
    for document in read.documents:
        if document.kind != "Specification":
            continue
        desired, diagnostics = load_specification(document, known=read.known)
        problems += diagnostics
        problems += _names(desired, document, (*read.diagnostics, *diagnostics), known)
        if desired is not None:
            sha256 = _sha256(document.file)
            found.append(Specification(desired=desired, file=document.file, sha256=sha256))
            loaded.append(Loaded(desired=desired, document=document))
    problems += check_across(loaded, known)
    problems += check_limits(loaded, policies())
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
    files = document_files(paths, settings)
    read = _read(files)
    diagnostics = list(read.diagnostics)
    diagnostics += _check_all(read, settings)
    return Checked(
        files=tuple(str(path) for path in files),
        documents=len(read.documents),
        diagnostics=tuple(sorted(diagnostics, key=_text_order)),
    )


def document_files(paths: Sequence[str], settings: Configuration) -> list[Path]:
    """The files of the given paths, or all documents of the working folder when none are given.

    Raises: InvalidDocument for a path that does not exist.
    """
    wanted = list(paths) or [
        path
        for path in (CONFIGURATION_FILE, settings.inventory, settings.specifications, FOLDER)
        if Path(path).exists()
    ]
    return _files(wanted, "document")


def _check_all(read: _Read, settings: Configuration) -> Iterator[Diagnostic]:
    """Each document by itself, then what they say of each other."""
    site, found = _site(read, settings)
    yield from found
    loaded: list[Loaded] = []
    channels: set[str] | None = None
    found_policies: list[Policy] = []
    for document in read.documents:
        if document.kind == "Specification":
            desired, found = load_specification(document, known=read.known)
            yield from found
            if site is not None:
                yield from _names(desired, document, (*read.diagnostics, *found), site)
            if desired is not None:
                loaded.append(Loaded(desired=desired, document=document))
        elif document.kind == "Configuration":
            own, found = load_configuration(document, flags={}, environment={}, known=read.known)
            yield from found
            if own is not None:
                channels = {channel.name for channel in own.notify_channels}
        elif document.kind == "Policy":
            policy, found = check_policy(document)
            yield from (each for each in found if each.place not in read.known)
            found_policies += [policy] if policy is not None else []
        elif document.kind == "SpecificationTest":
            from goexchange.settings.specification_test import load_specification_test

            yield from load_specification_test(document, known=read.known)[1]
        elif document.kind != "Inventory":
            kind = document.kind if document.kind in DOCUMENT_KINDS else None
            yield from check_document(document, kind=kind, known=read.known)
    yield from check_limits(loaded, found_policies)
    if site is not None:
        yield from check_across(loaded, site, channels=channels)


def _names(
    desired: DesiredState | None,
    document: Document,
    wrong: Sequence[Diagnostic],
    site: Inventory,
) -> Iterator[Diagnostic]:
    """The names of a specification that the inventory has not. Where mistakes keep it from being
    loaded, what is left without them is asked: all errors come at once.
    """
    if desired is None:
        places = {each.place for each in wrong if each.place is not None}
        desired = load_specification(without(document, places))[0]
    if desired is not None:
        yield from check_against_inventory(desired, site, document)


def _site(read: _Read, settings: Configuration) -> tuple[Inventory | None, tuple[Diagnostic, ...]]:
    """The inventory among the documents, else the configured one if it is without errors."""
    inventories = [document for document in read.documents if document.kind == "Inventory"]
    if inventories:
        return load_inventory(inventories, known=read.known)
    if not Path(settings.inventory).exists():
        return None, ()
    other = _read(_files([settings.inventory], "inventory"))
    return load_inventory(other.documents)[0] if other.documents else None, ()


def _text_order(diagnostic: Diagnostic) -> tuple[str, int, int]:
    place = diagnostic.place
    return (place.file, place.line, place.column) if place is not None else ("", 0, 0)


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
