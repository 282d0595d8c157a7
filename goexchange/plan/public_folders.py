"""Databases with public folders (Exchange 2007 and 2010): what is refused of them, and the lane of
one that is well: the same road, with the cmdlets that find it.
"""

from __future__ import annotations

from attrs import evolve

from goexchange.model.actual import ActualDatabase, ActualServer, Generation
from goexchange.model.desired import DesiredState
from goexchange.model.plan import Call, ExchangeCall, Lane, Need, Reason, ScriptCall, Step
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.finding import Needed, fact_unknown, not_possible
from goexchange.plan.treatment import Passes
from goexchange.powershell.public_folders import OWN_CMDLETS, in_own_words


def refuse_public_folders(
    server: ActualServer, database: ActualDatabase, needed: Needed, spec: DesiredState
) -> Needed | None:
    """Why such a database is left alone tonight, if something is in the way."""
    treatment = needed.treatment
    if not database.is_public_folder or needed.need in (Need.MOUNT, Need.ONLINE_BACKUP):
        return None
    if treatment.repairs:
        return not_possible(
            Reason.NOT_YET_EXECUTED,
            "repair with possible loss is not executed on a database with public folders: what it"
            " leaves is for a repair request of their own kind, and for their other replicas",
            origin=spec.script.place,
            instead="goexchange restore, from a set taken before the damage; or let the folders be"
            " filled again from another replica",
        )
    by_store = server.generation is not Generation.EXCHANGE_2007
    if treatment.passes is not Passes.NONE and by_store and _has_passes(needed, spec):
        return not_possible(
            Reason.NOT_YET_EXECUTED,
            f"{needed.explanation}; its database holds public folders, and the store's repair"
            " requests for those are others, which are not executed",
            origin=spec.script.error_correction.place,
            instead="offline-defrag or the offline diagnostics; error_correction with no passes",
        )
    return _backlog(database, spec) if treatment.is_offline else None


def as_public_folder(lane: Lane, database: ActualDatabase) -> Lane:
    """The lane with the cmdlets that find such a database, in what is sent, in what is looked at,
    and in the text for a person; that of a mailbox database as it is.
    """
    if not database.is_public_folder:
        return lane
    return evolve(lane, steps=tuple(map(_step, lane.steps)))


def _has_passes(needed: Needed, spec: DesiredState) -> bool:
    """Whether the store would be asked for any: a detection always asks."""
    correction = spec.script.error_correction
    after = correction.defragmented_passes_max if needed.treatment.rebuilds else 0
    is_detection = needed.treatment.passes is Passes.DETECT
    return bool(is_detection or correction.primary_passes_max or after)


def _backlog(database: ActualDatabase, spec: DesiredState) -> Needed | None:
    waiting = database.replication_backlog
    if isinstance(waiting, Unknown):
        return fact_unknown("its replication backlog", waiting, origin=spec.script.place)
    if not waiting:
        return None
    return not_possible(
        Reason.BLOCKED_BY_GUARD,
        f"it holds public folders, and {words.counted(waiting, 'replication message')} are still to"
        " be worked in: its file is behind those of other servers, and an outage leaves it further"
        " behind",
        origin=spec.script.place,
        instead="wait until the queue is empty (counter MSExchangeIS Public, Replication Receive"
        " Queue Size), and plan again",
    )


def _step(step: Step) -> Step:
    probe = step.probe
    if probe is not None and isinstance(probe.call, ExchangeCall):
        probe = evolve(probe, call=_cmdlet(probe.call))
    return evolve(step, call=_call(step.call), probe=probe)


def _cmdlet(call: ExchangeCall) -> ExchangeCall:
    return evolve(call, cmdlet=OWN_CMDLETS.get(call.cmdlet, call.cmdlet))


def _call(call: Call) -> Call:
    if isinstance(call, ExchangeCall):
        return _cmdlet(call)
    if isinstance(call, ScriptCall) and "text" in call.arguments:
        text = in_own_words(str(call.arguments["text"]))
        return evolve(call, arguments={**call.arguments, "text": text})
    return call
