"""MTA Error Correction: what the message transfer agent of a server needs, and why.

It is work on a server and not on a mailbox database: the stores stay mounted all the while.
Source: the vendor's knowledge base, articles on Mtacheck; a tool for repair, not for routine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil
from ntpath import join

from attrs import evolve, frozen

from goexchange.facts.catalogue import record_of
from goexchange.facts.places import volume_of
from goexchange.model.actual import ActualHost, ActualMta, ActualServer, Generation, LookKind
from goexchange.model.configuration import Inventory
from goexchange.model.desired import Consent, DesiredState, OfflineBackup, Script
from goexchange.model.mta import MTA_ID, MTA_NAME
from goexchange.model.plan import ConsentNeed, Decision, Need, Premise, Reason
from goexchange.model.unknown import Unknown, known
from goexchange.plan import words
from goexchange.plan.accounts import refuse_account
from goexchange.plan.candidates import Scope
from goexchange.plan.clusters import refuse_agent_on_cluster
from goexchange.plan.consents import refuse_forbidden, unconfirmed_tools
from goexchange.plan.finding import Finding, Needed, fact_unknown, not_possible
from goexchange.plan.looks import look_of
from goexchange.plan.of_servers import (
    meant_servers,
    nothing_due,
    open_runs,
    refuse,
    refuse_version_of,
)
from goexchange.plan.paths import is_share, stamp_text
from goexchange.plan.premises import premises_of_mta
from goexchange.plan.refusals import refuse_unsupported
from goexchange.plan.services import missing_service

ROOM = 1.1  # of what is copied


@frozen(kw_only=True)
class MtaWork:
    """The message transfer agent of one server under one specification; `evidence` is the folder of
    the copy and of what is taken out, where there is work.
    """

    server_name: str
    spec: DesiredState
    needed: Needed
    server: ActualServer | None = None
    host: ActualHost | None = None
    mta: ActualMta | None = None
    evidence: str = ""
    consents: tuple[ConsentNeed, ...] = ()

    @property
    def has_lane(self) -> bool:
        """Whether something is to be done."""
        return self.mta is not None and self.needed.need is Need.CORRECT

    @property
    def address(self) -> str:
        """`EX07/MTA`."""
        return f"{self.server_name}/{MTA_NAME}"

    @property
    def premises(self) -> tuple[Premise, ...]:
        """What must still hold when the plan is applied."""
        assert self.server is not None
        return premises_of_mta(self.server)


def mta_works(
    specifications: Sequence[DesiredState],
    inventory: Inventory,
    servers: Sequence[ActualServer],
    *,
    scope: Scope,
    at: datetime,
) -> tuple[MtaWork, ...]:
    """Decide about the message transfer agent of every server that a specification with the script
    means, in the order of their names.
    """
    seen = {each.name.lower(): each for each in servers}
    meant = meant_servers(
        specifications, inventory, script=(Script.MTA_ERROR_CORRECTION, MTA_NAME), scope=scope
    )
    works = (_work(name, seen.get(name.lower()), specs, at) for name, specs in meant)
    return tuple(_held_to_account(each, inventory) for each in works)


def _held_to_account(work: MtaWork, inventory: Inventory) -> MtaWork:
    """Refused where the target is written as an account that no task of the host can run as."""
    server = work.server
    if work.needed.need is not Need.CORRECT or server is None:
        return work
    generation, host = known(server.generation), known(server.host)
    refused = refuse_account(work.spec, generation, host, inventory=inventory)
    return work if refused is None else evolve(work, needed=refused)


def decision_of_mta(work: MtaWork) -> Decision:
    """The decision as the plan holds it."""
    needed = work.needed
    return Decision(
        address=work.address,
        server=work.server_name,
        database=MTA_NAME,
        need=needed.need,
        reasons=needed.reasons,
        explanation=needed.explanation,
        instead=needed.instead,
        size_bytes=None if work.mta is None else work.mta.size_bytes,
        white_space_bytes=None,
        file_since_utc=None,
        outage_s=None,
        outage_p90_s=None,
        specification=work.spec.name,
        origin=needed.origin,
    )


def _work(
    name: str, server: ActualServer | None, specs: Sequence[DesiredState], at: datetime
) -> MtaWork:
    spec = specs[0]
    place = spec.targets.place
    if server is None:
        unseen = fact_unknown("its state", Unknown("it was not observed"), origin=place)
        return MtaWork(server_name=name, spec=spec, needed=unseen)
    if len(specs) > 1:
        names = words.listed(each.name for each in specs)
        twice = not_possible(
            Reason.BLOCKED_BY_GUARD,
            f"more than one specification means it: {names}",
            origin=specs[1].targets.place,
            instead="narrow the targets so that each server has one specification",
        )
        return MtaWork(server_name=name, spec=spec, needed=twice)
    refused = refuse_version_of(server, spec) or refuse_agent_on_cluster(server, spec)
    host, mta = server.host, server.mta
    if refused is None and isinstance(host, Unknown):
        refused = fact_unknown("the state of its host", host, origin=place)
    if refused is None and isinstance(mta, Unknown):
        refused = fact_unknown("its message transfer agent", mta, origin=place)
    if refused is None and mta is None:
        refused = not_possible(
            Reason.BLOCKED_BY_GUARD,
            "the server has no service MSExchangeMTA",
            origin=place,
            instead="take it out of the specification's targets",
        )
    if refused is not None or isinstance(mta, Unknown) or mta is None or isinstance(host, Unknown):
        return MtaWork(server_name=name, spec=spec, needed=refused or _nothing(spec))
    needed = _due(server, spec, at)
    if needed.need is not Need.CORRECT:
        return MtaWork(server_name=name, spec=spec, needed=needed, server=server, mta=mta)
    refusal = next(_refusals(host, mta, spec), None)
    if refusal is not None:
        return MtaWork(server_name=name, spec=spec, needed=refusal, server=server, mta=mta)
    offline = spec.backup_before.offline
    assert offline is not None
    consents = tuple(_consents(server, mta, spec))
    closed = refuse_forbidden(consents, spec)
    if closed is not None:
        return MtaWork(server_name=name, spec=spec, needed=closed, server=server, mta=mta)
    return MtaWork(
        server_name=name,
        spec=spec,
        needed=needed,
        server=server,
        host=host,
        mta=mta,
        evidence=join(offline.target.path, name, MTA_NAME, stamp_text(at)),
        consents=consents,
    )


def _due(server: ActualServer, spec: DesiredState, at: datetime) -> Needed:
    """Whether the queue database was looked at lately, and found clean."""
    within_s, place = spec.conditions.verified_within_s, spec.conditions.verified_within_place
    if within_s is None:
        return _nothing(spec)
    record = record_of(server, MTA_ID)
    if isinstance(record, Unknown):
        return fact_unknown("when it was last verified", record, origin=place)
    look = look_of(record, LookKind.QUEUES)
    if look is None:
        found = Finding(reason=Reason.NEVER_VERIFIED, text="never verified", place=place)
    elif look.errors:
        text = f"{words.counted(look.errors, 'error')} found on {words.day(look.at_utc)}"
        found = Finding(reason=Reason.ERRORS_FOUND, text=text, place=place)
    elif (age_s := int((at - look.at_utc).total_seconds())) > within_s:
        text = f"last verified {words.span(age_s)} ago, more than {words.span(within_s)}"
        found = Finding(reason=Reason.VERIFICATION_TOO_OLD, text=text, place=place)
    else:
        return _nothing(spec)
    return Needed(
        need=Need.CORRECT,
        reasons=(found.reason,),
        explanation=f"queue database of the message transfer agent: {found.text};"
        " the stores stay mounted",
        origin=found.place,
    )


def _nothing(spec: DesiredState) -> Needed:
    return nothing_due(spec, "its message transfer agent")


def _refusals(host: ActualHost, mta: ActualMta, spec: DesiredState) -> Iterator[Needed]:
    """What makes the work impossible; the first one is said."""
    for refused in (refuse_unsupported(spec), missing_service(host, spec)):
        if refused is not None:
            yield refused
    for fact, value in (("the path of mtacheck", mta.tool), ("its data folder", mta.data_folder)):
        if isinstance(value, Unknown):
            yield fact_unknown(fact, value, origin=spec.script.place)
    if mta.taken_out:
        yield refuse(
            spec,
            f"mtacheck.out holds {words.counted(mta.taken_out, 'file')} of an earlier check, and"
            " mtacheck wants it empty",
            "look at them, and move them to a safe place",
        )
    if not spec.script.error_correction.primary_passes_max:
        yield refuse(
            spec, "`error_correction.primary_passes_max` is 0: nothing would be checked", "allow 1"
        )
    offline = spec.backup_before.offline
    if offline is None:
        yield refuse(
            spec,
            "mtacheck repairs while it looks, so a copy of the queue database is taken before, and"
            " the specification declares no place for it",
            "declare `backup.before.offline` with its target",
        )
    elif spec.backup_before.online is not None or spec.backup_after.online is not None:
        yield refuse(
            spec,
            "an online backup saves the stores and not the message transfer agent",
            "take the online backup out of the specification, or give it one of its own",
        )
    else:
        yield from _room(host, mta, spec, offline=offline)
    yield from open_runs(host, spec, identity=MTA_ID)


def _room(
    host: ActualHost, mta: ActualMta, spec: DesiredState, *, offline: OfflineBackup
) -> Iterator[Needed]:
    if is_share(offline.target.path):
        return  # what is free there is not observed: the copy ends where it is full
    volume = volume_of(host, offline.target.path.rstrip("\\") + "\\")
    if isinstance(volume, Unknown):
        yield fact_unknown("the volume of the copy", volume, origin=offline.target.place)
    elif volume.free_bytes < ceil(ROOM * mta.size_bytes):
        yield refuse(
            spec,
            f"{volume.mount_point} has {words.size(volume.free_bytes)} free, and the copy needs"
            f" {words.size(ceil(ROOM * mta.size_bytes))}",
            "free space there, or name another target",
        )


def _consents(server: ActualServer, mta: ActualMta, spec: DesiredState) -> Iterator[ConsentNeed]:
    assert isinstance(server.generation, Generation)
    yield ConsentNeed(
        consent=Consent.UNCONFIRMED_GENERATION,
        address=server.name,
        finding=unconfirmed_tools(server.generation),
    )
    told = [f"event {each.event_id} on {words.day(each.at_utc)}" for each in mta.events[:3]]
    since = f"; the MTA logged {words.listed(told)}" if told else ""
    removes = [each.value.replace("-", " ") for each in spec.script.mta_removes]
    also = f", and removes every {words.listed(removes)} message" if removes else ""
    yield ConsentNeed(
        consent=Consent.REPAIR_MAY_LOSE_DATA,
        address=f"{server.name}/{MTA_NAME}",
        finding="mtacheck repairs while it looks: it rebuilds queues and takes damaged messages out"
        f" of them, which nobody receives then{also}{since}",
    )
