"""Long fuzzing of everything that reads a file of a backup: headers, logs, checkpoints, flush maps,
trailers, pages, manifests, verdicts, and whole folders.

Run it as `python -m tests.reliability.fuzz_ese [--seconds 60]`. Guided by coverage with atheris
where that is installed, else by chance from a seed; it says which. Every input must end with a
clear answer: any exception but InvalidDocument, more reading than the file has bytes, or more than
10 s or 2 GiB for a file of at most 256 KiB fails, and the command that repeats it is printed.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from goexchange.app.verifying import Verification, junit
from goexchange.backup.check import judge
from goexchange.backup.manifest import parse_manifest
from goexchange.backup.sealed import sealed_bytes
from goexchange.backup.verdict import parse_verdict
from goexchange.errors import InvalidDocument
from goexchange.ese.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from goexchange.ese.flush_map import FlushMapHeader, read_flush_map, write_flush_map
from goexchange.ese.header import DatabaseHeader, read_database_header, write_database_header
from goexchange.ese.log_rendering import checkpoint_dump, log_dump
from goexchange.ese.logs import (
    LogHeader,
    build_log,
    build_record_log,
    check_log_body,
    parse_log_name,
    read_log_header,
)
from goexchange.ese.page_run import PageLayout, PageSum
from goexchange.ese.pages import seal_pages
from goexchange.ese.rendering import header_dump
from goexchange.ese.space import free_pages, owned_pages
from goexchange.ese.structures import seal_header
from goexchange.ese.trailer import Trailer, read_trailer, write_trailer
from goexchange.ese.writer import build_database
from goexchange.store.scanning import scan_path

INPUT_BYTES_MAX = 4096
INPUT_SECONDS_MAX = 10
MEMORY_MIB_MAX = 2048
PAGE = 4096

HEADER = DatabaseHeader(page_size=PAGE)
DATABASE = b"".join(build_database(HEADER, pages=24, free_pages=6))
SEGMENTED = build_log(LogHeader(generation=3, file_sectors=8), live_segments=5).content
RECORDS = build_record_log(
    LogHeader(
        generation=3, major=7, minor=3704, sector_bytes=512, header_sectors=8, file_sectors=32
    ),
    (2, 1, 5, 1),
).content
CHECKPOINT = write_checkpoint(Checkpoint())
MAP = write_flush_map(FlushMapHeader(), [1, 2, 3] * 100)
TRAILER = write_trailer(Trailer(), PAGE)
MANIFEST = sealed_bytes("BackupSet", {"set_id": "x", "files": [], "restores": None})


class TooMuchReading(AssertionError):
    """More was read than there is."""


class Counting:
    """Bytes of a file, which counts what it hands out."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._given = 0
        self._calls = 0

    def __call__(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0:
            raise TooMuchReading(f"{length} bytes at {offset}")
        part = self._content[offset : offset + length]
        self._given, self._calls = self._given + len(part), self._calls + 1
        if self._given > 8 * len(self._content) + 65536:
            raise TooMuchReading(f"{self._given} bytes of {len(self._content)}")
        if self._calls > 200 + len(self._content) // 32:
            raise TooMuchReading(f"{self._calls} reads of {len(self._content)} bytes")
        return part


def edited(content: bytes, data: bytes, upto: int | None = None) -> bytearray:
    """The content with pieces of the input written into it: place, length, bytes, again."""
    changed, at = bytearray(content), 0
    limit = upto or len(changed)
    while at + 3 <= len(data):
        place = int.from_bytes(data[at : at + 2], "little") % limit
        length = 1 + data[at + 2] % 16
        piece = data[at + 3 : at + 3 + length]
        changed[place : place + len(piece)] = piece[: len(changed) - place]
        at += 3 + length
    return changed


def fuzz_raw(data: bytes) -> None:
    """Any bytes as any kind of file."""
    reading = read_database_header(data)
    if reading.header is not None:
        header_dump(reading, "any")
    log_of(data)
    checkpoint_of(data)
    read_flush_map(Counting(data), 10**9)
    read_trailer(data, HEADER)
    for size in (2048, PAGE, 32768):
        owned_pages(Counting(data), size)
        free_pages(Counting(data), size)
    parse_log_name(data.decode("latin-1"))


def fuzz_header(data: bytes) -> None:
    """A right checksum over wrong values of a database header."""
    slot = edited(write_database_header(HEADER), data, 760)
    slot[236:240] = PAGE.to_bytes(4, "little")
    reading = read_database_header(seal_header(slot) * 2)
    assert reading.header is not None and header_dump(reading, "any")
    read_trailer(TRAILER, reading.header)


def fuzz_log_header(data: bytes) -> None:
    """A right checksum over wrong values of a log header, before a good body."""
    for log in (SEGMENTED, RECORDS):
        log_of(seal_header(edited(log[:PAGE], data, 3000)) + log[PAGE:])


def fuzz_log_body(data: bytes) -> None:
    """Segments and records of anything, cut anywhere."""
    for log in (SEGMENTED, RECORDS):
        body = bytes(edited(log[PAGE:], data[2:]))
        log_of(log[:PAGE] + body[: int.from_bytes(data[:2], "little") or len(body)])


def fuzz_checkpoint(data: bytes) -> None:
    """A right checksum over wrong values of a checkpoint."""
    checkpoint_of(seal_header(edited(CHECKPOINT[:PAGE], data, 3000)) * 2)


def fuzz_flush_map(data: bytes) -> None:
    """A right header checksum over wrong values of a map, and pages of anything."""
    middle = len(data) // 2
    header = seal_header(edited(MAP[:8192], data[:middle], 700))
    content = header + bytes(edited(MAP[8192:], data[middle:]))
    read_flush_map(Counting(content), 1 << (data[0] % 40 if data else 8))


def fuzz_trailer(data: bytes) -> None:
    """A right checksum over wrong values of a trailer."""
    read_trailer(seal_header(edited(TRAILER, data, 200)), HEADER)


def fuzz_pages(data: bytes) -> None:
    """Right checksums over wrong pages: trees that lead anywhere."""
    content = bytearray(DATABASE)
    content[2 * PAGE :] = edited(DATABASE[2 * PAGE :], data)
    body = content[2 * PAGE :]
    seal_pages(body, 1, PAGE)
    content[2 * PAGE :] = body
    owned = owned_pages(Counting(bytes(content)), PAGE)
    free_pages(Counting(bytes(content)), PAGE)
    layout = PageLayout(page_size=PAGE, pages=24, owned=owned)
    total = PageSum(layout)
    total.add(layout.examine(layout.sift(memoryview(content), 0)))
    assert total.inside.pages + total.beyond.pages == 24


def fuzz_manifest(data: bytes) -> None:
    """Manifests and verdicts of any bytes, and with a right digest over wrong members."""
    documents = [data, bytes(edited(MANIFEST, data))]
    text = data.decode("utf-8", "replace")
    for kind in ("BackupSet", "SetVerdict"):
        documents.append(sealed_bytes(kind, {"set_id": text, "files": [{"path": text}]}))
    for each in documents:
        for parse in (parse_manifest, parse_verdict):
            try:
                parse(each)
            except InvalidDocument as error:
                assert str(error)


def fuzz_folder(data: bytes) -> None:
    """A whole folder, scanned and judged, in words and as JUnit."""
    parts = [data[index::4] for index in range(4)]
    database = bytearray(DATABASE)
    database[:PAGE] = edited(DATABASE[:PAGE], parts[0], 760)
    database[236:240] = PAGE.to_bytes(4, "little")
    database[:PAGE] = seal_header(database[:PAGE])
    files = {
        "DB01.edb": bytes(database),
        "E00.log": seal_header(edited(SEGMENTED[:PAGE], parts[1], 3000)) + SEGMENTED[PAGE:],
        "E00.chk": seal_header(edited(CHECKPOINT[:PAGE], parts[2], 3000)) * 2,
        "DB01.jfm": seal_header(edited(MAP[:8192], parts[3], 700)) + MAP[8192:],
    }
    with tempfile.TemporaryDirectory(prefix="gx-fuzz-") as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        found = Verification(judgement=judge(scan_path(folder, workers=1)))
    assert found.text and isinstance(found.plain, dict) and junit([found])


def log_of(content: bytes) -> None:
    header = read_log_header(content[:PAGE]).header
    if header is not None:
        assert log_dump("any", header, check_log_body(Counting(content), header))


def checkpoint_of(content: bytes) -> None:
    reading = read_checkpoint(content)
    if reading.checkpoint is not None:
        assert checkpoint_dump("any", reading.checkpoint)


TARGETS: dict[str, Callable[[bytes], None]] = {
    name.removeprefix("fuzz_"): made
    for name, made in globals().items()
    if name.startswith("fuzz_") and callable(made)
}


@frozen(kw_only=True)
class Count:
    """How one target went. Shape: `edges` is what coverage reached, None without atheris."""

    target: str
    inputs: int
    seconds: float
    edges: int | None = None
    failure: str | None = None


def inputs(seed: int) -> Iterator[bytes]:
    """Endless inputs by chance; interesting numbers come often."""
    chance = random.Random(seed)
    numbers = (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\0\0\0\x80")
    while True:
        made = bytearray(chance.randbytes(chance.randrange(INPUT_BYTES_MAX // 16)))
        for _ in range(chance.randrange(6)):
            place = chance.randrange(len(made) + 1)
            made[place : place + 4] = chance.choice(numbers)
        yield bytes(made)


def by_chance(target: str, seconds: float, seed: int) -> Count:
    """Inputs from a seed until the time is up."""
    start, done = time.monotonic(), 0
    for data in inputs(seed):
        begun = time.monotonic()
        try:
            TARGETS[target](data)
        except Exception as error:  # noqa: BLE001 - any exception is what is looked for
            again = f"python -m tests.reliability.fuzz_ese --target {target} --input {data.hex()}"
            return Count(
                target=target,
                inputs=done,
                seconds=time.monotonic() - start,
                failure=f"{type(error).__name__}: {error}\n    {again}",
            )
        done += 1
        took = time.monotonic() - begun
        if took > INPUT_SECONDS_MAX:
            return Count(
                target=target, inputs=done, seconds=took, failure=f"{took:.1f} s for {data.hex()}"
            )
        if time.monotonic() - start >= seconds:
            break
    return Count(target=target, inputs=done, seconds=time.monotonic() - start)


def by_coverage(target: str, seconds: float, seed: int) -> Count:
    """atheris in a process of its own, which it ends itself."""
    own = [sys.executable, "-m", "tests.reliability.fuzz_ese", "--target", target, "--guided"]
    limits = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-seed={seed or 1}",
        "-print_final_stats=1",
    ]
    with tempfile.TemporaryDirectory(prefix="gx-fuzz-crash-") as crashes:
        begun = time.monotonic()
        done = subprocess.run(
            [*own, "--", *limits, f"-artifact_prefix={crashes}/"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        seconds_taken = time.monotonic() - begun
        left = [path.read_bytes().hex() for path in sorted(Path(crashes).iterdir())]
    words = done.stdout + done.stderr
    count = re.findall(r"number_of_executed_units:\s*(\d+)|Done (\d+) runs", words)
    edges = re.findall(r"cov: (\d+)", words)
    failure = None
    if done.returncode or left:
        tail = "\n    ".join(words.splitlines()[-25:])
        again = f"python -m tests.reliability.fuzz_ese --target {target} --input {''.join(left)}"
        failure = f"ended with {done.returncode}\n    {tail}\n    {again}"
    return Count(
        target=target,
        inputs=max((int(one or other) for one, other in count), default=0),
        seconds=seconds_taken,
        edges=int(edges[-1]) if edges else None,
        failure=failure,
    )


def guided(target: str, words: list[str]) -> None:
    """Become the fuzzer of one target; never returns."""
    import atheris

    for name in list(sys.modules):  # what reads files, and nothing below it
        if name.startswith(("goexchange.ese.", "goexchange.backup.")) and "compiled" not in name:
            module = sys.modules[name]
            for value in list(vars(module).values()):
                is_own = getattr(value, "__module__", None) == name
                if is_own and callable(value) and not isinstance(value, type):
                    atheris.instrument_func(value)
    atheris.Setup([sys.argv[0], *words], atheris.instrument_func(TARGETS[target]))
    atheris.Fuzz()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=sorted(TARGETS))
    parser.add_argument("--input", help="one input in hexadecimal digits, to repeat a failure")
    parser.add_argument("--chance", action="store_true", help="not guided, though atheris is there")
    parser.add_argument("--guided", action="store_true", help=argparse.SUPPRESS)
    own, _, passed_on = " ".join(sys.argv[1:]).partition(" -- ")
    given = parser.parse_args(own.split())
    if given.input is not None:
        TARGETS[given.target](bytes.fromhex(given.input))
        return 0
    if given.guided:
        guided(given.target, passed_on.split())
    resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY_MIB_MAX << 20,) * 2)
    has_atheris = importlib.util.find_spec("atheris") is not None
    how = by_coverage if has_atheris and not given.chance else by_chance
    why = "as was asked for" if has_atheris else "atheris is not installed"
    say("guided by coverage" if how is by_coverage else f"by chance: {why}")
    targets = [given.target] if given.target else sorted(TARGETS)
    failed = 0
    for target in targets:
        count = how(target, given.seconds / len(targets), given.seed)
        edges = "" if count.edges is None else f"  {count.edges:>5} edges"
        say(f"{target:<12} {count.inputs:>9,} inputs in {count.seconds:6.1f} s{edges}")
        if count.failure is not None:
            failed += 1
            say(f"  FAILED {count.failure}")
    say(f"{len(targets)} targets, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
