"""The manifest of a backup set: made, written, parsed, and its digest.

Shape: a JSON document `{apiVersion, kind, sha256, body}`; `sha256` is the digest of the canonical
JSON of the body.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from ntpath import basename

from attrs import frozen

from goexchange.backup.sealed import open_sealed, sealed_bytes
from goexchange.codec import digest, from_plain, to_plain
from goexchange.errors import InvalidDocument
from goexchange.ese.header import DatabaseHeader, HeaderReading
from goexchange.ese.rendering import signature_words, state_words
from goexchange.ese.structures import LogTime
from goexchange.model.backup_set import (
    BackupSet,
    DatabaseFacts,
    OnlineBackup,
    Restores,
    SetMethod,
)

KIND = "BackupSet"


@frozen
class SealedSet:
    """A set and the digest that its manifest states, found to be right."""

    body: BackupSet
    sha256: str


def database_facts(reading: HeaderReading) -> DatabaseFacts:
    """What a manifest says of a database.

    Raises: ValueError when no copy of the header is good.
    """
    header = reading.header
    if header is None:
        raise ValueError("no copy of the header is good")
    return DatabaseFacts(
        signature=signature_words(header.signature),
        log_signature=signature_words(header.log_signature),
        state=state_words(header.state),
        page_size=header.page_size,
        dbtime=header.dbtime,
        last_consistent=str(header.last_consistent),
        last_consistent_generation=header.last_consistent.generation,
        last_consistent_at_utc=_utc(header.last_consistent_time),
        log_required_low=header.log_required_low,
        log_required_high=header.log_required_high,
        log_committed=header.log_committed,
        repair_count=header.repair_count,
        are_header_copies_alike=reading.are_copies_good_and_alike,
    )


def restores(
    header: DatabaseHeader,
    *,
    missing_generations: tuple[tuple[int, int], ...],
    method: SetMethod = SetMethod.OFFLINE_COPY,
) -> Restores:
    """What a set of this database can bring back; evidence promises no clean point."""
    is_clean = header.is_clean and method is SetMethod.OFFLINE_COPY
    full = header.previous_full_backup
    carried = None
    if full.is_set and not missing_generations:
        carried = OnlineBackup(
            first_generation=full.first_generation,
            last_generation=full.last_generation,
            marked_at_utc=_utc(full.marked_at),
        )
    return Restores(
        clean_point=str(header.last_consistent) if is_clean else None,
        clean_point_at_utc=_utc(header.last_consistent_time) if is_clean else None,
        carries_forward=carried,
        missing_generations=missing_generations,
    )


def content_digest(files: Iterable[tuple[str, int, str]]) -> str:
    """One digest over files by name, size and SHA-256, whatever their order and folder."""
    listed = sorted([basename(path).lower(), size, sha256] for path, size, sha256 in files)
    return digest(listed)


def set_digest(body: BackupSet) -> str:
    """The set's own digest."""
    return digest(to_plain(body))


def manifest_bytes(body: BackupSet) -> bytes:
    """The manifest as it is written: canonical JSON and a line end; equal bytes for equal sets."""
    return sealed_bytes(KIND, to_plain(body))


def parse_manifest(content: bytes) -> SealedSet:
    """The set that a manifest describes.

    Raises: InvalidDocument when it is not a manifest, cannot be understood, or does not have the
    digest that it states.
    """
    opened = open_sealed(content, KIND, noun="a manifest of a backup set")
    body = from_plain(BackupSet, opened.body)
    _refuse_odd_paths(body)
    return SealedSet(body, opened.sha256)


def _refuse_odd_paths(body: BackupSet) -> None:
    """A path of a set stays inside it and stands there once, on every file system."""
    seen: set[str] = set()
    for each in body.files:
        parts = each.path.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in each.path or ":" in each.path:
            raise InvalidDocument(f"a path of the manifest leads out of the set: {each.path!r}")
        if not each.path.isprintable():
            raise InvalidDocument(f"a path of the manifest is no name of a file: {each.path!r}")
        if each.path.lower() in seen:
            raise InvalidDocument(f"a path stands twice in the manifest: {each.path!r}")
        seen.add(each.path.lower())


def _utc(moment: LogTime) -> datetime | None:
    """Unknown: None for unset times and for local ones, whose zone nobody recorded."""
    known = moment.to_datetime()
    return known if known is not None and known.tzinfo is UTC else None
