"""The option `--report` of verbs that report on something other than a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from goexchange.app import loading

Verb = TypeVar("Verb", bound=Callable[..., Any])


def report_option(verb: Verb) -> Verb:
    """Add `--report`; the verb gets `reports`, a tuple of files."""
    return click.option(
        "--report",
        "reports",
        multiple=True,
        metavar="FILE",
        help="Also write a report; the ending says the form: .html, .md, .txt, .json, .xml"
        " (JUnit), .csv. May be given several times.",
    )(verb)


def own(options: dict[str, Any]) -> dict[str, str]:
    """The operators' templates, from the configuration in force.

    Raises: InvalidDocument.
    """
    from goexchange.app.templating import own_templates

    return dict(own_templates(loading.configuration(options)))
