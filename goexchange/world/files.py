"""The file system of one host: volumes, free space, times, files that somebody holds open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from attrs import define, frozen

from goexchange.world.clock import Clock
from goexchange.world.disk import Disk
from goexchange.world.sharing import Shared
from goexchange.world.site import ShareDescription, VolumeDescription

_CHUNK_BYTES = 4 * 1024 * 1024


class FileProblem(Enum):
    """Why a file operation is refused; the value is the Win32 error."""

    NOT_FOUND = 2
    IN_USE = 32
    EXISTS = 183
    DISK_FULL = 112
    OTHER_VOLUME = 17


class FileRefused(Exception):
    """A file operation that Windows refuses."""

    def __init__(self, problem: FileProblem, path: str) -> None:
        super().__init__(f"{path}: {problem.name.lower().replace('_', ' ')}")
        self.problem = problem
        self.path = path


@frozen
class FileTimes(Shared):
    """When a file was made and last written."""

    created_at: datetime
    modified_at: datetime


@define
class VolumeState:
    """A volume: what it claims to be, and what is free on it now."""

    mount_point: str
    label: str
    size_bytes: int
    free_bytes: int
    is_local: bool = True


def folder_of(path: str) -> str:
    """The folder of a path, without a trailing backslash but for a drive's root."""
    folder = path.rstrip("\\").rpartition("\\")[0]
    return folder + "\\" if folder.endswith(":") else folder


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("\\").rpartition("\\")[2]


def join(folder: str, *names: str) -> str:
    """A path from a folder and what is in it."""
    return "\\".join([folder.rstrip("\\"), *names])


def flush_map_of(edb_path: str) -> str:
    """The path of a database's flush map."""
    return edb_path.rpartition(".")[0] + ".jfm"


