"""Specification and inventory of the simulated night, as an operator would write them."""

from __future__ import annotations

from datetime import UTC, datetime

from goexchange.documents import parse_documents
from goexchange.inventory.loading import load_inventory
from goexchange.model.configuration import Inventory
from goexchange.model.desired import DesiredState
from goexchange.spec import load_specification

AT = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)  # inside the window of the inventory
SPECIFICATION = r"""apiVersion: goexchange/v1
kind: Specification
metadata: {name: weekly}
targets: {servers: [EX01]}
desired: {mounted: true, white_space_max: 20%}
script:
  name: preventative-maintenance
  rebuild: {not_again_within: 180d, gain_min: 64KiB}
  error_correction: {primary_passes_max: 0, defragmented_passes_max: 0}
backup:
  before: {offline: {target: {path: 'E:\sets'}}}
  after: {online: {method: windows-server-backup, target: {path: 'F:'}}}
schedule: {window: night}
"""
INVENTORY = r"""apiVersion: goexchange/v1
kind: Inventory
metadata: {name: simulated}
sites: {berlin: {zone: Europe/Berlin}}
servers:
  EX01: {address: ex01.lab.example, site: berlin, generation: "2019"}
windows:
  night: {zone: Europe/Berlin, days: [SAT], from: "22:00", to: "06:00"}
connection_profiles: {default: {}}
low_space_threshold: 1GiB
host_root: 'C:\ProgramData\goexchange'
"""


def specification(text: str = SPECIFICATION) -> DesiredState:
    found, diagnostics = load_specification(parse_documents(text, file="weekly.yaml").documents[0])
    assert found is not None, diagnostics
    return found


def inventory(text: str = INVENTORY) -> Inventory:
    found, diagnostics = load_inventory(parse_documents(text, file="inventory.yaml").documents)
    assert found is not None, diagnostics
    return found
