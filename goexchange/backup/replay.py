"""Which logs of a set bring its database up to a point in time: an unbroken chain of one signature,
or none.

Source: the vendor's description of rolling forward by hand: the logs from the oldest that the
database requires, without a gap, of one signature, the newest under the name of the current log,
no checkpoint.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from attrs import frozen

from goexchange.errors import NotNow, UsageError
from goexchange.ese.logs import LogHeader, parse_log_name
from goexchange.ese.rendering import signature_words
from goexchange.model.backup_set import DatabaseFacts, SetFile


@frozen(kw_only=True)
class SeenLog:
    """A log of a set with its header as read."""

    file: SetFile
    header: LogHeader

    @property
    def begins(self) -> datetime | None:
        """When the log was begun."""
        return self.header.created.to_datetime()


@frozen(kw_only=True)
class Replay:
    """The logs, oldest first; the newest one, `last`, is put under the name of the current log."""

    base: str
    files: tuple[SetFile, ...]
    last: str


def choose_logs(
    database: DatabaseFacts, logs: tuple[SeenLog, ...], *, until: datetime | None
) -> Replay | None:
    """The logs to replay; None when the database is clean and nothing later is asked for.

    Raises: UsageError for a time that no chain of logs reaches; NotNow when the chain is broken.
    """
    is_clean = database.log_required_low == 0
    clean_at = database.last_consistent_at_utc
    if is_clean and until is not None and clean_at is not None and until < clean_at:
        raise UsageError(
            f"--until: the database of this set was shut down at {clean_at:%Y-%m-%d %H:%M:%S} UTC"
            " and holds everything up to then; an earlier point needs an older set"
        )
    if is_clean and until is None:
        return None
    first = database.last_consistent_generation if is_clean else database.log_required_low
    chain = _chain(database, logs, first)
    if until is not None:
        chain = _up_to(chain, until)
    needed = database.log_required_high
    if not chain or (not is_clean and chain[-1].header.generation < needed):
        raise NotNow(
            "the set cannot be brought to that point: its logs do not reach generation"
            f" 0x{max(first, needed):X}, which its database needs"
        )
    parsed = parse_log_name(chain[-1].file.path.rpartition("/")[2])
    if parsed is None:
        raise NotNow(f"{chain[-1].file.path} is not named like a log")
    files = tuple(each.file for each in chain)
    return Replay(base=parsed.base, files=files, last=chain[-1].file.path)


def _chain(
    database: DatabaseFacts, logs: tuple[SeenLog, ...], first: int
) -> tuple[SeenLog, ...]:
    """Every log from a generation on.

    Raises: NotNow naming the gap or the foreign log.
    """
    found = sorted(
        (each for each in logs if each.header.generation >= first),
        key=lambda each: each.header.generation,
    )
    if not found or found[0].header.generation != first:
        raise NotNow(f"the set has no log of generation 0x{first:X}, from which a replay begins")
    foreign = [
        each for each in found if signature_words(each.header.signature) != database.log_signature
    ]
    if foreign:
        raise NotNow(f"{foreign[0].file.path} is of another log sequence than the database")
    for one, other in pairwise(found):
        is_next = other.header.generation == one.header.generation + 1
        if not is_next or other.header.previous_created != one.header.created:
            raise NotNow(
                f"the chain of logs is broken between {one.file.path} and {other.file.path}"
            )
    return tuple(found)


def _up_to(chain: tuple[SeenLog, ...], until: datetime) -> tuple[SeenLog, ...]:
    """The logs that were begun by then.

    Raises: NotNow when the time of one is not known.
    """
    undated = [each for each in chain if each.begins is None]
    if undated:
        raise NotNow(f"when {undated[0].file.path} was begun is not known")
    return tuple(each for each in chain if each.begins is not None and each.begins <= until)
