"""What drifted: the planner's decisions, and the facts that a run left against those of now.

What always moves is no drift: sizes, white space within the tolerance, log generations, times,
free space, what runs at the moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from goexchange.codec import to_plain
from goexchange.facts.places import file_facts_of
from goexchange.model.actual import ActualDatabase, ActualHost, ActualServer, ActualState
from goexchange.model.drift import Baseline, Drift, DriftKind, DriftReport
from goexchange.model.plan import Decision, Need, PlanBody, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words

SERVER_FACTS = ("generation", "build", "edition", "availability_group")
HOST_FACTS = ("exsetup_version", "eseutil_version", "eseutil_path")
DATABASE_FACTS = (
    "guid",
    "edb_path",
    "log_folder",
    "log_prefix",
    "is_mounted",
    "is_recovery",
    "copies",
    "is_replicated",
    "is_circular_logging",
    "is_mount_at_startup",
)
_ORDER = tuple(DriftKind)
_MEANS = {
    "guid": "another database has this name",
    "exsetup_version": "Exchange was updated",
    "build": "Exchange was updated",
    "edb_path": "the file was moved",
    "log_folder": "the logs were moved",
}


def drift_of(body: PlanBody, baselines: Mapping[str, Baseline], *, tolerance: float) -> DriftReport:
    """Compare what a plan says of now with its specifications and with what runs left.

    Shape: `tolerance` is the white space above the maximum that is no drift yet, as a ratio.
    """
    items = [
        *_of_decisions(body.decisions, tolerance, _maxima(body)),
        *_of_servers(body.facts, baselines),
    ]
    items.sort(key=lambda each: (_ORDER.index(each.kind), each.address, each.fact))
    return DriftReport(
        observed_at_utc=body.evaluated_at_utc,
        specifications=body.specifications,
        databases=len(body.decisions),
        baselines=tuple(
            (name, baselines[name].run)
            for name in sorted(baselines)
            if any(each.name == name for each in body.facts.servers)
        ),
        items=tuple(items),
    )


def _maxima(body: PlanBody) -> Mapping[str, float]:
    """The largest white space that the plan's premises were made for, by address."""
    return {
        each.address: float(each.value)
        for each in body.premises
        if each.fact == "database.white_space_ratio"
    }


def _of_decisions(
    decisions: Sequence[Decision], tolerance: float, maxima: Mapping[str, float]
) -> Iterator[Drift]:
    for decision in decisions:
        if decision.need is Need.NOTHING:
            continue
        kind = DriftKind.UNMET
        if decision.need is Need.NOT_POSSIBLE:
            is_unread = Reason.FACT_UNKNOWN in decision.reasons
            kind = DriftKind.UNKNOWN if is_unread else DriftKind.NOT_POSSIBLE
        elif _is_tolerated(decision, tolerance, maxima):
            kind = DriftKind.TOLERATED
        yield Drift(
            kind=kind,
            address=decision.address,
            fact="decision",
            was=None,
            now=[each.value for each in decision.reasons],
            text=decision.explanation,
            place=decision.origin,
        )


def _is_tolerated(decision: Decision, tolerance: float, maxima: Mapping[str, float]) -> bool:
    """Whether its white space alone is over the maximum, by no more than the tolerance."""
    if decision.reasons != (Reason.WHITE_SPACE_OVER_MAXIMUM,) or decision.address not in maxima:
        return False
    if not decision.size_bytes or decision.white_space_bytes is None:
        return False
    return decision.white_space_bytes / decision.size_bytes <= maxima[decision.address] + tolerance


def _of_servers(now: ActualState, baselines: Mapping[str, Baseline]) -> Iterator[Drift]:
    for server in now.servers:
        if server.name in baselines:
            yield from _of_server(server, baselines[server.name])


def _of_server(now: ActualServer, baseline: Baseline) -> Iterator[Drift]:
    before = baseline.server
    yield from _differences(before, now, SERVER_FACTS, place=("server", now.name), of=baseline)
    if isinstance(before.host, ActualHost):
        if isinstance(now.host, Unknown):
            yield _unknown(now.name, "host", now.host, baseline)
        else:
            place = ("host", now.name)
            yield from _differences(before.host, now.host, HOST_FACTS, place=place, of=baseline)
            yield from _services(before.host, now.host, now.name, baseline)
    if isinstance(before.databases, Unknown):
        return
    if isinstance(now.databases, Unknown):
        yield _unknown(now.name, "databases", now.databases, baseline)
        return
    yield from _of_databases(before.databases, now, baseline)


