"""The one line with which every host script answers.

Shape: ASCII JSON
``{"goexchange":"envelope/1","script":..,"version":..,"ok":true|false,"encoding":"gzip+base64",
"body":..}``. The body is the contract's result, or ``{"code","message"}`` of a refusal. Compressed
and in base64 it is the same bytes in every code page.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from goexchange.errors import HostRefused, UnexpectedOutput
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import CONTRACTS, Contract

FORMAT = "envelope/1"
_ENCODING = "gzip+base64"
# The words of cmd.exe are in the language of Windows, the quoted name in them is not.
_NOT_STARTED = re.compile(rb"[\"']powershell\.exe[\"']", re.IGNORECASE)
_MARK = '{"goexchange":'
_BODY_MAX_BYTES = 256 * 1024 * 1024


def encode(script: str, result: Mapping[str, Any]) -> bytes:
    """The line of a script that did its work."""
    return _line(CONTRACTS[script], ok=True, body=dict(result))


def encode_refusal(script: str, *, code: str, message: str) -> bytes:
    """The line of a script that refused or failed."""
    return _line(CONTRACTS[script], ok=False, body={"code": code, "message": message})


def decode(script: str, stdout: bytes, exit_code: int, stderr: bytes) -> dict[str, Any]:
    """The result of `script`, checked against its contract.

    Raises: HostRefused with one of the contract's codes (or `internal`) when the script said no;
    UnexpectedOutput when there is no such line, or not exactly one, or it does not fit.
    """
    contract = CONTRACTS[script]
    envelope = _envelope(contract, _only_line(script, stdout, exit_code=exit_code, stderr=stderr))
    body = _body(script, envelope)
    if not envelope["ok"]:
        raise _refusal(contract, body)
    if exit_code != 0:
        raise UnexpectedOutput(f"{script} answered and then ended with exit code {exit_code}.")
    found = list(problems(body, contract.result))
    if found:
        raise UnexpectedOutput(f"{script} broke its contract: {'; '.join(found[:5])}")
    return body


def _line(contract: Contract, *, ok: bool, body: Mapping[str, Any]) -> bytes:
    packed = gzip.compress(json.dumps(body, ensure_ascii=False).encode("utf-8"), 6, mtime=0)
    envelope = {
        "goexchange": FORMAT,
        "script": contract.script,
        "version": contract.version,
        "ok": ok,
        "encoding": _ENCODING,
        "body": base64.b64encode(packed).decode("ascii"),
    }
    return json.dumps(envelope, separators=(",", ":")).encode("ascii") + b"\r\n"


def _only_line(script: str, stdout: bytes, *, exit_code: int, stderr: bytes) -> str:
    # A console may put a byte order mark or other words in front: only the marked line counts.
    lines = stdout.decode("ascii", errors="replace").splitlines()
    marked = [line[line.index(_MARK) :] for line in lines if _MARK in line]
    if len(marked) != 1:
        words = (stderr or stdout)[-400:].decode("utf-8", errors="replace").strip()
        if not stdout.strip() and _NOT_STARTED.search(stderr):
            raise UnexpectedOutput(
                "the host could not start Windows PowerShell, of which 2.0 or later is needed"
                f" (exit code {exit_code}): {words}"
            )
        raise UnexpectedOutput(
            f"{script} gave {len(marked)} answers instead of one (exit code {exit_code}): {words}"
        )
    return marked[0].rstrip()


def _envelope(contract: Contract, line: str) -> dict[str, Any]:
    try:
        envelope = json.loads(line)
    except ValueError as error:
        raise UnexpectedOutput(f"{contract.script} gave a line that is cut or damaged.") from error
    wanted = {
        "goexchange": FORMAT,
        "script": contract.script,
        "version": contract.version,
        "encoding": _ENCODING,
    }
    for name, value in wanted.items():
        if name not in envelope or envelope[name] != value:
            raise UnexpectedOutput(f"{contract.script} gave an envelope without {name} = {value}.")
    if type(envelope.get("ok")) is not bool:
        raise UnexpectedOutput(f"{contract.script} did not say whether it was well.")
    return dict(envelope)


def _body(script: str, envelope: Mapping[str, Any]) -> dict[str, Any]:
    try:
        packed = base64.b64decode(envelope["body"], validate=True)
        unpacker = zlib.decompressobj(wbits=31)
        content = unpacker.decompress(packed, _BODY_MAX_BYTES)
        if not unpacker.eof:
            raise ValueError("the body is cut, or larger than any answer may be")
        body = json.loads(content)
    except (KeyError, TypeError, ValueError, binascii.Error, zlib.error) as error:
        raise UnexpectedOutput(f"{script} gave a body that cannot be read: {error}") from error
    if not isinstance(body, dict):
        raise UnexpectedOutput(f"{script} gave a body that is not an object.")
    return body


def _refusal(contract: Contract, body: Mapping[str, Any]) -> HostRefused:
    code, message = body.get("code"), body.get("message")
    if code not in contract.errors:
        message, code = f"{code}: {message}" if code != "internal" else message, "internal"
    return HostRefused(f"{contract.script}: {message}", code=str(code))
