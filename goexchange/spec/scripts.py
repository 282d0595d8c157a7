"""Which script runs on which version of Exchange, why not elsewhere, and what does instead.

One table for everybody: the planner refuses by it, `validate` warns by it, the reference prints it.
Source: the vendor's references of isinteg (to 2007), New-MailboxRepairRequest (from 2010 SP1),
mtacheck (5.5 to 2003) and the lists of services by version.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import frozen

from goexchange.model.actual import Generation
from goexchange.model.desired import Script


class Standing(Enum):
    """How a script stands to a version."""

    APPLIES = "applies"
    BY_CONSENT = "applies by consent"  # its facts there are not confirmed: `unconfirmed generation`
    NEVER = "no"


@frozen(kw_only=True)
class Cell:
    """One script on one version; `why` and `instead` are there where it does not run."""

    standing: Standing
    why: str | None = None
    instead: str | None = None

    @property
    def is_executed(self) -> bool:
        """Whether a plan may have steps for it."""
        return self.standing in (Standing.APPLIES, Standing.BY_CONSENT)


_G = Generation
OLD = (_G.EXCHANGE_2003, _G.EXCHANGE_2007, _G.EXCHANGE_2010)
LIVING = (_G.EXCHANGE_2013, _G.EXCHANGE_2016, _G.EXCHANGE_2019, _G.SUBSCRIPTION_EDITION)
_OFFLINE_ONLY = (_G.EXCHANGE_2003, _G.EXCHANGE_2007)

_RUNS = Cell(standing=Standing.APPLIES)
_BY_CONSENT = Cell(standing=Standing.BY_CONSENT)
_NO_REQUESTS = "the store takes no repair requests before Exchange 2010 SP1"


def _living_and(old: Mapping[Generation, Cell]) -> Mapping[Generation, Cell]:
    """Runs on every living version; on older ones as given, else by consent."""
    cells = dict.fromkeys(OLD, _BY_CONSENT) | dict(old)
    return {**cells, **dict.fromkeys(LIVING, _RUNS)}


def _no_mta(instead: Script) -> Cell:
    return Cell(
        standing=Standing.NEVER,
        why="there is no message transfer agent from Exchange 2007 on, so it has no queue database",
        instead=f"{instead.value} for the mailbox databases",
    )


_NO_MODE = Cell(
    standing=Standing.NEVER,
    why="availability groups, whose members can be taken out, begin with Exchange 2010",
    instead="take it down by hand; of a cluster, move its resources to another node before",
)

_ONLINE_ON_OLD = {
    Script.ONLINE_ERROR_CORRECTION: Script.STORE_ERROR_CORRECTION,
    Script.ONLINE_ERROR_DIAGNOSTIC: Script.OFFLINE_DIAGNOSTIC_REPORT,
}


def _online(script: Script) -> Mapping[Generation, Cell]:
    offline = Cell(
        standing=Standing.NEVER,
        why=_NO_REQUESTS,
        instead=f"{_ONLINE_ON_OLD[script].value}, with the database dismounted",
    )
    return _living_and(dict.fromkeys(_OFFLINE_ONLY, offline))


SCRIPTS: Mapping[Script, Mapping[Generation, Cell]] = {
    **{script: _living_and({}) for script in Script},
    Script.MTA_ERROR_CORRECTION: {
        _G.EXCHANGE_2003: _BY_CONSENT,
        _G.EXCHANGE_2007: _no_mta(Script.STORE_ERROR_CORRECTION),
        _G.EXCHANGE_2010: _no_mta(Script.ONLINE_ERROR_CORRECTION),
        **dict.fromkeys(LIVING, _no_mta(Script.ONLINE_ERROR_CORRECTION)),
    },
    **{script: _online(script) for script in _ONLINE_ON_OLD},
    Script.SERVER_MAINTENANCE: {
        # by single steps: the shipped scripts of 2010 forget what was so before
        _G.EXCHANGE_2010: _BY_CONSENT,
        **dict.fromkeys(_OFFLINE_ONLY, _NO_MODE),
        **dict.fromkeys(LIVING, _RUNS),
    },
}


def cell_of(script: Script, generation: Generation) -> Cell:
    """How the script stands to the version."""
    return SCRIPTS[script][generation]


def versions_of(script: Script) -> tuple[Generation, ...]:
    """The versions that the script is for, executed or not."""
    found = SCRIPTS[script]
    return tuple(each for each in Generation if found[each].standing is not Standing.NEVER)


class Condition(Enum):
    """What a specification may want of a database that work serves; values are its keys."""

    WHITE_SPACE = "white_space_max"
    VERIFIED = "verified_within"
    MEASURED = "measured_within"
    OFFLINE_BACKUP = "offline_backup_within"
    ONLINE_BACKUP = "online_full_backup_within"
    MAINTAINED = "maintained_within"


_C = Condition
SERVES: Mapping[Script, tuple[Condition, ...]] = {
    Script.PREVENTATIVE_MAINTENANCE: (_C.WHITE_SPACE, _C.VERIFIED, _C.ONLINE_BACKUP),
    Script.STORE_ERROR_CORRECTION: (_C.VERIFIED, _C.ONLINE_BACKUP),
    Script.MTA_ERROR_CORRECTION: (_C.VERIFIED,),
    Script.OFFLINE_DIAGNOSTIC_REPORT: (_C.VERIFIED, _C.MEASURED, _C.ONLINE_BACKUP),
    Script.ONLINE_ERROR_CORRECTION: (_C.VERIFIED, _C.ONLINE_BACKUP),
    Script.ONLINE_ERROR_DIAGNOSTIC: (_C.VERIFIED, _C.ONLINE_BACKUP),
    Script.OFFLINE_DEFRAG: (_C.WHITE_SPACE, _C.ONLINE_BACKUP),
    Script.OFFLINE_SPACE_DIAGNOSTIC: (_C.MEASURED, _C.ONLINE_BACKUP),
    Script.EXCHANGE_BACKUP: (_C.OFFLINE_BACKUP, _C.ONLINE_BACKUP),
    Script.SERVER_MAINTENANCE: (_C.MAINTAINED,),
}
"""What each script can make true; an online backup is taken by every one that is asked for it."""

WHOLE_SCRIPTS = (Script.PREVENTATIVE_MAINTENANCE, Script.EXCHANGE_BACKUP)
"""Scripts that an online backup alone is work enough for."""


def is_served(script: Script, condition: Condition) -> bool:
    """Whether the script does something for the condition."""
    return condition in SERVES[script]


def own_conditions(script: Script) -> tuple[Condition, ...]:
    """The conditions that say when the script itself is due."""
    is_whole = script in WHOLE_SCRIPTS
    return tuple(c for c in SERVES[script] if is_whole or c is not Condition.ONLINE_BACKUP)
