"""What lies in a set beside database, logs and checkpoint: exported registry, system state, files.

Shape: an export writes registry keys as `.reg` files, system state into a folder of its own, and
every copied file under its old path, all below one folder of the set.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from goexchange.model.backup_set import FileRole, FileVerdict, SetFile

REASONS = {
    FileRole.REGISTRY: "registry of the server, to compare with and to read settings from",
    FileRole.SYSTEM_STATE: "system state of the server, asked for by the specification",
    FileRole.CONFIGURATION: "Exchange's own configuration, which cumulative updates overwrite",
    FileRole.DECLARED: "a path that the specification names",
}


@frozen(kw_only=True)
class ExportedFile:
    """A file as the export reported it: its path on the host, size, and the digest of its bytes."""

    path: str
    size_bytes: int
    sha256: str


def exported_set_files(
    files: Sequence[ExportedFile], *, set_folder: str, declared_paths: Sequence[str] = ()
) -> tuple[SetFile, ...]:
    """The entries of a manifest for what was exported, by path.

    Shape: files outside the set's folder are left out: a manifest lists what lies in its set.
    """
    root = set_folder.rstrip("\\") + "\\"
    entries = []
    for each in sorted(files, key=lambda one: one.path.lower()):
        if not each.path.lower().startswith(root.lower()):
            continue
        below = each.path[len(root) :]
        role = _role(below, declared_paths)
        entries.append(
            SetFile(
                role=role,
                path=below.replace("\\", "/"),
                source_path=each.path,
                size_bytes=each.size_bytes,
                sha256=each.sha256,
                reason=REASONS[role],
                verdict=FileVerdict.NOT_CHECKED,
            )
        )
    return tuple(entries)


def _role(below: str, declared_paths: Sequence[str]) -> FileRole:
    parts = [part.lower() for part in below.split("\\")]
    if parts[-1].endswith(".reg"):
        return FileRole.REGISTRY
    if any("systemstate" in part.replace("-", "").replace("_", "") for part in parts):
        return FileRole.SYSTEM_STATE
    # A copied file keeps its old path below the export's folder, without the drive's colon.
    kept = below.lower().replace(":", "")
    declared = (path.lower().replace(":", "").strip("\\") for path in declared_paths)
    if any(f"\\{path}" in f"\\{kept}" for path in declared if path):
        return FileRole.DECLARED
    return FileRole.CONFIGURATION
