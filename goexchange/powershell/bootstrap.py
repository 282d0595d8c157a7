"""How a packaged script reaches PowerShell: one constant command line, everything else on standard
input.

Shape: standard input is three lines of base64 (UTF-8 inside): library, script, JSON of the
arguments; a fourth where a secret goes with them. It is no argument: those pass through cmdlets,
whose parameters a host may be told to log, and are kept by whoever records a call. The command line
never changes, so nothing is ever spliced into text that a host interprets.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from goexchange.errors import GoexchangeError, UnexpectedOutput
from goexchange.powershell.checking import problems
from goexchange.powershell.contracts import CONTRACTS
from goexchange.resources import host_script_text

COMMAND_LINE_MAX = 8191  # of cmd.exe

# `$input`, not [Console]::In: powershell.exe itself drains redirected standard input into it.
_BOOTSTRAP = """\
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$lines = $input | ForEach-Object { ([string]$_) -replace '[^A-Za-z0-9+/=]', '' }
$bytes = @($lines | Where-Object { $_ } | ForEach-Object { , [Convert]::FromBase64String($_) })
$texts = @($bytes | ForEach-Object { [Text.Encoding]::UTF8.GetString($_) })
if (@(3, 4) -notcontains $texts.Count) { [Environment]::Exit(64) }
$GxSecret = $null
if ($texts.Count -eq 4) { $GxSecret = $texts[3] }
. ([ScriptBlock]::Create($texts[0]))
exit (Invoke-GxScript $texts[1] $texts[2])
"""
_LEGACY, _LIBRARY = "legacy", "library"
_RUNNER = "job-runner"
_RUNNER_USER = "start-job"
_LINES_MAX = 4


class ArgumentsRefused(GoexchangeError):
    """Arguments that do not fit a host script's contract: our mistake; nothing was sent."""

    id = "arguments-refused"


@cache
def command_line() -> str:
    """The command line of every host script."""
    encoded = base64.b64encode(_BOOTSTRAP.encode("utf-16-le")).decode("ascii")
    return (
        "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass"
        f" -EncodedCommand {encoded}"
    )


def standard_input(
    script: str, arguments: Mapping[str, Any], *, secret: str | None = None
) -> bytes:
    """What is sent to the standard input of that command line; it must be closed afterwards.

    Raises: ArgumentsRefused when the contract is not met.
    """
    found = list(problems(dict(arguments), CONTRACTS[script].arguments))
    if found:
        raise ArgumentsRefused(f"{script} cannot be sent: {'; '.join(found[:5])}")
    document = json.dumps(arguments, ensure_ascii=True, separators=(",", ":"))
    lines = [_library_text(), host_script_text(script), document]
    lines += [secret] if secret is not None else []
    return b"".join(base64.b64encode(line.encode("utf-8")) + b"\n" for line in lines)


def parse_standard_input(content: bytes) -> tuple[str, dict[str, Any]]:
    """Digest of what would run (compare it with `registered_digests`), and the arguments: the
    inverse for simulated hosts.

    Raises: UnexpectedOutput when it is not what `standard_input` makes.
    """
    try:
        parts = [base64.b64decode(line, validate=True) for line in content.split()]
        library, script, document, *_ = parts
        if len(parts) > _LINES_MAX:
            raise ValueError("too many lines")
        arguments = json.loads(document)
        texts = [library, script]
        if script == host_script_text(_RUNNER_USER).encode("utf-8"):
            packed = base64.b64decode(arguments["runner"], validate=True)
            texts.append(gzip.decompress(packed))
    except (KeyError, TypeError, ValueError, OSError, EOFError, zlib.error) as error:
        raise UnexpectedOutput(f"not the input of a host script: {error}") from error
    return _digest(texts), arguments


def secret_of_input(content: bytes) -> str | None:
    """The secret that goes with the arguments, for simulated hosts; None where there is none."""
    parts = content.split()
    return base64.b64decode(parts[3]).decode("utf-8") if len(parts) == _LINES_MAX else None


@cache
def runner_argument() -> str:
    """The `runner` argument of start-job: library and job runner in one text, packed and in
    base64; plain it would not fit into the envelope of an old host.
    """
    return base64.b64encode(gzip.compress(_runner_text(), 9, mtime=0)).decode("ascii")


@cache
def digest(script: str) -> str:
    """SHA-256 of all that runs on the host for a script: library and script, for start-job the job
    runner too.
    """
    texts = [text.encode("utf-8") for text in (_library_text(), host_script_text(script))]
    if script == _RUNNER_USER:
        texts.append(_runner_text())
    return _digest(texts)


@cache
def registered_digests() -> Mapping[str, str]:
    """Script by digest, of all packaged scripts."""
    return {digest(script): script for script in CONTRACTS}


def _library_text() -> str:
    """The library, behind what stands in for what an old host lacks: the same text everywhere."""
    return f"{host_script_text(_LEGACY)}\n{host_script_text(_LIBRARY)}"


def _runner_text() -> bytes:
    return f"{_library_text()}\n{host_script_text(_RUNNER)}".encode()


def _digest(texts: list[bytes]) -> str:
    return hashlib.sha256(b"\0".join(texts)).hexdigest()
