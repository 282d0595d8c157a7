"""Inventory documents: servers, groups, sites, windows, and how servers are reached."""

from __future__ import annotations

from goexchange.inventory.loading import load_inventory

__all__ = ["load_inventory"]
