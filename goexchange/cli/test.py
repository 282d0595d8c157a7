"""The verb `test`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from goexchange.app import loading
from goexchange.cli.console import Console
from goexchange.errors import ExitCode, InvalidDocument


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--junit", "file", metavar="FILE", help="Also write the results as JUnit XML.")
@click.pass_obj
def test(obj: tuple[Console, dict[str, Any]], paths: tuple[str, ...], file: str | None) -> int:
    """Run specification tests (*.test.yaml): what a specification leads to, from given facts or
    carried out on a simulated site, faults included.

    PATHS are files or folders; without any, the specifications' folder. No network; ends with 10
    when a test fails.
    """
    from goexchange.app import test as app

    console, options = obj
    tested = app.run_tests(paths, loading.configuration(options))
    failed = [each for each in tested if each.failures]
    for each in tested:
        console.data(f"{'FAILED' if each.failures else 'passed'}  {each.file}: {each.name}")
        for failure in each.failures:
            console.data("\n".join(f"        {line}" for line in failure.splitlines()))
    if file is not None:
        try:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text(app.junit(tested), "utf-8")
        except OSError as error:
            raise InvalidDocument(f"{file} cannot be written: {error.strerror}") from error
    console.document(
        [{"file": each.file, "name": each.name, "failures": list(each.failures)} for each in tested]
    )
    console.words(f"{len(tested)} test{'' if len(tested) == 1 else 's'}: {len(failed)} failed")
    return int(ExitCode.INVALID if failed else ExitCode.OK)
