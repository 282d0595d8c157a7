"""Work that takes time on a host: what it writes while it goes on, which files it has open, how it
ends.

Shape: everything is decided when the work begins, from the files as they are then (it holds them
open); what is written appears over the time that the work takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from goexchange.world.sharing import Shared

FAILED_EXIT = -1


@frozen(kw_only=True)
class Ending(Shared):
    """How work ends: exit code, its whole output, and the `result` of the job's contract."""

    exit_code: int
    output: bytes = b""
    result: Mapping[str, Any] | None = None


def failed(words: str) -> Ending:
    """The end of a job whose runner caught an error."""
    return Ending(exit_code=FAILED_EXIT, output=f"goexchange: {words}\r\n".encode())


@frozen(kw_only=True)
class Write(Shared):
    """A file that the work writes from start to end; `renamed_to` is its name once it is whole."""

    path: str
    renamed_to: str | None = None
    content: bytes = field(repr=False)


@frozen(kw_only=True)
class Awaited(Shared):
    """A file that work waits for: it ends as soon as one with that text lies there."""

    path: str
    text: bytes


@frozen(kw_only=True)
class Work(Shared):
    """A piece of work.

    Shape: `holds` are open for reading while it lasts; `deletes` go first; `writes` one after the
    other over `seconds`; `moves` come last; `spoken` are (fraction, text) that is printed on the
    way, `ending.output` comes after them; `seconds` None: it never ends. What `awaits` a file ends
    with that file as its result, and with what lies there when its time is over.
    """

    process: str
    seconds: float | None
    ending: Ending
    holds: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    writes: tuple[Write, ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    spoken: tuple[tuple[float, bytes], ...] = ()
    awaits: Awaited | None = None
    disk_full: Ending = field(factory=lambda: failed("There is not enough space on the disk."))

    @property
    def bytes_to_write(self) -> int:
        return sum(len(write.content) for write in self.writes)

    def output_at(self, fraction: float) -> bytes:
        """What has been printed when a part of the time is over, before the end."""
        return b"".join(text for moment, text in self.spoken if moment <= fraction)


def failure(words: str) -> Work:
    """Work that fails at once, in the job runner's own words."""
    return Work(process="powershell", seconds=0.0, ending=failed(words))
