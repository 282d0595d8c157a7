"""The verb `verify`."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.errors import ExitCode

REDRAWS_PER_S = 4


@click.command("verify")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.pass_obj
def verify(obj: tuple[Console, dict[str, Any]], paths: tuple[str, ...]) -> int:
    """Check backup sets, loose folders, databases, logs or checkpoints; needs neither Exchange nor
    Windows.

    Every page's checksum, both headers, shutdown state, the logs' chain, and the manifest's
    digests. Ends with 30 when
    something is damaged or cannot be restored. Reads only.
    """
    from goexchange.app.verifying import Verification, verify_path

    console = obj[0]
    done: list[Verification] = []
    for path in paths:
        progress = _Progress(console)
        verification = verify_path(path, progress=progress)
        progress.clear()
        done.append(verification)
        console.data(verification.text)
    console.document({"paths": [each.plain for each in done]})
    return int(ExitCode.OK if all(each.is_good for each in done) else ExitCode.DAMAGED)


class _Progress:
    """Bytes checked so far, on a terminal only."""

    def __init__(self, console: Console) -> None:
        self._is_shown = console.is_terminal and not console.is_quiet
        self._last = 0.0

    def __call__(self, done_bytes: int, total_bytes: int) -> None:
        now = time.monotonic()
        if self._is_shown and total_bytes and now - self._last > 1 / REDRAWS_PER_S:
            self._last = now
            sys.stderr.write(f"\r{100 * done_bytes // total_bytes:>3} % of {total_bytes:,} bytes ")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away again."""
        if self._is_shown and self._last:
            sys.stderr.write("\r\x1b[K")
