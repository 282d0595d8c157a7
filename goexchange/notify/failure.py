"""How a delivery fails: for now, or for good."""

from __future__ import annotations

from goexchange.errors import ExitCode, GoexchangeError


class DeliveryFailed(GoexchangeError):
    """A message was not taken.

    Shape: `is_final` says that trying again is of no use. The text names no address that could
    carry a secret.
    """

    exit_code = ExitCode.UNREACHABLE
    id = "delivery-failed"

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final
