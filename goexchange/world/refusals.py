"""How a world says no: a script's refusal by the code of its contract, and what the world does not
know.
"""

from __future__ import annotations


class ScriptFailed(Exception):
    """A host script answers with an error; `code` is one of its contract or `internal`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class NotModelled(Exception):
    """Something that a real host may know and this world does not: refused loudly, never answered
    with a guess.
    """


class HostDown(Exception):
    """The host is rebooting: nothing answers."""
