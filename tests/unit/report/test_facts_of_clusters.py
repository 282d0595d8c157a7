"""What `observe` says of a clustered server."""

from __future__ import annotations

import pytest

from goexchange.model.actual import ActualServer, Cluster
from goexchange.model.unknown import Unknown
from goexchange.report.facts_text import render_facts
from tests.unit.plan.builders import host, state
from tests.unit.plan.test_clusters import on_nodes
from tests.unit.plan.test_exchange_2007 import old


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (on_nodes(), "clustered server: on NODE1, of NODE1, NODE2"),
        (
            on_nodes(cluster=Cluster(kind="Shared", nodes=())),
            "clustered server: on NODE1, of nodes that are not told",
        ),
        (on_nodes(host=Unknown("away")), "clustered server: on an unknown node"),
        (old(cluster=Unknown("other name"), host=host("X")), "whether it is a cluster is unknown"),
    ],
)
@pytest.mark.parametrize("width", [80, 160])
def test_owner_and_nodes_are_told(seen: ActualServer, line: str, width: int) -> None:
    said = render_facts(state(seen), width=width)
    assert line in " ".join(said.split())
    assert "cluster" not in render_facts(state(old()), width=width)
