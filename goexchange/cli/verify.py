"""The verb `verify`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from goexchange.cli.console import Console
from goexchange.errors import ExitCode, UsageError

REDRAWS_PER_S = 4


@click.command("verify")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--sample", metavar="P", help="Read only this part of big files, like 10%.")
@click.option("--junit", "junit_file", metavar="FILE", help="Also write the result as JUnit XML.")
@click.pass_obj
def verify(
    obj: tuple[Console, dict[str, Any]],
    paths: tuple[str, ...],
    sample: str | None,
    junit_file: str | None,
) -> int:
    """Check backup sets, loose folders, databases, logs or checkpoints; needs neither Exchange nor
    Windows.

    Every page's checksum, both headers, shutdown state, the logs' chain, and the manifest's
    digests. Ends with 30 when something is damaged, cannot be restored or cannot be decided. Reads
    only.
    """
    from goexchange.app.verifying import Verification, junit, verify_path

    console = obj[0]
    share = None if sample is None else _share(sample)
    done: list[Verification] = []
    for path in paths:
        progress = Progress(console)
        verification = verify_path(path, sample=share, progress=progress)
        progress.clear()
        done.append(verification)
        console.data(verification.text)
    if junit_file is not None:
        _write(junit_file, junit(done))
    console.document({"paths": [each.plain for each in done]})
    return int(ExitCode.OK if all(each.is_good for each in done) else ExitCode.DAMAGED)


def _share(text: str) -> float:
    """A part of the whole from `10%`, `10` or `0.5%`.

    Raises: UsageError.
    """
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UsageError(f"--sample: '{text}' is no part of the whole; write it like 10%")
    return share


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"--junit: {path} cannot be written: {error.strerror}") from error


class Progress:
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
