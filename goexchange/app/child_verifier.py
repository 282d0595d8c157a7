"""Our own verifier in a process of its own: while it reads, the run goes on renewing its leases."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO, Any

from attrs import define, field

from goexchange.errors import GoexchangeError


@define
class ChildVerifier:
    """At most one `goexchange verify` at a time, started by the first question about a path."""

    _path: str | None = field(default=None, init=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _output: IO[bytes] | None = field(default=None, init=False)

    def result(self, arguments: Mapping[str, Any], *, wait_s: float) -> Mapping[str, Any] | None:
        """The verdict on `arguments["path"]`, or None when there is none after `wait_s` seconds.

        Shape: `{"ok": bool, "verdict", "set_sha256", "findings": [text]}`.
        Raises: GoexchangeError when the child ends without a verdict.
        """
        path = str(arguments["path"])
        if self._path != path:
            self.end()
            self._start(path)
        assert self._child is not None and self._output is not None
        try:
            code = self._child.wait(timeout=wait_s)
        except subprocess.TimeoutExpired:
            return None
        self._output.seek(0)
        content = self._output.read()
        self.end()
        return _verdict(content, code)

    def end(self) -> None:
        """End the child when it still reads."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        if self._output is not None:
            self._output.close()
        self._child, self._output, self._path = None, None, None

    def _start(self, path: str) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._path = path
        self._child = subprocess.Popen(
            [sys.executable, "-m", "goexchange", "--json", "verify", path],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.DEVNULL,
        )


def _verdict(content: bytes, code: int) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
        if "error" in document:
            raise GoexchangeError(f"our verifier gave no verdict: {document['error']['message']}")
        found = document["paths"][0]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise GoexchangeError(f"our verifier gave no verdict (exit code {code})") from error
    return {
        "ok": code == 0,
        "verdict": found["verdict"],
        "set_sha256": found["set_sha256"],
        "findings": [f"{each['path']}: {each['detail']}" for each in found["findings"]],
    }
