"""Host jobs that read and copy files: copy-files, hash-files, export-configuration, and the few
known commands.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen

from goexchange.world.faults import Damage
from goexchange.world.files import FileProblem, FileRefused, HostFiles, join, name_of
from goexchange.world.site import Rates
from goexchange.world.work import Ending, Work, Write, failure

_PROCESS = "powershell"


@frozen(kw_only=True)
class KnownCommand:
    """A program of the site that the world can play.

    Shape: `seconds` None: it never ends; `child` is what a launcher starts, which goes on for
    `child_seconds` and ends with `child_exit_code`; `bytes_more` of output follow what is shown;
    `restarts_after` its start, the host goes down and comes up again.
    """

    output: str
    exit_code: int = 0
    seconds: float | None = 0.5
    child: str | None = None
    child_seconds: float = 0.0
    child_exit_code: int = 0
    bytes_more: int = 0
    restarts_after: float | None = None


KNOWN_COMMANDS: Mapping[tuple[str, ...], KnownCommand] = {
    ("C:\\ops\\av.cmd", "suspend"): KnownCommand(output="on-access scanning is suspended\r\n"),
    ("C:\\ops\\av.cmd", "resume"): KnownCommand(output="on-access scanning is active\r\n"),
    ("C:\\ops\\monitoring.cmd", "quiet"): KnownCommand(output="alerts are held back\r\n"),
    ("C:\\ops\\monitoring.cmd", "loud"): KnownCommand(output="alerts are sent\r\n"),
    ("C:\\ops\\fail.cmd",): KnownCommand(output="something went wrong\r\n", exit_code=3),
    ("C:\\ops\\never.cmd",): KnownCommand(output="working\r\n", seconds=None),
    ("C:\\ops\\launch.cmd",): KnownCommand(
        output="the export goes on by itself\r\n", child="export.exe", child_seconds=12
    ),
    ("C:\\ops\\launch.cmd", "badly"): KnownCommand(
        output="the export goes on by itself\r\n",
        child="export.exe",
        child_seconds=12,
        child_exit_code=7,
    ),
    # it is told that there is no input; `pause` of a console of its own would wait for a key
    ("C:\\ops\\ask.cmd",): KnownCommand(output="Suspend now (Y/N)? ", exit_code=1),
    ("C:\\ops\\ask.cmd", "console"): KnownCommand(output="Suspend now (Y/N)? ", seconds=None),
    ("C:\\ops\\updates.cmd", "install"): KnownCommand(
        output="installing, then restarting\r\n", seconds=None, restarts_after=6.0
    ),
    ("C:\\ops\\updates.cmd", "later"): KnownCommand(
        output="installed, restarting soon\r\n", exit_code=3010, seconds=3.0, restarts_after=5.0
    ),
    ("C:\\ops\\firmware.cmd",): KnownCommand(output="firmware is up to date\r\n", seconds=5.0),
    ("C:\\ops\\talk.cmd",): KnownCommand(output="line 1\r\n", seconds=3, bytes_more=100_000_000),
}
_BLOCK = 4096
_HEAD_MAX = _TAIL_MAX = 512 * 1024  # what the job runner keeps of much output


def copy_files(
    request: Mapping[str, Any], files: HostFiles, rates: Rates, *, damage: Damage | None
) -> Work:
    """Copy files; a digest is taken of each source on the way. It never writes over a file.

    Shape: while it is written a copy is called `.partial`; one that `continues` keeps of it what
    is there already, as far as it is what the source has.
    """
    transfers: Sequence[Mapping[str, str]] = request["files"]
    continues, kept = bool(request.get("continues")), 0
    writes: list[Write] = []
    copied: list[dict[str, Any]] = []
    for transfer in transfers:
        source, destination = transfer["source"], transfer["destination"]
        failed = _unreadable(files, source)
        is_there = failed is None and files.exists(destination)
        if is_there and not (continues and files.read(destination) == files.read(source)):
            failed = _failed(FileProblem.EXISTS, destination)
        if failed is not None:
            return failed
        content = files.read(source)
        copied.append(_digest_entry(destination, content))
        if is_there:
            kept += len(content)
            continue
        kept += _kept(files, destination, content) if continues else 0
        if damage is not None and destination.lower().endswith(".edb"):
            content, damage = damaged(content, damage), None
        writes.append(Write(path=f"{destination}.partial", renamed_to=destination, content=content))
    return Work(
        process=_PROCESS,
        seconds=max(0, sum(entry["size_bytes"] for entry in copied) - kept) / rates.copy
        + kept / rates.hash,
        ending=Ending(
            exit_code=0,
            output=_lines("copied", [transfer["source"] for transfer in transfers]),
            result={"files": copied, "kept_bytes": kept},
        ),
        holds=tuple(transfer["source"] for transfer in transfers),
        writes=tuple(writes),
    )


def _kept(files: HostFiles, destination: str, content: bytes) -> int:
    """How much of a copy that was begun before is what the source has, in whole blocks."""
    partial = f"{destination}.partial"
    there = files.read(partial) if files.exists(partial) else b""
    same = 0
    while same < len(there) and there[same : same + _BLOCK] == content[same : same + _BLOCK]:
        same += _BLOCK
    return min(same, len(there))


def hash_files(paths: Sequence[str], files: HostFiles, rates: Rates) -> Work:
    """Digest files as they lie on the disk."""
    digests: list[dict[str, Any]] = []
    for path in paths:
        failed = _unreadable(files, path)
        if failed is not None:
            return failed
        digests.append(_digest_entry(path, files.read(path)))
    total = sum(entry["size_bytes"] for entry in digests)
    return Work(
        process=_PROCESS,
        seconds=total / rates.hash,
        ending=Ending(exit_code=0, output=_lines("read", paths), result={"files": digests}),
        holds=tuple(paths),
    )


def export_configuration(request: Mapping[str, Any], files: HostFiles, rates: Rates) -> Work:
    """Export registry keys and copy configuration files; what is not there is named."""
    folder = request["folder"]
    writes: list[Write] = []
    missing: list[str] = []
    for number, key in enumerate(request["registry_keys"], start=1):
        if not key.upper().startswith(("HKLM\\", "HKEY_LOCAL_MACHINE\\")):
            missing.append(key)
            continue
        text = f"Windows Registry Editor Version 5.00\r\n\r\n[{key}]\r\n"
        content = b"\xff\xfe" + text.encode("utf-16-le")
        writes.append(Write(path=join(folder, f"registry-{number}.reg"), content=content))
    for path in request["paths"]:
        found = [path] if files.exists(path) else list(files.below(path))
        missing += [] if found else [path]
        writes += [_exported(folder, each, files.read(each)) for each in found]
    exported = [_digest_entry(write.path, write.content) for write in writes]
    return Work(
        process=_PROCESS,
        seconds=sum(len(write.content) for write in writes) / rates.copy,
        ending=Ending(exit_code=0, result={"files": exported, "missing": missing}),
        writes=tuple(writes),
    )


def run_command(command: Sequence[str], follow: str | None) -> Work:
    """A command of the site; one that is not known cannot be started."""
    known = KNOWN_COMMANDS.get(tuple(command))
    if known is None:
        return failure(f"could not be started: {command[0] if command else ''}")
    is_followed = follow is not None and follow == known.child
    if follow is not None and not is_followed and known.exit_code == 0:
        return failure(f"it ended, and no process {follow} was seen within 60 s")
    spoken, left_out = _bounded(known)
    result = {
        "error_output": base64.b64encode(b"").decode(),
        "left_out_bytes": left_out,
        "followed": int(is_followed),
    }
    seconds = known.seconds
    if is_followed and seconds is not None:
        seconds += known.child_seconds
    return Work(
        process=name_of(command[0]),
        seconds=seconds,
        spoken=((0.0, spoken),),
        ending=Ending(
            exit_code=known.child_exit_code if is_followed else known.exit_code, result=result
        ),
    )


def _bounded(known: KnownCommand) -> tuple[bytes, int]:
    """What the job runner keeps of its output, and how much it leaves out."""
    first = known.output.encode()
    left_out = len(first) + known.bytes_more - _HEAD_MAX - _TAIL_MAX
    if left_out <= 0:
        return first + b"." * known.bytes_more, 0
    head = first + b"." * (_HEAD_MAX - len(first))
    return head + f"\r\n[{left_out} bytes left out]\r\n".encode() + b"." * _TAIL_MAX, left_out


def _exported(folder: str, path: str, content: bytes) -> Write:
    place = path.replace(":", "").lstrip("\\")
    return Write(path=join(folder, "files", place), content=content)


def _digest_entry(path: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"path": path, "size_bytes": len(content), "sha256": digest}


def _unreadable(files: HostFiles, path: str) -> Work | None:
    if not files.exists(path):
        return _failed(FileProblem.NOT_FOUND, path)
    if files.is_closed_to_readers(path):
        return _failed(FileProblem.IN_USE, path)
    return None


def _failed(problem: FileProblem, path: str) -> Work:
    return failure(str(FileRefused(problem, path)))


def _lines(word: str, paths: Sequence[str]) -> bytes:
    return "".join(f"{word} {path}\r\n" for path in paths).encode()


def damaged(content: bytes, damage: Damage) -> bytes:
    """What lies on the disk after a copy that nobody noticed to be bad."""
    return _DAMAGE[damage](content)


def _torn(content: bytes) -> bytes:
    """The second half was never written: the file has its length, and zeros."""
    half = len(content) // 2
    return content[:half] + bytes(len(content) - half)


def _with_flipped_bits(content: bytes) -> bytes:
    """Two bits of a page in the middle: more than its checksum can put right."""
    damaged = bytearray(content)
    middle = len(damaged) // 2
    damaged[middle + 1000] ^= 0x10
    damaged[middle + 1001] ^= 0x01
    return bytes(damaged)


_DAMAGE: Mapping[Damage, Callable[[bytes], bytes]] = {
    Damage.FLIPPED_BIT: _with_flipped_bits,
    Damage.TORN: _torn,
}