def _of_databases(
    before: Sequence[ActualDatabase], now: ActualServer, baseline: Baseline
) -> Iterator[Drift]:
    assert not isinstance(now.databases, Unknown)
    old = {each.name: each for each in before}
    new = {each.name: each for each in now.databases}
    for name in sorted(old.keys() | new.keys()):
        address = f"{now.name}/{name}"
        if name not in new:
            yield _changed(address, "database.exists", (True, False), "it is gone", of=baseline)
        elif name not in old:
            yield _changed(address, "database.exists", (False, True), "it is new", of=baseline)
        else:
            place = ("database", address)
            yield from _differences(old[name], new[name], DATABASE_FACTS, place=place, of=baseline)
            yield from _file(new[name], now, address, baseline)
            yield from _record(new[name], now, address, baseline)


def _differences(
    before: object,
    now: object,
    names: Sequence[str],
    *,
    place: tuple[str, str],
    of: Baseline,
) -> Iterator[Drift]:
    group, address = place
    for name in names:
        was, is_now = getattr(before, name), getattr(now, name)
        if isinstance(was, Unknown) or was == is_now:
            continue
        if isinstance(is_now, Unknown):
            yield _unknown(address, f"{group}.{name}", is_now, of)
        else:
            values = (_plain(was), _plain(is_now))
            text = f"{_shown(values[0])} -> {_shown(values[1])}"
            text = f"{_MEANS[name]}: {text}" if name in _MEANS else text
            yield _changed(address, f"{group}.{name}", values, text, of=of)


def _services(
    before: ActualHost, now: ActualHost, address: str, baseline: Baseline
) -> Iterator[Drift]:
    if isinstance(before.services, Unknown) or isinstance(now.services, Unknown):
        return
    types = {each.name: each.start_type for each in now.services}
    for service in before.services:
        is_now = types.get(service.name)
        if is_now != service.start_type:
            text = f"service {service.name}: {service.start_type} -> {is_now or 'gone'}"
            values = (service.start_type, is_now)
            yield _changed(address, f"host.services.{service.name}", values, text, of=baseline)


def _file(
    database: ActualDatabase, server: ActualServer, address: str, baseline: Baseline
) -> Iterator[Drift]:
    """A file that was created after the run ended is not the one it left."""
    facts = file_facts_of(server.host, database.edb_path)
    created = None if isinstance(facts, Unknown) else facts.created_at_utc
    if created is not None and created > baseline.ended_at_utc:
        values = (None, _plain(created))
        text = f"the file was replaced at {created:%Y-%m-%d %H:%M} UTC, by no run of this store"
        yield _changed(address, "database.file_since", values, text, of=baseline)


def _record(
    database: ActualDatabase, server: ActualServer, address: str, baseline: Baseline
) -> Iterator[Drift]:
    """A record of a run that this store does not know: another controller was here."""
    if isinstance(server.host, Unknown) or isinstance(server.host.records, Unknown):
        return
    left = baseline.records.get(database.guid)
    found = [each for each in server.host.records if each.database_guid == database.guid]
    run = found[0].run if found else None
    if left is not None and run != left:
        text = (
            f"the record of run {left} is gone from the host"
            if run is None
            else f"run {run} of another controller has worked on it since"
        )
        yield _changed(address, "database.record", (left, run), text, of=baseline)


def _changed(address: str, fact: str, values: tuple[Any, Any], text: str, *, of: Baseline) -> Drift:
    return Drift(
        kind=DriftKind.CHANGED,
        address=address,
        fact=fact,
        was=values[0],
        now=values[1],
        text=text,
        since_run=of.run,
    )


def _unknown(address: str, fact: str, value: Unknown, baseline: Baseline) -> Drift:
    return Drift(
        kind=DriftKind.UNKNOWN,
        address=address,
        fact=fact,
        was=None,
        now=None,
        text=f"it cannot be read any more: {value.reason}",
        since_run=baseline.run,
    )


def _plain(value: object) -> Any:
    return to_plain(value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return words.listed(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
