"""The words that a message template may use: one list, for the templates, their check and the
documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from goexchange.model.plan import Plan, PlannedNotice
from goexchange.report.units import minute_text, moment_text, zone_of

# name -> (what it is, an example that has its shape)
VARIABLES: Mapping[str, tuple[str, Any]] = {
    "event": ("The event.", "storage-offline"),
    "audience": ("`users` or `operators`.", "operators"),
    "at": ("When it happened, in the zone of the window.", "2026-11-28 22:00:46 CET"),
    "specification": ("The specification that asked for the notice.", "weekly-preventative"),
    "plan": ("Id of the plan.", "7f3c9a1e"),
    "run": ("Id of the run; empty before it began.", "20261128T210000-5c6f"),
    "server": ("The server, when the event is about one.", "EX01"),
    "database": ("The database, when the event is about one.", "DB05"),
    "databases": (
        "All databases of the event; each has `address`, `state` and `why`.",
        [{"address": "EX01/DB05", "state": "done", "why": ""}],
    ),
    "step": ("The step that an answer is needed for.", "EX01/DB05/20-mount"),
    "why": ("Why, in words.", "the rebuilt file does not mount"),
    "choices": ("The answers that can be given.", ["done", "not-done"]),
    "commands": ("What a person types to mend it.", ["Mount-Database -Identity 'DB05'"]),
    "verdict": ("How the run ended.", "left-offline"),
    "exit_code": ("The exit code of the run.", "22"),
    "window_name": ("The maintenance window.", "berlin-night"),
    "window_opens": ("When it opens.", "Sat 28 Nov 22:00"),
    "window_closes": ("When it closes.", "Sun 29 Nov 06:00"),
    "zone": ("The zone of both.", "Europe/Berlin"),
    "outage_begins": ("When the announced outage may begin.", "Sat 28 Nov 22:00 Europe/Berlin"),
    "outage_length": ("How long a database is down at most, by the estimates.", "3 h 10 m"),
    "lead": ("How long before the outage it was to be announced.", "2 h"),
    "is_late": ("Whether the message is sent later than it was due.", False),
    "variables": ("Words of the specification's own: `variables.hotline`.", {"hotline": "1234"}),
}
_EMPTY: Mapping[type, Any] = {str: "", list: [], bool: False, dict: {}}


def message_variables(
    plan: Plan, planned: PlannedNotice, at: datetime, words: Mapping[str, Any]
) -> dict[str, Any]:
    """All variables of one message; what does not apply is empty, never missing."""
    window = plan.body.window
    zone = zone_of(window.zone if window else None)
    names = plan.body.specifications
    found = {name: _EMPTY[type(example)] for name, (_, example) in VARIABLES.items()}
    found |= {
        "event": planned.event,
        "audience": planned.audience,
        "at": moment_text(at, zone),
        "specification": planned.specification or ", ".join(names),
        "plan": plan.id,
        "variables": dict(planned.variables),
    }
    if window is not None:
        found |= {
            "window_name": window.name,
            "window_opens": minute_text(window.opens_at_utc, zone),
            "window_closes": minute_text(window.closes_at_utc, zone),
            "zone": window.zone,
        }
    return found | dict(words)


def sample_variables(own: Mapping[str, str]) -> dict[str, Any]:
    """The examples, for trying a template before it is needed."""
    return {name: example for name, (_, example) in VARIABLES.items()} | {"variables": dict(own)}
