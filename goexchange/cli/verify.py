"""The verb `verify`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goexchange.cli.console import Console
from goexchange.cli.sheets import own, report_option
from goexchange.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from goexchange.app.attesting import Attested

REDRAWS_PER_S = 4


@click.command("verify")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--sample", metavar="P", help="Read only this part of big files, like 10%.")
@click.option("--junit", "junit_file", metavar="FILE", help="Also write the result as JUnit XML.")
@click.option(
    "--attest", is_flag=True, help="Leave a verdict beside each set that has none; for a verifier."
)
@report_option
@click.option("--as", "name", metavar="NAME", help="What --attest calls this machine.")
@click.pass_obj
def verify(obj: tuple[Console, dict[str, Any]], /, paths: tuple[str, ...], **given: Any) -> int:
    """Check backup sets, loose folders, databases, logs or checkpoints; needs neither Exchange nor
    Windows.

    Every page's checksum, both headers, shutdown state, the logs' chain, and the manifest's
    digests. Ends with 30 when something is damaged, cannot be restored or cannot be decided. Reads
    only; --attest, one pass for cron on a verifier machine, writes its verdict into each set's
    folder and nothing else.
    """
    from goexchange.app.sheets import check_files, write_sheet
    from goexchange.app.verify_sheet import sheet_of_verification
    from goexchange.app.verifying import Verification, junit, verify_path
    from goexchange.store.clock import SystemClock

    console, options = obj
    check_files(given["reports"])
    sample, junit_file = given["sample"], given["junit_file"]
    if given["attest"]:
        if sample is not None or junit_file is not None or given["reports"]:
            raise UsageError(
                "--attest reads whole sets and leaves its verdict there: it takes"
                " none of --sample, --junit and --report"
            )
        return _attest(console, paths, given["name"])
    if given["name"] is not None:
        raise UsageError("--as says who attests: it goes with --attest")
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
    if given["reports"]:
        sheet = sheet_of_verification(done, at_utc=SystemClock().now())
        write_sheet(sheet, given["reports"], own(options))
    console.document({"paths": [each.plain for each in done]})
    return int(ExitCode.OK if all(each.is_good for each in done) else ExitCode.DAMAGED)


def _attest(console: Console, folders: tuple[str, ...], name: str | None) -> int:
    from goexchange.app.attesting import attest
    from goexchange.codec import to_plain

    progress = Progress(console)
    done = []
    for each in attest(folders, by=name, progress=progress):
        progress.clear()
        done.append(each)
        console.data(_attested(each))
    if not done:
        console.data("There is no set.")
    console.document({"sets": [to_plain(each) for each in done]})
    return int(ExitCode.OK if all(each.is_good for each in done) else ExitCode.DAMAGED)


def _attested(each: Attested) -> str:
    if each.verdict is None:
        return f"{'=' if each.is_elsewhere else 'x'} {each.folder}: {each.why}"
    mark = "=" if each.verdict.is_good else "x"
    when = f"{each.verdict.verified_at_utc:%Y-%m-%d %H:%M:%S} UTC"
    said = "verdict left" if each.is_new else f"has its verdict since {when}"
    lines = [f"{mark} {each.folder}: {each.verdict.verdict} · {said} · {each.verdict.verified_by}"]
    return "\n".join([*lines, *(f"    {one}" for one in each.verdict.findings)])


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
