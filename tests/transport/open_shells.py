"""How many shells a lab's hosts hold."""

from __future__ import annotations

from tests.transport.lab.lab_process import Lab


def open_shells(lab: Lab) -> dict[str, int]:
    """Shells of both channels by host."""
    shells = lab.control("reset")["shells"]
    return {host: sum(by_role.values()) for host, by_role in shells.items()}
