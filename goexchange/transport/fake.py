"""The strict fake of a host session: it raises on everything it was not told to expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from goexchange.model.configuration import SecretReference
from goexchange.model.plan import ExchangeCall

Answer = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]


class UnexpectedCall(AssertionError):
    """The code under test asked for something that the test did not expect."""


class FakeSession:
    """A `HostSession` that answers from tables, by cmdlet and by script; `asked` records what was
    asked.
    """

    def __init__(
        self,
        *,
        cmdlets: Mapping[str, Answer] | None = None,
        scripts: Mapping[str, Answer] | None = None,
    ) -> None:
        self._cmdlets = dict(cmdlets or {})
        self._scripts = dict(scripts or {})
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def exchange(self, calls: Sequence[ExchangeCall], *, time_limit_s: float) -> dict[str, Any]:
        """The answers of all calls, in order."""
        whole: dict[str, list[Any]] = {"objects": [], "errors": [], "warnings": []}
        for call in calls:
            answer = self._answer("cmdlet", self._cmdlets, call.cmdlet, call.parameters)
            for part, values in whole.items():
                values.extend(answer.get(part) or ())
        return whole

    def script(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        time_limit_s: float,
        secret: SecretReference | None = None,
    ) -> dict[str, Any]:
        """The answer of the script."""
        return dict(self._answer("script", self._scripts, script, arguments))

    def close(self) -> None:
        """Nothing is open."""

    def _answer(
        self, kind: str, table: Mapping[str, Answer], name: str, given: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        if name not in table:
            raise UnexpectedCall(f"unexpected {kind} {name} with {dict(given)}")
        self.asked.append((name, given))
        answer = table[name]
        return answer(given) if callable(answer) else answer
