"""HTTP/1.1 with keep-alive, as much of it as remoting clients speak."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from attrs import Factory, frozen

from goexchange.lab.traffic import ConnectionLost

_HEAD_BYTES_MAX = 64 * 1024
_BODY_BYTES_MAX = 8 * 1024 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@frozen(kw_only=True)
class HttpRequest:
    """A request; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@frozen(kw_only=True)
class HttpAnswer:
    """An answer; Content-Length is added when it is sent."""

    status: HTTPStatus
    headers: Mapping[str, str] = Factory(dict)
    body: bytes = b""


class _MalformedRequest(Exception):
    """Not HTTP, or more than the server takes; holds the status to answer with."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


async def serve_connection(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    respond: Callable[[HttpRequest], Awaitable[HttpAnswer]],
) -> None:
    """Answer the requests of one connection, one after the other, until either side ends it.

    `respond` cuts the connection without an answer by raising ConnectionLost.
    """
    try:
        while (request := await _read_request(reader)) is not None:
            answer = await respond(request)
            writer.write(_as_bytes(answer))
            await writer.drain()
    except _MalformedRequest as refusal:
        writer.write(_as_bytes(HttpAnswer(status=refusal.status)))
    except ConnectionLost:
        reset(writer)
    except (asyncio.IncompleteReadError, OSError):
        pass  # the client has gone; nothing is left to answer
    finally:
        writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Make the following close a reset, so that the client sees a lost connection at once."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise
    except asyncio.LimitOverrunError as error:
        raise _MalformedRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from error
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or len(head) > _HEAD_BYTES_MAX:
        raise _MalformedRequest(HTTPStatus.BAD_REQUEST)
    headers = {name.strip().lower(): value.strip()
               for name, _, value in (line.partition(":") for line in lines if line)}
    return HttpRequest(
        method=parts[0], path=parts[1], headers=headers, body=await _read_body(reader, headers)
    )


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise _MalformedRequest(HTTPStatus.LENGTH_REQUIRED)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise _MalformedRequest(HTTPStatus.BAD_REQUEST)
    if int(length) > _BODY_BYTES_MAX:
        raise _MalformedRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return await reader.readexactly(int(length))


def _as_bytes(answer: HttpAnswer) -> bytes:
    headers = {"Server": "Microsoft-HTTPAPI/2.0", **answer.headers,
               "Content-Length": str(len(answer.body))}
    head = f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("latin-1") + b"\r\n" + answer.body
