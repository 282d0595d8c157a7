"""Who holds a lease: host, process and run in one word."""

from __future__ import annotations

import os
import socket


def holder_of(run: str) -> str:
    """This process as the holder of a run's leases."""
    return f"{socket.gethostname()}:{os.getpid()}:{run}"


def is_here(holder: str) -> bool:
    """Whether a holder is a process of this machine."""
    return holder.split(":", 1)[0] == socket.gethostname()
