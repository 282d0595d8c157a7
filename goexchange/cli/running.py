"""What `apply` and `resume` print: progress while they run, verdict and reports at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from goexchange import codec
from goexchange.cli.console import Console
from goexchange.cli.help import EXIT_CODES
from goexchange.cli.live import LineView, LiveView
from goexchange.errors import ExitCode, InvalidDocument
from goexchange.model.configuration import Configuration
from goexchange.model.plan import Plan

if TYPE_CHECKING:
    from goexchange.app.running import Ended
    from goexchange.store.runs import RunFolder


def watcher(console: Console) -> Callable[[Plan, RunFolder], LineView | LiveView]:
    """Shows each record of the journal as it is written: redrawn on a terminal, lines elsewhere."""

    def begin(plan: Plan, run: RunFolder) -> LineView | LiveView:
        console.still_words(f"Run {run.id} of plan {plan.id} · journal {run.journal_path}")
        is_live = console.is_terminal and not console.is_quiet
        return LiveView(plan, console) if is_live else LineView(plan, console)

    return begin


def finish(console: Console, settings: Configuration, ended: Ended, **told: object) -> int:
    """Verdict, what a person has to do, where the reports lie; the exit code, which is the run's
    whether anybody reads the rest or not. `told` are further members of the document for programs.
    """
    try:
        _tell(console, settings, ended, told)
    except BrokenPipeError:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return ended.result.exit_code


def _tell(
    console: Console, settings: Configuration, ended: Ended, told: Mapping[str, object]
) -> None:
    from goexchange.app.reporting import write_reports
    from goexchange.app.templating import own_templates

    result, run = ended.result, ended.run
    code = ExitCode(result.exit_code)
    name, meaning, _ = EXIT_CODES[code]
    console.data(f"{name.upper()}  {result.verdict}")
    if code is not ExitCode.OK:
        console.data(f"exit code {int(code)}: {meaning}")
    if not ended.has_begun:
        console.data("Nothing was changed; the run has not begun.")
        console.document(
            {
                "run": None,
                "plan": ended.plan.id,
                "result": codec.to_plain(result),
                "reports": [],
                **told,
            }
        )
        return
    for database in result.databases:
        console.data(f"  {database.state.value:<12} {database.lane}  {database.why}".rstrip())
        for command in database.commands:
            console.data(f"      {command}")
    forms = ("text", *(ended.plan.body.report_formats or settings.report_formats))
    folder = Path(settings.output_folder)
    try:
        reports = write_reports(run, forms, folder, own=own_templates(settings))
    except InvalidDocument as error:  # it was well when the run began
        console.data(f"Templates  {error}; this report is by our own")
        reports = write_reports(run, forms, folder)
    console.data("Reports  " + "  ".join(str(path) for path in reports))
    for remark in ended.remarks:
        console.data(f"Notices  {remark}")
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.UNKNOWN, ExitCode.LEFT_OFFLINE):
        console.data(f"Go on with  goexchange resume {run.id}")
    console.document(
        {
            "run": run.id,
            "plan": ended.plan.id,
            "result": codec.to_plain(result),
            "reports": [str(path) for path in reports],
            **told,
        }
    )
