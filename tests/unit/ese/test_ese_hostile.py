"""Headers with right checksums over wrong values: read, shown and judged, never a traceback."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from goexchange.backup.check import judge, plain_judgement
from goexchange.ese.checkpoint import Checkpoint, write_checkpoint
from goexchange.ese.header import DatabaseHeader
from goexchange.ese.log_rendering import checkpoint_dump, log_dump
from goexchange.ese.logs import Attachment, LogHeader, build_log
from goexchange.ese.pages import seal_page
from goexchange.ese.rendering import header_dump
from goexchange.ese.scan import FileScan
from goexchange.ese.structures import seal_header
from goexchange.store.scanning import scan_path

ATTACHED = (Attachment(path="D:\\DB01\\DB01.edb"),)


def mangled(content: bytes, chance: random.Random, upto: int) -> bytearray:
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 12)):
        width = chance.choice((1, 2, 4, 8))
        start = chance.randrange(4, upto - width)
        noise = chance.randbytes(width)
        changed[start : start + width] = chance.choice((b"\xff" * width, bytes(width), noise))
    return changed


def shown(scan: FileScan) -> None:
    if scan.database is not None and scan.database.reading.header is not None:
        header_dump(scan.database.reading, scan.path)
    if scan.log is not None and scan.log.reading.header is not None:
        assert scan.log.body is not None
        log_dump(scan.path, scan.log.reading.header, scan.log.body)
    if scan.checkpoint is not None and scan.checkpoint.checkpoint is not None:
        checkpoint_dump(scan.path, scan.checkpoint.checkpoint)


@pytest.mark.parametrize("seed", range(25))
def test_hostile_values_under_right_checksums(
    header: DatabaseHeader, built: Callable[..., bytes], tmp_path: Path, seed: int
):
    chance = random.Random(seed)
    size = header.page_size
    database = bytearray(built(header, 12, 4))
    slot = mangled(database[:size], chance, 748)
    slot[236:240] = size.to_bytes(4, "little")
    database[: 2 * size] = seal_header(slot) * 2
    for number in (1, 2, 3):
        start = (number + 1) * size
        page = mangled(database[start : start + size], chance, 200)
        page[-32:] = mangled(page[-32:], chance, 32)
        database[start : start + size] = seal_page(page, number)
    (tmp_path / "DB01.edb").write_bytes(database)
    log = build_log(LogHeader(generation=3, file_sectors=4, attachments=ATTACHED)).content
    (tmp_path / "E00.log").write_bytes(seal_header(mangled(log[:4096], chance, 3000)) + log[4096:])
    checkpoint = write_checkpoint(Checkpoint(attachments=ATTACHED))[:4096]
    (tmp_path / "E00.chk").write_bytes(seal_header(mangled(checkpoint, chance, 3000)) * 2)
    scan = scan_path(tmp_path)
    for each in scan.files:
        shown(each)
    assert isinstance(plain_judgement(judge(scan)), dict)
