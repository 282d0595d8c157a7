"""Header facts between the journal's plain JSON and the types of the file format."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from goexchange.ese.header import (
    DatabaseHeader,
    HeaderCopy,
    HeaderReading,
    decode_database_header,
    read_database_header,
)
from goexchange.ese.structures import Signature

START_BYTES = 1024  # every field of a header lies in its first kilobyte


def header_facts(slots: bytes) -> dict[str, Any]:
    """The two header slots as plain JSON; `start` holds the bytes that the fields are in."""
    reading = read_database_header(slots)
    header = reading.header
    facts: dict[str, Any] = {
        "slots_sha256": hashlib.sha256(slots).hexdigest(),
        "headers_alike": reading.are_copies_good_and_alike,
        "problems": [problem.value for problem in reading.problems],
        "page_bytes": reading.page_size,
    }
    if header is None:
        return {**facts, "state": None, "signature": None}
    return {
        **facts,
        "state": int(header.state),
        "signature": signature_text(header.signature),
        "log_signature": signature_text(header.log_signature),
        "log_required": [header.log_required_low, header.log_required_high],
        "dbtime": header.dbtime,
        "repair_count": header.repair_count,
        "last_consistent_generation": header.last_consistent.generation,
        "start": base64.b64encode(slots[:START_BYTES]).decode("ascii"),
    }


def header_of(result: Mapping[str, Any]) -> DatabaseHeader:
    """The header that a judged result holds."""
    return decode_database_header(base64.b64decode(result["start"]))


def reading_of(result: Mapping[str, Any]) -> HeaderReading:
    """The reading that a judged result holds; only of a header whose copies were good and alike."""
    if not result["headers_alike"]:
        raise ValueError("the header copies were not good and alike")
    return HeaderReading(
        header=header_of(result), copy_used=HeaderCopy.PRIMARY, page_size=result["page_bytes"]
    )


def signature_text(signature: Signature) -> str:
    """A signature as hexadecimal digits of its 28 bytes: random number, creation time, computer
    name.
    """
    computer = signature.computer.encode("ascii", errors="replace")[:16].ljust(16, b"\0")
    return (signature.random.to_bytes(4, "little") + signature.created.raw + computer).hex()
