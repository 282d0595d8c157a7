"""The database utility of Exchange 2003 on a pair of files: what it says of the second, and what
it makes of it.

Source: the vendor's articles on eseutil for Exchange 2003 (KB 823167, 825088): `/s` names the
streaming file, `/f` a temporary one; no correctable checksums are counted.
"""

from __future__ import annotations

from collections.abc import Sequence

from goexchange.ese.header import read_database_header
from goexchange.ese.jet_errors import JetError
from goexchange.world.databases import HEADER_BYTES
from goexchange.world.files import HostFiles
from goexchange.world.streaming import are_a_pair, is_sound_streaming, rebuilt_streaming
from goexchange.world.work import Write


def told_of_pair(report: Sequence[str], streaming: str) -> tuple[str, ...]:
    """The report of a checksum run over both files."""
    lines = [each for each in report if "correctable checksums" not in each]
    at = next(number for number, each in enumerate(lines) if "Temp. Database:" in each)
    return (*lines[:at], f"  Streaming File: {streaming}", *lines[at:])


def pair_error(files: HostFiles, path: str, streaming: str) -> JetError | None:
    """What is wrong with the second file, or with the two together."""
    if not files.exists(streaming):
        return JetError.FileNotFound
    if files.is_closed_to_readers(streaming):
        return JetError.FileAccessDenied
    if not are_a_pair(files, path, streaming):
        return JetError.DatabaseStreamingFileMismatch
    return None if is_sound_streaming(files, streaming) else JetError.DatabaseCorrupted


def second_file(
    files: HostFiles, streaming: str, content: bytes, *, to: str
) -> tuple[Write, ...]:
    """The second file of a rebuilt database, whose own content is there."""
    header = read_database_header(content[:HEADER_BYTES]).header
    assert header is not None
    return (Write(path=to, content=rebuilt_streaming(files, streaming, header)),)
