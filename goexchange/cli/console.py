"""Where output goes: data to standard output, words to standard error, one JSON document with
`--json`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from goexchange.errors import Diagnostic, GoexchangeError, Severity

WIDTH_MIN = 60
WIDTH_WITHOUT_TERMINAL = 100


@frozen(kw_only=True)
class Console:
    """How this invocation prints.

    Shape: `is_quiet` leaves out words that are not errors; with `is_log_json` every line of words
    is one JSON document, for programs that collect logs.
    """

    is_json: bool = False
    is_log_json: bool = False
    is_quiet: bool = False
    colour: str = "auto"

    @property
    def width(self) -> int:
        """Columns of the output; 100 when there is no terminal and COLUMNS is not set."""
        columns = shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
        return max(WIDTH_MIN, columns)

    @property
    def has_colour(self) -> bool:
        """Whether data may carry colour: on a terminal without NO_COLOR, or when asked for."""
        if self.colour != "auto":
            return self.colour == "always"
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    @property
    def is_terminal(self) -> bool:
        """Whether progress may be redrawn in place."""
        if self.is_log_json:
            return False
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def data(self, text: str) -> None:
        """The verb's result as text; nothing with `--json`."""
        if not self.is_json:
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
            sys.stdout.flush()

    def document(self, plain: Any) -> None:
        """The verb's result as the one JSON document; nothing without `--json`."""
        if self.is_json:
            sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
            sys.stdout.flush()

    def words(self, text: str, **about: Any) -> None:
        """What a person wants to know on the way; `about` are members of a JSON line."""
        if not self.is_quiet:
            self._log("info", text, about)

    def still_words(self, text: str, **about: Any) -> None:
        """The same while a run goes on: it does not end because nobody reads it any more."""
        with suppress(OSError):  # a closed pipe, or a terminal that is gone
            self.words(text, **about)

    def error(self, error: GoexchangeError) -> None:
        """An error and its diagnostics, as words or as the JSON document."""
        if self.is_json:
            self.document({"error": error_plain(error)})
        for diagnostic in error.diagnostics:
            about = {"diagnostic": diagnostic_plain(diagnostic)}
            text = f"{diagnostic.summary}: {diagnostic.detail}"
            width = self.width if sys.stderr.isatty() else None
            shown = text if self.is_log_json else diagnostic_text(diagnostic, width=width)
            self._log("error", shown, about)
        if not error.diagnostics or str(error):
            prefix = "" if self.is_log_json else "goexchange: "
            self._log("error", f"{prefix}{error}", {"id": error.id})

    def _log(self, level: str, text: str, about: Mapping[str, Any]) -> None:
        if self.is_log_json:
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = {"at": at, "level": level, "message": text, **about}
            text = json.dumps(line, ensure_ascii=False, default=str)
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def error_plain(error: GoexchangeError) -> dict[str, Any]:
    """An error as the JSON document says it."""
    return {
        "id": error.id,
        "exit_code": int(error.exit_code),
        "message": str(error),
        "diagnostics": [diagnostic_plain(diagnostic) for diagnostic in error.diagnostics],
    }


def diagnostic_plain(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as the JSON document says it."""
    place = diagnostic.place
    return {
        "id": diagnostic.id,
        "severity": diagnostic.severity.value,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "address": diagnostic.address,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }


def diagnostic_text(diagnostic: Diagnostic, *, width: int | None = None) -> str:
    """A diagnostic for people: place, summary, the underlined source line, detail.

    Shape: `width` is that of a terminal, where the detail is wrapped; elsewhere it stays whole.
    """
    where = f"{diagnostic.place}: " if diagnostic.place else ""
    about = f"{diagnostic.address}: " if diagnostic.address else ""
    word = "" if diagnostic.severity is Severity.ERROR else "warning: "
    lines = [f"{where}{about}{word}{diagnostic.summary} [{diagnostic.id}]"]
    if diagnostic.source_line is not None and diagnostic.place is not None:
        from goexchange.documents.underline import underline

        marks = underline(diagnostic.source_line, diagnostic.place.column)
        if diagnostic.id == "missing-key" and not diagnostic.source_line.startswith(
            ("{", "["), diagnostic.place.column - 1
        ):
            marks = marks.rstrip("~")  # what is missing is not what stands there
        lines += [f"    {diagnostic.source_line}", f"    {marks}"]
    details = diagnostic.detail.splitlines()
    if width is not None:
        from goexchange.report.shown import wrap

        details = [part for line in details for part in wrap(line, width - 4)]
    lines += [f"    {line}" for line in details]
    return "\n".join(lines)
