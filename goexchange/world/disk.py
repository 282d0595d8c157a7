"""Where the bytes of a world's files are: the protocol, and one that keeps them in memory.

Shape: a key is host and Windows path, `EX01:D:\\DB01\\DB01.edb`; upper and lower case are the same
file, the first spelling is kept. There are no folders, only keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Disk(Protocol):
    """Files by key. What is not there raises KeyError."""

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""

    def size(self, key: str) -> int:
        """Its size in bytes."""

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Bytes from an offset; fewer at the end of the file."""

    def write_stream(self, key: str, chunks: Iterable[bytes]) -> None:
        """Make or replace a file."""

    def append(self, key: str, content: bytes) -> None:
        """Make a file longer; makes it when it is not there."""

    def write_at(self, key: str, offset: int, content: bytes) -> None:
        """Overwrite bytes inside a file."""

    def rename(self, key: str, new_key: str) -> None:
        """Give a file another key; replaces what is there."""

    def delete(self, key: str) -> None:
        """Remove a file."""

    def list(self, prefix: str) -> tuple[str, ...]:
        """Every key that starts so, sorted."""


class MemoryDisk:
    """Files in memory. Contents that were written whole are shared between copies of a world."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._contents: dict[str, bytes | bytearray] = {}

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return key.lower() in self._contents

    def size(self, key: str) -> int:
        """Its size in bytes."""
        return len(self._contents[key.lower()])

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Bytes from an offset; fewer at the end of the file."""
        content = self._contents[key.lower()]
        if offset == 0 and length >= len(content):
            if isinstance(content, bytearray):  # read whole again and again: kept as it is now
                content = self._contents[key.lower()] = bytes(content)
            return content
        return bytes(memoryview(content)[offset : offset + length])

    def write_stream(self, key: str, chunks: Iterable[bytes]) -> None:
        """Make or replace a file."""
        parts = tuple(chunks)
        self._names.setdefault(key.lower(), key)
        self._contents[key.lower()] = parts[0] if len(parts) == 1 else b"".join(parts)

    def append(self, key: str, content: bytes) -> None:
        """Make a file longer; makes it when it is not there."""
        self._names.setdefault(key.lower(), key)
        self._writable(key).extend(content)

    def write_at(self, key: str, offset: int, content: bytes) -> None:
        """Overwrite bytes inside a file."""
        if key.lower() not in self._contents:
            raise KeyError(key)
        self._writable(key)[offset : offset + len(content)] = content

    def rename(self, key: str, new_key: str) -> None:
        """Give a file another key; replaces what is there."""
        content = self._contents.pop(key.lower())
        del self._names[key.lower()]
        self._names[new_key.lower()] = new_key
        self._contents[new_key.lower()] = content

    def delete(self, key: str) -> None:
        """Remove a file."""
        del self._contents[key.lower()]
        del self._names[key.lower()]

    def list(self, prefix: str) -> tuple[str, ...]:
        """Every key that starts so, sorted."""
        start = prefix.lower()
        return tuple(
            self._names[key] for key in sorted(k for k in self._names if k.startswith(start))
        )

    def __deepcopy__(self, memo: dict[int, object]) -> MemoryDisk:
        """The same files, contents shared until one side writes."""
        for key, content in self._contents.items():
            self._contents[key] = bytes(content)
        copied = MemoryDisk()
        copied._names.update(self._names)
        copied._contents.update(self._contents)
        return copied

    def _writable(self, key: str) -> bytearray:
        content = self._contents.get(key.lower(), b"")
        if isinstance(content, bytearray):
            return content
        writable = bytearray(content)
        self._contents[key.lower()] = writable
        return writable
