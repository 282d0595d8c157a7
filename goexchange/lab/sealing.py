"""HTTP-SPNEGO message encryption: bodies sealed with the keys of the connection's context.

Source: MS-WSMV, section 2.2.9.1, "Encrypted Message Types".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spnego import ContextProxy

_BOUNDARY = b"--Encrypted Boundary"
_SEALED_TYPE = "multipart/encrypted"


class UnsealingFailed(Exception):
    """The body was not sealed with the keys of this connection."""


def is_sealed(content_type: str) -> bool:
    """Whether a body of this type is sealed."""
    return content_type.lower().startswith(_SEALED_TYPE)


def unseal(context: ContextProxy, body: bytes) -> bytes:
    """The envelope inside a sealed body.

    Raises: UnsealingFailed.
    """
    from spnego.exceptions import SpnegoError

    _, marker, rest = body.partition(b"application/octet-stream\r\n")
    sealed = rest[:rest.rfind(_BOUNDARY)] if marker else b""
    if len(sealed) < 4:
        raise UnsealingFailed("not a multipart/encrypted body")
    (signature_length,) = struct.unpack("<i", sealed[:4])
    signature, payload = sealed[4:4 + signature_length], sealed[4 + signature_length:]
    try:
        return context.unwrap_winrm(signature, payload)
    except SpnegoError as error:
        raise UnsealingFailed(str(error)) from error


def seal(context: ContextProxy, envelope: bytes, *, protocol: str) -> tuple[str, bytes]:
    """Content type and body of a sealed envelope; `protocol` is the client's, echoed."""
    wrapped = context.wrap_winrm(envelope)
    length = len(envelope) + wrapped.padding_length
    body = b"".join((
        _BOUNDARY, b"\r\n\tContent-Type: ", protocol.encode(),
        b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % length,
        _BOUNDARY, b"\r\n\tContent-Type: application/octet-stream\r\n",
        struct.pack("<i", len(wrapped.header)), wrapped.header, wrapped.data,
        _BOUNDARY, b"--\r\n",
    ))
    return f'{_SEALED_TYPE};protocol="{protocol}";boundary="Encrypted Boundary"', body
