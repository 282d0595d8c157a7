"""How fast files are verified: ratios to `cat` and to hashlib on the same files in the same run.

Run it as `python -m tests.bench.ese [--gib 4] [--out docs/benchmarks-ese.md]`. It writes files of
that size below the folder for temporary files, one at a time, and removes them. Other readers of
the format, esedbinfo and dissect.esedb, are timed on the same files where they are installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from mmap import mmap
from pathlib import Path

import numpy as np
from attrs import frozen

from goexchange.ese.header import DatabaseHeader
from goexchange.ese.pages import seal_pages
from goexchange.ese.structures import LogTime, Signature
from goexchange.ese.writer import SYSTEM_PAGES, build_database

PAGE_SIZES = (4096, 8192, 32768)
CHUNK_BYTES = 4 * 1024 * 1024
MADE = LogTime.at(datetime(2024, 3, 2, tzinfo=UTC))


@frozen(kw_only=True)
class Cost:
    """What one way of reading took: seconds on the clock, and seconds of all cores together."""

    seconds: float
    cpu_seconds: float
    peak_mib: float = 0.0


@frozen(kw_only=True)
class Measured:
    """One page size: the best of a few rounds for each way of reading."""

    page_size: int
    size: int
    warm: dict[str, Cost]
    cold: dict[str, Cost]
    peers: dict[str, float | None]  # seconds; None: not installed, or not done within the limit

    def rate(self, way: str) -> float:
        """GB per second on the clock."""
        return self.size / self.warm[way].seconds / 1e9

    def cpu_rate(self, way: str) -> float:
        """GB per second of processor time: what another load on the machine moves least."""
        return self.size / self.warm[way].cpu_seconds / 1e9

    def cold_rate(self, way: str) -> float:
        """GB per second with nothing in the page cache."""
        return self.size / self.cold[way].seconds / 1e9


def write_database(path: Path, page_size: int, size: int) -> None:
    """A database of that size, every page good: the first pages of our writer, over and over."""
    header = DatabaseHeader(
        page_size=page_size, dbtime=10**6, signature=Signature(random=1, created=MADE)
    )
    pages = size // page_size - 2
    chunks = build_database(header, pages=pages, seed=b"bench")
    with path.open("wb") as file:
        file.write(next(chunks))
        first = bytearray(next(chunks))
        file.write(first)
        body = np.frombuffer(first, dtype=np.uint8).reshape(-1, page_size).copy()
        body[:SYSTEM_PAGES] = body[SYSTEM_PAGES]
        done = len(body)
        while done < pages:
            chunk = bytearray(body[: min(len(body), pages - done)].tobytes())
            seal_pages(chunk, done + 1, page_size)
            file.write(chunk)
            done += len(chunk) // page_size
        file.flush()
        os.fsync(file.fileno())


def forget(path: Path) -> None:
    """Take the file out of the page cache."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cat(path: Path) -> Cost:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with open(os.devnull, "wb") as nothing:
        subprocess.run(["cat", str(path)], stdout=nothing, check=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds=seconds, cpu_seconds=cpu)


def hash_alone(path: Path) -> Cost:
    start, cpu = time.perf_counter(), time.process_time()
    hasher, buffer = hashlib.sha256(), mmap(-1, CHUNK_BYTES)  # aligned, as ours are
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hasher.update(memoryview(buffer)[:count])
    return Cost(seconds=time.perf_counter() - start, cpu_seconds=time.process_time() - cpu)


SCAN = """
import json, resource, sys, time
from goexchange.store import database_files
from goexchange.store.scanning import scan_file
import goexchange.ese.checksums
if sys.argv[2] == "numpy":
    database_files.COMPILED_FROM_BYTES = 1 << 62
else:
    import goexchange.ese.compiled
    database_files.COMPILED_FROM_BYTES = 0
start, cpu = time.perf_counter(), time.process_time()
scan = scan_file(sys.argv[1], digest=sys.argv[2] == "set")
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
assert scan.database is not None and scan.database.pages.faulty == 0, scan
assert scan.database.missing_pages == 0 and scan.database.beyond.pages == 0
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak / 1024}))
"""


def scanned(path: Path, what: str) -> Cost:
    """Our own verification in a process of its own; its start is not counted."""
    words = [sys.executable, "-c", SCAN, str(path), what]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return Cost(**json.loads(done.stdout))


