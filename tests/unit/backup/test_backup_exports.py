"""What lies in a set beside database and logs, and why."""

from __future__ import annotations

from goexchange.backup.exports import REASONS, ExportedFile, exported_set_files
from goexchange.model.backup_set import FileRole

SET = "\\\\backup01\\exchange$\\EX01\\DB05\\20261122T101500Z"


def exported(*names: str) -> tuple[ExportedFile, ...]:
    return tuple(
        ExportedFile(path=f"{SET}\\configuration\\{name}", size_bytes=5, sha256="a" * 64)
        for name in names
    )


def test_each_exported_file_has_a_role_and_a_reason():
    files = exported(
        "registry-1.reg",
        "system-state\\backup.xml",
        "C\\Exchange\\Bin\\EdgeTransport.exe.config",
        "C\\ops\\settings.ini",
    )
    entries = exported_set_files(files, set_folder=SET, declared_paths=("C:\\ops",))
    assert {each.path.rpartition("/")[2]: each.role for each in entries} == {
        "registry-1.reg": FileRole.REGISTRY,
        "backup.xml": FileRole.SYSTEM_STATE,
        "EdgeTransport.exe.config": FileRole.CONFIGURATION,
        "settings.ini": FileRole.DECLARED,
    }
    assert all(each.reason == REASONS[each.role] for each in entries)
    assert entries[0].path.startswith("configuration/")


def test_a_file_outside_the_set_is_not_of_it():
    outside = ExportedFile(path="C:\\Windows\\x.reg", size_bytes=1, sha256="b" * 64)
    assert exported_set_files((outside,), set_folder=SET) == ()
