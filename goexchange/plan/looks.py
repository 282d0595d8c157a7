"""What the record of a database says of earlier looks, held against what the script has to see.

A look counts as long as it found no error: one that did is asked for again, and what it found is
said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from goexchange.facts.catalogue import record_of
from goexchange.model.actual import ActualDatabase, ActualServer, DatabaseRecord, Look, LookKind
from goexchange.model.desired import DesiredState, Script
from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown
from goexchange.plan import words
from goexchange.plan.finding import Finding, Needed, fact_unknown, not_possible
from goexchange.plan.treatment import need_of_verification
from goexchange.spec.scripts import Condition, is_served

FILE_LOOKS = (LookKind.PAGES, LookKind.STRUCTURE)
LOOKS: Mapping[Script, tuple[LookKind, ...]] = {
    Script.STORE_ERROR_CORRECTION: (LookKind.CORRECTED, *FILE_LOOKS),
    Script.ONLINE_ERROR_CORRECTION: (LookKind.CORRECTED,),
    Script.ONLINE_ERROR_DIAGNOSTIC: (LookKind.LOGICAL,),
    Script.OFFLINE_DIAGNOSTIC_REPORT: FILE_LOOKS,
}
"""What has to have been seen without errors for `verified_within`; Preventative Maintenance is
content with any look at the whole database.
"""

_NAMES = {
    LookKind.PAGES: "page checksums of the file",
    LookKind.STRUCTURE: "integrity of the file",
    LookKind.LOGICAL: "the store's own detection",
    LookKind.CORRECTED: "the store's own correction",
    LookKind.SPACE: "the space inside the file",
}
_REPAIR_INSTEAD = (
    "goexchange restore, from a set taken before the damage, or move its mailboxes to a fresh"
    " database; keep the file and all its logs as evidence. As a last resort"
    " `goexchange plan SPEC --repair DATABASE` plans a repair, which needs a consent of its own. If"
    " it was mended meanwhile: offline-diagnostic-report looks again"
)


def look_of(record: DatabaseRecord | None, kind: LookKind) -> Look | None:
    """The last look of a kind."""
    looks = () if record is None else record.looks
    return next((each for each in looks if each.kind is kind), None)


def verified(
    server: ActualServer, database: ActualDatabase, *, spec: DesiredState, at: datetime
) -> Finding | Needed | None:
    """What the script has still to see for `verified_within`; None where everything was seen."""
    within_s, script = spec.conditions.verified_within_s, spec.script.script
    place = spec.conditions.verified_within_place
    if within_s is None or not is_served(script, Condition.VERIFIED):
        return None
    record = record_of(server, database.guid)
    if isinstance(record, Unknown):
        return fact_unknown("when it was last verified", record, origin=place)
    if script is Script.STORE_ERROR_CORRECTION:
        damaged = _damaged(record, spec)
        if damaged is not None:
            return damaged
    need = need_of_verification(script)
    kinds = LOOKS.get(script, ())
    if database.is_replicated is True:  # looked at on a copy, where only pages can be checked
        kinds = tuple(each for each in kinds if each is not LookKind.STRUCTURE)
    if not kinds:
        moment = None if record is None else record.verified_at_utc
        return _aged(moment, within_s, at, spec)
    missing = [each for each in kinds if look_of(record, each) is None]
    if missing:
        names = words.listed(_NAMES[each] for each in missing)
        text = "never verified" if len(missing) == len(kinds) else f"never looked at: {names}"
        return Finding(reason=Reason.NEVER_VERIFIED, text=text, place=place, need=need)
    seen = [each for each in (look_of(record, kind) for kind in kinds) if each is not None]
    bad = [each for each in seen if each.errors]
    if bad:
        found = words.counted(sum(each.errors for each in bad), "error")
        text = f"{found} found by {_NAMES[bad[0].kind]} on {words.day(bad[0].at_utc)}"
        return Finding(reason=Reason.ERRORS_FOUND, text=text, place=place, need=need)
    oldest = min(seen, key=lambda each: each.at_utc)
    return _aged(oldest.at_utc, within_s, at, spec)


def measured(
    server: ActualServer, guid: str, *, spec: DesiredState, at: datetime
) -> Finding | Needed | None:
    """Whether the space inside the file is to be measured."""
    within_s, place = spec.conditions.measured_within_s, spec.conditions.measured_within_place
    if within_s is None or not is_served(spec.script.script, Condition.MEASURED):
        return None
    record = record_of(server, guid)
    if isinstance(record, Unknown):
        return fact_unknown("when its space was last measured", record, origin=place)
    look = look_of(record, LookKind.SPACE)
    if look is None:
        return Finding(
            reason=Reason.NEVER_MEASURED,
            text="its space was never measured",
            place=place,
            need=Need.MEASURE,
        )
    age_s = int((at - look.at_utc).total_seconds())
    if age_s <= within_s:
        return None
    return Finding(
        reason=Reason.MEASUREMENT_TOO_OLD,
        text=f"its space was measured {words.span(age_s)} ago, more than {words.span(within_s)}",
        place=place,
        need=Need.MEASURE,
    )


def copied(
    server: ActualServer, guid: str, *, spec: DesiredState, at: datetime
) -> Finding | Needed | None:
    """Whether an offline set is to be taken for its own sake."""
    within_s = spec.conditions.offline_backup_within_s
    place = spec.conditions.offline_backup_within_place
    if within_s is None or not is_served(spec.script.script, Condition.OFFLINE_BACKUP):
        return None
    record = record_of(server, guid)
    if isinstance(record, Unknown):
        return fact_unknown("when its last offline set was taken", record, origin=place)
    taken = None if record is None else record.set_taken_at_utc
    if taken is None:
        return Finding(
            reason=Reason.NO_OFFLINE_SET,
            text="no verified offline set of it is on record",
            place=place,
            need=Need.OFFLINE_BACKUP,
        )
    age_s = int((at - taken).total_seconds())
    if age_s <= within_s:
        return None
    return Finding(
        reason=Reason.OFFLINE_SET_TOO_OLD,
        text=f"last offline set {words.span(age_s)} ago, more than {words.span(within_s)}",
        place=place,
        need=Need.OFFLINE_BACKUP,
    )


def _aged(
    moment: datetime | None, within_s: int, at: datetime, spec: DesiredState
) -> Finding | None:
    place, need = spec.conditions.verified_within_place, need_of_verification(spec.script.script)
    if moment is None:
        return Finding(
            reason=Reason.NEVER_VERIFIED, text="never verified", place=place, need=need
        )
    age_s = int((at - moment).total_seconds())
    if age_s <= within_s:
        return None
    return Finding(
        reason=Reason.VERIFICATION_TOO_OLD,
        text=f"last verified {words.span(age_s)} ago, more than {words.span(within_s)}",
        place=place,
        need=need,
    )


def damage_on_record(record: DatabaseRecord | None) -> str | None:
    """The damage that the last looks at the file found, in words; None where they found none."""
    found = [look_of(record, kind) for kind in FILE_LOOKS]
    bad = [each for each in found if each is not None and each.errors]
    if not bad:
        return None
    return (
        f"{_NAMES[bad[0].kind]} had {words.counted(bad[0].errors, 'error')} on"
        f" {words.day(bad[0].at_utc)}"
    )


def _damaged(record: DatabaseRecord | None, spec: DesiredState) -> Needed | None:
    """A file with errors: what would remove them can lose data, and a person has to ask for it."""
    damage = damage_on_record(record)
    if damage is None:
        return None
    return not_possible(
        Reason.REPAIR_MAY_LOSE_DATA,
        f"{damage}: only a repair that may lose data removes errors of a file, and no specification"
        " asks for one",
        origin=spec.script.place,
        instead=_REPAIR_INSTEAD,
    )