class HostFiles:
    """Files of one host.

    Raises: FileRefused from every operation that Windows would refuse; nothing has changed then.
    """

    def __init__(self, host: str, disk: Disk, clock: Clock) -> None:
        self._host = host
        self.node = ""  # of a cluster: whose own disk it is that C: stands for
        self._disk = disk
        self._clock = clock
        self._times: dict[str, FileTimes] = {}
        self._holders: dict[str, dict[str, bool]] = {}
        self.volumes: list[VolumeState] = []
        self.shares: list[VolumeState] = []

    def add_volume(self, volume: VolumeDescription) -> None:
        """Mount a volume; later files on it take from its free space."""
        self.volumes.append(
            VolumeState(volume.mount_point, volume.label, volume.size_bytes, volume.free_bytes)
        )

    def add_share(self, share: ShareDescription) -> None:
        """Make a share reachable."""
        size = share.free_bytes * 2
        self.shares.append(VolumeState(share.path, "", size, share.free_bytes, False))

    def volume_of(self, path: str) -> VolumeState:
        """The volume that a path is on: the deepest mount point above it."""
        wanted = path.rstrip("\\").lower() + "\\"
        above = [
            each
            for each in (*self.volumes, *self.shares)
            if wanted.startswith(each.mount_point.lower())
        ]
        if not above:
            raise FileRefused(FileProblem.NOT_FOUND, path)
        return max(above, key=lambda each: len(each.mount_point))

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return self._disk.exists(self._key(path))

    def size(self, path: str) -> int:
        """Size of a file."""
        self._demand(path)
        return self._disk.size(self._key(path))

    def times(self, path: str) -> FileTimes:
        """When it was made and written; files from before the world began are as old as its
        clock.
        """
        self._demand(path)
        now = self._clock.now()
        return self._times.get(path.lower(), FileTimes(now, now))

    def age(self, path: str, created_at: datetime) -> None:
        """Make a file look as if it had been made earlier."""
        self._times[path.lower()] = FileTimes(created_at, self.times(path).modified_at)

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes of a file."""
        self._demand(path)
        wanted = self._disk.size(self._key(path)) if length is None else length
        return self._disk.read(self._key(path), offset, wanted)

    def read_json(self, path: str) -> Any:
        """A JSON file; None when it is not there."""
        return json.loads(self.read(path)) if self.exists(path) else None

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file."""
        self._demand_free(path)
        before = self._disk.size(self._key(path)) if self.exists(path) else 0
        self._take(path, len(content) - before)
        self._disk.write_stream(self._key(path), (content,))
        self._touch(path)

    def write_chunks(self, path: str, chunks: Iterable[bytes]) -> None:
        """Make a file in pieces, whole or not at all for the volume's accounts."""
        self.write(path, b"")
        self._disk.write_stream(self._key(path), chunks)
        self._take(path, self._disk.size(self._key(path)))

    def write_json(self, path: str, content: Mapping[str, Any]) -> None:
        """Make or replace a JSON file."""
        self.write(path, json.dumps(content, sort_keys=True, ensure_ascii=False).encode())

    def append(self, path: str, content: bytes) -> None:
        """Make a file longer."""
        self._take(path, len(content))
        self._disk.append(self._key(path), content)
        self._touch(path)

    def write_at(self, path: str, offset: int, content: bytes) -> None:
        """Overwrite bytes inside a file, whoever holds it (its holder writes)."""
        self._demand(path)
        self._disk.write_at(self._key(path), offset, content)
        self._touch(path)

    def rename(self, path: str, new_path: str) -> None:
        """Rename on the same volume; never over a file that is there."""
        self._demand(path)
        self._demand_free(path)
        if self.exists(new_path):
            raise FileRefused(FileProblem.EXISTS, new_path)
        if self.volume_of(path) is not self.volume_of(new_path):
            raise FileRefused(FileProblem.OTHER_VOLUME, new_path)
        self._disk.rename(self._key(path), self._key(new_path))
        times = self._times.pop(path.lower(), None)
        if times is not None:
            self._times[new_path.lower()] = times

    def delete(self, path: str) -> None:
        """Remove a file."""
        self._demand(path)
        self._demand_free(path)
        self._take(path, -self._disk.size(self._key(path)))
        self._disk.delete(self._key(path))
        self._times.pop(path.lower(), None)

    def names_in(self, folder: str) -> tuple[str, ...]:
        """Paths of the files right in a folder, sorted without regard to case."""
        prefix = self._key(join(folder, ""))
        found = (key[len(prefix) :] for key in self._disk.list(prefix))
        return tuple(join(folder, name) for name in found if "\\" not in name)

    def below(self, folder: str) -> tuple[str, ...]:
        """Paths of all files below a folder."""
        prefix = self._key(join(folder, ""))
        return tuple(join(folder, key[len(prefix) :]) for key in self._disk.list(prefix))

    def hold(self, path: str, holder: str, *, is_shared: bool = False) -> None:
        """Open a file so that nobody else can; shared: so that others may still read it."""
        self._holders.setdefault(path.lower(), {})[holder] = is_shared

    def let_go(self, path: str) -> None:
        """Close one file, whoever has it open."""
        self._holders.pop(path.lower(), None)

    def release(self, holder: str) -> None:
        """Close every file that a holder has open."""
        for path in [path for path, holders in self._holders.items() if holder in holders]:
            del self._holders[path][holder]

    def release_all(self) -> None:
        """Close every file: the host went down."""
        self._holders.clear()

    def is_open(self, path: str) -> bool:
        """Whether anybody has a file open: it cannot be opened alone, renamed or deleted."""
        return bool(self._holders.get(path.lower()))

    def is_closed_to_readers(self, path: str) -> bool:
        """Whether somebody has a file open for himself alone."""
        return not all(self._holders.get(path.lower(), {}).values())

    def _key(self, path: str) -> str:
        if self.node and path.lower().startswith("c:"):
            return f"{self.node}:{path}"
        return f"UNC:{path}" if path.startswith("\\\\") else f"{self._host}:{path}"

    def _demand(self, path: str) -> None:
        if not self.exists(path):
            raise FileRefused(FileProblem.NOT_FOUND, path)

    def _demand_free(self, path: str) -> None:
        if self.is_open(path):
            raise FileRefused(FileProblem.IN_USE, path)

    def _take(self, path: str, size_bytes: int) -> None:
        volume = self.volume_of(path)
        if size_bytes > volume.free_bytes:
            raise FileRefused(FileProblem.DISK_FULL, path)
        volume.free_bytes -= size_bytes

    def _touch(self, path: str) -> None:
        now = self._clock.now()
        before = self._times.get(path.lower())
        self._times[path.lower()] = FileTimes(before.created_at if before else now, now)
