"""The report as JSON, by `schemas/report.v1.json`."""

from __future__ import annotations

import json

from goexchange.codec import from_plain, to_plain
from goexchange.model.report import Report


def render_json(report: Report) -> str:
    """The report as indented JSON with sorted keys; equal reports give equal text."""
    return json.dumps(to_plain(report), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read_json(text: str) -> Report:
    """The inverse of `render_json`. Raises: InvalidDocument."""
    return from_plain(Report, json.loads(text))