WAYS: dict[str, Callable[[Path], Cost]] = {
    "cat": cat,
    "hashlib": hash_alone,
    "pages": lambda path: scanned(path, "pages"),
    "pages, numpy": lambda path: scanned(path, "numpy"),
    "set": lambda path: scanned(path, "set"),
}


DISSECT = (
    "import sys; from dissect.esedb import EseDB;"
    " list(EseDB(open(sys.argv[1], 'rb')).tables())"
)
PEERS = {
    "esedbinfo": lambda path: ["esedbinfo", str(path)],
    "dissect.esedb": lambda path: [sys.executable, "-c", DISSECT, str(path)],
    "goexchange": lambda path: [sys.executable, "-m", "goexchange", "verify", str(path)],
}
PEER_LIMIT_S = 120


def peer(words: list[str]) -> float | None:
    """Seconds of a whole command, its start among them."""
    if shutil.which(words[0]) is None:
        return None
    start = time.perf_counter()
    try:
        subprocess.run(words, check=True, capture_output=True, timeout=PEER_LIMIT_S)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return time.perf_counter() - start


def measure(path: Path, page_size: int, rounds: int) -> Measured:
    cat(path)  # warms the cache
    warm: dict[str, Cost] = {}
    for _ in range(rounds):
        # One after the other in each round, so that another load hits all ways alike.
        for way, work in WAYS.items():
            cost = work(path)
            warm[way] = best(warm[way], cost) if way in warm else cost
    peers = {name: peer(words(path)) for name, words in PEERS.items()}
    cold = {}
    for way in ("cat", "set"):
        forget(path)
        cold[way] = WAYS[way](path)
    size = path.stat().st_size
    return Measured(page_size=page_size, size=size, warm=warm, cold=cold, peers=peers)


def best(one: Cost, other: Cost) -> Cost:
    return Cost(
        seconds=min(one.seconds, other.seconds),
        cpu_seconds=min(one.cpu_seconds, other.cpu_seconds),
        peak_mib=max(one.peak_mib, other.peak_mib),
    )


def every(size: int, rounds: int) -> Iterator[Measured]:
    for page_size in PAGE_SIZES:
        with tempfile.TemporaryDirectory(prefix="goexchange-bench-") as folder:
            path = Path(folder) / "bench.edb"
            write_database(path, page_size, size)
            yield measure(path, page_size, rounds)


HEAD = """# How fast `goexchange verify` reads

Measured with `python -m tests.bench.ese` on {machine}, Python {python}, numpy {numpy}, numba
{numba}, files of {gib:g} GiB, {when}. Best of {rounds} rounds, one way after the other in each;
rates in GB/s (10^9 bytes), ratios from the same run.
{load}
*Pages* is every page checksum, links and lengths, and no digest, with the extra `fast` (loading
it, half a second and more, is not counted); *pages, numpy* the same without it; *set* is pages and
SHA-256 in one pass, as for a file of a backup set; *hashlib* is Python's SHA-256 alone, in one
thread.

"""

LOADED = """
**Other work ran beside it**: the load average was {before:.1f} before and {after:.1f} after, of
which this bench makes about 2. Two threads then do not get two cores, while `cat`, one thread, gets
one: the first table measures that load, too. The second, per second of processor time, moves least.
"""
QUIET = """
Nothing else ran beside it: the load average was {before:.1f} before and {after:.1f} after.
"""

TAIL = """
With `fast` a page costs one look, in a compiled loop that reads faster than memory delivers, and
the copy out of the page cache, which `cat` does in a buffer that never leaves the nearest cache;
with numpy alone it costs two looks, an XOR and a count of bits. Mapping files instead of reading
them would save the copy, and end the process where a disk cannot read: it is not done.

A set waits for SHA-256, which one thread takes in order; pages are examined beside it.
"""


def goals(measured: list[Measured]) -> str:
    """Each goal with what was measured, and whether every page size meets it."""
    peaks = [max(cost.peak_mib for cost in each.warm.values()) for each in measured]
    lines = [
        goal("pages / hashlib", [m.rate("pages") / m.rate("hashlib") for m in measured], 3.0),
        goal("pages / cat", [m.rate("pages") / m.rate("cat") for m in measured], 0.6),
        goal("set / hashlib", [m.rate("set") / m.rate("hashlib") for m in measured], 0.9),
        goal("set / cat, cold", [m.cold_rate("set") / m.cold_rate("cat") for m in measured], 0.9),
        f"- peak memory below 300 MiB: {max(peaks):.0f}, {'met' if max(peaks) < 300 else 'missed'}",
    ]
    return "\nGoals:\n\n" + "\n".join(lines) + "\n"


