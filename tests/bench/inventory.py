"""An inventory of given servers, with defaults for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goexchange.model.configuration import Inventory, Rates, ServerEntry


def an_inventory(servers: Sequence[ServerEntry]) -> Inventory:
    """The servers and nothing else."""
    nothing: Any = ()
    return Inventory(
        document_digest="0" * 64, sites=nothing, servers=tuple(servers), machines=nothing,
        availability_groups=nothing, groups=nothing, windows=nothing, shares=nothing,
        verifier=None, mount_confirm_after_s=1, low_space_threshold_bytes=1,
        host_root="C:\\ProgramData\\goexchange",
        rates=Rates(
            copy_bytes_per_s=1,
            rebuild_bytes_per_s=1,
            verify_bytes_per_s=1,
            repair_bytes_per_s=1,
            backup_bytes_per_s=1,
        ),
    )  # fmt: skip
