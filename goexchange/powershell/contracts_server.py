"""The contracts of the host scripts of maintenance mode: the cluster node, and whether a server is
itself again.
"""

from __future__ import annotations

from goexchange.powershell.contract import FENCE, FLAG, TEXT, Contract, maybe, record, several

CLUSTER_NODE = Contract(
    script="cluster-node",
    version=1,
    purpose="pauses the cluster node of a member, and has it as it was by the record that was"
    " written before",
    changes_host=True,
    arguments=record(
        **FENCE,
        run=TEXT,
        node=TEXT,
        wanted={"type": "string", "enum": ["paused", "as-it-was"]},
    ),
    # was: before it was paused, by the record of this run; null without one
    result=record(was=maybe(TEXT), state=TEXT, is_as_wanted=FLAG),
    errors=("fenced", "root-not-private", "no-cluster", "not-done"),
    cmdlets=(
        "Get-Acl",
        "Get-ClusterNode",
        "Import-Module",
        "Resume-ClusterNode",
        "Suspend-ClusterNode",
    ),
)

SERVER_STATE = Contract(
    script="server-state",
    version=1,
    purpose="which start of Windows this is, and which of the named services run; changes nothing",
    changes_host=False,
    arguments=record(services=several(TEXT)),
    result=record(boot_id=TEXT, services=several(record(name=TEXT, state=TEXT))),
    errors=(),
    cmdlets=("Get-CimInstance", "Get-Service"),
)

START_SERVICES = Contract(
    script="start-services",
    version=1,
    purpose="starts those of the named services that do not run",
    changes_host=True,
    arguments=record(**FENCE, services=several(TEXT)),
    result=record(services=several(record(name=TEXT, state=TEXT))),
    errors=("fenced", "root-not-private", "no-service"),
    cmdlets=("Get-Acl", "Get-Service", "Start-Service"),
)

SERVER_CONTRACTS: tuple[Contract, ...] = (CLUSTER_NODE, SERVER_STATE, START_SERVICES)