def goal(name: str, found: list[float], least: float) -> str:
    verdict = "met" if min(found) >= least else "missed"
    return f"- {name} at least {least:g}: {min(found):.2f} to {max(found):.2f}, {verdict}"


def rows(headings: tuple[str, ...], cells: list[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *cells]
    return "".join("| " + " | ".join(each) + " |\n" for each in lines)


def expected(measured: list[Measured]) -> str:
    """What the processor time says of two cores that are free."""
    pages = [2 * m.cpu_rate("pages") for m in measured]
    to_hash = [rate / m.cpu_rate("hashlib") for rate, m in zip(pages, measured, strict=True)]
    to_cat = [rate / m.cpu_rate("cat") for rate, m in zip(pages, measured, strict=True)]
    return (
        f"\nBy processor time two free cores would give {min(to_hash):.1f} to {max(to_hash):.1f} x"
        f" hashlib\nand {min(to_cat):.2f} to {max(to_cat):.2f} x `cat`:"
        " a bound, not a measurement.\n"
    )


def beside(measured: list[Measured]) -> str:
    """Other readers, as whole commands on the same files."""
    cells = [
        (
            f"{each.page_size // 1024} KiB",
            *("-" if (took := each.peers[name]) is None else f"{took:.2f} s" for name in PEERS),
        )
        for each in measured
    ]
    return (
        "\nBeside other readers, whole commands with their start, warm:\n\n"
        + rows(("page", *PEERS), cells)
        + "\n`esedbinfo` reads headers and the catalogue, `dissect.esedb` here lists the tables:"
        " both read a small\npart of the file and notice no damaged page (see verify.md)."
        " `goexchange verify` reads all of it and takes its digest.\n"
    )


def report(measured: list[Measured], gib: float, rounds: int, before: float) -> str:
    clock, cpu, cold = [], [], []
    for each in measured:
        name = f"{each.page_size // 1024} KiB"
        ratios = (("pages", "hashlib"), ("pages", "cat"), ("set", "hashlib"))
        clock.append(
            (
                name,
                *(f"{each.rate(way):.2f}" for way in WAYS),
                *(f"{each.rate(one) / each.rate(other):.2f}" for one, other in ratios),
            )
        )
        cpu.append(
            (
                name,
                *(f"{each.cpu_rate(way):.2f}" for way in WAYS),
                f"{each.cpu_rate('pages') / each.cpu_rate('hashlib'):.2f}",
            )
        )
        peak = max(cost.peak_mib for cost in each.warm.values())
        cold.append(
            (name, *(f"{each.cold_rate(way):.2f}" for way in ("cat", "set")), f"{peak:.0f}")
        )
    head = HEAD.format(
        machine=f"{os.cpu_count()} cores ({platform.machine()})",
        python=platform.python_version(),
        numpy=np.__version__,
        gib=gib,
        when=f"{datetime.now(UTC):%Y-%m-%d}",
        numba=numba_version(),
        load=(LOADED if before > 0.5 else QUIET).format(before=before, after=os.getloadavg()[1]),
        rounds=rounds,
    )
    names = ("page", *WAYS)
    return (
        f"{head}Warm, on the clock:\n\n"
        f"{rows((*names, 'pages / hashlib', 'pages / cat', 'set / hashlib'), clock)}"
        f"\nWarm, per second of processor time of all threads:\n\n"
        f"{rows((*names, 'pages / hashlib'), cpu)}"
        f"\nCold (taken out of the page cache before), and memory:\n\n"
        f"{rows(('page', 'cat', 'set', 'peak MiB'), cold)}{beside(measured)}"
        f"{goals(measured)}{expected(measured)}{TAIL}"
    )


def numba_version() -> str:
    try:
        import numba
    except ImportError:
        return "not installed"
    return str(numba.__version__)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks-ese.md"))
    given = parser.parse_args()
    size = int(given.gib * 1024**3)
    before = os.getloadavg()[1]
    text = report(list(every(size, given.rounds)), given.gib, given.rounds, before)
    given.out.write_text(text, "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
