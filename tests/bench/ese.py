"""How fast files are verified: ratios to `cat` and to hashlib on the same files in the same run.

Run it as `python -m tests.bench.ese [--gib 1] [--out docs/benchmarks-ese.md]`. It writes files of
that size below the folder for temporary files, one at a time, and removes them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from attrs import frozen

from goexchange.ese.header import DatabaseHeader
from goexchange.ese.pages import seal_pages
from goexchange.ese.structures import LogTime, Signature
from goexchange.ese.writer import SYSTEM_PAGES, build_database

PAGE_SIZES = (4096, 8192, 32768)
ROUNDS = 3
CHUNK_BYTES = 4 * 1024 * 1024
MADE = LogTime.at(datetime(2024, 3, 2, tzinfo=UTC))


@frozen(kw_only=True)
class Measured:
    """One page size: bytes per second of each way of reading, the best of a few rounds."""

    page_size: int
    cat: float
    hashlib: float
    pages: float
    whole: float
    cold_cat: float
    cold_whole: float
    peak_mib: float


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


def cat(path: Path) -> None:
    with open(os.devnull, "wb") as nothing:
        subprocess.run(["cat", str(path)], stdout=nothing, check=True)


def hash_alone(path: Path) -> None:
    hasher, buffer = hashlib.sha256(), bytearray(CHUNK_BYTES)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hasher.update(memoryview(buffer)[:count])


SCAN = """
import json, resource, sys, time
from goexchange.store.scanning import scan_file
import goexchange.ese.checksums
start = time.perf_counter()
scan = scan_file(sys.argv[1], digest=sys.argv[2] == "whole")
seconds = time.perf_counter() - start
assert scan.database is not None and scan.database.pages.faulty == 0, scan
assert scan.database.missing_pages == 0 and scan.database.beyond.pages == 0
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "peak_mib": peak / 1024}))
"""


def scan(path: Path, what: str) -> dict[str, float]:
    """Our own verification in a process of its own; its start is not counted."""
    words = [sys.executable, "-c", SCAN, str(path), what]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def timed(work: Callable[[Path], None], path: Path) -> float:
    start = time.perf_counter()
    work(path)
    return time.perf_counter() - start


def measure(path: Path, page_size: int) -> Measured:
    size = path.stat().st_size
    cat(path)  # warms the cache
    rounds = [
        (
            timed(cat, path),
            timed(hash_alone, path),
            scan(path, "pages"),
            scan(path, "whole"),
        )
        for _ in range(ROUNDS)
    ]
    forget(path)
    cold_cat = timed(cat, path)
    forget(path)
    cold_whole = scan(path, "whole")["seconds"]
    return Measured(
        page_size=page_size,
        cat=size / min(each[0] for each in rounds),
        hashlib=size / min(each[1] for each in rounds),
        pages=size / min(each[2]["seconds"] for each in rounds),
        whole=size / min(each[3]["seconds"] for each in rounds),
        cold_cat=size / cold_cat,
        cold_whole=size / cold_whole,
        peak_mib=max(max(each[2]["peak_mib"], each[3]["peak_mib"]) for each in rounds),
    )


def every(size: int) -> Iterator[Measured]:
    for page_size in PAGE_SIZES:
        with tempfile.TemporaryDirectory(prefix="goexchange-bench-") as folder:
            path = Path(folder) / "bench.edb"
            write_database(path, page_size, size)
            yield measure(path, page_size)


HEAD = """# How fast `goexchange verify` reads

Measured with `python -m tests.bench.ese` on {machine}, Python {python}, numpy {numpy}, files of
{gib:g} GiB, {when}. Best of {rounds} rounds, rates in GB/s (10^9 bytes); the ratios are those of the
same run. *Pages* is every page checksum and no digest; *set* is page checksums and SHA-256 in one
pass, as for a file of a backup set; *hashlib* is Python's SHA-256 alone, in one thread. Cold means
that the file was taken out of the page cache before.

| page | cat | hashlib | pages | set | pages / hashlib | pages / cat | set / hashlib | cat cold | set cold | peak MiB |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""

TAIL = """
Goals: pages at least 3 x hashlib and 0.6 x `cat` warm on two cores, a set at least 0.9 x hashlib,
cold at the speed of the disk, peak memory below 300 MiB (the whole process, numpy included).

Other machines were busy beside this one or not, so the rates move from run to run; the ratios move
less. Peers are not in the table: `esedbinfo` and `dissect.esedb` read headers and tables, and
notice no damaged page (see verify.md).
"""


def report(measured: list[Measured], gib: float) -> str:
    rows = []
    for each in measured:
        rates = (each.cat, each.hashlib, each.pages, each.whole)
        cold = (each.cold_cat, each.cold_whole)
        ratios = (
            each.pages / each.hashlib,
            each.pages / each.cat,
            each.whole / each.hashlib,
        )
        cells = [f"{each.page_size // 1024} KiB"]
        cells += [f"{rate / 1e9:.2f}" for rate in rates]
        cells += [f"{ratio:.2f}" for ratio in ratios]
        cells += [f"{rate / 1e9:.2f}" for rate in cold]
        rows.append(" | ".join(["", *cells, f"{each.peak_mib:.0f}", ""]).strip())
    head = HEAD.format(
        machine=f"{os.cpu_count()} cores ({platform.machine()})",
        python=platform.python_version(),
        numpy=np.__version__,
        gib=gib,
        when=f"{datetime.now(UTC):%Y-%m-%d}",
        rounds=ROUNDS,
    )
    return head + "\n".join(rows) + "\n" + TAIL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks-ese.md"))
    given = parser.parse_args()
    text = report(list(every(int(given.gib * 1024**3))), given.gib)
    given.out.write_text(text, "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
