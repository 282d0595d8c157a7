"""On which node a clustered server was, as each look of a run saw it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goexchange.model.actual import Cluster
from goexchange.model.plan import Plan
from goexchange.model.report import Deviation
from goexchange.model.run import Record, RecordKind
from goexchange.model.unknown import Unknown
from goexchange.report.reading import text_at


def moves(plan: Plan, records: Sequence[Record]) -> Iterator[Deviation]:
    """One for each look that found a clustered server on another node than the look before; the
    first is compared with what was planned on.

    Unknown: a look that did not reach the host is none.
    """
    nodes = {
        each.name: each.host.name
        for each in plan.body.facts.servers
        if isinstance(each.cluster, Cluster) and not isinstance(each.host, Unknown)
    }
    for record in records:
        if record.kind is not RecordKind.FACTS:
            continue
        server, node = text_at(record.data, "server"), text_at(record.data, "actual.host.name")
        if server not in nodes or node is None or node.lower() == nodes[server].lower():
            continue
        text = f"the clustered server is on {node}, before it was on {nodes[server]}"
        yield Deviation(at_utc=record.at_utc, kind="moved", address=server, text=text)
        nodes[server] = node
