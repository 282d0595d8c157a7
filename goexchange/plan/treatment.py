"""What the lane of a need does, by script: the one place that tells the scripts apart.

Source: `procedure.md` 2, with what scripts without a rebuild and read-only ones leave out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import frozen

from goexchange.model.desired import Script, ScriptChoice, VerifyMode
from goexchange.model.plan import Need


class Passes(Enum):
    """What is asked of the store while the database is mounted."""

    NONE = "none"
    DETECT = "detect"
    CORRECT = "correct"


@frozen(kw_only=True)
class Treatment:
    """The parts of a lane; without an outage there are the passes alone.

    Shape: `detects` looks at page checksums and integrity of the dismounted file, `measures` at
    its space; `copies` takes a verified set of it; `rebuilds` needs that set. `is_on_copy`
    does without the outage: it looks at a suspended passive copy. `holds_copies` suspends every
    other copy of the database, and seeds it anew when it was rebuilt. `repairs` keeps evidence in
    the place of a set, and rebuilds what a repair has made of a copy.
    """

    passes: Passes = Passes.NONE
    is_offline: bool = False
    detects: bool = False
    measures: bool = False
    copies: bool = False
    rebuilds: bool = False
    is_on_copy: bool = False
    holds_copies: bool = False
    repairs: bool = False

    @property
    def only_looks(self) -> bool:
        """Whether the database would be taken down for nothing but a look."""
        return self.is_offline and not self.copies


REPAIR = Treatment(
    passes=Passes.CORRECT,
    is_offline=True,
    detects=True,
    copies=True,
    rebuilds=True,
    repairs=True,
)
"""Only ever asked for by a person, of one database: no script has it."""

_NO_OUTAGE = Treatment()
_BY_SCRIPT: Mapping[Script, Mapping[Need, Treatment]] = {
    Script.PREVENTATIVE_MAINTENANCE: {
        Need.REBUILD: Treatment(
            passes=Passes.CORRECT, is_offline=True, detects=True, copies=True, rebuilds=True
        ),
        Need.VERIFY: Treatment(passes=Passes.DETECT),
    },
    Script.OFFLINE_DEFRAG: {
        Need.REBUILD: Treatment(is_offline=True, detects=True, copies=True, rebuilds=True),
    },
    Script.STORE_ERROR_CORRECTION: {
        Need.CORRECT: Treatment(
            passes=Passes.CORRECT, is_offline=True, detects=True, copies=True
        ),
    },
    Script.ONLINE_ERROR_CORRECTION: {Need.CORRECT: Treatment(passes=Passes.CORRECT)},
    Script.ONLINE_ERROR_DIAGNOSTIC: {Need.VERIFY: Treatment(passes=Passes.DETECT)},
    Script.OFFLINE_DIAGNOSTIC_REPORT: dict.fromkeys(
        (Need.VERIFY, Need.MEASURE), Treatment(is_offline=True, detects=True, measures=True)
    ),
    Script.OFFLINE_SPACE_DIAGNOSTIC: {Need.MEASURE: Treatment(is_offline=True, measures=True)},
    Script.EXCHANGE_BACKUP: {Need.OFFLINE_BACKUP: Treatment(is_offline=True, copies=True)},
}
_VERIFIED_OFFLINE = Treatment(is_offline=True, detects=True)
_CORRECTS = (Script.ONLINE_ERROR_CORRECTION, Script.STORE_ERROR_CORRECTION)


def treatment_of(need: Need, choice: ScriptChoice) -> Treatment:
    """What the lane of the need does under the script; nothing but its one step for a mount or an
    online backup.
    """
    is_looked_at = need is Need.VERIFY and choice.verify is VerifyMode.OFFLINE
    if choice.script is Script.PREVENTATIVE_MAINTENANCE and is_looked_at:
        return _VERIFIED_OFFLINE
    return _BY_SCRIPT.get(choice.script, {}).get(need, _NO_OUTAGE)


def need_of_verification(script: Script) -> Need:
    """What a database needs that was not verified lately: a look, or a correction."""
    return Need.CORRECT if script in _CORRECTS else Need.VERIFY
