"""The files of a lab's world in a folder of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from goexchange.errors import UsageError

_MARK = "made-by-a-lab.txt"


class FolderDisk:
    """A `Disk` of `goexchange.world.disk` whose files lie below one folder.

    Shape: a key `EX01:D:\\DB01\\DB01.edb` is the file `EX01/D/DB01/DB01.edb`. A world begins with
    what it writes itself: what an earlier lab left in the folder is removed.
    Raises: UsageError for a folder that holds something which no lab has made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}
        mark = folder / _MARK
        if folder.exists() and any(folder.iterdir()):
            if not mark.exists():
                raise UsageError(
                    f"{folder} is not empty, and no lab has made it: give the lab another folder"
                )
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(
            "Disks of a goexchange lab: removed when a lab starts here again.\n", "utf-8"
        )

    def path(self, key: str) -> Path:
        """Where the file of a key is on this machine."""
        return self._folder.joinpath(*_parts(self._names.get(key.lower(), key)))

    def exists(self, key: str) -> bool:
        """Whether there is such a file; on a share, other machines leave and remove files, too."""
        if _is_on_share(key):
            if self.path(key).is_file():
                self._names.setdefault(key.lower(), key)
            else:
                self._names.pop(key.lower(), None)
        return key.lower() in self._names

    def size(self, key: str) -> int:
        """Its size in bytes."""
        return self._known(key).stat().st_size

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Bytes from an offset; fewer at the end of the file."""
        with self._known(key).open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def write_stream(self, key: str, chunks: Iterable[bytes]) -> None:
        """Make or replace a file."""
        with self._made(key).open("wb") as file:
            file.writelines(chunks)

    def append(self, key: str, content: bytes) -> None:
        """Make a file longer; makes it when it is not there."""
        with self._made(key).open("ab") as file:
            file.write(content)

    def write_at(self, key: str, offset: int, content: bytes) -> None:
        """Overwrite bytes inside a file."""
        with self._known(key).open("r+b") as file:
            file.seek(offset)
            file.write(content)

    def rename(self, key: str, new_key: str) -> None:
        """Give a file another key; replaces what is there."""
        source = self._known(key)
        if new_key.lower() in self._names and new_key.lower() != key.lower():
            self.delete(new_key)
        del self._names[key.lower()]
        os.replace(source, self._made(new_key))

    def delete(self, key: str) -> None:
        """Remove a file."""
        self._known(key).unlink()
        del self._names[key.lower()]

    def list(self, prefix: str) -> tuple[str, ...]:
        """Every key that starts so, sorted."""
        start = prefix.lower()
        return tuple(
            self._names[key] for key in sorted(k for k in self._names if k.startswith(start))
        )

    def _known(self, key: str) -> Path:
        if key.lower() not in self._names:
            raise KeyError(key)
        return self.path(key)

    def _made(self, key: str) -> Path:
        self._names.setdefault(key.lower(), key)
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _is_on_share(key: str) -> bool:
    return key.partition(":")[2].startswith("\\\\")


def _parts(key: str) -> list[str]:
    """Folder names of a key: those that a host sees, so that a set is found under its own name."""
    host, _, path = key.partition(":")
    below = path.replace(":", "").split("\\")
    names = below if path.startswith("\\\\") else [host, *below]  # a share is the same for all
    return [_safe(name) for name in names if name]


def _safe(name: str) -> str:
    """The name itself, but for what no file of this machine can be called, as %XX."""
    text = "".join(f"%{ord(one):02X}" if one in "/%" or ord(one) < 32 else one for one in name)
    return text.replace(".", "%2E") if set(text) == {"."} else text
