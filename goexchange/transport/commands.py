"""Typed commands that pyinfra carries untouched to our connector: there is no text to quote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pyinfra.api.command import StringCommand

from goexchange.model.plan import ExchangeCall


class CmdletCommand(StringCommand):
    """Exchange cmdlets, run as statements of one pipeline; output: one JSON object per line."""

    def __init__(self, *calls: ExchangeCall) -> None:
        self.calls = calls
        super().__init__(*(f"{call.cmdlet} {json.dumps(dict(call.parameters))};" for call in calls))


class HostScriptCommand(StringCommand):
    """A packaged host script with its arguments; output: the contract's result as one JSON line."""

    def __init__(self, script: str, arguments: Mapping[str, Any]) -> None:
        self.script = script
        self.arguments = dict(arguments)
        super().__init__(script, json.dumps(self.arguments))
