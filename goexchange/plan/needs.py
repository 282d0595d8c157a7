"""What one database needs, and why: its desired state compared with what was seen.

Nothing is guessed: where a fact that decides is unknown, the answer is *not possible*, with the
fact and its reason.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen

from goexchange.errors import Place
from goexchange.facts.catalogue import record_of, white_space_ratio
from goexchange.model.actual import ActualDatabase, ActualServer, DatabaseRecord
from goexchange.model.desired import DesiredState, VerifyMode
from goexchange.model.plan import Need, Reason
from goexchange.model.unknown import Unknown, known
from goexchange.plan import words

MOVE_MAILBOXES = (
    "move its mailboxes to a fresh database (New-MoveRequest), which gives the space back"
    " without an outage"
)
DETECT_ON_COPY = "detect errors on a suspended passive copy"


@frozen(kw_only=True)
class Finding:
    """One condition that does not hold (or a brake that holds), in words with figures."""

    reason: Reason
    text: str
    place: Place


@frozen(kw_only=True)
class Needed:
    """The decision for one database.

    Shape: `need` is the heaviest work; `is_verified_too` and `is_backed_up_too` say what its lane
    does besides.
    """

    need: Need
    reasons: tuple[Reason, ...]
    explanation: str
    instead: str | None = None
    origin: Place | None = None
    is_verified_too: bool = False
    is_backed_up_too: bool = False


def decide(
    database: ActualDatabase, server: ActualServer, *, spec: DesiredState, at: datetime
) -> Needed:
    """Return what the database needs under the specification at that moment."""
    if database.is_recovery is True:
        return not_possible(
            Reason.RECOVERY_DATABASE,
            "it is a recovery database: maintenance never touches one",
            origin=spec.targets.place,
            instead="exclude it from the specification, or remove it when the recovery is done",
        )
    unknown = _unknown_identity(database)
    if unknown is not None:
        return evolve(unknown, origin=spec.targets.place)
    if known(database.is_mounted) is False:
        return _dismounted(database, spec)
    return _mounted(database, server, spec, at)


def not_possible(
    reason: Reason, text: str, *, origin: Place | None, instead: str | None = None
) -> Needed:
    """A decision that nothing can be done, with what to do instead."""
    return Needed(
        need=Need.NOT_POSSIBLE, reasons=(reason,), explanation=text, instead=instead, origin=origin
    )


def copies(database: ActualDatabase) -> int:
    """How many copies there are; both facts of it have been made sure of before."""
    return max(len(known(database.copies)), 2 if known(database.is_replicated) else 1)


def fact_unknown(fact: str, value: Unknown, *, origin: Place) -> Needed:
    """A decision that cannot be made."""
    return not_possible(
        Reason.FACT_UNKNOWN,
        f"{fact} is unknown: {value.reason}",
        origin=origin,
        instead="see `goexchange observe`, mend what it names, and plan again",
    )


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
    space = _space(database, server, spec, at)
    if isinstance(space, Needed):
        return space
    verified = _verified(database, server, spec, at)
    if isinstance(verified, Needed):
        return verified
    backed_up = _backed_up(database, spec, at)
    if isinstance(backed_up, Needed):
        return backed_up
    wants_rebuild = space is not None and space.reason is Reason.WHITE_SPACE_OVER_MAXIMUM
    open_findings = [each for each in (space, verified, backed_up) if each is not None]
    if wants_rebuild or verified or backed_up:
        need = Need.REBUILD if wants_rebuild else Need.VERIFY if verified else Need.ONLINE_BACKUP
        refused = _refused_for_copies(database, need, spec)
        if refused is not None:
            return refused
        return Needed(
            need=need,
            reasons=tuple(each.reason for each in open_findings),
            explanation="; ".join(each.text for each in open_findings),
            origin=(
                space if wants_rebuild and space else verified or backed_up or open_findings[0]
            ).place,
            is_verified_too=verified is not None,
            is_backed_up_too=backed_up is not None or wants_rebuild,
        )
    brakes = tuple(each.reason for each in open_findings)
    return _meets(spec, brakes, "; ".join(each.text for each in open_findings) or _well(database))


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
    record = record_of(server, database.guid)
    if isinstance(record, Unknown):
        return fact_unknown("when it was last rebuilt", record, origin=place)
    brake = _brake(white, record, spec, at)
    if brake is None:
        return Finding(reason=Reason.WHITE_SPACE_OVER_MAXIMUM, text=over, place=place)
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


def _verified(
    database: ActualDatabase, server: ActualServer, spec: DesiredState, at: datetime
) -> Finding | Needed | None:
    within_s = spec.conditions.verified_within_s
    place = spec.conditions.verified_within_place
    if within_s is None:
        return None
    record = record_of(server, database.guid)
    if isinstance(record, Unknown):
        return fact_unknown("when it was last verified", record, origin=place)
    if record is None or record.verified_at_utc is None:
        return Finding(
            reason=Reason.NEVER_VERIFIED,
            text="never verified",
            place=place,
        )
    age_s = int((at - record.verified_at_utc).total_seconds())
    if age_s <= within_s:
        return None
    return Finding(
        reason=Reason.VERIFICATION_TOO_OLD,
        text=f"last verified {words.span(age_s)} ago, more than {words.span(within_s)}",
        place=place,
    )


def _backed_up(
    database: ActualDatabase, spec: DesiredState, at: datetime
) -> Finding | Needed | None:
    within_s = spec.conditions.online_full_backup_within_s
    place = spec.conditions.online_full_backup_within_place
    if within_s is None:
        return None
    last = database.last_full_backup_utc
    if isinstance(last, Unknown):
        return fact_unknown("its last full backup", last, origin=place)
    if last is None:
        return Finding(
            reason=Reason.NEVER_BACKED_UP,
            text="the present file has never had an online full backup",
            place=place,
        )
    age_s = int((at - last).total_seconds())
    if age_s <= within_s:
        return None
    return Finding(
        reason=Reason.BACKUP_TOO_OLD,
        text=f"last online full backup {words.span(age_s)} ago, more than {words.span(within_s)}",
        place=place,
    )


def _refused_for_copies(database: ActualDatabase, need: Need, spec: DesiredState) -> Needed | None:
    number = copies(database)
    if number == 1:
        return None
    where = words.listed(known(database.copies)) or "its availability group"
    if need is Need.REBUILD:
        return not_possible(
            Reason.MORE_THAN_ONE_COPY,
            f"{number} copies ({where}): an offline rebuild would break them",
            origin=spec.conditions.white_space_max_place,
            instead=MOVE_MAILBOXES,
        )
    if need is Need.VERIFY and spec.script.verify is VerifyMode.OFFLINE:
        return not_possible(
            Reason.MORE_THAN_ONE_COPY,
            f"{number} copies ({where}): it is not taken down to be looked at",
            origin=spec.conditions.verified_within_place,
            instead=DETECT_ON_COPY,
        )
    return None


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
