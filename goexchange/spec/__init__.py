"""Specifications: tree to desired state, with defaults and names made explicit."""

from __future__ import annotations

from goexchange.spec.across import Loaded, check_across
from goexchange.spec.check import check_against_inventory
from goexchange.spec.loading import load_specification
from goexchange.spec.selection import database_is_meant, select_servers
from goexchange.spec.supported import Unsupported, unsupported_parts

__all__ = [
    "Loaded",
    "Unsupported",
    "check_across",
    "check_against_inventory",
    "database_is_meant",
    "load_specification",
    "select_servers",
    "unsupported_parts",
]
