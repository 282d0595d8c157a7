"""What one database needs, and why: its desired state compared with what was seen.

Nothing is guessed: where a fact that decides is unknown, the answer is *not possible*, with the
fact and its reason.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from goexchange.facts.catalogue import record_of, white_space_ratio
from goexchange.facts.of_2003 import NO_BACKUP_EVENT
from goexchange.model.actual import ActualDatabase, ActualServer, DatabaseRecord
from goexchange.model.desired import DesiredState, ReplicatedRebuild, VerifyMode
from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown, known
from goexchange.plan import words
from goexchange.plan.finding import Finding, Needed, fact_unknown, not_possible
from goexchange.plan.looks import copied, measured, verified
from goexchange.plan.moving import move_mailboxes, move_out
from goexchange.plan.treatment import Treatment, treatment_of
from goexchange.spec.scripts import Condition, is_served

MEASURE_NOTHING = (
    "the white space that Exchange tells is the least that a rebuild gives back; that the tool"
    " measures a copy, which is not shut down cleanly, is unconfirmed"
)
BY_CONSENT = (
    "set `script.rebuild.replicated: by-consent`, and consent to the plan that then suspends its"
    " copies and seeds them anew"
)
CORRECT_ONLINE = "online-error-correction, with the store mounted"
BACK_UP_ONLINE = "an online backup: `desired.online_full_backup_within`"
WITHOUT_OUTAGE = (
    "`script.verify: offline` asks for the outage; without one, online-error-diagnostic detects"
    " errors, and the white space that Exchange tells is the least that a rebuild gives back"
)
_HEAVIEST = (
    Need.REBUILD,
    Need.CORRECT,
    Need.VERIFY,
    Need.MEASURE,
    Need.OFFLINE_BACKUP,
    Need.ONLINE_BACKUP,
)


def decide(
    database: ActualDatabase, server: ActualServer, *, spec: DesiredState, at: datetime
) -> Needed:
    """Return what the database needs under the specification at that moment."""
    refused = refused_identity(database, spec)
    if refused is not None:
        return refused
    if known(database.is_mounted) is False:
        return _dismounted(database, spec)
    return _mounted(database, server, spec, at)


def refused_identity(database: ActualDatabase, spec: DesiredState) -> Needed | None:
    """What makes every work on it impossible: it is a recovery database, or what it is is not
    known.
    """
    if database.is_recovery is True:
        return not_possible(
            Reason.RECOVERY_DATABASE,
            "it is a recovery database: maintenance never touches one",
            origin=spec.targets.place,
            instead="exclude it from the specification, or remove it when the recovery is done",
        )
    unknown = _unknown_identity(database)
    return None if unknown is None else evolve(unknown, origin=spec.targets.place)


def copies(database: ActualDatabase) -> int:
    """How many copies there are; both facts of it have been made sure of before."""
    return max(len(known(database.copies)), 2 if known(database.is_replicated) else 1)


def _unknown_identity(database: ActualDatabase) -> Needed | None:
    facts = {
        "whether it is a recovery database": database.is_recovery,
        "whether it is mounted": database.is_mounted,
        "the list of its copies": database.copies,
        "whether it is replicated": database.is_replicated,
    }
    for fact, value in facts.items():
        if isinstance(value, Unknown):
            return not_possible(
                Reason.FACT_UNKNOWN,
                f"{fact} is unknown: {value.reason}",
                origin=None,
                instead="see `goexchange observe`, mend what it names, and plan again",
            )
    return None


def _dismounted(database: ActualDatabase, spec: DesiredState) -> Needed:
    if spec.conditions.mounted:
        return Needed(
            need=Need.MOUNT,
            reasons=(Reason.DISMOUNTED,),
            explanation="it is dismounted and has to be mounted; what else it needs is seen"
            " once it is",
            origin=spec.conditions.mounted_place,
        )
    asked = (
        spec.conditions.white_space_max,
        spec.conditions.verified_within_s,
        spec.conditions.measured_within_s,
        spec.conditions.offline_backup_within_s,
        spec.conditions.online_full_backup_within_s,
    )
    if all(each is None for each in asked):
        return _meets(spec, (), "it is dismounted, and the specification asks for nothing else")
    return not_possible(
        Reason.DISMOUNTED,
        "it is dismounted, and what the specification asks for can only be seen while it is"
        " mounted",
        origin=spec.conditions.mounted_place,
        instead="mount it, or set `desired.mounted: true`",
    )


def _mounted(
    database: ActualDatabase, server: ActualServer, spec: DesiredState, at: datetime
) -> Needed:
    found: list[Finding] = []
    for answer in (
        _space(database, server, spec, at),
        verified(server, database, spec=spec, at=at),
        measured(server, database.guid, spec=spec, at=at),
        copied(server, database.guid, spec=spec, at=at),
        _backed_up(database, spec, at),
        _repaired(server, database, spec),
    ):
        if isinstance(answer, Needed):
            return answer
        if answer is not None:
            found.append(answer)
    wanted = [each for each in found if each.need is not None]
    if wanted:
        lead = min(wanted, key=lambda each: _HEAVIEST.index(each.need or Need.NOTHING))
        return _work(database, lead, found, spec)
    brakes = tuple(each.reason for each in found)
    return _meets(spec, brakes, "; ".join(each.text for each in found) or _well(database))


def _work(
    database: ActualDatabase, lead: Finding, found: list[Finding], spec: DesiredState
) -> Needed:
    assert lead.need is not None
    treatment = treatment_of(lead.need, spec.script)
    is_replicated = copies(database) > 1
    by_consent = spec.script.rebuild.replicated is ReplicatedRebuild.BY_CONSENT
    if treatment.rebuilds and is_replicated and by_consent:
        treatment = evolve(treatment, holds_copies=True)
    if treatment.only_looks and is_replicated:
        return _on_copy(lead, found, treatment)
    where = "; rebuilt on its active copy, the others seeded anew" * treatment.holds_copies
    refused = _refused_for_outage(lead, treatment, spec) or _refused_for_copies(
        database, lead, treatment
    )
    if refused is not None:
        return refused
    return Needed(
        need=lead.need,
        reasons=tuple(each.reason for each in found),
        explanation="; ".join(each.text for each in found) + where,
        origin=lead.place,
        is_backed_up_too=treatment.rebuilds
        or any(each.need is Need.ONLINE_BACKUP for each in found),
        treatment=treatment,
    )


def _on_copy(lead: Finding, found: list[Finding], treatment: Treatment) -> Needed:
    """A replicated database is never taken down to be looked at: a passive copy is, suspended."""
    assert lead.need is not None
    if not treatment.detects:
        return not_possible(
            Reason.MORE_THAN_ONE_COPY,
            f"{lead.text}; it has copies, and its space is not measured on one",
            origin=lead.place,
            instead=MEASURE_NOTHING,
        )
    return Needed(
        need=lead.need,
        reasons=tuple(each.reason for each in found),
        explanation="; ".join(each.text for each in found) + "; looked at on a passive copy",
        origin=lead.place,
        is_backed_up_too=any(each.need is Need.ONLINE_BACKUP for each in found),
        treatment=Treatment(detects=True, is_on_copy=True),
    )


def _refused_for_outage(lead: Finding, treatment: Treatment, spec: DesiredState) -> Needed | None:
    """Nothing is taken down only to be looked at unless the specification says so."""
    if not treatment.only_looks or spec.script.verify is VerifyMode.OFFLINE:
        return None
    return not_possible(
        Reason.OUTAGE_NOT_ASKED_FOR,
        f"{lead.text}; {spec.script.script.value} takes a database down to look at its file, and"
        f" `script.verify` is {spec.script.verify.value}",
        origin=spec.script.place,
        instead=WITHOUT_OUTAGE,
    )


def _space(
    database: ActualDatabase, server: ActualServer, spec: DesiredState, at: datetime
) -> Finding | Needed | None:
    maximum = spec.conditions.white_space_max
    place = spec.conditions.white_space_max_place
    if maximum is None:
        return None
    ratio = white_space_ratio(database)
    if isinstance(ratio, Unknown):
        return fact_unknown("its white space", ratio, origin=place)
    if ratio <= maximum:
        return None
    white = known(database.white_space_bytes)
    over = f"white space {words.size(white)}, {words.share(ratio)} > {words.share(maximum)}"
    if not is_served(spec.script.script, Condition.WHITE_SPACE):
        text = f"{over}, and {spec.script.script.value} does not rebuild"
        return Finding(reason=Reason.NOT_IN_SCRIPT, text=text, place=place)
    record = record_of(server, database.guid)
    if isinstance(record, Unknown):
        return fact_unknown("when it was last rebuilt", record, origin=place)
    brake = _brake(white, record, spec, at)
    if brake is None:
        return Finding(
            reason=Reason.WHITE_SPACE_OVER_MAXIMUM, text=over, place=place, need=Need.REBUILD
        )
    return evolve(brake, text=f"{over}, but {brake.text}")


def _brake(
    white: int, record: DatabaseRecord | None, spec: DesiredState, at: datetime
) -> Finding | None:
    brake = spec.script.rebuild
    if record is not None and record.rebuilt_at_utc is not None:
        age_s = int((at - record.rebuilt_at_utc).total_seconds())
        if record.rebuild_goal_met is False:
            return Finding(
                reason=Reason.REBUILD_MISSED_GOAL,
                text=f"the rebuild of {words.day(record.rebuilt_at_utc)} missed its goal:"
                " another one would not do better",
                place=brake.place,
            )
        if age_s < brake.not_again_within_s:
            return Finding(
                reason=Reason.REBUILT_RECENTLY,
                text=f"it was rebuilt on {words.day(record.rebuilt_at_utc)}, less than"
                f" {words.span(brake.not_again_within_s)} ago",
                place=brake.place,
            )
    if white < brake.gain_min_bytes:
        return Finding(
            reason=Reason.GAIN_TOO_SMALL,
            text=f"a rebuild would gain less than {words.size(brake.gain_min_bytes)}",
            place=brake.place,
        )
    return None


def _backed_up(
    database: ActualDatabase, spec: DesiredState, at: datetime
) -> Finding | Needed | None:
    within_s = spec.conditions.online_full_backup_within_s
    place = spec.conditions.online_full_backup_within_place
    if within_s is None:
        return None
    last = database.last_full_backup_utc
    if last == NO_BACKUP_EVENT:  # older than the events, or never: one more does no harm
        return Finding(
            reason=Reason.BACKUP_TOO_OLD,
            text=NO_BACKUP_EVENT.reason,
            place=place,
            need=Need.ONLINE_BACKUP,
        )
    if isinstance(last, Unknown):
        return fact_unknown("its last full backup", last, origin=place)
    if last is None:
        return Finding(
            reason=Reason.NEVER_BACKED_UP,
            text="the present file has never had an online full backup",
            place=place,
            need=Need.ONLINE_BACKUP,
        )
    age_s = int((at - last).total_seconds())
    if age_s <= within_s:
        return None
    return Finding(
        reason=Reason.BACKUP_TOO_OLD,
        text=f"last online full backup {words.span(age_s)} ago, more than {words.span(within_s)}",
        place=place,
        need=Need.ONLINE_BACKUP,
    )


def _repaired(
    server: ActualServer, database: ActualDatabase, spec: DesiredState
) -> Finding | None:
    """Told as long as it is used: nobody stays on a repaired file."""
    record = record_of(server, database.guid)
    if isinstance(record, Unknown) or record is None or record.repaired_at_utc is None:
        return None
    return Finding(
        reason=Reason.REPAIRED,
        text=f"it was repaired with possible loss on {words.day(record.repaired_at_utc)}:"
        f" {move_out(database)}",
        place=spec.targets.place,
    )


def _refused_for_copies(
    database: ActualDatabase, lead: Finding, treatment: Treatment
) -> Needed | None:
    number = copies(database)
    if number == 1 or not treatment.is_offline or treatment.holds_copies:
        return None
    where = words.listed(known(database.copies)) or "its availability group"
    if treatment.rebuilds:
        text = "an offline rebuild would break them"
        instead = f"{move_mailboxes(database)}; or {BY_CONSENT}"
    elif lead.need is Need.CORRECT:
        text, instead = "it is not taken down to be corrected", CORRECT_ONLINE
    else:
        text, instead = "it is not taken down to be copied", BACK_UP_ONLINE
    return not_possible(
        Reason.MORE_THAN_ONE_COPY,
        f"{number} copies ({where}): {text}",
        origin=lead.place,
        instead=instead,
    )


def _meets(spec: DesiredState, brakes: tuple[Reason, ...], text: str) -> Needed:
    return Needed(
        need=Need.NOTHING,
        reasons=brakes or (Reason.MEETS_SPECIFICATION,),
        explanation=text,
        origin=spec.conditions.place,
    )


def _well(database: ActualDatabase) -> str:
    ratio = white_space_ratio(database)
    if isinstance(ratio, Unknown):
        return "it meets the specification"
    white = known(database.white_space_bytes)
    return f"it meets the specification (white space {words.size(white)}, {words.share(ratio)})"
