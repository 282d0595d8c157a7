"""Server Maintenance: which servers are taken down for an operator's own commands, and why not.

It is work on a server and not on a database. A member of an availability group goes into
maintenance mode for it; the databases of a server that is none are down for as long, by consent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from attrs import frozen

from goexchange.facts.catalogue import record_of
from goexchange.model.actual import (
    ActualDatabase,
    ActualHost,
    ActualServer,
    Generation,
    LookKind,
)
from goexchange.model.configuration import Inventory
from goexchange.model.desired import ActiveCopies, Consent, DesiredState, Script
from goexchange.model.plan import ConsentNeed, Decision, Need, Premise, Reason
from goexchange.model.server import SERVER_ID, SERVER_NAME
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.candidates import Scope
from goexchange.plan.consents import refuse_forbidden, unconfirmed_tools
from goexchange.plan.finding import Finding, Needed, fact_unknown
from goexchange.plan.looks import look_of
from goexchange.plan.member_mode import MemberMode, choose_mode
from goexchange.plan.of_servers import (
    meant_servers,
    nothing_due,
    open_runs,
    refuse,
    refuse_version_of,
)
from goexchange.plan.premises import premises_of_server_work
from goexchange.plan.refusals import refuse_unsupported
from goexchange.spec.scripts import OLD


@frozen(kw_only=True)
class ServerWork:
    """One server under one specification; `mode` where it is a member of an availability group,
    `alone` the databases that nobody else has a copy of, and that are mounted.
    """

    server_name: str
    spec: DesiredState
    needed: Needed
    server: ActualServer | None = None
    host: ActualHost | None = None
    mode: MemberMode | None = None
    alone: tuple[ActualDatabase, ...] = ()
    consents: tuple[ConsentNeed, ...] = ()

    @property
    def has_lane(self) -> bool:
        """Whether something is to be done."""
        return self.needed.need is Need.MAINTAIN

    @property
    def address(self) -> str:
        """`EX02/Server`."""
        return f"{self.server_name}/{SERVER_NAME}"

    @property
    def premises(self) -> tuple[Premise, ...]:
        """What must still hold when the plan is applied."""
        assert self.server is not None
        return premises_of_server_work(self.server, is_member=self.mode is not None)


def server_works(
    specifications: Sequence[DesiredState],
    inventory: Inventory,
    servers: Sequence[ActualServer],
    *,
    scope: Scope,
    at: datetime,
) -> tuple[ServerWork, ...]:
    """Decide about every server that a specification with the script means, in the order of their
    names.
    """
    meant = meant_servers(
        specifications, inventory, script=(Script.SERVER_MAINTENANCE, SERVER_NAME), scope=scope
    )
    works = tuple(_work(name, servers, specs, at) for name, specs in meant)
    return tuple(_unless_strewn(each, works) for each in works)


def decision_of_server(work: ServerWork) -> Decision:
    """The decision as the plan holds it."""
    outage_s = longest_s(work.spec) if work.has_lane else None
    return Decision(
        address=work.address,
        server=work.server_name,
        database=SERVER_NAME,
        need=work.needed.need,
        reasons=work.needed.reasons,
        explanation=work.needed.explanation,
        instead=work.needed.instead,
        size_bytes=None,
        white_space_bytes=None,
        file_since_utc=None,
        outage_s=outage_s,
        outage_p90_s=outage_s,
        specification=work.spec.name,
        origin=work.needed.origin,
    )


def longest_s(spec: DesiredState) -> int:
    """How long the server is down at most: every command to its limit, and back within its own."""
    return sum(each.timeout_s + each.back_within_s for each in spec.processes_down)


def _work(
    name: str, servers: Sequence[ActualServer], specs: Sequence[DesiredState], at: datetime
) -> ServerWork:
    spec = specs[0]
    server = next((each for each in servers if each.name.lower() == name.lower()), None)
    if len(specs) > 1:
        names = words.listed(each.name for each in specs)
        refused = refuse(
            specs[1],
            f"more than one specification takes it down: {names}",
            "narrow the targets so that each server has one specification",
        )
        return ServerWork(server_name=name, spec=spec, needed=refused)
    if server is None:
        unseen = fact_unknown("its state", Unknown("it was not observed"), origin=spec.script.place)
        return ServerWork(server_name=name, spec=spec, needed=unseen)
    refusal = next(_refusals(server, spec), None)
    needed = refusal or _due(server, spec, at)
    host = server.host
    if needed.need is not Need.MAINTAIN or isinstance(host, Unknown):
        return ServerWork(server_name=name, spec=spec, needed=needed)
    mode = None if server.group is None else choose_mode(server, servers, spec=spec)
    if isinstance(mode, Needed):
        return ServerWork(server_name=name, spec=spec, needed=mode)
    alone = tuple(_alone(server))
    consents = (
        *_unconfirmed(server, mode),
        *(_consents(server, spec, alone) if alone or mode is None else ()),
    )
    closed = refuse_forbidden(consents, spec)
    if closed is not None:
        return ServerWork(server_name=name, spec=spec, needed=closed)
    return ServerWork(
        server_name=name,
        spec=spec,
        needed=needed,
        server=server,
        host=host,
        mode=mode,
        alone=alone,
        consents=consents,
    )


def _due(server: ActualServer, spec: DesiredState, at: datetime) -> Needed:
    """Whether the commands ran lately, and the server came back well."""
    within_s = spec.conditions.maintained_within_s
    place = spec.conditions.maintained_within_place or spec.conditions.place
    if within_s is None:
        return nothing_due(spec, "the server")
    record = record_of(server, SERVER_ID)
    if isinstance(record, Unknown):
        return fact_unknown("when it was last maintained", record, origin=place)
    look = look_of(record, LookKind.SERVER)
    if look is None:
        text = "these commands never ran on it"
        found = Finding(reason=Reason.NEVER_MAINTAINED, text=text, place=place)
    elif (age_s := int((at - look.at_utc).total_seconds())) > within_s:
        text = f"last maintained {words.span(age_s)} ago, more than {words.span(within_s)}"
        found = Finding(reason=Reason.MAINTENANCE_TOO_OLD, text=text, place=place)
    else:
        return nothing_due(spec, "the server")
    commands = words.listed(each.name for each in spec.processes_down)
    return Needed(
        need=Need.MAINTAIN,
        reasons=(found.reason,),
        explanation=f"taken down for {commands}: {found.text}",
        origin=found.place,
    )


def _refusals(server: ActualServer, spec: DesiredState) -> Iterator[Needed]:
    """What makes the work impossible, whatever the server is; the first one is said."""
    place = spec.script.place
    host = server.host
    for refused in (refuse_version_of(server, spec), refuse_unsupported(spec)):
        if refused is not None:
            yield refused
    if isinstance(server.group, Unknown):
        yield fact_unknown("its availability group", server.group, origin=place)
    if isinstance(server.databases, Unknown):
        yield fact_unknown("its databases", server.databases, origin=place)
    else:
        for each in server.databases:
            for fact in (each.is_mounted, each.is_replicated):
                if isinstance(fact, Unknown):
                    yield fact_unknown(f"the state of {each.name}", fact, origin=place)
    if isinstance(host, Unknown):
        yield fact_unknown("the state of its host", host, origin=place)
    else:
        if isinstance(host.services, Unknown):
            yield fact_unknown("its services", host.services, origin=place)
        yield from open_runs(host, spec)


def _alone(server: ActualServer) -> Iterator[ActualDatabase]:
    databases = () if isinstance(server.databases, Unknown) else server.databases
    for each in databases:
        if each.is_replicated is False and each.is_mounted is True:
            yield each


def _unconfirmed(server: ActualServer, mode: MemberMode | None) -> Iterator[ConsentNeed]:
    """No pilot takes this consent away: it works on a database, and not with the cluster."""
    if not isinstance(server.generation, Generation) or server.generation not in OLD:
        return
    stays = () if mode is None else mode.stays
    yield ConsentNeed(
        consent=Consent.UNCONFIRMED_GENERATION,
        address=server.name,
        finding="; ".join((unconfirmed_tools(server.generation), *stays)),
    )


def _consents(
    server: ActualServer, spec: DesiredState, alone: Sequence[ActualDatabase]
) -> Iterator[ConsentNeed]:
    longest = words.span(longest_s(spec))
    names = words.listed(each.name for each in alone)
    down = f"{names} {'is' if len(alone) == 1 else 'are'} down" if alone else "the server is down"
    yield ConsentNeed(
        consent=Consent.SERVER_OUTAGE,
        address=f"{server.name}/{SERVER_NAME}",
        finding=f"{down} while the commands run, {longest} at most: there is no other member to"
        " take over",
    )


def _unless_strewn(work: ServerWork, works: Sequence[ServerWork]) -> ServerWork:
    """Active copies that stay where they went would lie on the next member of the same plan."""
    stays = work.spec.script.active_copies is ActiveCopies.STAY
    if work.mode is None or not stays:
        return work
    group = work.mode.group
    members = [each for each in works if each.mode is not None and each.mode.group == group]
    if len(members) < 2 or members[0] is work:
        return work
    refused = refuse(
        work.spec,
        f"{members[0].server_name} of {group} is maintained by the same plan, and its active copies"
        " stay where they go: where they will be then is not known now",
        "plan this server when the other one is done, or write `script.active_copies: return`",
    )
    return ServerWork(server_name=work.server_name, spec=work.spec, needed=refused)
