"""The list of attached databases in logs and checkpoints.

Source: ESE source, log.hxx.
"""

from __future__ import annotations

import struct

from attrs import frozen

from goexchange.ese.structures import (
    NO_POSITION,
    NO_SIGNATURE,
    POSITION,
    SIGNATURE,
    U32,
    U64,
    LogPosition,
    Signature,
)

_ATTACHMENTS_BYTES = 2048
_ATTACHMENT_FIXED = 64
_NAMES_ARE_WIDE = 0x20


@frozen(kw_only=True)
class Attachment:
    """A database that a log or checkpoint knows as attached."""

    dbid: int = 1
    path: str = ""
    dbtime: int = 0
    last_objid: int = 0
    max_pages: int = 0
    last_attach: LogPosition = NO_POSITION
    last_consistent: LogPosition = NO_POSITION
    signature: Signature = NO_SIGNATURE


def read_attachments(slot: bytes, offset: int) -> tuple[Attachment, ...]:
    """The attachment list at an offset, as far as it holds together."""
    found = []
    end = min(len(slot), offset + _ATTACHMENTS_BYTES)
    while offset + _ATTACHMENT_FIXED <= end and slot[offset]:
        dbid, flags, names_bytes = struct.unpack_from("<BBH", slot, offset)
        names = slot[offset + _ATTACHMENT_FIXED : offset + _ATTACHMENT_FIXED + names_bytes]
        encoding = "utf-16-le" if flags & _NAMES_ARE_WIDE else "latin-1"
        found.append(
            Attachment(
                dbid=dbid,
                path=names.decode(encoding, "replace").split("\0", 1)[0],
                dbtime=U64.read(slot, offset + 4),
                last_objid=U32.read(slot, offset + 12),
                max_pages=U32.read(slot, offset + 16),
                last_attach=POSITION.read(slot, offset + 20),
                last_consistent=POSITION.read(slot, offset + 28),
                signature=SIGNATURE.read(slot, offset + 36),
            )
        )
        offset += _ATTACHMENT_FIXED + names_bytes
    return tuple(found)


def write_attachments(slot: bytearray, offset: int, attachments: tuple[Attachment, ...]) -> None:
    """Write the attachment list.

    Raises: ValueError when it is longer than the 2048 bytes that it has.
    """
    packed = b""
    for each in attachments:
        names = (each.path + "\0\0").encode("utf-16-le")
        packed += struct.pack("<BBHQ", each.dbid, _NAMES_ARE_WIDE, len(names), each.dbtime)
        packed += struct.pack("<II", each.last_objid, each.max_pages)
        packed += POSITION.encode(each.last_attach) + POSITION.encode(each.last_consistent)
        packed += SIGNATURE.encode(each.signature) + names
    if len(packed) >= _ATTACHMENTS_BYTES:
        raise ValueError("the attachment list is too long")
    slot[offset : offset + len(packed)] = packed
