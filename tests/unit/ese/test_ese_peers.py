"""Other readers of the format: they open what our writer makes, and agree on the real samples.

Neither states everything: `esedbinfo` (libesedb-utils of Debian) prints format and page size,
`dissect.esedb` decodes the header; neither judges checksums of all pages.
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goexchange.ese.header import DatabaseHeader, read_database_header, rebuild
from goexchange.ese.structures import LogTime

Built = Callable[..., bytes]

LIMIT_S = 20
# Sound databases that esedbinfo of 2018 refuses: it sums 668 bytes of a header only, and the time
# at 672 is set in dirty databases of newer engines.
REFUSED = {"go-ese-qmgr.db"}
STATED = re.compile(r"(File type|Created in format|Current format|Page size):\s+(.+)")


@pytest.fixture(scope="module")
def esedbinfo() -> Callable[[Path], subprocess.CompletedProcess[str]]:
    program = shutil.which("esedbinfo")
    if program is None:
        pytest.skip("esedbinfo is not installed (Debian: libesedb-utils)")

    def run(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, str(path)], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )

    return run


@pytest.fixture(scope="module")
def dissect() -> Any:
    # Not one of our dependencies: the comparison runs where it is installed.
    return pytest.importorskip("dissect.esedb", reason="dissect.esedb is not installed")


@pytest.mark.parametrize("size", [4096, 8192, 16384, 32768])
def test_esedbinfo_opens_what_we_write(
    header: DatabaseHeader,
    built: Built,
    tmp_path: Path,
    esedbinfo: Callable[[Path], subprocess.CompletedProcess[str]],
    size: int,
):
    path = tmp_path / "own.edb"
    path.write_bytes(built(rebuild(header, page_size=size), 64, 8))
    done = esedbinfo(path)
    assert done.returncode == 0, done.stderr
    stated = dict(STATED.findall(done.stdout))
    assert stated == {
        "File type": "Database",
        "Created in format": "0x620,20",
        "Current format": "0x620,20",
        "Page size": f"{size} bytes",
    }
    assert re.search(r"Number of tables:\s+0", done.stdout)


@pytest.mark.parametrize("size", [4096, 8192, 16384, 32768])
def test_dissect_opens_what_we_write(
    header: DatabaseHeader, built: Built, tmp_path: Path, dissect: Any, size: int
):
    path = tmp_path / "own.edb"
    path.write_bytes(built(rebuild(header, page_size=size), 64, 8))
    with path.open("rb") as file:
        database = dissect.EseDB(file)
        agree(database.header, rebuild(header, page_size=size), "own")
        assert list(database.tables()) == []


def agree(theirs: Any, ours: DatabaseHeader, name: str) -> None:
    pairs = {
        "dbtime": (theirs.dbtimeDirtied, ours.dbtime),
        "signature": (theirs.signDb.ulRandom, ours.signature.random),
        "signature made": (theirs.signDb.logtimeCreate.dumps(), ours.signature.created.raw),
        "state": (int(theirs.dbstate), int(ours.state)),
        "consistent": (position(theirs.lgposConsistent), str(ours.last_consistent)),
        "attach": (position(theirs.lgposAttach), str(ours.last_attach)),
        "detach": (position(theirs.lgposDetach), str(ours.last_detach)),
        "log signature": (theirs.signLog.ulRandom, ours.log_signature.random),
        "revision": (theirs.ulDaeUpdateMajor, ours.format_update_major),
        "repairs": (theirs.ulRepairCount, ours.repair_count),
        "required": (
            (theirs.lGenMinRequired, theirs.lGenMaxRequired),
            (ours.log_required_low, ours.log_required_high),
        ),
        "committed": (theirs.lGenMaxCommitted, ours.log_committed),
        "committed time": (theirs.logtimeGenMaxCreate.dumps(), ours.log_committed_time.raw),
        "required time": (theirs.logtimeGenMaxRequired.dumps(), ours.log_required_time.raw),
        "engine": (theirs.efvMaxBinAttachDiagnostic, ours.engine_format_version),
        "flush": (theirs.signDbHdrFlush.ulRandom, ours.header_flush_signature.random),
    }
    for what, (their, our) in pairs.items():
        assert their == our, (name, what)
    assert theirs.cbPageSize in (0, ours.page_size), name
    assert LogTime(theirs.logtimeConsistent.dumps()) == ours.last_consistent_time, name


def position(lgpos: Any) -> str:
    return f"(0x{lgpos.lGeneration:X},{lgpos.isec:X},{lgpos.ib:X})"


def databases(samples: Path, folder: Path) -> list[Path]:
    """The samples that are databases, unpacked where they are compressed."""
    found = []
    for path in sorted(samples.rglob("*")):
        if path.suffix == ".gz":
            plain = folder / path.stem
            plain.write_bytes(gzip.decompress(path.read_bytes()))
            found.append(plain)
        elif path.suffix in (".dat", ".edb", ".mdb", ".dit", ".db"):
            found.append(path)
    return found


def test_dissect_and_we_read_the_same_headers(samples: Path, tmp_path: Path, dissect: Any):
    from dissect.esedb.c_esedb import c_esedb

    compared = 0
    for path in databases(samples, tmp_path):
        with path.open("rb") as file:
            start = file.read(65536)
        ours = read_database_header(start)
        assert ours.header is not None, path
        theirs = c_esedb.DBFILEHDR(start)
        assert theirs.ulChecksum == ours.checksum_stored
        agree(theirs, ours.header, path.name)
        compared += 1
    assert compared >= 20


def test_esedbinfo_and_we_state_the_same(
    samples: Path,
    tmp_path: Path,
    esedbinfo: Callable[[Path], subprocess.CompletedProcess[str]],
):
    compared = 0
    for path in databases(samples, tmp_path):
        if path.stat().st_size > 2_000_000:  # it reads a catalogue of 25 MB for half a minute
            continue
        reading = read_database_header(path.read_bytes()[:65536])
        assert reading.header is not None
        done = esedbinfo(path)
        if path.name in REFUSED:
            assert "mismatch in file header checksum" in done.stderr, path
            assert reading.are_copies_good_and_alike, path
            continue
        stated = dict(STATED.findall(done.stdout))
        if not stated:
            continue
        header = reading.header
        assert stated["Page size"] == f"{header.page_size} bytes", path
        current = f"0x{header.format_version:x},{header.format_update_major}"
        assert stated["Current format"].partition(" ")[0] == current, path
        compared += 1
    assert compared >= 8
